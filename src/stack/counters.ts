// What the stack counts: packets and segments that were dropped or answered, by reason. Numbers only.

/** What a stack has counted since it began. */
export class StackCounters {
  /** IP packets received. */
  packetsIn = 0;
  /** IP packets sent. */
  packetsOut = 0;
  /** IP packets that could not be read, by verdict of the parser. */
  badIp = 0;
  /** IP packets to an address that is not ours. */
  notForUs = 0;
  /** IP packets of a protocol that we do not speak. */
  unknownProtocol = 0;
  /** IP packets that do not come from the address of a single host. */
  badAddress = 0;
  /** TCP segments that could not be read. */
  badTcp = 0;
  /** TCP segments with a wrong checksum. */
  badChecksum = 0;
  /** TCP segments with an option of an illegal length, which is ignored. */
  badOptions = 0;
  /** ICMP messages that could not be read. */
  badIcmp = 0;
  /** Fragments received. */
  fragments = 0;
  /** IP packets put together of fragments. */
  reassembled = 0;
  /** Fragments thrown away: too late, too many, or overlapping. */
  fragmentsDropped = 0;
  /** Echo requests answered (ping). */
  echoReplies = 0;
  /** ICMP errors received. */
  icmpErrorsIn = 0;
  /** ICMP errors that quote nothing of ours, or nothing in flight (RFC 5927). */
  icmpErrorsIgnored = 0;
  /** RSTs sent that belong to no connection. */
  resetsOut = 0;
  /** SYNs that found no room: half-open or accept queue full, or the arena. */
  synDropped = 0;
  /** Handshakes that could not be completed since the accept queue was full. */
  acceptQueueFull = 0;
  /** Connections opened, actively or passively. */
  opened = 0;
  /** Connections of listeners that were established. */
  accepted = 0;
  /** Records in TIME-WAIT that gave way to a new SYN (RFC 6191). */
  timeWaitReopened = 0;
  /** Packets to ourselves that found no room. */
  loopbackDropped = 0;
}
