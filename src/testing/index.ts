// What `finwait/testing` offers; no code.

/**
 * A peer that misbehaves on demand, for the tests of other people's clients: see `faultyPeer`.
 * @module finwait/testing
 */

export type {
  Forged,
  GateCondition,
  Likeness,
  PlainCall,
  ProgramCondition,
  StateCondition,
} from '../lab/scenario.js';
export type { StateName } from '../lab/states.js';
export type { ConnectionEnd, PeerConnection } from './connections.js';
export { FaultyPeerError, type StruckFault } from './failure.js';
export {
  type FaultyPeer,
  type FaultyPeerOptions,
  faultyPeer,
  type PatienceOptions,
} from './faulty-peer.js';
export type { ConnectionEmitter, Serve } from './program.js';
export type {
  Call,
  Condition,
  Fault,
  FaultMatch,
  Injected,
  Match,
  Of,
  Side,
  Step,
} from './words.js';
