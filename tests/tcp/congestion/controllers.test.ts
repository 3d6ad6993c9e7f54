// Which congestion controllers there are.

import { expect, it } from 'vitest';
import { controllerNamed } from '../../../src/tcp/controllers.js';

it('an unknown name is refused with those that there are', () => {
  expect(() => controllerNamed('vegas')).toThrow(
    new RangeError('no congestion control is called "vegas"; there are: cubic, newreno'),
  );
});
