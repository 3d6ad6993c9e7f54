// The answer to who calls where nobody listens. Knows segments; must not know when it is sent.

import { forge } from '../lab/forge.js';
import type { SeenSegment } from '../lab/gatekeeper.js';
import { connectionOfSegment, hasFlag, sequenceLength } from '../trace/segment.js';

/** The latest SYN of a client, whatever became of it; null where there was none. */
export function findSyn(seen: readonly SeenSegment[], connection: string): SeenSegment | null {
  const isIt = ({ direction, origin, segment }: SeenSegment) =>
    direction === 'in' &&
    origin === 'sent' &&
    hasFlag(segment, 'SYN') &&
    connectionOfSegment(segment, direction) === connection;
  return seen.findLast(isIt) ?? null;
}

/** RFC 9293 §3.5.2, group 1: a RST with sequence number 0 that acknowledges all of the segment. */
export function refusalOf({ segment }: SeenSegment): Uint8Array {
  return forge({
    source: segment.destination,
    sourcePort: segment.destinationPort,
    destination: segment.source,
    destinationPort: segment.sourcePort,
    flags: ['RST', 'ACK'],
    seq: 0,
    ack: (segment.seq + sequenceLength(segment)) >>> 0,
    window: 0,
    data: 0,
    timestamps: null,
  });
}
