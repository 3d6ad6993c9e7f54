// `npm run debug:close`: starts one close under the inspector, and says how to get there. Knows debuggers;
// must not know what a close is.
//
//   node scripts/debug-close.mjs [active|passive] [--port N] [--editor]
//
// --editor: the editor that started this attaches to children by itself.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkTun } from '../dist/cli/checks.js';

const SOURCE = 'src/tcp/close.ts';

/** Where to stop, in the order in which a close comes by. */
const STOPS = {
  active: [
    ['shutdown', 'the CLOSE call: FIN-WAIT-1 begins, the FIN is queued'],
    ['finAcknowledged', 'the ACK of our FIN: FIN-WAIT-2'],
    ['finReached', 'the peer’s FIN: TIME-WAIT'],
  ],
  passive: [
    ['finReached', 'the peer’s FIN: CLOSE-WAIT'],
    ['shutdown', 'the CLOSE call: LAST-ACK begins, our FIN is queued'],
    ['finAcknowledged', 'the ACK of our FIN: CLOSED'],
  ],
};

const { who, port, editor } = readArguments();
// Before somebody has attached a debugger to what cannot work.
const tun = checkTun();
if (tun.verdict === 'bad') {
  console.error(`${tun.finding}\n  fix: ${tun.fix}`);
  process.exit(3);
}
if (!editor && !(await isFree(port))) {
  console.error(
    `Something listens on port ${port} already, perhaps another close that waits for a debugger.\n` +
      `Choose another port: npm run debug:close -- ${who} --port ${port + 1}`,
  );
  process.exit(1);
}

const script = fileURLToPath(new URL('one-close.mjs', import.meta.url));
// Before the script, so that a debugger knows close.ts when it stops at the first line.
const loaded = ['index.js', 'trace/kernel-sockets.js'].map(
  (file) => `--import=${new URL(`../dist/${file}`, import.meta.url).href}`,
);
const inspect = [`--inspect-brk=127.0.0.1:${port}`, ...loaded];
const node = [process.execPath, ...(editor ? [] : inspect)];
// Without root: root of a user namespace may make networks. This process's own network stays.
const asRoot = process.getuid() === 0 ? [] : ['unshare', '--user', '--map-root-user'];
const [command, ...args] = [...asRoot, ...node, script, who];

if (!editor) console.log(instructions());
const child = spawn(command, args, { stdio: 'inherit' });
process.on('SIGINT', () => {}); // the terminal has sent it to the child, too
process.on('SIGTERM', () => child.kill());
child.on('exit', (code, signal) => process.exit(signal === null ? code : 1));

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        port: { type: 'string', default: '9229' },
        editor: { type: 'boolean', default: false },
      },
    });
    const [who = 'active', surplus] = positionals;
    const valid =
      Object.hasOwn(STOPS, who) &&
      surplus === undefined &&
      Number(values.port) <= 65_535 &&
      /^\d+$/.test(values.port);
    if (valid) return { who, port: Number(values.port), editor: values.editor };
  } catch {
    // an option that there is not
  }
  console.error('usage: npm run debug:close -- [active|passive] [--port N]');
  process.exit(2);
}

/** Node would go on without an inspector. */
function isFree(port) {
  const server = createServer();
  return new Promise((resolve) => {
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function instructions() {
  const lines = readFileSync(new URL(`../${SOURCE}`, import.meta.url), 'utf8').split('\n');
  const stops = STOPS[who].map(([name, what]) => {
    const line = lines.findIndex((text) => text.startsWith(`export function ${name}(`)) + 1;
    return `  ${`${SOURCE}:${line}`.padEnd(23)} ${name.padEnd(16)} ${what}`;
  });
  return `One ${who} close against the kernel. It waits for a debugger:

  VS Code   Run and Debug: "attach to npm run debug:close"
            (or, without this command: "step through ${who === 'active' ? 'an active' : 'a passive'} close")
  Chrome    chrome://inspect, then "inspect" below Remote Target

It stops at its first line. Set breakpoints (Ctrl-P finds the file), and let it go on (F8; VS Code: F5):

${stops.join('\n')}

Take your time: while you look, our clock stands; the kernel's runs, and it repeats itself.
`;
}
