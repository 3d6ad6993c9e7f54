// `finwait lab` as users run it: what it shows, what it refuses, and that nothing is left of it. Knows the
// command line; must not know how scenarios are carried out.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCENARIOS } from '../../src/lab/scenarios/index.js';
import { describeKernel, until } from '../support/kernel.js';
import { BUILD_MS, buildProgram, MAIN, Running } from './program.js';

const NAMES = SCENARIOS.map(({ name }) => name);
const folder = mkdtempSync(join(tmpdir(), 'finwait-lab-'));
const { NO_COLOR, FORCE_COLOR, ...env } = process.env;

afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `finwait lab` to its end. */
function lab(args: string): Ended {
  return end(process.execPath, [MAIN, 'lab', ...args.split(' ').filter((word) => word !== '')]);
}

function end(command: string, args: readonly string[], input: string | Uint8Array = ''): Ended {
  const options = { encoding: 'utf8', env, input, maxBuffer: 1 << 26 } as const;
  const { status, stdout, stderr } = spawnSync(command, args, options);
  return { code: status, stdout, stderr };
}

beforeAll(buildProgram, BUILD_MS);

describe('the list', () => {
  test('has each scenario with its title, and how to go on', () => {
    const { code, stdout } = lab('');
    expect(code).toBe(0);
    for (const { name, title } of SCENARIOS) expect(stdout).toMatch(line(name, title));
    expect(stdout).toContain('finwait lab run --all');
    expect(stdout).not.toContain('\u001b');
  });

  test('can be had as JSON', () => {
    const { code, stdout } = lab('--json');
    expect(code).toBe(0);
    const entries = JSON.parse(stdout) as Record<string, string>[];
    expect(entries.map(({ name }) => name)).toEqual(NAMES);
    for (const entry of entries) expect(entry).toEqual(expect.objectContaining(EXPLAINED));
  });

  const EXPLAINED = {
    title: expect.stringMatching(/./),
    section: expect.stringMatching(/RFC \d/),
    why: expect.stringMatching(/\.$/),
  };
});

describe('what makes no sense', () => {
  test.each([
    ['run activ-close', 'there is no scenario activ-close', 'did you mean active-close?'],
    ['run nothing-like-it', 'there is no scenario nothing-like-it', '`finwait lab` lists them'],
    ['run handshake activ-close', 'there is no scenario activ-close', 'did you mean active-close?'],
    ['run', 'no scenario is named', 'name one, or give --all'],
    ['run --all handshake', '--all and names of scenarios exclude each other', 'leave out one'],
    ['walk', '"walk" is nothing that the lab does', 'see finwait lab --help'],
    ['handshake', '"handshake" is nothing that the lab does', 'write finwait lab run handshake'],
    ['--all', '--all is for running scenarios', 'write finwait lab run --all'],
    ['run handshake --json --mermaid', '--json and --mermaid exclude each other', 'leave out one'],
    ['run --all --svg x.svg', '--svg is for one scenario at a time', 'name one'],
    ['run --all --step', '--step is for one scenario at a time', 'name one'],
    ['run handshake --step --pcap x', '--step and --pcap exclude each other', 'leave out one'],
    ['run handshake --break flag=FIN', '--break is for stepping', 'add --step'],
    ['run handshake --json --pcap -', '--json and --pcap - exclude each other', 'leave out one'],
    ['run handshake --svg - --pcap -', '--svg - and --pcap - exclude each other', 'leave out one'],
    ['run handshake --svg x --pcap x', '--svg and --pcap cannot both write to x', 'another file'],
    ['run handshake --seed -1', '--seed takes a whole number', 'give a number in that range'],
    ['run handshake --seed many', '--seed takes a whole number', 'give a number in that range'],
  ])('lab %s', (args, message, fix) => {
    const { code, stdout, stderr } = lab(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^finwait lab: .*\n {2}fix: .*\n$/);
    expect(stderr).toContain(message);
    expect(stderr).toContain(fix);
  });

  test('a picture that cannot be written', () => {
    const { code, stderr } = lab('run handshake --sim --svg /nowhere/handshake.svg');
    expect(code).toBe(3);
    expect(stderr).toContain('/nowhere/handshake.svg cannot be written');
  });
});

