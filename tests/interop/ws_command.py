"""What the interop tests of `cleat ws` share: runs of it, and a scripted server."""
import base64
import contextlib
import hashlib
import os
import socket
import struct
import subprocess
import threading

import ws_support
from support import CLEAT, PATIENCE
from ws_support import CLOSE, GUID


def environment(more=None):
    whole = {k: v for k, v in os.environ.items()
             if k not in ("SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_COLOR")}
    whole.update(more or {})
    return whole


def ws(*args, stdin=b"", timeout=PATIENCE, env=None):
    """Runs `cleat ws`; the result has returncode, stdout and stderr (bytes)."""
    return subprocess.run([CLEAT, "ws", *map(str, args)], capture_output=True, input=stdin,
                          timeout=timeout, env=environment(env))


def start(*args, **more):
    """Starts `cleat ws` with pipes, for a test that talks to it; ends it after the with block."""
    for pipe in ("stdin", "stdout", "stderr"):
        more.setdefault(pipe, subprocess.PIPE)
    process = subprocess.Popen([CLEAT, "ws", *map(str, args)], env=environment(), **more)
    return ended(process)


@contextlib.contextmanager
def ended(process):
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def header(opcode, length, **flags):
    """A frame header that announces that length."""
    return ws_support.frame(opcode, b"", key=None, announce=length, **flags)


def frame(opcode, payload=b"", **flags):
    """A frame as a server sends it: not masked."""
    data = payload.encode() if isinstance(payload, str) else payload
    return ws_support.frame(opcode, data, key=None, **flags)


def close_frame(code=None, reason=""):
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason.encode())


class Connection:
    """The server's end of one connection: the request, frames as they come, bytes as they go."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        head = self._until(b"\r\n\r\n").decode("latin-1")
        self.request_line, *lines = head.split("\r\n")
        self.fields = {}
        for line in filter(None, lines):
            name, value = line.split(":", 1)
            self.fields.setdefault(name.lower(), value.strip())

    def _more(self):
        part = self.sock.recv(65536)
        if not part:
            raise EOFError("the client has closed the connection")
        self.buffer += part

    def _until(self, end):
        while end not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(end, 1)
        return head

    def take(self, n):
        while len(self.buffer) < n:
            self._more()
        part, self.buffer = self.buffer[:n], self.buffer[n:]
        return part

    def send(self, data):
        self.sock.sendall(data)

    def accept(self, **changes):
        """The 101; a field whose value is None is left out."""
        fields = {"Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Accept": accept_of(self.fields["sec-websocket-key"])}
        fields.update({name.replace("_", "-"): value for name, value in changes.items()})
        head = "".join(f"{n}: {v}\r\n" for n, v in fields.items() if v is not None)
        self.send(f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n".encode())

    def receive(self):
        """The next frame of the client: (opcode, fin, payload), unmasked; it has to be masked."""
        first, second = self.take(2)
        if not second & 0x80:
            raise AssertionError("a frame of the client without mask")
        length = second & 0x7f
        if length == 126:
            length, = struct.unpack("!H", self.take(2))
        elif length == 127:
            length, = struct.unpack("!Q", self.take(8))
        key = self.take(4)
        payload = bytes(b ^ key[i % 4] for i, b in enumerate(self.take(length)))
        return first & 0x0f, bool(first & 0x80), payload

    def receive_close(self):
        """Frames until the close frame: its code (None without one)."""
        while True:
            opcode, _, payload = self.receive()
            if opcode == CLOSE:
                return struct.unpack("!H", payload[:2])[0] if payload else None

    def finish(self, code=1000, reason=""):
        """A closing handshake that the server begins."""
        self.send(close_frame(code, reason))
        return self.receive_close()


class Scripted:
    """A server in clear whose behaviour is a function of a Connection. What the function raises is
    raised again at the end of the `with` block."""

    def __init__(self, script):
        self.script = script
        self.failure = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            self._listener.settimeout(PATIENCE)
            sock, _ = self._listener.accept()
            sock.settimeout(PATIENCE)
            with sock:
                self.script(Connection(sock))
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._listener.close()
        self._thread.join(PATIENCE)
        if self.failure is not None and kind is None:
            raise self.failure
