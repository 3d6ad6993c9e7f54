// `finwait serve`: a TUN device with services behind it, until Ctrl-C. Knows what is served; not how.

import { formatBanner } from './banner.js';
import type { Command, Input } from './command.js';
import { deviceFailure } from './device-failure.js';
import { EXIT_OK, errorCode } from './failure.js';
import { Host } from './host.js';
import { readStackOptions, STACK_OPTIONS } from './network-options.js';
import { readPorts, SERVICE_OPTIONS, ServiceSet } from './service-set.js';
import { StopSignals } from './signals.js';

/** Milliseconds that peers have to close after we have, before they are reset. */
const GRACE_MS = 2000;

export const serveCommand: Command = {
  name: 'serve',
  usage: ['serve [options]'],
  description:
    'Makes a TUN device and serves on it over our own TCP, until Ctrl-C. The kernel of this machine\n' +
    'is the other end of the link, so curl, nc and browsers on this machine can talk to it.',
  options: {
    ...STACK_OPTIONS,
    ...SERVICE_OPTIONS,
  },
  maxArguments: 0,
  run: runServe,
};

async function runServe(input: Input): Promise<number> {
  const options = readStackOptions(input);
  const ports = readPorts(input);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const signals = new StopSignals();
  const host = await Host.open(options);
  try {
    const gone = watchDevice(host);
    const services = await ServiceSet.start(host.stack, ports, say);
    process.stdout.write(formatBanner(host, ports, options.netns));
    await Promise.race([signals.next(), gone]);
    await stop(host, ports.size, services, signals);
  } finally {
    await host.close(0);
    signals.release();
  }
  process.stdout.write(`Done: ${host.device.name} is gone.\n`);
  return EXIT_OK;
}

/** Rejects when the device is deleted; says when it goes down and comes up again. */
function watchDevice({ device, stack }: Host): Promise<never> {
  const say = (text: string) => process.stderr.write(`finwait serve: ${text}\n`);
  return new Promise((_, reject) => {
    stack.on('up', () => say(`${device.name} is up again`));
    stack.on('down', (error: Error) => {
      if (errorCode(error) !== 'EBADFD') say(error.message);
      else reject(deviceFailure(error));
    });
  });
}

/** Ends everything in order; a second signal, or a peer that does not close, ends it at once. */
async function stop(
  host: Host,
  listeners: number,
  services: ServiceSet,
  signals: StopSignals,
): Promise<void> {
  const { connections } = services;
  const what = connections === 1 ? '1 connection' : `${connections} connections`;
  process.stdout.write(
    `\nClosing ${listeners} listeners and ${what} on ${host.device.name}` +
      `${connections > 0 ? ' (Ctrl-C again: at once)' : ''} ...\n`,
  );
  await Promise.race([services.close(GRACE_MS), signals.next()]);
}
