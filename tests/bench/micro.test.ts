// The command `npm run bench:micro`: every hot function can still be timed.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const MICRO = fileURLToPath(new URL('../../bench/micro/main.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'finwait-micro-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('npm run bench:micro gives a figure for each function', () => {
  const file = join(folder, 'micro.json');
  const table = execFileSync(process.execPath, [MICRO, '--quick', '--json', file], {
    encoding: 'utf8',
  });
  const { figures } = JSON.parse(readFileSync(file, 'utf8')) as {
    figures: { name: string; perSecond: number }[];
  };
  expect(figures.length).toBeGreaterThan(15);
  for (const { name, perSecond } of figures) {
    expect(perSecond, name).toBeGreaterThan(0);
    expect(table).toContain(name);
  }
}, 60_000);
