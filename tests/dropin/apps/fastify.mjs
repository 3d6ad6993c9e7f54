// A small application of fastify, in ES modules, that ends in order when it is told to. Knows nothing of
// finwait.

import Fastify from 'fastify';

const app = Fastify({ forceCloseConnections: true });
app.get('/', async (request) => ({ hello: request.query.name, from: request.ip }));
app.post('/echo', async (request) => request.body);
process.once('SIGTERM', async () => {
  await app.close();
  console.log('closed in order');
});
await app.listen({ port: 3001, host: '::' });
console.log('ready');
