// Whether settings of TCP make sense, before a connection meets them. Knows names, kinds and limits; must not
// know what they do.

import { DEFAULT_TCP_CONFIG, type TcpConfig } from '../tcp/config.js';
import { controllerNamed } from '../tcp/controllers.js';
import { checkBoolean, checkNumber } from './arguments.js';
import { invalidType, invalidValue, outOfRange } from './errors.js';

const ECN = ['off', 'accept', 'request'];
/** Fields of eight bits in IP headers. */
const BYTES = ['trafficClass', 'hopLimit'];

/**
 * The settings without those that are undefined, which mean the default.
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, RangeError ERR_OUT_OF_RANGE
 */
export function tcpSettings(given: Partial<TcpConfig> | null | undefined): Partial<TcpConfig> {
  if (given === undefined || given === null) return {};
  if (typeof given !== 'object') {
    throw invalidType('The "options.tcp" property', 'of type object', given);
  }
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of entries) check(name, value);
  return Object.fromEntries(entries);
}

function check(name: string, value: unknown): void {
  const where = `options.tcp.${name}`;
  if (!Object.hasOwn(DEFAULT_TCP_CONFIG, name)) {
    throw invalidValue(`The property '${where}'`, value, 'is not a setting of TCP');
  }
  const usual = DEFAULT_TCP_CONFIG[name as keyof TcpConfig];
  if (typeof usual === 'boolean') checkBoolean(value, `The "${where}" property`);
  else if (typeof usual === 'number') checkAmount(name, where, value);
  else if (name === 'congestion') checkController(where, value);
  else if (!ECN.includes(value as string)) {
    throw invalidValue(`The property '${where}'`, value, `must be one of: '${ECN.join("', '")}'`);
  }
}

function checkAmount(name: string, where: string, value: unknown): void {
  checkNumber(value, `The "${where}" property`);
  const most = BYTES.includes(name) ? 255 : 0x7fff_ffff;
  const amount = value as number;
  if (!(amount >= 0 && amount <= most)) throw outOfRange(where, `>= 0 && <= ${most}`, amount);
}

function checkController(where: string, value: unknown): void {
  try {
    controllerNamed(value as string);
  } catch (error) {
    throw invalidValue(`The property '${where}'`, value, `is refused: ${(error as Error).message}`);
  }
}
