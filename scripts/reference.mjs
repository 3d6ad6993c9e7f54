// Writes docs/reference/cli.md from the help of each command, docs/reference/options.md from the comments of
// interfaces, and the hints in docs/reference/errors.md. With --check, says whether they are up to date.
// Knows where they stand; must not know what a command or an option does.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { VARIABLES } from '../dist/dropin/settings.js';
import { HINTS } from '../dist/net/hints.js';
import { DEFAULT_TCP_CONFIG } from '../dist/tcp/config.js';

const ROOT = new URL('..', import.meta.url);
const MAIN = fileURLToPath(new URL('dist/cli/main.js', ROOT));

/** Interfaces by heading; those of `TcpConfig` have their defaults in an object. */
const OPTIONS = [
  {
    heading: 'A stack: `openStack(options)`',
    text: 'Those of `new Stack` are the same, with `clock` and `device` instead of `tun` and `discountPauses`.',
    interfaces: ['src/open.ts OpenStackOptions', 'src/net/stack.ts StackOptions'],
    without: ['clock', 'device'],
  },
  {
    heading: 'A device: `openStack({ tun })`, `TunDevice.open(options)`',
    interfaces: ['src/device/tun.ts TunOptions'],
  },
  {
    heading: 'TCP: `openStack({ tcp })`',
    text: 'Times are in milliseconds, sizes in bytes.',
    interfaces: ['src/tcp/config.ts TcpConfig'],
    defaults: DEFAULT_TCP_CONFIG,
  },
  {
    heading: 'A socket: `new stack.net.Socket(options)`',
    text: 'Besides those of [`stream.Duplex`](https://nodejs.org/docs/latest-v20.x/api/stream.html).',
    interfaces: ['src/net/socket-options.ts SocketOptions'],
  },
  {
    heading: 'A connection: `stack.net.connect(options)`',
    text: 'Besides those of a socket.',
    interfaces: [
      'src/net/connecting.ts ConnectOptions',
      'src/net/socket-options.ts SocketConnectOptions',
    ],
  },
  {
    heading: 'A server: `stack.net.createServer(options)`',
    interfaces: ['src/net/server.ts ServerOptions'],
  },
  {
    heading: 'Listening: `server.listen(options)`',
    interfaces: ['src/net/server.ts ListenOptions'],
  },
  {
    heading: 'A peer for tests: `faultyPeer(options)`',
    text: 'Of `finwait/testing`.',
    interfaces: ['src/testing/faulty-peer.ts FaultyPeerOptions'],
  },
];

/** Variables that all commands know. */
const COMMON_VARIABLES = {
  FINWAIT_RUNTIME_DIR:
    'directory of the sockets by which commands find running stacks (a folder in `$XDG_RUNTIME_DIR`, `/run/finwait` for root, or `/tmp/finwait-UID`)',
  FINWAIT_NETWORK:
    'is set for all programs in a network of their own, to the number of the process that made it',
  NO_COLOR: 'anything: no colours (https://no-color.org)',
};
/** Around the hints in errors.md. */
const MARKS = ['<!-- by `npm run reference` -->\n', '\n<!-- end -->'];
const ERRORS = 'docs/reference/errors.md';

const pages = {
  'docs/reference/cli.md': cli(),
  'docs/reference/options.md': options(),
  [ERRORS]: withHints(readFileSync(new URL(ERRORS, ROOT), 'utf8')),
};
const stale = Object.entries(pages).filter(([path, text]) => {
  const file = new URL(path, ROOT);
  return !existsSync(file) || readFileSync(file, 'utf8') !== text;
});
if (!process.argv.includes('--check')) {
  for (const [path, text] of stale) writeFileSync(new URL(path, ROOT), text);
} else if (stale.length > 0) {
  const paths = stale.map(([path]) => path).join(', ');
  console.error(`${paths}: not what the sources say. npm run reference`);
  process.exitCode = 1;
}

// The commands

