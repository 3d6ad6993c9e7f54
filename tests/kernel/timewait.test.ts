// TIME-WAIT against the kernel: how long it lasts, what it answers, and what may take its place.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TcpError } from '../../src/tcp/errors.js';
import { describeKernel, IPV4, IPV6, TEST_MS, until } from '../support/kernel.js';
import { judge } from '../support/kernel-filter.js';
import { KernelPlace, type Pair } from '../support/kernel-place.js';
import type { User } from '../support/kernel-user.js';
import { controlOf } from '../support/kernel-wire.js';

/** As long as a test could take, and much longer. */
const LONG_MSL = 300_000;
/** How long a record must be old before we open a connection in its place (Linux has the same). */
const REUSE_AFTER_US = 1_000_000;

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof TcpError) return error.code;
    throw error;
  }
  return 'none';
}

describeKernel('TIME-WAIT', ['tcpdump'], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    // Without offload packets have complete checksums, and can be kept and played again.
    place = await KernelPlace.open({ impaired: true, offload: false, tcp: { msl: LONG_MSL } });
  }, TEST_MS);
  afterEach(() => place.heal());
  afterAll(() => place?.close());

  /** Both close, we first: we are in TIME-WAIT, the kernel has forgotten the connection. */
  async function closeFirst(pair: Pair): Promise<void> {
    pair.ours.connection.shutdown();
    await pair.theirs.sees('end');
    await pair.theirs.end();
    await pair.ours.isClosed();
    await place.kernelReaches(pair, 'CLOSED');
    expect(place.ourState(pair)).toBe('TIME-WAIT');
  }

  function remainingMs({ ourPort, kernelPort }: Pair): number {
    // The stack knows no time but that of its last turn.
    place.core.advance(place.clock.now());
    const records = place.core.timeWaits();
    const mine = records.find((r) => r.localPort === ourPort && r.remotePort === kernelPort);
    return mine?.remainingMs ?? 0;
  }

  test('lasts two MSL, then the pair is forgotten (MUST-13)', async () => {
    const pair = await place.accept(IPV4, { tcp: { msl: 150 } });
    pair.ours.connection.shutdown();
    await pair.theirs.sees('end');
    await pair.theirs.end();
    await pair.ours.isClosed();
    const began = place.clock.now();
    expect(place.ourState(pair)).toBe('TIME-WAIT');
    await until('2MSL are over', () => place.ourState(pair) === 'CLOSED');
    const tookMs = (place.clock.now() - began) / 1000;
    // The poll that saw it begin may have been some milliseconds late.
    expect(tookMs).toBeGreaterThan(250);
  });

  describe.each([IPV4, IPV6])('over $name', (family) => {
    test('a RST of the kernel itself is ignored (RFC 1337)', async () => {
      const pair = await place.accept(family);
      const { theirs, ourPort } = pair;
      // An old duplicate, as a network may keep it ...
      let duplicate: Uint8Array | null = null;
      let resets = 0;
      judge(place.impaired, 'in', ourPort, ({ packet, dataLength, rst }) => {
        if (dataLength > 0) duplicate = packet.slice();
        if (rst) resets++;
        return 'pass';
      });
      await theirs.write('old data');
      await pair.ours.receives(8);
      await closeFirst(pair);
      const left = remainingMs(pair);
      // ... comes now: we acknowledge where we stand, and a kernel that knows nothing resets.
      place.core.receivePacket(duplicate!, place.clock.now());
      await until('the kernel resets', () => resets > 0);
      expect(place.ourState(pair)).toBe('TIME-WAIT');
      expect(remainingMs(pair)).toBeLessThanOrEqual(left);
      const wire = await place.wire(pair);
      expect(wire.slice(-2).map(({ from, flags }) => `${from} ${flags}`)).toEqual([
        'stack A',
        'kernel R',
      ]);
    });

    test('an old SYN is acknowledged, and opens nothing', async () => {
      let syn: Uint8Array | null = null;
      const port = 20_000;
      judge(place.impaired, 'in', port, (segment) => {
        if (segment.syn) syn ??= segment.packet.slice();
        return 'pass';
      });
      const { listener, users } = place.listen({}, port);
      const theirs = await place.peer.connect({ host: family.stack, port });
      await until('we accept', () => users.length === 1);
      const [ours] = users as [User];
      const kernelPort = theirs.localPort!;
      await closeFirst({ ours, theirs, ourPort: port, kernelPort, family });
      const offered = () => place.impaired.out.counters.offered;
      const before = offered();
      place.core.receivePacket(syn!, place.clock.now());
      expect(offered()).toBe(before + 1);
      expect([users.length, listener.halfOpen]).toEqual([1, 0]);
      listener.close();
    });

    test('the kernel opens the same pair again: a newer timestamp (MAY-2, RFC 6191)', async () => {
      const first = await place.accept(family);
      await closeFirst(first);
      const reopened = place.core.counters.timeWaitReopened;
      const { listener, users } = place.listen({}, first.ourPort);
      const again = { host: family.stack, port: first.ourPort, localPort: first.kernelPort };
      const second = await place.peer.connect(again);
      await until('we accept', () => users.length === 1);
      expect(place.core.counters.timeWaitReopened).toBe(reopened + 1);
      expect(users[0]!.connection.remotePort).toBe(first.kernelPort);
      await second.write('a new connection');
      await users[0]!.receives(16);
      listener.close();
      users[0]!.connection.abort();
      const wire = await place.wire(first);
      expect(controlOf(wire).slice(4, 6)).toEqual(['kernel S', 'stack SA']);
    });

    test('the same without timestamps: a sequence number beyond the old ones', async () => {
      const first = await place.accept(family, { tcp: { timestamps: false } });
      await closeFirst(first);
      const { listener, users } = place.listen({ timestamps: false }, first.ourPort);
      const again = { host: family.stack, port: first.ourPort, localPort: first.kernelPort };
      await place.peer.connect(again);
      await until('we accept', () => users.length === 1);
      expect(users[0]!.connection.info().timestamps).toBe(false);
      listener.close();
      users[0]!.connection.abort();
    });

    test('a listener finds its port busy, and takes it with reuseAddress', async () => {
      const pair = await place.accept(family);
      const handler = { onConnection: () => {} };
      const port = pair.ourPort;
      expect(codeOf(() => place.core.listen({ port, handler }))).toBe('EADDRINUSE');
      await closeFirst(pair);
      expect(codeOf(() => place.core.listen({ port, handler }))).toBe('EADDRINUSE');
      const listener = place.core.listen({ port, handler, reuseAddress: true });
      expect(listener.port).toBe(port);
      listener.close();
      expect(place.ourState(pair)).toBe('TIME-WAIT');
    });

    test('connect finds the pair busy, and a second later reuses it by timestamps', async () => {
      const first = await place.connect(family);
      await closeFirst(first);
      const began = place.clock.now();
      const { kernelPort, ourPort } = first;
      const server = await place.peer.listen({ host: family.kernel, port: kernelPort });
      let second: User | null = null;
      // It takes a second, unless this process was stopped for most of one.
      let waited = false;
      await until('the pair may be used again', () => {
        place.core.advance(place.clock.now());
        const code = codeOf(() => {
          second = place.dial(family.kernel, kernelPort, { localPort: ourPort });
        });
        waited ||= code === 'EADDRINUSE';
        return code === 'none';
      });
      expect(waited || place.clock.now() - began > REUSE_AFTER_US).toBe(true);
      const { connection } = second!;
      await until('it is established', () => connection.stateName === 'ESTABLISHED');
      expect(connection.localPort).toBe(ourPort);
      await server.accept();
      connection.abort();
      await server.close();
    });

    test("the kernel's TIME-WAIT takes our new connection: our timestamps and ISNs grow", async () => {
      const first = await place.connect(family);
      const { kernelPort, ourPort, ours, theirs } = first;
      await theirs.end();
      await ours.seesEnd();
      ours.connection.shutdown();
      await ours.isClosed();
      await place.kernelReaches(first, 'TIME-WAIT');
      const server = await place.peer.listen({ host: family.kernel, port: kernelPort });
      const second = place.dial(family.kernel, kernelPort, { localPort: ourPort });
      await second.reaches('ESTABLISHED');
      await place.kernelReaches(first, 'ESTABLISHED');
      const accepted = await server.accept();
      second.write('anew');
      expect((await accepted.received(4)).head).toBe('anew');
      second.connection.abort();
      await server.close();
    });
  });

  test("closing is complete for the user at once, and a record outlives its stack's sockets", async () => {
    const pair = await place.accept();
    await closeFirst(pair);
    expect([...place.core.connections()]).not.toContain(pair.ours.connection);
    expect(pair.ours.closed).toEqual({ reason: 'fin', errorCode: null });
    expect(remainingMs(pair)).toBeGreaterThan(2 * LONG_MSL - TEST_MS);
  });
});