test('standard output that is full is the machine’s fault', () => {
  const command = `${process.execPath} ${MAIN} lab run active-close --sim > /dev/full`;
  const { code, stderr } = end('sh', ['-c', command]);
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^finwait lab: standard output cannot be written: .*ENOSPC.*\n {2}fix: .*\n$/,
  );
});

test.each([
  ['standard output', '--pcap - > /dev/full'],
  ['/dev/full', '--pcap /dev/full > /dev/null'],
])('so are packets that find no room in %s', (name, where) => {
  const command = `${process.execPath} ${MAIN} lab run handshake --sim ${where}`;
  const { code, stderr } = end('sh', ['-c', command]);
  expect(code).toBe(3);
  expect(stderr).toMatch(
    new RegExp(
      `^finwait lab: ${name} lacks the last \\d+ bytes of packets: ENOSPC.*\n {2}fix: .*\n$`,
    ),
  );
});

describe('in simulation', () => {
  test('all scenarios pass, a line each', () => {
    const { code, stdout } = lab('run --all --sim');
    expect(code).toBe(0);
    for (const { name, title } of SCENARIOS) {
      expect(stdout).toMatch(new RegExp(`^passed +${name} .* s +${literally(title)}$`, 'm'));
    }
    const count = `${NAMES.length} of ${NAMES.length}`;
    expect(stdout).toContain(`\n${count} scenarios passed in simulation, in `);
  });

  test('the same seed makes the same run, another one another', () => {
    const [first, again, other] = ['7', '7', '8'].map((seed) =>
      lab(`run lost-fin --sim --seed ${seed}`),
    );
    expect(again).toEqual(first);
    expect(other!.stdout).not.toBe(first!.stdout);
  });

  test('one scenario: heading, reason, ladder with both ends, verdict', () => {
    const { code, stdout } = lab('run active-close --sim');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^active-close: We close first\nRFC 9293 §3\.6, Figure 12\n\nEach /);
    expect(stdout).toMatch(/finwait 10\.9\.0\.2:\d+ +peer 10\.9\.0\.1:\d+/);
    expect(stdout).toMatch(/FIN-WAIT-1 +├── FIN,ACK seq 1 ack 1 ─+▶│ CLOSE-WAIT/);
    expect(stdout).toMatch(/TIME-WAIT +│◀── FIN,ACK seq 1 ack 2 ─+┤ LAST-ACK/);
    expect(stdout).toMatch(/\n\npassed in \d\.\d\d s of virtual time\n$/);
    for (const text of stdout.split('\n')) expect(text.length).toBeLessThanOrEqual(82);
  });

  test('who is waited for is shown as finwait ss shows it', () => {
    const { stdout } = lab('run close-wait-leak --sim');
    expect(stdout).toContain('\nfinwait ss would show:\nState ');
    expect(stdout.match(/^CLOSE-WAIT .* the application has not closed$/gm)).toHaveLength(3);
  });

  test('a listener is in LISTEN when it has been asked for, not before', () => {
    const { stdout } = lab('run active-close --sim');
    expect(stdout).toMatch(/│ CLOSED\n.*listen \*:\d+ │\n.*│ +│ LISTEN\n/);
  });

  test('an old SYN leaves the listener where it was, and says so', () => {
    const { stdout } = lab('run old-duplicate-syn --sim');
    expect(stdout.replaceAll('\n', ' ')).toContain('LISTEN, which our listener has never left');
    const steps = [MAIN, 'lab', 'run', 'old-duplicate-syn', '--sim', '--step'];
    expect(end(process.execPath, steps, 'step 7\n').stdout).toContain(
      'a listener that has made it is in LISTEN as before',
    );
  });

  test('what the lab does to segments is told above the ladder', () => {
    const told = (name: string) => lab(`run ${name} --sim`).stdout.replaceAll('\n', ' ');
    expect(told('three-segment-close')).toContain('a lone ACK of our FIN, which Linux');
    expect(told('syn-in-last-ack')).toContain('What the lab does on the way: our FIN is lost; ');
    expect(told('active-close')).not.toContain('What the lab does');
  });

  test('a picture goes to standard output, alone', () => {
    const { code, stdout } = lab('run handshake --sim --svg -');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(existsSync('-')).toBe(false);
  });

  test('as JSON each connection has its own states, and its own segments', () => {
    const [result] = JSON.parse(lab('run close-wait-leak --sim --json').stdout);
    const ends = result.connections.map((each: { ends: string }) => each.ends);
    expect(new Set(ends).size).toBe(3);
    for (const { ours } of result.connections) expect(ours.at(-1)).toBe('CLOSE-WAIT');
    for (const { connection } of result.segments) expect(ends).toContain(connection);
  });

  test('stepping takes a script', () => {
    const input = 'step\nstep\nquit\n';
    const args = [MAIN, 'lab', 'run', 'handshake', '--sim', '--step'];
    const { stdout } = end(process.execPath, args, input);
    expect(stdout).toContain('SYN-SENT');
  });
});

