// A cluster of two workers. Knows nothing of finwait.

import cluster from 'node:cluster';
import { once } from 'node:events';
import http from 'node:http';

if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()];
  await Promise.all(workers.map((worker) => once(worker, 'listening')));
  console.log('ready');
} else {
  http.createServer((_, response) => response.end(`worker ${cluster.worker.id}\n`)).listen(4000);
}
