/* tls/describe.c - one line about a handshake message, for people (cleat_tls_describe).
 *
 * Reads the message once more, on its own and tolerantly: what cannot be read is left out, because
 * the engine has its own opinion about it. Text of the peer goes through as printable ASCII only.
 */
#include <stdarg.h>
#include <stdio.h>

#include "cleat/tls_rawkey.h"
#include "crypto/kex.h"
#include "crypto/key.h"
#include "tls/client_hello.h"
#include "tls/ext.h"
#include "tls/grease.h"
#include "tls/suite.h"
#include "tls/wire.h"

struct line {
    char *out;
    size_t cap;
    size_t len;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *fmt, ...)
{
    va_list ap;
    if (l->len + 1 >= l->cap) {
        return;
    }
    va_start(ap, fmt);
    int n = vsnprintf(l->out + l->len, l->cap - l->len, fmt, ap);
    va_end(ap);
    if (n > 0) {
        size_t room = l->cap - l->len - 1;
        l->len += (size_t)n < room ? (size_t)n : room;
    }
}

static void separate(struct line *l)
{
    if (l->len != 0) {
        add(l, ", ");
    }
}

static void add_peer_text(struct line *l, struct cl_rd text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.p[i];
        add(l, "%c", c >= 0x20 && c < 0x7f ? c : '?');
    }
}

typedef const char *(*name_of)(uint16_t id);

static const char *suite_name(uint16_t id)
{
    const struct cl_suite *suite = cl_suite_by_id(id);
    return suite != NULL ? suite->short_name : NULL;
}

static const char *group_name(uint16_t id)
{
    const struct cl_group *group = cl_group_by_id(id);
    return group != NULL ? group->name : NULL;
}

static const char *scheme_name(uint16_t id)
{
    const struct cl_sig_alg *alg = cl_sig_scheme(id);
    return alg != NULL ? alg->name : NULL;
}

static const char *compression_name(uint16_t id)
{
    for (size_t i = 0; cl_compression_at(i) != NULL; i++) {
        if (cl_compression_at(i)->id == id) {
            return cl_compression_at(i)->name;
        }
    }
    return NULL;
}

static const char *version_name(uint16_t id)
{
    switch (id) {
    case 0x0304:
        return "1.3";
    case 0x0303:
        return "1.2";
    case 0x0302:
        return "1.1";
    case 0x0301:
        return "1.0";
    default:
        return NULL;
    }
}

/* Known names first; the others are counted. */
static void add_list(struct line *l, const char *what, struct cl_rd list, name_of name)
{
    uint16_t id;
    size_t unknown = 0;
    separate(l);
    add(l, "%s", what);
    while (cl_rd_u16(&list, &id)) {
        const char *known = name(id);
        if (known != NULL) {
            add(l, " %s", known);
        } else {
            unknown += cl_is_grease(id) ? 0 : 1;
        }
    }
    if (unknown != 0) {
        add(l, " and %zu more", unknown);
    }
}

static void add_id(struct line *l, const char *what, uint16_t id, name_of name)
{
    const char *known = name(id);
    separate(l);
    if (known != NULL) {
        add(l, "%s%s", what, known);
    } else {
        add(l, "%s0x%04x", what, id);
    }
}

/* ---- extensions that say something ---- */

static void sni(struct line *l, struct cl_rd body)
{
    struct cl_rd list;
    struct cl_rd name;
    uint8_t type;
    if (cl_rd_vec16(&body, &list) && cl_rd_u8(&list, &type) && cl_rd_vec16(&list, &name)) {
        separate(l);
        add(l, "server name ");
        add_peer_text(l, name);
    }
}

static void alpn(struct line *l, struct cl_rd body)
{
    struct cl_rd list;
    struct cl_rd name;
    if (cl_rd_vec16(&body, &list)) {
        separate(l);
        add(l, "ALPN");
        while (cl_rd_vec8(&list, &name)) {
            add(l, " ");
            add_peer_text(l, name);
        }
    }
}

static void list16(struct line *l, struct cl_rd body, const char *what, name_of name)
{
    struct cl_rd list;
    if (cl_rd_vec16(&body, &list)) {
        add_list(l, what, list, name);
    }
}

