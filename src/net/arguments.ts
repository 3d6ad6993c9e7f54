// Arguments as node:net takes them. Knows their forms and checks; must not know sockets.

import { invalidType, invalidValue, outOfRange } from './errors.js';

type Callback = () => void;

/**
 * Brings `(options[, callback])`, `(port[, host][, backlog][, callback])` and `(path[, callback])`
 * into one form.
 */
export function normalizeArguments<Options extends object>(
  args: readonly unknown[],
): { options: Options; callback: Callback | null } {
  const [first, second] = args;
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as Callback) : null;
  let options: object = {};
  if (typeof first === 'object' && first !== null) options = first;
  else if (isPath(first)) options = { path: first };
  else if (args.length > 0)
    options = { port: first, ...(typeof second === 'string' && { host: second }) };
  return { options: options as Options, callback };
}

/** A text that is no number names a pipe. */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && !(Number(value) >= 0);
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
}

export function checkNumber(value: unknown, name: string): void {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
}

/** The longest time that a timer of Node can wait, ms. */
const MAX_MS = 0x7fff_ffff;

/** A whole number of 31 bits, as Node's `validateInt32`. */
export function checkMilliseconds(value: unknown, name: string, lowest: number): void {
  checkNumber(value, `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`);
  const ms = value as number;
  if (!Number.isInteger(ms)) throw outOfRange(name, 'an integer', ms);
  if (ms < lowest || ms > MAX_MS) throw outOfRange(name, `>= ${lowest} && <= ${MAX_MS}`, ms);
}

export function checkBoolean(value: unknown, name: string): void {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
}

export function checkSignal(value: unknown, name: string): asserts value is AbortSignal {
  if (!(value instanceof AbortSignal)) throw invalidType(name, 'an instance of AbortSignal', value);
}

/** Pipes are no TCP. */
export function refusePath(path: unknown): void {
  if (path !== undefined && path !== null) {
    throw invalidValue("The property 'options.path'", path, 'names a pipe, which is not TCP');
  }
}

/** Descriptors and handles are the kernel's. */
export function refuseDescriptor(options: object): void {
  for (const name of ['fd', 'handle', '_handle'] as const) {
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined || value === null) continue;
    const why = 'is of the kernel, which this stack knows nothing of';
    throw invalidValue(`The property 'options.${name}'`, value, why);
  }
}
