// A datagram of ours that may be larger than the path: sent whole or in fragments, RFC 791 §3.2 and
// RFC 8200 §4.5. Knows IP; must not know what the datagram says. (TCP never needs it.)

import type { Path } from '../tcp/host.js';
import { complement, sumBytes } from '../wire/checksum.js';
import { IPV4_HEADER, IPV6_HEADER, type IpHeader } from '../wire/ip.js';
import type { StackCore } from './core.js';
import { writeReplyIp } from './reply.js';

/** Next header value, and length, of the fragment header of IPv6. */
const FRAGMENT = 44;
const FRAGMENT_HEADER = 8;
/** Offsets of fragments count in these units. */
const UNIT = 8;
const MORE_V4 = 0x2000;
const FLAGS_OFFSET_V4 = 6;
const CHECKSUM_V4 = 10;

/** Sends the payload that `ip` describes back to where it came from. */
export function sendDatagram(core: StackCore, path: Path, ip: IpHeader): void {
  const header = ip.family === 4 ? IPV4_HEADER : IPV6_HEADER;
  const id = core.identification();
  if (header + ip.payloadLength <= path.mtu) {
    const at = path.batch.header();
    writeReplyIp(core.arena.view, at, ip, ip.protocol, ip.payloadLength, id);
    path.batch.push(header, ip.payloadOffset, ip.payloadLength, 0, 0, 0, 0);
    return;
  }
  const extra = ip.family === 4 ? 0 : FRAGMENT_HEADER;
  const step = Math.floor((path.mtu - header - extra) / UNIT) * UNIT;
  for (let offset = 0; offset < ip.payloadLength; offset += step) {
    const length = Math.min(step, ip.payloadLength - offset);
    const more = offset + length < ip.payloadLength;
    if (ip.family === 4) writeFragmentV4(core, path, ip, id, offset, length, more);
    else writeFragmentV6(core, path, ip, id, offset, length, more);
    path.batch.push(header + extra, ip.payloadOffset + offset, length, 0, 0, 0, 0);
  }
}

function writeFragmentV4(
  core: StackCore,
  path: Path,
  ip: IpHeader,
  id: number,
  offset: number,
  length: number,
  more: boolean,
): void {
  const view = core.arena.view;
  const at = path.batch.header();
  writeReplyIp(view, at, ip, ip.protocol, length, id);
  // In place of don't-fragment; the checksum is taken anew.
  view.setUint16(at + FLAGS_OFFSET_V4, offset / UNIT + (more ? MORE_V4 : 0));
  view.setUint16(at + CHECKSUM_V4, 0);
  view.setUint16(at + CHECKSUM_V4, complement(sumBytes(view, at, IPV4_HEADER)));
}

function writeFragmentV6(
  core: StackCore,
  path: Path,
  ip: IpHeader,
  id: number,
  offset: number,
  length: number,
  more: boolean,
): void {
  const view = core.arena.view;
  const at = path.batch.header();
  const fragment = at + IPV6_HEADER;
  writeReplyIp(view, at, ip, FRAGMENT, FRAGMENT_HEADER + length, id);
  view.setUint16(fragment, ip.protocol << 8);
  view.setUint16(fragment + 2, offset + (more ? 1 : 0));
  view.setUint32(fragment + 4, id);
}
