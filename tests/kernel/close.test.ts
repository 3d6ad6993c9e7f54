// Closing in order, against the kernel: who closes first, and what still flows. Every conversation here
// must be clean: FIN both ways, no RST, nothing sent twice, as tshark says at the end.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeKernel, IPV4, IPV6, TEST_MS } from '../support/kernel.js';
import { digestOf } from '../support/kernel-bytes.mjs';
import { KernelPlace, type Pair } from '../support/kernel-place.js';
import { controlOf, type WireSegment } from '../support/kernel-wire.js';

const KERNEL_OPENS = ['kernel S', 'stack SA'];
const WE_OPEN = ['stack S', 'kernel SA'];
const WE_CLOSE_FIRST = ['stack FA', 'kernel FA'];
const KERNEL_CLOSES_FIRST = ['kernel FA', 'stack FA'];
const MEGABYTES = 8_000_003;

describeKernel('closing in order', ['tcpdump', 'tshark'], () => {
  describe.each([
    { title: 'IPv4', family: IPV4, offload: true },
    { title: 'IPv6', family: IPV6, offload: true },
    { title: 'IPv4 without offload', family: IPV4, offload: false },
  ])('over $title', ({ family, offload }) => {
    let place: KernelPlace;
    beforeAll(async () => {
      place = await KernelPlace.open({ offload, patient: true, tcp: { sendBuffer: 2 << 20 } });
    }, TEST_MS);
    afterAll(() => place?.close());

    /** The conversation, and what opened and closed it. */
    async function conversation(pair: Pair): Promise<{ control: string[]; wire: WireSegment[] }> {
      const wire = await place.wire(pair);
      return { control: controlOf(wire), wire };
    }

    test('we close first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT (MUST-13)', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.connection.shutdown();
      expect(ours.state).toBe('FIN-WAIT-1');
      await theirs.sees('end');
      await ours.reaches('FIN-WAIT-2');
      expect(place.kernelState(pair)).toBe('CLOSE-WAIT');
      await theirs.end();
      await Promise.all([ours.isClosed(), theirs.sees('close')]);
      await place.kernelReaches(pair, 'CLOSED');
      expect(ours.states.slice(2)).toEqual(['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']);
      expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
      expect(theirs.events).toEqual(['connect', 'end', 'close']);
      expect(place.ourState(pair)).toBe('TIME-WAIT');
      const { control } = await conversation(pair);
      expect(control).toEqual([...KERNEL_OPENS, ...WE_CLOSE_FIRST]);
    });

    test('the kernel closes first: CLOSE-WAIT, LAST-ACK, CLOSED', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      await theirs.end();
      await ours.seesEnd();
      await place.kernelReaches(pair, 'FIN-WAIT-2');
      expect(ours.state).toBe('CLOSE-WAIT');
      ours.connection.shutdown();
      expect(ours.state).toBe('LAST-ACK');
      await ours.isClosed();
      await theirs.sees('close');
      expect(place.kernelState(pair)).toBe('TIME-WAIT');
      expect(ours.states.slice(2)).toEqual(['CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
      expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
      expect(theirs.events).toEqual(['connect', 'end', 'close']);
      const { control } = await conversation(pair);
      expect(control).toEqual([...KERNEL_OPENS, ...KERNEL_CLOSES_FIRST]);
    });

    test('a connection that we opened, closed by either side', async () => {
      const first = await place.connect(family);
      first.ours.connection.shutdown();
      await first.theirs.sees('end');
      await first.theirs.end();
      await first.ours.isClosed();
      expect(place.ourState(first)).toBe('TIME-WAIT');

      const second = await place.connect(family);
      await second.theirs.end();
      await second.ours.seesEnd();
      second.ours.connection.shutdown();
      await second.ours.isClosed();
      await place.kernelReaches(second, 'TIME-WAIT');

      const [one, two] = [await conversation(first), await conversation(second)];
      expect(one.control).toEqual([...WE_OPEN, ...WE_CLOSE_FIRST]);
      expect(two.control).toEqual([...WE_OPEN, ...KERNEL_CLOSES_FIRST]);
    });

    test('our FIN acknowledges theirs: three segments instead of four', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.answersFin = true;
      await theirs.end();
      await ours.isClosed();
      expect(ours.states.slice(2)).toEqual(['CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
      await place.kernelReaches(pair, 'TIME-WAIT');
      const { wire } = await conversation(pair);
      const last = wire.slice(-3).map(({ from, flags, ack }) => `${from} ${flags} ${ack}`);
      expect(last).toEqual(['kernel FA 1', 'stack FA 2', 'kernel A 2']);
    });

    test('the last data and our FIN are one segment', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.write('the end');
      ours.connection.shutdown();
      await theirs.sees('end');
      expect(await theirs.status()).toMatchObject({ head: 'the end', bytes: 7 });
      await theirs.end();
      await ours.isClosed();
      const { wire, control } = await conversation(pair);
      expect(control).toEqual([...KERNEL_OPENS, ...WE_CLOSE_FIRST]);
      const fins = wire.filter(({ flags }) => flags.includes('F'));
      expect(fins[0]).toMatchObject({ from: 'stack', flags: 'FPA', length: 7 });
    });

    test('megabytes from the kernel after our FIN', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.connection.shutdown();
      await theirs.sees('end');
      expect(await theirs.send(1, MEGABYTES)).toBe(MEGABYTES);
      await theirs.end();
      await Promise.all([ours.isClosed(), theirs.sees('close')]);
      expect(ours.bytes).toBe(MEGABYTES);
      expect(ours.sha256).toBe(digestOf(1, MEGABYTES));
      expect(ours.states.slice(2)).toEqual(['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']);
      expect(theirs.events).toEqual(['connect', 'end', 'close']);
      const { control } = await conversation(pair);
      expect(control).toEqual([...KERNEL_OPENS, ...WE_CLOSE_FIRST]);
    });

    test("megabytes from us after the kernel's FIN", async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      await theirs.end();
      await ours.seesEnd();
      ours.send(2, MEGABYTES);
      await theirs.received(MEGABYTES);
      await place.kernelReaches(pair, 'FIN-WAIT-2');
      expect(ours.state).toBe('CLOSE-WAIT');
      ours.connection.shutdown();
      await ours.isClosed();
      await theirs.sees('close');
      expect(await theirs.status()).toMatchObject({
        bytes: MEGABYTES,
        sha256: digestOf(2, MEGABYTES),
      });
      expect(ours.states.slice(2)).toEqual(['CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
      const { control } = await conversation(pair);
      expect(control).toEqual([...KERNEL_OPENS, ...KERNEL_CLOSES_FIRST]);
    });

    test('our FIN while megabytes are under way in both directions', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      const sent = theirs.send(3, MEGABYTES);
      ours.send(4, 2_000_000); // all of it fits the send buffer
      ours.connection.shutdown();
      expect(ours.state).toBe('FIN-WAIT-1');
      await sent;
      await theirs.end();
      await Promise.all([ours.isClosed(), theirs.sees('close')]);
      expect(ours.sha256).toBe(digestOf(3, MEGABYTES));
      expect((await theirs.status()).sha256).toBe(digestOf(4, 2_000_000));
      const { control } = await conversation(pair);
      expect(control.slice(2).sort()).toEqual(['kernel FA', 'stack FA']);
    });

    test('tshark finds nothing lost, repeated or out of order in any of these', async () => {
      const wire = await place.recorded();
      expect(await wire.suspicions()).toEqual([]);
      const conversations = await wire.tshark('tcp.flags.fin == 1', ['tcp.stream']);
      expect(new Set(conversations.flat()).size).toBeGreaterThanOrEqual(9);
    });
  });
});
