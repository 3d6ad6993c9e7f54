// First figures: bulk data in and out, round trips and connections, finwait over TUN against node:net
// over loopback, with the same C client in one namespace, in turns. Knows rounds and medians; the
// loads are client/load.c, the contenders stand in contender.mjs.
//
//   node bench/bulk.mjs [--rounds N] [--seconds S] [--json]

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    inside: { type: 'boolean', default: false },
  },
});

/** Name, address of the stack, and arguments for contender.mjs. */
const CONTENDERS = [
  ['finwait raw', '10.9.0.2'],
  ['finwait sockets', '10.9.0.2'],
  ['node:net', '127.0.0.1'],
];

/** Rows: a load, and what to read from its line. */
const ROWS = [
  ['bulk in, Gbit/s', ['send', 9], (r) => (r.bytes * 8) / r.seconds / 1e9],
  ['bulk out, Gbit/s', ['receive', 19], (r) => (r.bytes * 8) / r.seconds / 1e9],
  ['round trips/s, 64 bytes', ['pingpong', 7], (r) => r.roundtrips / r.seconds],
  ['connections/s, 1 at once', ['crc', 7, '1'], (r) => r.connections / r.seconds],
  ['connections/s, 50 at once', ['crc', 7, '50'], (r) => r.connections / r.seconds],
  ['close, p50 µs', ['close', 7], (r) => r.p50us],
];

if (values.inside) await measure();
else enterNamespace();

/** A network of our own: nothing can leave it, and it goes with the process. */
function enterNamespace() {
  const args = ['-n', process.execPath, ...process.argv.slice(1), '--inside'];
  const child = spawn('unshare', args, { stdio: 'inherit' });
  child.on('error', (error) => fail(`unshare cannot be run (${error.message})`));
  child.on('exit', (code) => process.exit(code ?? 1));
}

async function measure() {
  const folder = mkdtempSync(join(tmpdir(), 'finwait-bench-'));
  try {
    const load = join(folder, 'load');
    execFileSync('cc', ['-O2', '-o', load, here('client/load.c')]);
    execFileSync('ip', ['link', 'set', 'lo', 'up']);
    for (const setting of ['net.ipv4.tcp_tw_reuse=1', 'net.ipv4.ip_local_port_range=2000 65000']) {
      execFileSync('sysctl', ['-qw', setting]);
    }
    useCubicOnLoopback();
    report(await runRounds(load));
  } catch (error) {
    fail(error.message);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * A namespace may not choose its default congestion control, but a route may; BBR, the default of some
 * machines, paces and would measure its own timers. The client asks for CUBIC by itself.
 */
function useCubicOnLoopback() {
  for (const prefix of ['127.0.0.0/8', '127.0.0.1']) {
    const route = `route replace local ${prefix} dev lo table local proto kernel scope host`;
    execFileSync('ip', [...route.split(' '), 'src', '127.0.0.1', 'congctl', 'cubic']);
  }
}

/** Alternates the contenders within each round, so that a change of the machine meets all alike. */
async function runRounds(load) {
  const samples = new Map();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, address] of CONTENDERS) {
      const contender = await startContender(name);
      for (const [row, [kind, port, size], read] of ROWS) {
        const amount = kind === 'close' ? '500' : values.seconds;
        const args = [kind, address, String(port), amount, ...(size ? [size] : [])];
        const line = execFileSync(load, args, { encoding: 'utf8', timeout: 60_000 });
        const key = `${row}|${name}`;
        samples.set(key, [...(samples.get(key) ?? []), read(JSON.parse(line))]);
        progress(`round ${round + 1} of ${values.rounds}: ${name}, ${row}`);
      }
      await stop(contender);
    }
  }
  progress('');
  return samples;
}

function startContender(name) {
  const child = spawn(process.execPath, [here('contender.mjs'), name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
    child.stdout.once('data', () => resolve(child));
  });
}

/** The end of its input ends it; its device goes with it. */
function stop(child) {
  return new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', resolve);
    child.stdin.end();
  });
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function report(samples) {
  const rows = ROWS.map(([row]) => {
    const medians = CONTENDERS.map(([name]) => median(samples.get(`${row}|${name}`)));
    return { row, medians };
  });
  if (values.json) {
    console.log(
      JSON.stringify({
        contenders: CONTENDERS.map(([name]) => name),
        rows,
      }),
    );
    return;
  }
  console.log(`medians of ${values.rounds} rounds; the kernel uses CUBIC`);
  const cells = [
    ['', ...CONTENDERS.map(([name]) => name), 'sockets : node:net'],
    ...rows.map(({ row, medians }) => [
      row,
      ...medians.map((value) => (value < 1000 ? value.toFixed(1) : Math.round(value).toString())),
      (medians[1] / medians[2]).toFixed(2),
    ]),
  ];
  const widths = cells[0].map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  for (const line of cells) {
    console.log(
      line.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  '),
    );
  }
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function fail(why) {
  console.error(`bench: ${why}`);
  process.exitCode = 1;
}
