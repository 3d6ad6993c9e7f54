// Whether a condition holds now. Knows the ends of a world and its gate; must not know who waits for it.

import type { Gate } from '../device/gate.js';
import type { Gatekeeper } from './gatekeeper.js';
import type {
  Condition,
  GateCondition,
  Match,
  ProgramCondition,
  StateCondition,
} from './scenario.js';
import type { Party, World } from './world.js';

export function isTrue(condition: Condition, world: World, keeper: Gatekeeper): boolean {
  if (!('end' in condition)) return isTrueAtGate(condition, world.gate, keeper);
  const party = world[condition.end];
  return 'state' in condition ? isInState(condition, party) : isTrueOfProgram(condition, party);
}

export function isTrueAtGate(
  condition: GateCondition<Match>,
  gate: Gate,
  keeper: Gatekeeper,
): boolean {
  if ('quiet' in condition) return gate.held.length === 0;
  if ('seen' in condition) return keeper.count(condition.seen) >= condition.times;
  return keeper.count(condition.unseen) === 0;
}

export function isInState(
  { state, connections }: StateCondition,
  party: Pick<Party, 'state' | 'countIn'>,
): boolean {
  return connections === undefined ? party.state === state : party.countIn(state) === connections;
}

export function isTrueOfProgram(
  condition: ProgramCondition,
  party: Pick<Party, 'received' | 'seesEnd' | 'seesClose' | 'error'>,
): boolean {
  if ('received' in condition) return party.received === condition.received;
  const { sees } = condition;
  if (sees === 'end') return party.seesEnd;
  return sees === 'close' ? party.seesClose : party.error === sees;
}
