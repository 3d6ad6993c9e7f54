// TCP headers and options against what was written, against a plain model, and against any bytes.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as tcp from '../../src/wire/tcp.js';
import { exactView, hex } from './reference.js';

const { TcpSegment, parseTcp } = tcp;

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const byte = fc.nat({ max: 255 });
const short = fc.nat({ max: 0xffff });

/** A segment with these option bytes, padded with zeros to whole words, and this data. */
function segment(
  options: ArrayLike<number>,
  data: ArrayLike<number> = [],
  flags: number = tcp.ACK,
) {
  const headerLength = 20 + 4 * Math.ceil(options.length / 4);
  const bytes = new Uint8Array(headerLength + data.length);
  const view = new DataView(bytes.buffer);
  tcp.writeTcp(view, 0, 1000, 80, 1, 2, headerLength, flags, 500, 0, 0);
  bytes.set(Uint8Array.from(options), 20);
  bytes.set(Uint8Array.from(data), headerLength);
  return bytes;
}

function parse(bytes: ArrayLike<number>, out = new TcpSegment()) {
  expect(parseTcp(exactView(bytes), 0, bytes.length, out)).toBe(tcp.TCP_OK);
  return out;
}

/** What the options of a segment say. */
function options(of: tcp.TcpSegment) {
  const { mss, windowScale, sackPermitted, hasTimestamps, tsVal, tsEcr, sackCount, badOptions } =
    of;
  return {
    mss,
    windowScale,
    sackPermitted,
    timestamps: hasTimestamps ? [tsVal, tsEcr] : null,
    sack: [...of.sackEdges.subarray(0, 2 * sackCount)],
    badOptions,
  };
}
const absent = options(new TcpSegment());

/** A segment in which every option field is set, to see that parsing sets it anew. */
const used = () =>
  parse(segment(hex('02040102 03030e 0402 080a0000000100000002 050a0000000300000004 0505')));

describe('writeTcp and parseTcp', () => {
  it('agree on every field', () => {
    const fields = fc.record({
      sourcePort: short,
      destinationPort: short,
      seq: word,
      ack: word,
      flags: byte,
      window: short,
      checksum: short,
      urgentPointer: short,
      headerLength: fc.integer({ min: 5, max: 15 }).map((words) => 4 * words),
      dataLength: fc.nat({ max: 50 }),
      at: fc.nat({ max: 7 }),
    });
    fc.assert(
      fc.property(fields, (f) => {
        const length = f.headerLength + f.dataLength;
        const view = new DataView(new ArrayBuffer(f.at + length));
        tcp.writeTcp(
          view,
          f.at,
          f.sourcePort,
          f.destinationPort,
          f.seq,
          f.ack,
          f.headerLength,
          f.flags,
          f.window,
          f.checksum,
          f.urgentPointer,
        );
        expect(view.getUint16(f.at + 16)).toBe(f.checksum);
        const out = used();
        out.gsoSize = 1448;
        expect(parseTcp(view, f.at, length, out)).toBe(tcp.TCP_OK);
        const { at: _at, checksum: _checksum, ...read } = f;
        expect(out).toMatchObject({
          ...read,
          dataOffset: f.at + f.headerLength,
          length: f.dataLength + (f.flags & tcp.SYN ? 1 : 0) + (f.flags & tcp.FIN ? 1 : 0),
          gsoSize: 1448,
        });
        expect(options(out)).toEqual(absent);
      }),
      { numRuns: 500 },
    );
  });

  it('refuse what is shorter than its header, or whose header is too short', () => {
    const out = new TcpSegment();
    const verdict = (bytes: Uint8Array) => parseTcp(exactView(bytes), 0, bytes.length, out);
    expect(verdict(new Uint8Array(0))).toBe(tcp.TCP_TRUNCATED);
    expect(verdict(segment([]).subarray(0, 19))).toBe(tcp.TCP_TRUNCATED);
    expect(verdict(segment([1, 1, 1, 1]).subarray(0, 23))).toBe(tcp.TCP_TRUNCATED);
    for (let words = 0; words < 5; words++) {
      const bytes = segment([1, 2, 3]);
      bytes[12] = words << 4;
      expect(verdict(bytes), `${words} words`).toBe(tcp.TCP_BAD_DATA_OFFSET);
    }
  });

  it('read a SYN as Linux sends it', () => {
    const syn = parse(
      hex(`c350 0050 12345678 00000000 a002 faf0 0000 0000
           0204 05b4 0402 080a 00112233 00000000 01 03 03 07`),
    );
    expect(syn).toMatchObject({
      sourcePort: 50000,
      destinationPort: 80,
      flags: tcp.SYN,
      length: 1,
    });
    expect(options(syn)).toEqual({
      ...absent,
      mss: 1460,
      sackPermitted: true,
      timestamps: [0x00112233, 0],
      windowScale: 7,
    });
  });
});

