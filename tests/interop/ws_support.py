"""What the tests of WebSockets share: a client that says exactly what it is told to."""
import base64
import collections
import contextlib
import hashlib
import select
import ssl
import struct
import threading

import support

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = base64.b64encode(b"0123456789abcdef").decode()


def mask(data, key):
    if not any(key):
        return data
    size = len(data)
    stream = (key * (size // 4 + 1))[:size]
    masked = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
    return masked.to_bytes(size, "big")


def frame(opcode, data=b"", fin=True, key=b"\x01\x02\x03\x04", rsv=0, announce=None):
    """A frame; key None: not masked; announce: a length that need not be true."""
    size = len(data) if announce is None else announce
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if key is not None else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    return head + (key + mask(data, key) if key is not None else data)


def close_frame(code, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


def request(path, *fields, without=(), version="13", host="localhost"):
    lines = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
             "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": version}
    text = [f"GET {path} HTTP/1.1"]
    text += [f"{name}: {value}" for name, value in lines.items() if name not in without]
    return "\r\n".join([*text, *fields, "", ""]).encode()


class Client:
    """A WebSocket over a socket; what comes is read frame by frame."""

    def __init__(self, sock, path="/", *fields, ask=True):
        self.sock = sock
        self.responses = support.Responses(sock)
        self.buffer = self.responses.buffer
        self.outgoing = collections.deque()  # frames
        self.leaving = bytearray()  # some of them, joined and in part sent
        if ask:
            sock.sendall(request(path, *fields))
            self.status, self.fields = self.responses.head()
            assert self.status == 101, self.status
            accept = base64.b64encode(hashlib.sha1(KEY.encode() + GUID).digest()).decode()
            assert self.fields["sec-websocket-accept"] == accept, self.fields

    def send(self, *frames):
        self.sock.sendall(b"".join(frames))

    def send_meanwhile(self, *frames):
        """Goes out while what comes is read, for a peer that reads no more than it can answer.

        In one thread: libssl does not allow a connection to be read in one and written in another.
        """
        self.outgoing.extend(frames)

    def _pong(self, data):
        pong = frame(PONG, data)
        if self.leaving or self.outgoing:
            self.outgoing.appendleft(pong)
        else:
            self.send(pong)

    def _need(self, size):
        while len(self.buffer) < size:
            part = self._exchange()
            if not part:
                raise EOFError(f"closed after {bytes(self.buffer[:200])!r}")
            self.buffer += part

    def _exchange(self):
        """Sends of what is to go out until something comes, which it returns."""
        if not self.leaving and not self.outgoing:
            return self.sock.recv(1 << 16)
        patience = self.sock.gettimeout()
        self.sock.setblocking(False)
        try:
            while True:
                with contextlib.suppress(*NOT_YET):
                    return self.sock.recv(1 << 16)
                with contextlib.suppress(*NOT_YET):
                    self._send_some()
                    continue
                writers = [self.sock] if self.leaving else []
                if not any(select.select([self.sock], writers, [], patience)):
                    raise TimeoutError
        finally:
            self.sock.settimeout(patience)

    def _send_some(self):
        while self.outgoing and len(self.leaving) < 1 << 16:
            self.leaving += self.outgoing.popleft()
        if not self.leaving:
            raise BlockingIOError
        try:
            del self.leaving[:self.sock.send(self.leaving)]
        except (ConnectionError, ssl.SSLEOFError):
            # the peer wants no more; what it said of that is still to be read
            self.outgoing.clear()
            self.leaving.clear()

    def receive(self):
        """The next frame: FIN, RSV bits, opcode, payload."""
        self._need(2)
        first, size, at = self.buffer[0], self.buffer[1], 2
        assert size < 128, "a server must not mask"
        if size >= 126:
            wide = 2 if size == 126 else 8
            self._need(2 + wide)
            size, at = int.from_bytes(self.buffer[2:2 + wide], "big"), 2 + wide
        self._need(at + size)
        data = bytes(self.buffer[at:at + size])
        del self.buffer[:at + size]
        return bool(first & 0x80), first >> 4 & 7, first & 15, data

    def message(self):
        """The next message, whole; pings are answered."""
        parts, kind = [], None
        while True:
            fin, rsv, opcode, data = self.receive()
            if opcode == PING:
                self._pong(data)
                continue
            assert opcode in (TEXT, BINARY, CONTINUATION), (opcode, data)
            assert rsv == 0, rsv
            kind = opcode or kind
            parts.append(data)
            if fin:
                return kind, b"".join(parts)

    def closing(self):
        """Code and reason of the close frame, after whatever comes before it."""
        while True:
            _, _, opcode, data = self.receive()
            if opcode == CLOSE:
                return (struct.unpack("!H", data[:2])[0], data[2:].decode()) if data else (1005, "")

    def ended(self):
        """The server has ended the connection."""
        return support.read_to_end(self.sock) is not None

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def tls_client(server, ca, path, *fields, **more):
    return Client(support.tls(server.port, ca), path, *fields, **more)


def in_thread(call):
    """Runs it beside what follows, which must leave alone what it uses."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread
