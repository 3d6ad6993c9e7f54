// `finwait nc` with the kernel's nc as its peer: both ways round, half-closed, refused, interrupted.

import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canUseNamespaces } from '../support/namespace.js';
import { BUILD_MS, buildProgram, MAIN, Place, Running } from './program.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`nc.test.ts is skipped: ${possible.why}`);

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe.skipIf(!possible.ok)('finwait nc', () => {
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

  /** The kernel's nc; it may listen before there is a device. */
  async function kernelNc(...args: string[]): Promise<Running> {
    const running = new Running(place.namespace.spawn('nc', args, { stdio: 'pipe' }));
    const port = args.at(-1)!;
    while (!(await place.run('ss', ['-Hltn', `sport = :${port}`])).stdout.includes(port));
    return running;
  }

  /** A script on the kernel's side. */
  function node(script: string, sign: string): Promise<Running> {
    const child = place.namespace.spawn(process.execPath, ['-e', script], { stdio: 'pipe' });
    return Running.shown(child, sign);
  }

  it.each([
    ['10.9.0.1', '0.0.0.0'],
    ['fd09::1', '::'],
  ])('connects, and copies both ways: %s', async (host, any) => {
    const listener = await kernelNc('-N', '-l', any, '5000');
    listener.child.stdin!.end('answer\n');
    const { code, stdout, stderr } = await place.finwait(`nc -N -v ${host} 5000`, 'question\n');
    expect([code, stdout]).toEqual([0, 'answer\n']);
    expect(stderr).toBe(`Connection to ${host} 5000 port [tcp/*] succeeded!\n`);
    expect((await listener.end()).stdout).toBe('question\n');
  });

  it('goes on receiving after its own FIN, and sending after the other one’s', async () => {
    const much = randomBytes(3_000_000).toString('base64');
    const script = `
      const server = require('net').createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('data', (piece) => process.stdout.write(piece));
        socket.on('end', () => process.stdin.pipe(socket));
        server.close();
      });
      server.listen(5000, () => console.error('ready'));`;
    const first = await node(script, 'ready');
    const ours = place.finwait('nc -N 10.9.0.1 5000', 'our end first\n');
    await first.shows('our end first');
    first.child.stdin!.end(much);
    expect(digest((await ours).stdout)).toBe(digest(much));

    const second = await kernelNc('-N', '-l', '0.0.0.0', '5001');
    second.child.stdin!.end('their end first\n');
    const running = await place.start('nc -N 10.9.0.1 5001', 'their end first');
    running.child.stdin!.end(much);
    expect((await running.end()).code).toBe(0);
    expect(digest((await second.end()).stdout)).toBe(digest(much));
  });

  it('listens for one connection', async () => {
    const much = randomBytes(1_000_000).toString('base64');
    const ours = await place.start('nc -l -v -N 5000', 'Listening on any address 5000');
    ours.child.stdin!.end('from finwait\n');
    const theirs = await place.run('nc', ['-N', '10.9.0.2', '5000'], much);
    expect(theirs).toMatchObject({ code: 0, stdout: 'from finwait\n' });
    const { code, stdout, stderr } = await ours.end();
    expect([code, digest(stdout)]).toEqual([0, digest(much)]);
    expect(stderr).toMatch(/\nConnection received on 10\.9\.0\.1 \d+\n$/);
  });

  it('refuses a second connection', async () => {
    const ours = await place.start('nc -l -v 5000', 'Listening');
    const first = new Running(place.namespace.spawn('nc', ['10.9.0.2', '5000'], { stdio: 'pipe' }));
    await ours.shows('Connection received');
    expect((await place.run('nc', ['10.9.0.2', '5000'])).code).toBe(1);
    await first.stop();
    expect((await ours.end()).code).toBe(0);
  });

  it('listens on one address', async () => {
    const ours = await place.start('nc -l -v fd09::2 5000', 'Listening on fd09::2 5000');
    expect((await place.run('nc', ['10.9.0.2', '5000'])).code).toBe(1);
    await place.run('nc', ['-N', 'fd09::2', '5000'], 'x');
    expect(await ours.end()).toMatchObject({ code: 0, stdout: 'x' });
  });

  it('takes the next free name, and is seen by finwait ss', async () => {
    const running = await place.start('nc -l -v 5000', 'Listening');
    expect(await place.interfaces()).toEqual(['fw0']);
    const { stdout } = await place.finwait('ss -l');
    expect(stdout).toMatch(/^fw0 \(.*\nLISTEN +0 +511 +\*:5000 +\*:\*\n$/s);
    expect(await running.stop()).toMatchObject({ code: 130 });
  });

  it('says that a connection is refused, with exit code 1', async () => {
    expect(await place.finwait('nc 10.9.0.1 81')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'finwait nc: connect to 10.9.0.1 port 81 (tcp) failed: Connection refused\n' +
        '  fix: start a listener there: nc -l 81\n',
    });
  });

  it('says that a connection was reset', async () => {
    const script = `
      require('net').createServer((s) => s.once('data', () => s.resetAndDestroy())).listen(5000);
      console.log('ready');`;
    const peer = await node(script, 'ready');
    const { code, stderr } = await place.finwait('nc 10.9.0.1 5000', 'x');
    expect(stderr).toMatch(
      /finwait nc: the connection to 10\.9\.0\.1 port 5000 broke: Connection reset by peer\n/,
    );
    expect(code).toBe(1);
    await peer.stop();
  });

  it('refuses an address that it cannot listen on', async () => {
    const { code, stderr } = await place.finwait('nc -l 10.9.0.77 5000');
    expect(stderr).toContain('cannot listen on 10.9.0.77 port 5000: Address not available');
    expect(code).toBe(1);
  });

  it.each([
    ['nc', 'the host and port is missing'],
    ['nc 10.9.0.1', 'the port is missing'],
    ['nc -l', 'the port is missing'],
    ['nc 10.9.0.1 0', 'the port takes a whole number from 1 to 65535, not "0"'],
    ['nc 10.9.0.1 http', 'the port takes a whole number from 1 to 65535, not "http"'],
    ['nc 1 2 3', '"3" is one argument too many'],
  ])('refuses `%s` with exit code 2', async (args, message) => {
    const { code, stderr } = await place.finwait(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`finwait nc: ${message}\n`)]);
  });

  it('ends when nobody reads its output any more', async () => {
    const script = `
      const server = require('net').createServer((s) => {
        const more = () => { while (s.write('x'.repeat(65536))); s.once('drain', more); };
        s.on('error', () => {}).on('close', () => server.close());
        more();
      });
      server.listen(5000, () => console.log('ready'));`;
    const peer = await node(script, 'ready');
    const { stdout } = await place.sh(
      `${process.execPath} ${MAIN} nc 10.9.0.1 5000 </dev/null | head -c 100000 | wc -c`,
    );
    expect(stdout).toBe('100000\n');
    expect((await peer.end()).code).toBe(0);
  });

  it('ends at Ctrl-C with a FIN to its peer', async () => {
    const listener = await kernelNc('-l', '0.0.0.0', '5000');
    const running = await place.start('nc -v 10.9.0.1 5000', 'succeeded');
    listener.child.stdin!.end();
    expect((await running.stop()).code).toBe(130);
    expect((await listener.end()).code).toBe(0);
  });
});
