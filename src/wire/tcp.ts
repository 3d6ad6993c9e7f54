// The TCP header and its options, as bytes and as fields; must not know connections or their state.

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;
export const ECE = 64;
export const CWR = 128;

/** Verdicts of `parseTcp`. */
export const TCP_OK = 0;
/** Shorter than a header, or than its data offset says. */
export const TCP_TRUNCATED = 1;
/** Data offset below five words. */
export const TCP_BAD_DATA_OFFSET = 2;

/** Bytes of a header without options. */
export const TCP_HEADER = 20;
/** Four bytes that open the usual options of a segment: NOP, NOP, Timestamps, length 10. */
const NOP_NOP_TIMESTAMPS = 0x0101080a;
/** Bytes of the Timestamps option with its padding. */
export const TIMESTAMPS_BYTES = 12;

const END_OF_OPTIONS = 0;
const NOP = 1;
const MSS = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;
/** RFC 7323 §2.3: a larger shift is taken as this one. */
const MAX_WINDOW_SHIFT = 14;

/** The fields of one segment; one object is filled again for each segment that arrives. */
export class TcpSegment {
  /** Source port. */
  sourcePort = 0;
  /** Destination port. */
  destinationPort = 0;
  /** int32, as all sequence numbers. */
  seq = 0;
  /** Acknowledgment number, int32; valid with `ACK`. */
  ack = 0;
  /** Bits of the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128. */
  flags = 0;
  /** The 16 bits of the header, not scaled. */
  window = 0;
  /** Urgent pointer; valid with `URG`. */
  urgentPointer = 0;
  /** Bytes of the header, with options. */
  headerLength = 0;
  /** Where the data begins: an offset in the view, not in the segment. */
  dataOffset = 0;
  /** Bytes of data. */
  dataLength = 0;
  /** SEG.LEN of RFC 9293: data, and one each for SYN and FIN. */
  length = 0;
  /** Data bytes of each segment that a super-segment stands for; set by the caller, 0 for none. */
  gsoSize = 0;
  /** The packet was marked by a router, RFC 3168 §5: ECN field of IP; set by the caller. */
  marked = false;

  /** 0 where the option is absent. */
  mss = 0;
  /** -1 where the option is absent; at most 14. */
  windowScale = -1;
  /** Whether the SACK-permitted option is there (RFC 2018 §2). */
  sackPermitted = false;
  /** Whether the timestamps option is there (RFC 7323 §3.2). */
  hasTimestamps = false;
  /** TSval, int32. */
  tsVal = 0;
  /** TSecr, int32. */
  tsEcr = 0;
  /** SACK blocks, and their edges: left, right, left, right ... */
  sackCount = 0;
  /** Left edge, right edge, and so on; `2 * sackCount` of them. */
  readonly sackEdges = new Int32Array(8);
  /** An option had an illegal length; it and all behind it were ignored. */
  badOptions = false;
}

/**
 * Reads the header of the segment of `length` bytes at `offset` (RFC 9293 §3.1) with its options.
 * The checksum is not verified. Where the verdict is not `TCP_OK`, `out` is undefined.
 */
export function parseTcp(view: DataView, offset: number, length: number, out: TcpSegment): number {
  if (length < TCP_HEADER) return TCP_TRUNCATED;
  const word = view.getInt32(offset + 12);
  const headerLength = (word >>> 28) << 2;
  if (headerLength < TCP_HEADER) return TCP_BAD_DATA_OFFSET;
  if (headerLength > length) return TCP_TRUNCATED;
  const ports = view.getInt32(offset);
  const flags = (word >>> 16) & 0xff;
  const dataLength = (length - headerLength) | 0;
  out.sourcePort = ports >>> 16;
  out.destinationPort = ports & 0xffff;
  out.seq = view.getInt32(offset + 4);
  out.ack = view.getInt32(offset + 8);
  out.flags = flags;
  out.window = word & 0xffff;
  out.urgentPointer = view.getUint16(offset + 18);
  out.headerLength = headerLength;
  out.dataOffset = (offset + headerLength) | 0;
  out.dataLength = dataLength;
  out.length = (dataLength + (flags & FIN) + ((flags & SYN) >>> 1)) | 0;
  out.mss = 0;
  out.windowScale = -1;
  out.sackPermitted = false;
  out.hasTimestamps = false;
  out.sackCount = 0;
  out.badOptions = false;
  if (headerLength === TCP_HEADER) return TCP_OK;
  const options = (offset + TCP_HEADER) | 0;
  if (
    headerLength === TCP_HEADER + TIMESTAMPS_BYTES &&
    view.getInt32(options) === NOP_NOP_TIMESTAMPS
  ) {
    out.hasTimestamps = true;
    out.tsVal = view.getInt32(options + 4);
    out.tsEcr = view.getInt32(options + 8);
    return TCP_OK;
  }
  parseOptions(view, options, out.dataOffset, out);
  return TCP_OK;
}

