// Ends itself in the middle of an answer. Knows nothing of finwait.

import http from 'node:http';

http
  .createServer((_, response) => {
    response.write('half of it');
    setTimeout(() => process.exit(4), 50);
  })
  .listen(4002, () => console.log('ready'));
