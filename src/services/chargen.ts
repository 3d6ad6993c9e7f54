// Chargen, RFC 864: characters without end. Knows its pattern; must not know whose TCP carries it.

import { pour } from './pour.js';
import type { Service, ServiceSocket } from './service.js';

const FIRST_CHARACTER = 32;
const CHARACTERS = 95;
const LINE_WIDTH = 72;
/** Blocks of about 440 KiB: few writes, and more than any stream's high-water mark. */
const REPEATS = 64;

/** The pattern of RFC 864: lines of 72 of the 95 printing characters, each starting one further on. */
function pattern(): Buffer {
  let text = '';
  for (let line = 0; line < CHARACTERS; line++) {
    for (let i = 0; i < LINE_WIDTH; i++) {
      text += String.fromCharCode(FIRST_CHARACTER + ((line + i) % CHARACTERS));
    }
    text += '\r\n';
  }
  return Buffer.from(text.repeat(REPEATS), 'latin1');
}

let block: Buffer | null = null;

/** Sends until the peer closes; what the peer sends is thrown away. */
export const chargenService: Service = {
  name: 'chargen',
  port: 19,
  allowHalfOpen: false,
  onConnection(socket: ServiceSocket): void {
    block ??= pattern();
    socket.resume();
    pour(socket, block, Number.POSITIVE_INFINITY);
  },
  endConnection(socket: ServiceSocket): void {
    socket.end();
  },
};
