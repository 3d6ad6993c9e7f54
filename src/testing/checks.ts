// Whether what a test says makes sense: a misspelt word would make a test that tests nothing. Knows the
// shapes of options, faults, steps and conditions; must not know what they mean.

import { inspect } from 'node:util';
import { STATE_NOTES } from '../lab/states.js';
import { tcpSettings } from '../net/tcp-settings.js';
import type { TcpConfig } from '../tcp/config.js';
import { FLAGS } from '../trace/segment.js';

/** @throws TypeError that says what is wrong, where, and what may stand there */
type Check = (value: unknown, path: string) => void;
type Shape = Readonly<Record<string, Check>>;

function refuse(path: string, value: unknown, wanted: string): never {
  throw wrong(`${path} is ${inspect(value, { depth: 0 })}: it has to be ${wanted}`);
}

function wrong(message: string): Error {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
}

// ── Values ──

const oneOf =
  (...allowed: readonly unknown[]): Check =>
  (value, path) => {
    if (allowed.includes(value)) return;
    refuse(
      path,
      value,
      allowed
        .map((each) => inspect(each))
        .join(', ')
        .replace(/, (?=[^,]*$)/, ' or '),
    );
  };

const integer =
  (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  (value, path) => {
    if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return;
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    refuse(path, value, `a whole number ${range}`);
  };

const milliseconds: Check = (value, path) => {
  if (!(typeof value === 'number' && value > 0)) refuse(path, value, 'milliseconds, more than 0');
};

const text: Check = (value, path) => {
  if (typeof value !== 'string' || value === '') refuse(path, value, 'a few words');
};

const listOf =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) refuse(path, value, 'an array');
    for (const [i, each] of value.entries()) check(each, `${path}[${i}]`);
  };

const record =
  (required: Shape, optional: Shape = {}): Check =>
  (value, path) => {
    const shape = { ...required, ...optional };
    const names = Object.keys(shape).join(', ');
    if (!isObject(value)) refuse(path, value, `an object with ${names}`);
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(shape, key))
        throw wrong(`${path}.${key} is unknown: ${path} may have ${names}`);
    }
    for (const [key, check] of Object.entries(shape)) {
      if (value[key] !== undefined || Object.hasOwn(required, key))
        check(value[key], `${path}.${key}`);
    }
  };

/** The first of these keys that is there says which shape it is. */
const byKey =
  (shapes: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    const keys = Object.keys(shapes);
    if (!isObject(value)) refuse(path, value, `an object with ${keys.join(' or ')}`);
    const key = keys.find((each) => value[each] !== undefined);
    if (key === undefined) refuse(path, value, `an object with ${keys.join(' or ')}`);
    shapes[key]!(value, path);
  };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// ── Segments, faults ──

const side = oneOf('client', 'peer');
const flags = listOf(oneOf(...FLAGS.map(([, name]) => name)));

const LIKENESS: Shape = {
  from: side,
  has: flags,
  lacks: flags,
  data: (value, path) => {
    if (typeof value !== 'boolean') integer(0)(value, path);
  },
  acknowledges: oneOf('SYN', 'FIN'),
  zeroWindow: oneOf(true),
};
const match = record({}, LIKENESS);

export const checkFault: Check = record({
  on: record({}, { ...LIKENESS, nth: integer(1) }),
  do: (value, path) => {
    if (isObject(value)) record({ holdUntil: match })(value, path);
    else oneOf('drop', 'duplicate', 'swap', 'corrupt')(value, path);
  },
  note: text,
});

// ── Conditions, steps ──

const state = oneOf(...Object.keys(STATE_NOTES));
const sees = oneOf('end', 'close', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT');
const ofClient = record({ end: side, state }, { connections: integer(0) });
const ofPeer = byKey({
  state: ofClient,
  received: record({ end: side, received: integer(0) }),
  sees: record({ end: side, sees }),
});

export const checkCondition: Check = byKey({
  end: (value, path) => {
    const { end } = value as { end: unknown };
    side(end, `${path}.end`);
    if (end === 'client') ofClient(value, path);
    else ofPeer(value, path);
  },
  seen: record({ seen: match, times: integer(1) }),
  unseen: record({ unseen: match }),
  quiet: record({ quiet: oneOf(true) }),
});

const all = oneOf(true);
const ofNone = record({ call: text }, { note: text });
const ofConnection = record({ call: text }, { all, note: text });
const CALLS: Readonly<Record<string, Check>> = {
  listen: ofNone,
  unlisten: ofNone,
  read: ofNone,
  pause: ofNone,
  write: record({ call: text, bytes: integer(1) }, { all, note: text }),
  shutdown: record({ call: text }, { atEnd: oneOf(true), all, note: text }),
  close: ofConnection,
  abort: ofConnection,
};
const callName = oneOf(...Object.keys(CALLS));

const offset = integer(Number.MIN_SAFE_INTEGER);
const injected = record(
  { from: side, flags },
  { seqOffset: offset, ackOffset: offset, data: integer(0), timestampOffset: offset },
);

const checkStep: Check = byKey({
  call: (value, path) => {
    const { call } = value as { call: string };
    callName(call, `${path}.call`);
    CALLS[call]!(value, path);
  },
  inject: record({ inject: injected, note: text }),
  until: record({ until: checkCondition }, { note: text }),
  holds: record({ holds: checkCondition, note: text }),
});

export const checkSteps = listOf(checkStep);

// ── Options ──

export const checkPatience: Check = record({}, { timeoutMs: milliseconds });

export const checkOptions: Check = record(
  {},
  {
    serve: (value, path) => {
      const isServer = isObject(value) && typeof value.emit === 'function';
      if (typeof value !== 'function' && !isServer) refuse(path, value, 'a function or a server');
    },
    faults: listOf(checkFault),
    port: integer(1, 65_535),
    family: oneOf(4, 6),
    network: oneOf('memory', 'tun'),
    tcp: (value) => void tcpSettings(value as Partial<TcpConfig>),
    timeoutMs: milliseconds,
  },
);
