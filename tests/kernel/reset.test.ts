// Connections that end without order, against the kernel: who sends the RST, and what the other is told.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeKernel, FAMILIES, IPV4, TEST_MS, until } from '../support/kernel.js';
import { judge } from '../support/kernel-filter.js';
import { KernelPlace, type Pair } from '../support/kernel-place.js';
import { controlOf } from '../support/kernel-wire.js';

describeKernel('resets', ['tcpdump'], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    place = await KernelPlace.open({ impaired: true });
  }, TEST_MS);
  afterEach(() => place.heal());
  afterAll(() => place?.close());

  /** What ended the connection, as it stands on the wire. */
  async function ending(pair: Pair): Promise<string[]> {
    return controlOf(await place.wire(pair)).filter((text) => !text.includes('S'));
  }

  async function bothForget(pair: Pair): Promise<void> {
    await place.kernelReaches(pair, 'CLOSED');
    await until('we have forgotten it', () => place.ourState(pair) === 'CLOSED');
  }

  describe.each(FAMILIES)('over $name', (family) => {
    test('linger 0: RST instead of FIN', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.connection.close(0);
      await theirs.sees('close');
      await bothForget(pair);
      expect(ours.closed).toEqual({ reason: 'abort', errorCode: 'ECONNABORTED' });
      expect(theirs.events).toEqual(['connect', 'error ECONNRESET', 'close']);
      expect(await ending(pair)).toEqual(['stack R']);
    });

    test('close with unread data: RST instead of FIN (MAY-1, SHOULD-3)', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.reading = false;
      await theirs.write('nobody will read this');
      await until('it is here', () => ours.connection.readable === 21);
      ours.connection.close();
      await theirs.sees('error ECONNRESET');
      await bothForget(pair);
      expect(ours.closed?.reason).toBe('abort');
      expect(await ending(pair)).toEqual(['stack R']);
    });

    test('data that arrives after close: RST (RFC 9293 §3.6.1)', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.connection.close();
      await theirs.sees('end');
      await theirs.write('too late');
      await bothForget(pair);
      await theirs.learns('EPIPE');
      expect(await ending(pair)).toEqual(['stack FA', 'stack R']);
    });

    test('abort with data in flight and queued: nothing follows the RST', async () => {
      const pair = await place.accept(family, { paused: true });
      const { ours, theirs } = pair;
      ours.send(1, 1_000_000);
      await until('something is on its way', () => ours.connection.info().segmentsOut > 3);
      ours.connection.abort();
      await place.kernelReaches(pair, 'CLOSED');
      await theirs.learns('ECONNRESET');
      const wire = await place.wire(pair);
      const last = wire.findLastIndex(
        ({ from, flags }) => from === 'stack' && !flags.includes('R'),
      );
      const reset = wire.findIndex(({ from, flags }) => from === 'stack' && flags.includes('R'));
      expect(reset).toBeGreaterThan(last);
    });

    test('the kernel resets an idle connection: ECONNRESET (MUST-12)', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      await theirs.reset();
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'rst', errorCode: 'ECONNRESET' });
      expect(ours.states.slice(2)).toEqual(['CLOSED']);
      expect(ours.ended).toBe(false);
      await bothForget(pair);
      expect(await ending(pair)).toEqual(['kernel RA']);
    });

    test('what came before the RST can still be read', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.reading = false;
      await theirs.write('last words');
      await until('they are here', () => ours.connection.readable === 10);
      await theirs.reset();
      await ours.isClosed();
      ours.resume();
      expect(ours.bytes).toBe(10);
      expect(ours.closed).toEqual({ reason: 'rst', errorCode: 'ECONNRESET' });
    });

    test('the kernel closes with unread data: RST', async () => {
      const pair = await place.accept(family, { paused: true });
      const { ours, theirs } = pair;
      ours.write('nobody will read this');
      await until('it is there', () => place.kernelRows(pair.ourPort)[0]?.receiveQueue === 21);
      await theirs.destroy();
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'rst', errorCode: 'ECONNRESET' });
      await bothForget(pair);
      expect(await ending(pair)).toEqual(['kernel RA']);
    });

    test('RST after our FIN: FIN-WAIT-2, then CLOSED, and no TIME-WAIT', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.connection.shutdown();
      await ours.reaches('FIN-WAIT-2');
      await theirs.reset();
      await ours.isClosed();
      expect(ours.states.slice(2)).toEqual(['FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSED']);
      expect(ours.closed).toEqual({ reason: 'rst', errorCode: 'ECONNRESET' });
      await bothForget(pair);
      expect(await ending(pair)).toEqual(['stack FA', 'kernel RA']);
    });

    test("RST after the kernel's FIN: CLOSE-WAIT, then CLOSED", async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      await theirs.end();
      await ours.seesEnd();
      await theirs.reset();
      await ours.isClosed();
      expect(ours.states.slice(2)).toEqual(['CLOSE-WAIT', 'CLOSED']);
      expect(ours.closed).toEqual({ reason: 'rst', errorCode: 'ECONNRESET' });
      expect(ours.ended).toBe(true);
      expect((await ending(pair))[0]).toBe('kernel FA');
    });

    test('we shut down, and abort while the kernel still sends', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.connection.shutdown();
      await theirs.sees('end');
      await ours.reaches('FIN-WAIT-2');
      ours.connection.abort();
      await bothForget(pair);
      await theirs.learns('EPIPE');
      expect(ours.closed?.reason).toBe('abort');
    });

    test('a connection of ours that the kernel knows nothing of: RST, ECONNRESET', async () => {
      const pair = await place.accept(family);
      const { ours, theirs, ourPort } = pair;
      // Its RST is lost, as if the other machine had been switched off and on.
      judge(place.impaired, 'in', ourPort, ({ rst }) => (rst ? 'drop' : 'pass'));
      await theirs.reset();
      await place.kernelReaches(pair, 'CLOSED');
      expect(ours.state).toBe('ESTABLISHED');
      place.heal();
      ours.write('are you still there?');
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'rst', errorCode: 'ECONNRESET' });
      expect((await ending(pair)).at(-1)).toBe('kernel R');
    });
  });

  describe('a kernel that has forgotten the connection opens it anew (RFC 9293 §3.5.1)', () => {
    test.each(['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'FIN-WAIT-1'])('in %s', async (state) => {
      const { listener, users } = place.listen();
      const { port } = listener;
      const host = IPV4.stack;
      const first = await place.peer.connect({ host, port });
      await until('we accept', () => users.length === 1);
      const ours = users[0]!;
      if (state === 'CLOSE-WAIT' || state === 'LAST-ACK') {
        await first.end();
        await ours.seesEnd();
      }
      // The machine is switched off: it hears and says nothing any more, and forgets all.
      let resetLost = false;
      judge(place.impaired, 'out', port, () => 'drop');
      judge(place.impaired, 'in', port, ({ rst }) => {
        resetLost ||= rst;
        return 'drop';
      });
      if (state === 'LAST-ACK' || state === 'FIN-WAIT-1') {
        ours.connection.shutdown();
        await until('our FIN is lost', () => ours.connection.info().finSent);
      }
      await first.reset();
      await until('it has forgotten', () => place.kernelRows(port).length === 0);
      await until('its RST is lost', () => resetLost);
      expect(ours.state).toBe(state);
      place.heal();
      // Its SYN gets a challenge ACK, whose answer is a RST; the SYN that is sent again finds us free.
      const second = await place.peer.connect({ host, port, localPort: first.localPort! });
      await until('we accept again', () => users.length === 2);
      expect(ours.closed?.errorCode).toMatch(/ECONNRESET|null/);
      expect(ours.states.at(-1)).toBe('CLOSED');
      await second.write('hello');
      await users[1]!.receives(5);
      users[1]!.connection.abort();
      listener.close();
      const capture = await place.recorded();
      const wire = await capture.segments(port, first.localPort!);
      const again = wire.findLastIndex(({ flags }) => flags === 'S');
      const answers = wire.slice(
        wire.findIndex(({ flags }, i) => i > 2 && flags === 'S'),
        again + 2,
      );
      expect(answers.map(({ from, flags }) => `${from} ${flags}`)).toEqual([
        'kernel S',
        'stack A',
        'kernel R',
        'kernel S',
        'stack SA',
      ]);
    });
  });
});
