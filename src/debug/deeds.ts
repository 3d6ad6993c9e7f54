// What a person may do at a gate, carried out there: deeds on packets that wait, and what forgeries say.
// Knows the keeper of a gate; must not know who asks, or what waits for the packets.

import type { HeldPacket } from '../device/gate.js';
import type { Gatekeeper } from '../lab/gatekeeper.js';
import type { Injection } from '../lab/scenario.js';
import { type Deed, type Forgery, Refusal } from './debuggee.js';

/** What a forged segment says, before it gets the numbers of the one it pretends to come from. */
export const FORGERIES: Readonly<Record<Forgery, Omit<Injection, 'direction'>>> = {
  rst: { flags: ['RST', 'ACK'] },
  fin: { flags: ['FIN', 'ACK'] },
  // The octet before the next one: it has been there before.
  old: { flags: ['ACK'], seqOffset: -1, data: 1 },
};

/** Does it. @throws Refusal where it makes no sense; then nothing has changed */
export function doDeed(keeper: Gatekeeper, deed: Deed, held: HeldPacket): void {
  switch (deed) {
    case 'pass':
      keeper.release(held);
      return;
    case 'drop':
      keeper.drop(held);
      return;
    case 'delay':
      keeper.delay(held);
      return;
    case 'duplicate':
      keeper.duplicate(held);
      return;
    case 'swap':
      if (!keeper.swap(held)) throw new Refusal('nothing of its direction waits behind it');
      return;
    case 'corrupt':
      try {
        keeper.corrupt(held);
      } catch (error) {
        if (error instanceof TypeError) throw new Refusal(`${error.message}: it stays good`);
        throw error;
      }
  }
}
