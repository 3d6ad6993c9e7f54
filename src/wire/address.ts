// IP addresses as four int32 words, their text and their kinds; must not know interfaces or routes.

/** Third word of an IPv4 address kept as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2). */
const MAPPED = 0xffff;

/**
 * An address of either family. IPv4 is kept as IPv4-mapped words, so that an address has one
 * representation only: the same words are the same address, and ::ffff:a.b.c.d is family 4.
 */
export class IpAddress {
  /** 0.0.0.0 */
  static readonly v4Any = IpAddress.v4(0);
  /** :: */
  static readonly v6Any = IpAddress.v6(0, 0, 0, 0);

  /** 4 also for `::ffff:a.b.c.d`. */
  readonly family: 4 | 6;
  /** Bits 0 to 31, int32. */
  readonly w0: number;
  /** Bits 32 to 63. */
  readonly w1: number;
  /** Bits 64 to 95. */
  readonly w2: number;
  /** Bits 96 to 127: of IPv4, all of the address. */
  readonly w3: number;

  private constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0 | 0;
    this.w1 = w1 | 0;
    this.w2 = w2 | 0;
    this.w3 = w3 | 0;
    this.family = this.w0 === 0 && this.w1 === 0 && this.w2 === MAPPED ? 4 : 6;
  }

  /** From the 32 bits of an IPv4 address, first byte highest. */
  static v4(word: number): IpAddress {
    return new IpAddress(0, 0, MAPPED, word);
  }

  /** From 128 bits, first byte highest; IPv4-mapped words give an address of family 4. */
  static v6(w0: number, w1: number, w2: number, w3: number): IpAddress {
    return new IpAddress(w0, w1, w2, w3);
  }

  /**
   * Reads a dotted quad (four decimal numbers, no leading zeros) or the text of RFC 4291 §2.2.
   * Null for anything else, zone identifiers (`%eth0`) and surrounding space among them.
   */
  static parse(text: string): IpAddress | null {
    if (!text.includes(':')) {
      const word = parseDottedQuad(text);
      return word === null ? null : IpAddress.v4(word);
    }
    const groups = parseGroups(text);
    if (groups === null) return null;
    const word = (i: number) => (groups[i]! << 16) | groups[i + 1]!;
    return IpAddress.v6(word(0), word(2), word(4), word(6));
  }

  /** Whether it is the same address. */
  equals(other: IpAddress): boolean {
    return (
      this.w3 === other.w3 && this.w2 === other.w2 && this.w1 === other.w1 && this.w0 === other.w0
    );
  }

  /** 0.0.0.0 or :: */
  get isUnspecified(): boolean {
    return this.w3 === 0 && (this.family === 4 || (this.w0 | this.w1 | this.w2) === 0);
  }

  /** 127.0.0.0/8 or ::1 */
  get isLoopback(): boolean {
    if (this.family === 4) return this.w3 >>> 24 === 127;
    return (this.w0 | this.w1 | this.w2) === 0 && this.w3 === 1;
  }

  /** 224.0.0.0/4 or ff00::/8 */
  get isMulticast(): boolean {
    return this.family === 4 ? this.w3 >>> 28 === 14 : this.w0 >>> 24 === 0xff;
  }

  /** 255.255.255.255; the broadcast address of a subnet is `Subnet.broadcast`. */
  get isBroadcast(): boolean {
    return this.family === 4 && this.w3 === -1;
  }

  /** 169.254.0.0/16 or fe80::/10 */
  get isLinkLocal(): boolean {
    return this.family === 4 ? this.w3 >>> 16 === 0xa9fe : this.w0 >>> 22 === 0xfe80 >>> 6;
  }

  /** A dotted quad, or the canonical text of RFC 5952. */
  toString(): string {
    if (this.family === 4) return formatDottedQuad(this.w3);
    return formatGroups([this.w0, this.w1, this.w2, this.w3].flatMap((w) => [w >>> 16, w & 65535]));
  }
}

