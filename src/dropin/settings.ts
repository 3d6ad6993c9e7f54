// What `finwait/register` is told by the environment. Knows variables and their defaults; must not open
// anything.

import { IpAddress, Subnet } from '../wire/address.js';

/** The variables and what they mean; `finwait run` sets them from its options of the same names. */
export const VARIABLES = {
  FINWAIT_ROUTE: 'all: everything uses the stack, which has the loopback addresses and no device',
  FINWAIT_NAME: 'name of the interface (fw0)',
  FINWAIT_ADDRESS: 'addresses of the stack, one a family (10.9.0.2,fd09::2)',
  FINWAIT_PEER: 'addresses of the kernel, with prefix lengths (10.9.0.1/24,fd09::1/64)',
  FINWAIT_MTU: 'largest packet, bytes (1500)',
  FINWAIT_NETNS: 'network namespace to make the interface in, a path',
  FINWAIT_NO_OFFLOAD: '1: checksums and segments of MTU size made here, not by the kernel',
  FINWAIT_SPIN: 'microseconds to look for packets before sleeping (50)',
  FINWAIT_MSL: 'maximum segment lifetime, ms (30000)',
  FINWAIT_MEMORY: 'memory for packets and buffers, MiB (256)',
  FINWAIT_DISCOUNT_PAUSES: '1: no time passes while the process is stopped',
} as const;

export type Variable = keyof typeof VARIABLES;
export type Environment = Readonly<Record<string, string | undefined>>;

/** A stack that is opened when it is needed, and what goes there. */
export interface Settings {
  /** Whether everything goes there; otherwise what is in the subnets of its addresses. */
  readonly all: boolean;
  /** The stack's addresses, with prefixes. */
  readonly addresses: readonly Subnet[];
  /** Null: no device. */
  readonly tun: {
    readonly name: string;
    readonly address: readonly Subnet[];
    readonly mtu?: number;
    readonly netns?: string;
    readonly offload: boolean;
    readonly spin?: number;
  } | null;
  /** Bytes. */
  readonly memory: number | undefined;
  readonly tcp: { readonly msl?: number };
  readonly discountPauses: true | undefined;
}

const LOOPBACK = ['127.0.0.1/8', '::1/128'];
const DEFAULT_ADDRESS = '10.9.0.2,fd09::2';
const DEFAULT_PEER = '10.9.0.1/24,fd09::1/64';
const MIB = 1024 * 1024;

/** @throws Error that names the variable which cannot be understood */
export function readSettings(env: Environment): Settings {
  const route = env.FINWAIT_ROUTE || 'subnet';
  if (route !== 'all' && route !== 'subnet') throw refuse(env, 'FINWAIT_ROUTE', 'all or subnet');
  const msl = number(env, 'FINWAIT_MSL', 1);
  const memory = number(env, 'FINWAIT_MEMORY', 16);
  const common = {
    memory: memory === undefined ? undefined : memory * MIB,
    tcp: msl === undefined ? {} : { msl },
    discountPauses: env.FINWAIT_DISCOUNT_PAUSES === '1' || undefined,
  };
  if (route === 'all') {
    return {
      ...common,
      all: true,
      addresses: LOOPBACK.map((text) => Subnet.parse(text)!),
      tun: null,
    };
  }
  const peers = readPeers(env);
  const mtu = number(env, 'FINWAIT_MTU', 68);
  const spin = number(env, 'FINWAIT_SPIN', 0);
  return {
    ...common,
    all: false,
    addresses: readAddresses(env, peers),
    tun: {
      name: env.FINWAIT_NAME || 'fw0',
      address: peers,
      offload: env.FINWAIT_NO_OFFLOAD !== '1',
      ...(mtu !== undefined && { mtu }),
      ...(spin !== undefined && { spin }),
      ...(env.FINWAIT_NETNS && { netns: env.FINWAIT_NETNS }),
    },
  };
}

/** Who names one side in one family only wants the other side's default in that family only. */
function readPeers(env: Environment): Subnet[] {
  const peers = list(env.FINWAIT_PEER || DEFAULT_PEER).map((text) => {
    const subnet = Subnet.parse(text);
    if (subnet === null) throw refuse(env, 'FINWAIT_PEER', 'addresses such as 10.9.0.1/24');
    return subnet;
  });
  if (env.FINWAIT_PEER || !env.FINWAIT_ADDRESS) return peers;
  const families = list(env.FINWAIT_ADDRESS).map((text) => IpAddress.parse(text)?.family);
  return peers.filter(({ address }) => families.includes(address.family));
}

/** Each address has the prefix length of the kernel's address on the same link. */
function readAddresses(env: Environment, peers: readonly Subnet[]): Subnet[] {
  const given = list(env.FINWAIT_ADDRESS || DEFAULT_ADDRESS).map((text) => {
    const address = IpAddress.parse(text);
    if (address === null) throw refuse(env, 'FINWAIT_ADDRESS', 'addresses such as 10.9.0.2');
    return address;
  });
  const own = given.flatMap((address) => {
    const peer = peers.find((subnet) => subnet.address.family === address.family);
    return peer === undefined ? [] : [Subnet.parse(`${address}/${peer.prefix}`)!];
  });
  const both = own.find(({ address }) => peers.some((peer) => peer.address.equals(address)));
  if (both !== undefined) {
    const name = env.FINWAIT_ADDRESS ? 'FINWAIT_ADDRESS' : 'FINWAIT_PEER';
    throw refuse(env, name, 'addresses that the other side does not have');
  }
  if (own.length > 0) return own;
  throw refuse(env, 'FINWAIT_ADDRESS', 'an address of a family that FINWAIT_PEER has, too');
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function number(env: Environment, name: Variable, least: number): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least) return value;
  throw refuse(env, name, `a whole number of at least ${least}`);
}

function refuse(env: Environment, name: Variable, wanted: string): Error {
  return new Error(`The environment variable ${name} is "${env[name]}"; it takes ${wanted}`);
}
