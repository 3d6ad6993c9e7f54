// What a connection is called in a timeline: both ends as text. Knows how that is written; must not know
// whose connection it is.

import { formatEnd, type IpAddress } from '../wire/address.js';

/** Both ends of a connection, of a record in TIME-WAIT, or of a kernel's socket. */
export interface FourTuple {
  readonly localAddress: IpAddress | string;
  readonly localPort: number;
  readonly remoteAddress: IpAddress | string;
  readonly remotePort: number;
}

/** `10.9.0.2:80 10.9.0.1:40000`, its own end first. */
export function connectionName(tuple: FourTuple): string {
  const { localAddress, localPort, remoteAddress, remotePort } = tuple;
  return `${formatEnd(localAddress, localPort)} ${formatEnd(remoteAddress, remotePort)}`;
}

/** As the other end calls it. */
export function mirrored(connection: string): string {
  return connection.split(' ').reverse().join(' ');
}
