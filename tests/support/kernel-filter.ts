// What happens to chosen segments of one connection on their way. Knows headers; must not know states.
import type { ImpairedDevice } from '../../src/device/impaired.js';
import type { Filter } from '../../src/device/impairment.js';
import { IpHeader, parseIp } from '../../src/wire/ip.js';
import { ACK, FIN, parseTcp, RST, SYN, TcpSegment } from '../../src/wire/tcp.js';

/** A TCP segment on its way, and the whole packet. */
export interface Passing {
  packet: Uint8Array;
  fin: boolean;
  syn: boolean;
  rst: boolean;
  /** Without data, SYN, FIN and RST. */
  pureAck: boolean;
  dataLength: number;
  seq: number;
  ack: number;
}

export type Verdict = ReturnType<Filter>;
export type Judge = (segment: Passing) => Verdict;

const ip = new IpHeader();
const tcp = new TcpSegment();

function parse(packet: Uint8Array, localPort: number): Passing | null {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (parseIp(view, 0, packet.length, ip) !== 0 || ip.protocol !== 6) return null;
  if (parseTcp(view, ip.payloadOffset, ip.payloadLength, tcp) !== 0) return null;
  if (tcp.sourcePort !== localPort && tcp.destinationPort !== localPort) return null;
  const is = (flag: number) => (tcp.flags & flag) !== 0;
  const pureAck = tcp.dataLength === 0 && (tcp.flags & (SYN | FIN | RST | ACK)) === ACK;
  const { dataLength, seq, ack } = tcp;
  return { packet, fin: is(FIN), syn: is(SYN), rst: is(RST), pureAck, dataLength, seq, ack };
}

/**
 * Has `judge` decide about each segment of the connections on our port in one direction: `out` is
 * from us to the kernel. All else passes.
 */
export function judge(
  device: ImpairedDevice,
  direction: 'in' | 'out',
  port: number,
  decide: Judge,
): void {
  device[direction].settings.filter = (packet) => {
    const segment = parse(packet, port);
    return segment === null ? 'pass' : decide(segment);
  };
}

/** Drops the first segment that is meant, once. Answers what it has dropped so far. */
export function dropOnce(
  device: ImpairedDevice,
  direction: 'in' | 'out',
  port: number,
  meant: (segment: Passing) => boolean,
): Passing[] {
  const dropped: Passing[] = [];
  judge(device, direction, port, (segment) => {
    if (dropped.length > 0 || !meant(segment)) return 'pass';
    dropped.push({ ...segment, packet: segment.packet.slice() });
    return 'drop';
  });
  return dropped;
}