describeKernel('against the kernel', ['tshark', 'unshare', 'setpriv'], () => {
  test('its listener is seen, and why its connections leave LISTEN', () => {
    expect(lab('run active-close').stdout).toMatch(
      /│ CLOSED\n.*listen\(\)\n.*│ LISTEN\n.*connect\(\).*\n.*SYN-RECEIVED\n/,
    );
    const args = [MAIN, 'lab', 'run', 'active-close', '--step'];
    const { stdout } = end(process.execPath, args, 'step\nstep\nstep\n');
    expect(stdout).toMatch(/kernel {2}CLOSED → LISTEN\n[\s\S]*A listener waits|a listener waits/);
    expect(stdout).toMatch(/kernel: LISTEN → SYN-RECEIVED, rcv SYN\. .*§3\.10\.7\.2/);
    expect(stdout).not.toContain('nothing says why');
  });

  test('what its program will do is told in full', () => {
    expect(lab('run three-segment-close').stdout).toContain('shutdown once the stream ends │');
  });

  test('JSON has the results in order', () => {
    const { code, stdout } = lab('run passive-close active-close --json');
    expect(code).toBe(0);
    const results = JSON.parse(stdout) as Record<string, unknown>[];
    expect(results.map(({ name }) => name)).toEqual(['passive-close', 'active-close']);
    expect(results[1]).toMatchObject({
      passed: true,
      ours: ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED'],
      kernel: ['SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'],
      failures: [],
      why: expect.stringContaining('FIN'),
    });
    expect(results[1]!.segments).toContainEqual(
      expect.objectContaining({ direction: 'out', text: 'FIN,ACK seq 1 ack 1', fate: 'passed' }),
    );
    const { ours, kernel } = results[1]!;
    const [connection, ...others] = results[1]!.connections as unknown[];
    expect(connection).toMatchObject({
      ends: expect.stringMatching(/^10\.9\.0\.2:\d+ /),
      ours,
      kernel,
    });
    expect(others).toEqual([]);
  });

  test('a picture and a capture beside the ladder', () => {
    const [svg, pcap] = [join(folder, 'close.svg'), join(folder, 'close.pcapng')];
    const { code, stdout } = lab(`run active-close --svg ${svg} --pcap ${pcap}`);
    expect(code).toBe(0);
    expect(stdout).toContain('kernel 10.9.0.1:8000');
    expect(readFileSync(svg, 'utf8')).toMatch(
      /^<svg [\s\S]*FIN-WAIT-2[\s\S]*LAST-ACK[\s\S]*<\/svg>\n$/,
    );
    const rows = tshark(pcap, ['tcp.flags.str', 'frame.comment']);
    expect(rows.filter(([flags]) => flags!.includes('F'))).toHaveLength(2);
    expect(rows.map(([, comment]) => comment).join('\n')).toContain('FIN-WAIT-1 → FIN-WAIT-2');
  });

  test('a capture of several runs goes into a pipe', () => {
    const program = `${process.execPath} ${MAIN} lab run handshake linger-zero --pcap -`;
    const rows = tshark('-', ['tcp.flags.str'], `${program} | `);
    expect(rows.filter(([flags]) => flags!.includes('S'))).toHaveLength(4);
    expect(rows.filter(([flags]) => flags!.includes('R'))).toHaveLength(1);
  });

  test('a diagram for Mermaid', () => {
    const { code, stdout } = lab('run handshake --mermaid');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^%% handshake: .*\nsequenceDiagram\n/);
    expect(stdout).toContain('ours->>theirs: SYN seq 0');
    expect(stdout).toContain('Note right of theirs: SYN-RECEIVED');
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    '%s leaves nothing behind',
    async (signal) => {
      const args = [MAIN, 'lab', 'run', 'handshake', 'time-wait-rst', 'time-wait-port-busy'];
      const child = spawn(process.execPath, args, { env, stdio: 'pipe' });
      const running = await Running.shown(child, 'handshake: ');
      const helpers = childrenOf(child.pid!);
      const networks = helpers.map(networkOf);
      expect(helpers).toHaveLength(3);
      expect(new Set([...networks, networkOf(process.pid)]).size).toBe(4);
      await running.stop(signal);
      expect(child.signalCode).toBe(signal);
      await until('the other processes are gone', () => !helpers.some(isAlive));
      expect(
        allProcesses()
          .map(networkOf)
          .filter((network) => networks.includes(network)),
      ).toEqual([]);
    },
  );

  test('a container that does not let it change settings is said to be one', () => {
    const script = 'mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && "$@"';
    const command = [process.execPath, MAIN, 'lab', 'run', 'handshake'];
    const { code, stderr } = end('unshare', ['--mount', 'sh', '-c', script, 'sh', ...command]);
    expect(stderr).toContain('/proc/sys may only be read');
    expect(stderr).toContain('docker run --privileged ...; or leave the kernel out: --sim');
    expect(code).toBe(3);
  });

  test('the end of the program on the kernel’s side ends the run, with a word', async () => {
    const child = spawn(process.execPath, [MAIN, 'lab', 'run', 'handshake', 'time-wait-rst'], {
      env,
      stdio: 'pipe',
    });
    const running = await Running.shown(child, 'handshake: ');
    for (const helper of childrenOf(child.pid!)) process.kill(helper, 'SIGKILL');
    const { code, stderr } = await running.end();
    expect(code).toBe(1);
    expect(stderr).toContain("the program on the kernel's side failed: it has ended (SIGKILL)");
  });
});

