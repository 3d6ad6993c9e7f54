// `finwait serve --workers`: many connections over several threads, with and without the kernel's help in
// sorting them, and how all of it ends.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StackReport, WorkerReport } from '../../src/cli/report.js';
import { bytesDigest } from '../../src/services/bytes.js';
import { canUseNamespaces, type Finished } from '../support/namespace.js';
import { BUILD_MS, buildProgram, MAIN, Place, Running } from './program.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`workers.test.ts is skipped: ${possible.why}`);
vi.setConfig({ testTimeout: 60_000 });

const READY = 'Ctrl-C ends it.';
const SERVE = ['serve', '--workers', '2', '--iperf3'];

/** Both ends of a line of text, and a pause in which the kernel forgets the flow. */
const ECHO_TWICE = `
  const net = require('node:net');
  const [host, count, pause] = process.argv.slice(1);
  let left = Number(count);
  let open = 0;
  for (let i = 0; i < count; i++) {
    const socket = net.connect(7, host, () => socket.write('first ' + i));
    socket.once('data', (first) => {
      if (String(first) !== 'first ' + i) throw new Error('wrong: ' + first);
      open += 1;
      if (open === Number(count)) console.log('open');
      setTimeout(() => socket.write('second ' + i), Number(pause));
      socket.once('data', (second) => {
        if (String(second) !== 'second ' + i) throw new Error('wrong: ' + second);
        socket.end();
        left -= 1;
        if (left === 0) console.log('all came back');
      });
    });
  }`;

function printed({ code, stdout, stderr }: Finished): string {
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return stdout;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function report(place: Place): Promise<StackReport & { workers: WorkerReport[] }> {
  return JSON.parse(printed(await place.finwait('ss -a --json')))[0];
}

describe.skipIf(!possible.ok).each([
  { title: 'a program tells the kernel which queue', wrap: [], steered: true },
  {
    title: 'the kernel learns queues by itself',
    wrap: ['setpriv', '--bounding-set=-bpf,-sys_admin'],
    steered: false,
  },
])('finwait serve --workers 2, where $title', ({ wrap, steered }) => {
  let place: Place;
  let serve: Running;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
    const [command, ...args] = [...wrap, process.execPath, MAIN, ...SERVE];
    const options = { env: place.env, stdio: 'pipe' } as const;
    serve = await Running.shown(place.namespace.spawn(command!, args, options), READY);
  }, BUILD_MS);

  afterAll(async () => {
    await place?.close();
  });

  it('says how many there are, and whether the kernel helps', () => {
    expect(serve.stdout).toContain('Workers: 2, each with a queue and a stack of its own\n');
    expect(serve.stdout.includes('lets no program (BPF) say')).toBe(!steered);
    expect(serve.stderr).toBe('');
  });

  it.each(['10.9.0.2', '[fd09::2]'])('streams the right bytes, many at once: %s', async (host) => {
    const before = await report(place);
    const line = `for i in $(seq 24); do curl -sSgf http://${host}/bytes/3000001 | sha256sum & done; wait`;
    const digests = printed(await place.sh(line))
      .trim()
      .split('\n');
    expect(digests).toEqual(new Array(24).fill(`${bytesDigest(3_000_001)}  -`));
    const after = await report(place);
    for (const [i, worker] of after.workers.entries()) {
      expect(worker.packetsIn - before.workers[i]!.packetsIn).toBeGreaterThan(50);
      expect(worker.packetsOut - before.workers[i]!.packetsOut).toBeGreaterThan(50);
    }
    const passedOn = after.workers.reduce((sum, worker) => sum + worker.passedOn, 0);
    expect(passedOn > 0).toBe(!steered);
    expect(after.workers.reduce((sum, worker) => sum + worker.takenOver, 0)).toBe(passedOn);
  });

  it('takes what is sent, whole', async () => {
    const line = 'head -c 20000000 /dev/zero | curl -sSgf --data-binary @- http://10.9.0.2/sha256';
    expect(JSON.parse(printed(await place.sh(line)))).toMatchObject({ bytes: 20_000_000 });
  });

  it('goes on with connections that were silent for five seconds, and shows all of them', async () => {
    const args = ['-e', ECHO_TWICE, '10.9.0.2', '40', '5000'];
    const options = { stdio: 'pipe' } as const;
    const clients = await Running.shown(
      place.namespace.spawn(process.execPath, args, options),
      'open',
    );
    let shown = await report(place);
    const established = () => shown.sockets.filter(({ state }) => state === 'ESTABLISHED').length;
    for (let i = 0; i < 50 && established() < 40; i++) shown = await report(place);
    expect(established()).toBe(40);
    const spread = shown.workers.map(({ connections }) => connections);
    expect(spread.reduce((sum, count) => sum + count, 0)).toBe(40);
    expect(Math.min(...spread)).toBeGreaterThan(5);
    expect(await clients.end()).toEqual({ code: 0, stdout: 'open\nall came back\n', stderr: '' });
  });

  it.each([
    ['-P 6', 6],
    ['-P 6 -R', 6],
    ['-P 4 --bidir', 8],
    ['-n 20M -P 5 -R', 5],
  ])('spreads the streams of iperf3 %s, and puts their results together', async (line, streams) => {
    const before = serve.stdout.length;
    const command = `iperf3 -c 10.9.0.2 -J ${line.includes('-n') ? '' : '-t 1'} ${line}`;
    const { end, error } = JSON.parse(printed(await place.sh(command)));
    expect(error).toBeUndefined();
    expect(end.streams.length).toBe(streams);
    // Streams of different threads may be numbered in another order than the client's own.
    const sums = line.includes('bidir')
      ? [end.sum_sent, end.sum_received, end.sum_sent_bidir_reverse, end.sum_received_bidir_reverse]
      : [end.sum_sent, end.sum_received];
    for (const [i, { bytes }] of sums.entries()) {
      expect(bytes).toBeGreaterThan(1_000_000);
      if (i % 2 === 1) expect(sums[i - 1].bytes).toBeGreaterThanOrEqual(bytes);
    }
    if (line.includes('-n')) expect(end.sum_received.bytes).toBe(20 * 2 ** 20);
    await serve.shows('iperf3 10.9.0.1');
    await until(() => serve.stdout.slice(before).includes('streams'));
    expect(serve.stdout.slice(before)).toMatch(
      new RegExp(`^iperf3 10\\.9\\.0\\.1:\\d+: ${streams} streams, [^\\n]*\\)\\n$`),
    );
  });

  it('lets one iperf3 run at a time', async () => {
    const first = place.sh('iperf3 -c 10.9.0.2 -J -t 2 -P 2');
    await new Promise((resolve) => setTimeout(resolve, 700));
    const others = await Promise.all(
      Array.from({ length: 4 }, () => place.sh('iperf3 -c 10.9.0.2 -J -t 1')),
    );
    for (const { stdout } of others) expect(JSON.parse(stdout).error).toContain('server is busy');
    expect(JSON.parse(printed(await first)).error).toBeUndefined();
  });

  it('answers ping, in fragments as well', async () => {
    const text = printed(await place.sh('ping -q -c 3 -i 0.2 -s 5000 10.9.0.2'));
    expect(text).toContain('3 received');
  });

  it('shows each listener once, and what every worker has done', async () => {
    const text = printed(await place.finwait('ss -a'));
    expect(text.match(/^LISTEN/gm)?.length).toBe(5);
    expect(text).toMatch(/5 listeners/);
    expect(text).toMatch(/^worker 0: \d+ connections, \d+ packets in, \d+ out/m);
    expect(text).toMatch(/^worker 1: \d+ connections, \d+ packets in, \d+ out/m);
  });

  it('keeps its device to itself', async () => {
    const { code, stderr } = await place.finwait(
      'serve --workers 2 --address 10.7.0.2 --peer 10.7.0.1/24',
    );
    expect([code, stderr]).toEqual([3, expect.stringContaining('another program is using')]);
    printed(await place.sh('curl -sSf http://10.9.0.2/'));
  });

  it('ends in order: connections, both queues, the control socket', async () => {
    const args = ['-e', ECHO_TWICE, '10.9.0.2', '10', '60000'];
    const clients = place.namespace.spawn(process.execPath, args, { stdio: 'pipe' });
    await Running.shown(clients, 'open');
    const started = Date.now();
    const { code, stdout, stderr } = await serve.stop();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /\nClosing 5 listeners and 10 connections on fw0 .*\nDone: fw0 is gone\.\n$/,
    );
    expect(Date.now() - started).toBeLessThan(4000);
    expect(await place.interfaces()).toEqual([]);
    expect(place.sockets).toEqual([]);
    clients.kill();
  });
});