/** An interface address with the length of its network prefix, in bits. */
export class Subnet {
  /** The address, host bits included. */
  readonly address: IpAddress;
  /** Length of the network prefix, bits. */
  readonly prefix: number;

  /** RangeError where the prefix is not an integer from 0 to 32 (IPv4) or 128 (IPv6). */
  constructor(address: IpAddress, prefix: number) {
    const longest = address.family === 4 ? 32 : 128;
    if (!Number.isInteger(prefix) || prefix < 0 || prefix > longest) {
      throw new RangeError(`The prefix of ${address} is 0 to ${longest} bits long, not ${prefix}`);
    }
    this.address = address;
    this.prefix = prefix;
  }

  /** Reads `10.9.0.1/24` or `fd09::1/64`; null for anything else. */
  static parse(text: string): Subnet | null {
    const slash = text.indexOf('/');
    const address = slash < 0 ? null : IpAddress.parse(text.slice(0, slash));
    const digits = text.slice(slash + 1);
    if (address === null || !/^(0|[1-9]\d{0,2})$/.test(digits)) return null;
    const prefix = Number(digits);
    return prefix <= (address.family === 4 ? 32 : 128) ? new Subnet(address, prefix) : null;
  }

  /** Whether an address, of the same family, has the same prefix. */
  contains(other: IpAddress): boolean {
    const own = this.address;
    if (own.family !== other.family) return false;
    const bits = own.family === 4 ? 96 + this.prefix : this.prefix;
    return (
      ((own.w0 ^ other.w0) & mask(bits)) === 0 &&
      ((own.w1 ^ other.w1) & mask(bits - 32)) === 0 &&
      ((own.w2 ^ other.w2) & mask(bits - 64)) === 0 &&
      ((own.w3 ^ other.w3) & mask(bits - 96)) === 0
    );
  }

  /** All host bits set; null for IPv6 and for prefixes of 31 (RFC 3021) and 32 bits. */
  get broadcast(): IpAddress | null {
    if (this.address.family === 6 || this.prefix > 30) return null;
    return IpAddress.v4(this.address.w3 | ~mask(this.prefix));
  }

  /** `10.9.0.1/24` */
  toString(): string {
    return `${this.address}/${this.prefix}`;
  }
}

/** The highest `bits` bits of a word; none for 0 and less, all for 32 and more. */
function mask(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

function parseDottedQuad(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let word = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    word = (word << 8) | Number(part);
  }
  return word;
}

/** The eight 16-bit groups of an IPv6 text. */
function parseGroups(text: string): number[] | null {
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = parseGroupList(text, true);
    return groups !== null && groups.length === 8 ? groups : null;
  }
  const head = parseGroupList(text.slice(0, gap), false);
  const tail = parseGroupList(text.slice(gap + 2), true);
  if (head === null || tail === null) return null;
  // RFC 4291 §2.2: "::" stands for one group of zeros or more.
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? null : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Groups separated by single colons; the last may be a dotted quad where `last` says so. */
function parseGroupList(text: string, last: boolean): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const word = last && i === parts.length - 1 ? parseDottedQuad(part) : null;
    if (word === null) return null;
    groups.push(word >>> 16, word & 0xffff);
  }
  return groups;
}

function formatDottedQuad(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

function formatGroups(groups: number[]): string {
  // RFC 5952 §4.2: "::" takes the longest run of zero groups, the first of equals, never a lone one.
  let from = 0;
  let longest = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > longest) {
      from = i;
      longest = end - i;
    }
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (longest === 1) return hex(groups);
  return `${hex(groups.slice(0, from))}::${hex(groups.slice(from + longest))}`;
}

/** An address with a port: `10.9.0.2:80` or `[fd09::2]:80`. */
export function formatEnd(address: IpAddress | string, port: number): string {
  const text = String(address);
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}
