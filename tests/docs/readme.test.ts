// README.md does what it says. Knows where it is; must not know what is in it.

import { describePage } from './pages.js';

describePage('README.md');
