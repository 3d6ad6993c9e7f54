// Closing while segments are lost, late or cross each other, against the kernel: what is lost comes again,
// and both sides end where the diagram says.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeKernel, IPV4, TEST_MS, until } from '../support/kernel.js';
import { digestOf } from '../support/kernel-bytes.mjs';
import { dropOnce, judge } from '../support/kernel-filter.js';
import { KernelPlace, type Pair } from '../support/kernel-place.js';
import { controlOf, type WireSegment } from '../support/kernel-wire.js';

/** Segments from one side that carry a FIN. */
function finsFrom(side: 'stack' | 'kernel', wire: readonly WireSegment[]): WireSegment[] {
  return wire.filter(({ from, flags }) => from === side && flags.includes('F'));
}

describeKernel('closing over a bad network', ['tcpdump'], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    place = await KernelPlace.open({ impaired: true });
  }, TEST_MS);
  afterEach(() => place.heal());
  afterAll(() => place?.close());

  function remainingMs({ ourPort, kernelPort }: Pair): number {
    // The stack knows no time but that of its last turn.
    place.core.advance(place.clock.now());
    const records = place.core.timeWaits();
    const mine = records.find((r) => r.localPort === ourPort && r.remotePort === kernelPort);
    return mine!.remainingMs;
  }

  test('our last ACK is lost: the FIN comes again, is acknowledged, and 2MSL begins anew', async () => {
    const pair = await place.accept();
    const { ours, theirs, ourPort } = pair;
    ours.connection.shutdown();
    await theirs.sees('end');
    await ours.reaches('FIN-WAIT-2');
    const lost = dropOnce(place.impaired, 'out', ourPort, ({ pureAck }) => pureAck);
    await theirs.end();
    await ours.isClosed();
    expect(place.ourState(pair)).toBe('TIME-WAIT');
    expect(lost).toHaveLength(1);
    expect(place.kernelState(pair)).toBe('LAST-ACK');
    let least = remainingMs(pair);
    await until('2MSL begins anew', () => {
      const now = remainingMs(pair);
      if (now > least) return true;
      least = now;
      return false;
    });
    await place.kernelReaches(pair, 'CLOSED');
    await theirs.sees('close');
    expect(theirs.events).toEqual(['connect', 'end', 'close']);
    const wire = await place.wire(pair);
    expect(finsFrom('kernel', wire).length).toBeGreaterThanOrEqual(2);
    expect(wire.at(-1)).toMatchObject({ from: 'stack', flags: 'A', ack: 2 });
  });

  test("the kernel's last ACK is lost: we stay in LAST-ACK and repeat our FIN", async () => {
    const pair = await place.accept();
    const { ours, theirs, ourPort } = pair;
    await theirs.end();
    await ours.seesEnd();
    const lost = dropOnce(place.impaired, 'in', ourPort, ({ pureAck }) => pureAck);
    ours.connection.shutdown();
    await until('its last ACK is lost', () => lost.length === 1);
    expect(ours.state).toBe('LAST-ACK');
    expect(place.kernelState(pair)).toBe('TIME-WAIT');
    await ours.isClosed();
    expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
    const { timeouts, tlpProbes } = ours.connection.info();
    expect(timeouts + tlpProbes).toBeGreaterThanOrEqual(1);
    const fins = finsFrom('stack', await place.wire(pair));
    expect(fins.length).toBeGreaterThanOrEqual(2);
    expect(new Set(fins.map(({ seq }) => seq))).toEqual(new Set([1]));
  });

  test('our FIN is lost: it is sent again as data is', async () => {
    const pair = await place.accept();
    const { ours, theirs, ourPort } = pair;
    ours.write('before the FIN');
    await theirs.received(14);
    const lost = dropOnce(place.impaired, 'out', ourPort, ({ fin }) => fin);
    ours.connection.shutdown();
    await until('our FIN is lost', () => lost.length === 1);
    expect(place.kernelState(pair)).toBe('ESTABLISHED');
    expect(ours.connection.info()).toMatchObject({ finSent: true, finAcknowledged: false });
    await theirs.sees('end');
    await ours.reaches('FIN-WAIT-2');
    await theirs.end();
    await ours.isClosed();
    expect(ours.states.slice(2)).toEqual(['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']);
    const fins = finsFrom('stack', await place.wire(pair));
    expect(fins.map(({ seq }) => seq)).toEqual([15]);
  });

  test("the kernel's FIN is lost", async () => {
    const pair = await place.accept();
    const { ours, theirs, ourPort } = pair;
    const lost = dropOnce(place.impaired, 'in', ourPort, ({ fin }) => fin);
    ours.answersFin = true;
    await theirs.end();
    await until("the kernel's FIN is lost", () => lost.length === 1);
    await ours.isClosed();
    await place.kernelReaches(pair, 'TIME-WAIT');
    expect(ours.states.slice(2)).toEqual(['CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
  });

  test("the kernel's FIN overtakes its data: it counts when the stream reaches it", async () => {
    const pair = await place.accept();
    const { ours, theirs, ourPort } = pair;
    let held = true;
    let finPassed = false;
    judge(place.impaired, 'in', ourPort, ({ dataLength, fin }) => {
      if (dataLength > 0 && held) return 'drop';
      finPassed ||= fin;
      return 'pass';
    });
    await theirs.write('data that is late');
    await theirs.end();
    await until('the FIN has overtaken', () => finPassed);
    // The answer to what came out of order, on its way to the kernel.
    await until('the FIN was seen', () => ours.connection.info().segmentsIn >= 2);
    expect(ours.state).toBe('ESTABLISHED');
    expect([ours.bytes, ours.ended]).toEqual([0, false]);
    held = false;
    await ours.seesEnd();
    expect(ours.bytes).toBe(17);
    expect(ours.state).toBe('CLOSE-WAIT');
    ours.connection.shutdown();
    await ours.isClosed();
    expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
  });

  test('our FIN overtakes our data on the way', async () => {
    // Nothing is sent again before the FIN, however long the test takes to ask for it.
    const tcp = { minRto: 5000, tailLossProbe: false, noDelay: true };
    const pair = await place.accept(IPV4, { tcp });
    const { ours, theirs, ourPort } = pair;
    let held = 0;
    judge(place.impaired, 'out', ourPort, ({ dataLength, fin }) => {
      if (dataLength === 0 || fin || held > 0) return 'pass';
      held++;
      return 300_000;
    });
    ours.write('data that is late');
    await until('the data is held up', () => held === 1);
    ours.connection.shutdown();
    await theirs.sees('end');
    expect(await theirs.status()).toMatchObject({ head: 'data that is late', bytes: 17 });
    await theirs.end();
    await ours.isClosed();
    expect(ours.states.slice(2)).toEqual(['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']);
    const ours1 = (await place.wire(pair)).filter(
      ({ from, flags }) => from === 'stack' && flags !== 'A',
    );
    expect(ours1.slice(1, 3).map(({ seq, length }) => [seq, length])).toEqual([
      [18, 0],
      [1, 17],
    ]);
  });

  test('FIN and the ACK of our FIN in one segment: FIN-WAIT-1 straight to TIME-WAIT', async () => {
    const pair = await place.accept();
    const { ours, theirs, ourPort } = pair;
    judge(place.impaired, 'in', ourPort, ({ pureAck }) => (pureAck ? 'drop' : 'pass'));
    ours.connection.shutdown();
    await theirs.sees('end');
    await theirs.end();
    await ours.isClosed();
    expect(ours.states.slice(2)).toEqual(['FIN-WAIT-1', 'TIME-WAIT']);
    await place.kernelReaches(pair, 'CLOSED');
    expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
  });

  test('both close at the same time: CLOSING on both sides, then TIME-WAIT', async () => {
    const pair = await place.accept();
    const { ours, theirs, ourPort } = pair;
    // The kernel's FIN is on its way when we close: it cannot acknowledge ours.
    place.impaired.in.settings.delay = 50_000;
    judge(place.impaired, 'in', ourPort, ({ fin }) => {
      if (fin && ours.state === 'ESTABLISHED') {
        ours.connection.shutdown();
        place.core.flush(place.clock.now());
      }
      return 'pass';
    });
    await theirs.end();
    await ours.reaches('CLOSING');
    await ours.isClosed();
    expect(ours.states.slice(2)).toEqual(['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT']);
    expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
    await place.kernelReaches(pair, 'TIME-WAIT');
    await theirs.sees('close');
    expect(place.ourState(pair)).toBe('TIME-WAIT');
    const wire = await place.wire(pair);
    expect(controlOf(wire).slice(2)).toEqual(['kernel FA', 'stack FA']);
    // Neither FIN acknowledges the other one; an ACK each does.
    expect(
      wire
        .slice(-4)
        .map(({ from, flags, ack }) => `${from} ${flags} ${ack}`)
        .sort(),
    ).toEqual(['kernel A 2', 'kernel FA 1', 'stack A 2', 'stack FA 1']);
  });

  test('both close at the same time, and our ACK of their FIN is lost', async () => {
    const pair = await place.accept();
    const { ours, theirs, ourPort } = pair;
    place.impaired.in.settings.delay = 50_000;
    judge(place.impaired, 'in', ourPort, ({ fin }) => {
      if (fin && ours.state === 'ESTABLISHED') {
        ours.connection.shutdown();
        place.core.flush(place.clock.now());
      }
      return 'pass';
    });
    const lost = dropOnce(place.impaired, 'out', ourPort, ({ pureAck }) => pureAck);
    await theirs.end();
    await ours.reaches('TIME-WAIT');
    expect(ours.states.slice(2)).toEqual(['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT']);
    await until('our ACK is lost', () => lost.length === 1);
    await place.kernelReaches(pair, 'TIME-WAIT');
    await theirs.sees('close');
  });

  test('all of it at once: data and both FINs through 10 % loss each way', async () => {
    const pair = await place.accept();
    const { ours, theirs } = pair;
    place.impaired.in.settings.loss = 0.1;
    place.impaired.out.settings.loss = 0.1;
    ours.answersFin = true;
    ours.send(5, 50_000);
    await theirs.send(6, 50_000);
    await until('all is written', () => ours.allWritten);
    await theirs.end();
    await Promise.all([ours.isClosed(), theirs.sees('close')]);
    expect(ours.sha256).toBe(digestOf(6, 50_000));
    expect((await theirs.status()).sha256).toBe(digestOf(5, 50_000));
    expect(ours.closed).toEqual({ reason: 'fin', errorCode: null });
  });
});
