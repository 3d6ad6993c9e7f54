// A server that is being measured: who runs, where it answers, from where it is called. Knows loads as
// words for the client; must not know what they mean.

import { Companion, run } from './processes.mjs';

/** Addresses that the client calls from; the first ones for loads, the others for idle connections. */
const LOAD_SOURCES = 4;
const SOURCES = 24;
const SERVER_CPU = '0';
const CLIENT_CPU = '1';

/** Host parts beyond those that the two ends of a device have. */
export function sources(prefix) {
  return Array.from({ length: SOURCES }, (_, i) => `${prefix}.${101 + i}`);
}

/** A server and the programs that it leans on. */
export class Server {
  /** Where it answers. */
  address;
  /** Addresses to call it from; none where the kernel is to choose. */
  sources = [];
  /** How to get into the namespace of the client. */
  enter = [];
  #companions = [];
  #pinned;

  /** @param pinned whether server and client have a processor each, and stay on it */
  constructor(pinned = false) {
    this.#pinned = pinned;
  }

  /** Starts a program that belongs to it, and ends with it; answers what the program said first. */
  async launch(command, args, ready) {
    const [program, ...words] = [...this.#on(SERVER_CPU), command, ...args];
    const companion = await Companion.start(program, words, ready);
    this.#companions.push(companion);
    return companion.greeting;
  }

  /** Runs the client; answers what it says, and the processor seconds of the server meanwhile. */
  async load(client, [kind, port, amount, ...size], timeoutMs) {
    const before = this.#cpuSeconds();
    const from = this.#from(0, LOAD_SOURCES);
    const [command, ...args] = [...this.#on(CLIENT_CPU), ...this.enter, client, ...from, kind];
    const line = await run(command, [...args, this.address, port, amount, ...size], { timeoutMs });
    return { ...JSON.parse(line), serverCpu: this.#cpuSeconds() - before };
  }

  /** Words for a client that holds idle connections, one of several that each have an address. */
  idleClient(client, index, count) {
    const from = this.#from(LOAD_SOURCES + (index % (SOURCES - LOAD_SOURCES)), 1);
    return [...this.enter, client, ...from, 'idle', this.address, 9, count];
  }

  /** Asks the program that was started first. */
  ask(line) {
    return this.#companions[0].ask(line);
  }

  async stop() {
    // Who was started last leans on those before.
    for (const companion of this.#companions.reverse()) await companion.stop();
  }

  #on(cpu) {
    return this.#pinned ? ['taskset', '-c', cpu] : [];
  }

  #from(first, count) {
    const addresses = this.sources.slice(first, first + count);
    return addresses.length > 0 ? ['-f', addresses.join(',')] : [];
  }

  #cpuSeconds() {
    return this.#companions.reduce((sum, each) => sum + each.cpuSeconds(), 0);
  }
}
