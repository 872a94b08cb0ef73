"""Every known way to make two HTTP/1.1 parsers disagree about where a request ends.

A row is a name, the bytes of one request, and what a strict server does with them: a status means
that it answers this, closes, and never looks at what is behind; a list of statuses that it takes
the request in one certain way, answers so, and goes on with the next request.

Where the two lengths of a request differ, a request for /smuggled is what stands between them.
"""
TARGET = b"/a.txt"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
HOST = b"Host: localhost"
CHUNKED = b"Transfer-Encoding: chunked"
TAKEN = [200]


def request(*lines, line=b"GET " + TARGET + b" HTTP/1.1", host=HOST, body=b"", end=b"\r\n"):
    head = [line] + ([host] if host else []) + list(lines)
    return end.join(head) + end + end + body


def length(body):
    return b"Content-Length: %d" % len(body)


# ---- Transfer-Encoding in disguise: name, line, and whether it is chunked all the same ----

# what is chunked for everybody
PLAIN = [
    ("plain", b"Transfer-Encoding: chunked"),
    ("no space", b"Transfer-Encoding:chunked"),
    ("two spaces", b"Transfer-Encoding:  chunked"),
    ("tab in front of the value", b"Transfer-Encoding:\tchunked"),
    ("tab behind the value", b"Transfer-Encoding: chunked\t"),
    ("space behind the value", b"Transfer-Encoding: chunked "),
    ("value in upper case", b"Transfer-Encoding: CHUNKED"),
    ("name in mixed case", b"tRANSFER-eNCODING: chunked"),
]

