// What child processes of the device tests do; the first argument says which. Results go to stdout
// as JSON. Each runs in the network namespace that its parent chose.
import { readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceError } from '../../../src/device/device-error.js';
import { type Handle, native } from '../../../src/device/native.js';
import { SystemClock } from '../../../src/device/system-clock.js';
import { TunDevice } from '../../../src/device/tun.js';
import { echoRequest, IPV4_ECHO_REPLY } from '../packets.js';
import { attachNative, TestPort } from '../port.js';

const IPV4 = { address: '10.9.0.1/24' };

function report(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/**
 * Whether the kernel answers a ping by way of the device. It is asked ten times a second: an interface that
 * was up without anybody has no carrier, and drops what goes out until the kernel's linkwatch has noticed
 * its new owner, which on a busy machine takes up to a second.
 */
async function answers(device: TunDevice, port: TestPort): Promise<boolean> {
  const [local] = device.addresses;
  const to = String(local!.address);
  for (let i = 0; i < 1000; i++) {
    if (i % 20 === 0) port.send(device, echoRequest(to.replace(/1$/, '2'), to, 'ping'));
    if (port.packets.some(({ bytes }) => IPV4_ECHO_REPLY(bytes))) return true;
    await sleep(5);
  }
  return false;
}

function openAttached(options = {}): { device: TunDevice; port: TestPort } {
  const device = TunDevice.open({ ...IPV4, ...options });
  const port = new TestPort();
  device.attach(port);
  return { device, port };
}

async function tryOpening(): Promise<void> {
  try {
    const { device, port } = openAttached();
    const answered = await answers(device, port);
    const { offload, warnings, maxSegmentBytes } = device;
    report({ answered, offload, warnings, maxSegmentBytes });
  } catch (error) {
    const { name, code, syscall, message, hint } = error as DeviceError;
    report({ name, code, syscall, message, hint });
  }
}

/** The number of the next packet in descriptor 4, -1 for something else, undefined for nothing. */
function readNumber(): number | undefined {
  const buffer = Buffer.alloc(2048);
  try {
    const length = readSync(4, buffer);
    const intact = buffer.subarray(20, 99).every((byte) => byte === buffer[20]);
    return length === 100 && intact ? buffer[20]! + 256 * buffer[99]! : -1;
  } catch {
    return undefined;
  }
}

/** For which part of the time the event loop did not sleep, 0 to 1. */
async function busyFor(ms: number): Promise<number> {
  const before = performance.eventLoopUtilization();
  await sleep(ms);
  return performance.eventLoopUtilization(before).utilization;
}

/** Sends numbered packets into descriptor 3, more than it takes, then reads them from 4. */
async function overfill(): Promise<void> {
  const handle: Handle = native().adopt(3);
  const port = new TestPort(1, 2048, 200);
  const counters = attachNative(handle, port);
  const send = (from: number, to: number) => {
    for (let number = from; number < to; number++) {
      const bytes = new Uint8Array(100).fill(number);
      bytes[0] = 0x45;
      bytes[99] = number >> 8;
      port.describe(number - from, { bytes, headerLength: 20, firstPiece: 30 });
    }
    native().transmit(handle, to - from);
  };
  const read: number[] = [];
  send(0, 200);
  const atOnce = counters[2];
  // There is room again, but those that wait come first.
  const first = readNumber();
  send(200, 300);
  const dropped = counters[4];
  await sleep(50);
  const busyWaiting = await busyFor(200);
  for (let number = first, pauses = 0; pauses < 20; number = readNumber()) {
    if (number === undefined) await sleep(2);
    else if (number >= 0) read.push(number);
    pauses = number === undefined ? pauses + 1 : 0;
  }
  const busyIdle = await busyFor(100);
  // Once all is gone new packets go straight on again.
  send(300, 301);
  report({ atOnce, dropped, sent: counters[2], busyWaiting, busyIdle, read });
  native().close(handle);
}

const scenarios: Record<string, () => void | Promise<void>> = {
  open: tryOpening,
  overfill,
  /** Nothing left to do but an unreferenced device and an alarm in the far future. */
  idle() {
    openAttached();
    new SystemClock().setAlarm(3_600_000_000, () => {});
    report('idle');
  },
  referenced() {
    openAttached().device.ref();
    report('referenced');
  },
  /** The referenced clock is what keeps it alive for 50 ms. */
  alarm() {
    const clock = new SystemClock();
    clock.ref();
    clock.setAlarm(clock.now() + 50_000, () => report('alarm'));
  },
  exit() {
    const { device, port } = openAttached();
    device.ref();
    port.onReceive = () => process.exit(3);
    port.send(device, echoRequest('10.9.0.2', '10.9.0.1', 'ping'));
  },
  /** An exception in a callback of the device is the process's, as in any other callback. */
  uncaught() {
    const { device, port } = openAttached();
    device.ref();
    process.once('uncaughtException', (error) => {
      process.nextTick(() => device.close());
      report(error.message);
    });
    port.onReceive = () => {
      throw new Error('thrown in receive');
    };
    port.send(device, echoRequest('10.9.0.2', '10.9.0.1', 'ping'));
  },
};

await scenarios[process.argv[2]!]!();
