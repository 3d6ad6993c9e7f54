// What `finwait ss` asks the stack of somebody else's program. Knows the control socket and the report; must not
// know the program.

import type { Stack } from '../net/stack.js';
import { ControlServer } from './control.js';
import { reportStack } from './report.js';

/** Without a device there is only the stack's own loopback. */
const LOOPBACK = { name: 'loopback', mtu: 65_535 };

/** Opens the control socket of a stack, which does not keep the process alive. Answers what removes it. */
export async function answerQuestions({ core, device, now }: Stack): Promise<() => void> {
  const { name, mtu } = device ?? LOOPBACK;
  const control = await ControlServer.open(name, {
    sockets: () => {
      core.flush(now()); // an idle stack does not know how late it is
      return reportStack(core, { name, mtu });
    },
  });
  return () => control.close();
}
