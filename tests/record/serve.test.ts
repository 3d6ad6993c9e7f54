// `finwait serve --pcap` and `--trace` as users run them, against the kernel, with tshark as the witness.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceEvent } from '../../src/trace/event.js';
import type { TraceMark } from '../../src/trace/trace-lines.js';
import { BUILD_MS, buildProgram, MAIN, Place } from '../cli/program.js';
import { canUseNamespaces } from '../support/namespace.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`record/serve.test.ts is skipped: ${possible.why}`);

const READY = 'Ctrl-C ends it.';
const folder = mkdtempSync(join(tmpdir(), 'finwait-record-'));
const file = (name: string) => join(folder, name);

/** These fields of all packets that a display filter selects, a row each; all checksums are verified. */
function tshark(name: string, filter: string, ...fields: string[]): string[][] {
  const preferences = ['tcp', 'udp', 'ip'].flatMap((p) => ['-o', `${p}.check_checksum:TRUE`]);
  const args = ['-n', '-r', file(name), ...preferences, '-Y', filter, '-T', 'fields'];
  const wanted = ['-E', 'separator=/t', ...fields.flatMap((field) => ['-e', field])];
  const text = execFileSync('tshark', [...args, ...wanted], {
    encoding: 'utf8',
    env: { ...process.env, HOME: folder },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

const WRONG =
  'tcp.checksum.status == "Bad" || ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || ' +
  'icmp.checksum.status == "Bad" || icmpv6.checksum.status == "Bad" || _ws.malformed';

function linesOf(name: string): (TraceEvent | TraceMark)[] {
  const lines = readFileSync(file(name), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as TraceEvent | TraceMark);
}

describe.skipIf(!possible.ok)('finwait serve', () => {
  let place: Place;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
  }, BUILD_MS);

  afterAll(async () => {
    await place?.close();
    rmSync(folder, { recursive: true });
  });

  /** Runs what the kernel's side does while a stack records, and ends it with Ctrl-C. */
  async function recorded(options: string, lines: readonly string[]): Promise<void> {
    const serve = await place.start(`serve ${options}`, READY);
    try {
      for (const line of lines) {
        const { code, stderr } = await place.sh(line);
        if (code !== 0) throw new Error(`${line}: ${stderr}`);
      }
    } finally {
      const { code, stderr } = await serve.stop();
      expect([code, stderr]).toEqual([0, '']);
    }
  }

  describe('--pcap', () => {
    beforeAll(async () => {
      const wanted = Date.now() / 1000;
      await recorded(`--msl 100 --pcap ${file('all.pcapng')}`, [
        'curl -sSf http://10.9.0.2/ > /dev/null',
        'curl -sSfg http://[fd09::2]/bytes/3000000 > /dev/null',
        'head -c 300000 /dev/zero | nc -N 10.9.0.2 9',
        'ping -c 1 -s 3000 10.9.0.2 > /dev/null',
        'echo hello | nc -u -q 0 10.9.0.2 9',
        '! curl -sS http://10.9.0.2:81/ 2> /dev/null',
        // Longer than TIME-WAIT, and than the patience of a comment.
        'sleep 1.5 && curl -sSf http://10.9.0.2/ > /dev/null',
      ]);
      const times = tshark('all.pcapng', 'frame', 'frame.time_epoch').map(([time]) => Number(time));
      expect(times[0]).toBeGreaterThan(wanted);
      expect(times.at(-1)).toBeLessThan(Date.now() / 1000);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    });

    it('has every packet, whole, of all protocols and both directions, with nothing wrong in it', () => {
      expect(tshark('all.pcapng', WRONG, 'frame.number')).toEqual([]);
      const of = (filter: string) => tshark('all.pcapng', filter, 'frame.number').length;
      expect(of('icmp')).toBeGreaterThanOrEqual(2);
      expect(of('ip.flags.mf == 1')).toBeGreaterThan(0);
      expect(of('udp')).toBe(1);
      expect(of('ipv6 && tcp')).toBeGreaterThan(10);
      expect(of('frame.len != frame.cap_len')).toBe(0);
      expect(of('tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment')).toBe(0);
    });

    it('has what was said: tshark puts three million bytes together', () => {
      const [row] = tshark('all.pcapng', 'ipv6 && http.response', 'http.content_length_header');
      expect(row).toEqual(['3000000']);
      const lengths = tshark('all.pcapng', 'ipv6 && tcp.srcport == 80', 'tcp.len');
      const bytes = lengths.reduce((sum, [length]) => sum + Number(length), 0);
      expect(bytes).toBeGreaterThan(3_000_000);
      // Super-segments are whole: fewer packets than three million bytes have segments.
      expect(lengths.length).toBeLessThan(2000);
    });

    it('says which way each packet went', () => {
      const rows = tshark(
        'all.pcapng',
        'tcp',
        'ip.src',
        'ipv6.src',
        'frame.packet_flags_direction',
      );
      const wrong = rows.filter(([v4, v6, direction]) => {
        const ours = v4 === '10.9.0.2' || v6 === 'fd09::2';
        return Number(direction) !== (ours ? 2 : 1);
      });
      expect(rows.length).toBeGreaterThan(20);
      expect(wrong).toEqual([]);
    });

    it('begins with the first SYN, and has each change of state with its packet', () => {
      const [stream] = tshark('all.pcapng', 'tcp', 'tcp.stream', 'tcp.flags.str')[0]!;
      const rows = tshark(
        'all.pcapng',
        `tcp.stream == ${stream}`,
        'tcp.flags.str',
        'frame.comment',
      );
      const flagsOf = (comment: string) =>
        rows
          .filter(([, text]) => text?.includes(comment))
          .map(([flags]) => flags!.replace(/·/g, ''));
      expect(rows[0]![1]).toBe('10.9.0.2:80 LISTEN → SYN-RECEIVED: rcv SYN (RFC 9293 §3.10.7.2)');
      expect(flagsOf('SYN-RECEIVED → ESTABLISHED: rcv ACK of SYN (RFC 9293 §3.10.7.4)')).toEqual([
        'A',
      ]);
      expect(flagsOf('ESTABLISHED → CLOSE-WAIT: rcv FIN (RFC 9293 §3.10.7.4)')).toEqual(['AF']);
      expect(flagsOf('CLOSE-WAIT → LAST-ACK: CLOSE (RFC 9293 §3.10.4)')).toEqual(['AF']);
      expect(flagsOf('LAST-ACK → CLOSED: rcv ACK of FIN (RFC 9293 §3.10.7.4)')).toEqual(['A']);
    });
  });

  /** Starts `finwait serve` with its output in a pipe to a line of shell; its stderr goes into a file. */
  async function piped(options: string, reader: string, said: string): Promise<() => void> {
    const start = `echo $$ > ${file('pid')}; exec ${process.execPath} ${MAIN} serve ${options}`;
    const line = `sh -c '${start}' 2> ${file(said)} | ${reader}`;
    const env = { ...place.env, HOME: folder };
    place.namespace.spawn('sh', ['-c', line], { env, stdio: 'ignore' });
    await until(() => read(said).includes(READY));
    return () => process.kill(Number(read('pid')), 'SIGINT');
  }

  it('--pcap -: tshark reads it from a pipe while it is written, and people read stderr', async () => {
    const filter = `-Y 'frame.comment contains "LISTEN"'`;
    const reader = `tshark -n -l -r - ${filter} 2> /dev/null > ${file('live')}`;
    const end = await piped('--pcap -', reader, 'said');
    await place.sh('curl -sSf http://10.9.0.2/ > /dev/null');
    await until(() => read('live').includes('[SYN]'));
    end();
    await until(() => read('said').includes('Done: fw0 is gone.'));
  });

  it('--pcap: what was written when the program was killed can be read', async () => {
    const serve = await place.start(`serve --pcap ${file('killed.pcapng')}`, READY);
    await place.sh('curl -sSf http://10.9.0.2/bytes/1000000 > /dev/null');
    await until(() => tshark('killed.pcapng', 'tcp.flags.fin == 1', 'frame.number').length > 0);
    await serve.stop('SIGKILL');
    expect(tshark('killed.pcapng', 'http.response', 'http.response.code')).toEqual([['200']]);
    expect(tshark('killed.pcapng', WRONG, 'frame.number')).toEqual([]);
  });

  it('--trace: an event a line, from the first call to the last state, none missing', async () => {
    await recorded(`--msl 100 --trace ${file('all.jsonl')}`, [
      'curl -sSf http://10.9.0.2/bytes/100000 > /dev/null',
    ]);
    const lines = linesOf('all.jsonl');
    const [start, ...rest] = lines;
    const end = rest.pop();
    const events = rest as TraceEvent[];
    expect(start).toMatchObject({ kind: 'start', interface: 'fw0' });
    expect(Math.abs(Date.now() - Date.parse((start as { at: string }).at))).toBeLessThan(60_000);
    expect(end).toEqual({ kind: 'end', events: events.length, lost: 0 });
    expect(events.map(({ index }) => index)).toEqual(events.map((_, i) => i));
    const states = events.flatMap(({ connection, ...event }) =>
      event.kind === 'state' ? [connection === null ? `${event.to}, a listener` : event.to] : [],
    );
    expect(states[0]).toBe('LISTEN, a listener');
    const those = states.filter((state) => !state.endsWith('listener'));
    expect(those.slice(0, 3)).toEqual(['SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT']);
    const sent = events.flatMap((event) =>
      event.kind === 'segment' && event.direction === 'out' ? event.segment.length : [],
    );
    expect(sent.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(100_000);
    expect(events.filter(({ tcb }) => tcb !== null).length).toBeGreaterThan(events.length / 2);
  });

  it('--trace -, read by nobody for a while: the stack goes on, and nothing is missing', async () => {
    const reader = `sh -c 'while ! test -e ${file('go')}; do sleep 0.1; done; cat > ${file('late')}'`;
    const end = await piped('--trace -', reader, 'slow');
    // More than a pipe holds: each request is hundreds of events.
    for (let i = 0; i < 10; i++) {
      const { code } = await place.sh('curl -sSf http://10.9.0.2/bytes/5000000 > /dev/null');
      expect(code).toBe(0);
    }
    expect(existsSync(file('late'))).toBe(false);
    writeFileSync(file('go'), '');
    end();
    await until(() => read('slow').includes('Done: fw0 is gone.'));
    await until(() => read('late').includes('"kind":"end"'));
    expect(read('late').length).toBeGreaterThan(1_000_000);
    expect(linesOf('late').at(-1)).toMatchObject({ kind: 'end', lost: 0 });
  });

  it('--trace -, whose reader goes: it is said once, and the stack goes on', async () => {
    const end = await piped('--trace -', 'head -n 1 > /dev/null', 'gone');
    for (let i = 0; i < 3; i++) {
      const { code } = await place.sh('curl -sSf http://10.9.0.2/ > /dev/null');
      expect(code).toBe(0);
    }
    end();
    await until(() => read('gone').includes('Done: fw0 is gone.'));
    await until(() => read('gone').includes('standard output lacks'));
    expect(read('gone').match(/standard output takes no more/g)).toHaveLength(1);
  });

  it.each([
    [
      'serve --workers 2 --pcap x',
      2,
      '--pcap records one thread, and --workers asks for 2\n  fix: leave out --workers',
    ],
    [
      'serve --pcap - --trace -',
      2,
      '--pcap and --trace cannot both write to -\n  fix: give one of them another file',
    ],
    [
      'serve --trace /no/such/folder/x',
      3,
      "/no/such/folder/x cannot be written: ENOENT: no such file or directory, open '/no/such/folder/x'\n" +
        '  fix: give a file in a folder that you may write to',
    ],
  ])('%s: one clear error, and no device', async (args, code, message) => {
    const finished = await place.finwait(args);
    expect(finished).toEqual({ code, stdout: '', stderr: `finwait serve: ${message}\n` });
    expect(await place.interfaces()).toEqual([]);
    expect(existsSync('x')).toBe(false);
  });

  function read(name: string): string {
    return existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '';
  }
});

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`it does not come true: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
