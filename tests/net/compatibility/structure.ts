// The shape of a module like node:net: exports, members of classes and of objects. Knows reflection; must
// not know what the members do.

import { EventEmitter } from 'node:events';
import type nodeNet from 'node:net';
import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { type Row, rowsOf } from './rows.js';

type Net = typeof nodeNet;
type Members = Map<string, string>;

/** Arguments before the first optional one, as JavaScript counts them. */
const arity = (length: number) => `${length} ${length === 1 ? 'argument' : 'arguments'}`;

/** `function, 2 arguments`, `getter`, or the value. */
function describe({ value, get, set }: PropertyDescriptor): string {
  if (get !== undefined || set !== undefined)
    return set === undefined ? 'getter' : 'getter and setter';
  if (typeof value !== 'function')
    return inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'function';
  return `${kind}, ${arity(value.length)}`;
}

function own(object: object): [name: string, descriptor: PropertyDescriptor][] {
  const named = Reflect.ownKeys(object)
    // Node's own symbols belong to nobody else; the well-known ones are part of the language.
    .filter((key) => typeof key === 'string' || String(key).startsWith('Symbol(Symbol.'))
    .map((key) => [String(key), Object.getOwnPropertyDescriptor(object, key)!] as const);
  return named.map(([name, descriptor]) => [name, descriptor]);
}

/** Members of an object and of what it inherits from. */
function members(object: object): Members {
  const found: Members = new Map();
  for (let at: object = object; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, descriptor] of own(at)) {
      if (!found.has(name) && name !== 'constructor') found.set(name, describe(descriptor));
    }
    if (at === Function.prototype) break;
  }
  return found;
}

/** All that both have unchanged from their common base is left out. */
function beyond(base: object, rows: Row[]): Row[] {
  const common = members(base);
  return rows.filter(({ name, node, ours }) => node !== ours || common.get(name) !== node);
}

/** Exports; whether a class is one by syntax or by function is no difference to its user. */
function exportsOf(net: Net): Members {
  const texts = own(net).map(([name]) => {
    const value = Reflect.get(net, name);
    const text = describe({ value });
    return [name, isClass(name, value) ? 'class, callable without new' : text] as const;
  });
  return new Map(texts);
}

function isClass(name: string, value: unknown): boolean {
  if (!['Socket', 'Server', 'Stream'].includes(name)) return false;
  const made = (value as unknown as () => object)();
  return made instanceof (value as new () => object);
}

/** Both `length`s of a class are counted; what it was called with is compared elsewhere. */
function statics(Class: object): Members {
  const found = members(Class);
  for (const name of ['prototype', 'length', 'arguments', 'caller']) found.delete(name);
  return found;
}

/** Own properties of a new object, those of its base left out. */
function fields(object: object, base: object): Members {
  const inherited = new Set(own(base).map(([name]) => name));
  const texts = own(object)
    .filter(([name]) => !inherited.has(name))
    .map(([name, descriptor]) => [name, describe(descriptor)] as const);
  return new Map(texts);
}

export function structureRows(node: Net, ours: Net): Row[] {
  const socket = (net: Net) => fields(new net.Socket(), new Duplex());
  const server = (net: Net) => fields(new net.Server(), new EventEmitter());
  const row = (section: string, look: (net: Net) => Members) =>
    rowsOf(section, look(node), look(ours));
  return [
    ...row('Exports', exportsOf),
    ...beyond(
      Duplex,
      row('Static members of Socket', (net) => statics(net.Socket)),
    ),
    ...beyond(
      Duplex.prototype,
      row('Members of Socket', (net) => members(net.Socket.prototype)),
    ),
    ...row('Fields of a new Socket', socket),
    ...beyond(
      EventEmitter,
      row('Static members of Server', (net) => statics(net.Server)),
    ),
    ...beyond(
      EventEmitter.prototype,
      row('Members of Server', (net) => members(net.Server.prototype)),
    ),
    ...row('Fields of a new Server', server),
  ];
}
