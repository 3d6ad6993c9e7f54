// .vscode/launch.json starts what it says, and the source maps lead an editor from dist back to src.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { BUILD_MS, buildProgram, Running } from '../cli/program.js';
import { canUseNamespaces } from '../support/namespace.js';

interface Configuration {
  name: string;
  program: string;
  args: string[];
  outFiles: string[];
}

const ROOT = process.cwd();

function configurations(): Configuration[] {
  const text = readFileSync('.vscode/launch.json', 'utf8').replace(/^\s*\/\/.*$/gm, '');
  const there = text.replace(/\$\{workspaceFolder\}/g, ROOT);
  return (JSON.parse(there) as { configurations: Configuration[] }).configurations;
}

describe('an editor', () => {
  beforeAll(buildProgram, BUILD_MS);

  it.skipIf(!canUseNamespaces().ok)('starts an active and a passive close', async () => {
    // Ours and the kernel's at that moment: what our end sends because of its new state is yet to go.
    const paths = {
      active: [
        ['FIN-WAIT-1', 'ESTABLISHED'],
        ['FIN-WAIT-2', 'CLOSE-WAIT'],
        ['TIME-WAIT', 'LAST-ACK'],
        ['CLOSED', 'CLOSED'],
      ],
      passive: [
        ['CLOSE-WAIT', 'FIN-WAIT-1'],
        ['LAST-ACK', 'FIN-WAIT-2'],
        ['CLOSED', 'TIME-WAIT'],
      ],
    };
    const OPENING = [
      ['LISTEN', 'CLOSED'],
      ['SYN-RECEIVED', 'SYN-SENT'],
      ['ESTABLISHED', 'ESTABLISHED'],
    ];
    const launched = configurations().filter(({ program }) => program !== undefined);
    expect(launched.map(({ name }) => name)).toEqual([
      'step through an active close',
      'step through a passive close',
    ]);
    for (const { name, program, args } of launched) {
      const run = new Running(spawn(process.execPath, [program, ...args]));
      const { code, stdout, stderr } = await run.end();
      expect([code, stderr]).toEqual([0, '']);
      const pairs = [...stdout.matchAll(/-> (\S+) +the kernel’s (\S+)/g)].map(
        ([, ...pair]) => pair,
      );
      expect(pairs).toEqual([
        ...OPENING,
        ...(name.includes('active') ? paths.active : paths.passive),
      ]);
      expect(stdout).toMatch(/^ours: closed in order, /m);
      expect(stdout).toContain('the kernel’s program: closed in order');
    }
  });

  it('finds src/tcp/close.ts by the map of what runs', () => {
    for (const { outFiles } of configurations()) expect(outFiles).toEqual([`${ROOT}/dist/**/*.js`]);
    const code = readFileSync('dist/tcp/close.js', 'utf8');
    const mapName = /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(code)![1]!;
    const map = JSON.parse(readFileSync(`dist/tcp/${mapName}`, 'utf8')) as {
      sources: string[];
      sourcesContent: string[];
    };
    expect(map.sources.map((source) => resolve('dist/tcp', source))).toEqual([
      resolve('src/tcp/close.ts'),
    ]);
    // For who has installed the package, which has no src.
    expect(map.sourcesContent).toEqual([readFileSync('src/tcp/close.ts', 'utf8')]);
  });
});
