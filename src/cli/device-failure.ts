// Says what is wrong with a device in the words of the command line. Knows DeviceError and options.

import { DeviceError } from '../device/device-error.js';
import { EXIT_ENVIRONMENT, EXIT_USAGE, Failure } from './failure.js';

/** Fixes that name an option, where the library can only name the thing. */
const FIXES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'choose others: --address 10.77.0.2 --peer 10.77.0.1/24',
  EBUSY: 'end that program, or choose others: --name fw1 --address 10.77.0.2 --peer 10.77.0.1/24',
  ERR_NATIVE_MISSING: 'build it: npm rebuild finwait, or npm ci in a clone of the repository',
};

/** A `DeviceError` as a failure; anything else is thrown on. */
export function deviceFailure(error: unknown): Failure {
  if (!(error instanceof DeviceError)) throw error;
  const { code, hint } = error;
  // What the device itself refuses before it asks the system is a mistake on the command line.
  const exitCode = code === 'EINVAL' && error.syscall === 'open' ? EXIT_USAGE : EXIT_ENVIRONMENT;
  const what = error.message.replace(`; ${hint}`, '');
  return new Failure(exitCode, what, FIXES[code] ?? (hint || 'see finwait doctor'), error);
}
