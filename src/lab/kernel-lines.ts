// What the lab and its process on the kernel's side say to each other, a line of JSON each. Shapes only.

import type { Call } from './scenario.js';

/** Where the program on the kernel's side listens and connects from, and where its peer does. */
export interface Ends {
  address: string;
  port: number;
  peerAddress: string;
  peerPort: number;
}

/** What it is asked to do. */
export type Order =
  /** A new program, with nothing open; what the one before had open is reset. */
  | { command: 'begin'; ends: Ends }
  | { command: 'end' }
  /** Answers null, or the code of an error that showed at once. */
  | { command: 'call'; call: Call }
  /** Answers when the program has nothing to do any more. */
  | { command: 'settle' }
  /** Sets a parameter below /proc/sys/net; answers its value before, or null where there is none. */
  | { command: 'sysctl'; name: string; value: string }
  /** Sets the smallest retransmission timeout of the route to the peer. */
  | { command: 'patience'; device: string; network: string; ms: number };

/** What a program sees happen to its newest connection. */
export type Sight =
  | { sees: 'connection' }
  | { sees: 'data'; bytes: number }
  | { sees: 'end' | 'close' }
  | { sees: 'error'; code: string };

/** A line from the kernel's side. */
export type Line =
  | { ready: true }
  | { id: number; result: string | null }
  | { id: number; failed: string }
  | Sight;