# what is chunked for some: refused with or without a length beside it
DISGUISED = [
    ("vertical tab in front", b"Transfer-Encoding: \x0bchunked"),
    ("vertical tab instead of the space", b"Transfer-Encoding:\x0bchunked"),
    ("vertical tab behind", b"Transfer-Encoding: chunked\x0b"),
    ("form feed in front", b"Transfer-Encoding: \x0cchunked"),
    ("form feed behind", b"Transfer-Encoding: chunked\x0c"),
    ("0x85 in front", b"Transfer-Encoding: \x85chunked"),
    ("0x85 behind", b"Transfer-Encoding: chunked\x85"),
    ("0xa0 in front", b"Transfer-Encoding: \xa0chunked"),
    ("0xa0 behind", b"Transfer-Encoding: chunked\xa0"),
    ("0xff behind", b"Transfer-Encoding: chunked\xff"),
    ("no-break space in UTF-8", b"Transfer-Encoding: \xc2\xa0chunked"),
    ("letters of another width", b"Transfer-Encoding: \xef\xbd\x83hunked"),
    ("long s, a lower case of S", b"Tran\xc5\xbffer-Encoding: chunked"),
    ("Kelvin sign, an upper case of k", b"Transfer-Encoding: chun\xe2\x84\xaaed"),
    ("NUL behind", b"Transfer-Encoding: chunked\0"),
    ("NUL in front", b"Transfer-Encoding: \0chunked"),
    ("NUL inside", b"Transfer-Encoding: chun\0ked"),
    ("backspace behind", b"Transfer-Encoding: chunkedx\x08"),
    ("DEL behind", b"Transfer-Encoding: chunked\x7f"),
    ("0x01 behind", b"Transfer-Encoding: chunked\x01"),
    ("double quotes", b"Transfer-Encoding: \"chunked\""),
    ("single quotes", b"Transfer-Encoding: 'chunked'"),
    ("one quote", b"Transfer-Encoding: \"chunked"),
    ("a quoted comma", b"Transfer-Encoding: \", chunked"),
    ("list: chunked, identity", b"Transfer-Encoding: chunked, identity"),
    ("list: chunked, cow", b"Transfer-Encoding: chunked, cow"),
    ("list: chunked, chunked", b"Transfer-Encoding: chunked, chunked"),
    ("list: comma behind", b"Transfer-Encoding: chunked,"),
    ("list: a space", b"Transfer-Encoding: chunked chunked"),
    ("list: a semicolon", b"Transfer-Encoding: identity; chunked"),
    ("a parameter", b"Transfer-Encoding: chunked;q=1"),
    ("an empty parameter", b"Transfer-Encoding: chunked;"),
    ("identity", b"Transfer-Encoding: identity"),
    ("unknown", b"Transfer-Encoding: cow"),
    ("no value", b"Transfer-Encoding:"),
    ("a prefix", b"Transfer-Encoding: xchunked"),
    ("a suffix", b"Transfer-Encoding: chunkedx"),
    ("cut off", b"Transfer-Encoding: chunke"),
    ("two colons", b"Transfer-Encoding:: chunked"),
    ("an equals sign", b"Transfer-Encoding=chunked"),
    ("a space instead of the colon", b"Transfer-Encoding chunked"),
    ("no colon", b"Transfer-Encoding"),
    ("space before the colon", b"Transfer-Encoding : chunked"),
    ("tab before the colon", b"Transfer-Encoding\t: chunked"),
    ("vertical tab before the colon", b"Transfer-Encoding\x0b: chunked"),
    ("NUL before the colon", b"Transfer-Encoding\0: chunked"),
    ("0xa0 before the colon", b"Transfer-Encoding\xa0: chunked"),
    ("space in front of the name", b" Transfer-Encoding: chunked"),
    ("tab in front of the name", b"\tTransfer-Encoding: chunked"),
    ("NUL in front of the name", b"\0Transfer-Encoding: chunked"),
    ("vertical tab in front of the name", b"\x0bTransfer-Encoding: chunked"),
    ("zero-width space in front of the name", b"\xe2\x80\x8bTransfer-Encoding: chunked"),
    ("a space in the name", b"Transfer Encoding: chunked"),
    ("a dash of another kind", b"Transfer\xe2\x80\x90Encoding: chunked"),
    ("value on a folded line", b"Transfer-Encoding:\r\n chunked"),
    ("value on a folded line, tab", b"Transfer-Encoding:\r\n\tchunked"),
    ("value folded in the middle", b"Transfer-Encoding: chu\r\n nked"),
    ("folded behind", b"Transfer-Encoding: chunked\r\n "),
    ("folded, identity behind", b"Transfer-Encoding: chunked\r\n , identity"),
    ("folded into another field", b"X: y\r\n Transfer-Encoding: chunked"),
    ("folded by LF", b"Transfer-Encoding:\n chunked"),
    ("behind a bare CR", b"X: y\rTransfer-Encoding: chunked"),
    ("behind a bare LF", b"X: y\nTransfer-Encoding: chunked"),
    ("in front of a bare CR", b"Transfer-Encoding: chunked\rX: y"),
    ("in front of a bare LF", b"Transfer-Encoding: chunked\nX: y"),
    ("CR behind", b"Transfer-Encoding: chunked\r"),
    ("CR in front", b"Transfer-Encoding: \rchunked"),
    ("LF in front", b"Transfer-Encoding: \nchunked"),
    ("LF CR", b"X: y\n\rTransfer-Encoding: chunked"),
    ("twice", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    ("twice, identity last", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    ("twice, unknown last", b"Transfer-Encoding: chunked\r\nTransfer-encoding: cow"),
    ("twice, no value last", b"Transfer-Encoding: chunked\r\nTransfer-Encoding:"),
]

# a chain that ends in chunked: a coding that is not there, 501 (RFC 9112 6.1), or both lengths, 400
CHAINS = [
    ("list: identity, chunked", b"Transfer-Encoding: identity, chunked"),
    ("list: gzip, chunked", b"Transfer-Encoding: gzip, chunked"),
    ("list: comma in front", b"Transfer-Encoding: ,chunked"),
    ("list: a parameter in front", b"Transfer-Encoding: gzip;q=\"a, b\", chunked"),
    ("twice, identity first", b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
    ("twice, no value first", b"Transfer-Encoding:\r\nTransfer-Encoding: chunked"),
]

# what is another field for everybody, or should be
OTHER_FIELDS = [
    ("an underscore in the name", b"Transfer_Encoding: chunked"),
    ("X- in front of the name", b"X-Transfer-Encoding: chunked"),
    ("TE", b"TE: chunked"),
    ("TE with trailers", b"TE: trailers, chunked"),
    ("Transfer-Coding", b"Transfer-Coding: chunked"),
    ("Content-Encoding", b"Content-Encoding: chunked"),
    ("named in Connection alone", b"Connection: Transfer-Encoding"),
    ("in the value of another field", b"X: Transfer-Encoding: chunked"),
]


def transfer_encoding_rows():
    early = b"0\r\n\r\n" + SMUGGLED
    for name, line in PLAIN:
        yield f"CL.TE, {name}", request(length(early), line, body=early), 400
        yield f"TE.CL, {name}", request(line, length(early), body=early), 400
        yield f"chunked, {name}", request(line, body=b"0\r\n\r\n"), TAKEN
    for name, line in DISGUISED:
        yield f"TE.TE with a length, {name}", request(line, length(early), body=early), 400
        yield f"TE.TE, {name}", request(line, body=early), 400
    for name, line in CHAINS:
        yield f"TE.TE with a length, {name}", request(line, length(early), body=early), 400
        yield f"TE.TE, {name}", request(line, body=early), 501
    for name, line in OTHER_FIELDS:
        yield f"CL, {name}", request(line, length(early), body=early), TAKEN
    old = b"GET " + TARGET + b" HTTP/1.0"
    yield "TE in HTTP/1.0", request(CHUNKED, line=old, body=early), 400
    yield "TE in HTTP/1.0, kept alive", request(CHUNKED, b"Connection: keep-alive", line=old,
                                                body=early), 400
    yield "TE in HTTP/1.0 with a length", request(CHUNKED, length(early), line=old, body=early), 400
    yield "TE named in Connection", request(CHUNKED, length(early),
                                            b"Connection: Transfer-Encoding", body=early), 400


# ---- Content-Length: name and the value for a body of 43 bytes ----

N = b"%d" % len(SMUGGLED)
BAD_LENGTHS = [
    ("plus sign", b"+" + N), ("minus sign", b"-" + N), ("minus zero", b"-0"),
    ("hexadecimal", b"0x2b"), ("hexadecimal digits", b"2b"), ("list of equal ones", N + b", " + N),
    ("list of different ones", N + b", 0"), ("list of different ones, 0 first", b"0, " + N),
    ("comma behind", N + b","), ("comma in front", b"," + N), ("semicolon", N + b";"),
    ("parameter", N + b";a=b"), ("letter behind", N + b"a"), ("space inside", N[:1] + b" " + N[1:]),
    ("two numbers", N + b" " + N), ("point", N + b".0"), ("exponent", b"43e0"), ("empty", b""),
    ("space alone", b" "), ("quotes", b"\"" + N + b"\""), ("underscore", b"4_3"),
    ("vertical tab in front", b"\x0b" + N), ("vertical tab behind", N + b"\x0b"),
    ("form feed behind", N + b"\x0c"), ("NUL behind", N + b"\0"), ("0x85 behind", N + b"\x85"),
    ("0xa0 in front", b"\xa0" + N), ("0xff behind", N + b"\xff"),
    ("other digits", b"\xd9\xa4\xd9\xa3"),
    ("wide digits", b"\xef\xbc\x94\xef\xbc\x93"), ("bare CR behind", N + b"\r"),
    ("bare LF behind", N + b"\nX: y"), ("folded", b"\r\n " + N),
    ("folded inside", N[:1] + b"\r\n " + N[1:]),
    ("folded behind", N + b"\r\n "), ("boolean", b"true"), ("nan", b"NaN"), ("infinity", b"inf"),
]


def length_rows():
    for name, value in BAD_LENGTHS:
        yield f"length: {name}", request(b"Content-Length: " + value, body=SMUGGLED), 400
    cl = b"Content-Length: " + N
    for name, line, want in (
            ("spaces around", b"Content-Length:  " + N + b"  ", TAKEN),
            ("tabs around", b"Content-Length:\t" + N + b"\t", TAKEN),
            ("zeros in front", b"Content-Length: 00" + N, TAKEN),
            ("sixty zeros in front", b"Content-Length: " + b"0" * 60 + N, TAKEN),
            ("beyond 64 bits", b"Content-Length: 18446744073709551659", 413),
            ("beyond 63 bits", b"Content-Length: 9223372036854775851", 413),
            ("beyond 32 bits", b"Content-Length: 4294967339", 413),
            ("a thousand digits", b"Content-Length: " + b"9" * 1000, 413),
            ("twice, equal", cl + b"\r\n" + cl, 400),
            ("twice, in another case", cl + b"\r\ncontent-length: " + N, 400),
            ("twice, 0 first", b"Content-Length: 0\r\n" + cl, 400),
            ("twice, 0 last", cl + b"\r\nContent-Length: 0", 400),
            ("twice, empty last", cl + b"\r\nContent-Length:", 400),
            ("twice, the second disguised by a space", cl + b"\r\nContent-Length : 0", 400),
            ("twice, the second folded away", cl + b"\r\nX: y\r\n Content-Length: 0", 400),
            ("twice, the second behind a bare LF", cl + b"\r\nX: y\nContent-Length: 0", 400),
            ("twice, the second behind a bare CR", cl + b"\r\nX: y\rContent-Length: 0", 400),
            ("space before the colon", b"Content-Length : " + N, 400),
            ("tab before the colon", b"Content-Length\t: " + N, 400),
            ("NUL in the name", b"Content-\0Length: " + N, 400),
            ("a space in the name", b"Content Length: " + N, 400),
            ("no colon", b"Content-Length " + N, 400),
            ("space in front of the name", b" Content-Length: " + N, 400),
            ("an underscore in another name", cl + b"\r\nContent_Length: 0", TAKEN),
            ("named in Connection", cl + b"\r\nConnection: Content-Length", TAKEN),
            ("named in Connection, kept", cl + b"\r\nConnection: keep-alive, Content-Length",
             TAKEN)):
        yield f"length: {name}", request(line, body=SMUGGLED), want


# ---- chunks: a body, and what is done with it ----

LONG = b"A\r\n0123456789\r\n"
BODIES = [
    ("two chunks", b"3\r\nabc\r\n" + LONG + b"0\r\n\r\n", TAKEN),
    ("the smuggled request in a chunk", b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED),
     TAKEN),
    ("zeros in front of a size", b"0003\r\nabc\r\n000\r\n\r\n", TAKEN),
    ("a size of 16 digits", b"0000000000000003\r\nabc\r\n0\r\n\r\n", TAKEN),
    ("digits in both cases", b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", TAKEN),
    ("a trailer", b"0\r\nX: y\r\n\r\n", TAKEN),
    ("a size of 17 digits", b"00000000000000003\r\nabc\r\n0\r\n\r\n", 400),
    ("a size beyond 64 bits", b"10000000000000003\r\nabc\r\n0\r\n\r\n", 400),
    ("a size of 64 bits", b"FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n", 413),
    ("a size of 64 bits less the framing", b"FFFFFFFFFFFFFFFE\r\nabc\r\n0\r\n\r\n", 413),
    ("a size of 63 bits", b"8000000000000000\r\nabc\r\n0\r\n\r\n", 413),
    ("a size beyond 32 bits", b"100000003\r\nabc\r\n0\r\n\r\n", 413),
    ("0x in front", b"0x3\r\nabc\r\n0\r\n\r\n", 400),
    ("a plus sign", b"+3\r\nabc\r\n0\r\n\r\n", 400),
    ("a minus sign", b"-3\r\nabc\r\n0\r\n\r\n", 400),
    ("minus zero", b"-0\r\n\r\n" + SMUGGLED, 400),
    ("a space in front", b" 3\r\nabc\r\n0\r\n\r\n", 400),
    ("a tab in front", b"\t3\r\nabc\r\n0\r\n\r\n", 400),
    ("a space behind", b"3 \r\nabc\r\n0\r\n\r\n", 400),
    ("a tab behind", b"3\t\r\nabc\r\n0\r\n\r\n", 400),
    ("a space behind the last size", b"0 \r\n\r\n" + SMUGGLED, 400),
    ("a vertical tab behind", b"3\x0b\r\nabc\r\n0\r\n\r\n", 400),
    ("NUL behind", b"3\0\r\nabc\r\n0\r\n\r\n", 400),
    ("0xa0 in front", b"\xa03\r\nabc\r\n0\r\n\r\n", 400),
    ("an underscore", b"0_3\r\nabc\r\n0\r\n\r\n", 400),
    ("a letter", b"3g\r\nabc\r\n0\r\n\r\n", 400),
    ("no size", b"\r\nabc\r\n0\r\n\r\n", 400),
    ("an empty line in front", b"\r\n3\r\nabc\r\n0\r\n\r\n", 400),
    ("quotes", b"\"3\"\r\nabc\r\n0\r\n\r\n", 400),
    ("a point", b"3.0\r\nabc\r\n0\r\n\r\n", 400),
    ("a comma", b"3,3\r\nabc\r\n0\r\n\r\n", 400),
    ("other digits", b"\xd9\xa3\r\nabc\r\n0\r\n\r\n", 400),
    ("an extension", b"3;a=b\r\nabc\r\n0\r\n\r\n", 400),
    ("an extension without value", b"3;a\r\nabc\r\n0\r\n\r\n", 400),
    ("an empty extension", b"3;\r\nabc\r\n0\r\n\r\n", 400),
    ("a space and an extension", b"3 ;a=b\r\nabc\r\n0\r\n\r\n", 400),
    ("a quoted extension", b"3;a=\"b\r\n\"\r\nabc\r\n0\r\n\r\n", 400),
    ("an extension of the last chunk", b"0;a\r\n\r\n" + SMUGGLED, 400),
    ("TERM.EXT: LF in an extension", b"2;\nxx\r\n4f\r\n0\r\n\r\n" + SMUGGLED + b"0\r\n\r\n", 400),
    ("EXT.TERM: CR in an extension", b"2;\rxx\r\n4f\r\n0\r\n\r\n" + SMUGGLED + b"0\r\n\r\n", 400),
    ("TERM.SPILL: LF behind the data", b"5\r\nabcde\n0\r\n\r\n" + SMUGGLED, 400),
    ("SPILL.TERM: no line end behind the data", b"5\r\nabcde0\r\n\r\n" + SMUGGLED, 400),
    ("two other bytes behind the data", b"5\r\nabcdeXX0\r\n\r\n" + SMUGGLED, 400),
    ("CR alone behind the data", b"5\r\nabcde\r0\r\n\r\n" + SMUGGLED, 400),
    ("data longer than its size", b"3\r\nabcde\r\n0\r\n\r\n" + SMUGGLED, 400),
    ("LF behind a size", b"3\nabc\r\n0\r\n\r\n", 400),
    ("CR behind a size", b"3\rabc\r\n0\r\n\r\n", 400),
    ("CR CR LF behind a size", b"3\r\r\nabc\r\n0\r\n\r\n", 400),
    ("LF everywhere", b"3\nabc\n0\n\n" + SMUGGLED, 400),
    ("LF behind the last size", b"0\n\r\n" + SMUGGLED, 400),
    ("LF at the end", b"0\r\n\n" + SMUGGLED, 400),
    ("CR at the end", b"0\r\n\rX" + SMUGGLED, 400),
    ("no empty line at the end", b"0\r\n" + SMUGGLED, 400),
    ("a length in the trailers", b"0\r\nContent-Length: 43\r\n\r\n" + SMUGGLED, 400),
    ("a coding in the trailers", b"0\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED, 400),
    ("a host in the trailers", b"0\r\nHost: localhost\r\n\r\n" + SMUGGLED, 400),
    ("a connection option in the trailers", b"0\r\nConnection: close\r\n\r\n" + SMUGGLED, 400),
    ("a folded trailer", b"0\r\nX: y\r\n z\r\n\r\n" + SMUGGLED, 400),
    ("a trailer with a space before the colon", b"0\r\nX : y\r\n\r\n" + SMUGGLED, 400),
    ("a trailer without colon", b"0\r\nX\r\n\r\n" + SMUGGLED, 400),
    ("a trailer ended by LF", b"0\r\nX: y\n\r\n" + SMUGGLED, 400),
    ("a trailer ended by CR", b"0\r\nX: y\r\r\n" + SMUGGLED, 400),
    ("NUL in a trailer", b"0\r\nX: \0\r\n\r\n" + SMUGGLED, 400),
]


def chunk_rows():
    for name, body, want in BODIES:
        yield f"chunks: {name}", request(CHUNKED, body=body), want


# ---- Host, and where the request goes ----

def host_rows():
    for name, host in (
            ("none", None), ("empty", b"Host:"), ("twice", b"Host: localhost\r\nHost: localhost"),
            ("twice, different", b"Host: localhost\r\nHost: evil"),
            ("twice, the second disguised by a space", b"Host: localhost\r\nHost : evil"),
            ("twice, the second folded away", b"Host: localhost\r\n Host: evil"),
            ("twice, the second behind a bare LF", b"Host: localhost\nHost: evil"),
            ("space in front of the name", b" Host: localhost"),
            ("tab in front of the name", b"\tHost: localhost"),
            ("space before the colon", b"Host : localhost"),
            ("user information", b"Host: u@localhost"),
            ("user information with a port", b"Host: localhost:443@evil"),
            ("a path", b"Host: localhost/x"), ("a query", b"Host: localhost?x"),
            ("a fragment", b"Host: localhost#x"), ("a backslash", b"Host: localhost\\evil"),
            ("a space", b"Host: localhost evil"), ("a tab", b"Host: localhost\tevil"),
            ("a comma", b"Host: localhost, evil"), ("a URL", b"Host: http://localhost/"),
            ("no number as port", b"Host: localhost:x"), ("port 0", b"Host: localhost:0"),
            ("a port beyond 65535", b"Host: localhost:65536"),
            ("a signed port", b"Host: localhost:+443"),
            ("two ports", b"Host: localhost:443:443"), ("a number", b"Host: 2130706433"),
            ("hexadecimal", b"Host: 0x7f.1"), ("half an IPv6 literal", b"Host: [::1"),
            ("a zone", b"Host: [::1%25lo]"), ("not ASCII", b"Host: l\xc3\xb6calhost"),
            ("NUL", b"Host: localhost\0evil"), ("a percent escape", b"Host: local%68ost"),
            ("a quote", b"Host: \"localhost\""), ("0xa0 behind", b"Host: localhost\xa0")):
        yield f"host: {name}", request(host=host), 400
    for name, line, want in (
            ("absolute target", b"GET https://localhost/a.txt HTTP/1.1", TAKEN),
            ("absolute target against Host", b"GET https://other/a.txt HTTP/1.1", TAKEN),
            ("absolute target, no path", b"GET https://localhost?x HTTP/1.1", TAKEN),
            ("absolute target, another scheme", b"GET ftp://localhost/a.txt HTTP/1.1", 400),
            ("absolute target, user information", b"GET https://u@localhost/a.txt HTTP/1.1", 400),
            ("absolute target, no host", b"GET https:///a.txt HTTP/1.1", 400),
            ("absolute target, a space", b"GET https://localhost /a.txt HTTP/1.1", 400),
            ("authority target", b"GET localhost:443 HTTP/1.1", 400),
            ("relative target", b"GET a.txt HTTP/1.1", 400),
            ("@ target", b"GET @evil/a.txt HTTP/1.1", 400),
            ("asterisk with GET", b"GET * HTTP/1.1", 400)):
        yield f"host: {name}", request(line=line), want
    yield ("host: absolute target without Host",
           request(line=b"GET https://localhost/a.txt HTTP/1.1", host=None), 400)


# ---- the request line ----

def line_rows():
    a = b"GET /a.txt"
    for name, line, want in (
            ("HTTP/0.9", a, 505), ("HTTP/0.9 with a version", a + b" HTTP/0.9", 505),
            ("HTTP/1.2", a + b" HTTP/1.2", 505), ("HTTP/2.0", a + b" HTTP/2.0", 505),
            ("HTTP/2", a + b" HTTP/2", 400), ("HTTP/3.0", a + b" HTTP/3.0", 505),
            ("HTTP/1.10", a + b" HTTP/1.10", 400), ("HTTP/01.1", a + b" HTTP/01.1", 400),
            ("HTTP/1,1", a + b" HTTP/1,1", 400), ("HTTP/1.+1", a + b" HTTP/1.+1", 400),
            ("http/1.1", a + b" http/1.1", 400), ("HTTP /1.1", a + b" HTTP /1.1", 400),
            ("HTTP/ 1.1", a + b" HTTP/ 1.1", 400), ("HTTP/1.1 and a space", a + b" HTTP/1.1 ", 400),
            ("HTTP/1.1 and a tab", a + b" HTTP/1.1\t", 400),
            ("HTTP/1.1 and NUL", a + b" HTTP/1.1\0", 400),
            ("HTTP/1.1 twice", a + b" HTTP/1.1 HTTP/1.1", 400), ("ICE/1.1", a + b" ICE/1.1", 400),
            ("two spaces", a + b"  HTTP/1.1", 400),
            ("two spaces in front", b"GET  /a.txt HTTP/1.1", 400),
            ("a tab", a + b"\tHTTP/1.1", 505), ("a vertical tab", a + b"\x0bHTTP/1.1", 400),
            ("a space in front", b" GET /a.txt HTTP/1.1", 400),
            ("NUL in front", b"\0GET /a.txt HTTP/1.1", 400),
            ("a space in the target", b"GET /a b HTTP/1.1", 400),
            ("a fragment", b"GET /a.txt#x HTTP/1.1", 400),
            ("a backslash", b"GET /\\a.txt HTTP/1.1", 400),
            ("NUL in the target", b"GET /a\0 HTTP/1.1", 400),
            ("not ASCII", b"GET /\xc3\xa4 HTTP/1.1", 400),
            ("a bare CR", b"GET /a.txt\r HTTP/1.1", 400),
            ("a request in the target", b"GET /a.txt HTTP/1.1\nX: GET /smuggled HTTP/1.1", 400),
            ("no target", b"GET  HTTP/1.1", 400), ("a method alone", b"GET", 400),
            ("HTTP/2's preface", b"PRI * HTTP/2.0", 505), ("TLS", b"\x16\x03\x01\x02\0\x01", 400),
            ("a method that is no token", b"G(ET /a.txt HTTP/1.1", 400),
            ("a method not in ASCII", b"G\xc3\x8bT /a.txt HTTP/1.1", 400),
            ("a method with a colon", b"GET: /a.txt HTTP/1.1", 400),
            ("a status line", b"HTTP/1.1 200 OK", 400),
            ("a method in lower case", b"get /a.txt HTTP/1.1", [501]),
            ("a method in mixed case", b"Post /a.txt HTTP/1.1", [501]),
            ("a method of another protocol", b"PROPFIND /a.txt HTTP/1.1", [501]),
            ("CONNECT", b"CONNECT localhost:443 HTTP/1.1", 405),
            ("CONNECT with a path", b"CONNECT /a.txt HTTP/1.1", 400),
            ("CONNECT with a URL", b"CONNECT https://localhost/ HTTP/1.1", 400),
            ("TRACE", b"TRACE /a.txt HTTP/1.1", [405])):
        yield f"line: {name}", request(line=line), want
    good = request()
    yield "line: an empty line in front", b"\r\n" + good, TAKEN
    yield "line: three empty lines in front", b"\r\n\r\n\r\n" + good, 400
    yield "line: LF in front", b"\n" + good, 400
    yield "line: CR in front", b"\r" + good, 400
    yield "line: space and an empty line in front", b" \r\n" + good, 400


# ---- line ends and names ----

def field_rows():
    for name, end in (("LF", b"\n"), ("CR", b"\r"), ("LF CR", b"\n\r"), ("CR CR LF", b"\r\r\n"),
                      ("NUL CR LF", b"\0\r\n"), ("VT CR LF", b"\x0b\r\n"), ("NEL", b"\xc2\x85"),
                      ("line separator", b"\xe2\x80\xa8")):
        yield f"ends: {name}", request(b"X: y", end=end) + b"\r\n\r\n", 400
    head = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n"
    yield "ends: the head by LF alone", head + b"\n" + SMUGGLED, 400
    yield "ends: the head by LF LF", head[:-2] + b"\n\n" + SMUGGLED, 400
    yield "ends: the head by CR alone", head + b"\r" + SMUGGLED, 400
    yield "ends: the last field by LF", head + b"X: y\n\r\n" + SMUGGLED, 400
    for name, line, want in (
            ("empty", b": y", 400), ("a space inside", b"X Y: z", 400),
            ("not ASCII", b"\xc3\xa4: y", 400),
            ("NUL", b"X\0: y", 400), ("a quote", b"X\": y", 400), ("a bracket", b"[X]: y", 400),
            ("a slash", b"X/Y: z", 400), ("an at sign", b"X@Y: z", 400), ("no colon", b"X", 400),
            ("a space behind", b"X : y", 400), ("folded", b"X: y\r\n z", 400),
            ("NUL in the value", b"X: \0", 400), ("ESC in the value", b"X: \x1b", 400),
            ("CR in the value", b"X: a\rb", 400), ("DEL in the value", b"X: \x7f", 400),
            ("underscore", b"X_Y: z", TAKEN), ("digits", b"1: z", TAKEN),
            ("no value", b"X:", TAKEN),
            ("bytes above ASCII in the value", b"X: \xff\x85\xa0", TAKEN),
            ("a request in the value", b"X: GET /smuggled HTTP/1.1", TAKEN)):
        yield f"names: {name}", request(line), want


# ---- what may make somebody wait, close or change the protocol ----

def other_rows():
    post = b"POST " + TARGET + b" HTTP/1.1"
    body = length(SMUGGLED)
    for method, status in ((b"GET", 200), (b"DELETE", 405), (b"OPTIONS", 405), (b"POST", 405),
                           (b"BREW", 501)):
        line = method + b" " + TARGET + b" HTTP/1.1"
        name = method.decode()
        yield f"body of {name}", request(body, line=line, body=SMUGGLED), [status]
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
        yield f"chunked body of {name}", request(CHUNKED, line=line, body=chunk), [status]
    yield "CONNECT with a body", request(body, line=b"CONNECT localhost:443 HTTP/1.1",
                                         body=SMUGGLED), 400
    yield "CONNECT with chunks", request(CHUNKED, line=b"CONNECT localhost:443 HTTP/1.1",
                                         body=b"0\r\n\r\n" + SMUGGLED), 400
    for name, line, want in (
            ("100-continue", b"Expect: 100-continue", [100, 200]),
            ("100-continue in capitals", b"Expect: 100-CONTINUE", [100, 200]),
            ("100-continue twice", b"Expect: 100-continue\r\nExpect: 100-continue", [100, 200]),
            ("a word in front", b"Expect: y 100-continue", 417),
            ("a word behind", b"Expect: 100-continue y", 417),
            ("a list", b"Expect: 100-continue, y", 417),
            ("a list, the other way", b"Expect: y, 100-continue", 417),
            ("a parameter", b"Expect: 100-continue;a=b", 417),
            ("quotes", b"Expect: \"100-continue\"", 417),
            ("another number", b"Expect: 200-ok", 417),
            ("empty", b"Expect:", TAKEN),
            ("space before the colon", b"Expect : 100-continue", 400),
            ("folded", b"Expect:\r\n 100-continue", 400),
            ("vertical tab", b"Expect: \x0b100-continue", 400)):
        yield f"expect: {name}", request(line, body, body=SMUGGLED), want
    yield ("expect: 0.CL, no body behind it",
           request(b"Expect: y 100-continue", length(SMUGGLED)), 417)
    yield "expect: refused method", request(b"Expect: 100-continue", body, line=post,
                                            body=SMUGGLED), 405
    yield "expect: no body", request(b"Expect: 100-continue"), TAKEN
    yield "expect: HTTP/1.0", request(b"Expect: 100-continue", body, b"Connection: keep-alive",
                                      line=b"GET /a.txt HTTP/1.0", body=SMUGGLED), TAKEN
    for name, lines, want in (
            ("h2c", (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
                     b"HTTP2-Settings: AAMAAABk"),
             TAKEN),
            ("h2c with a body", (b"Connection: Upgrade", b"Upgrade: h2c", body), TAKEN),
            ("a WebSocket that is not there", (b"Connection: Upgrade", b"Upgrade: websocket",
                                               b"Sec-WebSocket-Version: 13",
                                               b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="),
             TAKEN),
            ("TLS", (b"Connection: Upgrade", b"Upgrade: TLS/1.0"), TAKEN)):
        yield f"upgrade: {name}", request(*lines, body=SMUGGLED if body in lines else b""), want
    for name, line, want in (
            ("close", b"Connection: close", 200), ("close in a list", b"Connection: x, close", 200),
            ("close in capitals", b"Connection: CLOSE", 200),
            ("close behind a quote", b"Connection: \", close", 200),
            ("close and keep-alive", b"Connection: keep-alive, close", 200),
            ("close in a second field", b"Connection: x\r\nConnection: close", 200),
            ("Host", b"Connection: Host", TAKEN), ("a cookie", b"Connection: Cookie", TAKEN),
            ("closed", b"Connection: closed", TAKEN), ("empty", b"Connection:", TAKEN),
            ("Proxy-Connection", b"Proxy-Connection: close", TAKEN),
            ("Keep-Alive", b"Keep-Alive: timeout=0, max=0", TAKEN)):
        yield f"connection: {name}", request(line), want
    yield "connection: HTTP/1.0", request(line=b"GET /a.txt HTTP/1.0"), 200
    yield "connection: HTTP/1.0 with a body", request(body, line=b"GET /a.txt HTTP/1.0",
                                                      body=SMUGGLED), 200
    yield "connection: HTTP/1.0 kept alive, with a body", request(
        body, b"Connection: keep-alive", line=b"GET /a.txt HTTP/1.0", body=SMUGGLED), TAKEN
    for name, line in (("another method", b"X-HTTP-Method-Override: POST"),
                       ("another target", b"X-Original-URL: /smuggled"),
                       ("another target, rewritten", b"X-Rewrite-URL: /smuggled"),
                       ("another host", b"X-Forwarded-Host: evil"),
                       ("Forwarded", b"Forwarded: host=evil"),
                       ("early data", b"Early-Data: 1"),
                       ("early data twice", b"Early-Data: 1\r\nEarly-Data: 0"),
                       ("trailers announced", b"Trailer: Content-Length"),
                       ("a pseudo-header's name", b"X-Path: /smuggled")):
        yield f"override: {name}", request(line), TAKEN
    yield "override: a pseudo-header", request(b":path: /smuggled"), 400


def rows():
    """(name, bytes, status or list of statuses)"""
    for part in (transfer_encoding_rows, length_rows, chunk_rows, host_rows, line_rows, field_rows,
                 other_rows):
        yield from part()
