// A program that is server and client at once, in CommonJS. Knows nothing of finwait.

const http = require('node:http');
const net = require('node:net');

const server = http.createServer((request, response) => response.end(`hello ${request.url}`));
server.listen(0, 'localhost', async () => {
  const { port } = server.address();
  for (const host of ['localhost', '127.0.0.1']) {
    const response = await fetch(`http://${host}:${port}/${host}`);
    console.log(response.status, await response.text());
  }
  server.close();
  server.closeAllConnections();
  const six = net
    .createServer((socket) => socket.end(socket.remoteAddress))
    .listen(0, '::1', () => {
      net.connect(six.address().port, '::1').on('data', (data) => {
        console.log(String(data));
        six.close();
        process.exitCode = 7;
      });
    });
});
