"""What the interop tests of `cleat get` share: certificates, peers on loopback, runs of it.

Beside support.py, whose program path, patience and main() are used here. Every file lives in a
temporary folder, every port is chosen by the kernel, every process is ended by its own number.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from support import CLEAT as PROGRAM
from support import PATIENCE

KEYS = {
    "ecdsa-p256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ecdsa-p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "ecdsa-p521": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "rsa": ["-newkey", "rsa:2048"],
    "rsa-pss": ["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ed25519": ["-newkey", "ed25519"],
}


def need(*programs):
    """Skip, loudly, when a peer is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            print(f"SKIP: {program} is not installed", flush=True)
            raise unittest.SkipTest(f"{program} is not installed")


def openssl(*args, **kwargs):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True,
                          timeout=PATIENCE, **kwargs)


class Authority:
    """A CA in a folder, with an intermediate; leaves are made when asked for."""

    def __init__(self, folder, name="Interop CA"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cert = self.folder / "ca.pem"
        self.key = self.folder / "ca-key.pem"
        openssl("req", "-x509", *KEYS["ecdsa-p256"], "-nodes", "-subj", f"/CN={name}", "-days", 30,
                "-keyout", self.key, "-out", self.cert,
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def leaf(self, name="leaf", kind="ecdsa-p256", sans="DNS:localhost,IP:127.0.0.1,IP:::1",
             dates=None, usage="serverAuth"):
        """Makes (certificate file, key file); dates: two texts of openssl's -startdate form."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"
        request = self.folder / f"{name}.csr"
        openssl("req", "-new", *KEYS[kind], "-nodes", "-subj", f"/CN={name}", "-keyout", key,
                "-out", request)
        extensions = self.folder / f"{name}.cnf"
        text = ("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature"
                + (",keyEncipherment" if kind == "rsa" else "") +
                f"\nextendedKeyUsage={usage}\nauthorityKeyIdentifier=keyid\n"
                "subjectKeyIdentifier=hash\n")
        extensions.write_text(text + (f"subjectAltName={sans}\n" if sans else ""))
        if dates is None:
            openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-days",
                    9, "-CAcreateserial", "-extfile", extensions, "-out", cert)
        else:
            self._sign_with_dates(request, extensions, cert, dates)
        return cert, key

    def _sign_with_dates(self, request, extensions, cert, dates):
        (self.folder / "index.txt").write_text("")
        config = self.folder / "ca.cnf"
        config.write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nnew_certs_dir=%s\n"
                          "default_md=sha256\npolicy=p\nrand_serial=yes\nunique_subject=no\n"
                          "[p]\ncommonName=supplied\n" % (self.folder / "index.txt", self.folder))
        openssl("ca", "-config", config, "-batch", "-notext", "-cert", self.cert, "-keyfile",
                self.key, "-in", request, "-extfile", extensions, "-startdate", dates[0],
                "-enddate", dates[1], "-out", cert)


def self_signed(folder, name="self"):
    cert, key = pathlib.Path(folder) / f"{name}.pem", pathlib.Path(folder) / f"{name}-key.pem"
    openssl("req", "-x509", *KEYS["ecdsa-p256"], "-nodes", "-subj", "/CN=localhost", "-days", 5,
            "-keyout", key, "-out", cert, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    return cert, key


_claims = []


def free_port():
    """A port that nobody listens on just now, for a peer that cannot choose one itself. It is none
    that the kernel would give to somebody else before the peer is up, nor one that another test
    has got: an abstract socket of its name is held until this process ends."""
    while True:
        port = random.randrange(20000, 32768)
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as s, contextlib.suppress(OSError):
            claim.bind(f"\0cleat-test-port-{port}")
            s.bind(("127.0.0.1", port))
            _claims.append(claim)
            return port
        claim.close()


class Peer:
    """A server program. Use with `with`; the log is shown when it does not come up."""

    def __init__(self, argv, port, folder, **kwargs):
        self.port = port
        self.log = pathlib.Path(folder) / f"peer-{port}.log"
        self._out = open(self.log, "wb")
        self._process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE,
                                         stdout=self._out, stderr=subprocess.STDOUT, **kwargs)

    def __enter__(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"peer did not come up:\n{self.log.read_text(errors='replace')}")

    def tell(self, line):
        """Writes to its standard input."""
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()
        self._out.close()

    def __exit__(self, *_):
        self.stop()


def nginx(folder, cert, key, *directives, page="hello\n"):
    """nginx as a Peer, with more directives of its server block; / is the page."""
    port = free_port()
    root = folder / f"nginx-{port}"
    root.mkdir()
    (root / "index.html").write_text(page)
    (root / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
    uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
    server {{
        listen 127.0.0.1:{port} ssl; root {root};
        ssl_certificate {cert}; ssl_certificate_key {key};
        {" ".join(directives)}
    }}
}}
""")
    return Peer(["nginx", "-c", root / "nginx.conf", "-p", root, "-e", root / "error.log"], port,
                folder)


class Scripted:
    """A TLS server in this process whose answers a function writes: script(connection, head).

    `head` is the request's head, its body has been read as well; connection is an ssl.SSLSocket.
    What the script returns says how to end: "close" (close_notify), "cut" (FIN without
    close_notify), "reset"; or "keep": another request may come on the connection.
    """

    def __init__(self, cert, key, script, context=None):
        self.context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if context is None:
            self.context.load_cert_chain(cert, key)
        self.script = script
        self.heads = []
        self.bodies = []
        self.num_connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._thread.join(timeout=PATIENCE)
        self._listener.close()

    def _run(self):
        self._listener.settimeout(0.05)
        while not self._over:
            try:
                plain, _ = self._listener.accept()
            except (socket.timeout, OSError):
                continue
            plain.settimeout(PATIENCE)
            self.num_connections += 1
            try:
                with self.context.wrap_socket(plain, server_side=True) as tls:
                    while self._serve(tls):
                        pass
            except (OSError, ssl.SSLError):
                pass
            plain.close()

    def _serve(self, tls):
        head = b""
        while b"\r\n\r\n" not in head:
            more = tls.recv(65536)
            if not more:
                return False
            head += more
        head, body = head.split(b"\r\n\r\n", 1)
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        while length and len(body) < int(length.group(1)):
            body += tls.recv(65536)
        self.heads.append((head + b"\r\n\r\n").decode("latin-1"))
        self.bodies.append(body)
        how = self.script(tls, self.heads[-1])
        if how == "keep":
            return True
        if how == "reset":
            plain = socket.socket(fileno=tls.detach())
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            plain.close()
        elif how == "cut":
            socket.socket(fileno=tls.detach()).close()
        else:
            tls.unwrap().close()
        return False


def get(*args, env=None, timeout=PATIENCE, stdin=b""):
    """Runs `cleat get`; the result has returncode, stdout and stderr (bytes)."""
    whole = {k: v for k, v in os.environ.items()
             if k not in ("SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR")}
    whole.update(env or {})
    return subprocess.run([PROGRAM, "get", *map(str, args)], capture_output=True, env=whole,
                          timeout=timeout, input=stdin)


class GetTest(unittest.TestCase):
    """A test case with a folder and a CA of its own."""

    @classmethod
    def setUpClass(cls):
        need("openssl")
        cls._folder = tempfile.TemporaryDirectory(prefix="cleat-get-")
        cls.folder = pathlib.Path(cls._folder.name)
        cls.ca = Authority(cls.folder / "ca")

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def fetch(self, *args, code=0, **kwargs):
        """Runs `cleat get --cacert CA ...` and checks its exit code."""
        result = get("--cacert", self.ca.cert, *args, **kwargs)
        self.assertEqual(result.returncode, code,
                         f"{args}\nstdout: {result.stdout[-500:]}\nstderr: "
                         + result.stderr.decode(errors="replace")[-4000:])
        return result

    def facts(self, *args, code=0):
        """The same with -w '%{json}': returns the object."""
        result = self.fetch("-sS", "-o", self.folder / "body", "-w", "%{json}", *args, code=code)
        return json.loads(result.stdout)
