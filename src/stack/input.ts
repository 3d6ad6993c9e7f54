// A packet arrives: IP, then the connection, listener or record that it is for (RFC 9293 §3.10.7).
// Knows the ways in; what a segment means to a connection stands in tcp/.

import { Connection } from '../tcp/connection.js';
import { SYN_RECEIVED } from '../tcp/state.js';
import { TIME_WAIT_ACK, TIME_WAIT_DROP, TIME_WAIT_REOPEN } from '../tcp/timewait.js';
import type { IcmpQuote } from '../wire/icmp.js';
import {
  CE,
  ECN_MASK,
  IP_OK,
  IpHeader,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  parseIp,
  verifyTransportChecksum,
} from '../wire/ip.js';
import { seqLeq } from '../wire/sequence.js';
import { ACK, parseTcp, RST, SYN, TCP_OK, TcpSegment } from '../wire/tcp.js';
import type { StackCore } from './core.js';
import { icmpArrives } from './icmp.js';
import { BULK_BYTES } from './landing.js';
import type { Listener } from './listener.js';
import { Reassembly } from './reassembly.js';
import { destinationOf, replyReset, sourceOf } from './reply.js';

/** RFC 6191 §2: how far behind the old connection's numbers a reopened one begins (as Linux). */
const REOPEN_DISTANCE = 65_537;

/** No new connections when less than a sixteenth of the arena is free. */
const SYN_RESERVE_SHIFT = 4;

export class Input {
  private readonly ip = new IpHeader();
  private readonly segment = new TcpSegment();
  readonly reassembly: Reassembly;

  constructor(private readonly core: StackCore) {
    this.reassembly = new Reassembly(core.arena, (reason) => {
      core.counters.fragmentsDropped += 1;
      core.probe?.packetDropped(core, null, reason);
    });
  }

  /**
   * One IP packet in the arena; `trusted`: somebody vouches for its transport checksum. `data`: arena
   * offset of a TCP segment's data where they are apart from its header, else 0.
   */
  packetArrives(
    offset: number,
    length: number,
    trusted: boolean,
    gsoSize: number,
    data: number,
  ): void {
    const { core, ip } = this;
    const counters = core.counters;
    counters.packetsIn += 1;
    if (parseIp(core.arena.view, offset, length, ip) !== IP_OK) {
      counters.badIp += 1;
      core.probe?.packetDropped(core, null, 'bad IP header');
    } else if (ip.moreFragments || ip.fragmentOffset !== 0) {
      this.fragmentArrives();
    } else {
      this.datagramArrives(trusted, gsoSize, data);
    }
  }

  private fragmentArrives(): void {
    const { core, ip, reassembly } = this;
    core.counters.fragments += 1;
    if (!core.addresses.has(ip.dst0, ip.dst1, ip.dst2, ip.dst3)) {
      core.counters.notForUs += 1;
      this.drop('not for us');
      return;
    }
    if (!reassembly.add(ip, core.clock.ms)) return;
    core.counters.reassembled += 1;
    this.datagramArrives(false, 0, 0);
    reassembly.release(ip);
  }

  private datagramArrives(trusted: boolean, gsoSize: number, data: number): void {
    const { core, ip } = this;
    const protocol = ip.protocol;
    if (protocol === PROTOCOL_TCP) {
      this.tcpArrives(trusted, gsoSize, data);
    } else if (!core.addresses.has(ip.dst0, ip.dst1, ip.dst2, ip.dst3)) {
      core.counters.notForUs += 1;
      this.drop('not for us');
    } else if (!core.addresses.isUnicast(sourceOf(ip))) {
      core.counters.badAddress += 1;
      this.drop('not from a single host');
    } else if (protocol === (ip.family === 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6)) {
      icmpArrives(core, ip, trusted);
    } else {
      core.counters.unknownProtocol += 1;
      this.drop('unknown protocol');
    }
  }

  /** The packet reached no connection, and is thrown away. */
  private drop(reason: string): void {
    const { core } = this;
    if (core.probe !== null) core.probe.packetDropped(core, this.ip, reason);
  }

  /** MUST-3: a wrong checksum is dropped in silence. Then the connection: both sockets decide. */
  private tcpArrives(trusted: boolean, gsoSize: number, data: number): void {
    const { core, ip, segment } = this;
    const view = core.arena.view;
    if (!trusted && !verifyTransportChecksum(view, ip)) {
      core.counters.badChecksum += 1;
      this.drop('bad checksum');
      return;
    }
    if (parseTcp(view, ip.payloadOffset, ip.payloadLength, segment) !== TCP_OK) {
      core.counters.badTcp += 1;
      this.drop('bad TCP header');
      return;
    }
    if (segment.badOptions) core.counters.badOptions += 1;
    segment.gsoSize = gsoSize;
    segment.marked = (ip.trafficClass & ECN_MASK) === CE;
    if (data !== 0) segment.dataOffset = data;
    const ports = (segment.destinationPort << 16) | segment.sourcePort;
    const id = core.flows.find(
      ip.dst0,
      ip.dst1,
      ip.dst2,
      ip.dst3,
      ip.src0,
      ip.src1,
      ip.src2,
      ip.src3,
      ports,
    );
    if (id < 0) this.unknownFlow();
    else if (core.timeWaitRecords.has(id)) this.timeWaitArrives(id);
    else this.connectionArrives(core.connectionAt(id) as Connection, data !== 0);
  }

