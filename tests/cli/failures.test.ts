// What `finwait serve` says when it cannot start: each reason has its own message, fix and exit code.

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canUseNamespaces, type Finished } from '../support/namespace.js';
import { BUILD_MS, buildProgram, MAIN, Place } from './program.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`failures.test.ts is skipped: ${possible.why}`);

const SERVE = `${process.execPath} ${MAIN} serve`;

describe.skipIf(!possible.ok)('finwait serve cannot start', () => {
  let place: Place;

  beforeAll(buildProgram, BUILD_MS);

  beforeEach(async () => {
    place = await Place.create();
  });

  afterEach(async () => {
    await place.close();
  });

  /** One message, one fix, nothing else: no stack trace, nothing on stdout, no socket left. */
  function expectFailure(finished: Finished, code: number, message: string, fix: string): void {
    expect(finished.stderr).toMatch(/^finwait serve: [^\n]+\n {2}fix: [^\n]+\n$/);
    expect(finished.stderr).toContain(message);
    expect(finished.stderr.split('\n')[1]).toContain(fix);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(place.sockets).toEqual([]);
  }

  it.each([
    [
      '/dev/net/tun is missing',
      `unshare -m sh -c 'mount -t tmpfs none /dev/net && ${SERVE}'`,
      '/dev/net/tun is missing',
      'sudo modprobe tun',
    ],
    [
      '/dev/net/tun may not be opened',
      `setpriv --reuid nobody --regid nogroup --clear-groups ${SERVE}`,
      '/dev/net/tun may not be opened by this user, and a user namespace does not change that',
      'sudo chmod 0666 /dev/net/tun',
    ],
    [
      'CAP_NET_ADMIN is missing, and it is to stay here',
      `setpriv --bounding-set -net_admin ${SERVE} --host-network`,
      'no permission to create a network interface (CAP_NET_ADMIN)',
      'run as root',
    ],
    [
      'the name belongs to an interface of another kind',
      `ip tuntap add fw0 mode tap && ${SERVE}`,
      'Cannot open the TUN device fw0: an interface of that name exists and is no TUN device',
      'another name',
    ],
    [
      'the address is one of the machine’s',
      `ip tuntap add du0 mode tap && ip addr add 10.9.0.1/24 dev du0 && ${SERVE}`,
      '10.9.0.1 is already an address of du0',
      '--address 10.77.0.2 --peer 10.77.0.1/24',
    ],
    [
      'the address is routed elsewhere',
      `ip tuntap add du0 mode tap && ip link set du0 up && ip route add 10.9.0.0/24 dev du0 && ${SERVE}`,
      '10.9.0.1/24 is already routed: 10.9.0.0/24 leads to du0',
      '--address 10.77.0.2 --peer 10.77.0.1/24',
    ],
    [
      'the network namespace does not exist',
      `${SERVE} --netns /run/netns/nothing-like-it`,
      'there is no network namespace /run/netns/nothing-like-it',
      'ip netns list',
    ],
    [
      'the path is no network namespace',
      `${SERVE} --netns /proc/self/ns/uts`,
      '/proc/self/ns/uts is not a network namespace',
      '/run/netns/NAME',
    ],
    [
      'there is not enough memory',
      `prlimit --as=1900000000 ${SERVE} --memory 2047`,
      '2047 MiB of memory cannot be had in one piece',
      'give --memory a smaller number',
    ],
  ])('%s: exit code 3', async (_, line, message, fix) => {
    expectFailure(await place.sh(line), 3, message, fix);
  });

  it('the name is in use: exit code 3', async () => {
    const first = await place.start('serve', 'Ctrl-C ends it.');
    const sockets = place.sockets;
    const { code, stderr } = await place.finwait('serve');
    expect(stderr).toBe(
      'finwait serve: Cannot open the TUN device fw0: another program is using an interface of that name\n' +
        '  fix: end that program, or choose others: --name fw1 --address 10.77.0.2 --peer 10.77.0.1/24\n',
    );
    expect([code, place.sockets]).toEqual([3, sockets]);
    // The fix works as it stands.
    const fixed = 'serve --name fw1 --address 10.77.0.2 --peer 10.77.0.1/24';
    const second = await place.start(fixed, 'Ctrl-C ends it.');
    const doctor = await place.finwait('doctor');
    expect(doctor.stdout).toMatch(/BAD {3}name: fw0 is in use by finwait, process \d+\n/);
    expect(doctor.code).toBe(3);
    await Promise.all([first.stop(), second.stop()]);
    expect(await place.interfaces()).toEqual([]);
  });

  it.each([
    ['--address 10.9.0.1', '10.9.0.1 is on both sides', '--address 10.9.0.2'],
    ['--address nonsense', '"nonsense" is not an IP address', '10.9.0.2'],
    ['--address 10.8.0.2', 'outside --peer 10.9.0.1/24', 'the same network'],
    ['--peer 10.9.0.1', 'not an IP address with a prefix length', '10.9.0.1/24'],
    ['--name a-name-of-more-than-15-bytes', 'cannot be the name of a network interface', '1 to 15'],
    ['--name a/b', 'cannot be the name of a network interface', '1 to 15'],
    ['--http 65536', '--http takes a whole number from 1 to 65535', 'range'],
    ['--echo 80', 'http and echo cannot both have port 80', '--echo off'],
    ['--http', '--http needs a value', '--http PORT|off'],
    ['--htpp 80', 'unknown option --htpp', 'did you mean --http?'],
    ['--msl soon', '--msl takes a whole number', 'range'],
    ['now', '"now" is one argument too many', 'finwait serve --help'],
  ])('%s: exit code 2', async (args, message, fix) => {
    expectFailure(await place.finwait(`serve ${args}`), 2, message, fix);
  });

  it('shows where it failed with --debug', async () => {
    const { stderr, code } = await place.finwait('serve --debug --netns /proc/self/ns/uts');
    expect(code).toBe(3);
    expect(stderr).toMatch(/\n {4}at .*\ncaused by .*/s);
  });
});
