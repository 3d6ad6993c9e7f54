// The house rules that no linter knows. Knows how sources are to look; must not know what they do.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SELF = 'tests/scripts/house-rules.test.ts';

const MAX_FILE_LINES = 420;
const MAX_FUNCTION_LINES = 65;

/** Folders that do no I/O and know no clock. */
const SANS_IO = /^src\/(wire|storage|tcp|stack)\//;

/** Words for what only the authors could look up, or left for later: what is here stands alone. */
const UNFINISHED = /\b(TODO|FIXME|XXX)\b/;
const ELSEWHERE =
  /\bthe (design|issue|brief|contracts?)\b(?! of)|\bissue #?\d|(design|lessons)\.md/i;
const OTHER_MACHINE = /(?<![\w.])\/(work|root|home)\//;

/** What git does not keep, and git itself. */
const NOT_KEPT = ['.git', 'build', 'coverage', 'dist', 'node_modules'];

const files = readdirSync(ROOT, { withFileTypes: true })
  .filter(({ name }) => !NOT_KEPT.includes(name))
  .flatMap((entry) => (entry.isDirectory() ? filesBelow(entry.name) : [entry.name]));
const sources = files.filter((file) => /\.([cm]?[jt]s|c|h|py)$/.test(file));
const product = files.filter((file) => /^src\/.*\.ts$/.test(file));

function filesBelow(folder: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length));
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
}

/** Where in a file nodes are of which `complaint` says something. */
function complaints(file: string, complaint: (node: ts.Node) => string | null): string[] {
  const source = parse(file);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const what = complaint(node);
    if (what !== null) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${file}:${line + 1}: ${what}`);
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

function lineCount(text: string): number {
  return text.trimEnd().split('\n').length;
}

/** Lines in which a pattern occurs. */
function mentions(pattern: RegExp): string[] {
  return files
    .filter((file) => file !== SELF)
    .flatMap((file) => {
      const lines = read(file).split('\n');
      return lines.flatMap((line, i) =>
        pattern.test(line) ? `${file}:${i + 1}: ${line.trim()}` : [],
      );
    });
}

describe('sources', () => {
  it('begin with a comment that says what the file knows', () => {
    const bare = sources.filter((file) => {
      const [first, second] = read(file).split('\n');
      return !/^(\/\/|\/\*|#) .{12,}/.test((first!.startsWith('#!') ? second : first)!);
    });
    expect(bare).toEqual([]);
  });

  it(`have at most ${MAX_FILE_LINES} lines`, () => {
    const long = product
      .filter((file) => lineCount(read(file)) > MAX_FILE_LINES)
      .map((file) => `${file}: ${lineCount(read(file))} lines`);
    expect(long).toEqual([]);
  });

  it(`have functions of at most ${MAX_FUNCTION_LINES} lines`, () => {
    const long = product.flatMap((file) =>
      complaints(file, (node) => {
        const lines = ts.isFunctionLike(node) ? lineCount(node.getText()) : 0;
        return lines > MAX_FUNCTION_LINES ? `a function of ${lines} lines` : null;
      }),
    );
    expect(long).toEqual([]);
  });

  it.each([
    ['is unfinished', UNFINISHED],
    ['is written elsewhere', ELSEWHERE],
    ['is on another machine', OTHER_MACHINE],
  ])('mention nothing that %s', (_, pattern) => {
    expect(mentions(pattern)).toEqual([]);
  });
});

it('wire, storage, tcp and stack neither wait nor draw random numbers', () => {
  const found = product
    .filter((file) => SANS_IO.test(file))
    .flatMap((file) =>
      complaints(file, (node) => {
        if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async';
        const isCall = ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random';
        return isCall ? 'Math.random' : null;
      }),
    );
  expect(found).toEqual([]);
});

it('index.ts holds the public exports and nothing else', () => {
  const others = parse('src/index.ts').statements.filter(
    (statement) => !ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined,
  );
  expect(others.map((statement) => statement.getText())).toEqual([]);
});
