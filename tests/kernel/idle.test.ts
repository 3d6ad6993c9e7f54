// Connections on which nothing happens, or nobody answers, against the kernel: keep-alive of both sides,
// the user timeout, and urgent data, which nobody waits for.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeKernel, FAMILIES, TEST_MS, until } from '../support/kernel.js';
import { judge } from '../support/kernel-filter.js';
import { KernelPlace } from '../support/kernel-place.js';
import { User } from '../support/kernel-user.js';

/** Sends three bytes, one of them urgent at last, then prints the urgent byte that it gets. */
const URGENT = `
import socket, select, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.send(b'ab')
s.send(b'!', socket.MSG_OOB)
select.select([], [], [s], 15)
print(s.recv(1, socket.MSG_OOB).decode(), s.recv(10).decode())
`;

/** Sets the kernel's own keep-alive, and waits for the end. */
const KEEP_ALIVE = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
    s.setsockopt(socket.IPPROTO_TCP, option, value)
print(s.recv(10).decode())
`;

class Urged extends User {
  readonly urgent: number[] = [];

  override onUrgent(): void {
    this.urgent.push(this.connection.urgentRemaining);
  }
}

describeKernel('idle connections', ['python3'], () => {
  let place: KernelPlace;
  beforeAll(async () => {
    place = await KernelPlace.open({ impaired: true, capture: false });
    // Else the kernel answers two probes a second at most.
    await place.sysctl('ipv4/tcp_invalid_ratelimit', '0');
  }, TEST_MS);
  afterEach(() => place.heal());
  afterAll(() => place?.close());

  describe.each(FAMILIES)('over $name', (family) => {
    test('keep-alive: an idle connection lives while the kernel answers (MUST-24)', async () => {
      const { ours, ourPort } = await place.accept(family);
      const probes: number[] = [];
      const answers: number[] = [];
      judge(place.impaired, 'out', ourPort, ({ seq, dataLength }) => {
        if (dataLength === 0) probes.push(seq);
        return 'pass';
      });
      judge(place.impaired, 'in', ourPort, ({ ack }) => {
        answers.push(ack);
        return 'pass';
      });
      // The kernel answers such segments once in half a second (tcp_invalid_ratelimit).
      ours.connection.setKeepAlive(true, 600, 600, 2);
      await until(
        'three probes are answered',
        () => answers.length >= 3,
        () => [probes, answers, ours.closed, ours.connection.info()],
      );
      expect(ours.state).toBe('ESTABLISHED');
      // SHOULD-12: a sequence number before the window, and no data.
      expect(new Set(probes)).toEqual(new Set([(answers[0]! - 1) | 0]));
      ours.connection.abort();
    });

    test('keep-alive: some probes without answer are the end, one is not (MUST-12, MUST-29)', async () => {
      const { ours, ourPort } = await place.accept(family);
      let answers = 0;
      judge(place.impaired, 'in', ourPort, () => {
        answers++;
        return answers === 1 || answers > 3 ? 'drop' : 'pass';
      });
      ours.connection.setKeepAlive(true, 120, 40, 3);
      await until('answers came after a lost one', () => answers === 3);
      expect(ours.state).toBe('ESTABLISHED');
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'timeout', errorCode: 'ETIMEDOUT' });
      expect(answers).toBe(6);
    });

    test("the kernel's keep-alive is answered", async () => {
      const { listener, users } = place.listen();
      const args = ['-c', KEEP_ALIVE, family.stack, `${listener.port}`];
      const program = place.run('python3', args);
      await until('we accept', () => users.length === 1);
      const { connection } = users[0]!;
      let probes = 0;
      judge(place.impaired, 'in', listener.port, () => {
        probes++;
        return 'pass';
      });
      // It gives up after two.
      await until('three probes came', () => probes >= 3);
      expect(connection.stateName).toBe('ESTABLISHED');
      users[0]!.write('alive');
      expect((await program).stdout.trim()).toBe('alive');
      connection.abort();
      listener.close();
    });

    test('nobody answers: told after R1, closed after R2 (MUST-20, MUST-21, SHOULD-9)', async () => {
      const pair = await place.accept(family, { tcp: { minRto: 50 } });
      const { ours, ourPort } = pair;
      judge(place.impaired, 'in', ourPort, () => 'drop');
      ours.connection.setUserTimeout(1500);
      ours.write('is anybody there?');
      await until('we are told', () => ours.advice.length > 0);
      expect(ours.state).toBe('ESTABLISHED');
      await ours.isClosed();
      expect(ours.closed).toEqual({ reason: 'timeout', errorCode: 'ETIMEDOUT' });
      expect(ours.connection.info().retransmits).toBeGreaterThanOrEqual(3);
    });

    test('urgent data: told by the kernel, and to it (MUST-30, MUST-32, MUST-33, MUST-62)', async () => {
      const user = new Urged();
      const handler = {
        onConnection: (from: { accept(): User['connection'] | null }) => {
          user.connection = from.accept()!;
          user.connection.handler = user;
        },
      };
      const listener = place.core.listen({ port: 0, handler });
      user.reading = false;
      const program = place.run('python3', ['-c', URGENT, family.stack, `${listener.port}`]);
      await until('three bytes are here', () => user.connection?.readable === 3);
      // The urgent byte is the third; it stays in its place in the stream (RFC 6093 §3).
      expect(user.connection.urgentRemaining).toBe(3);
      expect(user.urgent.length).toBeGreaterThan(0);
      user.resume();
      expect(user.bytes).toBe(3);
      expect(user.connection.urgentRemaining).toBe(0);
      user.connection.sendUrgent(new TextEncoder().encode('in line?'));
      expect((await program).stdout.trim()).toBe('? in line');
      listener.close();
    });
  });
});
