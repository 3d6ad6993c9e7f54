// A device in front of another one: what it does not do itself, that one does. Must not know what either
// of them is for.
import type { Device, DeviceCounters, DevicePort } from '../stack/device.js';

/** The device behind it in all respects; its descendants change some. It is closed with it. */
export class DeviceFront implements Device {
  protected readonly device: Device;

  constructor(device: Device) {
    this.device = device;
  }

  get name(): string {
    return this.device.name;
  }

  get mtu(): number {
    return this.device.mtu;
  }

  get checksumOffload(): boolean {
    return this.device.checksumOffload;
  }

  get maxSegmentBytes(): number {
    return this.device.maxSegmentBytes;
  }

  /** Those of the device behind it. */
  get counters(): DeviceCounters {
    return this.device.counters;
  }

  attach(port: DevicePort): void {
    this.device.attach(port);
  }

  transmit(count: number): void {
    this.device.transmit(count);
  }

  close(): void {
    this.device.close();
  }

  ref(): void {
    this.device.ref();
  }

  /** Undoes `ref`. */
  unref(): void {
    this.device.unref();
  }
}

/** The port itself in all but what is given. */
export function portBehind(
  port: DevicePort,
  changes: Partial<Pick<DevicePort, 'receive' | 'tx'>>,
): DevicePort {
  const { memory, rxSlots, rxSlotBytes, rx, control, tx } = port;
  return {
    ...{ memory, rxSlots, rxSlotBytes, rx, control, tx },
    receive: (count) => port.receive(count),
    settled: () => port.settled(),
    statusChanged: (up, error) => port.statusChanged(up, error),
    ...changes,
  };
}