/** In a mount namespace of its own: a device node of such a mode, and a user without rights. */
const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--bounding-set=-all'];
const asNobody = (mode: string, ...command: string[]): [string, string[]] => [
  'unshare',
  [
    ...['--mount', 'sh', '-c'],
    `mount -t tmpfs none /dev/net && mknod -m ${mode} /dev/net/tun c 10 200 && exec setpriv "$@"`,
    ...['sh', ...NOBODY, ...command],
  ],
];

/** A checkout that only root may read, or a system without user namespaces: nothing can be seen then. */
function nobodyMayTry(): boolean {
  const probe = `test -r ${MAIN} && : <> /dev/net/tun && unshare --user --map-root-user --net true`;
  const { code, stderr } = end(...asNobody('0666', 'sh', '-c', probe));
  if (code !== 0) console.warn(`finwait lab without root: skipped: ${stderr}`);
  return code === 0;
}

describeKernel('without root', ['unshare', 'setpriv', 'mount', 'mknod'], () => {
  beforeEach((context) => {
    if (!nobodyMayTry()) context.skip();
  });

  const labOfNobody = (mode: string, args: string) =>
    end(...asNobody(mode, process.execPath, MAIN, 'lab', ...args.split(' ')));

  test('it works where the device may be opened', () => {
    const { code, stdout, stderr } = labOfNobody('0666', 'run active-close lost-final-ack');
    expect(stderr).toBe('');
    expect(stdout).toContain('2 of 2 scenarios passed against the kernel');
    expect(code).toBe(0);
  });

  test('exit codes and failures come through', () => {
    expect(labOfNobody('0666', 'run activ-close').code).toBe(2);
  });

  test('it says what is missing where the device may not be opened', () => {
    const { code, stderr } = labOfNobody('0600', 'run active-close');
    expect(code).toBe(3);
    expect(stderr).toContain('/dev/net/tun may not be opened by this user');
    expect(stderr).toContain('or leave the kernel out: --sim');
  });

  test('a close to be debugged does not wait for a debugger in vain', () => {
    const command = [process.execPath, 'scripts/debug-close.mjs'];
    const { code, stdout, stderr } = end(...asNobody('0600', ...command));
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^\/dev\/net\/tun may not be opened .*\n {2}fix: .*sudo chmod 0666/);
  });

  test.each(['serve', 'nc 10.9.0.1 80'])('%s says what helps there', (args) => {
    const { code, stderr } = end(...asNobody('0600', process.execPath, MAIN, ...args.split(' ')));
    expect(code).toBe(3);
    expect(stderr).toContain('sudo chmod 0666 /dev/net/tun');
    expect(stderr).not.toContain('tuntap');
  });

  test('an interface that root makes has a whole name', () => {
    const command = [process.execPath, MAIN, 'nc', '10.9.0.1', '80'];
    expect(end(...asNobody('0666', ...command)).stderr).toContain('ip tuntap add fw0 mode tun');
  });

  test('simulation needs nothing', () => {
    expect(labOfNobody('0600', 'run active-close --sim').code).toBe(0);
  });

  test('SIGKILL leaves nothing behind', async () => {
    const command = [process.execPath, MAIN, 'lab', 'run', 'handshake', 'time-wait-rst'];
    const child = spawn(...asNobody('0666', ...command), { env, stdio: 'pipe' });
    const running = await Running.shown(child, 'handshake: ');
    const all = descendantsOf(child.pid!);
    expect(all.length).toBeGreaterThanOrEqual(3); // the program in its user namespace, and two helpers
    await running.stop('SIGKILL');
    await until('the other processes are gone', () => !all.some(isAlive));
  });
});

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function line(name: string, title: string): RegExp {
  return new RegExp(`^ *${name} +${literally(title)}$`, 'm');
}

/** Fields of each packet, a row each; `before` writes what it reads. */
function tshark(file: string, fields: string[], before = ''): string[][] {
  const columns = fields.map((field) => `-e ${field}`).join(' ');
  const command = `set -e; ${before}HOME=${folder} tshark -r ${file} -T fields -E separator=/t ${columns}`;
  const { code, stdout, stderr } = end('sh', ['-c', command]);
  if (code !== 0) throw new Error(`tshark: ${stderr}`);
  return stdout
    .trimEnd()
    .split('\n')
    .map((row) => row.split('\t'));
}

function allProcesses(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);
}

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

function childrenOf(parent: number): number[] {
  return allProcesses().filter((pid) => new RegExp(`^PPid:\\s*${parent}$`, 'm').test(status(pid)));
}

function descendantsOf(parent: number): number[] {
  return childrenOf(parent).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** A zombie is gone, though nobody has asked how it ended. */
function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s*[ZX]/m.test(status(pid));
}

/** Its network namespace; '' of one that is gone. */
function networkOf(pid: number): string {
  const { stdout } = spawnSync('readlink', [`/proc/${pid}/ns/net`], { encoding: 'utf8' });
  return stdout.trim();
}
