// Reads pcapng as the draft describes it, without a look at how it is written here. Knows blocks and options.

export interface ReadPacket {
  bytes: Uint8Array;
  timeUs: number;
  direction: 'in' | 'out';
  comments: string[];
  dropped: number;
}

export interface ReadFile {
  linkType: number;
  interfaceName: string;
  packets: ReadPacket[];
  /** Of the last block of statistics; null when there is none. */
  statistics: { received: number; dropped: number } | null;
  /** Of all blocks of statistics. */
  comments: string[];
}

/** Throws where a block is not whole, or its two lengths differ. */
export function readPcapng(blocks: readonly Uint8Array[]): ReadFile {
  const file: ReadFile = {
    linkType: -1,
    interfaceName: '',
    packets: [],
    statistics: null,
    comments: [],
  };
  const all = Buffer.concat(blocks);
  for (let at = 0; at < all.length; ) {
    const type = all.readUInt32LE(at);
    const length = all.readUInt32LE(at + 4);
    if (length % 4 !== 0 || all.readUInt32LE(at + length - 4) !== length) {
      throw new Error(`block ${type.toString(16)} at ${at} is ${length} bytes long`);
    }
    readBlock(file, type, all.subarray(at + 8, at + length - 4));
    at += length;
  }
  return file;
}

function readBlock(file: ReadFile, type: number, body: Buffer): void {
  if (type === 0x0a0d0d0a) {
    if (body.readUInt32LE(0) !== 0x1a2b3c4d) throw new Error('no byte-order magic');
  } else if (type === 1) {
    file.linkType = body.readUInt16LE(0);
    file.interfaceName = texts(options(body, 8), 2)[0]!;
  } else if (type === 6) {
    const length = body.readUInt32LE(12);
    const found = options(body, 20 + Math.ceil(length / 4) * 4);
    const flags = found.find(([code]) => code === 2)![1].readUInt32LE(0);
    file.packets.push({
      bytes: body.subarray(20, 20 + length),
      timeUs: body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8),
      direction: (flags & 3) === 1 ? 'in' : 'out',
      comments: texts(found, 1),
      dropped: number(found, 4),
    });
  } else if (type === 5) {
    const found = options(body, 12);
    file.statistics = { received: number(found, 4), dropped: number(found, 5) };
    file.comments.push(...texts(found, 1));
  } else {
    throw new Error(`an unknown block ${type}`);
  }
}

type Option = readonly [code: number, value: Buffer];

function options(body: Buffer, from: number): Option[] {
  const found: Option[] = [];
  for (let at = from; body.readUInt16LE(at) !== 0; ) {
    const length = body.readUInt16LE(at + 2);
    found.push([body.readUInt16LE(at), body.subarray(at + 4, at + 4 + length)]);
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return found;
}

function texts(found: readonly Option[], code: number): string[] {
  return found.filter((option) => option[0] === code).map(([, value]) => value.toString('utf8'));
}

function number(found: readonly Option[], code: number): number {
  const option = found.find((one) => one[0] === code);
  return option === undefined ? 0 : Number(option[1].readBigUInt64LE(0));
}
