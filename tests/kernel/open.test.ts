// Opening connections against the kernel: by either side, by both at once, with lost segments, and not
// at all.
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeKernel, FAMILIES, type Family, IPV4, TEST_MS, until } from '../support/kernel.js';
import { dropOnce, judge } from '../support/kernel-filter.js';
import { KernelPlace } from '../support/kernel-place.js';
import { controlOf } from '../support/kernel-wire.js';

/** Ports where nobody listens, one for each family. */
const NOBODY = { IPv4: 4, IPv6: 6 };

describeKernel('opening', ['nc', 'tcpdump'], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    place = await KernelPlace.open({ impaired: true, tcp: { initialRto: 200 } });
  }, TEST_MS);
  afterEach(() => place.heal());
  afterAll(() => place?.close());

  /** Waits until a program listens on a port of the kernel. */
  async function listens(port: number): Promise<void> {
    const folder = place.namespace.path.replace(/ns\/net$/, 'net');
    const row = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+:0000 0A`);
    await until('somebody listens', () =>
      ['tcp', 'tcp6'].some((file) => row.test(readFileSync(`${folder}/${file}`, 'latin1'))),
    );
  }

  describe.each(FAMILIES)('over $name', (family) => {
    test('we connect to nc -l: three segments, and both directions work', async () => {
      const args = ['-l', '-N', family.kernel, '8000'];
      const nc = place.namespace.spawn('nc', args, { stdio: ['pipe', 'pipe', 'inherit'] });
      let heard = '';
      nc.stdout!.on('data', (text) => {
        heard += text;
      });
      await listens(8000);
      const ours = place.dial(family.kernel, 8000);
      expect(ours.state).toBe('SYN-SENT');
      ours.write('to the kernel');
      await until('nc hears it', () => heard === 'to the kernel');
      nc.stdin!.end('from the kernel');
      await ours.seesEnd();
      expect(ours.bytes).toBe(15);
      ours.connection.shutdown();
      await ours.isClosed();
      expect(ours.states.slice(0, 2)).toEqual(['SYN-SENT', 'ESTABLISHED']);
      const wire = await place.recorded();
      const segments = await wire.segments(ours.connection.localPort, 8000);
      const first = segments.slice(0, 3).map(({ from, flags }) => `${from} ${flags}`);
      expect(first.slice(0, 2)).toEqual(['stack S', 'kernel SA']);
      expect(first[2]).toMatch(/^stack P?A$/);
    });

    test('to a closed port of the kernel: ECONNREFUSED (MUST-12)', async () => {
      const ours = place.dial(family.kernel, NOBODY[family.name]);
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'rst', errorCode: 'ECONNREFUSED' });
      expect(ours.states).toEqual(['SYN-SENT', 'CLOSED']);
      const { localPort } = ours.connection;
      const segments = await (await place.recorded()).segments(localPort, NOBODY[family.name]);
      expect(controlOf(segments)).toEqual(['stack S', 'kernel RA']);
    });

    test('the kernel to a closed port of ours: RST with the right numbers', async () => {
      const refused = place.peer.connect({ host: family.stack, port: NOBODY[family.name] });
      await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      const [syn, reset] = await (await place.recorded()).segments(NOBODY[family.name]);
      expect([syn!.flags, reset!.flags]).toEqual(['S', 'RA']);
      // RFC 9293 §3.10.7.1: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
      expect(reset!.ack).toBe(syn!.seq + 1);
    });

    test.each(['our SYN', "the kernel's SYN-ACK"])('%s is lost: it comes again', async (what) => {
      const direction = what === 'our SYN' ? 'out' : 'in';
      const server = await place.peer.listen({ host: family.kernel });
      const localPort = 30_000 + (server.port % 1000);
      const lost = dropOnce(place.impaired, direction, localPort, ({ syn }) => syn);
      const ours = place.dial(family.kernel, server.port, { localPort });
      await ours.reaches('ESTABLISHED');
      expect(lost).toHaveLength(1);
      await server.accept();
      ours.connection.abort();
      await server.close();
    });

    test("our SYN-ACK is lost, and then the kernel's ACK of it: one connection, once", async () => {
      const { listener, users } = place.listen();
      const lost: string[] = [];
      judge(place.impaired, 'out', listener.port, ({ syn }) => {
        if (!syn || lost.includes('SYN-ACK')) return 'pass';
        lost.push('SYN-ACK');
        return 'drop';
      });
      judge(place.impaired, 'in', listener.port, ({ pureAck }) => {
        if (!pureAck || lost.includes('ACK')) return 'pass';
        lost.push('ACK');
        return 'drop';
      });
      const theirs = await place.peer.connect({ host: family.stack, port: listener.port });
      expect(listener.halfOpen + users.length).toBe(1);
      await until('we accept', () => users.length === 1);
      expect(lost).toEqual(['SYN-ACK', 'ACK']);
      expect(listener.halfOpen).toBe(0);
      await theirs.write('once');
      await users[0]!.receives(4);
      users[0]!.connection.abort();
      listener.close();
    });

    test('both open at the same time: SYN-RECEIVED on both sides (MUST-10)', async () => {
      const [ourPort, kernelPort] = [34_000, 35_000];
      const where = { host: family.stack, port: ourPort, localPort: kernelPort };
      place.impaired.in.settings.delay = 50_000;
      let ours: ReturnType<KernelPlace['dial']> | null = null;
      judge(place.impaired, 'in', ourPort, ({ syn }) => {
        // Its SYN is on the way to us when ours leaves.
        if (!syn || ours !== null) return 'pass';
        ours = place.dial(family.kernel, kernelPort, { localPort: ourPort });
        place.core.flush(place.clock.now());
        return 'pass';
      });
      const theirs = await place.peer.connect(where);
      await ours!.reaches('ESTABLISHED');
      expect(ours!.states).toEqual(['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED']);
      place.heal();
      ours!.write('to the kernel');
      await theirs.write('from the kernel');
      expect((await theirs.received(13)).head).toBe('to the kernel');
      await ours!.receives(15);
      const segments = await (await place.recorded()).segments(ourPort, kernelPort);
      expect(controlOf(segments).slice(0, 2)).toEqual(['kernel S', 'stack S']);
      ours!.connection.abort();
    });

    test('unreachable: soft, told, and survived (MUST-56, SHOULD-25)', async () => {
      const { far, code } = await cutOff(family);
      const ours = place.dial(far, 8001, { tcp: { initialRto: 100 } });
      await until('we are told', () => ours.advice.includes(code));
      expect(ours.state).toBe('SYN-SENT');
      expect(ours.closed).toBeNull();
      // Now there is such a host after all, which is not asked before it listens.
      judge(place.impaired, 'out', ours.connection.localPort, () => 'drop');
      await place.namespace.ip(`addr add ${far} dev lo${family === IPV4 ? '' : ' nodad'}`);
      const server = await place.peer.listen({ host: far, port: 8001 });
      place.heal();
      await ours.reaches('ESTABLISHED');
      await server.accept();
      ours.connection.abort();
      await server.close();
      await place.namespace.ip(`addr del ${far} dev lo`);
    });

    test('unreachable to the end: the reason instead of ETIMEDOUT (MUST-22)', async () => {
      const { far, code } = await cutOff(family);
      const ours = place.dial(far, 8002, { tcp: { initialRto: 50, synTimeout: 400 } });
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'timeout', errorCode: code });
    });

    test('nobody answers: ETIMEDOUT', async () => {
      const localPort = 36_000;
      judge(place.impaired, 'out', localPort, () => 'drop');
      const tcp = { initialRto: 50, synTimeout: 400 };
      const ours = place.dial(family.kernel, 8003, { localPort, tcp });
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'timeout', errorCode: 'ETIMEDOUT' });
    });

    test('an idle stack gives a new connection all of its time (MUST-23)', async () => {
      const localPort = 36_001;
      judge(place.impaired, 'out', localPort, () => 'drop');
      const began = place.clock.now();
      await until('the stack was idle', () => place.clock.now() > began + 500_000);
      const tcp = { initialRto: 100, synTimeout: 400 };
      const ours = place.dial(family.kernel, 8003, { localPort, tcp });
      await ours.isClosed();
      expect(ours.connection.info().segmentsOut).toBeGreaterThanOrEqual(3);
    });

    test('a full backlog drops SYNs, and lets them in when there is room', async () => {
      const handler = { onConnection: () => {} };
      const listener = place.core.listen({ port: 0, backlog: 2, handler });
      const dial = () =>
        place.peer.connect({ host: family.stack, port: listener.port, wait: false });
      for (let i = 0; i < 4; i++) await dial();
      await until('two are waiting', () => listener.waiting === 2);
      const dropped = place.core.counters.synDropped;
      await until('others are dropped', () => place.core.counters.synDropped > dropped);
      expect(listener.waiting + listener.halfOpen).toBeLessThanOrEqual(4);
      listener.accept()!.abort();
      listener.accept()!.abort();
      await until('others come in', () => listener.waiting > 0);
      listener.close();
      expect([listener.waiting, listener.halfOpen]).toEqual([0, 0]);
    });
  });

  /**
   * An address of another network, to which the kernel would forward, but has no way; and what it
   * says about that (ICMP host, ICMPv6 network unreachable).
   */
  async function cutOff(family: Family): Promise<{ far: string; code: string }> {
    await place.sysctl('ipv4/ip_forward', '1');
    await place.sysctl('ipv6/conf/all/forwarding', '1');
    await place.sysctl('ipv4/icmp_ratelimit', '0');
    await place.sysctl('ipv6/icmp/ratelimit', '0');
    if (family === IPV4) {
      await place.namespace.ip('route replace unreachable 10.77.0.0/16');
      return { far: '10.77.0.1', code: 'EHOSTUNREACH' };
    }
    await place.namespace.ip('-6 route replace unreachable fd77::/64');
    return { far: 'fd77::1', code: 'ENETUNREACH' };
  }
});
