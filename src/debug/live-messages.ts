// What a debugger and a running stack say to each other over a socket: one JSON object a line. Knows shapes;
// must not know sockets.

import type { TraceEvent } from '../trace/event.js';
import type { Action, Look } from './debuggee.js';

/** From the debugger. */
export type LiveRequest =
  /** Answered by `done` with the same number. */
  | { id: number; action: Action }
  /** Shows this connection from now on, ours first; null: the one that something happens to. */
  | { id: number; follow: string | null }
  /** A step that waits for a packet is to end. */
  | { wake: true };

/** What can be seen of a stack at one time; its events come by themselves, each once. */
export interface LiveLook extends Omit<Look, 'events' | 'verdict'> {
  /** Connections, for whoever chooses one: all, or some of very many. */
  connections: readonly string[];
}

/** From the stack. */
export type LiveReply =
  /** It cannot be debugged: instead of all else. */
  | { error: string; fix?: string }
  | { look: LiveLook; events: readonly TraceEvent[] }
  /** `refusal`: why nothing has changed; comes after the look that shows what has. */
  | { done: number; refusal: string | null };