function cli() {
  const overview = help('--help');
  const names = [...overview.split('Commands\n')[1].matchAll(/^ {2}(\S+)/gm)].map(
    ([, name]) => name,
  );
  const sections = names.map((name) => `## finwait ${name}\n\n${section(help(name, '--help'))}`);
  return `<!-- Written by \`npm run reference\` from the help of each command. -->

# The commands

What \`finwait COMMAND --help\` says. Exit codes stand in [Errors](errors.md#the-program), variables of the environment
in [Options and variables](options.md#the-environment-of-all-commands).

${sections.join('\n')}`;
}

function help(...args) {
  const env = { ...process.env, NO_COLOR: '1', COLUMNS: '100' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env,
  });
  if (status !== 0) throw new Error(`finwait ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** The description as a paragraph, the rest as it is. */
function section(text) {
  const [description, ...rest] = text.split('\n\n');
  return `${description}\n\n\`\`\`text\n${rest.join('\n\n').trimEnd()}\n\`\`\`\n`;
}

// The options

function options() {
  const sections = OPTIONS.map(
    ({ heading, text, ...what }) =>
      `## ${heading}\n\n${text === undefined ? '' : `${text}\n\n`}${table(what)}`,
  );
  return `<!-- Written by \`npm run reference\` from the comments of the interfaces. -->

# Options and variables

${sections.join('\n\n')}

## The environment of \`finwait run\` and \`finwait/register\`

\`finwait run\` sets them from its options of the same names; what a program starts inherits them.

${variables(VARIABLES)}

## The environment of all commands

${variables(COMMON_VARIABLES)}
`;
}

function variables(all) {
  const rows = Object.entries(all).map(([name, text]) => `| \`${name}\` | ${text} |`);
  return ['| variable | |', '| --- | --- |', ...rows].join('\n');
}

function table({ interfaces, defaults, without = [] }) {
  const members = interfaces.flatMap((place) => membersOf(place, without));
  const rows = members.map(({ name, type, text }) => {
    const value = defaults === undefined ? '' : ` ${size(defaults[name])} |`;
    return `| \`${name}\` | \`${type.replaceAll('|', '\\|')}\` |${value} ${text} |`;
  });
  const value = defaults === undefined ? ['', ''] : [' default |', ' --- |'];
  return [`| option | type |${value[0]} |`, `| --- | --- |${value[1]} --- |`, ...rows].join('\n');
}

/** A number as people write it: 256 KiB, 924,600. */
function size(value) {
  if (typeof value !== 'number') return `\`${value}\``;
  if (value >= 1 << 20 && value % (1 << 20) === 0) return `${value >> 20} MiB`;
  if (value >= 1 << 14 && value % 1024 === 0) return `${value >> 10} KiB`;
  return value.toLocaleString('en');
}

function membersOf(place, without) {
  const [path, name] = place.split(' ');
  const text = readFileSync(new URL(path, ROOT), 'utf8');
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const declaration = source.statements.find(
    (statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  );
  if (declaration === undefined) throw new Error(`${path} has no interface ${name}`);
  const shown = declaration.members.filter(({ name }) => !without.includes(name.text));
  return shown.map((member) => {
    const comment = ts.getJSDocCommentsAndTags(member).map(({ comment }) => comment);
    if (comment.length === 0) throw new Error(`${path}: ${name}.${member.name.text} says nothing`);
    return {
      name: member.name.text,
      type: withoutComments(member.type.getText()).replace(/ \| undefined$/, ''),
      text: ts.getTextOfJSDocComment(comment[0]).replace(/\s+/g, ' ').replaceAll('|', '\\|'),
    };
  });
}

function withoutComments(text) {
  return text.replace(/\/\*\*.*?\*\//gs, '').replace(/\s+/g, ' ');
}

// The errors

function withHints(text) {
  const [begin, end] = MARKS;
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end, from);
  if (from < begin.length || to < 0)
    throw new Error(`${ERRORS} has no place for the hints: ${begin}`);
  return text.slice(0, from) + hints() + text.slice(to);
}

function hints() {
  const rows = HINTS.map(({ code, states, reason, hint }) => {
    const cause =
      { icmp: 'ICMP', rst: 'RST', timeout: 'silence', null: 'nothing yet' }[reason] ?? '';
    return `| \`${code}\` | ${states?.join(', ') ?? ''} | ${cause} | ${hint} |`;
  });
  return ['| `code` | in | by | `error.tcp.hint` |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}
