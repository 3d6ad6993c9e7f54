// One of several queues of a device, each with a stack of its own: what belongs to another stack is passed
// on. Knows packets and message ports; must not know threads.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type Device, type DevicePort, RX_LENGTH, RX_OFFSET, RX_STRIDE } from '../stack/device.js';
import { DeviceFront, portBehind } from './front.js';
import { newCounters, type Packet, PacketPort } from './packet.js';
import { EVERYBODY, ownerOfPorts, Steering } from './steering.js';

/** Which part of a device's traffic a stack has. */
export interface Share {
  /** Its number, from 0: that of its queue. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
  /** To the other shares, by their numbers; nothing at its own. See `connectShares`. */
  readonly peers: readonly (MessagePort | null)[];
}

/** Makes the ports by which `count` shares pass packets on: a list for each of them. */
export function connectShares(count: number): (MessagePort | null)[][] {
  const lists = Array.from({ length: count }, () =>
    new Array<MessagePort | null>(count).fill(null),
  );
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const { port1, port2 } = new MessageChannel();
      lists[i]![j] = port1;
      lists[j]![i] = port2;
    }
  }
  return lists;
}

/** Whether a TCP flow between two ports is this share's. For `StackOptions.owns`. */
export function ownsFlow({ index, count }: Omit<Share, 'peers'>) {
  return (localPort: number, remotePort: number): boolean =>
    ownerOfPorts(localPort, remotePort, count) === index;
}

/**
 * A queue of a device that gives its stack just the flows that are its own, whatever the kernel puts
 * into the queue. The kernel learns a flow's queue from what is written to it, forgets it after three
 * silent seconds, and knows nothing of a new one, unless a program tells it (native/steering.c). So
 * nothing depends on it: a packet in the wrong queue costs a copy and a message to the right thread.
 */
export class SharedDevice extends DeviceFront {
  readonly #share: Share;
  /** Packets in our queue that belonged to other shares. */
  passedOn = 0;
  /** Packets of ours that came by another queue. */
  takenOver = 0;

  constructor(device: Device, share: Share) {
    super(device);
    this.#share = share;
  }

  /** Starts reading, and taking what other shares pass on. */
  override attach(port: DevicePort): void {
    const steering = new Steering(this.#share.count, port.memory);
    const packets = new PacketPort(port, newCounters());
    const receive = (count: number) => {
      const kept = this.#sort(count, port, steering, packets);
      if (kept > 0) port.receive(kept);
    };
    this.device.attach(portBehind(port, { receive }));
    for (const peer of this.#share.peers) {
      peer?.on('message', (packet: Packet) => {
        this.takenOver++;
        port.rx.fill(0);
        packets.deliver([packet]);
      });
      // A port that waits for packets is no reason to stay alive.
      peer?.unref();
    }
  }

  /** Stops both. */
  override close(): void {
    for (const peer of this.#share.peers) peer?.close();
    this.device.close();
  }

  /** Passes on what is not ours, closes the gaps, and answers how many descriptors are left. */
  #sort(count: number, { rx }: DevicePort, steering: Steering, packets: PacketPort): number {
    const { index, peers } = this.#share;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const at = i * RX_STRIDE;
      const owner = steering.ownerOf(rx[at + RX_OFFSET]!, rx[at + RX_LENGTH]!, index);
      if (owner !== index) {
        const packet = packets.received(i);
        for (const peer of owner === EVERYBODY ? peers : [peers[owner]]) peer?.postMessage(packet);
        this.passedOn++;
        if (owner !== EVERYBODY) continue;
      }
      if (kept < i) rx.copyWithin(kept * RX_STRIDE, at, at + RX_STRIDE);
      kept++;
    }
    return kept;
  }
}
