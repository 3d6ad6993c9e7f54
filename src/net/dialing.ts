// Why a connection cannot even begin, in the words of connect(2) and bind(2). Knows the addresses and listeners
// of a stack; must not know sockets.

import type { Connection } from '../tcp/connection.js';
import { TcpError } from '../tcp/errors.js';
import { formatEnd, IpAddress } from '../wire/address.js';
import type { DialFailure, Target } from './connecting.js';
import type { Host } from './host.js';

/** As Linux: the address of nobody in particular (`0.0.0.0`, `::`) is the own host. */
export function peerOf({ core }: Host, { address }: Target): IpAddress {
  const given = IpAddress.parse(address)!;
  if (!given.isUnspecified) return given;
  const own = core.addresses.list.find((subnet) => subnet.address.family === given.family);
  return own?.address ?? given;
}

/** What is known before the stack is asked; null when nothing speaks against it. */
export function whyNotDialed(host: Host, target: Target, remote: IpAddress): DialFailure | null {
  const unreachable = host.whyUnreachable(remote);
  if (unreachable !== null) return { call: 'connect', code: unreachable, words: '' };
  if (isLinkLocal(remote) && !host.core.addresses.list.some((own) => own.contains(remote))) {
    return { call: 'connect', code: 'EINVAL', words: `no device leads to ${remote} by itself` };
  }
  return target.localAddress === undefined ? null : whyNotBound(host, target, target.localAddress);
}

/** fe80::/10: an address on each link anew (RFC 4291 §2.5.6); which link is meant, a zone would say. */
function isLinkLocal(address: IpAddress): boolean {
  return address.family === 6 && address.w0 >>> 22 === 0x3fa;
}

/** As Linux with SO_REUSEADDR, which libuv sets: other connections from the port are no hindrance. */
export function whyNotBound(
  { core }: Host,
  target: Pick<Target, 'address' | 'family' | 'localPort'>,
  local: string,
): DialFailure | null {
  const address = IpAddress.parse(local)!;
  const port = target.localPort ?? 0;
  const failed = (code: string, words: string): DialFailure => ({ call: 'bind', code, words });
  if (address.family !== target.family) {
    return failed('EINVAL', `${address} and ${target.address} are of different families`);
  }
  if (!address.isUnspecified && !core.addresses.includes(address)) {
    return failed('EADDRNOTAVAIL', `${address} is not an address of the stack`);
  }
  if (port > 0 && core.listening.isTaken(port, address)) {
    return failed('EADDRINUSE', `there is a listener on port ${port}`);
  }
  return null;
}

/** What the stack has said against it. @throws whatever else it was */
export function dialFailed(error: unknown): DialFailure {
  if (!(error instanceof TcpError)) throw error;
  // As Linux: the same connection exists, or is in TIME-WAIT.
  const code = error.code === 'EADDRINUSE' ? 'EADDRNOTAVAIL' : error.code;
  return { call: 'connect', code, words: error.message };
}

/** One more call while the first one is under way. */
export function alreadyDialing({ localAddress, localPort }: Connection): DialFailure {
  return {
    call: 'connect',
    code: 'EALREADY',
    words: '',
    local: formatEnd(localAddress, localPort),
  };
}
