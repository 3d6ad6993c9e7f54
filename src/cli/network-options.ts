// The options that say which network a stack gets. Knows addresses; must not open anything.

import { DEFAULT_SPIN_US, MAX_SPIN_US } from '../device/tun.js';
import { IpAddress, Subnet } from '../wire/address.js';
import type { Input, OptionSpec } from './command.js';
import { usage } from './failure.js';

export const DEFAULT_NAME = 'fw0';
const DEFAULT_ADDRESS = '10.9.0.2,fd09::2';
const DEFAULT_PEER = '10.9.0.1/24,fd09::1/64';

/** Which network: of serve, nc and doctor. */
export const NETWORK_OPTIONS = {
  name: { value: 'NAME', help: 'name of the interface', default: DEFAULT_NAME },
  address: {
    value: 'IP[,IP]',
    help: 'addresses of the stack, one a family',
    default: DEFAULT_ADDRESS,
  },
  peer: {
    value: 'IP/N[,IP/N]',
    help: 'addresses of the kernel on the same link, with prefix lengths',
    default: DEFAULT_PEER,
  },
  mtu: { value: 'BYTES', help: 'largest packet', default: '1500' },
  netns: { value: 'PATH', help: 'make the interface in this network namespace' },
} satisfies Record<string, OptionSpec>;

/** How the stack works on it: of serve and nc. */
export const STACK_OPTIONS = {
  ...NETWORK_OPTIONS,
  msl: { value: 'MS', help: 'maximum segment lifetime; TIME-WAIT lasts two', default: '30000' },
  'no-offload': { help: 'checksums and segments of MTU size made here, not by the kernel' },
  spin: {
    value: 'US',
    help: 'look for packets so long before sleeping, while they follow closely; 0: never',
    default: String(DEFAULT_SPIN_US),
  },
  memory: { value: 'MIB', help: 'memory for packets and buffers', default: '256' },
  'discount-pauses': {
    help: 'no time passes while Ctrl-Z or a breakpoint stops us; always so with --inspect',
  },
} satisfies Record<string, OptionSpec>;

/** One family of the link: our address, and the kernel's with the prefix of both. */
export interface LinkAddress {
  readonly stack: IpAddress;
  readonly kernel: Subnet;
}

export interface NetworkOptions {
  readonly name: string;
  readonly links: readonly LinkAddress[];
  readonly mtu: number;
  readonly netns: string | undefined;
}

export interface StackOptions extends NetworkOptions {
  readonly msl: number;
  readonly offload: boolean;
  /** Microseconds, see TunOptions. */
  readonly spin: number;
  readonly memoryMiB: number;
  /** See SystemClockOptions. */
  readonly discountPauses: true | undefined;
}

/** Reads the options of `NETWORK_OPTIONS`; throws usage failures. */
export function readNetworkOptions(input: Input): NetworkOptions {
  return {
    name: input.text('name')!,
    links: readLinks(input),
    mtu: input.integer('mtu', 68, 65_535)!,
    netns: input.text('netns'),
  };
}

/** Reads the options of `STACK_OPTIONS`; throws usage failures. */
export function readStackOptions(input: Input): StackOptions {
  return {
    ...readNetworkOptions(input),
    msl: input.integer('msl', 1, 3_600_000)!,
    offload: !input.given('no-offload'),
    spin: input.integer('spin', 0, MAX_SPIN_US)!,
    memoryMiB: input.integer('memory', 16, 2047)!,
    discountPauses: input.given('discount-pauses') || undefined,
  };
}

