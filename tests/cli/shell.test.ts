// `finwait shell` and `--join`, as an ordinary user who was made for the test, and as root: a network of one's
// own, of which nothing stays. Knows the command line; must not know how networks are made.

import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { RealTerminal } from '../debug/terminal.js';
import { describeKernel, until } from '../support/kernel.js';
import type { Finished } from '../support/namespace.js';
import { asUser, Home, UID, USER, USER_TOOLS, whyNoUser } from '../support/ordinary-user.js';
import { BUILD_MS, buildProgram, MAIN, Place, Running } from './program.js';

const FINWAIT = `${process.execPath} ${MAIN}`;

let place: Place;
let home: Home;

const env = () => ({ ...place.env, FINWAIT_RUNTIME_DIR: home.path, SHELL: '/bin/sh' });

/** Runs a line of shell as the user, in the namespace of the test. */
function user(line: string): Promise<Finished> {
  return place.namespace.exec(...asUser({}, 'sh', '-c', line), { env: env() });
}

function start(line: string, sign: string): Promise<Running> {
  const child = place.namespace.spawn(...asUser({}, 'sh', '-c', `exec ${line}`), {
    env: env(),
    stdio: 'pipe',
  });
  return Running.shown(child, sign);
}

/** Processes of the user, in whatever network. */
function userProcesses(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && new RegExp(`^Uid:\\s+${UID}\\s`, 'm').test(status(pid)))
    .filter((pid) => !/^State:\s*[ZX]/m.test(status(pid)));
}

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

function networkOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}

const isOutside = (pid: number) => networkOf(pid) === readlinkSync(place.namespace.path);

const nothingIsLeft = () =>
  until('all are gone', () => userProcesses().length === 0, userProcesses);

