#!/usr/bin/env python3
"""What get_state.py, get_send.py and get_more.py look at, over HTTP/2: against Node.js."""
import hashlib
import json
import os
import time

from get_support import GetTest, Peer, free_port
from support import main, need

BIG = os.urandom(3_000_000)
WHOLE = bytes(range(256)) * 40

NODE = """
const http2 = require('http2'), fs = require('fs'), crypto = require('crypto');
const server = http2.createSecureServer({
    key: fs.readFileSync(process.argv[3]), cert: fs.readFileSync(process.argv[4]),
});
const whole = Buffer.alloc(10240, Buffer.from([...Array(256).keys()]));
let busy = 2;
function answer(req, res) {
    const hash = crypto.createHash('sha256');
    let bytes = 0;
    req.on('data', piece => { hash.update(piece); bytes += piece.length; });
    req.on('error', () => {});
    req.on('end', () => {
        const from = /bytes=(\\d+)-/.exec(req.headers.range || '');
        if (req.url === '/busy' && busy-- > 0) {
            res.writeHead(503, {'retry-after': '1'});
            res.end('busy');
        } else if (req.url === '/range' && from) {
            const first = Number(from[1]);
            res.writeHead(206, {'content-range': `bytes ${first}-10239/10240`});
            res.end(whole.subarray(first));
        } else if (req.url === '/page') {
            res.writeHead(200, {'content-type': 'text/html'});
            res.end('\\\\n<script src=http://a.example/x.js></script>');
        } else if (req.url === '/there') {
            res.writeHead(307, {location: '/echo'});
            res.end();
        } else {
            res.writeHead(200, {'content-type': 'application/json',
                                'set-cookie': ['one=1; Path=/', 'two=2; Path=/']});
            res.end(JSON.stringify({method: req.method, bytes, sha: hash.digest('hex'),
                                    headers: req.headers}) + '\\\\n');
        }
    });
}
server.on('request', answer);
server.on('checkContinue', (req, res) => {
    if (req.url === '/no') { res.writeHead(413); res.end('no'); return; }
    if (req.url !== '/silent') res.writeContinue();
    answer(req, res);
});
server.listen(Number(process.argv[2]), '127.0.0.1');
""".replace("\\\\n", "\\n")


class Http2(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        need("node")
        cls.cert, cls.key = cls.ca.leaf()
        script = cls.folder / "server.js"
        script.write_text(NODE)
        cls.big = cls.folder / "big"
        cls.big.write_bytes(BIG)
        cls.sha = hashlib.sha256(BIG).hexdigest()
        port = free_port()
        cls.peer = Peer(["node", script, port, cls.key, cls.cert], port, cls.folder)
        cls.peer.__enter__()
        cls.url = f"https://localhost:{port}"

    @classmethod
    def tearDownClass(cls):
        cls.peer.stop()
        super().tearDownClass()

    def told(self, *args, path="/echo", **kwargs):
        return json.loads(self.fetch("-sS", *args, self.url + path, **kwargs).stdout)

    def test_files_and_standard_input_are_uploaded(self):
        for args, stdin in ((("-T", self.big), b""), (("-T", "-"), BIG),
                            (("--data-binary", f"@{self.big}"), b"")):
            told = self.told(*args, stdin=stdin)
            self.assertEqual((told["sha"], told["bytes"]), (self.sha, len(BIG)))
            self.assertEqual(told["headers"]["expect"], "100-continue")
            self.assertNotIn("transfer-encoding", told["headers"])

    def test_a_form_is_sent_again_behind_a_redirect(self):
        told = self.told("-L", "-F", f"file=@{self.big}", path="/there")
        self.assertGreater(told["bytes"], len(BIG))
        self.assertRegex(told["headers"]["content-type"], "^multipart/form-data; boundary=-")

    def test_a_final_answer_ends_the_upload(self):
        begin = time.monotonic()
        result = self.fetch("-sS", "-w", "%{http_code} %{size_upload}", "-T", self.big,
                            self.url + "/no")
        self.assertEqual(result.stdout, b"no413 0")
        self.assertLess(time.monotonic() - begin, 30)

    def test_a_silent_server_gets_the_body_after_a_second(self):
        begin = time.monotonic()
        self.assertEqual(self.told("-T", self.big, path="/silent")["sha"], self.sha)
        self.assertGreater(time.monotonic() - begin, 1)

    def test_cookies_go_along(self):
        result = self.fetch("-sS", "-b", "", f"{self.url}/echo", f"{self.url}/echo")
        first, second = map(json.loads, result.stdout.splitlines())
        self.assertNotIn("cookie", first["headers"])
        self.assertEqual(second["headers"]["cookie"], "one=1; two=2")

    def test_a_busy_server_is_asked_again_while_others_go_on(self):
        begin = time.monotonic()
        result = self.fetch("-s", "-Z", "--retry", "3", "-w", "%{urlnum} %{num_retries}\n", "-o",
                            self.folder / "a", "-o", self.folder / "b", f"{self.url}/busy",
                            f"{self.url}/echo")
        self.assertEqual(result.stdout.splitlines(), [b"1 0", b"0 2"])
        self.assertGreater(time.monotonic() - begin, 2)

    def test_a_download_is_gone_on_with(self):
        target = self.folder / "part"
        target.write_bytes(WHOLE[:1000])
        self.fetch("-sS", "-C", "-", "-o", target, self.url + "/range")
        self.assertEqual(target.read_bytes(), WHOLE)

    def test_fields_certificates_and_pages(self):
        result = self.fetch("-sS", "-o", self.folder / "o", "-w",
                            "%header{Content-Type} %{num_certs} %{http_version}", self.url)
        self.assertEqual(result.stdout, b"application/json 1 2")
        told = self.fetch("-sS", "--mixed-content", self.url + "/page", code=4)
        self.assertIn(b"     2  active      script   src", told.stdout)


if __name__ == "__main__":
    main()
