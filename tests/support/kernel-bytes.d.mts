// Types of kernel-bytes.mjs.
export function byteStream(seed: number, count: number): Generator<Buffer, void>;
export function digestOf(seed: number, count: number): string;