describe('options', () => {
  /** Encoded bytes, and what they make of what was known before. */
  type Known = ReturnType<typeof options>;
  const encode32 = (...words: number[]) =>
    words.flatMap((w) => [w >>> 24, (w >>> 16) & 255, (w >>> 8) & 255, w & 255]);
  const option = fc.oneof(
    fc.constant({ bytes: [1], gives: {} }),
    short.map((mss) => ({ bytes: [2, 4, mss >>> 8, mss & 255], gives: { mss } })),
    byte.map((shift) => ({ bytes: [3, 3, shift], gives: { windowScale: Math.min(14, shift) } })),
    fc.constant({ bytes: [4, 2], gives: { sackPermitted: true } }),
    fc.tuple(word, word).map((timestamps) => ({
      bytes: [8, 10, ...encode32(...timestamps)],
      gives: { timestamps },
    })),
    fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 4 }).map((blocks) => ({
      bytes: [5, 2 + 8 * blocks.length, ...encode32(...blocks.flat())],
      gives: { sack: blocks.flat() },
    })),
    fc
      .tuple(fc.integer({ min: 9, max: 255 }), fc.uint8Array({ maxLength: 10 }))
      .map(([kind, data]) => ({ bytes: [kind, 2 + data.length, ...data], gives: {} })),
  );
  const lists = fc.array(option, { maxLength: 10 }).map((all) => {
    const bytes: number[] = [];
    const known: Known = { ...absent };
    for (const { bytes: more, gives } of all) {
      if (bytes.length + more.length > 40) break;
      bytes.push(...more);
      Object.assign(known, gives);
    }
    return { bytes, known };
  });

  it('MUST-4, MUST-64: are read in any order, from any byte', () => {
    fc.assert(
      fc.property(lists, ({ bytes, known }) => {
        expect(options(parse(segment(bytes), used()))).toEqual(known);
      }),
      { numRuns: 2000 },
    );
  });

  it('MUST-5: are read in any segment, whatever its flags and data', () => {
    fc.assert(
      fc.property(lists, byte, fc.uint8Array({ maxLength: 9 }), ({ bytes, known }, flags, data) => {
        const read = parse(segment(bytes, data, flags));
        expect(options(read)).toEqual(known);
        expect(read.dataLength).toBe(data.length);
      }),
    );
  });

  it('MUST-6, MUST-68: of unknown kinds are passed over by their length', () => {
    for (let kind = 0; kind < 256; kind++) {
      if ([0, 1, 2, 3, 4, 5, 8].includes(kind)) continue;
      for (const size of [2, 3, 8, 34]) {
        const unknown = [kind, size, ...new Array<number>(size - 2).fill(3)];
        const read = options(parse(segment([...unknown, 2, 4, 5, 0xb4])));
        expect(read, `kind ${kind}, length ${size}`).toEqual({ ...absent, mss: 1460 });
      }
    }
  });

  it('MUST-7: survives an illegal option length, and keeps what came before', () => {
    const expected = { ...absent, mss: 1460, badOptions: true };
    for (let kind = 2; kind < 256; kind++) {
      // Of the 40 bytes of options 36 are left for this one.
      for (const size of [0, 1, 37, 255]) {
        const bytes = [2, 4, 5, 0xb4, kind, size, 4, 2, ...new Array<number>(32).fill(1)];
        expect(options(parse(segment(bytes))), `kind ${kind}, length ${size}`).toEqual(expected);
      }
    }
    for (const lonely of [
      [1, 1, 1, 2],
      [1, 1, 1, 77],
      [1, 1, 2, 4],
      [1, 8, 10, 0],
    ]) {
      for (const data of [[], [4, 2, 4, 2, 4, 2]]) {
        expect(options(parse(segment(lonely, data)))).toEqual({ ...absent, badOptions: true });
      }
    }
  });

  it('of a known kind but a wrong length say nothing', () => {
    for (const [kind, right] of [
      [2, [4]],
      [3, [3]],
      [4, [2]],
      [8, [10]],
      [5, [10, 18, 26, 34]],
    ] as const) {
      for (let size = 2; size <= 36; size++) {
        if ((right as readonly number[]).includes(size)) continue;
        const wrong = [kind, size, ...new Array<number>(size - 2).fill(7)];
        const expected = size <= 34 ? { ...absent, windowScale: 5 } : absent;
        const tail = size <= 34 ? [1, 3, 3, 5] : [];
        expect(
          options(parse(segment([...wrong, ...tail]))),
          `kind ${kind}, length ${size}`,
        ).toEqual(expected);
      }
    }
  });

  it('end at the end of the list; what is behind it is not looked at', () => {
    for (const tail of [
      [2, 4, 1, 1],
      [8, 0, 0],
      [255, 255, 255, 255, 255],
    ]) {
      expect(options(parse(segment([3, 3, 2, 0, ...tail])))).toEqual({ ...absent, windowScale: 2 });
    }
  });

  it('take a window shift above 14 as 14 (RFC 7323 §2.3)', () => {
    for (let shift = 0; shift < 256; shift++) {
      expect(parse(segment([3, 3, shift, 0])).windowScale).toBe(Math.min(shift, 14));
    }
  });

  it('of timestamps alone give the same by the short way as by the long', () => {
    fc.assert(
      fc.property(word, word, fc.constantFrom(0, 1, 2), (tsVal, tsEcr, before) => {
        const bytes = [1, 1, 1].slice(0, before).concat(8, 10, ...encode32(tsVal, tsEcr));
        while (bytes.length < 12) bytes.push(1);
        const read = parse(segment(bytes), used());
        expect(options(read)).toEqual({ ...absent, timestamps: [tsVal, tsEcr] });
      }),
    );
  });
});

