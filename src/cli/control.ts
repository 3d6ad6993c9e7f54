// How one finwait process asks another: JSON lines over a Unix socket. Must not know the questions.

import { lstatSync, mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { EXIT_FAILED, errorCode, Failure } from './failure.js';

// A request is one line, {"command": "...", ...arguments}; the answer is one line,
// {"result": ...} or {"error": "..."}. A connection may carry any number of them, one after another.
const MAX_REQUEST = 64 * 1024;
const ANSWER_WITHIN_MS = 5000;
const SUFFIX = '.sock';

export type Request = { command: string } & Record<string, unknown>;
/** What each command answers, or a promise of it. */
export type Handlers = Readonly<Record<string, (request: Request) => unknown>>;

/** Somebody who has taken over a connection: gets its lines, and is told when it is gone. */
export interface Conversation {
  line(text: string): void;
  end(): void;
}

/** Whoever has begun a conversation. */
export interface Caller {
  /** Puts one message into a line. */
  tell(message: unknown): void;
  /** Bytes that wait for it to read. */
  readonly unread: number;
}

/** What each command begins that is not one question. */
export type Conversations = Readonly<Record<string, (caller: Caller) => Conversation>>;

/** Where stacks have their sockets instead: those of one place do not see those of another. */
const RUNTIME_DIRECTORY = 'FINWAIT_RUNTIME_DIR';

/** Directories in which stacks of this user may have their sockets, the preferred one first. */
export function runtimeDirectories(): string[] {
  const uid = process.getuid!();
  const chosen = process.env[RUNTIME_DIRECTORY];
  if (chosen !== undefined && chosen !== '') return [chosen];
  const own = process.env.XDG_RUNTIME_DIR;
  return [
    ...(own !== undefined && isOurs(own) ? [join(own, 'finwait')] : []),
    ...(uid === 0 ? ['/run/finwait'] : []),
    `/tmp/finwait-${uid}`,
  ];
}

/** Whether it is a directory of this user's; a link is not. */
function isOurs(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === process.getuid!();
}

/** Makes a directory that nobody else can enter; throws where somebody else has made it. */
function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = lstatSync(path);
  if (!isOurs(path) || (stat.mode & 0o077) !== 0) {
    throw new Error(`${path} is not private to this user`);
  }
}

/** The socket at which a running stack answers; gone when the process ends. */
export class ControlServer {
  readonly path: string;
  private readonly server: net.Server;
  private readonly sockets = new Set<net.Socket>();
  private readonly handlers: Handlers;
  private readonly conversations: Conversations;

  private constructor(path: string, handlers: Handlers, conversations: Conversations) {
    this.path = path;
    this.handlers = handlers;
    this.conversations = conversations;
    this.server = net.createServer((socket) => this.serve(socket));
    process.on('exit', this.removeFile);
  }

  /** Opens it in the first runtime directory that can be had; throws the last error when none can. */
  static async open(
    name: string,
    handlers: Handlers,
    conversations: Conversations = {},
  ): Promise<ControlServer> {
    let failure: unknown;
    for (const directory of runtimeDirectories()) {
      try {
        makePrivate(directory);
        const path = join(directory, socketName(name));
        const control = new ControlServer(path, handlers, conversations);
        await control.listen();
        return control;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Answers nobody any more, and removes the socket. */
  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    process.off('exit', this.removeFile);
    this.removeFile();
  }

  private readonly removeFile = (): void => rmSync(this.path, { force: true });

  private listen(): Promise<void> {
    this.removeFile(); // left by a process of the same number that was killed
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      const mask = process.umask(0o177);
      this.server.listen(this.path, resolve); // binds, and so makes the file, before it returns
      process.umask(mask);
      this.server.unref();
    });
  }

