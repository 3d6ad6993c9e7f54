// Initial sequence numbers: RFC 6528 (MUST-8, SHOULD-1). Knows the clock and a keyed hash.

import type { IpAddress } from '../wire/address.js';
import { SipHash } from './siphash.js';

/** RFC 6528 §3: M, a timer of 32 bits that ticks every 4 µs. */
const TICK_US = 4;

/** ISN = M + F(localip, localport, remoteip, remoteport, secret). */
export class IsnGenerator {
  private readonly hash: SipHash;
  private readonly words = new Int32Array(9);

  /** @param secret 16 random bytes that nobody outside learns (MUST-9). */
  constructor(secret: Uint8Array) {
    this.hash = new SipHash(secret);
  }

  next(
    nowUs: number,
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): number {
    return (Math.floor(nowUs / TICK_US) + this.mix(local, localPort, remote, remotePort)) | 0;
  }

  /** Offset of the timestamp clock: another hash of the same four (RFC 7323 §5.4). */
  timestampOffset(
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): number {
    this.mix(local, localPort, remote, remotePort);
    return this.hash.high;
  }

  private mix(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    const words = this.words;
    words[0] = local.w0;
    words[1] = local.w1;
    words[2] = local.w2;
    words[3] = local.w3;
    words[4] = remote.w0;
    words[5] = remote.w1;
    words[6] = remote.w2;
    words[7] = remote.w3;
    words[8] = (localPort << 16) | remotePort;
    return this.hash.digest(words);
  }
}
