// Leaves a peer open, with a connection, and has nothing more to do.

import { once } from 'node:events';
import { faultyPeer } from 'finwait/testing';

const peer = await faultyPeer();
const socket = peer.connect();
await once(socket, 'connect');
await peer.until({ end: 'peer', state: 'ESTABLISHED' });
socket.unref();
process.on('exit', () => console.log(peer.connections[0].client.state));
