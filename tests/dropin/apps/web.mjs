// A server of many protocols, as anybody might write it. Knows nothing of finwait: the tests run it with and
// without.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import tls from 'node:tls';
import { WebSocketServer } from 'ws';

const credentials = {
  key: readFileSync(process.env.TLS_KEY),
  cert: readFileSync(process.env.TLS_CERT),
};

/** Takes its time, so that whoever sends has to wait. */
function slowly(request) {
  let bytes = 0;
  const sink = new Writable({
    write(chunk, _, done) {
      bytes += chunk.length;
      setImmediate(done);
    },
  });
  return pipeline(request, sink).then(() => bytes);
}

async function answer(request, response) {
  if (request.method === 'PUT') {
    const before = process.memoryUsage().rss;
    const bytes = await slowly(request);
    const grown = (process.resourceUsage().maxRSS * 1024 - before) >> 20;
    response.end(`${JSON.stringify({ bytes, grownMiB: grown })}\n`);
  } else if (request.method === 'POST') {
    request.pipe(response);
  } else if (request.url === '/large') {
    response.end(Buffer.alloc(5_000_000, 'finwait '));
  } else {
    response.end(`hello over HTTP/${request.httpVersion}\n`);
  }
}

const web = http.createServer(answer).listen(80);
const secure = https.createServer(credentials, answer).listen(443);
http2.createSecureServer({ ...credentials, allowHTTP1: true }, answer).listen(8443);
http2.createServer(answer).listen(8080);

for (const server of [web, secure]) {
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
}

// Says goodbye as TLS wants it, or closes the connection below without a word of TLS's.
net
  .createServer((below) => {
    const socket = new tls.TLSSocket(below, { isServer: true, ...credentials });
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (String(data).startsWith('cut')) below.end();
      else socket.end(`goodbye ${data}`);
    });
  })
  .listen(9443, () => console.log('ready'));