describeKernel('finwait shell', [...USER_TOOLS, 'ip', 'curl'], () => {
  beforeAll(buildProgram, BUILD_MS);
  beforeEach(async (context) => {
    const why = whyNoUser(MAIN);
    if (why !== '') {
      console.warn(`finwait shell: skipped: ${why}`);
      context.skip();
    }
    place = await Place.create();
    home = new Home();
  });
  afterEach(async () => {
    await place.close();
    home.remove();
    await nothingIsLeft();
  });

  test('a command has a network of its own, a device, its own name and all rights there', async () => {
    const { code, stdout, stderr } = await user(
      `${FINWAIT} shell sh -c 'id -un; ip -br address; ip tuntap add du0 mode tun && echo may; exit 5'`,
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^tester\nlo +\S+ +127\.0\.0\.1\/8 ::1\/128 *\nfw0 .*10\.9\.0\.1\/24 fd09::1\/64/,
    );
    expect(stdout.match(/^\w+ +(UNKNOWN|DOWN|UP) /gm)).toHaveLength(2);
    expect(stdout).toContain('\nmay\n');
    expect(code).toBe(5);
    expect(USER).toBe('tester');
    expect(await place.interfaces()).toEqual([]);
  });

  test('root has one as well', async () => {
    const { code, stdout } = await place.finwait(
      'shell --name fwr --address 10.7.0.2 --peer 10.7.0.1/24 ip -br address',
    );
    expect(stdout).toMatch(/^lo .*\nfwr .*10\.7\.0\.1\/24 *\n$/);
    expect([code, await place.interfaces()]).toEqual([0, []]);
  });

  test('a variable that is left over makes no network of its own of the one that is there', async () => {
    const bystander = place.namespace.spawn('sleep', ['100']);
    const line = `export FINWAIT_NETWORK=$$ FINWAIT_PUBLISHED=x; ${FINWAIT} shell ip -br link; echo $?`;
    const { stdout, stderr } = await place.sh(line);
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^lo .*\nfw0 .*\n0\n$/), '']);
    expect(await place.interfaces()).toEqual([]);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    bystander.kill();
  });

  test('failures are told where few files may be open, and ports published', async () => {
    const few = await user(`ulimit -n 100; ${FINWAIT} shell nothing-like-it`);
    expect(few).toMatchObject({ code: 127, stderr: expect.stringContaining('nothing-like-it') });
    const published = await user(`ulimit -n 100; ${FINWAIT} shell --publish 8080:80 true`);
    expect(published).toMatchObject({ code: 0, stderr: '' });
  });

  test('stacks come to the device, one after another, with one thread or two', async () => {
    const serve = (options: string) =>
      `${FINWAIT} serve ${options} & until ${FINWAIT} ss > /dev/null 2>&1; do :; done; ` +
      'curl -sSm 5 http://10.9.0.2/ | head -1; kill $!; wait $!; echo served $?; ';
    const script = join(home.path, 'script');
    // Also at once, without a SYN that is lost because the kernel has not yet noticed who has come.
    const lost =
      'awk \'/^TcpExt/ { if (n) print "lost " $n; else for (n = 1; $n != "TCPSynRetrans"; n++); }\'';
    writeFileSync(
      script,
      `${serve('')}\n${serve('--workers 2')}\n${lost} /proc/net/netstat; ip -br link show fw0`,
    );
    const { stdout, stderr } = await user(`${FINWAIT} shell sh ${script}`);
    expect(stderr).toBe('');
    expect(stdout.match(/^This page came to you .*\n/gm)).toHaveLength(2);
    expect(stdout.match(/^served 0$/gm)).toHaveLength(2);
    expect(stdout).toContain('\nlost 0\n');
    expect(stdout).toMatch(/^fw0 .*NO-CARRIER.*\n$/m);
  });

  test('nc takes the device that waits, and what it says to nobody is an error', async () => {
    const { stderr } = await user(`${FINWAIT} shell ${FINWAIT} nc 10.9.0.1 80`);
    expect(stderr).toContain('connect to 10.9.0.1 port 80 (tcp) failed: Connection refused');
  });

  test.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)(
    '%s leaves nothing behind, children of children included',
    async (signal) => {
      // Neither of them would end by itself, and the first one hears of hardly anything.
      const line = `sh -c "trap : INT; (sleep 1000 & sleep 1000); true" & sleep 1000 & echo ready; wait`;
      const running = await start(`${FINWAIT} shell sh -c '${line}'`, 'ready');
      await until('all are there', () => userProcesses().length >= 6);
      running.child.kill(signal);
      await running.end();
      await nothingIsLeft();
    },
  );

  test('what still runs at the end is ended, in order where it can be', async () => {
    const { code, stdout } = await user(
      `${FINWAIT} shell sh -c '${FINWAIT} serve & until ${FINWAIT} ss > /dev/null 2>&1; do :; done; exit 4'`,
    );
    expect(stdout).toContain('Done: fw0 is gone.');
    expect(code).toBe(4);
  });

  test('signals go on to the command, once', async () => {
    const program =
      'let n = 0; process.on("SIGINT", () => console.log("INT", ++n)); ' +
      'process.on("SIGUSR2", () => process.exit(9)); setInterval(() => {}, 1000); console.log("ready")';
    const running = await start(`${FINWAIT} shell ${process.execPath} -e '${program}'`, 'ready');
    running.child.kill('SIGINT');
    await running.shows('INT 1');
    running.child.kill('SIGUSR2');
    const { code, stdout } = await running.end();
    expect([code, stdout]).toEqual([9, 'ready\nINT 1\n']);
  });

  test('nor does it matter that whoever started it has ended', async () => {
    const program = join(home.path, 'program');
    const loop = 'while :; do sleep 0.1; done';
    writeFileSync(program, `trap 'echo in order; exit' TERM; echo ready; ${loop}`);
    const running = await start(`sh -c "${FINWAIT} shell sh ${program} & read line"`, 'ready');
    const isOuter = (pid: number) => /^Name:\s*node$/m.test(status(pid)) && isOutside(pid);
    const outer = userProcesses().find(isOuter)!;
    const parent = () => /^PPid:\s*(\d+)/m.exec(status(outer))![1];
    const before = parent();
    running.child.stdin!.end();
    await until('its parent has ended', () => parent() !== before);
    process.kill(outer, 'SIGTERM');
    await running.shows('in order');
    await running.end();
  });

  test('a program that is not there is said to be missing', async () => {
    const { code, stderr } = await user(`PATH=/bin ${FINWAIT} shell nothing-like-it`);
    expect(stderr).toBe(
      'finwait shell: nothing-like-it cannot be run: there is no such program\n  fix: check its name, and PATH\n',
    );
    expect(code).toBe(127);
    const text = await user(`${FINWAIT} shell /etc/passwd`);
    expect(text.stderr).toContain('fix: make it a program: chmod +x /etc/passwd');
    expect(text.code).toBe(126);
  });

  test('at a terminal: a prompt, Ctrl-C for what runs there only, and the exit code', async () => {
    const terminal = await RealTerminal.open(place, 100, 30);
    try {
      await terminal.type(`export SHELL=/bin/sh PS1='> '; sh ${home.script()} ${FINWAIT} shell`);
      const greeting = await terminal.shows(/A network of its own[\s\S]*shell --join\s+>$/);
      expect(greeting).toContain('which will be 10.9.0.2 and fd09::2; the kernel is 10.9.0.1/24');
      await terminal.type('sleep 1000; echo "ended by $?"');
      await terminal.press('C-c');
      await terminal.type('ip -br link | wc -l; exit 3');
      await terminal.shows(/^2$/m);
      await terminal.type('echo "code $?"');
      await terminal.shows('code 3');
      // A command in the foreground gets Ctrl-C from the terminal, and from nobody else.
      const count = `let n = 0; process.on("SIGINT", () => { n++; setTimeout(() => { console.log("got", n); process.exit(6) }, 300) }); setInterval(() => {}, 1000); console.log("rea" + "dy")`;
      await terminal.type(
        `clear; sh ${home.path}/as-user ${FINWAIT} shell ${process.execPath} -e '${count}'`,
      );
      await terminal.shows(/^ready/m);
      await terminal.press('C-c');
      await terminal.shows('got 1');
      await terminal.type('echo "code $?"');
      await terminal.shows('code 6');
    } finally {
      await terminal.close();
    }
  });
});

