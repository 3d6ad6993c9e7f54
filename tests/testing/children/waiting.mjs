// A client that waits for a peer which does nothing: as with a socket of the kernel, the program is not over.

import { once } from 'node:events';
import { faultyPeer } from 'finwait/testing';

const peer = await faultyPeer();
const socket = peer.connect();
await once(socket, 'connect');
const timer = setTimeout(() => {
  console.log('alive');
  socket.destroy();
}, 200).unref();
await once(socket, 'close');
console.log('closed');
clearTimeout(timer);
