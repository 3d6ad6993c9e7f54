// Why there is no network for an ordinary user: what is said of each refusal, on machines as they are told of,
// and on this one where it can be made to refuse. Knows Linux's ways; must not know how networks are made.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  containerKind,
  explainRefusal,
  explainTun,
  type Surroundings,
  settingsRefusal,
} from '../../src/cli/refusals.js';
import type { SystemError } from '../../src/device/device-error.js';
import { describeKernel } from '../support/kernel.js';
import type { Finished } from '../support/namespace.js';
import { asUser, type Device, Home, USER_TOOLS, whyNoUser } from '../support/ordinary-user.js';
import { BUILD_MS, buildProgram, MAIN, Place } from './program.js';

/** A machine with these files. */
function machine(files: Record<string, string> = {}, uid = 1000): Surroundings {
  return { uid, read: (path) => files[path] ?? '', exists: (path) => path in files };
}

/** What the addon throws. */
function refusal(what: string, code: string): SystemError {
  const [syscall = '', subject = ''] = what.split(' ');
  return Object.assign(new Error(`${what}: so it is`), { code, syscall, subject });
}

const SYSCTL = '/proc/sys';

describe('an error of the system is explained', () => {
  test.each<[string, string, Record<string, string>, string, string]>([
    [
      'unshare user',
      'ENOSPC',
      { [`${SYSCTL}/user/max_user_namespaces`]: '0' },
      'user.max_user_namespaces is 0',
      'sudo sysctl user.max_user_namespaces=10000',
    ],
    [
      'unshare user',
      'ENOSPC',
      { [`${SYSCTL}/user/max_user_namespaces`]: '7' },
      'all 7 user namespaces that user.max_user_namespaces allows are in use, or they are nested too deeply ' +
        '(the kernel calls that ENOSPC; no disk is full)',
      'sudo sysctl user.max_user_namespaces=14',
    ],
    [
      'unshare network',
      'ENOSPC',
      { [`${SYSCTL}/user/max_net_namespaces`]: '0', [`${SYSCTL}/user/max_user_namespaces`]: '9' },
      'user.max_net_namespaces is 0',
      'sudo sysctl user.max_net_namespaces=10000',
    ],
    [
      'unshare user',
      'EPERM',
      { [`${SYSCTL}/kernel/unprivileged_userns_clone`]: '0' },
      'kernel.unprivileged_userns_clone is 0',
      'sudo sysctl kernel.unprivileged_userns_clone=1',
    ],
    [
      'write /proc/self/uid_map',
      'EPERM',
      { [`${SYSCTL}/kernel/apparmor_restrict_unprivileged_userns`]: '1' },
      'AppArmor takes the rights away in user namespaces',
      'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    ],
    [
      'unshare user',
      'EPERM',
      { '/.dockerenv': '' },
      'the container (Docker) does not allow it: unshare user: so it is',
      'docker run --cap-add NET_ADMIN --device /dev/net/tun ...',
    ],
    ['unshare user', 'EINVAL', {}, 'this kernel has no user namespaces', 'run it with sudo'],
    ['unshare network', 'EPERM', {}, 'unshare network: so it is', 'run it with sudo'],
    ['fcntl F_DUPFD', 'EMFILE', { '/.dockerenv': '' }, 'fcntl F_DUPFD: so it is', '--debug'],
    [
      'open /dev/net/tun',
      'EACCES',
      {},
      '/dev/net/tun may not be opened by this user, and a user namespace does not change that',
      'sudo chmod 0666 /dev/net/tun',
    ],
  ])('%s: %s', (what, code, files, finding, fix) => {
    const [said, mends] = explainRefusal(refusal(what, code), machine(files));
    expect(said).toBe(finding);
    expect(mends).toContain(fix);
  });

  test('root in a container is not told to become root', () => {
    const [, fix] = explainRefusal(refusal('unshare user', 'EPERM'), machine({}, 0));
    expect(fix).toContain('docker run --cap-add NET_ADMIN');
  });

  test('settings that allow it refuse nothing', () => {
    const files = {
      [`${SYSCTL}/user/max_user_namespaces`]: '96000',
      [`${SYSCTL}/kernel/unprivileged_userns_clone`]: '1',
      [`${SYSCTL}/kernel/apparmor_restrict_unprivileged_userns`]: '0',
    };
    expect(settingsRefusal(machine(files))).toBeNull();
  });
});

describe('/dev/net/tun that cannot be opened', () => {
  const release = { '/proc/sys/kernel/osrelease': '6.1.0-9' };
  test.each<[string, Record<string, string>, number, string, string]>([
    [
      'ENOENT',
      { '/.dockerenv': '' },
      0,
      'is missing in this container (Docker)',
      'docker run --device',
    ],
    [
      'ENOENT',
      { ...release, '/lib/modules/6.1.0-9': '' },
      0,
      'the driver tun is not loaded',
      'sudo modprobe tun',
    ],
    [
      'ENODEV',
      release,
      0,
      'there is no /lib/modules/6.1.0-9 to load it from',
      'reboot, if the kernel was updated',
    ],
    [
      'EPERM',
      { '/run/.containerenv': '' },
      0,
      'even by root: the container (Podman)',
      'docker run --device',
    ],
    ['EACCES', {}, 0, 'even by root', 'docker run --device'],
    ['EACCES', {}, 1000, 'by this user', 'sudo chmod 0666 /dev/net/tun'],
  ])('%s %j, user %d', (code, files, uid, finding, fix) => {
    const [said, mends] = explainTun(code, machine(files, uid));
    expect(said).toContain('/dev/net/tun');
    expect(said).toContain(finding);
    expect(mends).toContain(fix);
  });
});

test.each([
  [{ '/.dockerenv': '' }, 'Docker'],
  [{ '/run/.containerenv': '' }, 'Podman'],
  [{ '/proc/1/environ': 'HOME=/\0container=lxc\0A=b' }, 'lxc'],
  [{ '/proc/1/environ': 'notcontainer=lxc' }, null],
])('%j: the container is %s', (files, kind) => {
  expect(containerKind(machine(files as Record<string, string>))).toBe(kind);
});

describeKernel('a user to whom this machine refuses it', [...USER_TOOLS, 'chroot'], () => {
  let place: Place;
  let home: Home;

  beforeAll(async () => {
    buildProgram();
    place = await Place.create();
    home = new Home();
  }, BUILD_MS);
  beforeEach((context) => {
    if (whyNoUser(MAIN) !== '') context.skip();
  });
  afterAll(async () => {
    await place.close();
    home.remove();
  });

  function finwait(device: Device, args: string): Promise<Finished> {
    const env = { ...place.env, FINWAIT_RUNTIME_DIR: home.path };
    const command = asUser(device, process.execPath, MAIN, ...args.split(' '));
    return place.namespace.exec(...command, { env });
  }

  /** Nobody in a changed root may make user namespaces: user_namespaces(7). Such a root holds all there is. */
  const IN_CHROOT = { prepare: 'mount --rbind / /mnt', chroot: 'chroot /mnt' };
  /** Settings that this kernel may not have. */
  const setting = (name: string, value: string) =>
    `mount -t tmpfs -o mode=755 none /proc/sys/kernel && echo ${value} > /proc/sys/kernel/${name}`;
  const NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces';

  test.each<[string, Device, string, string]>([
    [
      'a device for root only',
      { mode: '0600' },
      '/dev/net/tun may not be opened by this user, and a user namespace does not change that',
      'sudo chmod 0666 /dev/net/tun',
    ],
    ['no device', { mode: '' }, '/dev/net/tun ', '/dev/net/tun'],
    ['a device without a driver', { minor: 255 }, '/dev/net/tun cannot be opened (ENODEV)', 'tun'],
    [
      'AppArmor',
      {
        ...IN_CHROOT,
        prepare: `${setting('apparmor_restrict_unprivileged_userns', '1')} && ${IN_CHROOT.prepare}`,
      },
      'AppArmor takes the rights away in user namespaces',
      'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    ],
    [
      'unprivileged_userns_clone',
      {
        ...IN_CHROOT,
        prepare: `${setting('unprivileged_userns_clone', '0')} && ${IN_CHROOT.prepare}`,
      },
      'kernel.unprivileged_userns_clone is 0',
      'sudo sysctl kernel.unprivileged_userns_clone=1',
    ],
  ])('%s: serve and doctor say so, and what mends it', async (_, device, finding, fix) => {
    for (const command of ['serve', 'doctor']) {
      const { code, stdout, stderr } = await finwait(device, command);
      const said = command === 'doctor' ? stdout : stderr;
      expect(said).toContain(finding);
      expect(said.slice(said.indexOf('fix: '))).toContain(fix);
      expect(code).toBe(3);
    }
  });

  test('max_user_namespaces, which the kernel calls a full disk', async () => {
    // The limit of a user namespace of its own, so that nobody else's is touched.
    const script = `${NO_NAMESPACES}; exec setpriv --bounding-set=-all --inh-caps=-all "$@"`;
    const inside = ['unshare', '--user', '--map-root-user', 'sh', '-c', script, 'sh'];
    for (const command of ['serve', 'doctor']) {
      const { code, stdout, stderr } = await place.namespace.exec(
        ...asUser({}, ...inside, process.execPath, MAIN, command),
        { env: place.env },
      );
      expect(stdout + stderr).toContain('user.max_user_namespaces is 0');
      expect(stdout + stderr).toContain('sudo sysctl user.max_user_namespaces=10000');
      expect(stdout + stderr).not.toContain('No space left');
      expect(code).toBe(3);
    }
  });

  test('doctor finds all well in a network of its own, whatever this one has', async () => {
    await place.namespace.ip('tuntap add fw0 mode tun');
    await place.namespace.ip('address add 10.9.0.1/24 dev fw0');
    const { code, stdout } = await finwait({}, 'doctor');
    expect(stdout).toContain('this process has CAP_NET_ADMIN, in a network of its own');
    expect(stdout).toContain('trial: fw0 can be opened');
    expect(stdout).toContain('finwait serve will work, in a network of its own.');
    expect(code).toBe(0);
    const here = await finwait({}, 'doctor --host-network');
    expect(here.stdout).toContain('BAD   capability: this process lacks CAP_NET_ADMIN');
    expect(here.code).toBe(3);
    await place.namespace.ip('link del fw0');
  });

  test('a shell is refused as well, and a network inside of one allowed', async () => {
    const { code, stderr } = await finwait({ mode: '0600' }, 'shell true');
    expect(stderr).toContain('finwait shell: /dev/net/tun may not be opened by this user');
    expect(code).toBe(3);
    const nested = await finwait({}, `shell ${process.execPath} ${MAIN} shell ip -br link`);
    expect(nested.stdout).toMatch(/^lo .*\nfw0 .*\n$/);
  });

  test('rights over networks that are not over this one are of no use here', async () => {
    const inside = ['unshare', '--user', '--map-root-user', process.execPath, MAIN];
    const { code, stdout } = await place.namespace.exec(...asUser({}, ...inside, 'doctor'), {
      env: place.env,
    });
    expect(stdout).toContain('this process has CAP_NET_ADMIN, in a network of its own');
    expect(code).toBe(0);
  });

  test('the lab in a container takes more than a stack', async () => {
    // As Docker has it: root without the right to make namespaces, of which a changed root reminds the kernel.
    const { code, stderr } = await place.sh(
      `unshare --mount sh -c 'mount --rbind / /mnt && exec chroot /mnt setpriv --bounding-set=-all,+net_admin ` +
        `${process.execPath} ${MAIN} lab run handshake'`,
    );
    expect(stderr).toContain('docker run --privileged ...; or leave the kernel out: --sim');
    expect(code).toBe(3);
  });

  test('a device that is closed is one trouble', async () => {
    const { stdout } = await finwait({ mode: '0600' }, 'doctor');
    expect(stdout.match(/^BAD .*$/gm)).toEqual([expect.stringContaining('BAD   tun: ')]);
  });

  test('a namespace that is not there is named', async () => {
    const { code, stdout } = await finwait({}, 'doctor --netns /nowhere');
    expect(stdout).toContain('there is no network namespace /nowhere');
    expect(code).toBe(3);
  });

  test('--host-network stays, and says what that takes', async () => {
    const { code, stderr } = await finwait({}, 'serve --host-network');
    expect(stderr).toContain('no permission to create a network interface (CAP_NET_ADMIN)');
    expect(code).toBe(3);
  });
});
