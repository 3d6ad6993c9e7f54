// `finwait serve`: a TUN device with services behind it, until Ctrl-C. Knows what is served; not how.

import { formatBanner } from './banner.js';
import type { Command, Input } from './command.js';
import { Crew } from './crew.js';
import { EXIT_OK } from './failure.js';
import { workingLinks } from './host.js';
import { readStackOptions, STACK_OPTIONS } from './network-options.js';
import { enterNetwork, OWN_NETWORK_OPTIONS } from './own-network.js';
import { PUBLISH_OPTION, Publications } from './publications.js';
import { RECORDING_OPTIONS, Recording } from './recording.js';
import { readPorts, SERVICE_OPTIONS } from './service-set.js';
import { StopSignals } from './signals.js';
import { type Serving, Solo, type Speech } from './solo.js';
import { amount } from './text.js';

/** Milliseconds that peers have to close after we have, before they are reset. */
const GRACE_MS = 2000;
const MAX_WORKERS = 64;

export const serveCommand: Command = {
  name: 'serve',
  usage: ['serve [options]'],
  description:
    'Makes a TUN device and serves on it over our own TCP, until Ctrl-C. The kernel of this machine\n' +
    'is the other end of the link, so curl, nc and browsers on this machine can talk to it. Without root\n' +
    'it does so in a network of its own, which finwait shell --join enters.',
  options: {
    ...STACK_OPTIONS,
    workers: { value: 'N', help: 'threads, each with such memory', default: '1' },
    ...SERVICE_OPTIONS,
    ...PUBLISH_OPTION,
    ...OWN_NETWORK_OPTIONS,
    ...RECORDING_OPTIONS,
  },
  maxArguments: 0,
  run: runServe,
};

async function runServe(input: Input): Promise<number> {
  const options = readStackOptions(input);
  const workers = input.integer('workers', 1, MAX_WORKERS)!;
  const ports = readPorts(input);
  const elsewhere = enterNetwork(input);
  if (elsewhere !== null) return elsewhere;
  const published = Publications.open(input);
  const warn = (line: string) => void process.stderr.write(`finwait serve: ${line}\n`);
  const recording = Recording.open(input, workers, warn);
  const out = recording?.takesOutput ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${line}\n`);
  const signals = new StopSignals();
  try {
    const serving = await (workers === 1
      ? Solo.open(options, ports, { say, warn }, recording)
      : Crew.open(workers, input, ports, { say, warn }));
    try {
      const { facts } = serving;
      const links = workingLinks(options, facts.addresses);
      published.start(String(links[0]!.stack));
      const { netns } = options;
      out.write(formatBanner({ facts, links, ports, workers, netns, published }));
      await Promise.race([signals.next(), serving.failed]);
      await stop(serving, ports.size, signals, say);
    } finally {
      await serving.close();
      await published.close();
    }
    say(`Done: ${serving.facts.name} is gone.`);
  } finally {
    for (const line of (await recording?.finish()) ?? []) warn(line);
    signals.release();
  }
  return EXIT_OK;
}

/** Ends everything in order; a second signal, or a peer that does not close, ends it at once. */
async function stop(
  serving: Serving,
  listeners: number,
  signals: StopSignals,
  say: Speech['say'],
): Promise<void> {
  const connections = await serving.connections();
  say(
    `\nClosing ${amount(listeners, 'listener')} and ${amount(connections, 'connection')} on ${serving.facts.name}` +
      `${connections > 0 ? ' (Ctrl-C again: at once)' : ''} ...`,
  );
  await Promise.race([serving.stop(GRACE_MS), signals.next()]);
}
