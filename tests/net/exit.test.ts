// When a program ends that uses the stack: as soon as nothing is open, and not before.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../src', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'finwait-'));

const PRELUDE = `
  import { SystemClock } from './device/system-clock.js';
  import { MemoryLink } from './device/link.js';
  import { Stack } from './net/stack.js';
  const memory = 32 * 1024 * 1024;
  const alone = () => new Stack({ clock: new SystemClock(), memory });
  process.on('exit', () => console.log('exit'));
  const sayWhetherAlive = () => setTimeout(() => {
    console.log('alive');
    process.exit();
  }, 200).unref();
`;

/** The sources as Node runs them. */
beforeAll(() => {
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.startsWith('cli')) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(source, file), 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const target = join(directory, file.replace(/ts$/, 'js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
});

afterAll(() => rmSync(directory, { recursive: true }));

let programs = 0;

/** Runs a program; answers what it printed. */
function run(program: string): Promise<string[]> {
  const file = join(directory, `program-${programs++}.js`);
  writeFileSync(file, PRELUDE + program);
  return new Promise((resolve) => {
    execFile(process.execPath, [file], { timeout: 20_000 }, (_, out, err) => {
      resolve((out + err).trim().split('\n'));
    });
  });
}

it('not while a server listens', async () => {
  const program = `
    alone().net.createServer().listen(80, () => {
      console.log('listening');
      sayWhetherAlive();
    });
  `;
  expect(await run(program)).toEqual(['listening', 'alive', 'exit']);
});

it('not while a connection is open', async () => {
  const program = `
    const { net } = alone();
    net.createServer((socket) => socket.resume()).listen(80).unref();
    net.connect(80, '10.9.0.2', () => {
      console.log('connected');
      sayWhetherAlive();
    });
  `;
  expect(await run(program)).toEqual(['connected', 'alive', 'exit']);
});

it('at once when all is unreferenced', async () => {
  const program = `
    const { net } = alone();
    net.createServer((socket) => socket.resume().unref()).listen(80).unref();
    const socket = net.connect(80, '10.9.0.2', () => {
      socket.unref();
      console.log('connected');
      sayWhetherAlive();
    });
  `;
  expect(await run(program)).toEqual(['connected', 'exit']);
});

it('when the last connection is closed, in spite of TIME-WAIT', async () => {
  const program = `
    const { net, core } = alone();
    const server = net.createServer((socket) => { socket.end('bye'); server.close(); }).listen(80);
    const socket = net.connect(80, '10.9.0.2').resume();
    socket.on('close', () => console.log('closed'));
    process.on('exit', () => console.log(core.timeWaits().length));
  `;
  expect(await run(program)).toEqual(['closed', 'exit', '1']);
});

it('with all that was written delivered', async () => {
  const program = `
    const link = new MemoryLink(new SystemClock(), { aToB: { delay: 20_000 }, bToA: { delay: 20_000 } });
    const make = (device, ...addresses) => new Stack({ clock: new SystemClock(), device, addresses, memory });
    const [a, b] = [make(link.a, '10.9.0.1/24'), make(link.b, '10.9.0.2/24')];
    let bytes = 0;
    b.net.createServer((socket) => {
      socket.unref().on('data', (data) => { bytes += data.length; });
      socket.on('end', () => console.log('end after', bytes));
    }).listen(80).unref();
    const socket = a.net.connect(80, '10.9.0.2');
    socket.write(Buffer.alloc(1_000_000));
    socket.destroySoon();
    socket.on('close', () => console.log('closed', socket.tcpState));
  `;
  expect(await run(program)).toEqual(['closed FIN-WAIT-1', 'end after 1000000', 'exit']);
});

it('after stack.close(), whatever was open', async () => {
  const program = `
    const stack = alone();
    stack.net.createServer({ allowHalfOpen: true }, () => {}).listen(80);
    stack.net.connect(80, '10.9.0.2', () => stack.close(50).then(() => console.log('closed')));
  `;
  expect(await run(program)).toEqual(['closed', 'exit']);
});
