// Reordering alone: nothing is lost, so all that is sent again is sent in vain. Counted over the whole
// life of a connection, the time before it has seen the first reordering included.

import { describe, expect, it } from 'vitest';
import type { Impairments } from '../../src/device/impairment.js';
import type { Connection, ConnectionHandler } from '../../src/tcp/connection.js';
import { pair } from '../support/pair.js';

const MS = 1000;
const MIB = 1 << 20;

interface Way {
  network: Partial<Impairments>;
  /** Packets of up to 64 KiB travel whole. */
  superSegments?: boolean;
  timestamps?: boolean;
}

/** Carries `bytes` over this network in both directions at once; answers both connections. */
function carry(way: Way, bytes: number, seed: number): Connection[] {
  const network = { delay: 10 * MS, reorder: 0.25, ...way.network };
  const net = pair({
    ...{ memory: 32 * MIB, network },
    link: { seed, ...(way.superSegments === true ? {} : { maxSegmentBytes: 1500 }) },
    tcp: { timestamps: way.timestamps ?? true },
  });
  const data = new Uint8Array(1 << 16);
  const connections: Connection[] = [];
  let received = 0;
  const party = (): Partial<ConnectionHandler> => {
    let left = bytes;
    const fill = (connection: Connection) => {
      if (!connections.includes(connection)) connections.push(connection);
      for (let taken = -1; left > 0 && taken !== 0; left -= taken) {
        taken = connection.write(data, 0, Math.min(left, data.length));
      }
    };
    return {
      onEstablished: fill,
      onWritable: fill,
      onReadable: (connection) => {
        received += connection.skip(bytes);
      },
    };
  };
  net.b.listen(80, (connection) => {
    const handler = party();
    handler.onEstablished?.(connection);
    return handler;
  });
  net.a.connect(80, party());
  net.drive(() => received === 2 * bytes);
  return connections;
}

const WAYS: Record<string, Way> = {
  'held up for a twentieth of the round trip': { network: { reorderDelay: 1 * MS } },
  'held up for a fifth of the round trip': { network: { reorderDelay: 4 * MS } },
  'held up for half of the round trip': { network: { reorderDelay: 10 * MS } },
  'a long way': { network: { delay: 100 * MS, reorderDelay: 10 * MS } },
  'a narrow way': { network: { rate: 20e6, reorderDelay: 2 * MS } },
  'without timestamps': { network: { reorderDelay: 4 * MS }, timestamps: false },
  'super-segments': { network: { reorderDelay: 4 * MS }, superSegments: true },
};

describe('a quarter of all packets is overtaken', () => {
  it.each(Object.entries(WAYS))('%s: less than 1 percent is sent again', (_name, way) => {
    const bytes = 4 * MIB;
    for (const seed of [1, 2, 3]) {
      for (const connection of carry(way, bytes, seed)) {
        const { retransmits, timeouts, reorderings, sendMss } = connection.info();
        expect(reorderings).toBeGreaterThan(way.superSegments === true ? 3 : 50);
        expect(timeouts).toBe(0);
        expect(retransmits / (bytes / sendMss)).toBeLessThan(0.01);
      }
    }
  });
});
