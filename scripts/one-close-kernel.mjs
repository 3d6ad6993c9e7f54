// The kernel's end of scripts/one-close.mjs: a plain program in a network namespace of its own. It keeps
// its half open, so that the kernel never gives up a peer that stands at a breakpoint.

import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [who, host, port] = process.argv.slice(2);
/** Between the stack's FIN and ours, ms: so that FIN-WAIT-2 is seen. */
const THINKING_MS = 100;

execFileSync('ip', ['link', 'set', 'lo', 'up']);
console.log('ready');

/** Goes when the other side does, however that ends. */
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'go') begin();
}
process.exit();

function begin() {
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  socket.write('hello\n');
  // The first FIN is ours where the stack is to close passively.
  if (who === 'passive') socket.once('data', () => socket.end());
  socket.resume().on('end', () => {
    if (who === 'active') setTimeout(() => socket.end(), THINKING_MS);
  });
  socket.on('error', ({ code }) => console.log(code));
  socket.on('close', (failed) => {
    if (!failed) console.log('closed in order');
  });
}
