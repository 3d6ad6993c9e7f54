// `finwait serve` and `finwait ss` as a user meets them: curl, nc, Ctrl-C, and a second start.

import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bytesDigest } from '../../src/services/bytes.js';
import { canUseNamespaces, type Finished } from '../support/namespace.js';
import { BUILD_MS, buildProgram, MAIN, Place, Running } from './program.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`serve.test.ts is skipped: ${possible.why}`);

const READY = 'Ctrl-C ends it.';

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function printed({ code, stdout, stderr }: Finished): string {
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return stdout;
}

/** Waits until no connection is left. */
async function quiet(place: Place): Promise<void> {
  while (!printed(await place.finwait('ss')).includes(' 0 connections'));
}

describe.skipIf(!possible.ok)('finwait serve', () => {
  let place: Place;
  let serve: Running;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
    serve = await place.start('serve', READY);
  }, BUILD_MS);

  afterAll(async () => {
    await place?.close();
  });

  it('says what it is and what to try', () => {
    expect(serve.stdout).toContain('10.9.0.2 and fd09::2 (this stack), 10.9.0.1/24 and fd09::1/64');
    expect(serve.stdout).toContain('the kernel does checksums and segmentation for us');
    expect(serve.stdout).toContain('Services: http 80, echo 7, discard 9, chargen 19');
    expect(serve.stderr).toBe('');
  });

  it('means what it suggests: each command works as it is printed', async () => {
    const lines = serve.stdout.split('\n').filter((line) => /^ {2}\S/.test(line));
    expect(lines.length).toBe(8);
    for (const line of lines) {
      const command = line
        .trim()
        .replace('/bytes/100000000', '/bytes/1000000')
        .replace('-T FILE', '-T package.json')
        .replace('tcpdump', 'timeout -s INT 1 tcpdump');
      const { code, stdout } = await place.sh(command);
      if (!command.includes('tcpdump')) expect([command, code]).toEqual([command, 0]);
      if (command.startsWith('curl')) expect(stdout).not.toBe('');
    }
  });

  it.each([
    ['http://10.9.0.2/', '10.9.0.2:80', '10.9.0.1:'],
    ['http://[fd09::2]/', '[fd09::2]:80', '[fd09::1]:'],
  ])('tells curl about its own connection: %s', async (url, here, you) => {
    const text = printed(await place.run('curl', ['-sSg', url]));
    expect(text).toContain(`here        ${here}`);
    expect(text).toContain(`you         ${you}`);
    expect(text).toContain('state       ESTABLISHED');
    expect(text).toMatch(/round trip {2}\d+\.\d{3} ms, varying by/);
    expect(text).toMatch(/window {6}we may send [\d,]+ bytes, you may send [\d,]+/);
    expect(text).toMatch(/segments {4}[1-9]\d* in, [1-9]\d* out, 0 sent again/);
  });

  it('tells a browser in HTML', async () => {
    const html = printed(
      await place.run('curl', ['-sS', '-H', 'Accept: text/html', 'http://10.9.0.2/']),
    );
    expect(html).toContain('<!doctype html>');
    expect(html).toContain('<td>ESTABLISHED</td>');
  });

  it.each([
    ['10.9.0.2', 0],
    ['10.9.0.2', 100_000],
    ['[fd09::2]', 100_000],
    ['10.9.0.2', 30_000_000],
  ])('streams the right bytes: http://%s/bytes/%i', async (host, count) => {
    const line = `curl -sSgf http://${host}/bytes/${count} | sha256sum`;
    expect(printed(await place.sh(line))).toBe(`${bytesDigest(count)}  -\n`);
  });

  it.each(['10.9.0.2', '[fd09::2]'])('takes the SHA-256 of what is posted: %s', async (host) => {
    const body = randomBytes(10_000_000);
    const args = ['-sSgf', '--data-binary', '@-', `http://${host}/sha256`];
    const answer = printed(await place.run('curl', args, body));
    expect(JSON.parse(answer)).toEqual({ bytes: body.length, sha256: sha256(body) });
  });

  it('answers HEAD, and several requests on one connection', async () => {
    const urls = Array.from({ length: 20 }, () => 'http://10.9.0.2/bytes/1000');
    const verbose = await place.run('curl', ['-sSv', '-o', '/dev/null', ...urls]);
    expect(verbose.code).toBe(0);
    const head = printed(await place.run('curl', ['-sSI', 'http://10.9.0.2/bytes/5']));
    expect(head).toMatch(/content-length: 5\r\n/i);
  });

  it.each(['10.9.0.2', 'fd09::2'])(
    'echoes what nc sends, and closes after it: %s',
    async (host) => {
      expect(printed(await place.run('nc', ['-N', host, '7'], 'hello\n'))).toBe('hello\n');
      const much = randomBytes(2_000_000).toString('base64');
      const back = printed(await place.run('nc', ['-N', host, '7'], much));
      expect(sha256(back)).toBe(sha256(much));
    },
  );

  it('discards, and generates characters', async () => {
    const sent = printed(await place.run('nc', ['-N', '10.9.0.2', '9'], randomBytes(1_000_000)));
    expect(sent).toBe('');
    const lines = printed(await place.sh('nc 10.9.0.2 19 </dev/null | head -n 200')).split('\r\n');
    expect(lines.length).toBe(201);
    expect(lines[1]).toBe(lines[96]);
    expect(lines.slice(0, -1).every((line) => line.length === 72)).toBe(true);
  });

  it('refuses a port where nothing listens', async () => {
    const { code, stderr } = await place.run('nc', ['-v', '10.9.0.2', '81']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Connection refused')]);
  });

  describe('finwait ss', () => {
    it('shows connections in the columns of ss -tano', async () => {
      const child = place.namespace.spawn('nc', ['10.9.0.2', '7'], { stdio: 'pipe' });
      try {
        child.stdin!.write('x');
        await new Promise((resolve) => child.stdout!.once('data', resolve));
        const lines = printed(await place.finwait('ss')).split('\n');
        expect(lines[0]).toMatch(
          /^fw0 \(pid \d+, 10\.9\.0\.2, fd09::2\), \d+ connections?, 4 listeners, \d+ in TIME-WAIT$/,
        );
        expect(lines[1]).toMatch(
          /^State +Recv-Q +Send-Q +Local Address:Port +Peer Address:Port +Timer$/,
        );
        expect(lines.filter((line) => line.startsWith('LISTEN'))).toEqual([]);
        const row = lines.find((line) => line.includes('10.9.0.2:7 '));
        expect(row).toMatch(/^ESTABLISHED +0 +0 +10\.9\.0\.2:7 +10\.9\.0\.1:\d+$/);
        // What the kernel says of the other end.
        const peer = printed(await place.run('ss', ['-Htn', 'dst', '10.9.0.2:7']));
        expect(peer).toMatch(new RegExp(`^ESTAB .*${/10\.9\.0\.1:\d+/.exec(row!)![0]} `));
      } finally {
        child.kill();
      }
    });

    it('shows listeners with -l, and all with -a', async () => {
      const lines = printed(await place.finwait('ss -l'))
        .trim()
        .split('\n')
        .slice(2);
      const ports = lines.map((line) => /^LISTEN +0 +511 +\*:(\d+) +\*:\*$/.exec(line)?.[1]);
      expect(ports.sort()).toEqual(['19', '7', '80', '9']);
      expect(printed(await place.finwait('ss -a'))).toContain('LISTEN');
    });

    it('shows TIME-WAIT with its time where the stack has closed first', async () => {
      // HTTP/1.0: the server closes.
      printed(await place.run('curl', ['-sS', '--http1.0', 'http://10.9.0.2/bytes/1']));
      const text = printed(await place.finwait('ss -a'));
      expect(text).toMatch(
        /\nTIME-WAIT +0 +0 +10\.9\.0\.2:80 +10\.9\.0\.1:\d+ +timer:\(timewait,5\dsec,0\)\n/,
      );
    });

    it('says who is waited for in CLOSE-WAIT', async () => {
      // chargen's reader takes nothing and half-closes: our FIN cannot go before the data.
      const script = `
        const s = require('net').connect({ port: 19, host: '10.9.0.2' }, () => s.pause().end());
        setInterval(() => {}, 1000);`;
      const child = place.namespace.spawn(process.execPath, ['-e', script]);
      try {
        let text = '';
        for (let i = 0; i < 20 && !text.includes('CLOSE-WAIT'); i++) {
          text = printed(await place.finwait('ss'));
        }
        expect(text).toMatch(
          /\nCLOSE-WAIT +0 +\d{6,} +10\.9\.0\.2:19 .*timer:\((persist|retransmit|loss-probe),.*\) the application has not closed\n/,
        );
      } finally {
        child.kill();
      }
    });

    it('gives JSON, and finds a stack by name', async () => {
      const [report] = JSON.parse(printed(await place.finwait('ss -a --json --name fw0')));
      expect(report).toMatchObject({ name: 'fw0', mtu: 1500, pid: expect.any(Number) });
      expect(report.sockets[0]).toEqual({
        state: 'LISTEN',
        recvQ: 0,
        sendQ: 511,
        local: { address: '*', port: 80 },
        peer: { address: '*', port: '*' },
        timer: null,
      });
      expect(await place.finwait('ss --name fw7')).toEqual({
        code: 1,
        stdout: '',
        stderr: 'finwait ss: no stack runs on fw7\n  fix: choose one of fw0\n',
      });
    });
  });
});

