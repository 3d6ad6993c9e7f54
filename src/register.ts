// `node --import finwait/register`: from here on the program's sockets and servers use a stack of ours. Knows
// the parts, and what belongs to a stack that was opened; no behaviour.

import { beforeTheEnd } from './dropin/last-words.js';
import { lazyRoutes, sayGoodbye } from './dropin/lazy-stack.js';
import { installRoutes } from './dropin/routing.js';
import { readSettings } from './dropin/settings.js';
import type { Stack } from './net/stack.js';
import { openStack } from './open.js';

const { all, addresses, tun, memory, tcp, discountPauses } = readSettings(process.env);

installRoutes(lazyRoutes({ all, addresses, open }));

function open(): Stack {
  const stack = openStack({ tun, addresses: addresses.map(String), memory, tcp, discountPauses });
  let stopAnswering = (): void => {};
  beforeTheEnd(() => {
    sayGoodbye(stack);
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
