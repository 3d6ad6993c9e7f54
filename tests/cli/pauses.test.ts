// `finwait serve` that was stopped by a signal for longer than TIME-WAIT lasts, and goes on.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canUseNamespaces } from '../support/namespace.js';
import { BUILD_MS, buildProgram, Place } from './program.js';

const possible = canUseNamespaces();
if (!possible.ok) console.warn(`pauses.test.ts is skipped: ${possible.why}`);

describe.skipIf(!possible.ok)('finwait serve, stopped for a while', () => {
  let place: Place;
  beforeAll(buildProgram, BUILD_MS);
  beforeEach(async () => {
    place = await Place.create();
  });
  afterEach(() => place.close());

  it.each([
    ['stays in TIME-WAIT with --discount-pauses', '--discount-pauses', true],
    ['has left TIME-WAIT without', '', false],
  ])('%s', async (_, option, expected) => {
    const serve = await place.start(`serve --msl 1000 ${option}`, 'Ctrl-C ends it.');
    // The server closes first.
    await place.sh('curl -sSf -H "Connection: close" http://10.9.0.2/');
    expect((await place.finwait('ss -a')).stdout).toMatch(/^TIME-WAIT/m);
    serve.child.kill('SIGSTOP');
    await sleep(2500);
    serve.child.kill('SIGCONT');
    const { stdout } = await place.finwait('ss -a');
    expect(/^TIME-WAIT/m.test(stdout)).toBe(expected);
    expect((await serve.stop()).code).toBe(0);
  });
});
