// `finwait serve` in one thread. Knows a host and its services; must not know signals.

import { deviceFailure } from './device-failure.js';
import { errorCode } from './failure.js';
import { Host, type HostFacts } from './host.js';
import type { StackOptions } from './network-options.js';
import type { Recording } from './recording.js';
import { type Ports, ServiceSet } from './service-set.js';

/** What somebody who serves has to say, and to whom. */
export interface Speech {
  /** News of a service, a line. */
  say(line: string): void;
  /** The device goes down, or comes up again. */
  warn(line: string): void;
}

/** One or several threads that serve. */
export interface Serving {
  readonly facts: HostFacts;
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>;
  /** Connections that are open now. */
  connections(): Promise<number>;
  /** Accepts no more and ends all in order; what is left after `graceMs` milliseconds is reset. */
  stop(graceMs: number): Promise<void>;
  /** Ends at once what is left, and removes the device. */
  close(): Promise<void>;
}

export class Solo implements Serving {
  readonly facts: HostFacts;
  readonly failed: Promise<never>;
  private readonly host: Host;
  private readonly services: ServiceSet;

  private constructor(host: Host, services: ServiceSet, failed: Promise<never>) {
    this.facts = host.facts;
    this.host = host;
    this.services = services;
    this.failed = failed;
  }

  /** Opens a host and starts its services; throws failures, and leaves nothing behind then. */
  static async open(
    options: StackOptions,
    ports: Ports,
    speech: Speech,
    recording: Recording | null = null,
  ): Promise<Solo> {
    const host = await Host.open(options, null, recording);
    try {
      const failed = watchDevice(host, speech);
      const services = await ServiceSet.start(host.stack, ports, speech.say);
      return new Solo(host, services, failed);
    } catch (error) {
      await host.close(0);
      throw error;
    }
  }

  async connections(): Promise<number> {
    return this.services.connections;
  }

  stop(graceMs: number): Promise<void> {
    this.host.letGo();
    return this.services.close(graceMs);
  }

  close(): Promise<void> {
    return this.host.close(0);
  }
}

/** Rejects when the device is deleted; says when it goes down and comes up again. */
export function watchDevice({ stack, facts }: Host, { warn }: Speech): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    stack.on('up', () => warn(`${facts.name} is up again`));
    stack.on('down', (error: Error) => {
      if (errorCode(error) !== 'EBADFD') warn(error.message);
      else reject(deviceFailure(error));
    });
  });
  failed.catch(() => {}); // whoever serves looks at it later
  return failed;
}
