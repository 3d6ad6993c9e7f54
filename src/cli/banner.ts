// What `finwait serve` says when it runs. Knows commands worth trying; must not change anything.

import { styleText } from 'node:util';
import { MARK } from '../enclosure/networks.js';
import { formatEndpoint } from '../services/describe.js';
import { IPERF3_PORT } from '../services/iperf3-protocol.js';
import type { IpAddress } from '../wire/address.js';
import type { HostFacts } from './host.js';
import type { LinkAddress } from './network-options.js';
import type { Publications } from './publications.js';
import type { Ports } from './service-set.js';
import { programCall } from './text.js';

/** What runs: the device, the families that work, the services, and how many threads there are. */
export interface Site {
  readonly facts: HostFacts;
  readonly links: readonly LinkAddress[];
  readonly ports: Ports;
  readonly workers: number;
  readonly netns: string | undefined;
  readonly published: Publications;
}

/** Which device, which addresses, what the kernel does for us, which services, what to try. */
export function formatBanner(site: Site): string {
  const { facts, links, ports, workers, published } = site;
  const services = [...ports].map(([name, port]) => `${name} ${port}`).join(', ');
  const lines = [
    `${styleText('bold', facts.name)}: ${links.map(({ stack }) => stack).join(' and ')} ` +
      `(this stack), ${links.map(({ kernel }) => kernel).join(' and ')} (the kernel)`,
    `MTU ${facts.mtu}; the kernel does ${describeOffload(facts)} for us`,
    ...(workers === 1 ? [] : [`Workers: ${workers}, each with a queue and a stack of its own`]),
    `Services: ${services === '' ? 'none' : services}`,
    ...(isOwnNetwork()
      ? [`A network of its own: \`${programCall()} shell --join\` enters it`]
      : []),
    ...published.lines.map((line) => `Published: ${line}`),
    ...facts.warnings.map((warning) => `${styleText('yellow', 'Note')}: ${warning}`),
    '',
    'Try, in another terminal:',
    ...suggestions(site).map((line) => `  ${styleText('cyan', line)}`),
    '',
    'Ctrl-C ends it.',
  ];
  return `${lines.join('\n')}\n`;
}

function describeOffload({ offload }: HostFacts): string {
  const { checksum, tso4, tso6 } = offload;
  if (!checksum) return 'neither checksums nor segmentation';
  return tso4 && tso6 ? 'checksums and segmentation' : 'checksums';
}

/** Whether this process is in a network that was made for it, or for the shell that it runs in. */
function isOwnNetwork(): boolean {
  return process.env[MARK] !== undefined;
}

/** What stands before a command that is to talk with this stack, from where people are who read it. */
function wayInside(netns: string | undefined): string {
  if (netns !== undefined) return `nsenter --net=${netns} `;
  return isOwnNetwork() ? `${programCall()} shell --join ` : '';
}

/** Commands that work now, with the addresses and ports in use. */
function suggestions({ facts, links, ports, netns, published }: Site): string[] {
  const inside = wayInside(netns);
  const addresses = links.map(({ stack }) => stack);
  const first = addresses[0]!;
  const lines: string[] = [];
  const http = ports.get('http');
  if (http !== undefined) {
    const endpoint = published.endpointOf(http);
    if (endpoint !== null) lines.push(`curl http://${endpoint}/`);
    for (const address of addresses) lines.push(`${inside}curl ${url(address, http, '/')}`);
    lines.push(`${inside}curl ${url(first, http, '/bytes/100000000')} | sha256sum`);
    lines.push(`${inside}curl -T FILE ${url(first, http, '/sha256')}`);
  }
  const echo = ports.get('echo');
  if (echo !== undefined) lines.push(`echo hello | ${inside}nc -N ${first} ${echo}`);
  const chargen = ports.get('chargen');
  if (chargen !== undefined) lines.push(`${inside}nc ${first} ${chargen} | head`);
  const iperf3 = ports.get('iperf3');
  if (iperf3 !== undefined) {
    lines.push(`${inside}iperf3 -c ${first}${iperf3 === IPERF3_PORT ? '' : ` -p ${iperf3}`}`);
  }
  lines.push(`${inside}tcpdump -ni ${facts.name} tcp`);
  lines.push(`${programCall()} ss -a`);
  return lines;
}

/** A URL as curl takes it from a shell: brackets would be patterns to both. */
function url(address: IpAddress, port: number, path: string): string {
  const endpoint = formatEndpoint(String(address), port).replace(/:80$/, '');
  return address.family === 6 ? `-g 'http://${endpoint}${path}'` : `http://${endpoint}${path}`;
}
