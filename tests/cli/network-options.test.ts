// The addresses of a link: defaults, pairs, and every mistake that the command line can hold.

import { describe, expect, it } from 'vitest';
import { Input } from '../../src/cli/command.js';
import { Failure } from '../../src/cli/failure.js';
import { readStackOptions, STACK_OPTIONS } from '../../src/cli/network-options.js';

function read(values: Record<string, string>) {
  return readStackOptions(new Input(new Map(Object.entries(values)), STACK_OPTIONS, []));
}

function links(values: Record<string, string>): string[] {
  return read(values).links.map(({ stack, kernel }) => `${stack} ${kernel}`);
}

describe('the addresses of a link', () => {
  it('are 10.9.0.2 and fd09::2 by default', () => {
    expect(links({})).toEqual(['10.9.0.2 10.9.0.1/24', 'fd09::2 fd09::1/64']);
    expect(read({})).toMatchObject({ name: 'fw0', mtu: 1500, msl: 30_000, memoryMiB: 256 });
    expect(read({})).toMatchObject({ offload: true, netns: undefined });
  });

  it('keep to the families that one side names', () => {
    expect(links({ address: '10.9.0.7' })).toEqual(['10.9.0.7 10.9.0.1/24']);
    expect(links({ peer: 'fd09::9/64' })).toEqual(['fd09::2 fd09::9/64']);
    expect(links({ address: 'fd01::2, 10.1.0.2', peer: '10.1.0.1/16,fd01::1/48' })).toEqual([
      'fd01::2 fd01::1/48',
      '10.1.0.2 10.1.0.1/16',
    ]);
  });

  it('may end in zeros that are not all of the host part', () => {
    expect(links({ address: 'fd09::5:0:0' })).toEqual(['fd09::5:0:0 fd09::1/64']);
    expect(links({ address: '10.9.1.0', peer: '10.9.0.1/16' })).toEqual(['10.9.1.0 10.9.0.1/16']);
  });

  it('may be two addresses that are alone on their link', () => {
    expect(links({ address: '10.9.0.2', peer: '10.9.0.3/31' })).toEqual(['10.9.0.2 10.9.0.3/31']);
  });

  it.each([
    [{ address: '10.9.0.256' }, '"10.9.0.256" is not an IP address', '10.9.0.2'],
    [
      { address: '10.9.0.2/24' },
      'not an IP address',
      'leave out the prefix length: --address 10.9.0.2',
    ],
    [{ address: '' }, '"" is not an IP address', '10.9.0.2'],
    [{ peer: '10.9.0.1' }, 'not an IP address with a prefix length', '10.9.0.1/24'],
    [{ peer: 'fd09::1' }, 'not an IP address with a prefix length', 'fd09::1/64'],
    [{ peer: '10.9.0.1/33' }, 'not an IP address with a prefix length', '10.9.0.1/24'],
    [{ address: '10.9.0.1' }, '10.9.0.1 is on both sides', '--address 10.9.0.2'],
    [{ address: 'fd09::1' }, 'fd09::1 is on both sides', '--address fd09::2'],
    [{ peer: '10.9.0.2/24' }, '10.9.0.2 is on both sides', '--address 10.9.0.3'],
    [{ address: '10.8.0.2' }, 'outside --peer 10.9.0.1/24', 'same network'],
    [{ address: '10.9.0.255' }, 'stands for the whole network', '--address 10.9.0.2'],
    [{ address: '10.9.0.0' }, 'stands for the whole network', '--address 10.9.0.2'],
    [{ address: 'fd09::' }, 'stands for the whole network', '--address fd09::2'],
    [{ address: 'fd09::a:0:0', peer: 'fd09::a:0:1/96' }, 'whole network', '--address fd09::a:0:2'],
    [{ address: '127.0.0.1' }, 'a loopback address', 'private'],
    [{ address: '224.0.0.1' }, 'an address of a group', 'private'],
    [{ address: '0.0.0.0' }, 'no address at all', 'private'],
    [{ peer: '::1/64' }, 'a loopback address', 'private'],
    [{ address: '10.9.0.2', peer: 'fd09::1/64' }, 'no --address of IPv6', 'IPv6'],
    [{ address: '10.9.0.2,fd09::2', peer: '10.9.0.1/24' }, 'no --peer of IPv6', 'IPv6'],
    [{ address: '10.9.0.2,10.9.0.3' }, 'more than one address of a family', 'at most one'],
    [{ mtu: '67' }, '--mtu takes a whole number from 68 to 65535', 'range'],
    [{ msl: '0' }, '--msl takes a whole number from 1', 'range'],
    [{ memory: 'lots' }, '--memory takes a whole number from 16', 'range'],
  ])('%j is refused: %s', (values, message, fix) => {
    let failure: unknown;
    try {
      read(values as unknown as Record<string, string>);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ exitCode: 2 });
    expect((failure as Failure).message).toContain(message);
    expect((failure as Failure).fix).toContain(fix);
  });
});
