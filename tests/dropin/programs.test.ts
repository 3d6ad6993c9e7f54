// Real programs over our TCP, unchanged, each with real clients or servers on the kernel's side. Knows how they
// are started and what they say; the programs in apps/ know nothing of finwait.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILD_MS, buildProgram, MAIN, Place, Running } from '../cli/program.js';
import { describeKernel, TEST_MS } from '../support/kernel.js';

const folder = mkdtempSync(join(tmpdir(), 'finwait-dropin-'));
const app = (name: string) => fileURLToPath(new URL(`apps/${name}`, import.meta.url));

beforeAll(() => {
  buildProgram();
  const names = ['127.0.0.1', '10.9.0.1', '10.9.0.2', 'fd09::2'].map((ip) => `IP:${ip}`);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=DNS:localhost,${names}`];
  const files = ['-keyout', key, '-out', cert];
  const args = ['req', '-x509', ...curve, '-nodes', '-days', '2', ...subject, ...files];
  execFileSync('openssl', args, { stdio: 'pipe' });
  Object.assign(process.env, { TLS_KEY: key, TLS_CERT: cert });
}, BUILD_MS);

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs clients.mjs to its end, plainly or by `finwait run`. */
async function clients(place: Place, server: string, how: 'plain' | 'run'): Promise<string[]> {
  const command = how === 'plain' ? [] : [MAIN, 'run'];
  const settings = [`SERVER=${server}`, ...(server.startsWith('10.9.0.2') ? [] : ['REDIS=1'])];
  const args = [...settings, process.execPath, ...command, app('clients.mjs')];
  const { code, stdout, stderr } = await place.run('env', args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout.trimEnd().split('\n');
}

describeKernel('clients of the kernel’s servers', ['redis-server'], () => {
  let place: Place;

  beforeAll(async () => {
    place = await Place.create();
    const env = place.env;
    const web = place.namespace.spawn(process.execPath, [app('web.mjs')], { env });
    const options = ['--bind', '0.0.0.0', '--protected-mode', 'no', '--save', '', '--dir', folder];
    const redis = place.namespace.spawn('redis-server', options, { env });
    await Promise.all([Running.shown(web, 'ready'), Running.shown(redis, 'eady to accept')]);
  });

  afterAll(() => place.close());

  test(
    'http, https, http2, fetch, undici, ws, tls and ioredis see what they see over the kernel’s TCP',
    async () => {
      const plain = await clients(place, '127.0.0.1', 'plain');
      expect(plain).toContain('tls secureConnect goodbye bye end close');
      expect(plain).toContain('tls secureConnect end close');
      expect(plain).toContain('undici 200 5f05f037');
      expect(plain).toHaveLength(20);
      expect(await clients(place, '10.9.0.1', 'run')).toEqual(plain);
    },
    TEST_MS,
  );
});

describeKernel('servers for the kernel’s clients', ['curl', 'wrk', 'nghttp', 'openssl'], () => {
  let place: Place;
  let web: Running;
  const sh = async (line: string): Promise<string> => {
    const { code, stdout, stderr } = await place.sh(line);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return stdout;
  };

  beforeAll(async () => {
    place = await Place.create();
    web = await place.start(`run ${app('web.mjs')}`, 'ready');
  });

  afterAll(async () => {
    expect(web.stderr).toBe('');
    const { code } = await web.stop('SIGTERM');
    expect(code).toBe(143);
    expect(await place.interfaces()).toEqual([]);
    await place.close();
  });

  test(
    'the same clients see the same of it, over IPv4',
    async () => {
      const seen = await clients(place, '10.9.0.2', 'plain');
      expect(seen).toContain('h2c h2c 5f05f037 5f05f037 5f05f037');
      expect(seen.at(-1)).toBe('refused connect ECONNREFUSED HOST:4 ECONNREFUSED -111 connect');
      expect(seen).toHaveLength(18);
    },
    TEST_MS,
  );

  test('curl by HTTP/1.1, HTTP/2 with and without TLS, over IPv4 and IPv6', async () => {
    const urls = ['http://10.9.0.2/', 'http://[fd09::2]/', 'https://10.9.0.2/'];
    for (const url of urls) {
      expect(await sh(`curl -sSkg ${url}`)).toBe('hello over HTTP/1.1\n');
    }
    for (const url of [
      '--http2 https://[fd09::2]:8443/',
      '--http2-prior-knowledge http://10.9.0.2:8080/',
    ]) {
      expect(await sh(`curl -sSkg -w '%{http_version}' ${url}`)).toBe('hello over HTTP/2.0\n2');
    }
    expect(await sh('curl -sS http://10.9.0.2/large | sha256sum')).toMatch(/^970c1c21/);
  });

  test('nghttp, with many streams at once', async () => {
    const seen = await sh('nghttp -nsy -m 20 https://10.9.0.2:8443/large');
    expect(seen.match(/ 200 +4M \/large/g)).toHaveLength(20);
  });

  test('wrk, by http and https', async () => {
    for (const url of ['http://10.9.0.2/', 'https://10.9.0.2/']) {
      const seen = await sh(`wrk -t1 -c20 -d1s ${url}`);
      expect(seen).not.toMatch(/Socket errors|Non-2xx/);
      expect(Number(/Requests\/sec: +([\d.]+)/.exec(seen)![1])).toBeGreaterThan(100);
    }
  });

  test('a session of TLS that ends with close_notify, and one that does not', async () => {
    const session = (word: string) =>
      place.sh(`echo ${word} | openssl s_client -connect 10.9.0.2:9443 -quiet -ign_eof`);
    const [bye, cut] = [await session('bye'), await session('cut')];
    expect(bye.stdout).toBe('goodbye bye\n');
    expect(bye.stderr).not.toContain('unexpected eof');
    expect(cut.stderr).toContain('unexpected eof while reading');
  });

  test(
    'an upload of 1 GB to a reader that takes its time, in memory that does not grow',
    async () => {
      const seen = JSON.parse(
        await sh('head -c 1000000000 /dev/zero | curl -sST - http://10.9.0.2/'),
      );
      expect(seen.bytes).toBe(1_000_000_000);
      expect(seen.grownMiB).toBeLessThan(200);
    },
    TEST_MS,
  );
});

describeKernel('applications', ['curl'], () => {
  let place: Place;

  beforeAll(async () => {
    place = await Place.create();
  });

  afterAll(() => place.close());

  test('express, in CommonJS', async () => {
    const running = await place.start(`run --name express ${app('express.cjs')}`, 'ready');
    expect(await place.interfaces()).toEqual(['express']);
    const { stdout } = await place.sh(
      `curl -sS 'http://10.9.0.2:3000/?name=curl'; curl -sS -H 'content-type: application/json' -d '{"a":40,"b":2}' http://10.9.0.2:3000/sum`,
    );
    expect(stdout).toBe('express says hello to curl{"sum":42}');
    expect((await running.stop('SIGTERM')).stderr).toBe('');
  });

  test('fastify, in ES modules, which ends in order when it is told to', async () => {
    const running = await place.start(`run ${app('fastify.mjs')}`, 'ready');
    const { stdout } = await place.sh(
      `curl -sS 'http://10.9.0.2:3001/?name=curl'; curl -sS -H 'content-type: application/json' -d '[1]' http://10.9.0.2:3001/echo`,
    );
    expect(stdout).toBe('{"hello":"curl","from":"::ffff:10.9.0.1"}[1]');
    const { code, stdout: said, stderr } = await running.stop('SIGTERM');
    expect([code, said, stderr]).toEqual([0, 'ready\nclosed in order\n', '']);
  });
});

describeKernel('everything through the stack', ['unshare', 'setpriv'], () => {
  test('FINWAIT_ROUTE=all needs no device, no rights and no network', () => {
    const register = new URL('../../dist/register.js', import.meta.url).href;
    const powerless = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];
    const node = [process.execPath, '--import', register, app('both-ends.cjs')];
    const { status, stdout, stderr } = spawnSync('unshare', ['--net', ...powerless, ...node], {
      env: { ...process.env, FINWAIT_ROUTE: 'all' },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toBe('200 hello /localhost\n200 hello /127.0.0.1\n::1\n');
    expect(status).toBe(7);
  });
});
