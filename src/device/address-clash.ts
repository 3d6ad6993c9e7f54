// Finds out whether addresses are free in the kernel's routing tables; must not change anything.
import { IpAddress, Subnet } from '../wire/address.js';
import { DeviceError } from './device-error.js';
import { native, type Route } from './native.js';

// rtnetlink(7)
const RTN_LOCAL = 2;
const RTN_BROADCAST = 3;
const RTN_ANYCAST = 4;
const RTN_MULTICAST = 5;
const RT_TABLE_MAIN = 254;
const RT_TABLE_LOCAL = 255;

/** An address that is taken, or whose network already leads elsewhere. */
export class AddressClash {
  /** The network that was asked for. */
  readonly subnet: Subnet;
  /** What it clashes with: an address of this machine, or a route. */
  readonly existing: Subnet;
  /** `address`: the machine has it already; `route`: a route leads elsewhere; `hides`: a route to a
   * larger network exists, of which this one would become an exception. */
  readonly kind: 'address' | 'route' | 'hides';
  /** The interface that has it; empty for a route without one, such as a blackhole. */
  readonly device: string;

  constructor(subnet: Subnet, existing: Subnet, kind: AddressClash['kind'], device: string) {
    this.subnet = subnet;
    this.existing = existing;
    this.kind = kind;
    this.device = device;
  }

  /** Whether the interface works in spite of it. */
  get harmless(): boolean {
    return this.kind === 'hides';
  }

  get message(): string {
    const where = this.device === '' ? 'nowhere' : this.device;
    if (this.kind === 'address') return `${this.subnet.address} is already an address of ${where}`;
    return this.kind === 'route'
      ? `${this.subnet} is already routed: ${this.existing} leads to ${where}`
      : `${this.subnet} hides a part of ${this.existing}, which leads to ${where}`;
  }

  toError(): DeviceError {
    return new DeviceError(
      `Cannot use the address ${this.subnet}: ${this.message}`,
      'choose another address, such as 10.77.0.1/24',
      { code: 'EADDRINUSE', syscall: 'RTM_GETROUTE' },
    );
  }
}

function clashOf(wanted: Subnet, route: Route): AddressClash | null {
  const address = IpAddress.parse(route.destination);
  if (address === null || address.family !== wanted.address.family) return null;
  const existing = new Subnet(address, route.prefix);
  const local = route.table === RT_TABLE_LOCAL && route.type === RTN_LOCAL;
  if (local && existing.contains(wanted.address)) {
    return new AddressClash(wanted, existing, 'address', route.device);
  }
  // A default route claims nothing in particular.
  if (route.prefix === 0) return null;
  if (route.prefix >= wanted.prefix) {
    return wanted.contains(address)
      ? new AddressClash(wanted, existing, 'route', route.device)
      : null;
  }
  return existing.contains(wanted.address)
    ? new AddressClash(wanted, existing, 'hides', route.device)
    : null;
}

function isRelevant(route: Route, except: string): boolean {
  if (route.table !== RT_TABLE_MAIN && route.table !== RT_TABLE_LOCAL) return false;
  if (route.device !== '' && route.device === except) return false;
  return route.type !== RTN_BROADCAST && route.type !== RTN_ANYCAST && route.type !== RTN_MULTICAST;
}

/**
 * Which of the networks (address and prefix of an interface) clash with addresses and routes that
 * the kernel has, in this network namespace or that of the path `netns`; the interface `except` is
 * left out. At most one clash for each network, the most serious. Throws where routes can't be read.
 */
export function findAddressClash(
  subnets: readonly Subnet[],
  netns = '',
  except = '',
): AddressClash[] {
  const routes = native()
    .routes(netns)
    .filter((route) => isRelevant(route, except));
  const order: AddressClash['kind'][] = ['address', 'route', 'hides'];
  return subnets.flatMap((subnet) => {
    const clashes = routes.map((route) => clashOf(subnet, route)).filter((clash) => clash !== null);
    clashes.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    return clashes.slice(0, 1);
  });
}