function readLinks(input: Input): LinkAddress[] {
  let addresses = splitList(input.text('address')!).map(parseAddress);
  let peers = splitList(input.text('peer')!).map(parsePeer);
  // Who names one side in one family only wants the other side's default in that family only.
  if (input.given('address') && !input.given('peer')) {
    peers = peers.filter(({ address }) => addresses.some((own) => own.family === address.family));
  }
  if (input.given('peer') && !input.given('address')) {
    addresses = addresses.filter((own) => peers.some((peer) => peer.address.family === own.family));
  }
  for (const { address } of peers) {
    if (!addresses.some((own) => own.family === address.family)) {
      throw usage(
        `--peer ${address} has no --address of IPv${address.family} to go with it`,
        `give --address one of IPv${address.family}, too`,
      );
    }
  }
  const families = new Set(addresses.map(({ family }) => family));
  if (families.size < addresses.length || families.size < peers.length) {
    throw usage(
      'more than one address of a family on one side',
      'give --address and --peer at most one of IPv4 and one of IPv6 each',
    );
  }
  return addresses.map((stack) => pairUp(stack, peers));
}

function pairUp(stack: IpAddress, peers: readonly Subnet[]): LinkAddress {
  const kernel = peers.find(({ address }) => address.family === stack.family);
  if (kernel === undefined) {
    throw usage(
      `--address ${stack} has no --peer of IPv${stack.family} to go with it`,
      `give --peer the kernel's IPv${stack.family} address on the link, too`,
    );
  }
  if (kernel.address.equals(stack)) {
    throw usage(
      `${stack} is on both sides: the stack and the kernel each need an address of their own`,
      `give the stack a different address of ${kernel}, for example --address ${neighbour(stack)}`,
    );
  }
  if (!kernel.contains(stack)) {
    throw usage(
      `--address ${stack} is outside --peer ${kernel}: the kernel would not know the way to it`,
      'choose both from the same network, as in --address 10.9.0.2 --peer 10.9.0.1/24',
    );
  }
  if (kernel.broadcast?.equals(stack) === true || isNetworkAddress(stack, kernel)) {
    throw usage(
      `--address ${stack} stands for the whole network ${kernel}, not for one host`,
      `choose another address of it, for example --address ${neighbour(kernel.address)}`,
    );
  }
  return { stack, kernel };
}

/** All host bits zero: the network itself (IPv4), or any of its routers (RFC 4291 §2.6.1). */
function isNetworkAddress({ family, w0, w1, w2, w3 }: IpAddress, { prefix }: Subnet): boolean {
  const hostBits = (family === 4 ? 32 : 128) - prefix;
  if (hostBits <= 1) return false; // RFC 3021, RFC 6164: a link of two
  let bits = 0n;
  for (const word of [w0, w1, w2, w3]) bits = (bits << 32n) | BigInt(word >>> 0);
  return (bits & ((1n << BigInt(hostBits)) - 1n)) === 0n;
}

/** The address next to one, in the same network unless that is tiny. */
function neighbour({ family, w0, w1, w2, w3 }: IpAddress): IpAddress {
  const next = (w3 & 1) === 1 ? w3 + 1 : w3 ^ 1;
  return family === 4 ? IpAddress.v4(next) : IpAddress.v6(w0, w1, w2, next);
}

function splitList(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function parseAddress(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === null) {
    const bare = Subnet.parse(text)?.address;
    throw usage(
      `--address: "${text}" is not an IP address`,
      bare ? `leave out the prefix length: --address ${bare}` : 'write one such as 10.9.0.2',
    );
  }
  checkHost('--address', address);
  return address;
}

function parsePeer(text: string): Subnet {
  const subnet = Subnet.parse(text);
  if (subnet === null) {
    const bare = IpAddress.parse(text);
    throw usage(
      `--peer: "${text}" is not an IP address with a prefix length`,
      `write it as ${bare === null ? '10.9.0.1/24' : `${bare}/${bare.family === 4 ? 24 : 64}`}`,
    );
  }
  checkHost('--peer', subnet.address);
  return subnet;
}

function checkHost(option: string, address: IpAddress): void {
  const kind = unfitness(address);
  if (kind === null) return;
  throw usage(
    `${option}: ${address} is ${kind}, and cannot be a host's on a link`,
    'choose a private address, such as 10.9.0.2 or fd09::2',
  );
}

function unfitness(address: IpAddress): string | null {
  if (address.isUnspecified) return 'no address at all';
  if (address.isLoopback) return 'a loopback address';
  if (address.isMulticast || address.isBroadcast) return 'an address of a group';
  return null;
}