  private serve(socket: net.Socket): void {
    this.sockets.add(socket);
    socket.unref().setEncoding('utf8');
    socket.on('error', () => {}); // whoever asked is gone
    let text = '';
    let last = Promise.resolve();
    let conversation: Conversation | null = null;
    socket.on('close', () => {
      this.sockets.delete(socket);
      conversation?.end();
    });
    socket.on('data', (piece: string) => {
      const lines = (text + piece).split('\n');
      text = lines.pop()!;
      if (text.length > MAX_REQUEST) socket.destroy();
      // In order: each answer waits for those before it.
      for (const line of lines) {
        if (conversation !== null) {
          hand(conversation, line, socket);
          continue;
        }
        conversation = this.converse(line, socket);
        if (conversation !== null) continue;
        const before = last;
        last = this.answer(line).then(async (answer) => {
          await before;
          if (socket.writable) socket.write(`${answer}\n`);
        });
      }
    });
  }

  /** Gives the connection to whom the line asks for; null where it is a question. */
  private converse(line: string, socket: net.Socket): Conversation | null {
    const command = /^\{"command":"(\w+)"\}$/.exec(line)?.[1] ?? '';
    if (!Object.hasOwn(this.conversations, command)) return null;
    return this.conversations[command]!({
      tell: (message) => {
        if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
      },
      get unread() {
        return socket.writableLength;
      },
    });
  }

  private async answer(line: string): Promise<string> {
    try {
      const request = JSON.parse(line) as Request;
      if (!Object.hasOwn(this.handlers, request.command)) {
        throw new Error(`unknown command ${request.command}`);
      }
      const result = await this.handlers[request.command]!(request);
      return JSON.stringify({ result: result ?? null });
    } catch (error) {
      return JSON.stringify({ error: (error as Error).message });
    }
  }
}

/** Nonsense from outside ends the conversation, and nothing else. */
function hand(conversation: Conversation, line: string, socket: net.Socket): void {
  try {
    conversation.line(line);
  } catch (error) {
    socket.destroy(error as Error);
  }
}

/** The process number makes the file unique: stacks in different namespaces may share a name. */
function socketName(name: string): string {
  return `${name}.${process.pid}${SUFFIX}`;
}

/** Sockets of this user's stacks that may be alive. */
export function controlSockets(): string[] {
  return runtimeDirectories().flatMap((directory) => {
    if (!isOurs(directory)) return [];
    const names = readdirSync(directory).filter((name) => name.endsWith(SUFFIX));
    return names.sort().map((name) => join(directory, name));
  });
}

/** Processes of this user that may have a stack. */
export function stackProcesses(): number[] {
  return controlSockets().map(processOf);
}

function processOf(path: string): number {
  return Number(/\.(\d+)\.sock$/.exec(path)?.[1]);
}

/** Whether the process that made a socket has ended, so that the socket is only a file. */
function isOrphan(path: string): boolean {
  try {
    process.kill(processOf(path), 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/**
 * Asks the stack at `path`. Null where nobody is there any more (a socket that a killed process left
 * is then removed); a failure where it refuses or does not answer in time.
 */
export async function ask(path: string, request: Request): Promise<unknown> {
  try {
    const answer = JSON.parse(await exchange(path, `${JSON.stringify(request)}\n`)) as {
      result?: unknown;
      error?: string;
    };
    if (answer.error === undefined) return answer.result;
    throw new Error(answer.error);
  } catch (error) {
    if (/^(ECONNREFUSED|ENOENT)$/.test(errorCode(error))) {
      if (isOrphan(path)) unlinkSync(path);
      return null;
    }
    throw new Failure(
      EXIT_FAILED,
      `the stack at ${path} does not answer "${request.command}": ${(error as Error).message}`,
      'end that process and start it again',
      error,
    );
  }
}

function exchange(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path, () => socket.write(line));
    const pieces: string[] = [];
    socket.setEncoding('utf8').setTimeout(ANSWER_WITHIN_MS);
    socket.on('data', (piece: string) => {
      pieces.push(piece);
      if (!piece.endsWith('\n')) return;
      resolve(pieces.join(''));
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy(new Error('no answer in time')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('it hung up')));
  });
}
