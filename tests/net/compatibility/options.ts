// What options do, one after the other, as far as it can be seen without a connection: which values are
// refused, and in which words; what is the default; what an object shows of it afterwards.

import type nodeNet from 'node:net';
import { describeValue } from '../trial.js';
import type { Row } from './rows.js';

type Net = typeof nodeNet;

/** What may be given, for want of something better, in place of what is meant. */
const values = (): [text: string, value: unknown][] => [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['false', false],
  ['0', 0],
  ['1', 1],
  ['-1', -1],
  ['1.5', 1.5],
  ['70000', 70_000],
  ['NaN', Number.NaN],
  ["''", ''],
  ["'1'", '1'],
  ["'x'", 'x'],
  ['{}', {}],
  ['() => {}', () => {}],
];

/** Descriptors of this process may be anything: they are left alone. */
const valuesFor = (option: string) =>
  values().filter(([text]) => option !== 'fd' || !['0', '1'].includes(text));

type Shown = Record<string, unknown>;

/** A call that takes options, and what can be seen afterwards. */
interface Taker {
  readonly section: string;
  readonly options: readonly string[];
  /** @param options the one option that is looked at */
  take(net: Net, options: Shown): unknown;
}

/** Nothing that is made here may do anything later. */
function quiet<Emitter extends { on(event: 'error', listener: () => void): unknown }>(
  emitter: Emitter,
): Emitter {
  emitter.on('error', () => {});
  return emitter;
}

const takers: readonly Taker[] = [
  {
    section: 'Options of new Socket',
    options: [
      ...['allowHalfOpen', 'readable', 'writable', 'highWaterMark', 'readableHighWaterMark'],
      ...['writableHighWaterMark', 'objectMode', 'readableObjectMode', 'writableObjectMode'],
      ...['noDelay', 'keepAlive', 'keepAliveInitialDelay', 'onread', 'signal', 'emitClose'],
      ...['autoDestroy', 'decodeStrings', 'encoding', 'defaultEncoding', 'captureRejections'],
      ...['read', 'write', 'fd', 'handle', 'linger', 'tcp'],
    ],
    take(net, options) {
      const socket = quiet(new net.Socket(options));
      const { allowHalfOpen, readable, writable, readableHighWaterMark } = socket;
      const { writableHighWaterMark, readableEncoding, readyState, readableFlowing } = socket;
      socket.destroy();
      return {
        ...{ allowHalfOpen, readable, writable, readableHighWaterMark, writableHighWaterMark },
        ...{ readableEncoding, readyState, readableFlowing },
      };
    },
  },
  {
    section: 'Options of connect',
    options: [
      ...['port', 'host', 'localAddress', 'localPort', 'family', 'hints', 'lookup', 'timeout'],
      ...['autoSelectFamily', 'autoSelectFamilyAttemptTimeout', 'path', 'tcp'],
    ],
    take(net, options) {
      // The look-up never answers: nothing is tried.
      const common = { port: 80, host: 'name.test', lookup: () => {} };
      const socket = quiet(net.connect({ ...common, ...options } as nodeNet.NetConnectOpts));
      const { connecting, pending, readyState, timeout } = socket;
      socket.destroy();
      return { connecting, pending, readyState, timeout };
    },
  },
  {
    section: 'Options of createServer',
    options: [
      ...['allowHalfOpen', 'pauseOnConnect', 'noDelay', 'keepAlive', 'keepAliveInitialDelay'],
      ...['highWaterMark', 'linger', 'tcp'],
    ],
    take(net, options) {
      const { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, ...rest } = net.createServer(
        options as nodeNet.ServerOpts,
      ) as unknown as Shown;
      const { keepAliveInitialDelay, highWaterMark } = rest;
      return {
        ...{ allowHalfOpen, pauseOnConnect, noDelay, keepAlive },
        ...{ keepAliveInitialDelay, highWaterMark },
      };
    },
  },
  {
    section: 'Options of listen',
    options: [
      ...['port', 'host', 'backlog', 'exclusive', 'ipv6Only', 'signal', 'path', 'fd'],
      ...['readableAll', 'writableAll'],
    ],
    take(net, options) {
      const server = quiet(net.createServer());
      // A name that is looked up: nothing listens before it is found, and it is closed by then.
      const asked = 'path' in options || 'fd' in options ? options : { port: 0, ...options };
      server.listen(asked.host === undefined ? { ...asked, host: 'localhost' } : asked);
      const { listening } = server;
      server.close();
      return { listening };
    },
  },
];

/** What came of one value. */
interface Outcome {
  readonly value: string;
  /** The error's code, or what is different from an object made without the option. */
  readonly kind: string;
  /** With the words of the error. */
  readonly text: string;
}

function outcome(taker: Taker, net: Net, option: string, value: string, given: unknown): Outcome {
  try {
    const plain = taker.take(net, {}) as Shown;
    const seen = Object.entries(taker.take(net, { [option]: given }) as Shown)
      .filter(([name, what]) => what !== plain[name])
      .map(([name, what]) => `${name} ${what}`);
    const kind = seen.length === 0 ? 'accepted' : seen.join(', ');
    return { value, kind, text: kind };
  } catch (error) {
    const { code = 'an error without a code' } = error as NodeJS.ErrnoException;
    return { value, kind: code, text: describeValue(error) };
  }
}

/** `accepted: undefined, null; ERR_INVALID_ARG_TYPE: 'x', {}` */
function summary(outcomes: readonly Outcome[]): string {
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))];
  const valuesOf = (kind: string) =>
    outcomes.filter((one) => one.kind === kind).map(({ value }) => value);
  return kinds.map((kind) => `${kind}: ${valuesOf(kind).join(' ')}`).join('; ');
}

export function optionRows(node: Net, ours: Net): Row[] {
  return takers.flatMap((taker) =>
    taker.options.map((name): Row => {
      const look = (net: Net) =>
        valuesFor(name).map(([text, value]) => outcome(taker, net, name, text, value));
      const [nodes, others] = [look(node), look(ours)];
      const same = nodes.every(({ text }, i) => text === others[i]!.text);
      if (same) return { section: taker.section, name, node: summary(nodes), ours: summary(nodes) };
      const different = (of: Outcome[]) =>
        summary(of.filter((_, i) => nodes[i]!.text !== others[i]!.text));
      const texts = [different(nodes), different(others)] as const;
      // The same codes in other words.
      if (texts[0] !== texts[1])
        return { section: taker.section, name, node: texts[0], ours: texts[1] };
      const i = nodes.findIndex(({ text }, at) => text !== others[at]!.text);
      return { section: taker.section, name, node: nodes[i]!.text, ours: others[i]!.text };
    }),
  );
}
