/* tests/http/differential.c - requests that a generator makes, read by our parser and by llhttp.
 *
 * Each stream is a pipeline of requests put together from pieces, the usual ones most of the time
 * and odd ones in between, and then, now and again, changed at some bytes. Where the two readings
 * differ a row of fuzz/http_differential.c says who is right; a row that nothing needs fails too.
 * The generator is seeded with the number of the stream: a failure comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llhttp.h>

#include "base/bytes.h"
#include "http_differential.h"

/* 300,000 streams: half a second, some seconds under sanitizers */
#define STREAMS 300000
/* 32 KiB: some requests with their bodies, or one that is too long */
#define ROOM    32768

static uint64_t random_state;

/* splitmix64: any seed will do. */
static uint32_t below(uint32_t limit)
{
    random_state += 0x9e3779b97f4a7c15;
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ (z >> 31)) >> 32) % limit;
}

struct piece {
    const char *p;
    size_t len;
};
#define P(text)                \
    {                          \
        text, sizeof(text) - 1 \
    }

static const struct piece methods[] = {
    P("GET"),      P("POST"),    P("HEAD"),
    P("PUT"),      P("OPTIONS"), P("DELETE"),
    P("CONNECT"),  P("BREW"),    P("get"),
    P("M-SEARCH"), P("PRI"),     P("SOURCE"),
    P("G T"),      P("G\"T"),    P(""),
    P("G\0T"),     P(" GET"),    P("DESCRIBE"),
    P("TRACE"),    P("\x80GET"), P("\r\n\r\n\r\nGET"),
};
static const struct piece targets[] = {
    P("/"),
    P("/a?b=c"),
    P("http://h/a"),
    P("*"),
    P("h:443"),
    P("/%zz"),
    P("/a#b"),
    P("/a b"),
    P(""),
    P("http://u:p@h/"),
    P("//h/x"),
    P("/|^`{}"),
    P("/\\"),
    P("/\xc3\xa4"),
    P("/\x01"),
    P("ftp://h/"),
    P("http://"),
    P("h"),
    P("/\ta"),
    P("/\"<>"),
    P("https://[::1]:8/?x"),
    P("http://h:0/"),
    P("a/b"),
    P("h:99999"),
    P("[::1]:443"),
};
static const struct piece versions[] = {
    P(" HTTP/1.1"),  P(" HTTP/1.0"),  P(" HTTP/2.0"),  P(" HTTP/1.2"),
    P(" HTTP/0.9"),  P(" http/1.1"),  P(" HTTP/1.1 "), P(" HTTP/11"),
    P(""),           P(" HTTP/1.10"), P(" RTSP/1.0"),  P("\tHTTP/1.1"),
    P("  HTTP/1.1"), P(" HTTP/1,1"),  P(" HTTP/01.1"), P(" ICE/1.0"),
};
static const struct piece ends[] = {P("\r\n"), P("\n"),     P("\r"),    P("\r\r\n"),
                                    P("\n\r"), P("\r\n\r"), P(" \r\n"), P("\0\r\n")};
