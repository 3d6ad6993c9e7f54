// The package as others get it: packed, installed into an empty folder without a network, and used from
// there. Knows what belongs into it; must not know what the program does.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILD_MS, buildProgram, Running } from '../cli/program.js';
import { readPage } from '../docs/page.js';
import { copyRepository } from '../docs/reader.js';
import { describeKernel } from '../support/kernel.js';
import { type Finished, Namespace } from '../support/namespace.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const MODULES = Object.keys(manifest.exports).filter((name) => !name.endsWith('.json'));

/** Everything that may be in the package. */
const WANTED =
  /^(dist\/.+\.(js|js\.map|d\.ts)|native\/\w+\.[ch]|docs\/.+\.(md|svg)|binding\.gyp|scripts\/build-addon\.mjs|package\.json|(README|ARCHITECTURE|CHANGELOG)\.md|LICENSE)$/;
const NEEDED = [
  ...['README.md', 'LICENSE', 'binding.gyp', 'scripts/build-addon.mjs', 'native/addon.c'],
  ...['dist/cli/main.js', 'dist/index.js', 'dist/index.d.ts', 'dist/index.js.map'],
];
/** Longest that npm may take to install and compile, ms. */
const INSTALL_MS = 120_000;

/** The program of README.md that uses the library. */
const EXAMPLE = 'hello.mjs';

function example(): string {
  const { steps } = readPage(join(ROOT, 'README.md'));
  return steps.find(({ path }) => path === EXAMPLE)!.text;
}

describeKernel('the package', ['npm', 'g++', 'make', 'python3', 'nc'], () => {
  const folder = join(tmpdir(), `finwait-package-${process.pid}`);
  const app = join(folder, 'app');
  let files: string[];
  let tarball: string;
  let installed: Finished;
  let place: Namespace;

  beforeAll(async () => {
    buildProgram();
    mkdirSync(folder);
    place = await Namespace.create();
    const packed = pack(ROOT);
    files = packed.files;
    tarball = packed.path;
    // The one package that it needs comes from here as well: there is no network.
    const needed = Object.keys(manifest.dependencies).map((name) =>
      pack(join(ROOT, 'node_modules', name)),
    );
    mkdirSync(app);
    writeFileSync(join(app, 'package.json'), '{ "type": "module" }\n');
    const paths = [tarball, ...needed.map(({ path }) => path)];
    installed = await inApp('npm', ['install', '--offline', '--no-audit', '--no-fund', ...paths]);
  }, BUILD_MS + INSTALL_MS);

  afterAll(async () => {
    await place?.close();
    rmSync(folder, { recursive: true });
  });

  function pack(path: string): { path: string; files: string[] } {
    const args = ['pack', path, '--ignore-scripts', '--json', '--pack-destination', folder];
    const { stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
    const [packed] = parseJson(stdout, stderr);
    const inside = packed!.files.map((file) => file.path);
    return { path: join(folder, packed!.filename), files: inside };
  }

  function inApp(command: string, args: string[]): Promise<Finished> {
    return place.exec(command, args, { cwd: app, env: environment() });
  }

  test('has what is needed to run it and to read it, and nothing else', () => {
    expect(files.filter((file) => !WANTED.test(file))).toEqual([]);
    expect(NEEDED.filter((file) => !files.includes(file))).toEqual([]);
  });

  test.each([
    ['publint', ['--strict']],
    ['attw', ['--profile', 'esm-only', '--format', 'ascii', '--no-color']],
  ])('%s finds nothing', (tool, args) => {
    const program = join(ROOT, 'node_modules/.bin', tool);
    const { status, stdout } = spawnSync(program, [tarball, ...args], { encoding: 'utf8' });
    expect(status, stdout).toBe(0);
    expect(stdout).not.toMatch(/suggestion/i);
  });

  test('installs into an empty folder, and compiles its addon', () => {
    expect(installed.code, installed.stderr).toBe(0);
    const lock = readFileSync(join(app, 'node_modules/.package-lock.json'), 'utf8');
    const names = Object.keys(JSON.parse(lock).packages);
    const wanted = ['finwait', ...Object.keys(manifest.dependencies)];
    expect(names).toEqual(wanted.map((name) => `node_modules/${name}`));
  });

  test.each(MODULES)('%s can be imported', async (name) => {
    const specifier = name.replace('.', 'finwait');
    const source = `const all = await import('${specifier}'); console.log(typeof all);`;
    const args = ['--input-type=module', '--eval', source];
    expect(await inApp(process.execPath, args)).toEqual({
      code: 0,
      stdout: 'object\n',
      stderr: '',
    });
  });

  test('the library’s example in README.md works', async () => {
    writeFileSync(join(app, EXAMPLE), example());
    const options = { cwd: app, env: environment(), stdio: 'pipe' } as const;
    const child = place.spawn(process.execPath, [EXAMPLE], options);
    const running = await Running.shown(child, 'nc 10.9.0.2 4000');
    expect(await place.exec('nc', ['10.9.0.2', '4000'])).toMatchObject({ stdout: 'hello\n' });
    await running.shows('-> TIME-WAIT');
    await running.stop();
  });

  test('the program works', async () => {
    const finwait = join(app, 'node_modules/.bin/finwait');
    const version = await inApp(finwait, ['--version']);
    expect(version.stdout).toBe(`finwait ${manifest.version}\n`);
    const { code, stdout } = await inApp(finwait, ['lab', 'run', 'active-close']);
    expect(stdout).toContain('\n\npassed in ');
    expect(code).toBe(0);
  });

  test('without its addon, what needs no device works, and the rest says what is missing', async () => {
    // As after `npm install --ignore-scripts`.
    rmSync(join(app, 'node_modules/finwait/build'), { recursive: true });
    const source = `
      import { openStack } from 'finwait';
      import { faultyPeer } from 'finwait/testing';
      const peer = await faultyPeer({ serve: (s) => s.end('HTTP/1.1 200 OK\\r\\n\\r\\nhello') });
      console.log(await (await fetch(peer.url)).text());
      await peer.close();
      try { openStack(); } catch ({ code, hint }) { console.log(code, hint); }`;
    const { stdout, stderr } = await inApp(process.execPath, ['--input-type=module', '-e', source]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^hello\nERR_NATIVE_MISSING run `npm rebuild finwait` /);
  });

  test('npx finds the program in a clone at once, and builds nothing', async () => {
    const [clone, home] = ['clone', 'home'].map((name) => join(folder, name));
    for (const path of [clone!, home!]) mkdirSync(path);
    copyRepository(clone!);
    const built = () => statSync(join(clone!, 'dist/cli/main.js')).mtimeMs;
    const before = built();
    // Nobody has ever called npx from this home.
    const env = { ...environment(), HOME: home! };
    const { stdout } = await place.exec('npx', ['finwait', '--version'], { cwd: clone!, env });
    expect(stdout).toBe(`finwait ${manifest.version}\n`);
    expect(built()).toBe(before);
  });
});

/** What a test runner and npm have put into ours is not for others. */
function environment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !/^(npm_|NODE_OPTIONS|VITEST)/.test(name)));
}

function parseJson(text: string, complaint: string) {
  try {
    return JSON.parse(text) as { filename: string; files: { path: string }[] }[];
  } catch {
    throw new Error(`npm pack: ${complaint}`);
  }
}