describe.skipIf(!possible.ok)('finwait serve --workers, when something fails', () => {
  let place: Place;
  let folder: string;

  beforeAll(async () => {
    buildProgram();
    folder = mkdtempSync(join(tmpdir(), 'finwait-workers-'));
    place = await Place.create();
  }, BUILD_MS);

  afterAll(async () => {
    await place?.close();
    rmSync(folder, { recursive: true });
  });

  it.each(['0', '65', 'two'])('--workers %s makes no sense', async (text) => {
    const { code, stderr } = await place.finwait(`serve --workers ${text}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining('a whole number from 1 to 64')]);
  });

  it('ends with one message when the device is deleted', async () => {
    const serve = await place.start('serve --workers 3', READY);
    await place.namespace.ip('link set fw0 down');
    await serve.shows('fw0 is down');
    await place.namespace.ip('link set fw0 up');
    await serve.shows('fw0 is up again');
    await place.namespace.ip('link del fw0');
    const { code, stderr } = await serve.end();
    expect(code).toBe(3);
    expect(stderr.match(/was deleted/g)).toEqual(['was deleted']);
    expect(stderr.match(/is down/g)).toEqual(['is down']);
  });

  it('ends as a whole when one worker crashes, and leaves nothing', async () => {
    const bomb = join(folder, 'bomb.cjs');
    writeFileSync(
      bomb,
      `const { workerData } = require('node:worker_threads');
       if (workerData?.share?.index === 1) setTimeout(() => { throw new Error('a bomb'); }, 2000);`,
    );
    const options = {
      env: { ...place.env, NODE_OPTIONS: `--require ${bomb}` },
      stdio: 'pipe',
    } as const;
    const args = [MAIN, 'serve', '--workers', '2'];
    const serve = await Running.shown(
      place.namespace.spawn(process.execPath, args, options),
      READY,
    );
    const { code, stderr } = await serve.end();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^finwait serve: worker 1 has crashed: a bomb\n {2}fix: .*\n$/);
    expect(await place.interfaces()).toEqual([]);
    expect(place.sockets).toEqual([]);
  });

  it('leaves nothing when it is killed but the socket, which the next ss removes', async () => {
    const serve = await place.start('serve --workers 2', READY);
    await serve.stop('SIGKILL');
    expect(await place.interfaces()).toEqual([]);
    expect((await place.finwait('ss')).code).toBe(1);
    expect(place.sockets).toEqual([]);
  });
});
