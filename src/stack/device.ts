// What the stack asks of a network device. Knows descriptors; must not know any particular device.

export * from '../storage/descriptors.js';

/** The stack's side of a device: shared memory, descriptor tables, and a place to hand packets to. */
export interface DevicePort {
  /** The arena; all descriptor offsets are offsets into it. */
  readonly memory: ArrayBuffer;
  /** Arena offsets of the receive slots; as many packets fit one batch. */
  readonly rxSlots: Int32Array;
  /** Bytes in each receive slot (at least 65,535 where the device makes super-segments). */
  readonly rxSlotBytes: number;
  /** Receive descriptors, `rxSlots.length` of them, `RX_STRIDE` words each, filled by the device. */
  readonly rx: Int32Array;
  /** `CONTROL_WORDS` words; a device that does not know them leaves them alone. */
  readonly control: Int32Array;
  /** Transmit descriptors, `TX_STRIDE` words each, filled by the stack. */
  readonly tx: Int32Array;
  /** Hands over rx descriptors 0 … count-1; when it returns their slots are free again. */
  receive(count: number): void;
  /** Sends what the program has written since `receive`; for a device that set `CONTROL_SETTLING`. */
  settled(): void;
  /** The device stopped (`up` false, with why) or works again (`up` true). */
  statusChanged(up: boolean, error?: Error): void;
}

/** Counters that every device keeps; all count packets as the stack sees them (a super-segment is one). */
export interface DeviceCounters {
  /** Packets received. */
  rxPackets: number;
  /** Bytes received, with IP headers. */
  rxBytes: number;
  /** Packets sent. */
  txPackets: number;
  /** Bytes sent, with IP headers. */
  txBytes: number;
  /** Packets that could not be sent: queue full, interface down, or an error of the system. */
  txDropped: number;
  /** Packets that were read and thrown away before the stack saw them (truncated, malformed). */
  rxDropped: number;
}

/** Where packets come from and go to. Implementations live in `src/device`. */
export interface Device {
  /** Interface name as the system shows it, for example `fw0`. */
  readonly name: string;
  /** Largest IP packet on the wire, bytes. */
  readonly mtu: number;
  /** Whether partial TCP checksums may be handed to `transmit` (else they must be complete). */
  readonly checksumOffload: boolean;
  /** Largest IP packet that `transmit` takes: the MTU, or up to 65,535 where super-segments work. */
  readonly maxSegmentBytes: number;
  /** What was sent, received and dropped. */
  readonly counters: DeviceCounters;
  /** Starts reading. Called once. */
  attach(port: DevicePort): void;
  /** Sends tx descriptors 0 … count-1 now (or copies them); when it returns their memory is free. */
  transmit(count: number): void;
  /** Stops reading and gives everything back. Idempotent; no callback follows it. */
  close(): void;
  /** Whether the device keeps the process alive; a device starts unreferenced. */
  ref(): void;
  /** Undoes `ref`. */
  unref(): void;
}

/** Where time comes from. All times are integers in microseconds from an arbitrary start. */
export interface Clock {
  /** The time, µs; never goes back. */
  now(): number;
  /** Calls `fire` once at or after `at`; at most one alarm is set, a new one replaces it. */
  setAlarm(at: number, fire: () => void): void;
  /** Forgets the alarm. */
  clearAlarm(): void;
  /** Calls `run` once, soon, before the program waits for I/O or time passes. */
  defer(run: () => void): void;
  /** Whether a pending alarm keeps the process alive. */
  ref(): void;
  /** Undoes `ref`. */
  unref(): void;
}
