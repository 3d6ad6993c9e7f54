// The pages of a folder do not lie: what can be typed is typed here, from the first block to the last, in a
// network of their own, and prints what the page shows. With FINWAIT_PAGE=write, pages are changed instead:
// what they show becomes what was printed. Lines with `…` stay, and so do blocks that leave out lines.
// Knows what steps mean; must not know how commands run.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILD_MS, buildProgram, MAIN } from '../cli/program.js';
import { canUseNamespaces } from '../support/namespace.js';
import { whyNoUser } from '../support/ordinary-user.js';
import { agrees, normal, type Page, readPage, type Step } from './page.js';
import { type Ended, PATIENCE_MS, Reader } from './reader.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`Pages are not tried: ${possible.why}`);
const isWriting = process.env.FINWAIT_PAGE === 'write';

/** All pages; of a folder, those in it. */
export function pagePaths(folder = ''): string[] {
  const below = readdirSync('docs', { recursive: true }).map((name) => join('docs', String(name)));
  const pages = ['README.md', ...below.filter((name) => name.endsWith('.md'))];
  return pages.filter((path) => path.startsWith(folder)).sort();
}

/** Tests for the pages of a folder. */
export function describePages(folder: string): void {
  for (const path of pagePaths(folder)) describePage(path);
}

export function describePage(path: string): void {
  const page = readPage(path);
  if (page.steps.length === 0) return;
  const why = page.asUser && possible.ok ? whyNoUser(MAIN) : '';
  if (why !== '') console.warn(`${path} is skipped: ${why}`);
  describe.skipIf(!possible.ok || why !== '')(path, () => {
    const results = new Map<Step, string>();
    let reader: Reader;

    beforeAll(async () => {
      buildProgram();
      reader = await Reader.create(page);
    }, BUILD_MS);

    afterAll(async () => {
      await reader?.close();
      if (isWriting) rewrite(page, results);
    });

    for (const step of page.steps) {
      test(`line ${step.line}: ${title(step)}`, { timeout: 2 * PATIENCE_MS }, async () => {
        const { printed, code } = await carryOut(reader, step);
        results.set(step, printed);
        if (step.kind === 'script' || step.kind === 'module') {
          const allowed = step.running ? [0, null] : [0];
          expect(allowed, printed).toContain(code);
        }
        if (step.shown === null || (isWriting && !step.running)) return;
        if (agrees(step.shown.text, printed, step.running)) return;
        expect(normal(printed)).toEqual(normal(step.shown.text));
      });
    }
  });
}

function title({ kind, text, path }: Step): string {
  if (kind === 'end') return '^C';
  return path ?? text.split('\n').find((line) => !/^(#|\/\/|import|$)/.test(line)) ?? kind;
}

async function carryOut(reader: Reader, step: Step): Promise<Ended> {
  const { kind, line, text, running, path } = step;
  const shown = step.shown?.text ?? '';
  if (running && shown.trim() === '') throw new Error('the page does not show how this begins');
  switch (kind) {
    case 'command':
      return reader.run(text, running, shown);
    case 'script':
      return reader.run(`set -eo pipefail\n${text}`, running, shown);
    case 'end':
      return reader.interrupt();
    case 'file':
      reader.write(path!, text);
      return { printed: '', code: 0 };
    case 'module':
      reader.write(`line-${line}.mjs`, await javaScript(step));
      return reader.run(`exec node line-${line}.mjs`, running, shown);
  }
}

async function javaScript({ language, text }: Step): Promise<string> {
  if (language === 'js') return text;
  const { default: ts } = await import('typescript'); // takes half a second to load
  const { ESNext } = ts.ModuleKind;
  const compilerOptions = { module: ESNext, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}

function rewrite({ path }: Page, results: ReadonlyMap<Step, string>): void {
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const [{ shown, running }, printed] of [...results].reverse()) {
    if (shown === null || running) continue;
    if (/^…$/m.test(shown.text) || agrees(shown.text, printed)) continue;
    const old = shown.text.trim() === '' ? [] : shown.text.trimEnd().split('\n');
    const kept = old.filter((each) => each.includes('…'));
    const now = printed.trim() === '' ? [] : printed.trimEnd().split('\n');
    const written = now.map((each) => kept.find((line) => agrees(line, each)) ?? each.trimEnd());
    lines.splice(shown.line - 1, old.length, ...written);
  }
  writeFileSync(path, lines.join('\n'));
}
