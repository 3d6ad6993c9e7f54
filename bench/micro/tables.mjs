// Finding a connection, and moving its timer, among many others.

import { FlowTable } from '../../dist/stack/flow-table.js';
import { TimerWheel } from '../../dist/stack/timer-wheel.js';
import { IpAddress } from '../../dist/wire/address.js';

const LOCAL = IpAddress.parse('10.9.0.2');
const MANY = 100_000;
/** Prime to the counts, so that it comes to each flow, and not in the order of memory. */
const STRIDE = 7919;

function demultiplex(count) {
  const table = new FlowTable(0x1234_5678, 0x0bad_cafe);
  const remotes = [];
  for (let i = 0; i < count; i++) {
    const remote = IpAddress.parse(`10.9.${1 + (i >> 14)}.1`);
    const port = 1024 + (i & 0x3fff);
    remotes.push([remote.w3, (80 << 16) | port]);
    table.add(LOCAL, 80, remote, port);
  }
  const { w0, w1, w2, w3 } = LOCAL;
  const words = new Int32Array(remotes.flat());
  let next = 0;
  return () => {
    next = (next + STRIDE) % count;
    return table.find(w0, w1, w2, w3, w0, w1, w2, words[2 * next], words[2 * next + 1]);
  };
}

/** As a connection does with each segment that it sends: the deadline moves. */
function rearm() {
  const wheel = new TimerWheel(0);
  for (let id = 0; id < MANY; id++) wheel.arm(id, 200 + (id % 7000));
  let next = 0;
  return () => {
    next = (next + STRIDE) % MANY;
    wheel.arm(next, 200 + ((next * 31) % 7000));
  };
}

function armAndFire() {
  const wheel = new TimerWheel(0);
  let now = 0;
  let fired = 0;
  const fire = () => fired++;
  return () => {
    wheel.arm(1, now + 200);
    now = (now + 200) | 0;
    wheel.advance(now, fire);
    return fired;
  };
}

export const tables = [
  ['find a flow among 100', demultiplex(100)],
  ['find a flow among 100,000', demultiplex(MANY)],
  ['move a timer among 100,000', rearm()],
  ['arm a timer, and fire it', armAndFire()],
];
