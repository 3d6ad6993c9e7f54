// `node --import finwait/register`: from here on the program's sockets and servers use a stack of ours. Knows
// the parts and when the process ends; no behaviour.

import { lazyStack } from './dropin/lazy-stack.js';
import { installRoutes } from './dropin/routing.js';
import { readSettings } from './dropin/settings.js';
import { openStack } from './open.js';

const { all, addresses, tun, memory, tcp, discountPauses } = readSettings(process.env);

const { routes, sayGoodbye } = lazyStack({
  all,
  addresses,
  open: () => openStack({ tun, addresses: addresses.map(String), memory, tcp, discountPauses }),
});

installRoutes(routes);

// When a process ends, a kernel closes its sockets and goes on speaking for them. Here nobody will: so each
// peer is told while there still is time, by the FIN or RST that the kernel would send first.
process.on('exit', sayGoodbye);
