// The words of iperf3's control connection: states, error numbers, parameters. Knows bytes and JSON; must
// not know connections or time.
//
// There is no specification; iperf_api.h and iperf_client_api.c of https://github.com/esnet/iperf say
// what clients do. Checked against iperf 3.12.

export const IPERF3_PORT = 5201;

/** 36 letters and a NUL; the first bytes of every connection of a test, the same in all of them. */
export const COOKIE_BYTES = 37;

// States: one byte, signed, sent by whoever moves the test on.
export const TEST_START = 1;
export const TEST_RUNNING = 2;
export const TEST_END = 4;
export const PARAM_EXCHANGE = 9;
export const CREATE_STREAMS = 10;
export const CLIENT_TERMINATE = 12;
export const EXCHANGE_RESULTS = 13;
export const DISPLAY_RESULTS = 14;
export const ACCESS_DENIED = -1;
export const SERVER_ERROR = -2;

/** Numbers of iperf3's errors, which the client puts into words (`i_errno` in iperf_api.h). */
export const ERROR_DURATION = 5;
export const ERROR_STREAMS = 6;
export const ERROR_BLOCK = 7;
export const ERROR_OMIT = 12;
export const ERROR_UNIMPLEMENTED = 13;
export const ERROR_TOTAL_RATE = 27;
export const ERROR_PARAMETERS = 114;
export const ERROR_RESULTS = 117;
export const ERROR_CONGESTION = 134;
export const ERROR_IDLE = 144;

/** Longest JSON of a client, bytes: results of 128 streams take some 30 KiB. */
export const MAX_JSON = 256 * 1024;

// As the client's own limits (iperf.h): nobody who uses it can exceed them.
const MAX_STREAMS = 128;
const MAX_SECONDS = 86_400;
const MAX_OMIT_SECONDS = 600;
const MAX_BLOCK = 1024 * 1024;

/** What the client asks for, checked. */
export interface TestParameters {
  /** Streams in each direction, 1 to 128. */
  readonly parallel: number;
  /** We send. */
  readonly reverse: boolean;
  /** Both send, on streams of their own. */
  readonly bidirectional: boolean;
  /** Seconds that the test lasts; 0 where bytes or blocks end it. */
  readonly seconds: number;
  /** Seconds at the start that do not count. */
  readonly omitSeconds: number;
  /** Bytes after which it ends, of all streams of a direction; 0: not so. */
  readonly bytes: number;
  /** Bits per second that each stream may send; 0: no limit. */
  readonly rate: number;
  readonly noDelay: boolean;
  /** Congestion control that it insists on, or null. */
  readonly congestion: string | null;
  /** The client wants to show what we have to say, too. */
  readonly wantsOutput: boolean;
}

/** What a client sends makes no sense, or cannot be had; `number` is what it is told. */
export class Iperf3Error extends Error {
  readonly number: number;

  constructor(number: number, message: string) {
    super(message);
    this.number = number;
  }
}

/** A JSON object from its text. @throws Iperf3Error with `number` */
export function parseObject(text: string, number: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Iperf3Error(number, 'it sent something that is no JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Iperf3Error(number, 'it sent JSON that is no object');
}

/** @throws Iperf3Error for what is out of bounds or cannot be done here. */
export function parseParameters(text: string): TestParameters {
  const given = parseObject(text, ERROR_PARAMETERS);
  if (given.udp === true || given.sctp === true) {
    throw new Iperf3Error(ERROR_UNIMPLEMENTED, 'it asked for another protocol than TCP');
  }
  const block = within(given, 'len', 131_072, 1, MAX_BLOCK, ERROR_BLOCK);
  const blocks = within(given, 'blockcount', 0, 0, 2 ** 53, ERROR_PARAMETERS);
  const bytes = within(given, 'num', 0, 0, 2 ** 53, ERROR_PARAMETERS);
  const counted = bytes > 0 || blocks > 0;
  const time = within(given, 'time', 10, 0, MAX_SECONDS, ERROR_DURATION);
  return {
    parallel: within(given, 'parallel', 1, 1, MAX_STREAMS, ERROR_STREAMS),
    reverse: given.reverse === true,
    bidirectional: given.bidirectional === true,
    seconds: counted ? 0 : time,
    omitSeconds: within(given, 'omit', 0, 0, MAX_OMIT_SECONDS, ERROR_OMIT),
    bytes: bytes > 0 ? bytes : blocks * block,
    rate: within(given, 'bandwidth', 0, 0, 2 ** 53, ERROR_TOTAL_RATE),
    noDelay: given.nodelay === true,
    congestion: typeof given.congestion === 'string' ? given.congestion : null,
    wantsOutput: given.get_server_output === true || given.get_server_output === 1,
  };
}

function within(
  given: Record<string, unknown>,
  name: string,
  otherwise: number,
  least: number,
  most: number,
  number: number,
): number {
  const value = given[name] ?? otherwise;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
    return value as number;
  }
  throw new Iperf3Error(number, `it asked for ${name} ${JSON.stringify(value)}`);
}

export function stateByte(state: number): Uint8Array {
  return Uint8Array.of(state);
}

/** SERVER_ERROR, the number, and an errno, which we have none of. */
export function errorBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  view.setInt8(0, SERVER_ERROR);
  view.setInt32(1, number);
  return bytes;
}

/** JSON behind its length in four bytes. */
export function jsonBytes(value: unknown): Uint8Array {
  const text = Buffer.from(JSON.stringify(value));
  const bytes = Buffer.alloc(4 + text.length);
  bytes.writeUInt32BE(text.length);
  text.copy(bytes, 4);
  return bytes;
}
