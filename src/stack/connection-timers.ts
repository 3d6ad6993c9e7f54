// One entry of the wheel for each connection, whatever timers it has. Knows when to ask a connection;
// must not know what it does then.

import type { TcpClock } from '../tcp/clock.js';
import type { Connection } from '../tcp/connection.js';
import { NEVER } from '../tcp/timers.js';
import type { TimerWheel } from './timer-wheel.js';

export class ConnectionTimers {
  /** By id: when the wheel will ask, if at all. */
  private atMs = new Int32Array(64);
  private armed = new Uint8Array(64);

  constructor(
    private readonly wheel: TimerWheel,
    private readonly clock: TcpClock,
  ) {}

  /** Room for an id that was given out. */
  add(id: number): void {
    if (id >= this.armed.length) this.grow(id);
    this.armed[id] = 0;
  }

  remove(id: number): void {
    this.armed[id] = 0;
    this.wheel.cancel(id);
  }

  /**
   * The connection's deadlines may have changed. A later one needs nothing: the wheel asks too early
   * once, and is set again then; so moving a timer costs no more than its number.
   */
  follow(connection: Connection): void {
    const id = connection.id;
    const ms = connection.untilNextTimer();
    if (id < 0 || ms === NEVER) return;
    const at = (this.clock.ms + ms) | 0;
    if (this.armed[id] === 1 && ((this.atMs[id] - at) | 0) <= 0) return;
    this.atMs[id] = at;
    this.armed[id] = 1;
    this.wheel.arm(id, at);
  }

  /** The wheel has asked. */
  due(connection: Connection): void {
    this.armed[connection.id] = 0;
    connection.runTimers();
    this.follow(connection);
  }

  private grow(id: number): void {
    const size = 2 * Math.max(this.armed.length, id);
    const atMs = new Int32Array(size);
    atMs.set(this.atMs);
    this.atMs = atMs;
    const armed = new Uint8Array(size);
    armed.set(this.armed);
    this.armed = armed;
  }
}
