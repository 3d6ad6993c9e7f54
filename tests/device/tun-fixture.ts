// A namespace and devices for the tests of one file, all gone after each test.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { TunDevice, type TunOptions } from '../../src/device/tun.js';
import { Namespace } from '../support/namespace.js';
import { echoRequest, IPV4_ECHO_REPLY } from './packets.js';
import { TestPort } from './port.js';

export const US = '10.9.0.2';
export const KERNEL = '10.9.0.1';
export const IPV4_ONLY = { address: '10.9.0.1/24' };

/** Waits, for about four seconds at most. */
export async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 800 && !done(); i++) await sleep(5);
  expect(done()).toBe(true);
}

export async function ping(device: TunDevice, port: TestPort, text = 'ping'): Promise<void> {
  const before = port.packets.length;
  port.send(device, echoRequest(US, KERNEL, text));
  await until(() => port.packets.slice(before).some(({ bytes }) => IPV4_ECHO_REPLY(bytes)));
}

/** To be called where tests are described: what it returns is new for each of them. */
export class TunFixture {
  #namespace: Namespace | undefined;
  readonly #opened: TunDevice[] = [];

  constructor() {
    beforeEach(async () => {
      this.#namespace = await Namespace.create();
    });
    afterEach(async () => {
      for (const device of this.#opened.splice(0)) device.close();
      await this.namespace.close();
    });
  }

  get namespace(): Namespace {
    return this.#namespace!;
  }

  open(options: TunOptions = {}): TunDevice {
    const device = TunDevice.open({ netns: this.namespace.path, ...options });
    this.#opened.push(device);
    return device;
  }

  openAttached(options: TunOptions = {}, port = new TestPort()) {
    const device = this.open(options);
    device.attach(port);
    return { device, port };
  }
}
