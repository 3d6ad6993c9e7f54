// Which segments a scenario means. Knows segments and the numbers of SYN and FIN; must not know gates.

import type { Direction, SegmentFields } from '../trace/event.js';
import type { Match } from './scenario.js';

/** A segment in its direction. */
export interface Directed {
  readonly direction: Direction;
  readonly segment: SegmentFields;
}

/** A segment with all that a match may ask about. */
export interface Marked extends Directed {
  readonly flags: readonly string[];
  /** What of the other end it acknowledges, and nothing behind that. */
  readonly acknowledges: 'SYN' | 'FIN' | null;
  /** Initial sequence numbers of its sender and of its receiver, 0 where unknown. */
  readonly initial: { readonly seq: number; readonly ack: number };
}

export const opposite = (direction: Direction): Direction => (direction === 'in' ? 'out' : 'in');

/** Learns where the streams of a run begin and end, from what both ends send. */
export class Marks {
  /** By connection and direction: the number behind SYN and FIN. */
  readonly #behind = new Map<string, number>();

  /** To be called with each segment when it was sent. */
  note(sent: Directed): Marked {
    const { direction, segment } = sent;
    const flags = segment.flags.split(',');
    const own = streamOf(sent, direction);
    if (flags.includes('SYN')) {
      this.#behind.set(`${own} SYN`, (segment.seq + 1) >>> 0);
      this.#behind.delete(`${own} FIN`);
    }
    if (flags.includes('FIN')) {
      this.#behind.set(`${own} FIN`, (segment.seq + segment.length + 1) >>> 0);
    }
    return this.look(sent);
  }

  /** The same for a segment that neither end has sent. */
  look({ direction, segment }: Directed): Marked {
    const flags = segment.flags.split(',');
    const own = streamOf({ direction, segment }, direction);
    const other = streamOf({ direction, segment }, opposite(direction));
    const acknowledged = (mark: 'SYN' | 'FIN') =>
      flags.includes('ACK') && this.#behind.get(`${other} ${mark}`) === segment.ack;
    const finOrNone = acknowledged('FIN') ? 'FIN' : null;
    const isn = (stream: string) => ((this.#behind.get(`${stream} SYN`) ?? 1) - 1) >>> 0;
    return {
      ...{ direction, segment, flags },
      acknowledges: acknowledged('SYN') ? 'SYN' : finOrNone,
      initial: { seq: isn(own), ack: isn(other) },
    };
  }
}

/** The two ports, ours first, tell connections of a run apart. */
function streamOf({ direction, segment }: Directed, of: Direction): string {
  const { sourcePort, destinationPort } = segment;
  return direction === 'out'
    ? `${sourcePort} ${destinationPort} ${of}`
    : `${destinationPort} ${sourcePort} ${of}`;
}

export function matches(seen: Marked, match: Match): boolean {
  const { segment, flags } = seen;
  if (match.direction !== undefined && seen.direction !== match.direction) return false;
  if (match.has?.some((flag) => !flags.includes(flag))) return false;
  if (match.lacks?.some((flag) => flags.includes(flag))) return false;
  if (typeof match.data === 'number' && match.data !== segment.length) return false;
  if (typeof match.data === 'boolean' && match.data !== segment.length > 0) return false;
  if (match.zeroWindow && (segment.window !== 0 || flags.includes('RST'))) return false;
  return match.acknowledges === undefined || match.acknowledges === seen.acknowledges;
}
