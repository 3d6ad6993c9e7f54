// One close against the kernel, to be stepped through: `npm run debug:close`. The process stays in the
// network of whoever started it, where a debugger finds it; only the device and the kernel's program are
// in a network of their own. Knows the library; must not know the debugger.
//
//   node scripts/one-close.mjs active|passive

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { openStack } from '../dist/index.js';
import { kernelSockets } from '../dist/trace/kernel-sockets.js';
import { Recorder } from '../dist/trace/recorder.js';
import { Timeline } from '../dist/trace/timeline.js';

const OURS = '10.9.0.2';
const PORT = 7000;
/** TIME-WAIT lasts two of these, ms. */
const MSL = 500;

const who = process.argv[2] ?? 'active';
const peer = await startPeer();
const stack = open(`/proc/${peer.pid}/ns/net`);
const server = stack.net.createServer({ allowHalfOpen: true }, talk);
try {
  await once(server.listen(PORT, OURS), 'listening');
  console.log(`one ${who} close; the kernel’s end is in the network of process ${peer.pid}`);
  peer.stdin.write('go\n');
  const [[socket], [outcome]] = await Promise.all([
    once(server, 'connection'),
    once(peer.lines, 'line'),
  ]);
  if (!socket.closed) await once(socket, 'close');
  await timeWaitOver();
  const { rttUs, retransmits } = socket.tcpInfo();
  const ending = socket.closeReason === 'fin' ? 'closed in order' : socket.closeReason;
  console.log(`ours: ${ending}, round trip ${rttUs} µs, ${retransmits} sent again`);
  console.log(`the kernel’s program: ${outcome}`);
} finally {
  server.close();
  await stack.close();
  peer.stdin.end();
}

function open(netns) {
  try {
    return openStack({ tun: { netns }, tcp: { msl: MSL }, probe: tellStates() });
  } catch (error) {
    console.error(`${error.message}\n\nWhat this machine lacks: npx finwait doctor`);
    process.exit(1);
  }
}

/** What our program does with the connection. */
function talk(socket) {
  socket.on('error', (error) => console.log(`  ours: ${error.message}`));
  socket.once('data', () => {
    socket.write('welcome\n');
    // In a turn of its own, while the data are on their way: a breakpoint here is one in mid-flight.
    if (who === 'active') setImmediate(() => socket.end());
  });
  if (who === 'passive') socket.on('end', () => socket.end());
}

/**
 * Our changes of state, each with the kernel's state at that very moment: it is read before our stack goes
 * on, so what it is about to send has not been sent. (Events of a socket come when its turn is over.)
 */
function tellStates() {
  const timeline = new Timeline(1);
  timeline.onEvent = ({ kind, from, to }) => {
    if (kind !== 'state') return;
    console.log(`  ours ${`${from} -> ${to}`.padEnd(28)} the kernel’s ${kernelState()}`);
  };
  return new Recorder(timeline);
}

function kernelState() {
  const row = kernelSockets(`/proc/${peer.pid}/net`).find(({ remotePort }) => remotePort === PORT);
  return row?.state ?? 'CLOSED';
}

async function timeWaitOver() {
  while (stack.core.timeWaits().length > 0) {
    await new Promise((resolve) => setTimeout(resolve, MSL / 5));
  }
}

async function startPeer() {
  // Debuggers attach to children by these; this one they could not reach.
  const { NODE_OPTIONS, VSCODE_INSPECTOR_OPTIONS, ...env } = process.env;
  const script = new URL('one-close-kernel.mjs', import.meta.url).pathname;
  const command = ['--net', process.execPath, script, who, OURS, PORT];
  const { pid, stdin, stdout } = spawn('unshare', command.map(String), {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: stdout });
  await once(lines, 'line');
  return { pid, stdin, lines };
}
