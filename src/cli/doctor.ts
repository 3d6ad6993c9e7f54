// `finwait doctor`: what this machine lacks, and what mends it. Knows how to ask; the checks are elsewhere.

import { styleText } from 'node:util';
import { MARK } from '../enclosure/networks.js';
import { type Check, checkTun, runChecks } from './checks.js';
import type { Command, Input } from './command.js';
import { EXIT_ENVIRONMENT, EXIT_OK } from './failure.js';
import { NETWORK_OPTIONS, readNetworkOptions } from './network-options.js';
import { OWN_NETWORK_OPTIONS, runInside, staysHere, triedNetwork } from './own-network.js';

const MARKS = {
  ok: styleText('green', ' ok '),
  note: styleText('yellow', 'note'),
  bad: styleText('red', 'BAD '),
};

export const doctorCommand: Command = {
  name: 'doctor',
  usage: ['doctor [options]'],
  description:
    'Checks whether `finwait serve` with the same options would work on this machine, and says what\n' +
    'mends it where it would not. Exit code 0 if all is well, else 3.',
  options: {
    ...NETWORK_OPTIONS,
    ...OWN_NETWORK_OPTIONS,
    json: { help: 'as JSON: {"ok": ..., "checks": [...]}' },
  },
  maxArguments: 0,
  run: runDoctor,
};

async function runDoctor(input: Input): Promise<number> {
  const options = readNetworkOptions(input);
  const stays = staysHere(input);
  // A device that is closed is one trouble, not three.
  const isOpen = checkTun().verdict === 'ok';
  const refusal = stays || !isOpen ? null : triedNetwork();
  // What `serve` would find in a network of its own can be seen there only.
  if (!stays && isOpen && refusal === null) return runInside(input);
  const checks = await runChecks(options, { stays, refusal });
  const ok = checks.every(({ verdict }) => verdict !== 'bad');
  if (input.given('json')) process.stdout.write(`${JSON.stringify({ ok, checks }, null, 2)}\n`);
  else process.stdout.write(checks.map(formatCheck).join('') + formatSummary(checks, ok));
  return ok ? EXIT_OK : EXIT_ENVIRONMENT;
}

function formatCheck({ name, verdict, finding, fix }: Check): string {
  const line = `${MARKS[verdict]}  ${name}: ${finding}\n`;
  return fix === undefined ? line : `${line}      fix: ${fix}\n`;
}

function formatSummary(checks: readonly Check[], ok: boolean): string {
  const where = process.env[MARK] === undefined ? '' : ', in a network of its own';
  if (ok) return `\nAll is well: finwait serve will work${where}.\n`;
  const bad = checks.filter(({ verdict }) => verdict === 'bad');
  return `\nfinwait serve will not work: ${bad.map(({ name }) => name).join(', ')}.\n`;
}