static const struct piece hosts[] = {
    P("Host: h"),       P("host:h"),      P("Host: h:8080"),       P("Host:"),
    P("Host: u@h"),     P("Host: h/x"),   P("Host: h, g"),         P("Host : h"),
    P(" Host: h"),      P("X: y"),        P("Host: h\r\nHost: h"), P("Host: \xc3\xa4"),
    P("Host: h:99999"), P("Host:\th \t"), P("Host: 1.2.3"),
};
static const struct piece fields[] = {
    P("X: y"),
    P("Content-Length: 3"),
    P("Transfer-Encoding: chunked"),
    P("Connection: close"),
    P("Connection: keep-alive"),
    P("Content-Length: 0"),
    P("Content-Length: +3"),
    P("Content-Length: 3, 3"),
    P("Content-Length: 0x3"),
    P("Content-Length: 3 "),
    P("Content-Length: 03"),
    P("Content-Length: -3"),
    P("Content-Length:"),
    P("Content-Length: 18446744073709551619"),
    P("Content-Length: 9223372036854775808"),
    P("Content-Length: 3\r\nContent-Length: 3"),
    P("Content-Length: 3;a"),
    P("Content-Length: 3a"),
    P("Content-Length: 3 3"),
    P("Content-Length : 3"),
    P("Content_Length: 3"),
    P("Content-Length\t: 3"),
    P("Content-Length: \v3"),
    P("Content-Length: 3\0"),
    P("Transfer-Encoding: CHUNKED"),
    P("Transfer-Encoding: chunked "),
    P("Transfer-Encoding: \tchunked"),
    P("Transfer-Encoding: identity"),
    P("Transfer-Encoding: chunked, identity"),
    P("Transfer-Encoding: identity, chunked"),
    P("Transfer-Encoding: gzip, chunked"),
    P("Transfer-Encoding: gzip"),
    P("Transfer-Encoding: chunked, chunked"),
    P("Transfer-Encoding: chunked,"),
    P("Transfer-Encoding: ,chunked"),
    P("Transfer-Encoding: \"chunked\""),
    P("Transfer-Encoding: 'chunked'"),
    P("Transfer-Encoding: chunked;a=b"),
    P("Transfer-Encoding: xchunked"),
    P("Transfer-Encoding: chunkedx"),
    P("Transfer-Encoding: chunked\v"),
    P("Transfer-Encoding: \x0b"
      "chunked"),
    P("Transfer-Encoding: chunked\x85"),
    P("Transfer-Encoding: \xa0"
      "chunked"),
    P("Transfer-Encoding: chu\r\n nked"),
    P("Transfer-Encoding:\r\n chunked"),
    P("Transfer-Encoding : chunked"),
    P("Transfer-Encoding"),
    P("Transfer-Encoding:"),
    P("Transfer_Encoding: chunked"),
    P("\0Transfer-Encoding: chunked"),
    P("Transfer-Encoding: c\0hunked"),
    P("Transfer-Encoding: chunked\r"),
    P("Transfer-Encoding: chunked\nX: y"),
    P("X: y\rTransfer-Encoding: chunked"),
    P("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    P("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
    P("Transfer-Encoding: chunked\r\nContent-Length: 3"),
    P("Content-Length: 3\r\nTransfer-Encoding: chunked"),
    P("X: a\r\n b"),
    P("X: a\r\n\tb"),
    P(": x"),
    P("X"),
    P("X y: z"),
    P("X\": z"),
    P("X: \x7f"),
    P("X: \x1b"),
    P("X: \xff"),
    P("X: a\tb"),
    P("X:a"),
    P("X: "),
    P("Expect: 100-continue"),
    P("Expect: x"),
    P("Connection: upgrade\r\nUpgrade: h2c"),
    P("Upgrade: h2c"),
    P("Connection: upgrade"),
    P("Connection: close, keep-alive"),
    P("Connection: x, close"),
    P("Connection: closed"),
    P("Connection: content-length"),
    P("Connection: keep-alive\r\nConnection: close"),
    P("Connection: ,close"),
    P("Connection: close,"),
    P("Connection: close x"),
    P("Proxy-Connection: close"),
    P("Connection: \"close\""),
    P("Connection: CLOSE"),
};
static const struct piece bodies[] = {
    P(""),
    P("abc"),
    P("3\r\nabc\r\n0\r\n\r\n"),
    P("0\r\n\r\n"),
    P("ab"),
    P("00003\r\nabc\r\n0\r\n\r\n"),
    P("0x3\r\nabc\r\n0\r\n\r\n"),
    P("+3\r\nabc\r\n0\r\n\r\n"),
    P("-3\r\nabc\r\n0\r\n\r\n"),
    P(" 3\r\nabc\r\n0\r\n\r\n"),
    P("3 \r\nabc\r\n0\r\n\r\n"),
    P("3;a=b\r\nabc\r\n0\r\n\r\n"),
    P("3;\r\nabc\r\n0\r\n\r\n"),
    P("3;a=\"b\"\r\nabc\r\n0\r\n\r\n"),
    P("3\nabc\n0\n\n"),
    P("3\r\nabc0\r\n\r\n"),
    P("3\r\nabcd\r\n0\r\n\r\n"),
    P("3\r\nabc\n0\r\n\r\n"),
    P("3\r\nabc\r\n0\r\nX: y\r\n\r\n"),
    P("3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n"),
    P("3\r\nabc\r\n0\r\n X: y\r\n\r\n"),
    P("3\r\nabc\r\n0\r\nX : y\r\n\r\n"),
    P("3\r\nabc\r\n0\r\nX\r\n\r\n"),
    P("10000000000000003\r\nabc\r\n0\r\n\r\n"),
    P("FFFFFFFFFFFFFFFF\r\nabc\r\n"),
    P("00000000000000000000000000003\r\nabc\r\n0\r\n\r\n"),
    P("\r\n0\r\n\r\n"),
    P("3;a\nb\r\nabc\r\n0\r\n\r\n"),
    P("3\r\r\nabc\r\n0\r\n\r\n"),
    P("0\r\nX: y\n\r\n"),
    P("0\r\n\n"),
    P("0\n\r\n"),
    P("0\r\n\r"),
    P("3\r\nabc\r\n0\r\nTransfer-Encoding: x\r\n\r\n"),
    P("g\r\n"),
    P("3\t\r\nabc\r\n0\r\n\r\n"),
    P("3\r\nabc\r\r\n0\r\n\r\n"),
    P("0\r\nX: \x01\r\n\r\n"),
    P("0;a\r\n\r\n"),
    P("A\r\n0123456789\r\n0\r\n\r\n"),
};

/* What takes too much luck to put together. */
static const struct piece whole[] = {
    P("CONNECT h:443 HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775808\r\n\r\n"),
    P("GET / HTTP/1.1\r\nHost: h\r\nConnection: close \t\r\n\r\n"),
    P("GET / HTTP/1.1\r\nHost: h\r\nConnection: \",close\r\n\r\n"),
    P("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3 \t\r\n\r\nabc"),
    P("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n"),
    P("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
      "Transfer-Encoding: chunked\t\r\n\r\nPRI * HTTP/2.0\r\n\r\n"),
};
#define NUM_WHOLE (sizeof(whole) / sizeof(whole[0]))

struct stream {
    uint8_t p[ROOM];
    size_t len;
};

static void put(struct stream *s, struct piece piece)
{
    if (piece.len <= ROOM - s->len) {
        memcpy(s->p + s->len, piece.p, piece.len);
        s->len += piece.len;
    }
}

/* The first piece, or, once in `odd` times, any. */
#define PUT(s, pieces, odd) \
    put(s, pieces[below(odd) != 0 ? 0 : below(sizeof(pieces) / sizeof(pieces[0]))])

/* What is too long: a target, a field, or too many of them. */
static void put_long(struct stream *s, struct piece piece, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        put(s, piece);
    }
}

