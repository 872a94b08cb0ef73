/* tests/tls/test_forged.c - a peer that breaks the protocol in one place of one handshake message,
 * and knows what it said: its transcript is the forged one, so that nothing but the check of that
 * place can refuse it. And what an honest peer may say that we do not know (GREASE, RFC 8701). */
#include <string.h>

#include "tls/conn.h"
#include "tls/support_tls.h"

enum setting { PLAIN, RETRY, AUTH, RESUME, BOTH /* versions, at the client; the server has 1.2 */ };

static struct cleat_ticket_keys *keys;

static struct cleat_tls_builder *client_in(enum setting setting)
{
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_groups(b, "P-256:X25519"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(b, setting == BOTH ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3,
                                                CLEAT_TLS_1_3),
                     CLEAT_OK);
    if (setting == AUTH) {
        assert_int_equal(cleat_tls_builder_credential(b, world.client.chain, world.client.key),
                         CLEAT_OK);
    }
    return b;
}

static struct cleat_tls_builder *server_in(enum setting setting)
{
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_groups(b, setting == RETRY ? "X25519" : "P-256"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(b, keys, 1), CLEAT_OK);
    if (setting == AUTH) {
        cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_REQUIRED);
        assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    }
    if (setting == BOTH) {
        assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    }
    return b;
}

