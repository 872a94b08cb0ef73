"""Requests over HTTP/2 that would be two, or others, once somebody writes them down as HTTP/1.1;
and heads that RFC 9113 calls malformed. Each is refused, or read in the one way that its row
says; the connection goes on, and the request behind it gets its own answer. The same through
nginx, which writes them down as HTTP/1.1."""
import sys
import unittest

import smuggling_rows
import support
from smuggling_support import Proxy, requests_of
from support import Server

# where Debian keeps them, when this is another Python than Debian's
sys.path.append("/usr/lib/python3/dist-packages")
try:
    import hpack
    import hyperframe.frame as frames
except ImportError:
    support.skip_all("python3-hpack and python3-hyperframe are not installed")

support.need("openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "a.txt").write_text("a\n")
SMUGGLED = smuggling_rows.SMUGGLED
N = len(SMUGGLED)

REFUSED = "refused"  # a stream error, or a status of 400 to 499: RFC 9113 8.1.1 leaves the choice
METHOD, SCHEME, AUTHORITY, PATH = ((":method", "GET"), (":scheme", "https"),
                                   (":authority", "localhost"), (":path", "/a.txt"))
REQUEST = [METHOD, SCHEME, AUTHORITY, PATH]


def with_field(name, value):
    return [*REQUEST, (name, value)]


def other(name, value):
    """The request with another value of a pseudo-header; None: without it."""
    return [(n, value if n == name else v) for n, v in REQUEST if n != name or value is not None]


def field_rows():
    for name, value in (
            ("CR LF", b"y\r\nTransfer-Encoding: chunked"), ("LF", b"y\nTransfer-Encoding: chunked"),
            ("CR", b"y\rTransfer-Encoding: chunked"), ("NUL", b"y\0z"),
            ("CR LF CR LF", b"y\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            ("LF behind", b"y\n"), ("CR in front", b"\ry"), ("NUL alone", b"\0")):
        yield f"value with {name}", with_field("x", value), None, REFUSED
    for name in (b"x\r\ny", b"x\ny", b"x\ry", b"x\0y", b"x y", b"x:", b"x: y\r\ntransfer-encoding",
                 b"x:y", b"X-Y", b"", b" x", b"x ", b"\xc3\xa4", b"x\x7f", b"x(y", b":x",
                 b"transfer-encoding ", b"transfer-encoding:", b"Transfer-Encoding"):
        yield f"name {name!r}", with_field(name, "chunked"), None, REFUSED
    for name, value in (
            ("connection", "close"), ("connection", "keep-alive"), ("connection", "upgrade"),
            ("keep-alive", "timeout=5"), ("proxy-connection", "keep-alive"), ("upgrade", "h2c"),
            ("transfer-encoding", "chunked"), ("transfer-encoding", "identity"),
            ("transfer-encoding", ""), ("te", "chunked"), ("te", "gzip"), ("te", "trailers, x")):
        yield f"{name}: {value}", with_field(name, value), None, REFUSED
    yield "te: trailers", with_field("te", "trailers"), None, 200
    yield "transfer-encoding and a body", with_field("transfer-encoding", "chunked"), (
        b"0\r\n\r\n" + SMUGGLED), REFUSED
    yield "another field with an underscore", with_field("transfer_encoding", "chunked"), None, 200
    yield "bytes above ASCII", with_field("x", b"\xff\x85\xa0"), None, 200
    yield "a request in a value", with_field("x", "GET /smuggled HTTP/1.1"), None, 200
    yield "a tab in a value", with_field("x", "a\tb"), None, 200


def authority_rows():
    for name, value in (
            ("user information", "u@localhost"), ("a path", "localhost/x"),
            ("a space", "local host"),
            ("CR LF", b"localhost\r\nX: y"),
            ("a request", b"localhost\r\n\r\nGET /smuggled HTTP/1.1"),
            ("a comma", "localhost, evil"), ("a bad port", "localhost:99999"), ("empty", ""),
            ("NUL", b"localhost\0"), ("not ASCII", "l\u00f6calhost"), ("a query", "localhost?x")):
        yield f":authority, {name}", other(":authority", value), None, REFUSED
    yield ":authority twice", [*REQUEST, AUTHORITY], None, REFUSED
    yield ":authority twice, different", [METHOD, SCHEME, AUTHORITY, (":authority", "evil"),
                                          PATH], None, REFUSED
    yield "host as :authority", with_field("host", "localhost"), None, 200
    yield "host against :authority", with_field("host", "evil"), None, REFUSED
    yield "host twice", [*REQUEST, ("host", "localhost"), ("host", "localhost")], None, REFUSED
    yield "host twice, different", [*REQUEST, ("host", "localhost"),
                                    ("host", "evil")], None, REFUSED
    yield "host alone", [*other(":authority", None), ("host", "localhost")], None, 200
    yield "host alone, twice", [*other(":authority", None), ("host", "localhost"),
                                ("host", "evil")], None, REFUSED
    yield "host alone, with CR LF", [*other(":authority", None),
                                     ("host", b"localhost\r\nX: y")], None, REFUSED
    yield "neither", other(":authority", None), None, REFUSED


def pseudo_rows():
    for name in (":method", ":scheme", ":path"):
        yield f"no {name}", other(name, None), None, REFUSED
        yield f"{name} twice", [*REQUEST, dict.fromkeys([(n, v) for n, v in REQUEST if n == name])
                                .popitem()[0]], None, REFUSED
        yield f"{name} behind a field", [*other(name, None), ("x", "y"),
                                         next(p for p in REQUEST if p[0] == name)], None, REFUSED
        yield f"{name} empty", other(name, ""), None, REFUSED
        yield f"{name} with NUL", other(name, b"\0"), None, REFUSED
    for value in (b"a.txt", b"*", b"/a b", b"/a.txt HTTP/1.1\r\nX: y", b"/a\r\n", b"/a\0",
                  b"/a.txt#x", b"/\\a.txt", b"/\xc3\xa4", b"https://evil/", b"evil:443", b" /a.txt",
                  b"/a.txt ", b"/a\tb", b"/a.txt HTTP/1.1", b"@evil/"):
        yield f":path {value!r}", other(":path", value), None, REFUSED
    for value in (b"GET /smuggled HTTP/1.1\r\nX:", b"GET ", b" GET", b"G T", b"G\r\nT", b"G:T",
                  b"G\xc3\x8bT", b"\"GET\""):
        yield f":method {value!r}", other(":method", value), None, REFUSED
    yield ":method get", other(":method", "get"), None, 501
    for value in (b"https\r\nX: y", b"https://evil/?", b"https ", b"ht tp", b"1"):
        yield f":scheme {value!r}", other(":scheme", value), None, REFUSED
    yield ":status", [*REQUEST, (":status", "200")], None, REFUSED
    yield ":protocol without CONNECT", [*REQUEST, (":protocol", "websocket")], None, REFUSED
    yield "CONNECT with a path", other(":method", "CONNECT"), None, REFUSED
    yield "CONNECT without authority", [(":method", "CONNECT")], None, REFUSED


def body_rows():
    def long(value):
        return with_field("content-length", value)
    yield "length as sent", long(str(N)), SMUGGLED, 200
    yield "no length", REQUEST, SMUGGLED, 200
    yield "length of nothing", long("0"), None, 200
    yield "length 0 and a body", long("0"), SMUGGLED, REFUSED
    yield "length shorter than the body", long("5"), SMUGGLED, REFUSED
    yield "length longer than the body", long(str(N + 5)), SMUGGLED, REFUSED
    yield "length and no body", long("5"), None, REFUSED
    for value in ("+%d" % N, "-1", "0x2b", "%d, %d" % (N, N), "", "%da" % N, "4 3", "43.0",
                  "\u0664"):
        yield f"length {value!r}", long(value), SMUGGLED, REFUSED
    yield "length twice", [*long(str(N)), ("content-length", str(N))], SMUGGLED, REFUSED
    yield "length twice, different", [*long(str(N)), ("content-length", "0")], SMUGGLED, REFUSED
    yield "length beyond 64 bits", long("18446744073709551659"), SMUGGLED, REFUSED
    yield "expect, unknown", with_field("expect", "y 100-continue"), None, REFUSED
    yield "expect", [*with_field("expect", "100-continue"), ("content-length", str(N))], (
        SMUGGLED), 200


def trailer_rows():
    """As those of the body; behind a fourth comma the trailers."""
    for name, value in ((":path", "/smuggled"), (":status", "200"), ("connection", "close"),
                        ("transfer-encoding", "chunked"), ("X", "y"), ("x", b"y\r\nz"),
                        ("x", b"\0"),
                        (b"x y", "z"), ("upgrade", "h2c"), ("content-length", str(N)),
                        ("content-length", "0"),
                        ("host", "localhost"), ("expect", "100-continue")):
        yield f"trailer {name}: {value!r}", REQUEST, SMUGGLED, REFUSED, [(name, value)]
    yield "trailers", REQUEST, SMUGGLED, 200, [("x", "y")]


def rows():
    for part in (field_rows, authority_rows, pseudo_rows, body_rows, trailer_rows):
        yield from part()


class Connection:
    """Frames by hand: a library would not send most of this."""

    def __init__(self, port, context):
        self.socket = support.tls(port, CA, context=context)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.stream, self.buffer = -1, bytearray()
        self.answers, self.gone = {}, False
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                            frames.SettingsFrame(0).serialize())

    def ask(self, fields, data=None, trailers=None):
        """The status, or the code of a stream error; None: the connection has ended."""
        self.stream += 2
        head = frames.HeadersFrame(self.stream)
        head.data = self.encode(fields)
        head.flags |= {"END_HEADERS"} | (set() if data else {"END_STREAM"})
        out = head.serialize()
        if data:
            body = frames.DataFrame(self.stream, data)
            body.flags |= set() if trailers else {"END_STREAM"}
            out += body.serialize()
        if trailers:
            tail = frames.HeadersFrame(self.stream)
            tail.data = self.encode(trailers)
            tail.flags |= {"END_HEADERS", "END_STREAM"}
            out += tail.serialize()
        self.socket.sendall(out)
        while self.stream not in self.answers and not self.gone:
            self.read()
        return self.answers.get(self.stream)

    def encode(self, fields):
        return b"".join(self.encoder.encode([field]) for field in fields)

    def read(self):
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            part = self.socket.recv(65536)
            if not part:
                self.gone = True
                return
            self.buffer += part
        frame, length = frames.Frame.parse_frame_header(memoryview(bytes(self.buffer[:9])))
        frame.parse_body(memoryview(bytes(self.buffer[9:9 + length])))
        del self.buffer[:9 + length]
        self.take(frame)

    def take(self, frame):
        if isinstance(frame, frames.HeadersFrame):
            status = dict(self.decoder.decode(frame.data)).get(":status")
            if status and status != "100":
                self.answers.setdefault(frame.stream_id, int(status))
        elif isinstance(frame, frames.RstStreamFrame):
            self.answers.setdefault(frame.stream_id, f"reset {frame.error_code}")
        elif isinstance(frame, frames.GoAwayFrame):
            self.gone = True


class Rows(unittest.TestCase):
    def test_each_row_is_refused_or_read_in_one_way(self):
        context = support.tls_context(CA, ["h2"])
        wrong, table = [], list(rows())
        with Server(*PAIR.args(), "--root", ROOT) as server:
            for number, (name, fields, data, want, *trailers) in enumerate(table):
                # each its own connection: a budget for errors must not end it
                connection = Connection(server.port, context)
                with connection.socket:
                    got = connection.ask(fields, data, *trailers)
                    behind = connection.ask(other(":path", f"/row-{number}"))
                refused = isinstance(got, str) or (got is not None and 400 <= got < 500)
                if (refused if want == REFUSED else got == want) and behind == 404:
                    continue
                wrong.append(f"{name}: {got}, then {behind}, instead of {want}, then 404")
            server.end()
            log = server.access.text()
        for number, (name, _, _, want, *_) in enumerate(table):
            if log.count(f" /row-{number} ") != 1:
                wrong.append(f"{name}: the request behind it is logged "
                             f"{log.count(f' /row-{number} ')} times")
        wrong += [line for line in log.splitlines()
                  if '"GET /smuggled' in line or not line.startswith("127.0.0.1:")]
        self.assertEqual(wrong, [], f"{len(wrong)} of {len(table)}:\n" + "\n".join(wrong))

    def test_nginx_and_the_server_agree_on_what_was_asked(self):
        """What nginx takes it passes on as HTTP/1.1, over one connection that it keeps."""
        support.need("nginx")
        context = support.tls_context(CA, ["h2"])
        listen = f"ssl http2; ssl_certificate {PAIR.cert}; ssl_certificate_key {PAIR.key}"
        with Server(*PAIR.args(), "--root", ROOT) as server:
            proxy = Proxy(server.port, "https", "on", listen)
            with proxy.peer:
                for number, (name, fields, data, _, *trailers) in enumerate(rows()):
                    for what in (fields, data, *trailers), (other(":path", f"/row-{number}"),):
                        connection = Connection(proxy.port, context)
                        with connection.socket:
                            got = connection.ask(*what)
                    self.assertEqual(got, 404, name)
            server.end()
        answered = proxy.agrees_with(requests_of(server))
        print(f"\n{number + 1} rows, {answered.total()} requests")


if __name__ == "__main__":
    support.main()