static void groups(struct line *l, struct cl_rd body)
{
    list16(l, body, "groups", group_name);
}

static void schemes(struct line *l, struct cl_rd body)
{
    struct cl_rd list;
    if (cl_rd_vec16(&body, &list)) {
        separate(l);
        add(l, "%zu signature schemes", list.len / 2);
    }
}

static void client_shares(struct line *l, struct cl_rd body)
{
    struct cl_rd list;
    struct cl_rd share;
    uint16_t group;
    if (!cl_rd_vec16(&body, &list)) {
        return;
    }
    separate(l);
    add(l, "key shares");
    while (cl_rd_u16(&list, &group) && cl_rd_vec16(&list, &share)) {
        if (group_name(group) != NULL) {
            add(l, " %s", group_name(group));
        }
    }
}

static void server_share(struct line *l, struct cl_rd body)
{
    uint16_t group;
    if (cl_rd_u16(&body, &group)) {
        add_id(l, cl_rd_done(&body) ? "asks for a share of " : "key share ", group, group_name);
    }
}

static void compressions(struct line *l, struct cl_rd body)
{
    struct cl_rd list;
    if (cl_rd_vec8(&body, &list)) {
        add_list(l, "certificates in", list, compression_name);
    }
}

static void versions(struct line *l, struct cl_rd body)
{
    struct cl_rd list;
    uint16_t one;
    struct cl_rd rest = body;
    if (rest.len == 2 && cl_rd_u16(&rest, &one)) {
        add_id(l, "TLS ", one, version_name);
    } else if (cl_rd_vec8(&body, &list)) {
        add_list(l, "TLS", list, version_name);
    }
}

static void cookie(struct line *l, struct cl_rd body)
{
    separate(l);
    add(l, "cookie");
}

static void offered_psks(struct line *l, struct cl_rd body)
{
    struct cl_rd identities;
    struct cl_rd identity;
    uint32_t age;
    size_t num = 0;
    if (cl_rd_vec16(&body, &identities)) {
        while (cl_rd_vec16(&identities, &identity) && cl_rd_u32(&identities, &age)) {
            num++;
        }
        separate(l);
        add(l, "%zu ticket%s", num, num == 1 ? "" : "s");
    }
}

static void selected_psk(struct line *l, struct cl_rd body)
{
    separate(l);
    add(l, "resumes our session");
}

static void early_data(struct line *l, struct cl_rd body)
{
    separate(l);
    add(l, "early data");
}

/* A list with its length in ClientHello, one type in the answer. */
static void cert_types(struct line *l, const char *what, struct cl_rd body)
{
    struct cl_rd list;
    struct cl_rd vec = body;
    uint8_t type;
    if (body.len > 1 && cl_rd_vec8(&vec, &list)) {
        body = list;
    }
    separate(l);
    add(l, "%s", what);
    while (cl_rd_u8(&body, &type)) {
        add(l, " %s",
            type == CLEAT_CERT_TYPE_X509             ? "X.509"
            : type == CLEAT_CERT_TYPE_RAW_PUBLIC_KEY ? "raw"
                                                     : "other");
    }
}

static void client_types(struct line *l, struct cl_rd body)
{
    cert_types(l, "client's certificate", body);
}

static void server_types(struct line *l, struct cl_rd body)
{
    cert_types(l, "server's certificate", body);
}

static void authorities(struct line *l, struct cl_rd body)
{
    separate(l);
    add(l, "names its authorities (%zu bytes)", body.len);
}