describe('writers of options', () => {
  it('write timestamps that are read back', () => {
    fc.assert(
      fc.property(word, word, (tsVal, tsEcr) => {
        const bytes = segment(new Uint8Array(12));
        tcp.writeTimestamps(new DataView(bytes.buffer), 20, tsVal, tsEcr);
        expect(options(parse(bytes))).toEqual({ ...absent, timestamps: [tsVal, tsEcr] });
      }),
    );
  });

  it('MUST-69: write the options of a SYN in whole words, so that nothing needs padding', () => {
    const shifts = fc.integer({ min: -1, max: 14 });
    fc.assert(
      fc.property(short, shifts, fc.boolean(), fc.boolean(), word, word, (...f) => {
        const [mss, windowScale, sackPermitted, withTimestamps, tsVal, tsEcr] = f;
        const room = new Uint8Array(60).fill(0xee);
        const view = new DataView(room.buffer);
        const size = tcp.writeSynOptions(
          view,
          20,
          mss,
          windowScale,
          sackPermitted,
          withTimestamps,
          tsVal,
          tsEcr,
        );
        expect(size % 4).toBe(0);
        expect(room.subarray(20 + size).every((b) => b === 0xee)).toBe(true);
        tcp.writeTcp(view, 0, 1, 2, 3, 4, 20 + size, tcp.SYN, 0, 0, 0);
        const written = room.subarray(0, 20 + size);
        expect(options(parse(written))).toEqual({
          ...absent,
          mss,
          windowScale,
          sackPermitted,
          timestamps: withTimestamps ? [tsVal, tsEcr] : null,
        });
      }),
    );
  });

  it('write a SYN as Linux does', () => {
    const view = new DataView(new ArrayBuffer(20));
    expect(tcp.writeSynOptions(view, 0, 1460, 7, true, true, 0x00112233, 0)).toBe(20);
    expect(new Uint8Array(view.buffer)).toEqual(
      hex('020405b4 0402080a 00112233 00000000 01030307'),
    );
  });

  it('write SACK blocks that are read back, four or three beside timestamps', () => {
    const blocks = fc.array(word, { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(blocks, fc.boolean(), (edges, withTimestamps) => {
        const count = Math.min(edges.length >> 1, withTimestamps ? 3 : 4);
        const room = new Uint8Array(60);
        const view = new DataView(room.buffer);
        let at = 20;
        if (withTimestamps) {
          tcp.writeTimestamps(view, at, 1, 2);
          at += 12;
        }
        at += tcp.writeSackBlocks(view, at, Int32Array.from(edges), count);
        tcp.writeTcp(view, 0, 1, 2, 3, 4, at, tcp.ACK, 0, 0, 0);
        expect(options(parse(room.subarray(0, at)))).toEqual({
          ...absent,
          timestamps: withTimestamps ? [1, 2] : null,
          sack: edges.slice(0, 2 * count),
        });
      }),
    );
  });
});

describe('any bytes', () => {
  const random = fc.uint8Array({ maxLength: 100 });
  const mutated = fc
    .tuple(fc.array(fc.tuple(fc.nat({ max: 79 }), byte), { maxLength: 6 }), fc.nat({ max: 80 }))
    .map(([changes, length]) => {
      const bytes = segment(
        hex('020405b4 0402080a 0011223300000000 01030307 01010512'),
        new Uint8Array(36),
      );
      for (const [at, value] of changes) bytes[at] = value;
      return bytes.subarray(0, length);
    });
  const options60 = random.map((bytes) => {
    const out = new Uint8Array(100);
    out.set(bytes);
    out[12] = 0xf0;
    return out;
  });

  it('are read without an exception, and never beyond their end', () => {
    fc.assert(
      fc.property(fc.oneof(random, mutated, options60), (bytes) => {
        const out = new TcpSegment();
        const verdict = parseTcp(exactView(bytes), 0, bytes.length, out);
        if (verdict !== tcp.TCP_OK) return;
        expect(out.headerLength).toBeGreaterThanOrEqual(20);
        expect(out.dataLength).toBeGreaterThanOrEqual(0);
        expect(out.dataOffset + out.dataLength).toBe(bytes.length);
        expect(out.windowScale).toBeLessThanOrEqual(14);
        expect(out.sackCount).toBeLessThanOrEqual(4);
      }),
      { numRuns: 5000 },
    );
  });
});
