// `finwait doctor` on machines that lack something; and the program's first words.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canUseNamespaces } from '../support/namespace.js';
import { BUILD_MS, buildProgram, MAIN, Place } from './program.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`doctor.test.ts is skipped: ${possible.why}`);

describe.skipIf(!possible.ok)('the program', () => {
  let place: Place;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
  }, BUILD_MS);

  afterAll(async () => {
    await place.close();
  });

  it('helps, and tells its version', async () => {
    for (const args of ['', '--help', 'help']) {
      const { code, stdout } = await place.finwait(args);
      expect([code, stdout]).toEqual([0, expect.stringContaining('finwait COMMAND [options]')]);
    }
    expect((await place.finwait('--version')).stdout).toMatch(/^finwait \d+\.\d+\.\d+\n$/);
    for (const command of ['serve', 'nc', 'ss', 'doctor']) {
      for (const args of [`${command} --help`, `${command} -h`, `help ${command}`]) {
        const { code, stdout } = await place.finwait(args);
        expect([code, stdout]).toEqual([0, expect.stringContaining(`finwait ${command} [`)]);
      }
    }
  });

  it.each([
    ['sreve', 'finwait: unknown command sreve\n  fix: did you mean finwait serve?\n'],
    ['frobnicate', 'finwait: unknown command frobnicate\n  fix: see finwait --help\n'],
    ['--frob', 'finwait: unknown option --frob\n  fix: see finwait --help\n'],
    ['constructor', 'finwait: unknown command constructor\n  fix: see finwait --help\n'],
    ['doctor --jsno', 'finwait doctor: unknown option --jsno\n  fix: did you mean --json?\n'],
    [
      'doctor now',
      'finwait doctor: "now" is one argument too many\n  fix: see finwait doctor --help\n',
    ],
  ])('refuses `finwait %s` with exit code 2', async (args, message) => {
    expect(await place.finwait(args)).toEqual({ code: 2, stdout: '', stderr: message });
  });

  it('shows a stack trace with --debug only', async () => {
    const { stderr } = await place.finwait('doctor now --debug');
    expect(stderr).toMatch(/ {4}at .*command\.js/);
  });

  it('colours a terminal only, and never with NO_COLOR', async () => {
    const onTerminal = `script -qec '${process.execPath} ${MAIN} --help' /dev/null`;
    expect((await place.sh(`env -u NO_COLOR -u CI TERM=xterm ${onTerminal}`)).stdout).toContain(
      '\u001b[1m',
    );
    expect((await place.sh(`env -u CI NO_COLOR=1 TERM=xterm ${onTerminal}`)).stdout).not.toContain(
      '\u001b',
    );
    expect((await place.finwait('--help')).stdout).not.toContain('\u001b');
  });

  it('does not mind a reader that stops', async () => {
    const { stdout, stderr } = await place.sh(
      `{ ${process.execPath} ${MAIN} serve --help; echo "code $?" >&2; } | true`,
    );
    expect([stdout, stderr]).toEqual(['', 'code 0\n']);
  });
});

describe.skipIf(!possible.ok)('finwait doctor', () => {
  let place: Place;
  const doctor = `${process.execPath} ${MAIN} doctor`;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
  }, BUILD_MS);

  afterAll(async () => {
    await place.close();
  });

  it('finds all well where it is, and leaves no interface behind', async () => {
    const { code, stdout } = await place.finwait('doctor');
    expect(stdout).toContain('All is well');
    expect(code).toBe(0);
    expect(await place.interfaces()).toEqual([]);
    const report = JSON.parse((await place.finwait('doctor --json')).stdout);
    expect(report.ok).toBe(true);
    expect(report.checks.map(({ name }: { name: string }) => name)).toEqual([
      'node',
      'addon',
      'container',
      'tun',
      'capability',
      'user namespaces',
      'ipv6',
      'name',
      'addresses',
      'trial',
    ]);
  });

  it.each([
    [
      'a missing /dev/net/tun',
      `unshare -m sh -c 'mount -t tmpfs none /dev/net && ${doctor}'`,
      'BAD   tun: /dev/net/tun ',
      'docker run --device /dev/net/tun',
    ],
    [
      'a /dev/net/tun for root only',
      `setpriv --reuid nobody --regid nogroup --clear-groups ${doctor}`,
      'BAD   tun: /dev/net/tun may not be opened by this user',
      'sudo chmod 0666 /dev/net/tun',
    ],
    [
      'a missing capability',
      `setpriv --bounding-set -net_admin ${doctor} --host-network`,
      'BAD   capability: this process lacks CAP_NET_ADMIN',
      'run it with sudo',
    ],
    [
      'a name that is taken',
      `ip tuntap add fwd0 mode tap && ${doctor} --name fwd0; code=$?; ip link del fwd0; exit $code`,
      'BAD   trial: Cannot open the TUN device fwd0: an interface of that name exists',
      'choose another name',
    ],
    [
      'an address that the machine has already',
      `ip tuntap add fwd1 mode tap && ip addr add 10.9.0.1/24 dev fwd1 && ${doctor}; code=$?; ip link del fwd1; exit $code`,
      'BAD   addresses: 10.9.0.1 is already an address of fwd1',
      '--address 10.77.0.2 --peer 10.77.0.1/24',
    ],
  ])('sees %s, and says what mends it', async (_, line, finding, fix) => {
    const { code, stdout } = await place.sh(line);
    expect(stdout).toContain(finding);
    expect(stdout).toContain(fix);
    expect(stdout).toContain('finwait serve will not work');
    expect(code).toBe(3);
  });

  it('is content with what docker run --cap-add NET_ADMIN gives', async () => {
    const { code, stdout } = await place.sh(`setpriv --bounding-set=-all,+net_admin ${doctor}`);
    expect(stdout).toContain('capability: this process has CAP_NET_ADMIN\n');
    expect(code).toBe(0);
  });

  it('notes that IPv6 is disabled, which is no obstacle', async () => {
    const sysctl = 'sysctl -wq net.ipv6.conf.default.disable_ipv6';
    const { code, stdout } = await place.sh(
      `${sysctl}=1; ${doctor}; code=$?; ${sysctl}=0; exit $code`,
    );
    expect(stdout).toContain('note  ipv6: disabled in this kernel or namespace: IPv4 only');
    expect(code).toBe(0);
  });

  it('accepts an interface that root has made for this user', async () => {
    const { code, stdout } = await place.sh(
      `exec unshare -m sh -c 'mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 &&
       ip tuntap add fwd2 mode tun user nobody && ip link set fwd2 up mtu 1500 &&
       ip addr add 10.9.0.1/24 dev fwd2 && ip addr add fd09::1/64 dev fwd2 &&
       setpriv --reuid nobody --regid nogroup --clear-groups ${doctor} --name fwd2; code=$?
       ip link del fwd2; exit $code'`,
    );
    expect(stdout).toContain('trial: fwd2 can be opened');
    expect(code).toBe(0);
  });
});
