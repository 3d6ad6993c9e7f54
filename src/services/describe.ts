// Says in words what a connection is doing. Knows TcpInfo; must not know HTTP or HTML.

import type { TcpInfo } from '../tcp/info.js';
import type { ServiceSocket } from './service.js';

/** A line of a description: what, and how it is. */
export type Fact = readonly [label: string, value: string];

/** `10.9.0.2:80` or `[fd09::2]:80`. */
export function formatEndpoint(address: string, port: number | string): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `1,234,567`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** Microseconds as `0.145 ms`. */
export function formatMicroseconds(us: number): string {
  return `${(us / 1000).toFixed(us < 10_000 ? 3 : 1)} ms`;
}

/** What can be told about this very connection; only its two ends where the TCP tells no more. */
export function describeConnection(socket: ServiceSocket): Fact[] {
  const ends: Fact[] = [
    ['here', formatEndpoint(socket.localAddress ?? '?', socket.localPort ?? '?')],
    ['you', formatEndpoint(socket.remoteAddress ?? '?', socket.remotePort ?? '?')],
  ];
  const info = socket.tcpInfo?.();
  return info ? [...ends, ...describeTcp(info)] : ends;
}

function describeTcp(info: TcpInfo): Fact[] {
  const options = [
    `MSS ${info.sendMss}`,
    `window scale ${info.sendWindowScale} and ${info.receiveWindowScale}`,
    ...(info.timestamps ? ['timestamps'] : []),
    ...(info.sack ? ['SACK'] : []),
  ];
  return [
    ['state', info.state],
    [
      'round trip',
      `${formatMicroseconds(info.rttUs)}, varying by ${formatMicroseconds(info.rttVarUs)}, ` +
        `at least ${formatMicroseconds(info.rttMinUs)}; retransmission after ${info.rtoMs} ms`,
    ],
    [
      'window',
      `we may send ${formatCount(info.sendWindow)} bytes, ` +
        `you may send ${formatCount(info.receiveWindow)}`,
    ],
    ['congestion', `${info.congestion}, window ${formatCount(info.cwnd)} bytes`],
    ['options', options.join(', ')],
    [
      'segments',
      `${formatCount(info.segmentsIn)} in, ${formatCount(info.segmentsOut)} out, ` +
        `${formatCount(info.retransmits)} sent again`,
    ],
    [
      'bytes',
      `${formatCount(info.bytesReceived)} in, ${formatCount(info.bytesAcknowledged)} out, ` +
        `${formatCount(info.unacknowledged + info.unsent)} not yet acknowledged`,
    ],
  ];
}
