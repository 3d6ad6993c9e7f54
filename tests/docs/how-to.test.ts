// The pages of docs/how-to do what they say. Knows where they are; must not know what is in them.

import { describePages } from './pages.js';

describePages('docs/how-to/');
