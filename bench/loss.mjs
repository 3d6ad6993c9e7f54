// What a bulk transfer makes of a path that loses packets: two stacks over a link in virtual time,
// beside the response functions of CUBIC and of Reno. Alone: `node bench/loss.mjs [--json] [--seeds N]`.
// Knows the simulation; the stack under test may be handed in.

import { parseArgs } from 'node:util';

const SECOND = 1_000_000;
const MIB = 1 << 20;
const CHUNK = new Uint8Array(1 << 16).fill(1);
/** TCP's payload of a packet of 1500 bytes, with timestamps. */
const MSS = 1448;

/** The modules of a build of the stack. */
async function modulesOf(build) {
  const load = (path) => import(new URL(path, build).href);
  const [core, winding, connection, link, clock, address] = await Promise.all(
    [
      'stack/core.js',
      'stack/winding.js',
      'tcp/connection.js',
      'device/link.js',
      'device/virtual-clock.js',
      'wire/address.js',
    ].map(load),
  );
  return { ...core, ...winding, ...connection, ...link, ...clock, ...address };
}

/**
 * Rows for each controller and loss: the median over `seeds`, in Mbit/s of application data, and what
 * the response function says. Losses are those of data; ACKs all arrive.
 * @param modules StackCore, wind, IdleHandler, MemoryLink, Simulation, IpAddress and Subnet; by default
 *   those of `dist`.
 */
export async function lossRows({
  seeds = [1, 2, 3, 4, 5],
  bytes = 10 * MIB,
  lossPercents = [0.1, 1, 5, 10],
  controllers = ['cubic', 'newreno'],
  rttMs = 100,
  tcp = {},
  modules,
} = {}) {
  const kit = modules ?? (await modulesOf(new URL('../dist/', import.meta.url)));
  const rows = [];
  for (const congestion of controllers) {
    for (const lossPercent of lossPercents) {
      const loss = lossPercent / 100;
      const settings = { ...tcp, congestion };
      const runs = seeds.map((seed) => transfer(kit, { seed, bytes, loss, rttMs, tcp: settings }));
      const speeds = runs.map(({ seconds }) => (bytes * 8) / 1e6 / seconds).sort((a, b) => a - b);
      const mbits = median(speeds);
      const expected = responseFunction(congestion, loss, rttMs / 1000);
      const total = (of) => runs.reduce((sum, run) => sum + run.info[of], 0);
      rows.push({
        ...{ congestion, lossPercent, mbits, expected, ratio: mbits / expected },
        ...{ slowest: speeds[0], fastest: speeds.at(-1) },
        ...{ timeouts: total('timeouts'), retransmits: total('retransmits') },
      });
    }
  }
  return rows;
}

/**
 * Mbit/s. Reno: Mathis et al. 1997, 1.22 MSS / (RTT √p). CUBIC: RFC 9438 §5.1, equation (6) with C of 0.4
 * and β of 0.7, where that is more than Reno, else Reno (§4.3).
 */
export function responseFunction(congestion, loss, rtt) {
  const reno = Math.sqrt(1.5 / loss);
  const cubic = 1.054 * (rtt / loss) ** 0.75;
  const segments = congestion === 'cubic' ? Math.max(cubic, reno) : reno;
  return (segments * MSS * 8) / rtt / 1e6;
}

function median(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One transfer; seconds from the first byte that was written to the last that was read. */
function transfer(kit, { seed, bytes, loss, rttMs, tcp }) {
  const simulation = new kit.Simulation(SECOND);
  const way = { delay: (rttMs * 1000) / 2 };
  const link = new kit.MemoryLink(simulation.clock(), {
    ...{ seed, aToB: { ...way, loss }, bToA: way, checksumOffload: true, maxSegmentBytes: 1500 },
  });
  const [a, b] = [link.a, link.b].map((device, i) => {
    const options = { device, tcp, memory: 16 * MIB, random: repeatable(seed + i) };
    const addresses = [kit.Subnet.parse(`10.9.0.${i + 1}/24`)];
    const core = new kit.StackCore({ ...options, addresses });
    kit.wind(core, simulation.clock());
    return core;
  });
  let received = 0;
  let start = 0;
  const reader = new kit.IdleHandler();
  reader.onReadable = (connection) => {
    received += connection.skip(bytes);
  };
  b.listen({
    port: 9,
    handler: {
      onConnection: (listener) => {
        listener.accept().handler = reader;
      },
    },
  });
  const writer = new kit.IdleHandler();
  let left = bytes;
  writer.onWritable = (connection) => {
    for (let taken = 1; taken > 0 && left > 0; left -= taken) {
      taken = connection.write(CHUNK, 0, Math.min(left, CHUNK.length));
    }
  };
  writer.onEstablished = (connection) => {
    start = simulation.now;
    writer.onWritable(connection);
  };
  const remote = kit.IpAddress.parse('10.9.0.2');
  const connection = a.connect({ remote, remotePort: 9, handler: writer });
  while (received < bytes) {
    if (!simulation.step()) throw new Error(`it hangs after ${received} bytes`);
  }
  return { seconds: (simulation.now - start) / SECOND, info: connection.info() };
}

function repeatable(seed) {
  let state = seed;
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      bytes[i] = state >>> 16;
    }
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, seeds: { type: 'string' } },
  });
  const seeds = Array.from({ length: Number(values.seeds ?? 5) }, (_, i) => i + 1);
  const rows = await lossRows({ seeds });
  if (values.json) console.log(JSON.stringify(rows));
  else console.table(rows);
}
