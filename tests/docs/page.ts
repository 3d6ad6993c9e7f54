// Reads a page of the documentation as what it promises: commands, and what they print. Knows the marks
// in its code blocks; must not know what the commands do.
//
// In a block ```console:
//   $ COMMAND     runs; lines that end with a backslash go on, lines that begin with `> ` belong to it
//   ^C            ends the command that was left running last
//   other lines   are what the last command, or the one that was ended, has printed since
// In a block ```console running, the last command goes on; what is shown is how it begins.
//
// What is printed and what is shown are the same when they are the same after this: a number with a
// decimal point, or of five digits and more, is any number; blanks and lines of a drawing are as long as
// they need be; `…` stands for any text in a line, and alone on a line for any lines.

import { readFileSync } from 'node:fs';

export interface PageCommand {
  /** Of the page, from 1. */
  line: number;
  /** For a shell; null to end what runs. */
  text: string | null;
  output: string;
  /** Whether it is left running. */
  running: boolean;
}

export interface Page {
  commands: PageCommand[];
  /** Files that the page links to, or shows. */
  links: string[];
}

export function readPage(path: string): Page {
  const text = readFileSync(path, 'utf8');
  const commands = blocks(text).flatMap(({ info, line, lines }) => readBlock(info, line, lines));
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link]) => link!);
  return { commands, links: links.filter((link) => !link.startsWith('http')) };
}

function blocks(text: string) {
  const found: { info: string; line: number; lines: string[] }[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const info = /^```(\S.*)$/.exec(lines[i]!)?.[1];
    if (info === undefined) continue;
    const end = lines.indexOf('```', i);
    found.push({ info, line: i + 2, lines: lines.slice(i + 1, end) });
    i = end;
  }
  return found.filter((block) => block.info.startsWith('console'));
}

function readBlock(info: string, line: number, lines: string[]): PageCommand[] {
  const commands: PageCommand[] = [];
  let inCommand = false;
  for (const [i, text] of lines.entries()) {
    const last = commands.at(-1);
    if (text === '^C' || text.startsWith('$ ')) {
      const command = text === '^C' ? null : text.slice(2);
      commands.push({ line: line + i, text: command, output: '', running: false });
      inCommand = command !== null;
    } else if (inCommand && (last!.text!.endsWith('\\') || text.startsWith('> '))) {
      last!.text += `\n${text.replace(/^> /, '')}`;
    } else {
      inCommand = false;
      if (last === undefined) throw new Error(`line ${line + i}: output without a command`);
      last.output += `${text}\n`;
    }
  }
  if (info.includes('running')) commands.at(-1)!.running = true;
  return commands;
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
