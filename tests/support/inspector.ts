// A debugger's end of a process under `--inspect-brk`: the Chrome DevTools Protocol over a WebSocket, as
// far as tests need it (RFC 6455 without fragments). Knows messages; must not know what is debugged.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

type Parameters = Record<string, unknown>;

export interface Script {
  scriptId: string;
  url: string;
  sourceMapURL: string;
}

export interface Paused {
  callFrames: { callFrameId: string; functionName: string; location: { scriptId: string } }[];
}

interface Message {
  id?: number;
  method?: string;
  params?: Parameters;
  result?: Parameters;
  error?: { message: string };
}

const TEXT = 0x81;
const MASKED = 0x80;

export class Inspector {
  /** All scripts that have been compiled so far. */
  readonly scripts: Script[] = [];
  private readonly socket: Socket;
  private readonly answers = new Map<number, (message: Message) => void>();
  private readonly pauses: Paused[] = [];
  private wake = () => {};
  private input = Buffer.alloc(0);
  private lastId = 0;

  private constructor(socket: Socket, rest: Buffer) {
    this.socket = socket;
    socket.on('data', (chunk) => this.take(chunk));
    socket.on('close', () => this.wake());
    this.take(rest);
  }

  /** @param url `ws://127.0.0.1:PORT/ID`, as Node prints it */
  static async attach(url: string): Promise<Inspector> {
    const { hostname, port, pathname } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\n` +
        `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    let head = Buffer.alloc(0);
    while (!head.includes('\r\n\r\n')) {
      const [chunk] = await new Promise<[Buffer]>((resolve, reject) => {
        socket.once('data', (data) => resolve([data]));
        socket.once('error', reject);
      });
      head = Buffer.concat([head, chunk]);
    }
    const end = head.indexOf('\r\n\r\n') + 4;
    return new Inspector(socket, head.subarray(end));
  }

  /** Calls a method of the protocol. */
  call(method: string, params: Parameters = {}): Promise<Parameters> {
    const id = ++this.lastId;
    this.socket.write(frame(JSON.stringify({ id, method, params })));
    return new Promise((resolve, reject) => {
      this.answers.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }

  /** The next pause, or null when the process has ended. */
  async paused(): Promise<Paused | null> {
    while (this.pauses.length === 0 && !this.socket.closed) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.pauses.shift() ?? null;
  }

  /** Sets a breakpoint where a line of TypeScript went, as the source map of its script says. */
  async breakAt(source: string, line: number): Promise<void> {
    const script = this.scripts.find(({ url }) =>
      url.endsWith(source.replace(/^src(.*)\.ts$/, 'dist$1.js')),
    );
    if (script === undefined) throw new Error(`Nothing was compiled from ${source}`);
    const place = generatedPlace(script, source, line);
    const answer = await this.call('Debugger.setBreakpointByUrl', { url: script.url, ...place });
    const { locations } = answer as { locations: { lineNumber: number }[] };
    if (locations[0]?.lineNumber !== place.lineNumber) {
      throw new Error(`The breakpoint at ${source}:${line} is not bound`);
    }
  }

  /** The script in which the process stands. */
  scriptOf({ callFrames }: Paused): string | undefined {
    const { scriptId } = callFrames[0]!.location;
    return this.scripts.find((script) => script.scriptId === scriptId)?.url;
  }

  /** The value of an expression where the process stands. */
  async evaluate({ callFrames }: Paused, expression: string): Promise<unknown> {
    const { callFrameId } = callFrames[0]!;
    const params = { callFrameId, expression, returnByValue: true };
    const { result } = await this.call('Debugger.evaluateOnCallFrame', params);
    return (result as { value: unknown }).value;
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.input = Buffer.concat([this.input, chunk]);
    for (let text = this.nextText(); text !== null; text = this.nextText()) {
      this.receive(JSON.parse(text) as Message);
    }
  }

  private receive(message: Message): void {
    if (message.id !== undefined) {
      this.answers.get(message.id)?.(message);
      this.answers.delete(message.id);
    } else if (message.method === 'Debugger.scriptParsed') {
      this.scripts.push(message.params as unknown as Script);
    } else if (message.method === 'Debugger.paused') {
      this.pauses.push(message.params as unknown as Paused);
      this.wake();
    }
  }

  /** RFC 6455 §5.2; what a server sends is not masked. */
  private nextText(): string | null {
    const { input } = this;
    if (input.length < 2) return null;
    let [length, start] = [input[1]!, 2];
    if (length === 126 && input.length >= 4) [length, start] = [input.readUInt16BE(2), 4];
    else if (length === 127 && input.length >= 10) {
      [length, start] = [Number(input.readBigUInt64BE(2)), 10];
    } else if (length >= 126) return null;
    if (input.length < start + length) return null;
    this.input = input.subarray(start + length);
    return input.toString('utf8', start, start + length);
  }
}

/** A text in one frame; a mask of zeros is one, too. */
function frame(text: string): Buffer {
  const data = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = TEXT;
  head[1] = MASKED | 126;
  head.writeUInt16BE(data.length, 2);
  return Buffer.concat([head, data]);
}

/** Where the first code of a line of the source stands in its script; counts from 0, as the protocol. */
function generatedPlace(script: Script, source: string, line: number) {
  const map = JSON.parse(
    readFileSync(fileURLToPath(new URL(script.sourceMapURL, script.url)), 'utf8'),
  );
  const origins = new SourceMap(map);
  const code = readFileSync(fileURLToPath(script.url), 'utf8').split('\n');
  for (const [lineNumber, text] of code.entries()) {
    const columnNumber = text.search(/\S/);
    const entry = origins.findEntry(lineNumber, Math.max(columnNumber, 0));
    if (!('originalLine' in entry) || columnNumber < 0) continue;
    if (entry.originalLine === line - 1 && entry.originalSource.endsWith(source)) {
      return { lineNumber, columnNumber };
    }
  }
  throw new Error(`${source}:${line} has no code`);
}
