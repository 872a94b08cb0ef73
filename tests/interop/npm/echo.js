// echo.js [CERT KEY]: the `ws` package as an echo server on a free port of loopback, which it prints.
// It agrees on the subprotocol "chat", and closes with 4001 when it gets the text "bye".
const fs = require('fs');
const { WebSocketServer } = require('ws');

const [cert, key] = process.argv.slice(2);
const tls = { cert: cert && fs.readFileSync(cert), key: key && fs.readFileSync(key) };
const server = cert ? require('https').createServer(tls) : require('http').createServer();
const options = {
  server,
  maxPayload: 1 << 26,
  perMessageDeflate: { threshold: 0, serverNoContextTakeover: false },
  handleProtocols: (names) => (names.has('chat') ? 'chat' : false),
};
new WebSocketServer(options).on('connection', (socket) => {
  socket.on('message', (data, binary) => {
    if (!binary && data.toString() === 'bye') {
      socket.close(4001, 'you said bye');
    } else {
      socket.send(data, { binary });
    }
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