describeKernel('finwait shell --join', [...USER_TOOLS, 'ip', 'curl'], () => {
  let serving: Running;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
    home = new Home();
    if (whyNoUser(MAIN) === '') serving = await start(`${FINWAIT} serve`, 'Ctrl-C ends it.');
  }, BUILD_MS);
  beforeEach((context) => {
    if (whyNoUser(MAIN) !== '') context.skip();
  });
  afterAll(async () => {
    await serving?.stop();
    await place.close();
    home.remove();
    await nothingIsLeft();
  });

  test('a serve without root says how, and it works as it stands', async () => {
    expect(serving.stdout).toContain('A network of its own: `');
    const call = /^ {2}(\S.* shell --join curl http:\/\/10\.9\.0\.2\/)$/m.exec(serving.stdout)![1]!;
    const { code, stdout } = await user(`cd ${process.cwd()} && ${call} -sS`);
    expect(stdout).toContain('This page came to you over a TCP');
    expect(code).toBe(0);
  });

  test('it has all rights there, a name, and the exit code of the command', async () => {
    const line = 'id -un; ip link set fw0 mtu 1400 && ip link set fw0 mtu 1500 && echo may; exit 6';
    const { code, stdout, stderr } = await user(`${FINWAIT} shell --join sh -c '${line}'`);
    expect([code, stdout, stderr]).toEqual([6, 'tester\nmay\n', '']);
  });

  test('stdin and stdout are those of the command', async () => {
    const { stdout } = await user(`seq 100000 | ${FINWAIT} shell --join sha256sum`);
    expect(stdout).toBe((await user('seq 100000 | sha256sum')).stdout);
  });

  test('by the number of either process; a wrong one is refused', async () => {
    const outside = serving.child.pid!;
    const inside = userProcesses().find((pid) => pid !== outside)!;
    expect(networkOf(inside)).not.toBe(networkOf(outside));
    for (const pid of [outside, inside]) {
      const { stdout } = await user(`${FINWAIT} shell --join ${pid} ip -br link show fw0`);
      expect(stdout).toMatch(/^fw0 /);
    }
    const { code, stderr } = await user(`${FINWAIT} shell --join 1 true`);
    expect(stderr).toContain('there is no process 1 whose network this user may enter');
    expect(stderr).toMatch(/choose one of those that there are: \d+ \(finwait serve\)/);
    expect(code).toBe(1);
  });

  test('of several networks one has to be named', async () => {
    const other = await start(`${FINWAIT} shell sh -c 'echo ready; cat'`, 'ready');
    const { code, stderr } = await user(`${FINWAIT} shell --join true`);
    expect(stderr).toMatch(
      /this user has 2 networks: \d+ \(finwait serve\), \d+ \(finwait shell sh -c .*\)\n {2}fix: say which: finwait shell --join \d+/,
    );
    expect(code).toBe(1);
    other.child.stdin!.end();
    await other.end();
  });

  test.each([
    ['--join --publish 80:80 true', 2, '--join and --publish exclude each other'],
    ['--jion', 2, 'did you mean --join?'],
  ])('shell %s', async (args, code, message) => {
    const finished = await user(`${FINWAIT} shell ${args}`);
    expect(finished.code).toBe(code);
    expect(finished.stderr).toContain(message);
  });

  test('root, whose stack is in the network of the machine, is there already', async () => {
    const own = await place.start('serve', 'Ctrl-C ends it.');
    const { code, stdout } = await place.finwait('shell --join curl -sS http://10.9.0.2/');
    expect([code, stdout]).toEqual([0, expect.stringContaining('This page came to you')]);
    await own.stop();
  });

  test('root has no network to be entered, and one may be in it already', async () => {
    const { stderr } = await place.finwait('shell --join true');
    expect(stderr).toContain('this user has no network to be entered');
    const own = await user(`${FINWAIT} shell ${FINWAIT} shell --join true`);
    expect(own.stderr).toContain('this is a network of its own already');
    const joined = await user(`${FINWAIT} shell --join ${FINWAIT} shell --join echo here`);
    expect(joined).toEqual({ code: 0, stdout: 'here\n', stderr: '' });
  });
});