static struct cleat_tls_session *session_in(enum setting setting)
{
    struct test_pair p;
    if (setting != RESUME) {
        return NULL;
    }
    test_pair_make(&p, test_finish(client_in(setting)), test_finish(server_in(setting)), NULL);
    test_pair_run(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    return session;
}

/* ---- more edits ---- */

static const uint8_t retry_random[] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

#define RANDOM_AT 6
#define SUITES_AT 71 /* of a ClientHello with a session ID of 32 bytes */

/* A ServerHello that becomes a HelloRetryRequest. */
static void as_retry(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                     size_t start)
{
    memcpy(flight->p + start + RANDOM_AT, retry_random, sizeof(retry_random));
    e->ext = 51;
    e->hex = "0017";
    test_edit_ext_put(e, tls, flight, start);
}

/* Bytes from e->ext on are replaced by e->hex. */
static void overwrite(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                      size_t start)
{
    struct cl_buf bytes = test_hex(e->hex);
    (void)tls;
    assert_true(start + e->ext + bytes.len <= flight->len);
    memcpy(flight->p + start + e->ext, bytes.p, bytes.len);
    cl_buf_deinit(&bytes);
}

/* The last byte of the message. */
static void flip_last(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                      size_t start)
{
    (void)e;
    (void)tls;
    (void)start;
    flight->p[flight->len - 1] ^= 1;
}

/* The message once more, behind itself. */
static void twice(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight, size_t start)
{
    struct cl_buf copy = {0};
    (void)e;
    (void)tls;
    size_t len = flight->len - start;
    assert_int_equal(cl_buf_append(&copy, flight->p + start, len, SIZE_MAX / 2), CL_OK);
    assert_int_equal(cl_buf_append(flight, copy.p, len, SIZE_MAX / 2), CL_OK);
    cl_buf_deinit(&copy);
}

/* Not sent at all. */
static void leave_out(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                      size_t start)
{
    (void)e;
    (void)tls;
    flight->len = start;
}

static void remove_two(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                       size_t start)
{
    e->ext = 51;
    test_edit_ext_remove(e, tls, flight, start);
    e->ext = 44;
    test_edit_ext_remove(e, tls, flight, start);
}

/* A second compression method. */
static void compress(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                     size_t start)
{
    (void)e;
    (void)tls;
    size_t at = test_ext_block(flight, start) - 2;
    test_buf_splice(flight, at, 2, "\2\1\0", 3);
    test_fix_lengths(flight, start, 0);
}

/* ---- what is refused ---- */

struct forgery {
    const char *what;
    enum setting setting;
    bool by_client;
    struct test_edit edit;
    bool at_client; /* who refuses */
    int code;
    uint8_t alert;
};

#define BY_SERVER(what, setting, code, alert, ...)                         \
    {                                                                      \
        what, setting, false, {__VA_ARGS__}, true, CLEAT_ERR_##code, alert \
    }
#define BY_CLIENT(what, setting, code, alert, ...)                         \
    {                                                                      \
        what, setting, true, {__VA_ARGS__}, false, CLEAT_ERR_##code, alert \
    }

static const struct forgery server_hellos[] = {
    BY_SERVER("session ID not echoed", PLAIN, ILLEGAL_PARAMETER, 47, 2, .edit = test_edit_flip,
              .ext = 39),
    BY_SERVER("suite not offered", PLAIN, ILLEGAL_PARAMETER, 47, 2, .edit = overwrite, .ext = 71,
              .hex = "1304"),
    BY_SERVER("suite of TLS 1.2", PLAIN, ILLEGAL_PARAMETER, 47, 2, .edit = overwrite, .ext = 71,
              .hex = "c02b"),
    BY_SERVER("compression", PLAIN, ILLEGAL_PARAMETER, 47, 2, .edit = overwrite, .ext = 73,
              .hex = "01"),
    BY_SERVER("legacy_version of TLS 1.3", PLAIN, ILLEGAL_PARAMETER, 47, 2, .edit = overwrite,
              .ext = 4, .hex = "0304"),
    BY_SERVER("extension twice", PLAIN, ILLEGAL_PARAMETER, 47, 2, .edit = test_edit_ext_append,
              .ext = 43, .hex = "0304"),
    BY_SERVER("extension nobody asked for", PLAIN, UNSUPPORTED_EXTENSION, 110, 2,
              .edit = test_edit_ext_append, .ext = 0xfafa, .hex = ""),
    BY_SERVER("extension of another message", PLAIN, ILLEGAL_PARAMETER, 47, 2,
              .edit = test_edit_ext_append, .ext = 10, .hex = "00020017"),
    BY_SERVER("share of another group", PLAIN, ILLEGAL_PARAMETER, 47, 2, .edit = test_edit_ext_put,
              .ext = 51, .hex = "001d000101"),
    BY_SERVER("share that is no point", PLAIN, BAD_KEY_SHARE, 47, 2, .edit = test_edit_ext_put,
              .ext = 51, .hex = "0017000104"),
    BY_SERVER("empty share", PLAIN, DECODE, 50, 2, .edit = test_edit_ext_put, .ext = 51,
              .hex = "00170000"),
    BY_SERVER("no share", PLAIN, MISSING_EXTENSION, 109, 2, .edit = test_edit_ext_remove,
              .ext = 51),
    BY_SERVER("no version", PLAIN, PROTOCOL_VERSION, 70, 2, .edit = test_edit_ext_remove,
              .ext = 43),
    BY_SERVER("version of TLS 1.2 by extension", PLAIN, ILLEGAL_PARAMETER, 47, 2,
              .edit = test_edit_ext_put, .ext = 43, .hex = "0303"),
    BY_SERVER("version of GREASE", PLAIN, ILLEGAL_PARAMETER, 47, 2, .edit = test_edit_ext_put,
              .ext = 43, .hex = "7a7a"),
    BY_SERVER("PSK that was not offered", PLAIN, UNSUPPORTED_EXTENSION, 110, 2,
              .edit = test_edit_ext_append, .ext = 41, .hex = "0000"),
    BY_SERVER("PSK out of range", RESUME, ILLEGAL_PARAMETER, 47, 2, .edit = test_edit_ext_put,
              .ext = 41, .hex = "0001"),
    BY_SERVER("PSK of another hash", RESUME, ILLEGAL_PARAMETER, 47, 2, .edit = overwrite, .ext = 71,
              .hex = "1302"),
    BY_SERVER("downgrade to TLS 1.2", BOTH, DOWNGRADE, 47, 2, .edit = overwrite, .ext = 30,
              .hex = "444f574e47524401"),
    BY_SERVER("downgrade to TLS 1.1", BOTH, DOWNGRADE, 47, 2, .edit = overwrite, .ext = 30,
              .hex = "444f574e47524400"),
    BY_SERVER("TLS 1.1", BOTH, PROTOCOL_VERSION, 70, 2, .edit = overwrite, .ext = 4, .hex = "0302"),
};

static const struct forgery retries[] = {
    BY_SERVER("a second one", RETRY, UNEXPECTED_MESSAGE, 10, 2, .skip = 1, .edit = as_retry),
    BY_SERVER("for the group whose share was sent", RETRY, ILLEGAL_PARAMETER, 47, 2,
              .edit = test_edit_ext_put, .ext = 51, .hex = "0017"),
    BY_SERVER("for a group not offered", RETRY, ILLEGAL_PARAMETER, 47, 2, .edit = test_edit_ext_put,
              .ext = 51, .hex = "0018"),
    BY_SERVER("that changes nothing", RETRY, ILLEGAL_PARAMETER, 47, 2, .edit = remove_two),
    BY_SERVER("with an empty cookie", RETRY, DECODE, 50, 2, .edit = test_edit_ext_put, .ext = 44,
              .hex = "0000"),
    BY_SERVER("with a share", RETRY, DECODE, 50, 2, .edit = test_edit_ext_put, .ext = 51,
              .hex = "001d000101"),
    BY_SERVER("without a version", RETRY, MISSING_EXTENSION, 109, 2, .edit = test_edit_ext_remove,
              .ext = 43),
    BY_SERVER("with an extension twice", RETRY, ILLEGAL_PARAMETER, 47, 2,
              .edit = test_edit_ext_append, .ext = 43, .hex = "0304"),
    BY_SERVER("with an extension nobody asked for", RETRY, UNSUPPORTED_EXTENSION, 110, 2,
              .edit = test_edit_ext_append, .ext = 0xfafa, .hex = ""),
    BY_SERVER("session ID not echoed", RETRY, ILLEGAL_PARAMETER, 47, 2, .edit = test_edit_flip,
              .ext = 39),
    BY_SERVER("followed by another suite", RETRY, ILLEGAL_PARAMETER, 47, 2, .skip = 1,
              .edit = overwrite, .ext = 71, .hex = "1302"),
    BY_SERVER("followed by TLS 1.2", RETRY, PROTOCOL_VERSION, 70, 2, .skip = 1,
              .edit = test_edit_ext_remove, .ext = 43),
    BY_SERVER("followed by another group", RETRY, ILLEGAL_PARAMETER, 47, 2, .skip = 1,
              .edit = test_edit_ext_put, .ext = 51, .hex = "0017000104"),
};

static const struct forgery second_hellos[] = {
    BY_CLIENT("random", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = test_edit_flip,
              .ext = 6),
    BY_CLIENT("session ID", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = test_edit_flip,
              .ext = 39),
    BY_CLIENT("suites", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = test_edit_flip,
              .ext = 74),
    BY_CLIENT("legacy_version", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = overwrite,
              .ext = 4, .hex = "0302"),
    BY_CLIENT("compression", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = compress),
    BY_CLIENT("server_name gone", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1,
              .edit = test_edit_ext_remove, .ext = 0),
    BY_CLIENT("server_name", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = test_edit_ext_put,
              .ext = 0,
              .hex = "0004000001"
                     "61"),
    BY_CLIENT("supported_groups", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1,
              .edit = test_edit_ext_put, .ext = 10, .hex = "0002001d"),
    BY_CLIENT("signature_algorithms", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1,
              .edit = test_edit_ext_put, .ext = 13, .hex = "00020403"),
    BY_CLIENT("supported_versions", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1,
              .edit = test_edit_ext_put, .ext = 43, .hex = "0403040303"),
    BY_CLIENT("ALPN", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = test_edit_ext_put,
              .ext = 16, .hex = "0003026832"),
    BY_CLIENT("cookie gone", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1,
              .edit = test_edit_ext_remove, .ext = 44),
    BY_CLIENT("another cookie", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1,
              .edit = test_edit_ext_put, .ext = 44, .hex = "0001aa"),
    BY_CLIENT("no share", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = test_edit_ext_remove,
              .ext = 51),
    BY_CLIENT("an empty list of shares", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1,
              .edit = test_edit_ext_put, .ext = 51, .hex = "0000"),
    BY_CLIENT("a share of the old group", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1,
              .edit = test_edit_ext_put, .ext = 51, .hex = "00050017000101"),
    BY_CLIENT("two shares", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = test_edit_ext_put,
              .ext = 51, .hex = "000a0017000101001d000101"),
    BY_CLIENT("early data", RETRY, ILLEGAL_PARAMETER, 47, 1, .skip = 1, .edit = test_edit_ext_put,
              .ext = 42, .hex = ""),
};

static const struct forgery client_hellos[] = {
    BY_CLIENT("extension twice", PLAIN, ILLEGAL_PARAMETER, 47, 1, .edit = test_edit_ext_append,
              .ext = 43, .hex = "020304"),
    BY_CLIENT("extension of another message", PLAIN, ILLEGAL_PARAMETER, 47, 1,
              .edit = test_edit_ext_put, .ext = 48, .hex = "0000"),
    BY_CLIENT("compression", PLAIN, ILLEGAL_PARAMETER, 47, 1, .edit = compress),
    BY_CLIENT("no groups", PLAIN, MISSING_EXTENSION, 109, 1, .edit = test_edit_ext_remove,
              .ext = 10),
    BY_CLIENT("no shares", PLAIN, MISSING_EXTENSION, 109, 1, .edit = test_edit_ext_remove,
              .ext = 51),
    BY_CLIENT("no signature algorithms", PLAIN, MISSING_EXTENSION, 109, 1,
              .edit = test_edit_ext_remove, .ext = 13),
    BY_CLIENT("an empty list of groups", PLAIN, DECODE, 50, 1, .edit = test_edit_ext_put, .ext = 10,
              .hex = "0000"),
    BY_CLIENT("an empty list of versions", PLAIN, DECODE, 50, 1, .edit = test_edit_ext_put,
              .ext = 43, .hex = "00"),
    BY_CLIENT("an empty server name", PLAIN, DECODE, 50, 1, .edit = test_edit_ext_put, .ext = 0,
              .hex = "0003000000"),
    BY_CLIENT("a share of a group not listed", PLAIN, ILLEGAL_PARAMETER, 47, 1,
              .edit = test_edit_ext_put, .ext = 51, .hex = "00050018000101"),
    BY_CLIENT("two shares of a group", PLAIN, ILLEGAL_PARAMETER, 47, 1, .edit = test_edit_ext_put,
              .ext = 51, .hex = "000a00170001010017000102"),
    BY_CLIENT("a share that is no point", PLAIN, BAD_KEY_SHARE, 47, 1, .edit = test_edit_ext_put,
              .ext = 51, .hex = "00050017000104"),
    BY_CLIENT("only TLS 1.1", PLAIN, PROTOCOL_VERSION, 70, 1, .edit = test_edit_ext_put, .ext = 43,
              .hex = "020302"),
    BY_CLIENT("only GREASE for a version", PLAIN, PROTOCOL_VERSION, 70, 1,
              .edit = test_edit_ext_put, .ext = 43, .hex = "028a8a"),
    BY_CLIENT("PSK not last", RESUME, ILLEGAL_PARAMETER, 47, 1, .edit = test_edit_ext_append,
              .ext = 0xfafa, .hex = ""),
    BY_CLIENT("wrong binder", RESUME, DECRYPT_ERROR, 51, 1, .edit = flip_last),
};

static const struct forgery flights[] = {
    BY_SERVER("EncryptedExtensions: one nobody asked for", PLAIN, UNSUPPORTED_EXTENSION, 110, 8,
              .edit = test_edit_ext_append, .ext = 0xfafa, .hex = ""),
    BY_SERVER("EncryptedExtensions: twice", PLAIN, ILLEGAL_PARAMETER, 47, 8,
              .edit = test_edit_ext_append, .ext = 0, .hex = ""),
    BY_SERVER("EncryptedExtensions: of another message", PLAIN, ILLEGAL_PARAMETER, 47, 8,
              .edit = test_edit_ext_append, .ext = 51, .hex = "001d"),
    BY_SERVER("EncryptedExtensions: protocol not offered", PLAIN, UNSUPPORTED_EXTENSION, 110, 8,
              .edit = test_edit_ext_append, .ext = 16, .hex = "0003026832"),
    BY_SERVER("EncryptedExtensions left out", PLAIN, UNEXPECTED_MESSAGE, 10, 8, .edit = leave_out),
    BY_SERVER("CertificateRequest: twice", AUTH, ILLEGAL_PARAMETER, 47, 13,
              .edit = test_edit_ext_append, .ext = 13, .hex = "00020403"),
    BY_SERVER("CertificateRequest: no algorithms", AUTH, MISSING_EXTENSION, 109, 13,
              .edit = test_edit_ext_remove, .ext = 13),
    BY_SERVER("CertificateRequest: context", AUTH, ILLEGAL_PARAMETER, 47, 13,
              .edit = test_edit_body, .hex = "01aa0000"),
    BY_SERVER("CertificateRequest twice", AUTH, UNEXPECTED_MESSAGE, 10, 13, .edit = twice),
    BY_SERVER("Certificate: none", PLAIN, NO_CERTIFICATE, 50, 11, .edit = test_edit_body,
              .hex = "00000000"),
    BY_SERVER("Certificate: empty one", PLAIN, DECODE, 50, 11, .edit = test_edit_body,
              .hex = "000000050000000000"),
    BY_SERVER("Certificate: context", PLAIN, ILLEGAL_PARAMETER, 47, 11, .edit = test_edit_body,
              .hex = "01aa000000"),
    BY_SERVER("Certificate: extension nobody asked for", PLAIN, UNSUPPORTED_EXTENSION, 110, 11,
              .edit = test_edit_ext_append, .ext = 0xfafa, .hex = ""),
    BY_SERVER("Certificate left out", PLAIN, UNEXPECTED_MESSAGE, 10, 11, .edit = leave_out),
    BY_SERVER("Certificate in a resumption", RESUME, UNEXPECTED_MESSAGE, 10, 20, .edit = overwrite,
              .ext = 0, .hex = "0b"),
    BY_SERVER("CertificateVerify: algorithm not offered", PLAIN, ILLEGAL_PARAMETER, 47, 15,
              .edit = overwrite, .ext = 4, .hex = "0203"),
    BY_SERVER("CertificateVerify: algorithm of TLS 1.2", PLAIN, ILLEGAL_PARAMETER, 47, 15,
              .edit = overwrite, .ext = 4, .hex = "0401"),
    BY_SERVER("CertificateVerify: algorithm of another key", PLAIN, ILLEGAL_PARAMETER, 47, 15,
              .edit = overwrite, .ext = 4, .hex = "0804"),
    BY_SERVER("CertificateVerify: wrong signature", PLAIN, DECRYPT_ERROR, 51, 15,
              .edit = flip_last),
    BY_SERVER("CertificateVerify: empty signature", PLAIN, DECRYPT_ERROR, 51, 15,
              .edit = test_edit_body, .hex = "04030000"),
    BY_SERVER("Finished: wrong", PLAIN, DECRYPT_ERROR, 51, 20, .edit = flip_last),
    BY_SERVER("Finished: wrong, resumed", RESUME, DECRYPT_ERROR, 51, 20, .edit = flip_last),
    BY_SERVER("Finished: empty", PLAIN, DECODE, 50, 20, .edit = test_edit_body, .hex = ""),
    BY_SERVER("Finished twice", PLAIN, UNEXPECTED_MESSAGE, 10, 20, .edit = twice),
    BY_CLIENT("client: no Certificate", AUTH, UNEXPECTED_MESSAGE, 10, 11, .edit = leave_out),
    BY_CLIENT("client: empty Certificate", AUTH, CERTIFICATE_REQUIRED, 116, 11,
              .edit = test_edit_body, .hex = "00000000"),
    BY_CLIENT("client: Certificate extension", AUTH, UNSUPPORTED_EXTENSION, 110, 11,
              .edit = test_edit_ext_append, .ext = 0xfafa, .hex = ""),
    BY_CLIENT("client: wrong signature", AUTH, DECRYPT_ERROR, 51, 15, .edit = flip_last),
    BY_CLIENT("client: algorithm not offered", AUTH, ILLEGAL_PARAMETER, 47, 15, .edit = overwrite,
              .ext = 4, .hex = "0203"),
    BY_CLIENT("client: wrong Finished", PLAIN, DECRYPT_ERROR, 51, 20, .edit = flip_last),
    BY_CLIENT("client: Finished twice", PLAIN, UNEXPECTED_MESSAGE, 10, 20, .edit = twice),
};

/* CVE-2026-34582 and its kin: a certificate that nobody has proved to hold the key of. */
static const struct forgery unproved[] = {
    BY_SERVER("CertificateVerify left out", PLAIN, UNEXPECTED_MESSAGE, 10, 15, .edit = leave_out),
    BY_CLIENT("client: no CertificateVerify", AUTH, UNEXPECTED_MESSAGE, 10, 15, .edit = leave_out),
};

/* CompressedCertificate (RFC 8879) where it was not offered is never unpacked; where it was:
 * test_compressed.c. */
static const struct forgery compressed[] = {
    BY_SERVER("CompressedCertificate of a server", PLAIN, UNEXPECTED_MESSAGE, 10, 11,
              .edit = overwrite, .ext = 0, .hex = "19"),
    BY_CLIENT("CompressedCertificate of a client", AUTH, UNEXPECTED_MESSAGE, 10, 11,
              .edit = overwrite, .ext = 0, .hex = "19"),
};

static void forge(const struct forgery *f)
{
    struct test_edit edit = f->edit;
    struct cleat_tls_session *session = session_in(f->setting);
    struct cleat_tls_builder *c = client_in(f->setting);
    struct cleat_tls_builder *s = server_in(f->setting);
    struct test_pair p;
    print_message("%s\n", f->what);
    test_builder_edit(f->by_client ? c : s, &edit);
    test_pair_make(&p, test_finish(c), test_finish(s), session);
    test_pair_run(&p);
    assert_true(edit.seen > edit.skip); /* it was sent at all */
    test_assert_failed(f->at_client ? &p.client : &p.server, NULL, f->code, f->alert);
    assert_true(cleat_tls_error((f->at_client ? &p.client : &p.server)->tls)->section[0] != '\0');
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

#define FORGE_EACH(array)                              \
    do {                                               \
        for (size_t i = 0; i < TEST_LEN(array); i++) { \
            forge(&(array)[i]);                        \
        }                                              \
    } while (0)

static void test_a_server_hello_that_breaks_a_rule_is_refused(void **state)
{
    FORGE_EACH(server_hellos);
}

static void test_a_hello_retry_request_that_breaks_a_rule_is_refused(void **state)
{
    FORGE_EACH(retries);
}

static void test_a_second_client_hello_may_not_change(void **state)
{
    FORGE_EACH(second_hellos);
}

static void test_a_client_hello_that_breaks_a_rule_is_refused(void **state)
{
    FORGE_EACH(client_hellos);
}

static void test_a_flight_that_breaks_a_rule_is_refused(void **state)
{
    FORGE_EACH(flights);
}

static void test_a_certificate_without_its_proof_is_refused(void **state)
{
    FORGE_EACH(unproved);
}

static void test_a_compressed_certificate_that_was_not_offered_is_refused(void **state)
{
    FORGE_EACH(compressed);
}

/* ---- what is accepted ---- */

/* An empty list of shares asks for a HelloRetryRequest (RFC 9846 4.3.8). */
static void test_an_empty_list_of_shares_is_answered_by_a_retry(void **state)
{
    struct test_edit edit = {.type = 1, .edit = test_edit_ext_put, .ext = 51, .hex = "0000"};
    struct cleat_tls_builder *c = client_in(PLAIN);
    struct test_pair p;
    test_builder_edit(c, &edit);
    test_pair_make(&p, test_finish(c), test_finish(server_in(PLAIN)), NULL);
    test_pair_run(&p);
    assert_true(test_log_has(&p.server, "retry"));
    /* our client did send a share, as far as it knows */
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
    test_pair_drop(&p);
}

static void put(struct cleat_tls *tls, struct cl_buf *flight, size_t start, uint16_t ext,
                const char *hex)
{
    struct test_edit e = {.ext = ext, .hex = hex};
    test_edit_ext_put(&e, tls, flight, start);
}

static void add16(uint8_t *p, size_t n)
{
    size_t v = (size_t)p[0] * 256 + p[1] + n;
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Puts a value in front of a list that stands in an extension behind width length bytes. */
static void grease_list(struct cl_buf *flight, size_t start, uint16_t ext, size_t width,
                        const char *hex)
{
    struct cl_buf value = test_hex(hex);
    size_t at = test_ext_find(flight, start, ext);
    assert_true(at != 0);
    add16(flight->p + at + 2, value.len);
    if (width == 2) {
        add16(flight->p + at + 4, value.len);
    } else {
        flight->p[at + 4] = (uint8_t)(flight->p[at + 4] + value.len);
    }
    test_buf_splice(flight, at + 4 + width, 0, value.p, value.len);
    test_fix_lengths(flight, start, (int)value.len);
    cl_buf_deinit(&value);
}

/* RFC 8701 3.1: where a client may put values that nobody knows. */
static void grease_client_hello(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                                size_t start)
{
    static const uint8_t suite[] = {0x2a, 0x2a};
    (void)e;
    add16(flight->p + start + SUITES_AT, 2);
    test_buf_splice(flight, start + SUITES_AT + 2, 0, suite, 2);
    grease_list(flight, start, 10, 2, "3a3a");
    grease_list(flight, start, 13, 2, "4a4a");
    grease_list(flight, start, 43, 1, "5a5a");
    grease_list(flight, start, 45, 1, "0b");
    grease_list(flight, start, 51, 2, "3a3a000100");
    put(tls, flight, start, 0x6a6a, "");
    put(tls, flight, start, 0x7a7a, "00");
    put(tls, flight, start, 16, "000602eaea026832");
}

static void test_grease_of_a_client_is_ignored(void **state)
{
    static const char *const protocols[] = {"h2"};
    struct test_edit edit = {.type = 1, .edit = grease_client_hello};
    struct cleat_tls_builder *c = client_in(PLAIN);
    struct cleat_tls_builder *s = server_in(PLAIN);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_alpn(c, protocols, 1), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, protocols, 1), CLEAT_OK);
    test_builder_edit(c, &edit);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_string_equal(test_info(&p.server).alpn, "h2");
    test_assert_echo(&p);
    test_pair_drop(&p);
}

/* RFC 8701 4.1: in CertificateRequest and NewSessionTicket a server may. */
static void test_grease_of_a_server_is_ignored(void **state)
{
    static const uint8_t types[] = {13, 4};
    for (size_t i = 0; i < TEST_LEN(types); i++) {
        struct test_edit edit = {
            .type = types[i], .edit = test_edit_ext_append, .ext = 0x8a8a, .hex = "00"};
        struct cleat_tls_builder *s = server_in(AUTH);
        struct test_pair p;
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_finish(client_in(AUTH)), test_finish(s), NULL);
        test_pair_run(&p);
        assert_int_equal(edit.seen, 1);
        test_assert_ready(&p);
        test_assert_echo(&p);
        struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
        assert_non_null(session);
        cleat_tls_session_free(session);
        test_pair_drop(&p);
    }
}

