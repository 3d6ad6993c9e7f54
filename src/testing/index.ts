// What `finwait/testing` offers; no code.

export type { ConnectionEnd, PeerConnection } from './connections.js';
export { FaultyPeerError, type StruckFault } from './failure.js';
export {
  type FaultyPeer,
  type FaultyPeerOptions,
  faultyPeer,
  type PatienceOptions,
} from './faulty-peer.js';
export type { ConnectionEmitter, Serve } from './program.js';
export type { Call, Condition, Fault, Injected, Match, Side, Step } from './words.js';
