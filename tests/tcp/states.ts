// One connection of a stack in each state, reached by real segments. Knows how to come there; must
// not know what a test does then.

import type { StackCore, StackCoreOptions } from '../../src/stack/core.js';
import type { Connection } from '../../src/tcp/connection.js';
import { Acceptor, Application, address, HOST_B, newCore } from '../stack/host.js';
import { Peer, type PeerOptions } from '../stack/peer.js';
import type { TcpOption } from '../support/trace-packet.js';

export interface Stage {
  core: StackCore;
  peer: Peer;
  application: Application;
  connection: Connection;
}

export interface StageOptions extends PeerOptions {
  core?: Partial<StackCoreOptions>;
  /** Options of the peer's SYN. */
  syn?: TcpOption[];
}

function application(): Application {
  const application = new Application();
  application.closesAfterPeer = false;
  return application;
}

/** We have asked for a connection. */
export function synSent(options: StageOptions = {}): Stage {
  const core = newCore(options.core);
  const peer = new Peer(core, options);
  const owner = application();
  const connection = core.connect({
    ...{ remote: address(HOST_B[peer.family]), remotePort: peer.port, localPort: peer.stackPort },
    handler: owner,
  });
  peer.listen();
  return { core, peer, application: owner, connection };
}

/** Both sides have asked at once. */
export function simultaneousSynReceived(options: StageOptions = {}): Stage {
  const stage = synSent(options);
  stage.peer.send({ flags: 'S', ack: 0, options: options.syn ?? [] });
  return stage;
}

/** A peer has asked a listener. */
export function synReceived(options: StageOptions = {}): Stage {
  const core = newCore(options.core);
  const owner = application();
  core.listen({ port: options.stackPort ?? 80, handler: new Acceptor(() => owner) });
  const peer = new Peer(core, options);
  peer.send({ flags: 'S', ack: 0, options: options.syn ?? [] });
  const [connection] = core.connections();
  return { core, peer, application: owner, connection: connection! };
}

export function established(options: StageOptions = {}): Stage {
  const stage = synReceived(options);
  stage.peer.send();
  return stage;
}

export function activelyEstablished(options: StageOptions = {}): Stage {
  const stage = synSent(options);
  stage.peer.send({ flags: 'S.', options: options.syn ?? [] });
  return stage;
}

export function finWait1(options: StageOptions = {}): Stage {
  const stage = established(options);
  stage.connection.shutdown();
  stage.peer.listen();
  return stage;
}

/** Its FIN waits behind data that the peer's window does not take. */
export function finWait1Queued(options: StageOptions = {}): Stage {
  const stage = established(options);
  stage.peer.send({ window: 0, data: 1 });
  stage.connection.write(new Uint8Array(5000));
  stage.connection.shutdown();
  stage.peer.listen();
  return stage;
}

export function finWait2(options: StageOptions = {}): Stage {
  const stage = finWait1(options);
  stage.peer.send();
  return stage;
}

export function closing(options: StageOptions = {}): Stage {
  const stage = finWait1(options);
  stage.peer.send({ flags: 'F.', ack: stage.peer.stackNxt - 1 });
  return stage;
}

export function timeWait(options: StageOptions = {}): Stage {
  const stage = finWait2(options);
  stage.peer.send({ flags: 'F.' });
  return stage;
}

export function closeWait(options: StageOptions = {}): Stage {
  const stage = established(options);
  stage.peer.send({ flags: 'F.' });
  return stage;
}

export function lastAck(options: StageOptions = {}): Stage {
  const stage = closeWait(options);
  stage.connection.shutdown();
  stage.peer.listen();
  return stage;
}

/** Every state that has a connection, by its name, and two that share a name with another. */
export const STAGES: Record<string, (options?: StageOptions) => Stage> = {
  'SYN-SENT': synSent,
  'SYN-RECEIVED': synReceived,
  'SYN-RECEIVED (simultaneous)': simultaneousSynReceived,
  ESTABLISHED: established,
  'CLOSE-WAIT': closeWait,
  'FIN-WAIT-1': finWait1,
  'FIN-WAIT-1 (queued)': finWait1Queued,
  CLOSING: closing,
  'LAST-ACK': lastAck,
  'FIN-WAIT-2': finWait2,
  'TIME-WAIT': timeWait,
};
