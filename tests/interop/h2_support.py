"""A server of HTTP/2 for tests, its frames made by hand: what it sends is what a script says, right
or wrong. HPACK as far as that needs it: literals, and indices of the static table."""
import socket
import ssl
import struct
import threading

from support import PATIENCE

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, ACK = 1, 4, 8, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PROTOCOL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED = 1, 7, 8, 11, 13
MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME, CONNECT_PROTOCOL = 3, 4, 5, 8


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) \
        + struct.pack(">I", stream) + payload


def text(value):
    """A string literal (RFC 7541 5.2), not Huffman-coded."""
    value = value if isinstance(value, bytes) else str(value).encode()
    assert len(value) < 127 + 128
    return (bytes([len(value)]) if len(value) < 127 else bytes([127, len(value) - 127])) + value


def block(*fields):
    """Fields, each (name, value), as literals without indexing."""
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def response(status=200, *fields):
    return block((":status", status), *fields)


class Gone(Exception):
    """The client has closed the connection."""


class Connection:
    """One client: the preface is read and our SETTINGS are sent when a script gets it."""

    def __init__(self, tls, settings):
        self.tls = tls
        self.seen = []  # (type, flags, stream, payload) of what was read
        if self.read(len(PREFACE)) != PREFACE:
            raise Gone
        self.settings(settings)

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.tls.recv(n - len(data))
            if not more:
                raise Gone
            data += more
        return data

    def send(self, *frames):
        self.tls.sendall(b"".join(frames))

    def settings(self, values):
        self.send(frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", k, v)
                                                 for k, v in values.items())))

    def next(self):
        """The next frame; SETTINGS are acknowledged."""
        head = self.read(9)
        length, kind, flags, stream = (int.from_bytes(head[:3], "big"), head[3], head[4],
                                       int.from_bytes(head[5:], "big"))
        found = (kind, flags, stream, self.read(length))
        self.seen.append(found)
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        return found

    def wait(self, kind, stream=None):
        """Reads up to a frame of a type, and returns it."""
        while True:
            found = self.next()
            if found[0] == kind and stream in (None, found[2]):
                return found

    def request(self):
        """The next request's stream; its body is not read."""
        return self.wait(HEADERS)[2]

    def head(self, stream, *fields, status=200, end=False):
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream,
                        response(status, *fields)))

    def data(self, stream, payload, end=True):
        self.send(frame(DATA, END_STREAM if end else 0, stream, payload))

    def answer(self, stream, payload=b"hello", *fields):
        self.head(stream, *fields)
        self.data(stream, payload)

    def reset(self, stream, code):
        self.send(frame(RST_STREAM, 0, stream, struct.pack(">I", code)))

    def goaway(self, last, code=0):
        self.send(frame(GOAWAY, 0, 0, struct.pack(">II", last, code)))

    def drain(self):
        """Reads until the client goes."""
        try:
            while True:
                self.next()
        except (Gone, OSError):
            pass

    def code_of_goaway(self):
        """The code of the client's last GOAWAY, once it is gone."""
        self.drain()
        found = [struct.unpack(">II", p[:8])[1] for kind, _, _, p in self.seen if kind == GOAWAY]
        return found[-1] if found else None


class Server:
    """TLS with ALPN h2; script(connection) is run for each, in a thread of its own. What it returns
    says how to end: None (close_notify), "cut" (without). older(socket) is for clients of another
    protocol."""

    def __init__(self, cert, key, script, settings=None, alpn=("h2",), older=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.context.set_alpn_protocols(list(alpn))
        self.script, self._settings, self._older = script, settings or {}, older
        self.connections = []
        self.problems = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = self._listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}"
        self._over = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, kind, *_):
        self._over = True
        for thread in self._threads:
            thread.join(timeout=PATIENCE)
        self._listener.close()
        if self.problems and kind is None:
            raise self.problems[0]

    def _accept(self):
        while not self._over:
            try:
                plain, _ = self._listener.accept()
            except (socket.timeout, OSError):
                continue
            plain.settimeout(PATIENCE)
            self._threads.append(threading.Thread(target=self._serve, args=(plain,), daemon=True))
            self._threads[-1].start()

    def _serve(self, plain):
        try:
            with self.context.wrap_socket(plain, server_side=True) as tls:
                if tls.selected_alpn_protocol() != "h2":
                    how = self._older(tls)
                else:
                    connection = Connection(tls, self._settings)
                    self.connections.append(connection)
                    how = self.script(connection)
                if how == "cut":
                    socket.socket(fileno=tls.detach()).close()
                else:
                    tls.unwrap()
        except (Gone, OSError, ssl.SSLError):
            pass
        except Exception as problem:  # noqa: shown by the test that waits
            self.problems.append(problem)
        finally:
            plain.close()
