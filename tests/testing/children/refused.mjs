// Asks for a TUN device, and prints what is said where there is none to be had.

import { faultyPeer } from 'finwait/testing';

const error = await faultyPeer({ network: 'tun' }).catch((reason) => reason);
console.log(`${error.code}: ${error.message}`);
