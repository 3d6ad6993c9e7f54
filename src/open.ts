// A stack with a TUN device and the clock of the system, in one call. Knows the parts; no behaviour.

import { withSoftwareOffload } from './device/offload.js';
import { SystemClock } from './device/system-clock.js';
import { TunDevice, type TunOptions } from './device/tun.js';
import { Stack, type StackOptions } from './net/stack.js';

/** What `openStack` may be told; nothing is required. */
export interface OpenStackOptions extends Omit<StackOptions, 'clock' | 'device'> {
  /** The TUN device; null for a stack that only talks to itself. Default: `fw0`. */
  tun?: TunOptions | null | undefined;
  /**
   * Whether the stack's time stands while the process does: at a breakpoint, or stopped by a signal. Then
   * such a pause lets no timer run out. Default: as soon as a debugger can attach (`--inspect`).
   */
  discountPauses?: boolean | undefined;
}

/**
 * Opens a TUN device, and a stack behind it. `stack.close()` closes both.
 * @throws DeviceError when the device cannot be opened
 */
export function openStack({ tun, discountPauses, ...options }: OpenStackOptions = {}): Stack {
  const device = tun === null ? null : withSoftwareOffload(TunDevice.open(tun));
  try {
    return new Stack({ ...options, clock: new SystemClock({ discountPauses }), device });
  } catch (error) {
    device?.close();
    throw error;
  }
}
