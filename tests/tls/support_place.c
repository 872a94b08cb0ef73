/* tests/tls/support_place.c - see support_place.h. Reads records and messages that our own ends
 * have sent, on its own and without checks: what it cannot follow is a mistake of the test. */
#include "tls/support_place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tls/support_tls.h"
#include "tls/wire.h"

#define RECORD_HEADER  5
#define MESSAGE_HEADER 4

/* A message is read front to back; what holds the byte looked for gives it its name. */
struct cursor {
    const uint8_t *p;
    size_t at; /* begin of what comes next */
    size_t end;
    size_t wanted;
    const char *message;
    char *name;
    bool found;
};

static void say(struct cursor *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct cursor *c, const char *fmt, ...)
{
    char field[TEST_PLACE_MAX / 2];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(field, sizeof(field), fmt, ap);
    va_end(ap);
    (void)snprintf(c->name, TEST_PLACE_MAX, "%.40s: %s", c->message, field);
    c->found = true;
}

static void field(struct cursor *c, size_t len, const char *what)
{
    assert_true(c->at + len <= c->end);
    if (c->wanted >= c->at && c->wanted < c->at + len) {
        say(c, "%s", what);
    }
    c->at += len;
}

static size_t number(const struct cursor *c, size_t width)
{
    size_t v = 0;
    for (size_t i = 0; i < width; i++) {
        v = v << 8 | c->p[c->at + i];
    }
    return v;
}

/* A length of width bytes, and that many bytes. */
static void vector(struct cursor *c, size_t width, const char *what)
{
    char text[TEST_PLACE_MAX / 2];
    size_t len = number(c, width);
    (void)snprintf(text, sizeof(text), "%.30s length", what);
    field(c, width, text);
    field(c, len, what);
}

static void extensions(struct cursor *c)
{
    if (c->at == c->end) {
        return;
    }
    size_t end = c->at + 2 + number(c, 2);
    field(c, 2, "extensions length");
    while (c->at < end) {
        char text[TEST_PLACE_MAX / 2];
        unsigned type = (unsigned)number(c, 2);
        (void)snprintf(text, sizeof(text), "extension %u type", type);
        field(c, 2, text);
        (void)snprintf(text, sizeof(text), "extension %u", type);
        vector(c, 2, text);
    }
}

static void client_hello(struct cursor *c)
{
    field(c, 2, "legacy_version");
    field(c, 32, "random");
    vector(c, 1, "session ID");
    vector(c, 2, "suites");
    vector(c, 1, "compression");
    extensions(c);
}

static void server_hello(struct cursor *c)
{
    field(c, 2, "legacy_version");
    field(c, 32, "random");
    vector(c, 1, "session ID");
    field(c, 2, "suite");
    field(c, 1, "compression");
    extensions(c);
}

static void certificate_12(struct cursor *c)
{
    size_t list = number(c, 3);
    field(c, 3, "list length");
    for (size_t end = c->at + list; c->at < end;) {
        vector(c, 3, "certificate");
    }
}

static void server_key_exchange(struct cursor *c)
{
    field(c, 1, "curve type");
    field(c, 2, "curve");
    vector(c, 1, "share");
    field(c, 2, "scheme");
    vector(c, 2, "signature");
}

static void certificate_request_12(struct cursor *c)
{
    vector(c, 1, "types");
    vector(c, 2, "schemes");
    vector(c, 2, "authorities");
}

static void client_key_exchange(struct cursor *c)
{
    /* an RSA key has 2048 bits, an ECDHE share 133 bytes at most */
    bool rsa = c->end - c->at > 2 + 255;
    vector(c, rsa ? 2 : 1, rsa ? "encrypted secret" : "share");
}

static void certificate_verify(struct cursor *c)
{
    field(c, 2, "scheme");
    vector(c, 2, "signature");
}

static void ticket_12(struct cursor *c)
{
    field(c, 4, "lifetime");
    vector(c, 2, "ticket");
}

static void nothing(struct cursor *c)
{
    assert_int_equal(c->at, c->end);
}