  private connectionArrives(connection: Connection, landed: boolean): void {
    const { core, segment } = this;
    if (segment.dataLength >= BULK_BYTES) core.landing.arrived(connection, landed);
    if (connection.state === SYN_RECEIVED && (segment.flags & (ACK | RST)) === ACK) {
      const listener = core.listenerOf(connection);
      if (listener?.acceptQueueFull) {
        // As Linux: the handshake is not completed while nobody accepts; the peer comes again.
        core.counters.acceptQueueFull += 1;
        core.probe?.segmentIn(connection, segment);
        core.probe?.dropped(connection, 'accept queue full');
        return;
      }
    }
    connection.receive(segment);
  }

  private timeWaitArrives(id: number): void {
    const { core, ip, segment } = this;
    core.probe?.strangerIn(core, ip, segment);
    const verdict = core.timeWaitRecords.arrives(id, ip, segment);
    if (verdict === TIME_WAIT_DROP) this.drop('means nothing in TIME-WAIT');
    if (verdict === TIME_WAIT_ACK) this.drop('not expected in TIME-WAIT');
    if (verdict !== TIME_WAIT_REOPEN) return;
    const listener = this.listenerFor();
    if (listener === null) {
      core.timeWaitRecords.acknowledge(id, ip, segment);
      this.drop('not expected in TIME-WAIT');
      return;
    }
    const after = core.timeWaitRecords.reopen(id);
    this.synArrives(listener, after);
  }

  /** No such connection: a listener, or §3.10.7.1. Nothing is said to invalid addresses (MUST-57). */
  private unknownFlow(): void {
    const { core, ip, segment } = this;
    core.probe?.strangerIn(core, ip, segment);
    const ours = core.ports.owns(segment.destinationPort, segment.sourcePort);
    if (!ours || !core.addresses.has(ip.dst0, ip.dst1, ip.dst2, ip.dst3)) {
      core.counters.notForUs += 1;
      this.drop('not for us');
      return;
    }
    if (!core.addresses.isUnicast(sourceOf(ip))) {
      // MUST-63 among them: a SYN from such an address is not for us.
      core.counters.badAddress += 1;
      this.drop('not from a single host');
      return;
    }
    const listener = this.listenerFor();
    if (listener === null) this.reset();
    else this.listenArrives(listener);
  }

  /** SEGMENT ARRIVES in LISTEN: §3.10.7.2, check by check. */
  private listenArrives(listener: Listener): void {
    const flags = this.segment.flags;
    if ((flags & RST) !== 0) this.drop('RST in LISTEN');
    else if ((flags & ACK) !== 0) this.reset();
    else if ((flags & SYN) !== 0) this.synArrives(listener, null);
    else this.drop('no SYN in LISTEN');
  }

  /** Makes the connection; `after`: sequence number that it must stay away from (RFC 6191). */
  private synArrives(listener: Listener, after: number | null): void {
    const { core, ip, segment } = this;
    if (!listener.hasRoom || this.memoryIsShort()) {
      core.counters.synDropped += 1;
      this.drop(listener.hasRoom ? 'arena full' : 'backlog full');
      return;
    }
    const local = core.addresses.own(ip.dst0, ip.dst1, ip.dst2, ip.dst3) ?? destinationOf(ip);
    const remote = sourceOf(ip);
    const path = core.pathTo(ip.src0, ip.src1, ip.src2, ip.src3);
    const connection = new Connection(
      core,
      listener.config,
      path,
      local,
      segment.destinationPort,
      remote,
      segment.sourcePort,
    );
    let isn = core.isn(local, segment.destinationPort, remote, segment.sourcePort);
    if (after !== null && seqLeq(isn, after)) isn = (after + REOPEN_DISTANCE) | 0;
    core.attach(connection, listener);
    connection.openPassive(isn, segment);
  }

  /** The connections that are there need what is left of the arena. */
  private memoryIsShort(): boolean {
    const { arena } = this.core;
    return arena.capacity - arena.used < arena.capacity >> SYN_RESERVE_SHIFT;
  }

  private listenerFor(): Listener | null {
    return this.core.listening.find(this.segment.destinationPort, this.ip);
  }

  private reset(): void {
    const { core, ip, segment } = this;
    if ((segment.flags & RST) !== 0) {
      this.drop('RST for no connection');
      return;
    }
    core.counters.resetsOut += 1;
    const path = core.pathTo(ip.src0, ip.src1, ip.src2, ip.src3);
    replyReset(core, path.batch, ip, segment);
  }

  /** The connection whose packet an ICMP error quotes: it was sent by us, so the ends are swapped. */
  quoted(quote: IcmpQuote): Connection | null {
    const ip = quote.ip;
    if (ip.protocol !== PROTOCOL_TCP) return null;
    const id = this.core.flows.find(
      ip.src0,
      ip.src1,
      ip.src2,
      ip.src3,
      ip.dst0,
      ip.dst1,
      ip.dst2,
      ip.dst3,
      (quote.sourcePort << 16) | quote.destinationPort,
    );
    return id < 0 ? null : this.core.connectionAt(id);
  }
}
