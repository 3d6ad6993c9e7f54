// The ends of a connection in the words of a handle: what getsockname and getpeername fill in. Knows
// addresses only.

import { IpAddress } from '../wire/address.js';

/** What lib/net.js hands over to be filled in. */
export interface End {
  address?: string;
  family?: 'IPv4' | 'IPv6';
  port?: number;
}

/** @param mapped as a kernel's socket of family IPv6 names IPv4 addresses: `::ffff:10.9.0.1` */
export function fillIn(out: End, address: IpAddress, port: number, mapped: boolean): void {
  const text = address.toString();
  const asIpv6 = address.family === 6 || mapped;
  const dressed = address.isUnspecified ? '::' : `::ffff:${text}`;
  out.address = asIpv6 && address.family === 4 ? dressed : text;
  out.family = asIpv6 ? 'IPv6' : 'IPv4';
  out.port = port;
}

/** An address as everybody else writes it, and whether it was an IPv4 one in the clothes of IPv6. */
export function plainAddress(text: string): { address: string; mapped: boolean } {
  const address = IpAddress.parse(text);
  if (address === null) return { address: text, mapped: false };
  return { address: address.toString(), mapped: address.family === 4 && text.includes(':') };
}
