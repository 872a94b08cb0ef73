"""HTTP/2 frames by hand (RFC 9113 4, RFC 7541), for what no client does."""
import struct

import support

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
STREAM_CLOSED, ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED = 5, 11, 13
STATUSES = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
# The digits in HPACK's Huffman code
DIGITS = {"00000": "0", "00001": "1", "00010": "2", "011001": "3", "011010": "4", "011011": "5",
          "011100": "6", "011101": "7", "011110": "8", "011111": "9"}


def frame(kind, stream=0, payload=b"", flags=0):
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack(">I", stream)
    return head + payload


def settings(**values):
    numbers = {"enable_connect": 8, "window": 4, "table": 1}
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", numbers[k], v)
                                            for k, v in values.items()))


def text(value):
    """A literal of less than 16 KiB, not in Huffman code."""
    value = value.encode()
    if len(value) < 127:
        return bytes([len(value)]) + value
    rest = len(value) - 127
    return bytes([127, rest & 127 | 128, rest >> 7]) + value


def block(fields):
    """Literals that are not indexed."""
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def request(path="/", method="GET", more=(), authority="localhost"):
    return [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path),
            *more]


def headers(stream, fields, end=True):
    return frame(HEADERS, stream, block(fields), END_HEADERS | (END_STREAM if end else 0))


def status_of(payload):
    """Of a response's header block, which begins with it."""
    if payload[0] in STATUSES:
        return STATUSES[payload[0]]
    assert payload[0] in (0x48, 0x08), payload[:8].hex()  # literal, named as field 8
    if not payload[1] & 128:
        return int(payload[2:5])
    bits = "".join(f"{byte:08b}" for byte in payload[2:2 + (payload[1] & 127)])
    digits, code = "", ""
    for bit in bits:
        code += bit
        if code in DIGITS and len(digits) < 3:
            digits, code = digits + DIGITS[code], ""
    return int(digits)


class Connection:
    """A client that has sent its preface, and keeps what came: frames, by type."""

    def __init__(self, server, ca, first=settings(), timeout=support.PATIENCE):
        self.sock = support.tls(server.port, ca, context=support.tls_context(ca, ["h2"]),
                                timeout=timeout)
        assert self.sock.selected_alpn_protocol() == "h2"
        self.buffer = b""
        self.send(PREFACE + first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def next(self):
        """(type, flags, stream, payload), or None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                more = self.sock.recv(65536)
            except OSError:
                more = b""
            if not more:
                return None
            self.buffer += more
        size = int.from_bytes(self.buffer[:3], "big")
        kind, flags = self.buffer[3:5]
        stream = int.from_bytes(self.buffer[5:9], "big")
        payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
        if kind == SETTINGS and not flags & ACK:
            self.acknowledge()
        return kind, flags, stream, payload

    def acknowledge(self):
        try:
            self.send(frame(SETTINGS, flags=ACK))
        except OSError:
            pass  # what comes next says why

    def wait_for(self, kind, stream=None):
        """The next frame of this kind, of this stream; None: the connection ended before."""
        while (seen := self.next()) is not None:
            if seen[0] == kind and stream in (None, seen[2]):
                return seen
        return None

    def status(self, stream):
        seen = self.wait_for(HEADERS, stream)
        return None if seen is None else status_of(seen[3])

    def goaway(self):
        """The last GOAWAY before the end: its code, or None."""
        code = None
        while (seen := self.next()) is not None:
            if seen[0] == GOAWAY:
                code = int.from_bytes(seen[3][4:8], "big")
        return code
