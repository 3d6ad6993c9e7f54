// How our stack is set in the lab. Knows numbers and why; no behaviour.

import type { TcpConfig } from '../tcp/config.js';

/** What differs from the defaults; a scenario may differ from it again. */
export const LAB_TCP: Partial<TcpConfig> = {
  // TIME-WAIT passes while one looks: 2MSL are a second.
  msl: 500,
};
