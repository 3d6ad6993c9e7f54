// `finwait serve`: a TUN device with services behind it, until Ctrl-C. Knows what is served; not how.

import { chargenService } from '../services/chargen.js';
import { discardService } from '../services/discard.js';
import { echoService } from '../services/echo.js';
import { HttpService } from '../services/http.js';
import { RunningService, type Service } from '../services/service.js';
import { formatBanner, type Ports } from './banner.js';
import { type Command, type Input, parseInteger } from './command.js';
import { deviceFailure } from './device-failure.js';
import { EXIT_OK, errorCode, usage } from './failure.js';
import { Host } from './host.js';
import { readStackOptions, STACK_OPTIONS } from './network-options.js';
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
    http: { value: 'PORT|off', help: 'web server', default: '80' },
    echo: { value: 'PORT|off', help: 'echo, RFC 862', default: '7' },
    discard: { value: 'PORT|off', help: 'discard, RFC 863', default: '9' },
    chargen: { value: 'PORT|off', help: 'character generator, RFC 864', default: '19' },
  },
  maxArguments: 0,
  run: runServe,
};

async function runServe(input: Input): Promise<number> {
  const options = readStackOptions(input);
  const ports = readPorts(input);
  const signals = new StopSignals();
  const host = await Host.open(options);
  const running: RunningService[] = [];
  try {
    const gone = watchDevice(host);
    for (const [service, port] of ports) {
      running.push(await RunningService.start(host.stack.net, service, { port }));
    }
    process.stdout.write(formatBanner(host, ports, options.netns));
    await Promise.race([signals.next(), gone]);
    await stop(host, running, signals);
  } finally {
    await host.close(0);
    signals.release();
  }
  process.stdout.write(`Done: ${host.device.name} is gone.\n`);
  return EXIT_OK;
}

function readPorts(input: Input): Ports {
  const ports = new Map<Service, number>();
  for (const service of [new HttpService(), echoService, discardService, chargenService]) {
    const text = input.text(service.name)!;
    if (text === 'off') continue;
    const port = parseInteger(`--${service.name}`, text, 1, 65_535);
    for (const [other, taken] of ports) {
      if (taken !== port) continue;
      throw usage(
        `${other.name} and ${service.name} cannot both have port ${port}`,
        `give one of them another port, or switch it off: --${service.name} off`,
      );
    }
    ports.set(service, port);
  }
  return ports;
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
  running: readonly RunningService[],
  signals: StopSignals,
): Promise<void> {
  const connections = running.reduce((sum, service) => sum + service.connections, 0);
  const what = connections === 1 ? '1 connection' : `${connections} connections`;
  process.stdout.write(
    `\nClosing ${running.length} listeners and ${what} on ${host.device.name}` +
      `${connections > 0 ? ' (Ctrl-C again: at once)' : ''} ...\n`,
  );
  const closed = Promise.all(running.map((service) => service.close(GRACE_MS)));
  await Promise.race([closed, signals.next()]);
}
