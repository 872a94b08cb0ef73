"""What the interop tests share: certificates, a running `cleat serve`, bytes on a socket.

Every test program is given the path of `cleat` in CLEAT_PROGRAM and is skipped, loudly, when a peer
that it needs is not installed. Servers listen on ports that the kernel chooses, and whatever was
started is ended by its own process id.
"""
import atexit
import contextlib
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

# Whoever is behind a proxy tests the same things.
for _name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)

CLEAT = os.path.abspath(os.environ.get("CLEAT_PROGRAM", "build/release/cleat"))
SKIPPED = 77
# Sanitized programs on a busy machine are slow; nothing waits that long unless it fails.
PATIENCE = 60
# Less than the 30 s that a server gives its connections once told to stop: it did not wait.
AT_ONCE = 25


def skip_all(reason):
    print(f"SKIP: {reason}")
    sys.exit(SKIPPED)


def need(*programs):
    for name in programs:
        if shutil.which(name) is None:
            skip_all(f"{name} is not installed")


def main():
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    for test, reason in result.skipped:
        print(f"SKIP: {test}: {reason}")
    sys.exit(0 if result.wasSuccessful() else 1)


_folder = None


def folder():
    """A private folder for this test program, removed at its end."""
    global _folder
    if _folder is None:
        _folder = pathlib.Path(tempfile.mkdtemp(prefix="cleat-interop-"))
        atexit.register(shutil.rmtree, _folder, True)
    return _folder


def run(args, check=True, **more):
    more.setdefault("timeout", PATIENCE)
    more.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(a) for a in args], capture_output=True, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, args))}: exit {done.returncode}\n"
                             f"{done.stdout.decode(errors='replace')[-2000:]}\n"
                             f"{done.stderr.decode(errors='replace')[-2000:]}")
    return done


def on_terminal(command, *answers):
    """What the terminal showed, and the exit code; each answer once its question is there."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(command[0], list(map(str, command)))
    shown = b""
    for question, answer in answers:
        while question not in shown:
            shown += os.read(fd, 4096)
        os.write(fd, answer)
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(fd)
    return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def until_caught(process, number):
    """Waits until the process handles that signal: sent before, it would just end it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        if int(re.search(r"SigCgt:\s*(\w+)", status).group(1), 16) >> (number - 1) & 1:
            return
        time.sleep(0.02)
    raise AssertionError(f"the process does not handle signal {number}")


def allow_short_tags():
    """From 3.2 on OpenSSL takes suites with tags of 8 bytes for too weak by default; the peers that
    use it (its own programs, curl, nginx) are told otherwise. `openssl req` finds what it needs."""
    file = folder() / "openssl.cnf"
    file.write_text("openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = weak\n"
                    "[weak]\nCipherString = DEFAULT:@SECLEVEL=0\n"
                    "[req]\ndistinguished_name = names\nx509_extensions = ca\n[names]\n"
                    "[ca]\nbasicConstraints = critical,CA:TRUE\nsubjectKeyIdentifier = hash\n")
    os.environ["OPENSSL_CONF"] = str(file)


# ---- certificates ----

KINDS = {
    "ecdsa": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ecdsa384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "ecdsa521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsapss": ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ed25519": ["-algorithm", "ED25519"],
}


class Pair:
    def __init__(self, cert, key):
        self.cert = cert
        self.key = key

    def args(self):
        return ["--cert", self.cert, "--key", self.key]


def make_key(name, kind):
    key = folder() / f"{name}.key"
    run(["openssl", "genpkey", *KINDS[kind], "-out", key])
    key.chmod(0o600)
    return key


def make_ca(name="ca", kind="ecdsa"):
    cert = folder() / f"{name}.pem"
    key = make_key(name, kind)
    run(["openssl", "req", "-x509", "-new", "-key", key, "-out", cert, "-days", "30", "-sha256",
         "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign"])
    return Pair(cert, key)


def make_leaf(ca, name, kind="ecdsa", hosts=("localhost", "127.0.0.1", "::1"), days=30,
              purpose="serverAuth", usage=None):
    """A certificate of that kind for those hosts, signed by ca."""
    usage = usage or "digitalSignature" + (",keyEncipherment" if kind == "rsa" else "")
    cert, key = folder() / f"{name}.pem", make_key(name, kind)
    request, ext = folder() / f"{name}.csr", folder() / f"{name}.ext"
    names = ",".join(("IP:" if re.fullmatch(r"[0-9.]+|.*:.*", h) else "DNS:") + h for h in hosts)
    ext.write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n"
                   f"keyUsage=critical,{usage}\nextendedKeyUsage={purpose}\n"
                   "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    run(["openssl", "req", "-new", "-key", key, "-out", request, "-subj", f"/CN={name}"])
    run(["openssl", "x509", "-req", "-in", request, "-CA", ca.cert, "-CAkey", ca.key,
         "-CAcreateserial", "-days", str(days), "-sha256", "-extfile", ext, "-out", cert])
    return Pair(cert, key)


def nss_database(name, ca, mine=None):
    """A folder of NSS, as its programs name it, that trusts the CA for servers and clients; "mine"
    is a certificate with its key."""
    path = folder() / f"nss-{name}"
    path.mkdir()
    where = ["-d", f"sql:{path}"]
    run(["certutil", "-N", *where, "--empty-password"])
    run(["certutil", "-A", *where, "-n", "ca", "-t", "CT,,", "-i", ca.cert])
    if mine:
        bundle = path / "mine.p12"
        run(["openssl", "pkcs12", "-export", "-in", mine.cert, "-inkey", mine.key, "-name", "mine",
             "-passout", "pass:", "-out", bundle])
        run(["pk12util", "-i", bundle, *where, "-W", ""])
    return f"sql:{path}"


