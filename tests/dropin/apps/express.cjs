// A small application of express, in CommonJS. Knows nothing of finwait.

const express = require('express');

const app = express();
app.use(express.json());
app.get('/', (request, response) => response.send(`express says hello to ${request.query.name}`));
app.post('/sum', (request, response) => response.json({ sum: request.body.a + request.body.b }));

if (require.main === module) app.listen(3000, () => console.log('ready'));
