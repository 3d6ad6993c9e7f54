// Clients of web.mjs by all that Node and its users connect with. Knows nothing of finwait; prints what it sees,
// a line for each, the same wherever it runs.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import Redis from 'ioredis';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';

const host = process.env.SERVER;
const literal = net.isIPv6(host) ? `[${host}]` : host;
const ca = readFileSync(process.env.TLS_CERT);
const body = Buffer.alloc(1_000_000, 'there and back ');
const sum = (data) => createHash('sha256').update(data).digest('hex').slice(0, 8);

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const show = (name, ...what) => console.log(name, ...what);

async function byHttp(name, module, options) {
  const agent = new module.Agent({ keepAlive: true, ca });
  for (const round of [1, 2]) {
    const sent = module.request({ host, method: 'POST', agent, ...options });
    sent.end(body);
    const [response] = await once(sent, 'response');
    const data = await collect(response);
    show(name, round, response.statusCode, sum(data), sent.reusedSocket);
  }
  agent.destroy();
}

async function byHttp2(name, authority) {
  const session = http2.connect(authority, { ca });
  const streams = [1, 2, 3].map(() => session.request({ ':method': 'POST' }).end(body));
  const answers = await Promise.all(streams.map(collect));
  show(name, session.alpnProtocol, ...answers.map(sum));
  session.close();
  await once(session, 'close');
}

async function byWebSocket(name, url) {
  const socket = new WebSocket(url, { ca });
  await once(socket, 'open');
  socket.send('text');
  const [text] = await once(socket, 'message');
  socket.send(body);
  const [binary] = await once(socket, 'message');
  show(name, String(text), sum(binary));
  socket.close(1000, 'done');
  const [code] = await once(socket, 'close');
  show(name, code);
}

/** The events of a session of TLS that the server ends, in order or not. */
async function byTls(name, word, options) {
  const socket = tls.connect({ host, port: 9443, ca, ...options });
  const seen = [];
  for (const event of ['secureConnect', 'end', 'close']) socket.on(event, () => seen.push(event));
  socket.on('error', (error) => seen.push(error.code));
  socket.on('data', (data) => seen.push(String(data)));
  await once(socket, 'secureConnect');
  socket.write(word);
  if (!socket.destroyed) await new Promise((resolve) => socket.on('close', resolve));
  show(name, seen.join(' '));
}

async function byRedis() {
  const redis = new Redis({ host, port: 6379 });
  const replies = await redis.pipeline().set('key', body).strlen('key').incr('count').exec();
  show('ioredis', JSON.stringify(replies.slice(0, 2)), sum(await redis.getBuffer('key')));
  const error = await redis.call('NOSUCH').catch((e) => e);
  show('ioredis', error.name);
  await redis.quit();
}

await byHttp('http', http, { port: 80 });
await byHttp('https', https, { port: 443 });
await byHttp2('http2', `https://${literal}:8443`);
await byHttp2('h2c', `http://${literal}:8080`);

const fetched = await fetch(`http://${literal}/large`);
show('fetch', fetched.status, sum(Buffer.from(await fetched.arrayBuffer())));
const echoed = await fetch(`http://${literal}/`, { method: 'POST', body });
show('fetch', echoed.status, sum(Buffer.from(await echoed.arrayBuffer())));

for (const allowH2 of [false, true]) {
  const dispatcher = new Agent({ connect: { ca }, allowH2 });
  const reply = await request(`https://${literal}:8443/`, { method: 'POST', body, dispatcher });
  show('undici', reply.statusCode, sum(await collect(reply.body)));
  await dispatcher.close();
}

await byWebSocket('ws', `ws://${literal}`);
await byWebSocket('wss', `wss://${literal}`);
await byTls('tls', 'bye');
await byTls('tls', 'cut');
// Over a socket that is still on its way, as programs with a proxy do.
const below = net.connect({ host, port: 9443 });
await byTls('tls over a socket', 'bye', { socket: below, servername: 'localhost' });

const refused = net.connect({ host, port: 4 });
const [error] = await once(refused, 'error');
show('refused', error.message.replace(host, 'HOST'), error.code, error.errno, error.syscall);

if (process.env.REDIS) await byRedis();
