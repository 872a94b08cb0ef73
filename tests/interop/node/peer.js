// Usage: peer.js serve CERT KEY GROUPS  - prints its port, answers each connection with a page
//        peer.js get PORT CA GROUPS     - asks for /, prints the status line and the TLS version
'use strict';
const fs = require('fs');
const tls = require('tls');

const [mode, first, second, groups] = process.argv.slice(2);
const common = { ecdhCurve: groups, minVersion: 'TLSv1.3' };

function serve(cert, key) {
  const options = { ...common, cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
  const server = tls.createServer(options, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n');
    });
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

function get(port, ca) {
  const options = { ...common, host: '127.0.0.1', port: Number(port), servername: 'localhost',
    ca: fs.readFileSync(ca) };
  let text = '';
  const socket = tls.connect(options, () => {
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  });
  socket.on('data', (data) => { text += data; });
  socket.on('end', () => console.log(`${text.split('\r\n')[0]} ${socket.getProtocol()}`));
  socket.on('error', (error) => { console.error(error.message); process.exitCode = 1; });
}

(mode === 'serve' ? serve : get)(first, second);
