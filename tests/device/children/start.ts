// Starts scenario.ts in namespaces, prepared by other programs; must not know the scenarios.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Finished, Namespace } from '../../support/namespace.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A `prepare` that makes system calls fail or sockets full; see launch.py. */
export function launch(mode: string): string[] {
  return ['python3', join(root, 'tests/device/children/launch.py'), mode];
}

/** The sources as Node.js runs them, in a directory of their own, until `remove()`. */
export class Scenarios {
  readonly #directory = mkdtempSync(join(tmpdir(), 'finwait-'));
  readonly #compiled = new Set<string>();

  constructor() {
    writeFileSync(join(this.#directory, 'package.json'), '{"type":"module"}');
    for (const name of ['node_modules', 'build']) {
      symlinkSync(join(root, name), join(this.#directory, name));
    }
    this.#compile('tests/device/children/scenario.ts');
  }

  /** The command line of a scenario, after that of the program that prepares its surroundings. */
  command(scenario: string, prepare: readonly string[] = []): string[] {
    const script = join(this.#directory, 'tests/device/children/scenario.js');
    return [...prepare, process.execPath, script, scenario];
  }

  /** Runs a scenario to its end; `result` is what it reported last, or else complained of. */
  async run(
    namespace: Namespace,
    scenario: string,
    prepare?: readonly string[],
    // biome-ignore lint/suspicious/noExplicitAny: tests look into what was reported
  ): Promise<Finished & { result: any }> {
    const [command, ...args] = this.command(scenario, prepare);
    const finished = await namespace.exec(command!, args);
    const last = finished.stdout.trim().split('\n').at(-1)!;
    return { ...finished, result: last === '' ? finished.stderr : JSON.parse(last) };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }

  /** Compiles a file, and all that it imports. */
  #compile(file: string): void {
    if (this.#compiled.has(file)) return;
    this.#compiled.add(file);
    const source = readFileSync(join(root, file), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const target = join(this.#directory, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
    for (const { fileName } of ts.preProcessFile(outputText).importedFiles) {
      if (fileName.startsWith('.')) {
        this.#compile(join(dirname(file), fileName.replace(/\.js$/, '.ts')));
      }
    }
  }
}
