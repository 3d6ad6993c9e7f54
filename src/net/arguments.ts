// Arguments as node:net takes them. Knows their forms and checks; must not know sockets.

import { invalidType, invalidValue } from './errors.js';

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
