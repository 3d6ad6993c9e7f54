// What holds for all pages of the documentation. Knows their folders and marks; must not know what they say.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Page, readPage } from './page.js';
import { pagePaths } from './pages.js';

const FOLDERS =
  /^(README\.md|docs\/(README\.md|net-compatibility\.md|(tutorial|how-to|reference|explanation)\/))/;
/** Blocks that no test runs, in all pages together. */
const MAX_NOT_RUN = 6;

const pages = pagePaths().map(readPage);
const scripts = JSON.parse(readFileSync('package.json', 'utf8')).scripts as Record<string, string>;
const ci = readFileSync('.ci/run', 'utf8');

/** Files, from the root, that a page links to. */
function targets({ path, links }: Page): string[] {
  return links.map((link) => normalize(join(dirname(path), link)));
}

test('a page is a tutorial, a how-to, reference or explanation', () => {
  expect(pages.map(({ path }) => path).filter((path) => !FOLDERS.test(path))).toEqual([]);
});

test('docs/README.md leads to all pages', () => {
  const listed = targets(pages.find(({ path }) => path === 'docs/README.md')!);
  const others = pages.filter(({ path }) => path.startsWith('docs/') && path !== 'docs/README.md');
  expect(others.map(({ path }) => path).filter((path) => !listed.includes(path))).toEqual([]);
});

test('hardly anything is not run, and each time it is said why', () => {
  const reasons = pages.flatMap(({ path, notRun }) =>
    notRun.map(({ line, reason }) => `${path}:${line}: ${reason}`),
  );
  expect(reasons.filter((reason) => reason.split(' ').length < 5)).toEqual([]);
  expect(reasons.length, reasons.join('\n')).toBeLessThanOrEqual(MAX_NOT_RUN);
});

test('what a script writes is checked in CI', () => {
  const writers = pages.flatMap((page) => page.writers);
  const unchecked = writers.filter((writer) => {
    const file = /scripts\/[\w-]+\.mjs/.exec(scripts[writer] ?? '')?.[0];
    return file === undefined || !ci.includes(`${file} --check`);
  });
  expect(unchecked).toEqual([]);
});

describe('links lead somewhere', () => {
  const anchorsOf = new Map(pages.map(({ path, anchors }) => [path, anchors]));
  test.each(pages.map((page) => [page.path, page] as const))('%s', (path, page) => {
    const broken = targets(page).filter((target) => {
      const [file, anchor] = target.split('#') as [string, string?];
      const isHere = file === dirname(path) || file === ''; // `#heading` alone
      const there = page.links.includes(`#${anchor}`) && isHere ? path : file;
      if (!existsSync(there)) return true;
      return anchor !== undefined && !(anchorsOf.get(there)?.includes(anchor) ?? true);
    });
    expect(broken).toEqual([]);
  });
});
