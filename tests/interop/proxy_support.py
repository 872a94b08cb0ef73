"""Proxies that tests write themselves: CONNECT and SOCKS 5, in clear or in TLS, well or badly."""
import contextlib
import select
import socket
import ssl
import struct
import threading
import time

from support import PATIENCE

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def relay(a, b):
    """Moves bytes both ways until both ends have ended."""
    open_ends = {a: b, b: a}
    while open_ends:
        waiting = [s for s in open_ends if isinstance(s, ssl.SSLSocket) and s.pending()]
        for s in waiting or select.select(list(open_ends), [], [], PATIENCE)[0]:
            other = open_ends[s]
            try:
                data = s.recv(65536)
                if data:
                    other.sendall(data)
                    continue
                other.shutdown(socket.SHUT_WR)
            except (OSError, ValueError):
                return
            del open_ends[s]


class Proxy:
    """A proxy in this process. script(connection, head, tunnel) answers each request: tunnel() goes
    to the host asked for, and moves bytes until the end. Without a script it does what is right.

    `heads` are the requests, `names` the hosts asked for. Names are what `hosts` says.
    """

    def __init__(self, script=None, tls=None, hosts=None, handle=None):
        self.script = script or self.connect
        self.handle = handle or self._http
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        self.hosts = hosts or {}
        self.heads = []
        self.names = []
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

    @staticmethod
    def connect(conn, head, tunnel):
        tunnel(ESTABLISHED)

    def _run(self):
        self._listener.settimeout(0.05)
        while not self._over:
            try:
                plain, _ = self._listener.accept()
            except (socket.timeout, OSError):
                continue
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        plain.settimeout(PATIENCE)
        with contextlib.suppress(OSError, ssl.SSLError, ValueError), plain:
            if self.context:
                with self.context.wrap_socket(plain, server_side=True) as conn:
                    self.handle(conn)
            else:
                self.handle(plain)

    def tunnel_to(self, conn, host, port, answer):
        self.names.append(host)
        with socket.create_connection((self.hosts.get(host, host), port),
                                      timeout=PATIENCE) as there:
            conn.sendall(answer)
            relay(conn, there)

    def _http(self, conn):
        head = b""
        while b"\r\n\r\n" not in head:
            more = conn.recv(65536)
            if not more:
                return
            head += more
        self.heads.append(head.decode("latin-1"))
        host, port = head.split(b" ")[1].decode().rsplit(":", 1)

        def tunnel(answer=ESTABLISHED):
            self.tunnel_to(conn, host.strip("[]"), int(port), answer)
        self.script(conn, self.heads[-1], tunnel)


def exactly(conn, num):
    data = b""
    while len(data) < num:
        more = conn.recv(num - len(data))
        if not more:
            raise ValueError("the client ended")
        data += more
    return data


class Socks(Proxy):
    """SOCKS 5; login: (user, password) that it wants; reply: the code that it answers."""

    def __init__(self, login=None, reply=0, behind=b"", **more):
        super().__init__(handle=self._socks, **more)
        self.login, self.reply, self.behind = login, reply, behind
        self.kinds = []

    def _socks(self, conn):
        version, num = exactly(conn, 2)
        methods = exactly(conn, num)
        method = 2 if self.login else 0
        if version != 5 or method not in methods:
            conn.sendall(b"\5\xff")
            return
        conn.sendall(bytes([5, method]))
        if self.login:
            exactly(conn, 1)
            given = tuple(exactly(conn, exactly(conn, 1)[0]).decode() for _ in range(2))
            conn.sendall(b"\1\0" if given == self.login else b"\1\1")
            if given != self.login:
                return
        kind = exactly(conn, 4)[3]
        self.kinds.append(kind)
        host = (exactly(conn, exactly(conn, 1)[0]).decode() if kind == 3 else
                socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6,
                                 exactly(conn, 4 if kind == 1 else 16)))
        port = struct.unpack(">H", exactly(conn, 2))[0]
        answer = bytes([5, self.reply, 0, 1]) + bytes(6) + self.behind
        if self.reply:
            conn.sendall(answer)
            time.sleep(0.1)
        else:
            self.tunnel_to(conn, host, port, answer)