static const struct {
    uint16_t type;
    uint8_t messages;
    void (*describe)(struct line *l, struct cl_rd body);
} extension_rows[] = {
    {CL_ET_SERVER_NAME, CL_EXT_CH, sni},
    {CL_ET_SUPPORTED_VERSIONS, CL_EXT_CH | CL_EXT_SH, versions},
    {CL_ET_SUPPORTED_GROUPS, CL_EXT_CH, groups},
    {CL_ET_KEY_SHARE, CL_EXT_CH, client_shares},
    {CL_ET_KEY_SHARE, CL_EXT_SH, server_share},
    {CL_ET_SIGNATURE_ALGORITHMS, CL_EXT_CH | CL_EXT_CR, schemes},
    {CL_ET_ALPN, CL_EXT_CH | CL_EXT_EE, alpn},
    {CL_ET_COOKIE, CL_EXT_CH | CL_EXT_SH, cookie},
    {CL_ET_EARLY_DATA, CL_EXT_CH | CL_EXT_EE | CL_EXT_NST, early_data},
    {CL_ET_CERTIFICATE_AUTHORITIES, CL_EXT_CR, authorities},
    {CL_ET_COMPRESS_CERTIFICATE, CL_EXT_CH | CL_EXT_CR, compressions},
    {CL_ET_CLIENT_CERTIFICATE_TYPE, CL_EXT_CH | CL_EXT_EE | CL_EXT_SH, client_types},
    {CL_ET_SERVER_CERTIFICATE_TYPE, CL_EXT_CH | CL_EXT_EE | CL_EXT_SH, server_types},
    {CL_ET_PRE_SHARED_KEY, CL_EXT_CH, offered_psks},
    {CL_ET_PRE_SHARED_KEY, CL_EXT_SH, selected_psk},
};

static void add_extensions(struct line *l, unsigned message, struct cl_rd block)
{
    uint16_t type;
    struct cl_rd body;
    while (cl_rd_u16(&block, &type) && cl_rd_vec16(&block, &body)) {
        for (size_t i = 0; i < sizeof(extension_rows) / sizeof(extension_rows[0]); i++) {
            if (extension_rows[i].type == type && (extension_rows[i].messages & message) != 0) {
                extension_rows[i].describe(l, body);
            }
        }
    }
}

/* ---- messages ---- */

static void client_hello(struct line *l, struct cl_rd body)
{
    struct cl_rd session_id;
    struct cl_rd suites;
    struct cl_rd compression;
    struct cl_rd block;
    if (cl_rd_skip(&body, 2 + CL_RANDOM_LEN) && cl_rd_vec8(&body, &session_id) &&
        cl_rd_vec16(&body, &suites) && cl_rd_vec8(&body, &compression)) {
        add_list(l, "suites", suites, suite_name);
        if (cl_rd_vec16(&body, &block)) {
            add_extensions(l, CL_EXT_CH, block);
        }
    }
}

static void server_hello(struct line *l, struct cl_rd body)
{
    struct cl_rd random;
    struct cl_rd session_id;
    struct cl_rd block;
    uint16_t suite;
    if (!cl_rd_skip(&body, 2) || !cl_rd_take(&body, CL_RANDOM_LEN, &random) ||
        !cl_rd_vec8(&body, &session_id) || !cl_rd_u16(&body, &suite) || !cl_rd_skip(&body, 1)) {
        return;
    }
    /* the first bytes of the random that makes it a HelloRetryRequest (RFC 9846 4.2.3) */
    if (memcmp(random.p, "\xcf\x21\xad\x74\xe5\x9a\x61\x11", 8) == 0) {
        add(l, "HelloRetryRequest");
    }
    add_id(l, "", suite, suite_name);
    if (cl_rd_vec16(&body, &block)) {
        add_extensions(l, CL_EXT_SH, block);
    }
}

static void encrypted_extensions(struct line *l, struct cl_rd body)
{
    struct cl_rd block;
    if (cl_rd_vec16(&body, &block)) {
        add_extensions(l, CL_EXT_EE, block);
    }
}

static void certificate_request(struct line *l, struct cl_rd body)
{
    struct cl_rd context;
    struct cl_rd block;
    if (cl_rd_vec8(&body, &context) && cl_rd_vec16(&body, &block)) {
        add_extensions(l, CL_EXT_CR, block);
    }
}

