// `--publish 8080:80`: ports of the machine that lead to ports of the stack. Knows how they are written and
// who may have them; how bytes pass stands in forwarder.ts.

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { SystemError } from '../device/device-error.js';
import { native } from '../device/native.js';
import { isInside } from '../enclosure/networks.js';
import { formatEndpoint } from '../services/describe.js';
import { IpAddress } from '../wire/address.js';
import { type Input, type OptionSpec, parseInteger } from './command.js';
import { environment, usage } from './failure.js';

export const PUBLISH_OPTION = {
  publish: {
    value: '[IP:]PORT:PORT',
    help: 'port of this machine (localhost, or IP) that leads to one of the stack; may be repeated',
    several: true,
  },
} satisfies Record<string, OptionSpec>;

/**
 * The descriptors that a program in a network of its own was given by the one outside: their number, from 3
 * on. A socket keeps the network that it was made in.
 */
const HANDED_IN = 'FINWAIT_PUBLISHED';
const FIRST_HANDED_IN = 3;

/** Longest that the thread which forwards may take to end. */
const CLOSE_MS = 1000;

const LOOPBACK = ['127.0.0.1', '::1'];

interface Publication {
  /** Of the machine: where to listen. */
  readonly addresses: readonly string[];
  /** Whether all of them must be had; else the first one will do. */
  readonly all: boolean;
  readonly port: number;
  /** Of the stack. */
  readonly target: number;
}

/** What the thread that forwards is told. */
export interface ForwarderData {
  readonly listeners: readonly { descriptor: number; target: number }[];
  /** Address of the stack. */
  readonly host: string;
}

export class Publications {
  /** Listening sockets, each for a port of the stack. */
  readonly #listeners: ForwarderData['listeners'];
  readonly #published: readonly Publication[];
  #worker: Worker | null = null;

  private constructor(published: readonly Publication[], listeners: ForwarderData['listeners']) {
    this.#published = published;
    this.#listeners = listeners;
  }

  /**
   * Listens where `--publish` says; throws failures. In a network of its own a program gets the sockets
   * that were opened outside.
   */
  static open(input: Input): Publications {
    const published = (input.text('publish')?.split(',') ?? []).map(parse);
    if (published.length > 0 && input.text('netns') !== undefined) {
      throw usage('--publish and --netns exclude each other', 'leave out one of them');
    }
    const given = process.env[HANDED_IN];
    delete process.env[HANDED_IN]; // what is started from here has none
    if (given !== undefined && isInside()) return new Publications(published, JSON.parse(given));
    return new Publications(published, published.flatMap(listen));
  }

  /** For a program in a network of its own. */
  get descriptors(): number[] {
    return this.#listeners.map(({ descriptor }) => descriptor);
  }

  /** What that program finds in its environment. */
  get environment(): NodeJS.ProcessEnv {
    if (this.#listeners.length === 0) return {};
    const inside = this.#listeners.map(({ target }, i) => ({
      descriptor: FIRST_HANDED_IN + i,
      target,
    }));
    return { [HANDED_IN]: JSON.stringify(inside) };
  }

  /** For people: from where to where. */
  get lines(): string[] {
    return this.#published.map(
      (each) => `${formatEndpoint(nameOf(each), each.port)} leads to port ${each.target}`,
    );
  }

  /** Where a port of the stack can be reached from the machine, such as `localhost:8080`; null if nowhere. */
  endpointOf(target: number): string | null {
    const found = this.#published.find((each) => each.target === target);
    return found === undefined ? null : formatEndpoint(nameOf(found), found.port);
  }

  /** Forwards from now on, in a thread of its own, to the stack at this address. */
  start(host: string): void {
    if (this.#listeners.length === 0) return;
    const workerData: ForwarderData = { listeners: this.#listeners, host };
    // What a program is told to load at its start is not for this thread.
    const { NODE_OPTIONS, ...env } = process.env;
    const url = new URL('./forwarder.js', import.meta.url);
    this.#worker = new Worker(url, { workerData, execArgv: [], env });
    this.#worker.unref();
  }

  /** Ends all that is forwarded. */
  async close(): Promise<void> {
    if (this.#worker === null) return;
    // What has gone wrong in there must not keep us.
    await Promise.race([this.#worker.terminate(), sleep(CLOSE_MS, undefined, { ref: false })]);
  }
}

function nameOf({ addresses, all }: Publication): string {
  return all ? addresses[0]! : 'localhost';
}

function parse(text: string): Publication {
  const [, where, port, target] =
    /^(?:(\[[^\]]*\]|[^:]*):)?([^:]*):([^:]*)$/.exec(text.trim()) ?? [];
  if (port === undefined || target === undefined) {
    throw usage(
      `--publish: "${text}" is not a port of this machine and one of the stack`,
      'write it as 8080:80 or 127.0.0.1:8080:80',
    );
  }
  const ports = {
    port: parseInteger('--publish (the port of this machine)', port, 1, 65_535),
    target: parseInteger('--publish (the port of the stack)', target, 1, 65_535),
  };
  if (where === undefined || where === 'localhost') {
    return { addresses: LOOPBACK, all: false, ...ports };
  }
  const address = IpAddress.parse(where.replace(/^\[(.*)\]$/, '$1'));
  if (address === null) {
    throw usage(
      `--publish: "${where}" is not an IP address`,
      `write 127.0.0.1:${port}:${target}, [::1]:${port}:${target} or ${port}:${target}`,
    );
  }
  return { addresses: [String(address)], all: true, ...ports };
}

function listen({ addresses, all, port, target }: Publication): ForwarderData['listeners'] {
  const listeners: { descriptor: number; target: number }[] = [];
  for (const address of addresses) {
    try {
      listeners.push({ descriptor: native().listen(address, port), target });
    } catch (error) {
      if (!(error instanceof Error && 'subject' in error)) throw error;
      const { code } = error as SystemError;
      // Where IPv6 is disabled, loopback is 127.0.0.1.
      if (!all && listeners.length > 0 && /^(EADDRNOTAVAIL|EAFNOSUPPORT)$/.test(code)) continue;
      throw refused(error as SystemError, address, port, target);
    }
  }
  return listeners;
}

function refused(error: SystemError, address: string, port: number, target: number): Error {
  const what = `port ${port} of ${address} cannot be published`;
  const other = (start: number) =>
    `choose another one, such as --publish ${start + port}:${target}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return environment(
        `${what}: another program listens there`,
        other(port < 65_535 ? 1 : -1),
        error,
      );
    case 'EACCES':
      return environment(`${what}: ports below 1024 are for root`, other(8000), error);
    case 'EADDRNOTAVAIL':
      return environment(
        `${what}: this machine does not have that address`,
        `leave it out: --publish ${port}:${target}`,
        error,
      );
    default:
      return environment(`${what}: ${error.message}`, other(1), error);
  }
}
