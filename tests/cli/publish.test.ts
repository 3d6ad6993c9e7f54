// `--publish`: ports of the machine that lead to the stack, with and without root. Knows both sides of what is
// forwarded; must not know how.

import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../src/cli/command.js';
import { Failure } from '../../src/cli/failure.js';
import { Publications } from '../../src/cli/publications.js';
import { serveCommand } from '../../src/cli/serve.js';
import { describeKernel, until } from '../support/kernel.js';
import { asUser, Home, USER_TOOLS, whyNoUser } from '../support/ordinary-user.js';
import { BUILD_MS, buildProgram, MAIN, Place, Running } from './program.js';

/** A program on the machine's side, in JavaScript; `connect()` gives a socket to port 8080. */
const CLIENT = `const net = require('net');
  const connect = (port = 8080, more = {}) => net.connect({ port, host: '127.0.0.1', ...more });`;

let place: Place;

/** Runs it, and gives what it printed. */
async function client(script: string): Promise<string> {
  const { stdout, stderr } = await place.run(process.execPath, ['-e', CLIENT + script]);
  return stdout + stderr;
}

const SERVE = 'serve --publish 8080:80,127.0.0.1:8007:7 --publish [::1]:8019:19 --publish 8099:99';

describeKernel('--publish', ['curl', 'nc'], () => {
  let serving: Running;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
    serving = await place.start(SERVE, 'Ctrl-C ends it.');
  }, BUILD_MS);
  afterAll(async () => {
    await serving.stop();
    await place.close();
  });

  test('is said, with what can be tried', async () => {
    expect(serving.stdout).toContain('Published: localhost:8080 leads to port 80\n');
    expect(serving.stdout).toContain('Published: [::1]:8019 leads to port 19\n');
    expect(serving.stdout).toContain('  curl http://localhost:8080/\n');
  });

  test.each(['http://localhost:8080/', 'http://127.0.0.1:8080/', 'http://[::1]:8080/'])(
    '%s leads to the stack',
    async (url) => {
      const { stdout } = await place.run('curl', ['-sSg', '-m', '5', url]);
      expect(stdout).toContain('This page came to you over a TCP');
      expect(stdout).toContain('10.9.0.1'); // a connection of the kernel's
    },
  );

  test('only where it was asked for', async () => {
    const { code } = await place.run('curl', ['-sSg', '-m', '5', 'telnet://[::1]:8007']);
    expect(code).toBe(7);
    const { stdout } = await place.sh('nc -w 5 ::1 8019 | head -c 20');
    expect(stdout).toHaveLength(20);
  });

  test('bytes arrive as they were, both ways, with a half-close at the end', async () => {
    const { stdout } = await place.sh('seq 300000 | nc -N 127.0.0.1 8007 | sha256sum');
    expect(stdout).toBe((await place.sh('seq 300000 | sha256sum')).stdout);
  });

  test('who does not read holds back the sender', async () => {
    const text = await client(`const s = connect(8080);
      const sent = () => Number(/fw0: *(\\d+)/.exec(require('fs').readFileSync('/proc/net/dev'))[1]);
      const before = sent();
      s.pause(); s.write('GET /bytes/500000000 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
      setTimeout(() => { console.log(sent() - before); s.resume(); let n = 0;
        s.on('data', (d) => { n += d.length; if (n > 5e7) { console.log('read'); s.resetAndDestroy(); } });
      }, 800);`);
    const [waiting, read] = text.split('\n');
    // What fits into the buffers on the way, not half a gigabyte; and the rest came when it was wanted.
    expect(Number(waiting)).toBeGreaterThan(100_000);
    expect(Number(waiting)).toBeLessThan(40_000_000);
    expect(read).toBe('read');
    expect(JSON.parse((await place.finwait('ss --json')).stdout)[0].sockets).toEqual([]);
  });

  test('who gives up leaves nothing open, however much is on its way', async () => {
    const open = () => readdirSync(`/proc/${serving.child.pid}/fd`).length;
    const before = open();
    await client(`let left = 60;
      const one = () => left-- > 0 && connect(8080).on('connect', function () {
        this.write('GET /bytes/50000000 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
        this.once('data', () => { left % 2 ? this.resetAndDestroy() : this.destroy(); });
      }).on('close', one);
      for (let i = 0; i < 10; i++) one();`);
    await until('all are closed', () => open() <= before, open);
  });

  test('a port at which nobody listens resets, as it would without a forwarder', async () => {
    const text = await client(`connect(8099).on('error', (e) => console.log(e.code))
      .on('close', () => console.log('closed')).on('data', () => {});`);
    expect(text).toBe('ECONNRESET\nclosed\n');
  });

  test('a reset goes on to the stack', async () => {
    const text = await client(`const s = connect(8007);
      s.on('connect', () => s.write('x')).on('data', () => s.resetAndDestroy());`);
    expect(text).toBe('');
    for (let tries = 0; tries < 100; tries++) {
      const [report] = JSON.parse((await place.finwait('ss -a --json')).stdout);
      const ours = report.sockets.filter(({ local }: { local: string }) => /[:.]7$/.test(local));
      // A FIN would have left a TIME-WAIT somewhere, or a connection.
      if (ours.every(({ state }: { state: string }) => state === 'LISTEN')) return;
    }
    throw new Error('the connection is still there');
  });
});

