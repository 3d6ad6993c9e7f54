// Which segments a scenario means. Knows segments and the numbers of SYN and FIN; must not know gates.

import type { Direction, SegmentFields } from '../trace/event.js';
import type { Match } from './scenario.js';

/** A segment in its direction. */
export interface Directed {
  readonly direction: Direction;
  readonly segment: SegmentFields;
}

export const opposite = (direction: Direction): Direction => (direction === 'in' ? 'out' : 'in');

/** Sequence numbers of a connection's marks, learnt from what its ends send. */
export class Marks {
  /** By connection and direction: the number behind SYN and FIN. */
  readonly #behind = new Map<string, number>();

  /** A segment was sent. */
  note(sent: Directed): void {
    const { direction, segment } = sent;
    const { seq, length } = segment;
    const flags = segment.flags.split(',');
    if (flags.includes('SYN')) {
      this.#behind.set(key(sent, direction, 'SYN'), (seq + 1) >>> 0);
      this.#behind.delete(key(sent, direction, 'FIN'));
    }
    if (flags.includes('FIN')) {
      this.#behind.set(key(sent, direction, 'FIN'), (seq + length + 1) >>> 0);
    }
  }

  /** Of a segment's connection: the number behind the SYN or FIN that went in a direction, or null. */
  behind(seen: Directed, direction: Direction, mark: 'SYN' | 'FIN'): number | null {
    return this.#behind.get(key(seen, direction, mark)) ?? null;
  }

  matches(seen: Directed, match: Match): boolean {
    const { direction, segment } = seen;
    const flags = segment.flags.split(',');
    if (direction !== match.direction) return false;
    if (match.has?.some((flag) => !flags.includes(flag))) return false;
    if (match.lacks?.some((flag) => flags.includes(flag))) return false;
    if (typeof match.data === 'number' && match.data !== segment.length) return false;
    if (typeof match.data === 'boolean' && match.data !== segment.length > 0) return false;
    if (match.zeroWindow && (segment.window !== 0 || flags.includes('RST'))) return false;
    if (match.acknowledges === undefined) return true;
    const mark = this.behind(seen, opposite(direction), match.acknowledges);
    return flags.includes('ACK') && mark !== null && segment.ack === mark;
  }
}

/** The two ports, ours first, tell connections of a run apart. */
function key({ direction, segment }: Directed, of: Direction, mark: string): string {
  const { sourcePort, destinationPort } = segment;
  const ports = direction === 'out' ? [sourcePort, destinationPort] : [destinationPort, sourcePort];
  return [...ports, of, mark].join(' ');
}
