// What is built, without vitest: tests by node:test of clients that use the kernel's TCP, in a namespace;
// what is said where the machine does not allow that; and a program that forgets its peer.

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILD_MS, buildProgram } from '../cli/program.js';
import { canUseNamespaces, type Finished, Namespace } from '../support/namespace.js';

const CHILDREN = fileURLToPath(new URL('children/', import.meta.url));

describe.skipIf(!canUseNamespaces().ok)('without vitest', () => {
  let namespace: Namespace;

  beforeAll(async () => {
    buildProgram();
    namespace = await Namespace.create();
  }, BUILD_MS);
  afterAll(() => namespace.close());

  /** Runs a program of `children`, by a command that runs programs. */
  function run(child: string, ...command: string[]): Promise<Finished> {
    const [program, ...args] = [...command, process.execPath, `${CHILDREN}${child}`];
    return namespace.exec(program!, args, { timeout: 20_000 });
  }

  test("clients of the kernel's TCP get what their tests expect", async () => {
    const { code, stdout } = await run('kernel-client.mjs');
    expect(stdout).toMatch(/^# pass 7\n# fail 0$/m);
    expect(code).toBe(0);
  });

  test('without rights, one sentence says what to do', async () => {
    const { stdout } = await run('refused.mjs', 'setpriv', '--bounding-set', '-net_admin');
    expect(stdout).toBe(
      'ERR_PEER_NETWORK: Cannot open a TUN device: no permission to create a network interface ' +
        "(CAP_NET_ADMIN); run the tests within `finwait shell`; or leave out network: 'tun'\n",
    );
  });

  test('and so it does where the device is closed to its user', async () => {
    const user = ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups'];
    const { stdout } = await run('refused.mjs', 'setpriv', ...user);
    expect(stdout).toMatch(/^ERR_PEER_NETWORK: .* \/dev\/net\/tun; run as root, or once: .*; or/);
  });

  test('a client that waits for its peer keeps the process alive', async () => {
    const { code, stdout, stderr } = await run('waiting.mjs');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'alive\nclosed\n', stderr: '' });
  });

  test('a peer that was forgotten keeps no process alive', async () => {
    const { code, stdout, stderr } = await run('forgotten.mjs');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ESTABLISHED\n', stderr: '' });
  });
});