/* A ticket of TLS 1.3, a retry, and then an answer of TLS 1.2: the client's secrets of one never
 * reach the other. */
static void test_a_ticket_and_a_retry_do_not_lead_to_tls_12(void **state)
{
    struct cleat_tls_session *session = session_in(RESUME);
    struct test_edit edit = {.type = 2, .skip = 1, .edit = test_edit_ext_remove, .ext = 43};
    struct cleat_tls_builder *c = client_in(RESUME);
    struct cleat_tls_builder *s = server_in(RETRY);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_3), CLEAT_OK);
    struct cleat_tls_config *client = test_finish(c);
    cl_session_binding(client, "localhost", session->binding);
    test_builder_edit(s, &edit);
    test_pair_make(&p, client, test_finish(s), session);
    test_pair_run(&p);
    assert_int_equal(edit.seen, 2);
    test_assert_failed(&p.client, NULL, CLEAT_ERR_PROTOCOL_VERSION, 70);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static int setup(void **state)
{
    int r = test_world_setup(state);
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    return r;
}

static int teardown(void **state)
{
    cleat_ticket_keys_free(keys);
    return test_world_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_hello_that_breaks_a_rule_is_refused),
        cmocka_unit_test(test_a_hello_retry_request_that_breaks_a_rule_is_refused),
        cmocka_unit_test(test_a_second_client_hello_may_not_change),
        cmocka_unit_test(test_a_client_hello_that_breaks_a_rule_is_refused),
        cmocka_unit_test(test_a_flight_that_breaks_a_rule_is_refused),
        cmocka_unit_test(test_a_certificate_without_its_proof_is_refused),
        cmocka_unit_test(test_a_compressed_certificate_that_was_not_offered_is_refused),
        cmocka_unit_test(test_an_empty_list_of_shares_is_answered_by_a_retry),
        cmocka_unit_test(test_grease_of_a_client_is_ignored),
        cmocka_unit_test(test_grease_of_a_server_is_ignored),
        cmocka_unit_test(test_a_ticket_and_a_retry_do_not_lead_to_tls_12),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
