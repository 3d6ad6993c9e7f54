// What keeps a process from ending: each case runs in a process of its own, once over node:net and once over
// a stack. Knows how processes are started and watched; must not know why they end.

import { execFile } from 'node:child_process';
import { differs, type Row } from './rows.js';

/** What is done with a server, a client `c` and the accepted socket `s`, which are connected. */
const CASES: Readonly<Record<string, string>> = {
  'a server that listens': 'server = net.createServer().listen(0, HOST)',
  'an unreferenced server': 'server = net.createServer().listen(0, HOST).unref()',
  'two sockets with nothing to do': '',
  'unreferenced sockets': 's.unref(); c.unref();',
  'one referenced socket': 's.unref();',
  'a referenced socket again': 's.unref(); c.unref(); c.ref();',
  'paused before anything was read': 's.pause(); c.pause();',
  'paused after reading':
    's.resume(); c.resume(); setTimeout(() => { s.pause(); c.pause(); }, 30);',
  'a FIN behind unread data': "s.pause(); s.on('readable', () => {}); c.end('x'); c.unref();",
  'read to the end, half-open': 's.resume(); c.end(); c.unref();',
  'read to the end, half-open, both': 's.resume(); c.resume(); c.end(); setTimeout(() => {}, 30);',
  'more data than the stream will take': 'c.write(Buffer.alloc(3e6)); c.unref();',
  'a write that waits': 's.pause(); s.unref(); c.write(Buffer.alloc(30e6)); c.pause();',
  'a write that was taken, from a paused socket': "c.pause(); s.unref(); c.write('x');",
  'a timeout of a paused socket': 's.pause(); c.pause(); c.setTimeout(100);',
  'a destroyed socket': 's.unref(); c.destroy();',
  'a socket that was never connected': 's.unref(); c.unref(); new net.Socket();',
  'a socket that was reset': "s.unref(); c.on('error', () => {}); s.resetAndDestroy();",
};

/** Longer than any of them goes on by itself. */
const HELD_MS = 1000;

const program = (prepare: string, what: string) => `
  import { once } from 'node:events';
  ${prepare}
  let server = net.createServer({ allowHalfOpen: true }).listen(0, HOST);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const c = net.connect({ port: server.address().port, host: HOST, allowHalfOpen: true });
  const [[s]] = await Promise.all([accepted, once(c, 'connect')]);
  server.close();
  if (${JSON.stringify(what)}.includes('server =')) { c.destroy(); s.destroy(); }
  ${what}
  setTimeout(() => { process.stdout.write('held'); process.exit(); }, ${HELD_MS}).unref();
`;

const NODE = "import net from 'node:net'; const HOST = '127.0.0.1';";
const url = (path: string) => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);
const OURS = `
  import { SystemClock } from ${url('device/system-clock.js')};
  import { Stack } from ${url('net/stack.js')};
  const memory = 64 << 20;
  const { net } = new Stack({ clock: new SystemClock(), addresses: ['127.0.0.1/8'], memory });
  const HOST = '127.0.0.1';
`;

function run(prepare: string, what: string): Promise<string> {
  const args = ['--input-type=module', '--eval', program(prepare, what)];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: 20_000 }, (error, out, err) => {
      if (error !== null) resolve(`failed: ${err.trim() || error.message}`);
      else resolve(out === 'held' ? 'goes on' : 'ends');
    });
  });
}

/** What a busy machine has made differ is the same the next time. */
const TIMES = 3;

async function rowOf(name: string, what: string): Promise<Row> {
  for (let time = 1; ; time++) {
    const [node, ours] = await Promise.all([run(NODE, what), run(OURS, what)]);
    const row = { section: 'What keeps a process from ending', name, node, ours };
    if (!differs(row) || time === TIMES) return row;
  }
}

export async function holdingRows(): Promise<Row[]> {
  const rows: Row[] = [];
  const cases = Object.entries(CASES);
  for (let i = 0; i < cases.length; i += 2) {
    rows.push(...(await Promise.all(cases.slice(i, i + 2).map((one) => rowOf(...one)))));
  }
  return rows;
}
