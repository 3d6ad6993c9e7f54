// The kernel's sockets, told what to do line by line on standard input. Knows node:net; must not know
// who is at the other end.
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { byteStream } from './kernel-bytes.mjs';

/** Ends of connections by name: each with its socket, what it read, and a digest of that. */
const ends = new Map();
const listeners = new Map();

function tell(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function adopt(name, socket, paused) {
  const end = { socket, bytes: 0, hash: createHash('sha256'), head: '' };
  ends.set(name, end);
  end.read = (piece) => {
    if (end.head.length < 200) end.head += piece.toString('latin1', 0, 200);
    end.bytes += piece.length;
    end.hash.update(piece);
  };
  if (paused) socket.pause();
  else socket.on('data', end.read);
  const event = (text) => tell({ name, event: text });
  socket.on('connect', () => event('connect'));
  socket.on('end', () => event('end'));
  socket.on('error', ({ code }) => event(`error ${code}`));
  socket.on('close', () => event('close'));
  return end;
}

async function pour(socket, pieces) {
  let written = 0;
  for (const piece of pieces) {
    if (socket.destroyed) break;
    written += piece.length;
    if (!socket.write(piece)) await roomIn(socket);
  }
  return written;
}

function roomIn(socket) {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/**
 * Connects, sends a line, reads the echo; then closes, or lets the other close first. Answers whether
 * all of it went well.
 */
async function converse({ host, port, closes = 'client', text }) {
  const socket = connect({ host, port, allowHalfOpen: true });
  let echo = '';
  let failed = false;
  socket.on('error', () => {
    failed = true;
  });
  socket.on('data', (piece) => {
    echo += piece;
    if (closes === 'client' && echo === text) socket.end();
  });
  socket.on('end', () => socket.end());
  socket.write(text);
  await once(socket, 'close');
  return !failed && echo === text;
}

/** Conversations one after the other; answers how many went well. */
async function series({ count, ...where }) {
  let good = 0;
  for (let i = 0; i < count; i++) {
    if (await converse({ ...where, text: `line ${i}\n` })) good++;
  }
  return good;
}

/** Conversations at once; answers how many went well. */
async function crowd({ count, ...where }) {
  const one = (_, i) => converse({ ...where, text: `${i} of ${count}\n` });
  const results = await Promise.all(Array.from({ length: count }, one));
  return results.filter((good) => good).length;
}

const commands = {
  async listen({ name, host, port = 0, backlog, paused = false }) {
    let accepted = 0;
    const options = { allowHalfOpen: true, pauseOnConnect: paused };
    const server = createServer(options, (socket) => {
      const child = `${name}/${++accepted}`;
      adopt(child, socket, paused);
      tell({ name, event: 'accept', child, port: socket.remotePort });
    });
    listeners.set(name, server);
    server.listen({ host, port, backlog });
    await once(server, 'listening');
    return server.address().port;
  },
  async close({ name }) {
    listeners.get(name).close();
  },
  /** Answers with the local port. */
  async connect({ name, paused, wait = true, ...where }) {
    const socket = connect({ ...where, allowHalfOpen: true, autoSelectFamily: false });
    adopt(name, socket, paused);
    if (wait) await once(socket, 'connect');
    return socket.localPort;
  },
  /** Answers when the kernel has taken all of it. */
  async write({ name, seed, count, text }) {
    const pieces = text === undefined ? byteStream(seed, count) : [Buffer.from(text)];
    return pour(ends.get(name).socket, pieces);
  },
  async end({ name }) {
    ends.get(name).socket.end();
  },
  async destroy({ name }) {
    ends.get(name).socket.destroy();
  },
  async reset({ name }) {
    ends.get(name).socket.resetAndDestroy();
  },
  async pause({ name }) {
    ends.get(name).socket.pause();
  },
  async resume({ name }) {
    const { socket, read } = ends.get(name);
    if (socket.listenerCount('data') === 0) socket.on('data', read);
    socket.resume();
  },
  async status({ name }) {
    const { socket, bytes, hash, head } = ends.get(name);
    const { destroyed } = socket;
    return { bytes, sha256: hash.copy().digest('hex'), head, destroyed };
  },
  series,
  crowd,
  /** Something that is seen on the wire and means nothing to TCP. */
  async datagram({ host, port, text }) {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.send(text, port, host, () => socket.close());
    await once(socket, 'close');
  },
};

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, command, ...rest } = JSON.parse(line);
  commands[command](rest).then(
    (result) => tell({ id, result }),
    (error) => tell({ id, error: error.code ?? String(error) }),
  );
});
lines.on('close', () => process.exit());
tell({ ready: true });
