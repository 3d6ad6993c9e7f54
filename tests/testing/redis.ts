// As much of a Redis server as its clients need in tests: it keeps strings. Knows RESP 2; must not know
// what happens to its answers.

import type { Socket } from 'node:net';

type Command = readonly string[];

/** Each connection has the same strings. */
export function redis(strings = new Map<string, string>()): (socket: Socket) => void {
  return (socket) => {
    let unread = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      unread += text;
      for (let next = takeCommand(unread); next !== null; next = takeCommand(unread)) {
        unread = next.rest;
        socket.write(answer(next.command, strings), 'latin1');
      }
    });
    socket.on('end', () => socket.end());
  };
}

/** `*2\r\n$3\r\nGET\r\n$1\r\na\r\n`, or null while it is not complete. */
function takeCommand(text: string): { command: Command; rest: string } | null {
  const lines = text.split('\r\n');
  const words = Number(lines[0]!.slice(1));
  if (lines.length < 2 * words + 2) return null;
  const command = Array.from({ length: words }, (_, i) => lines[2 * i + 2]!);
  return { command, rest: lines.slice(2 * words + 1).join('\r\n') };
}

function answer([name, key = '', value = '']: Command, strings: Map<string, string>): string {
  switch (name!.toUpperCase()) {
    case 'SET':
      strings.set(key, value);
      return '+OK\r\n';
    case 'GET': {
      const string = strings.get(key);
      return string === undefined ? '$-1\r\n' : `$${string.length}\r\n${string}\r\n`;
    }
    case 'INFO':
      return '$9\r\nloading:0\r\n';
    default:
      return '+OK\r\n';
  }
}
