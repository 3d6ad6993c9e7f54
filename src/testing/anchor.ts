// A device that keeps the process alive while it is referenced, as a descriptor of the kernel's does. Knows
// the event loop; must not know which device.

import { DeviceFront } from '../device/front.js';

const MAX_TIMER_MS = 0x7fff_ffff;

/** A link in memory has nothing in the event loop while nothing is on its way. */
export class Anchored extends DeviceFront {
  #anchor: NodeJS.Timeout | undefined;

  override ref(): void {
    this.#anchor ??= setInterval(() => {}, MAX_TIMER_MS);
    this.device.ref();
  }

  override unref(): void {
    this.#letGo();
    this.device.unref();
  }

  override close(): void {
    this.#letGo();
    this.device.close();
  }

  #letGo(): void {
    clearInterval(this.#anchor);
    this.#anchor = undefined;
  }
}
