// The programs of Debian that the tests need: looks for them, and installs what is missing where it
// may. Must not know what the tests do with them.

import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian package by program. */
const TOOLS = {
  curl: 'curl',
  flock: 'util-linux',
  ip: 'iproute2',
  iperf3: 'iperf3',
  nc: 'netcat-openbsd',
  nghttp: 'nghttp2-client',
  nsenter: 'util-linux',
  openssl: 'openssl',
  ping: 'iputils-ping',
  ps: 'procps',
  python3: 'python3',
  'redis-server': 'redis-server',
  script: 'bsdutils',
  setpriv: 'util-linux',
  ss: 'iproute2',
  sysctl: 'procps',
  tcpdump: 'tcpdump',
  tmux: 'tmux',
  tshark: 'tshark',
  unshare: 'util-linux',
  wrk: 'wrk',
};

if (missing().length > 0 && process.getuid() === 0 && find('apt-get') !== undefined) {
  console.log(`The tests need ${missing().join(', ')}: installing`);
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...missing());
}
if (missing().length > 0) {
  console.error(
    'The tests need programs that are missing here. As root:\n' +
      `  apt-get update && apt-get install --no-install-recommends ${missing().join(' ')}`,
  );
  process.exit(1);
}

/** Packages of which a program is not there. */
function missing() {
  const names = Object.keys(TOOLS).filter((name) => {
    const path = find(name);
    // netcat-traditional has the same name, but neither -N nor IPv6
    return path === undefined || (name === 'nc' && !realpathSync(path).endsWith('openbsd'));
  });
  return [...new Set(names.map((name) => TOOLS[name]))];
}

function find(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function apt(...args) {
  // Without a terminal debconf would ask whether everybody may capture, and iperf3 may be a daemon.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', args, { stdio: 'inherit', env });
}
