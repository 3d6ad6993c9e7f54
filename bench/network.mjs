// A network of our own, with nothing outside of it. Knows namespaces, routes and settings of Linux; must
// not know what is measured.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './processes.mjs';

const SETTINGS = [
  'net.ipv4.tcp_tw_reuse=1',
  'net.ipv4.ip_local_port_range=2000 65000',
  'net.core.somaxconn=4096',
  'net.ipv4.tcp_max_syn_backlog=8192',
];

/** unshare(1): an ordinary user is root among itself. */
const AS_USER = ['--user', '--map-root-user'];
const NAMESPACES = ['--net', '--pid', '--mount', '--mount-proc', '--fork', '--kill-child'];

/** Why an ordinary user cannot have such namespaces, in the words of unshare(1); '' where it can. */
export function whyNotAsUser() {
  const { status, stderr } = spawnSync('unshare', [...AS_USER, ...NAMESPACES, 'true'], {
    encoding: 'utf8',
  });
  return status === 0 ? '' : stderr.trim();
}

/**
 * Runs `script` again inside of new namespaces: of networks, so that nothing can leave, and of
 * processes, so that nothing stays: whatever was started ends with the first of them. The folder for
 * what is built is given to it as FINWAIT_BENCH, and is removed at the end.
 * @returns its exit code
 */
export function insideOfNamespace(script, args, asRoot) {
  const folder = mkdtempSync(join(tmpdir(), 'finwait-bench-'));
  const user = asRoot ? [] : AS_USER;
  const child = spawn('unshare', [...user, ...NAMESPACES, process.execPath, script, ...args], {
    stdio: 'inherit',
    env: { ...process.env, FINWAIT_BENCH: folder },
  });
  let signalled = 0;
  // The terminal tells the whole group, `kill` only us: then we end `unshare`, and it ends all.
  const end = (signal, number) => {
    signalled = 128 + number;
    child.kill('SIGKILL');
    return signal;
  };
  process.on('SIGINT', () => end('SIGINT', 2)).on('SIGTERM', () => end('SIGTERM', 15));
  return new Promise((resolve, reject) => {
    const tidy = () => rmSync(folder, { recursive: true, force: true });
    child.on('error', (error) => {
      tidy();
      reject(new Error(`unshare cannot be run: ${error.message}`));
    });
    child.on('close', (code) => {
      tidy();
      resolve(signalled || (code ?? 1));
    });
  });
}

/** Settings of the kernel's TCP; `enter` is how to get into another namespace. */
export async function setUpKernel(enter = []) {
  await ip(enter, 'link', 'set', 'lo', 'up');
  const [command, ...args] = [...enter, 'sysctl', '-qw', ...SETTINGS];
  await run(command, args);
}

/**
 * A namespace may not choose its default congestion control, but a route may; BBR, the default of some
 * machines, paces and would measure its own timers. The client asks for CUBIC by itself.
 */
export async function useCubicOnLoopback() {
  for (const prefix of ['127.0.0.0/8', '127.0.0.1']) {
    const route = `route replace local ${prefix} dev lo table local proto kernel scope host`;
    await ip([], ...route.split(' '), 'src', '127.0.0.1', 'congctl', 'cubic');
  }
}

/** A TUN device that stays while the namespace does, for programs that attach to it. */
export async function addTun(name, address) {
  await ip([], 'tuntap', 'add', 'mode', 'tun', 'name', name);
  await ip([], 'address', 'add', address, 'dev', name);
  await ip([], 'link', 'set', name, 'mtu', '1500', 'up');
}

export async function addAddresses(device, addresses) {
  for (const address of addresses) await ip([], 'address', 'add', `${address}/24`, 'dev', device);
}

export async function ip(enter, ...args) {
  const [command, ...rest] = [...enter, 'ip', ...args];
  await run(command, rest);
}