static void put_request(struct stream *s)
{
    static const struct piece space[] = {P(" "), P("  "), P("\t"), P("")};
    PUT(s, methods, 3);
    PUT(s, space, 100);
    PUT(s, targets, 3);
    if (below(1000) == 0) {
        put_long(s, (struct piece)P("aaaaaaaaaa"), 900);
    }
    PUT(s, versions, 8);
    PUT(s, ends, 60);
    PUT(s, hosts, 8);
    PUT(s, ends, 60);
    if (below(1000) == 0) {
        put_long(s, (struct piece)P("X: yyyyyy\r\n"), 50 + below(100));
    }
    for (uint32_t num = below(4); num > 0; num--) {
        PUT(s, fields, 3);
        PUT(s, ends, 60);
    }
    PUT(s, ends, 60);
    PUT(s, bodies, 2);
}

/* One byte changed, put in or taken out. */
static void change(struct stream *s)
{
    static const char likely[] = "\r\n\t \v\f\0:;,=\"/.+-0x\x7f\x80\x85\xa0\xff";
    size_t at = below((uint32_t)s->len);
    uint8_t byte = below(2) != 0 ? (uint8_t)likely[below(sizeof(likely) - 1)] : (uint8_t)below(256);
    switch (below(3)) {
    case 0:
        s->p[at] = byte;
        break;
    case 1:
        memmove(s->p + at, s->p + at + 1, s->len - at - 1);
        s->len--;
        break;
    default:
        if (s->len < ROOM) {
            memmove(s->p + at + 1, s->p + at, s->len - at);
            s->p[at] = byte;
            s->len++;
        }
        break;
    }
}

static void make(uint32_t number, struct stream *s)
{
    random_state = number;
    s->len = 0;
    if (number < NUM_WHOLE) {
        put(s, whole[number]);
        return;
    }
    for (uint32_t num = 1 + below(3); num > 0; num--) {
        put_request(s);
    }
    for (uint32_t num = below(2) != 0 ? below(4) : 0; num > 0 && s->len > 1; num--) {
        change(s);
    }
}

static void print_stream(const struct stream *s)
{
    for (size_t i = 0; i < s->len; i++) {
        if (s->p[i] >= ' ' && s->p[i] < 0x7f && s->p[i] != '\\') {
            print_error("%c", s->p[i]);
        } else {
            print_error("\\x%02x", s->p[i]);
        }
    }
    print_error("\n");
}

static void test_where_two_parsers_differ_a_section_says_who_is_right(void **state)
{
    unsigned agreed = 0, refused = 0, strict = 0, lax = 0, findings = 0;
    const char *more = getenv("CLEAT_DIFFERENTIAL_STREAMS");
    uint32_t num = more != NULL ? (uint32_t)strtoul(more, NULL, 10) : STREAMS;
    static struct stream s;
    for (uint32_t i = 0; i < num; i++) {
        struct differential d;
        make(i, &s);
        differential_run(s.p, s.len, &d);
        agreed += d.agreed;
        refused += d.both_refused;
        strict += d.stricter != NULL;
        lax += d.laxer != NULL;
        if (d.finding[0] != '\0' && ++findings <= 20) {
            print_error("stream %u: %s\n", i, d.finding);
            print_stream(&s);
        }
    }
    print_message("%u streams: %u messages read alike, %u refused by both, %u by us alone, %u by "
                  "llhttp %d.%d alone\n",
                  num, agreed, refused, strict, lax, LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR);
    assert_int_equal(findings, 0);
    assert_true(agreed > num / 4);
}

static void test_every_row_of_the_tables_is_needed(void **state)
{
    size_t at = 0;
    const char *why;
    unsigned unused = 0;
    while ((why = differential_unused(&at)) != NULL) {
        print_error("no stream needs the row: %s\n", why);
        unused++;
    }
    /* what llhttp is lax about depends on its version; the rows are those of 8.1 */
    assert_true(unused == 0 || LLHTTP_VERSION_MAJOR != 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_two_parsers_differ_a_section_says_who_is_right),
        cmocka_unit_test(test_every_row_of_the_tables_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
