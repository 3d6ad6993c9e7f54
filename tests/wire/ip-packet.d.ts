// What these tests use of the package ip-packet, which has no types of its own.

declare module 'ip-packet' {
  interface State {
    buffer: Uint8Array;
    start: number;
    end: number;
  }
  interface Packet {
    version: number;
    dscp: number;
    ecn: number;
    identification: number;
    flags: number;
    fragmentOffset: number;
    ttl: number;
    protocol: number;
    sourceIp: string;
    destinationIp: string;
    data: Buffer;
  }
  export function encode(state: State, packet: Packet): void;
  export function decode(state: State): Packet & { ihl: number; length: number; checksum: number };
  /** Writes the header's checksum into the packet, and answers it. */
  export function checksum(packet: Uint8Array): number;
}
