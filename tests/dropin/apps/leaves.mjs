// Ends itself in the middle of an answer, or waits to be ended. Knows nothing of finwait.

import http from 'node:http';

http
  .createServer((request, response) => {
    if (request.url === '/all') {
      response.end(Buffer.alloc(4_000_000), () => process.exit());
      return;
    }
    response.write('half of it');
    if (request.url === '/leave') setTimeout(() => process.exit(4), 50);
  })
  .listen(4002, () => console.log('ready'));
