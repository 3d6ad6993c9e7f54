// What the environment says to finwait/register. Knows no process.

import { describe, expect, test } from 'vitest';
import { readSettings } from '../../src/dropin/settings.js';

const texts = (list: readonly object[] | undefined) => list?.map(String);

describe('settings', () => {
  test('an empty environment means the defaults of finwait run', () => {
    const settings = readSettings({ FINWAIT_NAME: '', FINWAIT_MTU: '' });
    expect(texts(settings.addresses)).toEqual(['10.9.0.2/24', 'fd09::2/64']);
    expect(settings.all).toBe(false);
    expect(settings.tun).toMatchObject({ name: 'fw0', offload: true });
    expect(texts(settings.tun?.address)).toEqual(['10.9.0.1/24', 'fd09::1/64']);
    expect([settings.memory, settings.tcp, settings.discountPauses]).toEqual([
      undefined,
      {},
      undefined,
    ]);
  });

  test('everything can be set', () => {
    const settings = readSettings({
      FINWAIT_NAME: 'tap7',
      FINWAIT_ADDRESS: '10.8.0.5',
      FINWAIT_PEER: '10.8.0.1/16',
      FINWAIT_MTU: '9000',
      FINWAIT_NETNS: '/run/netns/x',
      FINWAIT_NO_OFFLOAD: '1',
      FINWAIT_SPIN: '0',
      FINWAIT_MSL: '50',
      FINWAIT_MEMORY: '64',
      FINWAIT_DISCOUNT_PAUSES: '1',
    });
    expect(texts(settings.addresses)).toEqual(['10.8.0.5/16']);
    expect(settings.tun).toMatchObject({ name: 'tap7', mtu: 9000, netns: '/run/netns/x' });
    expect(settings.tun).toMatchObject({ offload: false, spin: 0 });
    expect(settings).toMatchObject({ memory: 64 << 20, tcp: { msl: 50 }, discountPauses: true });
  });

  test('who names one side in one family wants the other side in that family only', () => {
    const { addresses, tun } = readSettings({ FINWAIT_ADDRESS: 'fd09::7' });
    expect(texts(addresses)).toEqual(['fd09::7/64']);
    expect(texts(tun?.address)).toEqual(['fd09::1/64']);
    expect(texts(readSettings({ FINWAIT_PEER: '10.9.0.1/30' }).addresses)).toEqual(['10.9.0.2/30']);
  });

  test('all is the loopback, without a device', () => {
    const { all, addresses, tun } = readSettings({ FINWAIT_ROUTE: 'all' });
    expect([all, tun, texts(addresses)]).toEqual([true, null, ['127.0.0.1/8', '::1/128']]);
  });

  test.each([
    [{ FINWAIT_ROUTE: 'everything' }, 'FINWAIT_ROUTE is "everything"; it takes all or subnet'],
    [{ FINWAIT_MTU: 'big' }, 'FINWAIT_MTU is "big"; it takes a whole number of at least 68'],
    [{ FINWAIT_MSL: '0' }, 'FINWAIT_MSL is "0"'],
    [{ FINWAIT_PEER: '10.9.0.1' }, 'FINWAIT_PEER is "10.9.0.1"; it takes addresses such as'],
    [{ FINWAIT_ADDRESS: 'x' }, 'FINWAIT_ADDRESS is "x"'],
    [{ FINWAIT_ADDRESS: '10.9.0.1' }, 'takes addresses that the other side does not have'],
    [{ FINWAIT_PEER: '10.9.0.2/24' }, 'FINWAIT_PEER is "10.9.0.2/24"'],
    [
      { FINWAIT_ADDRESS: '10.9.0.2', FINWAIT_PEER: 'fd09::1/64' },
      'an address of a family that FINWAIT_PEER has',
    ],
  ])('%j is refused in words', (env, words) => {
    expect(() => readSettings(env)).toThrow(words);
  });
});
