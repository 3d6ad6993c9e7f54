// The web server: what each path answers. Knows node:http; must not know whose TCP carries it.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BYTES_LIMIT, bytesBlock } from './bytes.js';
import { describeConnection } from './describe.js';
import { htmlPage, routesText, textPage } from './page.js';
import { pour } from './pour.js';
import type { Service, ServiceSocket } from './service.js';

const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';

let block: Buffer | null = null;

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body); // node:http leaves the body out of the answer to HEAD
}

function front(request: IncomingMessage, response: ServerResponse): void {
  const facts = describeConnection(request.socket as ServiceSocket);
  response.setHeader('vary', 'accept');
  response.setHeader('cache-control', 'no-store');
  const wantsHtml = request.headers.accept?.includes('text/html') === true;
  if (wantsHtml) reply(response, 200, HTML, htmlPage(facts));
  else reply(response, 200, TEXT, textPage(facts));
}

function bytes(request: IncomingMessage, response: ServerResponse, text: string): void {
  if (!/^\d+$/.test(text) || BigInt(text) > BYTES_LIMIT) {
    const limit = 'a whole number from 0 to 2^53';
    reply(response, 400, TEXT, `/bytes/N: N must be ${limit}, for example /bytes/1000000\n`);
    return;
  }
  const count = Number(text);
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': String(count),
  });
  block ??= bytesBlock();
  if (request.method === 'HEAD') response.end();
  else pour(response, block, count);
}

function sha256(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256');
  let count = 0;
  request.on('data', (piece: Buffer) => {
    count += piece.length;
    hash.update(piece);
  });
  request.on('end', () => {
    const body = JSON.stringify({ bytes: count, sha256: hash.digest('hex') });
    reply(response, 200, 'application/json', `${body}\n`);
  });
}

function allow(request: IncomingMessage, response: ServerResponse, methods: string[]): boolean {
  if (methods.includes(request.method!)) return true;
  response.setHeader('allow', methods.join(', '));
  reply(response, 405, TEXT, `${request.method} is not for this path; it takes ${methods}\n`);
  return false;
}

/** Answers one request: the routes of `ROUTES`, else 404 with their list. */
export function handleRequest(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url!.replace(/\?.*$/s, '');
  if (path === '/') {
    if (allow(request, response, ['GET', 'HEAD'])) front(request, response);
  } else if (path.startsWith('/bytes/')) {
    if (allow(request, response, ['GET', 'HEAD'])) bytes(request, response, path.slice(7));
  } else if (path === '/sha256') {
    if (allow(request, response, ['POST', 'PUT'])) sha256(request, response);
  } else {
    reply(response, 404, TEXT, `Nothing is at ${path}. There is:\n${routesText()}`);
  }
}

/** A web server that is handed its connections, so that any TCP can carry it. */
export class HttpService implements Service {
  readonly name = 'http';
  readonly port = 80;
  readonly allowHalfOpen = true;
  // A body may take as long as it likes: `/sha256` is there to be sent much.
  private readonly server: Server = createServer({ requestTimeout: 0 }, handleRequest);
  /** Answers that are owed, by connection (several where a client pipelines). */
  private readonly owed = new Map<ServiceSocket, Set<ServerResponse>>();
  private ending = false;

  constructor() {
    this.server.prependListener('request', (request, response) =>
      this.owe(request.socket as ServiceSocket, response),
    );
  }

  onConnection(socket: ServiceSocket): void {
    this.server.emit('connection', socket);
  }

  /** An idle connection ends at once, a busy one after the answers that it is waiting for. */
  endConnection(socket: ServiceSocket): void {
    this.ending = true;
    const responses = this.owed.get(socket);
    if (responses === undefined) socket.end();
    else for (const response of responses) announceClose(response);
  }

  private owe(socket: ServiceSocket, response: ServerResponse): void {
    const responses = this.owed.get(socket) ?? new Set();
    this.owed.set(socket, responses.add(response));
    if (this.ending) announceClose(response);
    response.once('close', () => {
      responses.delete(response);
      if (responses.size > 0) return;
      this.owed.delete(socket);
      if (this.ending) socket.end();
    });
  }
}

function announceClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
