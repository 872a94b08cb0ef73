"""An OCSP responder that says what a test wants: good or revoked, for seconds or days, signed by
the right or the wrong key, or no OCSP at all. Signatures are `openssl dgst`'s."""
import base64
import datetime
import http.server
import shutil
import tempfile
import threading
import urllib.parse
from pathlib import Path

import support

ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")
BASIC = bytes.fromhex("06092b0601050507300101")
SCTS = bytes.fromhex("060a2b06010401d679020405")
GOOD, REVOKED, UNKNOWN = "good", "revoked", "unknown"


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    length = bytes([size]) if size < 128 else \
        (lambda n: bytes([0x80 | len(n)]) + n)(size.to_bytes((size.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + length + body


def inner(data):
    """(tag, contents, what follows) of the first element."""
    size, start = data[1], 2
    if size & 0x80:
        start = 2 + (size & 0x7f)
        size = int.from_bytes(data[2:start], "big")
    return data[0], data[start:start + size], data[start + size:]


def cert_id_of(request):
    """The CertID of an OCSPRequest with one entry, without its header."""
    _, tbs, _ = inner(inner(request)[1])
    _, entries, _ = inner(tbs)
    _, entry, _ = inner(entries)
    return inner(entry)[1]


def when(seconds):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return der(0x18, then.strftime("%Y%m%d%H%M%SZ").encode())


def sign(key, data):
    with tempfile.NamedTemporaryFile(dir=support.folder()) as file:
        file.write(data)
        file.flush()
        return support.run(["openssl", "dgst", "-sha256", "-sign", key, file.name]).stdout


def answer(cert_id, key, status=GOOD, since=0, life=3600, endless=False, scts=None):
    """An OCSPResponse about it, signed by its issuer's key (ECDSA P-256); times in seconds. scts: a
    list of timestamps of the certificate (RFC 6962 3.3)."""
    _, _, rest = inner(cert_id)
    _, _, rest = inner(rest)
    _, key_hash, _ = inner(rest)
    said = {GOOD: der(0x80), UNKNOWN: der(0x82), REVOKED: der(0xa1, when(since - 60))}[status]
    single = der(0x30, der(0x30, cert_id), said, when(since),
                 b"" if endless else der(0xa0, when(since + life)),
                 b"" if scts is None else
                 der(0xa1, der(0x30, der(0x30, SCTS, der(0x04, der(0x04, scts))))))
    data = der(0x30, der(0xa2, der(0x04, key_hash)), when(since), der(0x30, single))
    signed = der(0x30, data, der(0x30, ECDSA_SHA256), der(0x03, b"\0", sign(key, data)))
    return der(0x30, der(0x0a, b"\0"), der(0xa0, der(0x30, BASIC, der(0x04, signed))))


class Responder:
    """Answers on 127.0.0.1 while it is up. `says` maps a path to a function from a CertID to the
    body, or to an HTTP status; None: it hangs until the end."""

    def __init__(self):
        self.says = {}
        self.asked = {}
        self.over = threading.Event()
        responder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = self.path.strip("/").split("/", 1)
                self.reply(parts[0], base64.b64decode(urllib.parse.unquote(parts[1])))

            def do_POST(self):
                request = self.rfile.read(int(self.headers["Content-Length"]))
                self.reply(self.path.strip("/"), request)

            def reply(self, path, request):
                responder.asked[path] = responder.asked.get(path, 0) + 1
                said = responder.says[path](cert_id_of(request))
                if said is None:
                    responder.over.wait(support.PATIENCE)
                    return
                status, body = (said, b"") if isinstance(said, int) else (200, said)
                self.send_response(status)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """Whoever is asked too much hangs up."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def leaf(ca, name, url, must_staple=False, with_issuer=True):
    """A pair for the host `name`, that names a responder; the CA's certificate follows in its file.
    """
    pair = support.make_leaf(ca, name, hosts=(name,))
    ext = support.folder() / f"{name}.ext"
    ext.write_text(ext.read_text() + (f"authorityInfoAccess=OCSP;URI:{url}\n" if url else "") +
                   ("tlsfeature=status_request\n" if must_staple else ""))
    support.run(["openssl", "x509", "-req", "-in", support.folder() / f"{name}.csr", "-CA", ca.cert,
                 "-CAkey", ca.key, "-CAcreateserial", "-days", "30", "-sha256", "-extfile", ext,
                 "-out", pair.cert])
    if with_issuer:
        pair.cert.write_bytes(pair.cert.read_bytes() + Path(ca.cert).read_bytes())
    return pair


def fresh_folder(name):
    path = support.folder() / name
    shutil.rmtree(path, True)
    return path
