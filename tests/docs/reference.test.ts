// The pages of docs/reference do what they say. Knows where they are; must not know what is in them.

import { describePages } from './pages.js';

describePages('docs/reference/');
