// Closing while nothing can be sent, or one side does not close at all, against the kernel: a FIN waits
// behind data and window, and the states in which a connection stays for long are visible as such.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeKernel, FAMILIES, TEST_MS, until } from '../support/kernel.js';
import { digestOf } from '../support/kernel-bytes.mjs';
import { KernelPlace } from '../support/kernel-place.js';
import { controlOf } from '../support/kernel-wire.js';

const RING = 256 * 1024;
const MORE_THAN_THE_RING = 3 * RING;

describeKernel('closing that has to wait', ['tcpdump'], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    place = await KernelPlace.open({ tcp: { sendBuffer: RING, sendBufferMax: RING } });
    // The kernel's buffers are full soon.
    await place.sysctl('ipv4/tcp_rmem', '4096 8192 8192');
  }, TEST_MS);
  afterAll(() => place?.close());

  describe.each(FAMILIES)('over $name', (family) => {
    test('a FIN behind a full send ring and a closed window (MUST-35, MUST-37)', async () => {
      const pair = await place.accept(family, { paused: true });
      const { ours, theirs } = pair;
      ours.send(1, MORE_THAN_THE_RING);
      const { connection } = ours;
      await until("the kernel's window is closed", () => connection.info().sendWindow === 0);
      expect(ours.allWritten).toBe(false);
      expect(connection.writable).toBe(0);
      // What the ring holds is all that is ever written.
      const written = connection.info().bytesAcknowledged + connection.unsent;
      connection.shutdown();
      expect(ours.state).toBe('FIN-WAIT-1');
      expect(connection.info()).toMatchObject({ finQueued: true, finSent: false });
      // The kernel answers probes, so that our FIN may wait for ever.
      const before = connection.info();
      expect(before.timer?.name).toBe('persist');
      await until(
        'two probes are answered',
        () => connection.info().segmentsIn >= before.segmentsIn + 2,
      );
      expect(connection.info()).toMatchObject({ state: 'FIN-WAIT-1', finSent: false });
      expect(place.kernelState(pair)).toBe('ESTABLISHED');
      expect(theirs.events).toEqual(['connect']);

      await theirs.resume();
      await theirs.sees('end');
      const { bytes, sha256 } = await theirs.status();
      expect(bytes).toBe(written);
      expect(sha256).toBe(digestOf(1, written));
      await theirs.end();
      await ours.isClosed();
      expect(ours.states.slice(2)).toEqual(['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']);
      expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
      const wire = await place.wire(pair);
      expect(controlOf(wire).slice(2)).toEqual(['stack FA', 'kernel FA']);
      const fin = wire.find(({ from, flags }) => from === 'stack' && flags.includes('F'))!;
      expect(fin.seq + fin.length).toBe(1 + written);
    });

    test("the kernel's FIN behind our closed window", async () => {
      const pair = await place.accept(family, { tcp: { receiveBuffer: 16_384 } });
      const { ours, theirs } = pair;
      ours.reading = false;
      const sent = theirs.send(2, 40_000);
      await until('our window is closed', () => ours.connection.info().receiveWindow === 0);
      expect(ours.connection.readable).toBeGreaterThanOrEqual(16_384);
      expect(await sent).toBe(40_000);
      await theirs.end();
      await place.kernelReaches(pair, 'FIN-WAIT-1');
      expect(ours.state).toBe('ESTABLISHED');
      ours.resume();
      await ours.seesEnd();
      expect(ours.sha256).toBe(digestOf(2, 40_000));
      await place.kernelReaches(pair, 'FIN-WAIT-2');
      ours.connection.shutdown();
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
    });

    test('CLOSE-WAIT stays while the application does not close, and shows', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      await theirs.write('one more thing');
      await theirs.end();
      await ours.seesEnd();
      await place.kernelReaches(pair, 'FIN-WAIT-2');
      expect(ours.connection.info()).toMatchObject({ state: 'CLOSE-WAIT', finQueued: false });
      // Nothing will ever end it: no timer runs, and the peer has nothing to say.
      await until('all is acknowledged', () => ours.connection.info().timer === null);
      expect([...place.core.connections()]).toContain(ours.connection);
      expect(ours.closed).toBeNull();
      // It is no worse for it: the other direction still works.
      ours.write('still here');
      expect((await theirs.received(10)).head).toBe('still here');
      expect(ours.state).toBe('CLOSE-WAIT');
      expect(place.kernelState(pair)).toBe('FIN-WAIT-2');
      ours.connection.shutdown();
      await ours.isClosed();
    });

    test('FIN-WAIT-2 stays while the peer may still send', async () => {
      const pair = await place.accept(family);
      const { ours, theirs } = pair;
      ours.connection.shutdown();
      await ours.reaches('FIN-WAIT-2');
      expect(ours.connection.info().timer).toBeNull();
      await theirs.write('late news');
      await ours.receives(9);
      expect(ours.state).toBe('FIN-WAIT-2');
      await theirs.end();
      await ours.isClosed();
    });

    test('FIN-WAIT-2 of an orphan ends, and the kernel learns of it when it speaks', async () => {
      const pair = await place.accept(family, { tcp: { finWait2Timeout: 100 } });
      const { ours, theirs } = pair;
      ours.connection.close();
      await ours.reaches('FIN-WAIT-2');
      await ours.isClosed();
      expect(place.ourState(pair)).toBe('CLOSED');
      expect(place.kernelState(pair)).toBe('CLOSE-WAIT');
      await theirs.write('anybody there?');
      await place.kernelReaches(pair, 'CLOSED');
      await theirs.learns('EPIPE');
    });

    test('linger: a FIN that nobody acknowledges in time becomes a RST', async () => {
      const pair = await place.accept(family, { paused: true });
      const { ours, theirs } = pair;
      ours.send(3, RING);
      await until('the window is closed', () => ours.connection.info().sendWindow === 0);
      ours.connection.close(100);
      expect(ours.state).toBe('FIN-WAIT-1');
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'timeout', errorCode: 'ETIMEDOUT' });
      await place.kernelReaches(pair, 'CLOSED');
      await theirs.learns('ECONNRESET');
    });

    test('linger of an idle stack begins with the call', async () => {
      const pair = await place.accept(family, { paused: true });
      const { ours, theirs } = pair;
      ours.send(3, RING);
      await until('the window is closed', () => ours.connection.info().sendWindow === 0);
      // Between two probes, which come less and less often.
      await until('it is quiet for long', () => (ours.connection.info().timer?.ms ?? 0) > 700);
      const { segmentsOut } = ours.connection.info();
      const began = place.clock.now();
      await until('it was quiet', () => place.clock.now() > began + 300_000);
      ours.connection.close(250);
      const called = place.clock.now();
      await ours.isClosed();
      expect(ours.connection.info().segmentsOut).toBeLessThanOrEqual(segmentsOut + 1);
      expect(place.clock.now() - called).toBeGreaterThan(200_000);
      await place.kernelReaches(pair, 'CLOSED');
      await theirs.resume();
    });
  });
});
