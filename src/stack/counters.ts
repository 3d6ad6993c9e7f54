// What the stack counts: packets and segments that were dropped or answered, by reason. Numbers only.

/** All count packets or segments since the stack began. */
export class StackCounters {
  packetsIn = 0;
  packetsOut = 0;
  /** IP packets that could not be read (by verdict of the parser), or were not for us. */
  badIp = 0;
  notForUs = 0;
  unknownProtocol = 0;
  badAddress = 0;
  /** TCP segments that could not be read, or whose checksum was wrong. */
  badTcp = 0;
  badChecksum = 0;
  badOptions = 0;
  badIcmp = 0;
  fragments = 0;
  reassembled = 0;
  fragmentsDropped = 0;
  echoReplies = 0;
  icmpErrorsIn = 0;
  /** ICMP errors that quote nothing of ours, or nothing in flight (RFC 5927). */
  icmpErrorsIgnored = 0;
  resetsOut = 0;
  /** SYNs that found no room: half-open or accept queue full, or the arena. */
  synDropped = 0;
  acceptQueueFull = 0;
  opened = 0;
  accepted = 0;
  timeWaitReopened = 0;
  loopbackDropped = 0;
}