static const struct {
    uint8_t type;
    const char *name;
    void (*read)(struct cursor *c);
} messages[] = {
    {CL_HT_CLIENT_HELLO, "ClientHello", client_hello},
    {CL_HT_SERVER_HELLO, "ServerHello", server_hello},
    {CL_HT_NEW_SESSION_TICKET, "NewSessionTicket", ticket_12},
    {CL_HT_CERTIFICATE, "Certificate", certificate_12},
    {CL_HT_SERVER_KEY_EXCHANGE, "ServerKeyExchange", server_key_exchange},
    {CL_HT_CERTIFICATE_REQUEST, "CertificateRequest", certificate_request_12},
    {CL_HT_SERVER_HELLO_DONE, "ServerHelloDone", nothing},
    {CL_HT_CERTIFICATE_VERIFY, "CertificateVerify", certificate_verify},
    {CL_HT_CLIENT_KEY_EXCHANGE, "ClientKeyExchange", client_key_exchange},
};

static bool is_retry(const uint8_t *message)
{
    static const uint8_t begin[] = {0xcf, 0x21, 0xad, 0x74};
    return memcmp(message + MESSAGE_HEADER + 2, begin, sizeof(begin)) == 0;
}

/* One message; true when the byte is in it. */
static bool in_message(struct cursor *c)
{
    for (size_t i = 0; i < TEST_LEN(messages); i++) {
        if (messages[i].type == c->p[c->at]) {
            bool retry = messages[i].read == server_hello && is_retry(c->p + c->at);
            c->message = retry ? "HelloRetryRequest" : messages[i].name;
            size_t record_end = c->end;
            c->at++;
            c->end = c->at + 3 + number(c, 3);
            c->at--;
            field(c, 1, "type");
            field(c, 3, "length");
            messages[i].read(c);
            assert_int_equal(c->at, c->end);
            c->end = record_end;
            return c->found;
        }
    }
    fail_msg("a handshake message of type %u in clear", c->p[c->at]);
    return false;
}

static void in_header(const char *kind, size_t at, char *name)
{
    static const char *const fields[] = {"type", "version major", "version minor", "length",
                                         "length"};
    (void)snprintf(name, TEST_PLACE_MAX, "%s record: %s", kind, fields[at]);
}

/* One record; at is inside it. */
static void in_record(const struct test_place_reader *reader, const uint8_t *p, size_t size,
                      size_t at, char *name)
{
    bool ccs = p[0] == CL_CT_CHANGE_CIPHER_SPEC;
    bool is_protected = !ccs && (p[0] == CL_CT_APPLICATION_DATA || reader->protected_12);
    const char *kind = ccs ? "ccs" : is_protected ? "protected" : "clear";
    if (at < RECORD_HEADER) {
        in_header(kind, at, name);
        return;
    }
    if (ccs || is_protected) {
        (void)snprintf(name, TEST_PLACE_MAX, "%s record: body", kind);
        return;
    }
    struct cursor c = {.p = p, .at = RECORD_HEADER, .end = size, .wanted = at, .name = name};
    while (!in_message(&c)) {
    }
}

static size_t record_size(const uint8_t *p)
{
    return RECORD_HEADER + (size_t)p[3] * 256 + p[4];
}

static void pass_record(struct test_place_reader *reader, const uint8_t *p)
{
    reader->protected_12 =
        reader->protected_12 || (reader->is_12 && p[0] == CL_CT_CHANGE_CIPHER_SPEC);
}

void test_place(const struct test_place_reader *reader, const uint8_t *p, size_t len, size_t at,
                char name[TEST_PLACE_MAX])
{
    struct test_place_reader now = *reader;
    size_t begin = 0;
    while (begin + record_size(p + begin) <= at) {
        pass_record(&now, p + begin);
        begin += record_size(p + begin);
    }
    assert_true(begin + record_size(p + begin) <= len);
    in_record(&now, p + begin, record_size(p + begin), at - begin, name);
}

void test_place_advance(struct test_place_reader *reader, const uint8_t *p, size_t len)
{
    for (size_t begin = 0; begin < len; begin += record_size(p + begin)) {
        pass_record(reader, p + begin);
    }
}
