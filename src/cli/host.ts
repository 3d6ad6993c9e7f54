// A stack on a TUN device, opened as the command line says. Knows what can fail; must not know commands.

import { withSoftwareOffload } from '../device/offload.js';
import { SystemClock } from '../device/system-clock.js';
import { TunDevice } from '../device/tun.js';
import { Stack } from '../net/stack.js';
import { ControlServer } from './control.js';
import { deviceFailure } from './device-failure.js';
import { environment } from './failure.js';
import type { LinkAddress, StackOptions } from './network-options.js';
import { reportStack, type StackReport } from './report.js';

const MIB = 1024 * 1024;

/** A running stack, its device, and the socket at which `finwait ss` asks it. */
export class Host {
  readonly stack: Stack;
  readonly device: TunDevice;
  /** The families that work; fewer than asked for where the kernel has IPv6 disabled. */
  readonly links: readonly LinkAddress[];
  /** What was left out or deserves attention, one sentence each. */
  readonly warnings: readonly string[];
  private readonly control: ControlServer | null;

  private constructor(
    stack: Stack,
    device: TunDevice,
    links: readonly LinkAddress[],
    control: ControlServer | Error,
  ) {
    this.stack = stack;
    this.device = device;
    this.links = links;
    this.control = control instanceof Error ? null : control;
    this.warnings = [
      ...device.warnings,
      ...(control instanceof Error ? [`finwait ss cannot ask this stack: ${control.message}`] : []),
    ];
  }

  /** Opens device, stack and control socket; throws failures, and leaves nothing behind then. */
  static async open(options: StackOptions): Promise<Host> {
    const device = openDevice(options);
    try {
      const links = options.links.filter(({ kernel }) => device.addresses.includes(kernel));
      if (links.length === 0) {
        throw environment(
          'IPv6 is disabled in this kernel or namespace, and no IPv4 address was asked for',
          'give --address and --peer IPv4 addresses, too',
        );
      }
      const clock = new SystemClock();
      const stack = makeStack(device, clock, links, options);
      const sockets = (): StackReport => {
        stack.core.flush(clock.now()); // an idle stack does not know how late it is
        return reportStack(stack.core, device);
      };
      const control = await ControlServer.open(device.name, { sockets }).catch((error) => error);
      return new Host(stack, device, links, control);
    } catch (error) {
      device.close();
      throw error;
    }
  }

  /**
   * Removes the control socket, closes what is still open in order (for `graceMs` milliseconds, then
   * it is reset), and removes the device.
   */
  async close(graceMs: number): Promise<void> {
    this.control?.close();
    await this.stack.close(graceMs);
  }
}

function openDevice({ name, links, mtu, netns, offload }: StackOptions): TunDevice {
  const address = links.map(({ kernel }) => kernel);
  try {
    return TunDevice.open({ name, address, mtu, offload, ...(netns !== undefined && { netns }) });
  } catch (error) {
    throw deviceFailure(error);
  }
}

function makeStack(
  device: TunDevice,
  clock: SystemClock,
  links: readonly LinkAddress[],
  { memoryMiB, msl }: StackOptions,
): Stack {
  try {
    return new Stack({
      clock,
      device: withSoftwareOffload(device),
      addresses: links.map(({ stack, kernel }) => `${stack}/${kernel.prefix}`),
      memory: memoryMiB * MIB,
      tcp: { msl },
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw environment(
      `${memoryMiB} MiB of memory cannot be had in one piece`,
      'give --memory a smaller number',
      error,
    );
  }
}
