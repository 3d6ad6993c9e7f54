// Programs of the kernel's side as people use them: curl, nc, ping, ss, and node:http over our sockets.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesDigest } from '../../src/services/bytes.js';
import { echoService } from '../../src/services/echo.js';
import { HttpService } from '../../src/services/http.js';
import { RunningService } from '../../src/services/service.js';
import { describeKernel, FAMILIES, TEST_MS, until } from '../support/kernel.js';
import { KernelPlace } from '../support/kernel-place.js';

const BIG = 50_000_000;

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describeKernel('programs', ['curl', 'nc', 'ss', 'sha256sum'], () => {
  describe.each([
    { title: 'with offload', offload: true },
    { title: 'without offload', offload: false },
  ])('$title', ({ offload }) => {
    let place: KernelPlace;
    let folder: string;
    let body: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'finwait-programs-'));
      body = join(folder, 'body');
      writeFileSync(body, Buffer.alloc(BIG, 'a body that is rather long; '));
      place = await KernelPlace.open({ offload, capture: false });
      for (const service of [new HttpService(), echoService]) {
        await RunningService.start(place.stack.net, service);
      }
    }, TEST_MS);

    afterAll(async () => {
      await place?.close();
      rmSync(folder, { recursive: true });
    });

    async function output(command: string, args: string[], input = ''): Promise<string> {
      const { code, stdout, stderr } = await place.run(command, args, { input });
      if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}: ${stderr}`);
      return stdout;
    }

    describe.each(FAMILIES)('over $name', (family) => {
      const url = `http://${family.host}`;

      test('curl gets a page about its own connection', async () => {
        const page = await output('curl', ['-sSg', `${url}/`]);
        expect(page).toContain('state       ESTABLISHED');
      });

      test('curl gets a big body', async () => {
        const digest = await output('sh', ['-c', `curl -sSg ${url}/bytes/${BIG} | sha256sum`]);
        expect(digest.split(' ')[0]).toBe(bytesDigest(BIG));
      });

      test('curl posts a big body', async () => {
        const answer = await output('curl', ['-sSg', '-H', 'Expect:', '-T', body, `${url}/sha256`]);
        expect(JSON.parse(answer)).toEqual({ bytes: BIG, sha256: sha256(readFileSync(body)) });
      });

      test('curl asks for several things over one connection', async () => {
        const urls = ['/', '/bytes/1000', '/nothing'].map((path) => url + path);
        const write = ['-w', '%{http_code} %{num_connects}\\n', '-o', '/dev/null'];
        const lines = await output('curl', ['-sSg', ...urls.flatMap((u) => [...write, u])]);
        expect(lines.trim().split('\n')).toEqual(['200 1', '200 0', '404 0']);
      });

      test('curl to a port where nobody listens: refused at once', async () => {
        const { code, stderr } = await place.run('curl', ['-sSg', `${url}:81/`]);
        expect([code, stderr]).toEqual([7, expect.stringContaining('Failed to connect')]);
        const refused = place.peer.connect({ host: family.stack, port: 81 });
        await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      });

      test('nc -N to echo: all comes back, then the end', async () => {
        const text = 'Hello, echo\n'.repeat(20_000);
        expect(await output('nc', ['-N', family.stack, '7'], text)).toBe(text);
      });

      test('our nc: node:http over a socket of ours to a server of the kernel', async () => {
        const server = place.namespace.spawn('nc', ['-l', '-N', family.kernel, '8080'], {
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        let heard = '';
        server.stdout!.on('data', (text) => {
          heard += text;
        });
        const folderOfState = place.namespace.path.replace(/ns\/net$/, 'net');
        await until('nc listens', () =>
          ['tcp', 'tcp6'].some((file) =>
            /:1F90 \S+:0000 0A/.test(readFileSync(`${folderOfState}/${file}`, 'latin1')),
          ),
        );
        const answer = new Promise<string>((resolve, reject) => {
          const target = { host: family.kernel, port: 8080 };
          const asked = request(
            { path: '/hello', createConnection: () => place.stack.net.connect(target) as never },
            (response) => {
              let text = '';
              response.on('data', (piece) => {
                text += piece;
              });
              response.on('end', () => resolve(`${response.statusCode} ${text}`));
            },
          );
          asked.on('error', reject).end();
        });
        await until('nc has the request', () => heard.includes('\r\n\r\n'));
        server.stdin!.end('HTTP/1.0 200 OK\r\n\r\nHello from nc');
        expect(await answer).toBe('200 Hello from nc');
        expect(heard).toMatch(/^GET \/hello HTTP\/1.1\r\n/);
      });

      test('ss shows the kernel what we know: window scale, timestamps, SACK, MSS', async () => {
        const pair = await place.accept(family);
        const { ours, theirs, ourPort } = pair;
        const sent = theirs.send(1, 3_000_000);
        ours.send(2, 3_000_000);
        await sent;
        await ours.receives(3_000_000);
        await theirs.received(3_000_000);
        await until('all is acknowledged', () => {
          const [row] = place.kernelRows(ourPort);
          return ours.connection.unacknowledged === 0 && row!.sendQueue === 0;
        });
        const text = await output('ss', ['-tinoHO', `( dport = :${ourPort} )`]);
        const info = ours.connection.info();
        const [, sendScale, receiveScale] = /wscale:(\d+),(\d+)/.exec(text)!.map(Number);
        expect([info.receiveWindowScale, info.sendWindowScale]).toEqual([sendScale, receiveScale]);
        expect(/\bts\b/.test(text)).toBe(info.timestamps);
        expect(/\bsack\b/.test(text)).toBe(info.sack);
        expect(info).toMatchObject({ timestamps: true, sack: true });
        expect(info.sendMss).toBe(Number(/advmss:(\d+)/.exec(text)![1]));
        expect(info.receiveMss).toBe(Number(/ mss:(\d+)/.exec(text)![1]));
        expect(info.bytesReceived).toBe(Number(/bytes_acked:(\d+)/.exec(text)![1]) - 1);
        expect(info.bytesAcknowledged).toBe(Number(/bytes_received:(\d+)/.exec(text)![1]));
        expect(Number(/snd_wnd:(\d+)/.exec(text)![1])).toBe(info.receiveWindow);
        await theirs.end();
        ours.connection.shutdown();
        await ours.isClosed();
      });
    });
  });
});
