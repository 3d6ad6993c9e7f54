// A worker with a device of its own: pings the kernel, posts whether it answered, and ends as told.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const native = createRequire(import.meta.url)('node-gyp-build')(root);

const { name, netns, address, request, end } = workerData;
const { handle } = native.open(name, netns, 1500, 500, true, [address], 0, 1);
const memory = new ArrayBuffer(2 * 65_536);
const bytes = new Uint8Array(memory);
const [rx, tx, control] = [new Int32Array(5), new Int32Array(8), new Int32Array(16)];

function onReceive() {
  const isEchoReply = bytes[0] === 0x45 && bytes[9] === 1 && bytes[20] === 0;
  if (!isEchoReply) return;
  parentPort.postMessage('answered');
  if (end === 'close') native.close(handle);
  if (end === 'idle') native.reference(handle, false);
  if (end === 'exit') process.exit(0);
}

const slots = Int32Array.of(0);
const counters = new Float64Array(9);
const ignore = () => {};
native.attach(
  handle,
  memory,
  slots,
  65_536,
  rx,
  tx,
  counters,
  control,
  onReceive,
  ignore,
  ignore,
  50,
);
native.reference(handle, true);
bytes.set(request, 65_536);
tx[0] = 65_536;
tx[1] = request.length;
native.transmit(handle, 1);
