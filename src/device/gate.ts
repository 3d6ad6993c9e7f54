// A gate in front of any device, at which packets of both directions can be made to wait. Knows packets
// and their order; must not know who opens it, or why.
import type { DevicePort } from '../stack/device.js';
import { DeviceFront, portBehind } from './front.js';
import {
  completeChecksum,
  ipHeaderBytes,
  newCounters,
  type Packet,
  PacketPort,
  TCP_CHECKSUM,
} from './packet.js';

/** Seen from the stack. */
export type GateDirection = 'in' | 'out';

/** A packet that waits. */
export interface HeldPacket {
  /** Counts from 1, in the order of arrival at the gate. */
  readonly id: number;
  readonly direction: GateDirection;
  readonly packet: Packet;
}

/**
 * Open, which it is at first, it costs a call for each batch. Shut, it copies each packet, and keeps it
 * until it is told what becomes of it. The calls that move packets are not for use inside of a turn of
 * the stack.
 */
export class Gate extends DeviceFront {
  /** Called when something came to wait, during a turn of the stack: only to take note of it. */
  onHeld: ((held: HeldPacket) => void) | null = null;
  #port: DevicePort | null = null;
  /** Towards the stack; towards the device. They share their memory. */
  #packets: PacketPort | null = null;
  #shut = false;
  #held: HeldPacket[] = [];
  #lastId = 0;

  override attach(port: DevicePort): void {
    this.#port = port;
    // What it hands over was counted by the device when it came.
    this.#packets = new PacketPort(port, newCounters());
    const receive = (count: number): void => {
      if (this.#shut) this.#holdReceived(count);
      else port.receive(count);
    };
    this.device.attach(portBehind(port, { receive }));
  }

  override transmit(count: number): void {
    if (!this.#shut) {
      this.device.transmit(count);
      return;
    }
    for (let i = 0; i < count; i++) this.#hold('out', this.#packets!.sent(i));
  }

  override close(): void {
    this.#held = [];
    this.#packets?.close();
    this.device.close();
  }

  // ── What the keeper of the gate does ──

  get isShut(): boolean {
    return this.#shut;
  }

  /** What waits, in the order in which it would go. */
  get held(): readonly HeldPacket[] {
    return this.#held;
  }

  /** From now on each packet waits. */
  shut(): void {
    this.#shut = true;
  }

  /** All that waits goes, in order; from then on nothing waits. */
  open(): void {
    // While they go, answers come to the gate: they are to keep their place behind what waits.
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) this.release(first);
    this.#shut = false;
  }

  /** Lets a packet go where it was going. */
  release(held: HeldPacket): void {
    this.drop(held);
    if (held.direction === 'in') {
      this.#packets!.deliver([held.packet]);
      return;
    }
    // Receive slots are free outside of a turn: one of them is the place for its bytes.
    this.#packets!.describe(0, held.packet, this.#port!.rxSlots[0]!);
    this.device.transmit(1);
  }

  /** Makes a packet vanish. @throws RangeError when it does not wait (any more) */
  drop(held: HeldPacket): void {
    this.#held.splice(this.#indexOf(held), 1);
  }

  /** A copy waits right behind the packet. */
  duplicate(held: HeldPacket): HeldPacket {
    const packet = { ...held.packet, bytes: held.packet.bytes.slice() };
    const copy = { id: ++this.#lastId, direction: held.direction, packet };
    this.#held.splice(this.#indexOf(held) + 1, 0, copy);
    return copy;
  }

  /** The packet changes its place with the next one of its direction; false when there is none. */
  swap(held: HeldPacket): boolean {
    const from = this.#indexOf(held);
    const next = this.#held.findIndex((other, i) => i > from && other.direction === held.direction);
    if (next < 0) return false;
    this.#held[from] = this.#held[next]!;
    this.#held[next] = held;
    return true;
  }

  /** The packet goes behind all that waits. */
  delay(held: HeldPacket): void {
    this.drop(held);
    this.#held.push(held);
  }

  /**
   * Spoils the checksum of a TCP packet, so that its receiver drops it.
   * @throws TypeError for a super-segment on its way out: the kernel would give it a good checksum
   */
  corrupt({ packet, direction }: HeldPacket): void {
    if (direction === 'out' && packet.gsoSize > 0) {
      throw new TypeError('a super-segment gets its checksum behind the gate');
    }
    completeChecksum(packet);
    packet.bytes[ipHeaderBytes(packet.bytes) + TCP_CHECKSUM]! ^= 1;
  }

  /** Puts an IP packet, checksums complete, behind all that waits, or before it. */
  inject(direction: GateDirection, bytes: Uint8Array, first = false): HeldPacket {
    const packet = { bytes, gsoSize: 0, checksumStart: 0, trusted: false };
    const held = { id: ++this.#lastId, direction, packet };
    if (first) this.#held.unshift(held);
    else this.#held.push(held);
    return held;
  }

  #holdReceived(count: number): void {
    for (let i = 0; i < count; i++) this.#hold('in', this.#packets!.received(i));
  }

  #hold(direction: GateDirection, packet: Packet): void {
    const held = { id: ++this.#lastId, direction, packet };
    this.#held.push(held);
    this.onHeld?.(held);
  }

  #indexOf(held: HeldPacket): number {
    const index = this.#held.indexOf(held);
    if (index < 0) throw new RangeError(`packet ${held.id} does not wait at the gate`);
    return index;
  }
}
