// What the lab needs of the machine when the kernel is to be at the other end, and how an ordinary user
// gets it. Knows what to say; how it is done stands elsewhere.

import { mayMakeNetworks, runEnclosed, whyNotEnclosed } from '../enclosure/enclosure.js';
import { checkTun, namespaceObstacle } from './checks.js';
import { environment } from './failure.js';

const SUDO = 'run it with sudo';
/** Where root is not allowed to, either. */
const IN_CONTAINER = 'docker run --cap-add NET_ADMIN --cap-add SYS_ADMIN --device /dev/net/tun ...';
/** What always works. */
const WITHOUT_KERNEL = 'or leave the kernel out: --sim';

/**
 * Makes sure that a network of our own can be made: by running the program again, where that helps.
 * @returns the exit code of that one, or null where this process goes on
 * @throws Failure where the machine does not allow it
 */
export async function runWithRights(): Promise<number | null> {
  const tun = checkTun();
  if (tun.verdict === 'bad') throw environment(tun.finding, `${tun.fix}; ${WITHOUT_KERNEL}`);
  if (mayMakeNetworks()) return null;
  const refusal = whyNotEnclosed();
  if (refusal === '') return runEnclosed();
  const [why, fix] = namespaceObstacle() ?? [
    refusal,
    process.getuid!() === 0 ? IN_CONTAINER : SUDO,
  ];
  throw environment(
    `a network of its own is not allowed to this user: ${why}`,
    `${fix}; ${WITHOUT_KERNEL}`,
  );
}
