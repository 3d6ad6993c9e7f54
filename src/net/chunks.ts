// What `write` was given, as bytes. Must not know sockets.

/** A chunk as the stream keeps it: text stays text until it is its turn. */
export interface Chunk {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

export function bytesOf({ chunk, encoding }: Chunk): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

/** How many bytes they make. */
export function totalBytes(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { chunk, encoding }) => sum + Buffer.byteLength(chunk, encoding), 0);
}