describe.skipIf(!possible.ok)('the end of finwait serve', () => {
  let place: Place;

  beforeAll(buildProgram, BUILD_MS);

  beforeEach(async () => {
    place = await Place.create();
  });

  afterEach(async () => {
    const left = [...(await place.interfaces()), ...place.sockets];
    await place.close();
    expect(left).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s: it leaves nothing behind',
    async (signal) => {
      const serve = await place.start('serve', READY);
      expect(await place.interfaces()).toEqual(['fw0']);
      expect(place.sockets).toEqual([expect.stringMatching(/^fw0\.\d+\.sock$/)]);
      printed(await place.run('curl', ['-sS', 'http://10.9.0.2/']));
      await quiet(place);
      const { code, stdout, stderr } = await serve.stop(signal);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(
        /\nClosing 4 listeners and 0 connections on fw0 \.\.\.\nDone: fw0 is gone\.\n$/,
      );
      const { stderr: none, code: failed } = await place.finwait('ss');
      expect([failed, none]).toEqual([1, expect.stringContaining('no finwait stack')]);
    },
  );

  it('closes in order also when its terminal is gone', async () => {
    const line = `${process.execPath} ${MAIN} serve | head -n 1`;
    const serve = await Running.shown(
      place.namespace.spawn('sh', ['-c', line], { env: place.env, stdio: 'pipe' }),
      'fw0',
    );
    const [report] = JSON.parse(printed(await place.finwait('ss --json')));
    process.kill(report.pid, 'SIGHUP');
    expect(await serve.end()).toMatchObject({ code: 0, stderr: '' });
  });

  it('closes idle connections with a FIN, at once', async () => {
    const serve = await place.start('serve', READY);
    const script = `
      const s = require('net').connect(7, '10.9.0.2', () => s.write('x'));
      s.on('data', () => console.log('open')).on('end', () => console.log('end'));
      s.on('error', (e) => console.log(e.code)).on('close', () => console.log('closed'));`;
    const client = await Running.shown(
      place.namespace.spawn(process.execPath, ['-e', script], { stdio: 'pipe' }),
      'open',
    );
    const started = Date.now();
    const { code, stdout } = await serve.stop();
    expect(Date.now() - started).toBeLessThan(1900);
    expect([code, stdout]).toEqual([0, expect.stringContaining('and 1 connection on fw0')]);
    expect((await client.end()).stdout).toBe('open\nend\nclosed\n');
  });

  it('resets peers that do not close, after two seconds', async () => {
    const serve = await place.start('serve', READY);
    const nc = place.namespace.spawn('nc', ['10.9.0.2', '7'], { stdio: 'pipe' });
    nc.stdin!.write('x');
    await new Promise((resolve) => nc.stdout!.once('data', resolve));
    const started = Date.now();
    const { code } = await serve.stop();
    expect(code).toBe(0);
    expect(Date.now() - started).toBeGreaterThan(1900);
    expect(Date.now() - started).toBeLessThan(4000);
    nc.kill();
  });

  it('does not wait after a second Ctrl-C; one that npm repeats does not count', async () => {
    const serve = await place.start('serve', READY);
    const nc = place.namespace.spawn('nc', ['10.9.0.2', '7'], { stdio: 'pipe' });
    nc.stdin!.write('x');
    await new Promise((resolve) => nc.stdout!.once('data', resolve));
    const started = Date.now();
    serve.child.kill('SIGINT');
    await serve.shows('Closing');
    serve.child.kill('SIGINT');
    setTimeout(() => serve.child.kill('SIGINT'), 600);
    expect((await serve.end()).code).toBe(0);
    expect(Date.now() - started).toBeGreaterThan(500);
    expect(Date.now() - started).toBeLessThan(1800);
    nc.kill();
  });

  it('starts again at once, ten times in a row', async () => {
    for (let i = 0; i < 10; i++) {
      const serve = await place.start('serve', READY);
      printed(await place.run('curl', ['-sS', 'http://10.9.0.2/bytes/10']));
      expect((await serve.stop()).code).toBe(0);
    }
  });

  it('moves and switches off services, with other addresses', async () => {
    const serve = await place.start(
      'serve --name fwx --address 10.77.0.2 --peer 10.77.0.1/24 --http 8080 --echo off --discard off --chargen off --mtu 1400 --no-offload --spin 0 --memory 32 --msl 500',
      READY,
    );
    expect(serve.stdout).toContain('Services: http 8080\n');
    expect(serve.stdout).toContain('MTU 1400; the kernel does neither checksums nor segmentation');
    expect(serve.stdout).toContain('curl http://10.77.0.2:8080/\n');
    expect(serve.stdout).not.toContain('nc ');
    const line = 'curl -sSf http://10.77.0.2:8080/bytes/3000000 | sha256sum';
    expect(printed(await place.sh(line))).toBe(`${bytesDigest(3_000_000)}  -\n`);
    expect(await place.interfaces()).toEqual(['fwx']);
    expect((await place.run('nc', ['-N', '10.77.0.2', '7'], 'x')).code).toBe(1);
    printed(await place.run('curl', ['-sS', '--http1.0', 'http://10.77.0.2:8080/bytes/1']));
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(printed(await place.finwait('ss -a'))).not.toContain('TIME-WAIT ');
    await serve.stop();
  });

  it('serves IPv6 alone', async () => {
    const serve = await place.start('serve --address fd09::2 --http 8080', READY);
    expect(serve.stdout).toContain('fw0: fd09::2 (this stack), fd09::1/64 (the kernel)\n');
    const line = "curl -g 'http://[fd09::2]:8080/bytes/100000000' | sha256sum";
    expect(serve.stdout).toContain(`  ${line}\n`);
    const short = line.replace('/100000000', '/1000').replace('curl', 'curl -sS');
    expect(printed(await place.sh(short))).toBe(`${bytesDigest(1000)}  -\n`);
    await serve.stop();
  });

  it('shows one table a stack', async () => {
    const first = await place.start('serve', READY);
    const second = await place.start(
      'serve --name fw1 --address 10.77.0.2 --peer 10.77.0.1/24',
      READY,
    );
    const text = printed(await place.finwait('ss -a'));
    expect(text).toMatch(/^fw0 \(pid .*\n\nfw1 \(pid \d+, 10\.77\.0\.2\)/s);
    expect(printed(await place.finwait('ss --name fw1'))).not.toContain('fw0');
    await Promise.all([first.stop(), second.stop()]);
  });

  it('can be killed: the next ss removes what is left', async () => {
    const serve = await place.start('serve', READY);
    await serve.stop('SIGKILL');
    expect(place.sockets.length).toBe(1);
    expect((await place.finwait('ss')).code).toBe(1);
  });

  it('works from outside of the network namespace, by its path', async () => {
    const child = await place.startOutside(`serve --netns ${place.namespace.path}`, READY);
    expect(child.stdout).toContain(`nsenter --net=${place.namespace.path} curl http://10.9.0.2/\n`);
    expect(printed(await place.run('curl', ['-sS', 'http://10.9.0.2/bytes/3']))).not.toBe('');
    expect((await child.stop()).code).toBe(0);
  });

  it('says that IPv6 is disabled, and serves IPv4', async () => {
    await place.sh('sysctl -wq net.ipv6.conf.default.disable_ipv6=1');
    const serve = await place.start('serve', READY);
    expect(serve.stdout).toContain('Note: No fd09::1/64: IPv6 is disabled');
    expect(serve.stdout).toContain('fw0: 10.9.0.2 (this stack), 10.9.0.1/24 (the kernel)');
    printed(await place.run('curl', ['-sS', 'http://10.9.0.2/']));
    await serve.stop();
    const { code, stderr } = await place.finwait('serve --address fd09::2');
    expect([code, stderr]).toEqual([3, expect.stringContaining('IPv6 is disabled')]);
    await place.sh('sysctl -wq net.ipv6.conf.default.disable_ipv6=0');
  });

  it('ends with a message when the interface is deleted', async () => {
    const serve = await place.start('serve', READY);
    await place.namespace.ip('link set fw0 down');
    await serve.shows('fw0 is down');
    await place.namespace.ip('link set fw0 up');
    await serve.shows('fw0 is up again');
    await place.namespace.ip('link del fw0');
    const { code, stderr } = await serve.end();
    expect(code).toBe(3);
    expect(stderr).toContain('finwait serve: The network interface fw0 was deleted\n  fix: ');
    expect(stderr).not.toContain('    at ');
  });
});