static void certificate(struct line *l, struct cl_rd body)
{
    struct cl_rd context;
    struct cl_rd list;
    struct cl_rd cert;
    struct cl_rd extensions;
    size_t num = 0;
    if (!cl_rd_vec8(&body, &context) || !cl_rd_vec24(&body, &list)) {
        return;
    }
    while (cl_rd_vec24(&list, &cert) && cl_rd_vec16(&list, &extensions)) {
        add(l, "%s%zu", num == 0 ? "" : " + ", cert.len);
        num++;
    }
    enum cl_key_type raw = num == 1 ? cl_spki_type(cert) : CL_KEY_NONE;
    if (raw != CL_KEY_NONE) {
        add(l, " bytes of raw public key (%s)", cl_key_type_name(raw));
    } else {
        add(l, num == 0 ? "no certificate" : " bytes of certificates");
    }
}

static void compressed_certificate(struct line *l, struct cl_rd body)
{
    uint16_t id;
    uint32_t plain_len;
    struct cl_rd bytes;
    if (cl_rd_u16(&body, &id) && cl_rd_u24(&body, &plain_len) && cl_rd_vec24(&body, &bytes)) {
        add_id(l, "", id, compression_name);
        add(l, ", %zu bytes for %u", bytes.len, plain_len);
    }
}

static void certificate_verify(struct line *l, struct cl_rd body)
{
    uint16_t scheme;
    struct cl_rd signature;
    if (cl_rd_u16(&body, &scheme) && cl_rd_vec16(&body, &signature)) {
        add_id(l, "", scheme, scheme_name);
        add(l, ", signature of %zu bytes", signature.len);
    }
}

static void finished(struct line *l, struct cl_rd body)
{
    add(l, "the whole handshake is confirmed");
}

/* TLS 1.3 has a nonce and extensions, TLS 1.2 the ticket alone (RFC 5077 3.3): what fits to the
 * last byte is meant. */
static void new_session_ticket(struct line *l, struct cl_rd body)
{
    uint32_t lifetime;
    uint32_t age_add;
    struct cl_rd nonce;
    struct cl_rd ticket;
    struct cl_rd block = cl_rd_of(NULL, 0);
    struct cl_rd old = body;
    bool is_13 = cl_rd_u32(&body, &lifetime) && cl_rd_u32(&body, &age_add) &&
                 cl_rd_vec8(&body, &nonce) && cl_rd_vec16(&body, &ticket) &&
                 cl_rd_vec16(&body, &block) && cl_rd_done(&body);
    bool is_12 =
        !is_13 && cl_rd_u32(&old, &lifetime) && cl_rd_vec16(&old, &ticket) && cl_rd_done(&old);
    if (is_13 || is_12) {
        add(l, "ticket of %zu bytes for %u s", ticket.len, lifetime);
    }
    if (is_13) {
        add_extensions(l, CL_EXT_NST, block);
    }
}

static void key_update(struct line *l, struct cl_rd body)
{
    uint8_t request;
    if (cl_rd_u8(&body, &request)) {
        add(l, request != 0 ? "new sending key; asks for the same" : "new sending key");
    }
}

static const struct {
    uint8_t type;
    void (*describe)(struct line *l, struct cl_rd body);
} message_rows[] = {
    {CL_HT_CLIENT_HELLO, client_hello},
    {CL_HT_SERVER_HELLO, server_hello},
    {CL_HT_ENCRYPTED_EXTENSIONS, encrypted_extensions},
    {CL_HT_CERTIFICATE_REQUEST, certificate_request},
    {CL_HT_CERTIFICATE, certificate},
    {CL_HT_COMPRESSED_CERTIFICATE, compressed_certificate},
    {CL_HT_CERTIFICATE_VERIFY, certificate_verify},
    {CL_HT_FINISHED, finished},
    {CL_HT_NEW_SESSION_TICKET, new_session_ticket},
    {CL_HT_KEY_UPDATE, key_update},
};

size_t cleat_tls_describe(const uint8_t *message, size_t len, char *out, size_t cap)
{
    struct line l = {.out = out, .cap = cap};
    struct cl_rd r = cl_rd_of(message, len);
    uint8_t type;
    struct cl_rd body;
    if (cap == 0) {
        return 0;
    }
    out[0] = '\0';
    if (!cl_rd_u8(&r, &type) || !cl_rd_vec24(&r, &body)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(message_rows) / sizeof(message_rows[0]); i++) {
        if (message_rows[i].type == type) {
            message_rows[i].describe(&l, body);
        }
    }
    return l.len;
}
