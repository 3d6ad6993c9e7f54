// A misspelt word is an error, and not a fault that never strikes: what plain JavaScript may write.

import { describe, expect, test } from 'vitest';
import { type FaultyPeerOptions, faultyPeer, type Step } from '../../src/testing/index.js';

const fault = (change: object) => ({
  faults: [{ on: { has: ['FIN'] }, do: 'drop', note: 'lost', ...change }],
});
const UNKNOWN = 'from, has, lacks, data, acknowledges, zeroWindow';

describe('options', () => {
  test.each<[unknown, string]>([
    [null, 'options is null: it has to be an object with serve, faults, port'],
    [{ fault: [] }, 'options.fault is unknown: options may have serve, faults'],
    [{ faults: {} }, 'options.faults is {}: it has to be an array'],
    [{ port: 0 }, 'options.port is 0: it has to be a whole number from 1 to 65535'],
    [{ network: 'toString' }, "options.network is 'toString': it has to be 'memory' or 'tun'"],
    [{ serve: 'http' }, "options.serve is 'http': it has to be a function or a server"],
    [{ serve: null }, 'options.serve is null: it has to be a function or a server'],
    [{ timeoutMs: '5' }, "options.timeoutMs is '5': it has to be milliseconds, more than 0"],
    [
      fault({ do: 'dorp' }),
      "options.faults[0].do is 'dorp': it has to be 'drop', 'duplicate', 'swap' or 'corrupt'",
    ],
    [fault({ do: undefined }), 'options.faults[0].do is undefined: it has to be'],
    [fault({ do: {} }), 'options.faults[0].do.holdUntil is undefined: it has to be an object with'],
    [fault({ on: undefined }), 'options.faults[0].on is undefined: it has to be an object with'],
    [
      fault({ on: { has: ['FNI'] } }),
      "options.faults[0].on.has[0] is 'FNI': it has to be 'SYN', 'FIN', 'RST',",
    ],
    [fault({ on: { has: 'FIN' } }), "options.faults[0].on.has is 'FIN': it has to be an array"],
    [
      fault({ on: { from: 'server' } }),
      "options.faults[0].on.from is 'server': it has to be 'client' or 'peer'",
    ],
    [
      fault({ on: { flags: [] } }),
      `options.faults[0].on.flags is unknown: options.faults[0].on may have ${UNKNOWN}, nth`,
    ],
    [
      fault({ on: { nth: 0 } }),
      'options.faults[0].on.nth is 0: it has to be a whole number from 1',
    ],
    [fault({ note: undefined }), 'options.faults[0].note is undefined: it has to be a few words'],
  ])('%j', async (options, message) => {
    const made = faultyPeer(options as FaultyPeerOptions);
    await expect(made).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining(message),
    });
  });
});

test.each([{ mls: 5 }, { msl: -1 }, { msl: 'x' }, { sack: 1 }, { ecn: 'on' }])(
  'settings of TCP: %j',
  async (tcp) => {
    const made = faultyPeer({ tcp } as FaultyPeerOptions);
    await expect(made).rejects.toThrow(`options.tcp.${Object.keys(tcp)[0]}`);
  },
);

describe('steps', () => {
  const until = (condition: object) => ({ until: condition });

  test.each<[unknown, string]>([
    [{}, 'steps[0] is {}: it has to be an object with call or inject or until or holds'],
    ['close', "steps[0] is 'close': it has to be an object with call or"],
    [{ call: 'clsoe' }, "steps[0].call is 'clsoe': it has to be 'listen', 'unlisten', "],
    [{ call: 'write' }, 'steps[0].bytes is undefined: it has to be a whole number from 1'],
    [
      { call: 'abort', atEnd: true },
      'steps[0].atEnd is unknown: steps[0] may have call, all, note',
    ],
    [{ call: 'pause', all: true }, 'steps[0].all is unknown: steps[0] may have call, note'],
    [
      { inject: { from: 'peer', flags: ['RTS'] }, note: 'no' },
      "steps[0].inject.flags[0] is 'RTS': it has to be 'SYN', 'FIN', 'RST'",
    ],
    [{ inject: { from: 'peer', flags: [] } }, 'steps[0].note is undefined'],
    [until({}), 'steps[0].until is {}: it has to be an object with end or seen or unseen or quiet'],
    [until({ end: 'server' }), "steps[0].until.end is 'server': it has to be 'client' or 'peer'"],
    [until({ end: 'client', state: 'CLOSEWAIT' }), "steps[0].until.state is 'CLOSEWAIT'"],
    [until({ end: 'client', received: 5 }), 'steps[0].until.received is unknown'],
    [until({ end: 'peer', sees: 'FIN' }), "steps[0].until.sees is 'FIN': it has to be 'end', "],
    [until({ seen: {} }), 'steps[0].until.times is undefined: it has to be a whole number from 1'],
    [until({ unseen: { nth: 2 } }), 'steps[0].until.unseen.nth is unknown'],
    [{ holds: { quiet: true } }, 'steps[0].note is undefined: it has to be a few words'],
  ])('%j', async (step, message) => {
    await using peer = await faultyPeer({ timeoutMs: 1 });
    await expect(peer.run(step as Step)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining(message),
    });
  });

  test('are all looked at before the first one is carried out', async () => {
    await using peer = await faultyPeer();
    await expect(peer.run({ call: 'unlisten' }, {} as Step)).rejects.toThrow('steps[1] is {}');
    const socket = peer.connect();
    await peer.until({ end: 'client', state: 'ESTABLISHED' });
    socket.destroy();
  });

  test('and so are faults that come later, conditions and how long is waited', async () => {
    await using peer = await faultyPeer();
    expect(() => peer.fault({} as never)).toThrow('fault.on is undefined');
    await expect(peer.until({} as never)).rejects.toThrow('condition is {}');
    await expect(peer.closed({ timeout: 5 } as never)).rejects.toThrow(
      'options.timeout is unknown',
    );
  });
});
