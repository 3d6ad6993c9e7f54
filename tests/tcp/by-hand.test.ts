// A connection without any stack: driven by hand, segment by segment, as the public API allows it.

import { describe, expect, it } from 'vitest';
import { HandDevice } from '../../src/stack/by-hand.js';
import { Arena } from '../../src/storage/arena.js';
import { PacketBatch } from '../../src/storage/packet-batch.js';
import { TcpClock } from '../../src/tcp/clock.js';
import { DEFAULT_TCP_CONFIG } from '../../src/tcp/config.js';
import { Connection, IdleHandler } from '../../src/tcp/connection.js';
import type { Host, Path } from '../../src/tcp/host.js';
import { newReno } from '../../src/tcp/newreno.js';
import { IpAddress } from '../../src/wire/address.js';
import { IpHeader, parseIp } from '../../src/wire/ip.js';
import { parseTcp, TcpSegment } from '../../src/wire/tcp.js';

/** The least that a connection needs around it: memory, time, and a place for its segments. */
class LoneHost implements Host {
  readonly arena = new Arena(1 << 20);
  readonly clock = new TcpClock();
  readonly nowUs = 0;
  readonly probe = null;
  readonly path: Path;
  private readonly device = new HandDevice();
  private readonly inbox = this.arena.reserve(2048);
  private readonly ip = new IpHeader();
  private readonly segment = new TcpSegment();

  constructor() {
    const batch = new PacketBatch(this.arena, 16, (count) => this.device.transmit(count));
    const port = { memory: this.arena.buffer, tx: batch.table };
    this.device.attach(port as Parameters<HandDevice['attach']>[0]);
    this.path = { batch, mtu: 1500, maxSegmentBytes: 1500 };
  }

  congestionControl = () => newReno;
  identification = () => 0;
  renewClock(): void {}
  memoryWanted(): void {}
  schedule(): void {}
  entered(): void {}

  /** What the connection has to say. */
  packets(connection: Connection): Uint8Array[] {
    connection.deliver();
    connection.transmit();
    this.path.batch.flush();
    return this.device.take();
  }

  parse(packet: Uint8Array): TcpSegment {
    const { view, bytes } = this.arena;
    bytes.set(packet, this.inbox);
    parseIp(view, this.inbox, packet.length, this.ip);
    parseTcp(view, this.ip.payloadOffset, this.ip.payloadLength, this.segment);
    return this.segment;
  }
}

function endpoints(): { host: LoneHost; connection: Connection }[] {
  const a = IpAddress.parse('10.9.0.1')!;
  const b = IpAddress.parse('10.9.0.2')!;
  return [[a, 4000, b, 80] as const, [b, 80, a, 4000] as const].map(
    ([local, localPort, remote, remotePort]) => {
      const host = new LoneHost();
      const { path } = host;
      const config = DEFAULT_TCP_CONFIG;
      return {
        host,
        connection: new Connection(host, config, path, local, localPort, remote, remotePort),
      };
    },
  );
}

describe('a connection driven by hand', () => {
  it('opens, carries data, closes, and asks for time when a segment is lost', () => {
    const [client, server] = endpoints();
    const received: number[] = [];
    server.connection.handler = new (class extends IdleHandler {
      override onReadable(connection: Connection): void {
        const bytes = new Uint8Array(connection.readable);
        connection.read(bytes);
        received.push(...bytes);
      }
    })();

    client.connection.openActive(1000);
    const [syn] = client.host.packets(client.connection);
    server.connection.openPassive(5000, server.host.parse(syn));
    const exchange = () => {
      for (let quiet = false; !quiet; ) {
        quiet = true;
        for (const [from, to] of [
          [server, client],
          [client, server],
        ]) {
          for (const packet of from.host.packets(from.connection)) {
            to.connection.receive(to.host.parse(packet));
            quiet = false;
          }
        }
      }
    };
    exchange();
    expect([client.connection.stateName, server.connection.stateName]).toEqual([
      'ESTABLISHED',
      'ESTABLISHED',
    ]);

    client.connection.write(Uint8Array.of(1, 2, 3));
    expect(client.host.packets(client.connection)).toHaveLength(1); // and lost
    const delay = client.connection.untilNextTimer();
    expect(delay).toBe(200);
    client.host.clock.set(delay * 1000);
    client.connection.runTimers();
    exchange();
    expect(received).toEqual([1, 2, 3]);
    expect(client.connection.info().retransmits).toBe(1);

    client.connection.shutdown();
    exchange();
    server.connection.shutdown();
    exchange();
    expect([client.connection.stateName, server.connection.stateName]).toEqual([
      'TIME-WAIT',
      'CLOSED',
    ]);
  });
});
