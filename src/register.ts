// `node --import finwait/register`: from here on the program's sockets and servers use a stack of ours. Knows
// the parts, and what belongs to a stack that was opened; no behaviour.

import { withSoftwareOffload } from './device/offload.js';
import { SystemClock } from './device/system-clock.js';
import { TunDevice } from './device/tun.js';
import { beforeTheEnd } from './dropin/last-words.js';
import { lazyRoutes, sayGoodbye } from './dropin/lazy-stack.js';
import { installRoutes } from './dropin/routing.js';
import { readSettings, type Settings } from './dropin/settings.js';
import { Stack } from './net/stack.js';
import type { TcpTrouble } from './net/trouble.js';
import type { CloseReason } from './tcp/connection.js';
import type { TcpInfo } from './tcp/info.js';

/** What the sockets of `node:net` have besides, when their connection is the stack's. */
declare module 'net' {
  interface Socket {
    /** State of the connection, as in RFC 9293: `ESTABLISHED`; undefined for the kernel's connections. */
    readonly tcpState?: string | undefined;
    /** How it ended; null until that is known, undefined for the kernel's connections. */
    readonly closeReason?: CloseReason | null | undefined;
    /** What the connection measures and holds; null when there is none, or it is the kernel's. */
    tcpInfo?(): TcpInfo | null;
  }
}

declare global {
  // biome-ignore lint/style/noNamespace: it is Node's, which declares its errors there
  namespace NodeJS {
    interface ErrnoException {
      /** What TCP knows about it, where the connection was the stack's. */
      tcp?: TcpTrouble | undefined;
    }
  }
}

const { all, addresses, tun, memory, tcp, discountPauses } = settings();

function settings(): Settings {
  try {
    return readSettings(process.env);
  } catch (error) {
    // Nobody could catch it, and where it was thrown says nothing.
    process.stderr.write(`finwait/register: ${(error as Error).message}\n`);
    process.exit(2);
  }
}

installRoutes(lazyRoutes({ all, addresses, open }));

function open(): Stack {
  const tunDevice = tun && TunDevice.open(tun);
  const device = tunDevice && withSoftwareOffload(tunDevice);
  const clock = new SystemClock({ discountPauses });
  const stack = new Stack({ clock, device, addresses: addresses.map(String), memory, tcp });
  let stopAnswering = (): void => {};
  beforeTheEnd(() => {
    sayGoodbye(stack, tunDevice && ((ms) => tunDevice.receive(ms)));
    stopAnswering();
  });
  // Not loaded before it is needed. Who cannot be asked works as well.
  import('./cli/routed-control.js')
    .then(({ answerQuestions }) => answerQuestions(stack))
    .then(
      (stop) => {
        stopAnswering = stop;
      },
      () => {},
    );
  return stack;
}
