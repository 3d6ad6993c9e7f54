// Connections whose writes found the arena full. Knows when memory has come back; must not know what
// they want to write.

import type { Arena } from '../storage/arena.js';
import { NEWS_WRITABLE, type Tcb } from '../tcp/tcb.js';

export class MemoryWaiters {
  private readonly waiting: Tcb[] = [];
  /** How full the arena was when the first of them found nothing. */
  private used = 0;

  constructor(
    private readonly arena: Arena,
    private readonly schedule: (tcb: Tcb) => void,
  ) {}

  add(tcb: Tcb): void {
    if (this.waiting.length === 0) this.used = this.arena.used;
    if (!this.waiting.includes(tcb)) this.waiting.push(tcb);
  }

  /** Once in a turn: if there is memory again, they may try again. */
  tell(): void {
    if (this.waiting.length === 0 || this.arena.used >= this.used) return;
    for (const tcb of this.waiting.splice(0)) {
      tcb.news |= NEWS_WRITABLE;
      this.schedule(tcb);
    }
  }
}
