// What is measured: loads of the client, and the rows of the table that each of them gives. Knows units
// and directions; must not know who is measured, or what is expected.

/** Ports of the services; peers/node-server.mjs and its siblings listen there. */
const ECHO = 7;
const DISCARD = 9;
const CHARGEN = 19;
const GB = 1e9;

const rate = (result) => (result.bytes * 8) / result.seconds / 1e9;
/** Of the server's process alone, and of both ends: the kernel's work for one is charged to the other. */
const serverCpu = (result) => (result.serverCpu * GB) / result.bytes;
const bothCpu = (result) => ((result.serverCpu + result.cpu) * GB) / result.bytes;

const row = (id, group, label, unit, better, read) => ({ id, group, label, unit, better, read });

/**
 * A load: what the client is told, given seconds and a count of closes; the rows that are read from
 * its answer; whether it runs while other connections are idle, at each step or only at the last.
 */
export const LOADS = [
  {
    id: 'bulk-in',
    client: ({ seconds }) => ['send', DISCARD, seconds],
    bulk: true,
    rows: [
      row('bulk-in', 'throughput', 'bulk in', 'Gbit/s', 'more', rate),
      row('cpu-in', 'cpu', 'CPU in, server', 's/GB', 'less', serverCpu),
      row('cpu-in-both', 'cpu', 'CPU in, both ends', 's/GB', 'less', bothCpu),
    ],
  },
  {
    id: 'bulk-out',
    client: ({ seconds }) => ['receive', CHARGEN, seconds],
    bulk: true,
    rows: [
      row('bulk-out', 'throughput', 'bulk out', 'Gbit/s', 'more', rate),
      row('cpu-out', 'cpu', 'CPU out, server', 's/GB', 'less', serverCpu),
      row('cpu-out-both', 'cpu', 'CPU out, both ends', 's/GB', 'less', bothCpu),
    ],
  },
  {
    id: 'pingpong',
    client: ({ seconds }) => ['pingpong', ECHO, seconds, 64],
    steps: true,
    rows: [
      row(
        'pingpong',
        'latency',
        'ping-pong, 64 bytes',
        '/s',
        'more',
        (r) => r.roundtrips / r.seconds,
      ),
      row('pingpong-p50', 'latency', 'ping-pong, p50', 'µs', 'less', (r) => r.p50us),
      row('pingpong-p99', 'latency', 'ping-pong, p99', 'µs', 'less', (r) => r.p99us),
    ],
  },
  ...[1, 50].map((parallel) => ({
    id: `crc-${parallel}`,
    client: ({ seconds }) => ['crc', ECHO, seconds, parallel],
    steps: parallel > 1,
    rows: [
      row(
        ...[`crc-${parallel}`, 'connections', `connect-request-close, ${parallel} at once`],
        ...['/s', 'more', (r) => r.connections / r.seconds],
      ),
    ],
  })),
  {
    id: 'close',
    client: ({ closes }) => ['close', ECHO, closes],
    rows: [
      row('close-p50', 'close', 'close, p50', 'µs', 'less', (r) => r.p50us),
      row('close-p99', 'close', 'close, p99', 'µs', 'less', (r) => r.p99us),
    ],
  },
  {
    id: 'http',
    needs: 'http',
    wrk: ({ seconds }) => ['-t1', '-c64', `-d${Math.max(1, Math.round(seconds))}s`],
    rows: [row('http', 'http', 'http, keep-alive, 64 at once', '/s', 'more', (r) => r.requests)],
  },
];

/** Rows that are read from what a server says of its memory, not from a load. */
export const MEMORY_ROWS = [
  row('memory-idle', 'memory', 'memory per idle connection', 'bytes', 'less'),
  row('memory-timewait', 'memory', 'memory per TIME-WAIT record', 'bytes', 'less'),
];

/** Over a simulated link, in virtual time; ids of `loss.mjs`. */
export const LOSS_GROUP = 'loss';

export const ROWS = [...LOADS.flatMap((load) => load.rows), ...MEMORY_ROWS];

/** What can be asked for by name; `idle` and `offload` repeat rows under other circumstances. */
export const GROUPS = [...new Set(ROWS.map(({ group }) => group)), 'idle', 'offload', LOSS_GROUP];
