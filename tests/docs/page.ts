// Reads a page of the documentation as what it promises: what a reader may type, and what is then printed.
// Knows the marks in its code blocks; must not know what the commands and programs do.
//
// Every block begins with ``` at the beginning of a line, and says what it is:
//
//   ```console            a session at a terminal
//       $ COMMAND         runs; lines that end with a backslash go on, lines that begin with `> ` belong to it
//       ^C                ends the command that was left running last
//       other lines       are what the last command, or the one that was ended, has printed since
//   ```sh                 commands to be copied: runs as one script, each of them has to succeed
//   ```ts  ```js          a module of its own: runs to its end with exit code 0. TypeScript is checked before
//   ```ts FILE            is written to FILE, for the commands that follow; so is any other language (json FILE)
//   ```json               has to be JSON, also where it is written to a file
//   ```text output        what the block before has printed: console sessions show it themselves
//
// `running` at the end (```console running, ```sh running, ```js running): the last command goes on, and
// what is shown is how it begins. It gets Ctrl-C where a session says ^C, or at the end of the page.
//
// What is printed and what is shown are the same when they are the same after this: a number with a
// decimal point, or of five digits and more, is any number; blanks and lines of a drawing are as long as
// they need be; `…` stands for any text in a line, and alone on a line for any lines.
//
// On the line before a block:
//   <!-- by `npm run X` -->     it was written by scripts/X.mjs, which CI runs with --check
//   <!-- not run: WHY -->       it cannot be run here. There may be very few of these.
// In the first line of a page:
//   <!-- Written by `npm run X` … -->      all of it was
//   <!-- tested in a clone -->             its commands run in a copy of the repository, not in an empty folder
//   <!-- tested as a user -->              by a user without rights, where anybody may open /dev/net/tun

import { readFileSync } from 'node:fs';

/** What is printed, as the page shows it. */
export interface Shown {
  text: string;
  /** Of its first line, from 1. */
  line: number;
}

export interface Step {
  /** command: for a shell; script: several that have to succeed; module: for Node; end: of what runs; file: to be written. */
  kind: 'command' | 'script' | 'module' | 'end' | 'file';
  /** Of the page, from 1. */
  line: number;
  language: string;
  text: string;
  /** Null where nothing is shown, though something may be printed. */
  shown: Shown | null;
  /** Whether it is left running. */
  running: boolean;
  /** Of a file. */
  path: string | null;
}

export interface Page {
  path: string;
  steps: Step[];
  /** TypeScript, to be checked. */
  modules: { line: number; text: string; path: string | null }[];
  /** Reasons why something is not run. */
  notRun: { line: number; reason: string }[];
  /** Names of scripts that wrote something. */
  writers: string[];
  /** Files that the page links to, or shows; with what follows `#`. */
  links: string[];
  /** What links within the page may name. */
  anchors: string[];
  inClone: boolean;
  asUser: boolean;
}

interface Block {
  info: string[];
  /** Of the first line in it, from 1. */
  line: number;
  lines: string[];
  /** The line before it. */
  mark: string;
}

const WRITTEN = /^<!-- (?:Written )?by `npm run ([\w:-]+)`/;
const NOT_RUN = /^<!-- not run: (.+) -->$/;
const MODULES = ['ts', 'js'];

export function readPage(path: string): Page {
  const text = readFileSync(path, 'utf8');
  const [first = ''] = text.split('\n');
  const page: Page = {
    ...{ path, steps: [], modules: [], notRun: [], writers: [] },
    links: [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link!)
      .filter((link) => !/^https?:/.test(link)),
    anchors: [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading!)),
    inClone: first.startsWith('<!-- tested') && first.includes('in a clone'),
    asUser: first.startsWith('<!-- tested') && first.includes('as a user'),
  };
  const writer = WRITTEN.exec(first)?.[1];
  if (writer !== undefined) page.writers.push(writer);
  else for (const block of blocks(path, text)) readBlock(page, block);
  return page;
}