/**
 * RFC 9293 §3.1: options may begin on any byte and come in any segment. One that is not known is
 * skipped by its length; an illegal length ends the parsing, as it does in Linux.
 */
function parseOptions(view: DataView, from: number, end: number, out: TcpSegment): void {
  let at = from;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === END_OF_OPTIONS) return;
    if (kind === NOP) {
      at++;
      continue;
    }
    const size = at + 1 < end ? view.getUint8(at + 1) : 0;
    if (size < 2 || at + size > end) {
      out.badOptions = true;
      return;
    }
    parseOption(view, at, kind, size, out);
    at += size;
  }
}

/** One option, wholly within the header. A known kind of a wrong length says nothing. */
function parseOption(
  view: DataView,
  at: number,
  kind: number,
  size: number,
  out: TcpSegment,
): void {
  if (kind === MSS && size === 4) {
    out.mss = view.getUint16(at + 2);
  } else if (kind === WINDOW_SCALE && size === 3) {
    const shift = view.getUint8(at + 2);
    out.windowScale = Math.min(shift, MAX_WINDOW_SHIFT);
  } else if (kind === SACK_PERMITTED && size === 2) {
    out.sackPermitted = true;
  } else if (kind === TIMESTAMPS && size === 10) {
    out.hasTimestamps = true;
    out.tsVal = view.getInt32(at + 2);
    out.tsEcr = view.getInt32(at + 6);
  } else if (kind === SACK && size >= 10 && (size & 7) === 2) {
    const edges = (size - 2) >> 2;
    for (let i = 0; i < edges; i++) out.sackEdges[i] = view.getInt32(at + 2 + 4 * i);
    out.sackCount = edges >> 1;
  }
}

/**
 * Writes the 20 fixed bytes of a header. `headerLength` counts the options too, which the caller
 * writes behind it; `window` and `checksum` go out as given.
 */
export function writeTcp(
  view: DataView,
  at: number,
  sourcePort: number,
  destinationPort: number,
  seq: number,
  ack: number,
  headerLength: number,
  flags: number,
  window: number,
  checksum: number,
  urgentPointer: number,
): void {
  view.setInt32(at, (sourcePort << 16) | destinationPort);
  view.setInt32(at + 4, seq);
  view.setInt32(at + 8, ack);
  view.setInt32(at + 12, (headerLength << 26) | (flags << 16) | window);
  view.setInt32(at + 16, (checksum << 16) | urgentPointer);
}

/** Writes NOP, NOP and the Timestamps option (RFC 7323 appendix A): 12 bytes. */
export function writeTimestamps(view: DataView, at: number, tsVal: number, tsEcr: number): void {
  view.setInt32(at, NOP_NOP_TIMESTAMPS);
  view.setInt32(at + 4, tsVal);
  view.setInt32(at + 8, tsEcr);
}

/**
 * Writes the options of a SYN in the order in which Linux sends them: MSS, SACK-permitted and
 * Timestamps, window scale (-1 for none). Answers how many bytes they take, a multiple of four.
 */
export function writeSynOptions(
  view: DataView,
  at: number,
  mss: number,
  windowScale: number,
  sackPermitted: boolean,
  hasTimestamps: boolean,
  tsVal: number,
  tsEcr: number,
): number {
  let next = at;
  view.setInt32(next, (MSS << 24) | (4 << 16) | mss);
  next += 4;
  if (hasTimestamps) {
    writeTimestamps(view, next, tsVal, tsEcr);
    // SACK-permitted takes the place of the padding.
    if (sackPermitted) view.setUint16(next, (SACK_PERMITTED << 8) | 2);
    next += TIMESTAMPS_BYTES;
  } else if (sackPermitted) {
    view.setInt32(next, (NOP << 24) | (NOP << 16) | (SACK_PERMITTED << 8) | 2);
    next += 4;
  }
  if (windowScale >= 0) {
    view.setInt32(next, (NOP << 24) | (WINDOW_SCALE << 16) | (3 << 8) | windowScale);
    next += 4;
  }
  return next - at;
}

/**
 * Writes NOP, NOP and a SACK option (RFC 2018 §3) of `count` blocks, one to four (three beside
 * timestamps); `edges` has left and right edge in turn. Answers how many bytes it takes.
 */
export function writeSackBlocks(
  view: DataView,
  at: number,
  edges: Int32Array,
  count: number,
): number {
  view.setInt32(at, (NOP << 24) | (NOP << 16) | (SACK << 8) | (2 + 8 * count));
  for (let i = 0; i < 2 * count; i++) view.setInt32(at + 4 + 4 * i, edges[i]!);
  return 4 + 8 * count;
}
