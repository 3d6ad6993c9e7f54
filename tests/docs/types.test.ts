// The TypeScript in the pages is sound for somebody who has installed the package. Knows the compiler; must
// not know what the programs do.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILD_MS, buildProgram } from '../cli/program.js';
import { readPage } from './page.js';
import { pagePaths } from './pages.js';
import { linkPackages } from './reader.js';

const folder = join(tmpdir(), `finwait-types-${process.pid}`);
const modules = pagePaths().flatMap((page) =>
  readPage(page).modules.map(({ line, text, path }) => {
    const name = path ?? `line-${line}.ts`;
    return { page, line, text, file: join(folder, page.replace('.md', ''), name) };
  }),
);

/** What `npm init` and the handbook of TypeScript give. */
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  strict: true,
  skipLibCheck: false,
  noEmit: true,
  types: ['node'],
  typeRoots: [join(folder, 'node_modules/@types')],
};

/** A program that imports all that the package has. */
const ENTRIES = join(folder, 'entries.ts');
/** The pages, and what `finwait` is a link to. */
const OURS = /^(?!.*\/node_modules\/).*(\/finwait-types-|\/dist\/)/;

beforeAll(() => {
  buildProgram();
  mkdirSync(folder);
  linkPackages(folder);
  const names = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).exports);
  const imports = names
    .filter((name) => !name.endsWith('.json'))
    .map((name) => `import '${name.replace('.', 'finwait')}';\n`);
  writeFileSync(ENTRIES, imports.join(''));
  for (const { file, text } of modules) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}, BUILD_MS);

afterAll(() => rmSync(folder, { recursive: true }));

test('TypeScript in the pages, and the types of the package', { timeout: 60_000 }, () => {
  const files = [ENTRIES, ...modules.map(({ file }) => file)];
  const program = ts.createProgram(files, OPTIONS);
  // And in the types of the package itself; those of others are others' business.
  const checked = program.getSourceFiles().filter((file) => OURS.test(file.fileName));
  expect(checked.length).toBeGreaterThan(50);
  const found = checked.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]);
  const complaints = found.map(({ file, start = 0, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n');
    const module = modules.find((each) => each.file === file?.fileName);
    if (module === undefined) return `${file?.fileName}: ${text}`;
    const { line } = file!.getLineAndCharacterOfPosition(start);
    return `${module.page}:${module.line + line}: ${text}`;
  });
  expect(complaints).toEqual([]);
});