def takes(compression):
    """Whether `cleat` was built with this way to compress certificates."""
    done = run([CLEAT, "serve", "--cert-compression", compression, "--psk", "/dev/null", "--root",
                "/nowhere"], check=False)
    return b"unknown compression" not in done.stderr


# ---- a running server ----

class Lines:
    """Collects the lines of a pipe; waits for one that matches.

    A server writes its lines when it gets round to it, perhaps after the client has left: to look
    at all of them, or for one that must not be there, end the server first.
    """

    def __init__(self, pipe):
        self.lines = []
        self.ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self.thread.start()

    def close(self):
        """Once the process has ended: takes what is still in the pipe."""
        self.thread.join(PATIENCE)

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                with self.changed:
                    self.lines.append(line.decode(errors="replace").rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, pattern, patience=PATIENCE):
        """The first line that matches."""
        end = time.monotonic() + patience
        with self.changed:
            while True:
                for line in self.lines:
                    if re.search(pattern, line):
                        return line
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    raise AssertionError(f"no line matches {pattern!r} in:\n" +
                                         "\n".join(self.lines))
                self.changed.wait(left)

    def text(self):
        with self.changed:
            return "\n".join(self.lines)


class Server:
    """`cleat serve` on 127.0.0.1 and a free port, ended with the `with` block."""

    def __init__(self, *args, env=None, listen="127.0.0.1:0", files=None,
                 file_blocks=None):
        command = [CLEAT, "serve", "--listen", listen, *map(str, args)]
        # no more descriptors than that; no longer files
        for letter, limit in (("n", files), ("f", file_blocks)):
            if limit is not None:
                command = ["sh", "-c", f'ulimit -{letter} {limit}; exec "$0" "$@"', *command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
        self.access = Lines(self.process.stdout)
        self.errors = Lines(self.process.stderr)
        try:
            line = self.errors.wait_for(r"listening on https://")
        except AssertionError:
            self.end()
            raise
        self.port = int(re.search(r":(\d+) \(", line).group(1))
        self.url = f"https://localhost:{self.port}"

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE):
        return self.process.wait(timeout)

    def end(self):
        """SIGTERM, and after a while SIGKILL. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(AT_ONCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for lines in (self.access, self.errors):
            lines.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        code = self.end()
        text = self.errors.text()
        if kind is not None:
            print("---- server's messages:\n" + text)
        elif code != 0 or "Sanitizer" in text:
            raise AssertionError(f"the server ended with {code}:\n{text}")


# ---- bytes ----

def connect(port, timeout=PATIENCE):
    return socket.create_connection(("127.0.0.1", port), timeout)


def tls_context(ca, alpn=None):
    context = ssl.create_default_context(cafile=str(ca.cert))
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def tls(port, ca, name="localhost", session=None, context=None, timeout=PATIENCE):
    context = context or tls_context(ca)
    return context.wrap_socket(connect(port, timeout), server_hostname=name, session=session)


def read_to_end(sock, limit=1 << 28):
    parts = []
    size = 0
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while size < limit:
            part = sock.recv(65536)
            if not part:
                break
            parts.append(part)
            size += len(part)
    return b"".join(parts)


class Responses:
    """Reads HTTP/1.1 responses with a Content-Length one by one."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()

    def _more(self):
        part = self.sock.recv(65536)
        if not part:
            raise EOFError(f"closed after {bytes(self.buffer[:200])!r}")
        self.buffer += part

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        at = self.buffer.index(b"\r\n\r\n")
        text = bytes(self.buffer[:at])
        del self.buffer[:at + 4]
        lines = text.decode("latin-1").split("\r\n")
        fields = {n.lower(): v.strip() for n, v in (l.split(":", 1) for l in lines[1:])}
        return int(lines[0].split()[1]), fields

    def next(self, without_body=False):
        status, fields = self.head()
        length = 0 if without_body or status in (100, 304) else int(fields["content-length"])
        while len(self.buffer) < length:
            self._more()
        body = bytes(self.buffer[:length])
        del self.buffer[:length]
        return status, fields, body


# ---- captures ----

class Recorder:
    """A TCP relay in front of a port that keeps what went through, and writes it as a capture file:
    decrypting can so be tested without the privilege to capture."""

    def __init__(self, port):
        self.port_behind = port
        self.packets = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, peer = self.listener.accept()
                far = connect(self.port_behind)
                for a, b, out in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._copy, args=(a, b, out, peer[1]),
                                     daemon=True).start()

    def _copy(self, source, sink, outwards, number):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(1400)
                with self.lock:
                    self.packets.append((number, outwards, data))
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)

    def close(self):
        self.listener.close()

    def write(self, path):
        sequence = {}
        with open(path, "wb") as f, self.lock:
            f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
            for i, (client, outwards, data) in enumerate(self.packets):
                ports = (client, self.port) if outwards else (self.port, client)
                for flags in ([0x02] if (client, True) not in sequence else []):
                    self._packet(f, i, (client, self.port), 999, 0, flags, b"")
                    self._packet(f, i, (self.port, client), 4999, 1000, 0x12, b"")
                    sequence[client, True], sequence[client, False] = 1000, 5000
                seq, ack = sequence[client, outwards], sequence[client, not outwards]
                self._packet(f, i, ports, seq, ack, 0x18 if data else 0x11, data)
                sequence[client, outwards] = seq + (len(data) or 1)

    @staticmethod
    def _packet(f, i, ports, seq, ack, flags, data):
        local = bytes([127, 0, 0, 1])
        tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x50, flags, 65535, 0, 0) + data
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), i & 0xffff, 0, 64, 6, 0)
        packet = ip + local + local + tcp
        f.write(struct.pack("<IIII", 1700000000 + i // 1000, i % 1000, len(packet), len(packet)))
        f.write(packet)
