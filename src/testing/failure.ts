// What is said when something that a test expects has not happened. Knows words; must not know how they
// came about.

import type { PeerConnection } from './connections.js';

/** A fault, and how many segments it has struck. */
export interface StruckFault {
  /** As it was given. */
  readonly note: string;
  /** Segments that it has struck so far; 0 often means that a test does not test what it seems to. */
  readonly struck: number;
}

/**
 * Something that a test has asked for is not so. The message says what, which connections there are and
 * who has to act, which faults have struck, and what was sent (a ladder).
 */
export class FaultyPeerError extends Error {
  /** For messages. */
  override readonly name = 'FaultyPeerError';
  /**
   * `ERR_PEER_TIMEOUT`: something was not so in time; `ERR_PEER_STEP`: a step failed; `ERR_PEER_NETWORK`:
   * there is no network for a peer; `ERR_PEER_CLOSED`: the peer is closed.
   */
  readonly code: 'ERR_PEER_TIMEOUT' | 'ERR_PEER_STEP' | 'ERR_PEER_NETWORK' | 'ERR_PEER_CLOSED';

  /** Made by peers only. */
  constructor(code: FaultyPeerError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** What is known of a run. */
export interface Evidence {
  readonly connections: readonly PeerConnection[];
  readonly faults: readonly StruckFault[];
  ladder(): string;
}

/** Connections that are told of, and lines of a ladder: the latest ones. */
const MOST_CONNECTIONS = 10;
const MOST_LINES = 60;

export function withEvidence(what: string, evidence: Evidence): string {
  const { connections, faults } = evidence;
  const open = connections.filter(({ closed }) => !closed);
  const lines = [
    what,
    ...(connections.length === 0 ? ['  the client has made no connection'] : []),
    ...open.slice(-MOST_CONNECTIONS).map(describe),
    ...faults.map(({ note, struck }) => `  fault "${note}": ${strikes(struck)}`),
  ];
  const ladder = evidence.ladder().trimEnd().split('\n');
  const cut = ladder.length > MOST_LINES ? ['…', ...ladder.slice(-MOST_LINES)] : ladder;
  return [...lines, '', ...cut].join('\n').trimEnd();
}

function describe({ name, client, peer, waitsFor }: PeerConnection): string {
  const who = waitsFor === null ? '' : `; it waits for ${waitsFor}`;
  return `  ${name}: the client is in ${client.state}, the peer in ${peer.state}${who}`;
}

function strikes(count: number): string {
  if (count === 0) return 'has struck nothing';
  return count === 1 ? 'has struck once' : `has struck ${count} times`;
}