/** What answers as `finwait serve` does, for a program that knows nothing of finwait. */
const APP = `import http from 'node:http';
  http.createServer((_, answer) => answer.end('This page came to you over a TCP, perhaps'))
    .listen(80, () => console.log('listening'));
  process.once('SIGINT', () => process.exit(0));`;

describeKernel('--publish without root', [...USER_TOOLS, 'curl'], () => {
  let home: Home;
  const env = () => ({ ...place.env, FINWAIT_RUNTIME_DIR: home.path });
  const start = (args: string) =>
    place.namespace.spawn(...asUser({}, process.execPath, MAIN, ...args.split(' ')), {
      env: env(),
      stdio: 'pipe',
    });

  beforeAll(() => {
    buildProgram();
    home = new Home();
    writeFileSync(join(home.path, 'app.mjs'), APP);
  }, BUILD_MS);
  beforeEach(async (context) => {
    if (whyNoUser(MAIN) !== '') context.skip();
    place = await Place.create();
  });
  afterEach(() => place.close());
  afterAll(() => home.remove());

  test.each([
    ['serve', 'serve --publish 8080:80', 'Ctrl-C ends it.'],
    ['serve with threads', 'serve --workers 2 --publish 8080:80', 'Ctrl-C ends it.'],
    ['shell', `shell --publish 8080:80 ${process.execPath} ${MAIN} serve`, 'Ctrl-C ends it.'],
    ['a program of somebody else', 'run --publish 8080:80 APP', 'listening'],
  ])(
    '%s can be reached from outside of its network, and its port is free afterwards',
    async (_, args, sign) => {
      const running = await Running.shown(
        start(args.replace('APP', join(home.path, 'app.mjs'))),
        sign,
      );
      const { stdout } = await place.run('curl', ['-sS', '-m', '5', 'http://localhost:8080/']);
      expect(stdout).toContain('This page came to you over a TCP');
      expect(await place.interfaces()).toEqual([]);
      const { code } = await running.stop();
      expect(code).toBe(0);
      const after = await place.run('curl', ['-sS', '-m', '5', 'http://localhost:8080/']);
      expect(after.stderr).toContain('connect to localhost port 8080');
    },
  );

  test.each([
    [
      '8080:80,8080:81',
      'port 8080 of 127.0.0.1 cannot be published: another program listens',
      '8081:81',
    ],
    ['80:80', 'port 80 of 127.0.0.1 cannot be published: ports below 1024', '8080:80'],
    [
      '192.0.2.1:8080:80',
      'port 8080 of 192.0.2.1 cannot be published: this machine does not',
      '8080:80',
    ],
  ])('%s: %s', async (ports, message, fix) => {
    const child = start(`serve --publish ${ports}`);
    const running = new Running(child);
    await once(child, 'close');
    const { code, stdout, stderr } = await running.end();
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain(`finwait serve: ${message}`);
    expect(stderr).toContain(`--publish ${fix}\n`);
  });
});

describe('--publish is refused', () => {
  test.each([
    ['80', 'is not a port of this machine and one of the stack', 'write it as 8080:80'],
    ['8080:80:', '(the port of the stack) takes a whole number', ''],
    ['a:b', 'takes a whole number from 1 to 65535, not "a"', ''],
    ['0:80', 'not "0"', ''],
    ['8080:65536', '(the port of the stack) takes a whole number', ''],
    ['example.org:8080:80', '"example.org" is not an IP address', 'write 127.0.0.1:8080:80'],
    ['::1:8080:80', 'is not a port', ''],
    ['8080:80 --netns /x', '--publish and --netns exclude each other', 'leave out one'],
  ])('%s', (args, message, fix) => {
    const words = ['--publish', ...args.split(' ')];
    const open = () => Publications.open(parseCommandLine(serveCommand, words));
    expect(open).toThrow(Failure);
    expect(open).toThrow(message);
    expect(open).toThrow(
      expect.objectContaining({ exitCode: 2, fix: expect.stringContaining(fix) }),
    );
  });
});
