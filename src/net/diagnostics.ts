// What a stack publishes on node:diagnostics_channel. Knows the channels and who fills them; must not know
// sockets.

import { type Channel, channel, tracingChannel } from 'node:diagnostics_channel';
import type { StackCore } from '../stack/core.js';
import type { CloseReason, Connection } from '../tcp/connection.js';
import type { NewEvent } from '../trace/event.js';
import { bothProbes, withoutProbe } from '../trace/probes.js';
import { Recorder } from '../trace/recorder.js';

// Channels are kept: one that nobody refers to is forgotten with its subscribers.

/** Those of `node:net` of Node 20, for our sockets and servers as for Node's. */
export const clientSockets = channel('net.client.socket');
export const serverSockets = channel('net.server.socket');
export const serverListens = tracingChannel('net.server.listen');

/** A connection is asked for: by us, or by a peer and accepted; the handshake is done; it is over. */
export const opened = channel('finwait:connection:open');
export const established = channel('finwait:connection:established');
export const closed = channel('finwait:connection:close');

/** What `finwait:connection:…` tell. */
export interface ConnectionMessage {
  /** The stack that has the connection. */
  core: StackCore;
  /** The connection; `info()` has all its numbers. */
  connection: Connection;
  /** Only of `close`: why it is over. */
  reason?: CloseReason;
  /** Only of `close`: name of the error, `ECONNRESET`; null after a close in order. */
  code?: string | null;
}

/** What `finwait:state`, `finwait:segment` and `finwait:timer` tell: an event as in a trace. */
export type TraceMessage = NewEvent & {
  /** The stack in which it happened. */
  core: StackCore;
};

/** Kinds of events that have a channel, and the channel: the state's change, segments, timers. */
const states = channel('finwait:state');
const segments = channel('finwait:segment');
const timers = channel('finwait:timer');
const TRACES: Readonly<Record<string, Channel>> = {
  state: states,
  segment: segments,
  timer: timers,
};

/** Records for the channels that somebody listens to; for the others not even an object is made. */
class ChannelRecorder extends Recorder {
  constructor(core: StackCore, now: () => number) {
    const add = (event: NewEvent) => {
      TRACES[event.kind]?.publish({ core, ...event } as TraceMessage);
      return { index: 0, ...event };
    };
    super({ add } as ConstructorParameters<typeof Recorder>[0], { now });
  }

  override segmentIn(...args: Parameters<Recorder['segmentIn']>): void {
    if (segments.hasSubscribers) super.segmentIn(...args);
  }

  override segmentOut(...args: Parameters<Recorder['segmentOut']>): void {
    if (segments.hasSubscribers) super.segmentOut(...args);
  }

  override strangerIn(...args: Parameters<Recorder['strangerIn']>): void {
    if (segments.hasSubscribers) super.strangerIn(...args);
  }

  override strangerOut(...args: Parameters<Recorder['strangerOut']>): void {
    if (segments.hasSubscribers) super.strangerOut(...args);
  }

  override timerArmed(...args: Parameters<Recorder['timerArmed']>): void {
    if (timers.hasSubscribers) super.timerArmed(...args);
  }

  override timerFired(...args: Parameters<Recorder['timerFired']>): void {
    if (timers.hasSubscribers) super.timerFired(...args);
  }

  override timerCancelled(...args: Parameters<Recorder['timerCancelled']>): void {
    if (timers.hasSubscribers) super.timerCancelled(...args);
  }

  // Of these no channel tells.
  override userCall(): void {}
  override callFailed(): void {}
  override congestion(): void {}
  override dropped(): void {}
}

/** Stacks that are open. One that was forgotten without having been closed is not kept alive. */
const stacks = new Set<WeakRef<StackCore>>();
const recorders = new WeakMap<StackCore, ChannelRecorder>();

/** The stack tells the channels what it does, from now on. */
export function publishTraces(core: StackCore, now: () => number): void {
  recorders.set(core, new ChannelRecorder(core, now));
  stacks.add(new WeakRef(core));
  follow();
}

/** The stack is closed. */
export function publishNoMore(core: StackCore): void {
  const recorder = recorders.get(core);
  if (recorder !== undefined) core.probe = withoutProbe(core.probe, recorder);
  recorders.delete(core);
}

/** Puts the recorders in front of their stacks when somebody listens, and takes them away afterwards. */
function follow(): void {
  const wanted = Object.values(TRACES).some(({ hasSubscribers }) => hasSubscribers);
  for (const reference of stacks) {
    const core = reference.deref();
    const recorder = core && recorders.get(core);
    if (core === undefined || recorder === undefined) {
      stacks.delete(reference);
      continue;
    }
    const others = withoutProbe(core.probe, recorder);
    core.probe = wanted ? bothProbes(others, recorder) : others;
  }
}

/**
 * A segment must cost nothing while nobody listens: so the stack has no probe then, and is told when the
 * first subscriber comes. Node calls these two methods of a channel for all subscribers, and has no event
 * of its own for it.
 */
function tellSubscriptions(of: Channel): void {
  for (const name of ['subscribe', 'unsubscribe'] as const) {
    const own = Object.getOwnPropertyDescriptor(of, name)?.value;
    Object.defineProperty(of, name, {
      configurable: true,
      writable: true,
      value(this: Channel, listener: Parameters<Channel['subscribe']>[0]) {
        // With the first subscriber a channel becomes one of another class.
        const method = own ?? Object.getPrototypeOf(this)[name];
        const answer = method.call(this, listener);
        follow();
        return answer;
      },
    });
  }
}

for (const each of Object.values(TRACES)) tellSubscriptions(each);
