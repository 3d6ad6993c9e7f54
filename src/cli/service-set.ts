// The services of `finwait serve`: which, where, and all of them at once. Knows their names; must not
// know devices.

import type { MessagePort } from 'node:worker_threads';
import type { Stack } from '../net/stack.js';
import { chargenService } from '../services/chargen.js';
import { discardService } from '../services/discard.js';
import { echoService } from '../services/echo.js';
import { HttpService } from '../services/http.js';
import { Iperf3Server } from '../services/iperf3.js';
import { Iperf3Branch } from '../services/iperf3-branch.js';
import { IPERF3_PORT } from '../services/iperf3-protocol.js';
import { RunningService } from '../services/service.js';
import { type Input, type OptionSpec, parseInteger } from './command.js';
import { usage } from './failure.js';

/** The services that run, by name, and their ports. */
export type Ports = ReadonlyMap<string, number>;

const IPERF3 = 'iperf3';

/** The thread's place among others: the first one runs what concerns all. */
export interface Team {
  /** To all others; null in all but the first one. */
  readonly others: readonly MessagePort[] | null;
  /** To the first one; null in itself. */
  readonly first: MessagePort | null;
}

const ALONE: Team = { others: [], first: null };

export const SERVICE_OPTIONS = {
  http: { value: 'PORT|off', help: 'web server', default: '80' },
  echo: { value: 'PORT|off', help: 'echo, RFC 862', default: '7' },
  discard: { value: 'PORT|off', help: 'discard, RFC 863', default: '9' },
  chargen: { value: 'PORT|off', help: 'character generator, RFC 864', default: '19' },
  [IPERF3]: {
    value: 'PORT|off',
    help: `a server for iperf3's clients, on ${IPERF3_PORT} if no port is given`,
    default: 'off',
    bare: String(IPERF3_PORT),
  },
} satisfies Record<string, OptionSpec>;

/** Reads the options of `SERVICE_OPTIONS`; throws usage failures. */
export function readPorts(input: Input): Ports {
  const ports = new Map<string, number>();
  for (const name of Object.keys(SERVICE_OPTIONS)) {
    const text = input.text(name)!;
    if (text === 'off') continue;
    const port = parseInteger(`--${name}`, text, 1, 65_535);
    for (const [other, taken] of ports) {
      if (taken !== port) continue;
      throw usage(
        `${other} and ${name} cannot both have port ${port}`,
        `give one of them another port, or switch it off: --${name} off`,
      );
    }
    ports.set(name, port);
  }
  return ports;
}

/** Services that listen on one stack. */
export class ServiceSet {
  private readonly running: readonly RunningService[];
  private readonly iperf3: Iperf3Server | Iperf3Branch | null;

  private constructor(
    running: readonly RunningService[],
    iperf3: Iperf3Server | Iperf3Branch | null,
  ) {
    this.running = running;
    this.iperf3 = iperf3;
  }

  /** @param say takes a line that a service has to say */
  static async start(
    stack: Stack,
    ports: Ports,
    say: (line: string) => void,
    team = ALONE,
  ): Promise<ServiceSet> {
    const running: RunningService[] = [];
    for (const service of [new HttpService(), echoService, discardService, chargenService]) {
      const port = ports.get(service.name);
      if (port === undefined) continue;
      running.push(await RunningService.start(stack.net, service, { port }));
    }
    const iperf3 = startIperf3(stack, ports.get(IPERF3), say, team);
    return new ServiceSet(running, iperf3);
  }

  /** Connections that are open now. */
  get connections(): number {
    const sockets = this.running.reduce((sum, service) => sum + service.connections, 0);
    return sockets + (this.iperf3?.connections ?? 0);
  }

  /** Accepts no more and ends all in order; what is left after `graceMs` milliseconds is reset. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([
      ...this.running.map((service) => service.close(graceMs)),
      this.iperf3?.close(),
    ]);
  }
}

/** One test at a time, whichever threads its connections are in. */
function startIperf3(
  { core }: Stack,
  port: number | undefined,
  say: (line: string) => void,
  { others, first }: Team,
): Iperf3Server | Iperf3Branch | null {
  if (port === undefined) return null;
  if (first !== null) return new Iperf3Branch(core, port, first);
  return new Iperf3Server(core, { port, branches: others ?? [], onTest: say });
}
