// Runs a program of `children` as plain JavaScript in a process of its own, since what it measures is
// the garbage collector. Knows how to compile and start it; must not know what it measures.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Folders that the programs import, and their own; and single files. */
const FOLDERS = ['src/wire', 'src/storage', 'src/tcp', 'src/stack', 'tests/tcp/children'];
const FILES = ['tests/stack/host.ts'];

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

export class Compiled {
  private readonly directory = mkdtempSync(join(tmpdir(), 'finwait-compiled-'));

  constructor() {
    writeFileSync(join(this.directory, 'package.json'), '{ "type": "module" }');
    for (const folder of FOLDERS) {
      for (const name of readdirSync(join(ROOT, folder))) {
        if (name.endsWith('.ts')) this.compile(join(folder, name));
      }
    }
    for (const file of FILES) this.compile(file);
  }

  private compile(path: string): void {
    const source = readFileSync(join(ROOT, path), 'utf8');
    const { outputText } = ts.transpileModule(source, { compilerOptions: options });
    const target = join(this.directory, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }

  /** Starts `children/<program>`; answers what it prints, which is JSON. */
  async run<T>(program: string, args: readonly string[], flags: readonly string[]): Promise<T> {
    const path = join(this.directory, 'tests/tcp/children', `${program}.js`);
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, path, ...args], {
      timeout: 110_000,
    });
    return JSON.parse(stdout) as T;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}
