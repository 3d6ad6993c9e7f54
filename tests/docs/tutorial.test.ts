// The tutorial does what it says. Knows where it is; must not know what is in it.

import { describePages } from './pages.js';

describePages('docs/tutorial/');