/** What GitHub calls a heading. */
function anchor(heading: string): string {
  return heading
    .replace(/`|\[|\]\([^)]*\)/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function blocks(path: string, text: string): Block[] {
  const found: Block[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    if (/^\s+```|^\s*~~~/.test(lines[i]!)) throw complaint(path, i + 1, 'begin blocks with ```');
    const info = /^```(.*)$/.exec(lines[i]!)?.[1];
    if (info === undefined) continue;
    const end = lines.indexOf('```', i + 1);
    const words = info.split(' ').filter((word) => word !== '');
    const mark = lines[i - 1] ?? '';
    found.push({ info: words, line: i + 2, lines: lines.slice(i + 1, end), mark });
    i = end;
  }
  return found;
}

function readBlock(page: Page, block: Block): void {
  const { line, mark } = block;
  const writer = WRITTEN.exec(mark)?.[1];
  const reason = NOT_RUN.exec(mark)?.[1];
  const [language = '', ...words] = block.info;
  const text = `${block.lines.join('\n')}\n`;
  const running = words.at(-1) === 'running';
  const [path = null] = running ? words.slice(0, -1) : words;
  const step = { line, language, text, shown: null, running, path };
  if (language === 'json') JSON.parse(text);
  if (language === 'ts' && reason === undefined) page.modules.push({ line, text, path });

  if (writer !== undefined) page.writers.push(writer);
  else if (reason !== undefined) page.notRun.push({ line, reason });
  else if (language === 'console') page.steps.push(...session(page.path, block, running));
  else if (language === 'text' && path === 'output') show(page, block);
  else if (path !== null) page.steps.push({ ...step, kind: 'file' });
  else if (language === 'sh') page.steps.push({ ...step, kind: 'script' });
  else if (MODULES.includes(language)) page.steps.push({ ...step, kind: 'module' });
  else if (language !== 'json')
    throw complaint(page.path, line, `nobody knows how to test a block \`${language}\``);
}

function show(page: Page, { line, lines }: Block): void {
  const last = page.steps.at(-1);
  if (last === undefined || last.shown !== null) {
    throw complaint(page.path, line, 'this is the output of nothing');
  }
  last.shown = { text: `${lines.join('\n')}\n`, line };
}

function session(path: string, { line, lines }: Block, running: boolean): Step[] {
  const steps: Step[] = [];
  const common = { language: 'console', path: null, running: false };
  let inCommand = false;
  for (const [i, text] of lines.entries()) {
    const last = steps.at(-1);
    if (text === '^C' || text.startsWith('$ ')) {
      const shown = { text: '', line: line + i + 1 };
      const kind = text === '^C' ? 'end' : 'command';
      steps.push({ ...common, kind, line: line + i, text: text.slice(2), shown });
      inCommand = kind === 'command';
    } else if (inCommand && (last!.text.endsWith('\\') || text.startsWith('> '))) {
      last!.text += `\n${text.replace(/^> /, '')}`;
      last!.shown!.line++;
    } else {
      inCommand = false;
      if (last === undefined) throw complaint(path, line + i, 'output without a command');
      last.shown!.text += `${text}\n`;
    }
  }
  if (running) steps.at(-1)!.running = true;
  return steps;
}

function complaint(path: string, line: number, what: string): Error {
  return new Error(`${path}:${line}: ${what}; tests/docs/page.ts has the rules`);
}

/** Whether a command has printed what the page shows; `partly`: so far. */
export function agrees(shown: string, printed: string, partly = false): boolean {
  const lines = normal(shown).map((line) =>
    line === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(quoted).join('.*')}\\n`,
  );
  const pattern = new RegExp(`^${lines.join('')}${partly ? '' : '$'}`);
  return pattern.test(`${normal(printed).join('\n')}\n`) || (lines.length === 0 && printed === '');
}

/** Lines without what differs from run to run; empty lines at both ends do not count. */
export function normal(text: string): string[] {
  const lines = text.trim().split('\n').map(normalLine);
  return lines.length === 1 && lines[0] === '' ? [] : lines;
}

function normalLine(line: string): string {
  return line
    .replace(/(?<![\d.])\d+\.\d+(?![\d.])/g, '#')
    .replace(/\b\d{5,}\b/g, '#')
    .replace(/─+/g, '─')
    .replace(/═+/g, '═')
    .replace(/\s+/g, ' ')
    .trim();
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
