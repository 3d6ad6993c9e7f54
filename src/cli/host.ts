// A stack on a TUN device, opened as the command line says. Knows what can fail; must not know commands.

import { LiveKeeper } from '../debug/live-keeper.js';
import { Gate } from '../device/gate.js';
import { HaltingClock } from '../device/halting-clock.js';
import { withSoftwareOffload } from '../device/offload.js';
import { ownsFlow, type Share, SharedDevice } from '../device/shared.js';
import { SystemClock } from '../device/system-clock.js';
import { TunDevice } from '../device/tun.js';
import { Stack } from '../net/stack.js';
import type { Device } from '../stack/device.js';
import { type KernelSocket, kernelSockets } from '../trace/kernel-sockets.js';
import { type Caller, ControlServer, type Conversation, type Conversations } from './control.js';
import { deviceFailure } from './device-failure.js';
import { environment } from './failure.js';
import type { LinkAddress, StackOptions } from './network-options.js';
import type { Recording } from './recording.js';
import { reportStack, reportWorker, type StackReport } from './report.js';

const MIB = 1024 * 1024;

/** What is to be said about a stack that runs; plain data. */
export interface HostFacts {
  /** Name of the interface. */
  readonly name: string;
  readonly mtu: number;
  readonly offload: TunDevice['offload'];
  /** The kernel's addresses, with prefix lengths: fewer than asked for where IPv6 is disabled. */
  readonly addresses: readonly string[];
  /** What was left out or deserves attention, one sentence each. */
  readonly warnings: string[];
}

/** A running stack, its device, and the socket at which `finwait ss` asks it. */
export class Host {
  readonly stack: Stack;
  readonly facts: HostFacts;
  private readonly device: TunDevice;
  private readonly clock: HaltingClock;
  private readonly shared: SharedDevice | null;
  /** Open, so that a call a batch is all it costs, until a debugger comes. */
  private readonly gate: Gate;
  private control: ControlServer | null = null;
  private keeper: LiveKeeper | null = null;
  /** Where the kernel on the other side shows its sockets; null where that cannot be known. */
  private readonly tables: string | null;

  private constructor(
    options: StackOptions,
    device: TunDevice,
    share: Share | null,
    recording: Recording | null,
  ) {
    const { name, mtu, offload } = device;
    const addresses = device.addresses.map(String);
    // What the gate keeps back was never on the wire, so that a recording does not have it.
    this.gate = new Gate(recording?.wrap(device) ?? device);
    const able = withSoftwareOffload(this.gate);
    const links = workingLinks(options, addresses);
    this.facts = { name, mtu, offload, addresses, warnings: [...device.warnings] };
    this.device = device;
    this.tables = kernelTables(options.netns);
    this.clock = new HaltingClock(new SystemClock(options));
    this.shared = share && new SharedDevice(able, share);
    this.stack = makeStack(this.shared ?? able, this.clock, links, options, share);
    recording?.watch(this.stack.core);
  }

  /**
   * Opens device, stack and control socket; throws failures, and leaves nothing behind then.
   * @param share where several of them share one device: whoever knows all of them is to be asked
   * @param recording what is to see all packets, from the first on
   */
  static async open(
    options: StackOptions,
    share: Share | null = null,
    recording: Recording | null = null,
  ): Promise<Host> {
    const device = openDevice(options, share);
    try {
      const host = new Host(options, device, share, recording);
      if (share === null) await host.openControl();
      return host;
    } catch (error) {
      device.close();
      throw error;
    }
  }

  private async openControl(): Promise<void> {
    const control = await openControl(this.facts.name, () => this.report(), {
      debug: (caller) => this.debugged(caller),
    });
    if (control instanceof ControlServer) this.control = control;
    else this.facts.warnings.push(control);
  }

  /** What `finwait ss` shows. */
  report(): StackReport {
    const { core } = this.stack;
    core.flush(this.clock.now()); // an idle stack does not know how late it is
    const report = reportStack(core, this.device);
    return this.shared === null
      ? report
      : { ...report, workers: [reportWorker(core, this.shared)] };
  }

  /** Shuts the gate for a debugger, until it goes. */
  private debugged(caller: Caller): Conversation {
    if (this.keeper !== null) {
      return refused(caller, 'another debugger holds its gate already', 'end that one first');
    }
    const { gate, stack, clock, tables } = this;
    const keeper = new LiveKeeper(
      {
        gate,
        core: stack.core,
        clock,
        sockets: () => readTables(tables),
      },
      caller,
    );
    this.keeper = keeper;
    return {
      line: (text) => keeper.line(text),
      end: () => {
        keeper.end();
        this.keeper = null;
      },
    };
  }

  /** Opens the gate, so that connections can end in order. */
  letGo(): void {
    this.keeper?.end();
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

/** The families that work: fewer than asked for where the kernel has IPv6 disabled. */
export function workingLinks(
  { links }: StackOptions,
  addresses: readonly string[],
): readonly LinkAddress[] {
  const working = links.filter(({ kernel }) => addresses.includes(String(kernel)));
  if (working.length > 0) return working;
  throw environment(
    'IPv6 is disabled in this kernel or namespace, and no IPv4 address was asked for',
    'give --address and --peer IPv4 addresses, too',
  );
}

/** The socket at which `finwait ss` asks; or a warning that it cannot. */
export async function openControl(
  name: string,
  sockets: () => StackReport | Promise<StackReport>,
  conversations: Conversations,
): Promise<ControlServer | string> {
  try {
    return await ControlServer.open(name, { sockets }, conversations);
  } catch (error) {
    return `finwait ss cannot ask this stack: ${(error as Error).message}`;
  }
}

/** Tells somebody that there is nothing to be talked about. */
export function refused(caller: Caller, error: string, fix: string): Conversation {
  caller.tell({ error, fix });
  return { line: () => {}, end: () => {} };
}

/** Null where they cannot be read: the process that held the namespace is gone. */
function readTables(path: string | null): KernelSocket[] | null {
  try {
    return path === null ? null : kernelSockets(path);
  } catch {
    return null;
  }
}

/** `/proc/PID/net` beside `/proc/PID/ns/net`; a namespace that only has a name shows no tables. */
function kernelTables(netns: string | undefined): string | null {
  if (netns === undefined) return '/proc/self/net';
  return /^\/proc\/\w+(?=\/ns\/net$)/.exec(netns)?.[0].concat('/net') ?? null;
}

function openDevice(options: StackOptions, share: Share | null): TunDevice {
  const { name, links, mtu, netns, offload, spin } = options;
  const address = links.map(({ kernel }) => kernel);
  try {
    return TunDevice.open({
      name,
      address,
      mtu,
      offload,
      spin,
      ...(netns !== undefined && { netns }),
      ...(share !== null && { queue: { index: share.index, count: share.count } }),
    });
  } catch (error) {
    throw deviceFailure(error);
  }
}

function makeStack(
  device: Device,
  clock: HaltingClock,
  links: readonly LinkAddress[],
  { memoryMiB, msl }: StackOptions,
  share: Share | null,
): Stack {
  try {
    return new Stack({
      clock,
      device,
      addresses: links.map(({ stack, kernel }) => `${stack}/${kernel.prefix}`),
      memory: memoryMiB * MIB,
      tcp: { msl },
      ...(share !== null && { owns: ownsFlow(share) }),
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
