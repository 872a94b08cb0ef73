/* serve/demo_json.c - see demo_json.h. jansson's setters take NULL calmly, so that memory is looked
 * at once, at the end. */
#include "serve/demo_json.h"

#include "base/text.h"
#include "cleat/batch.h"
#include "cleat/ech.h"
#include "cleat/version.h"
#include "net/clock.h"
#include "x509/cert.h"

/* 512, 64 bytes: a name, and the kind of a key; longer ones are cut */
#define MAX_NAME  512
#define MAX_KIND  64
/* 10: certificates of a chain that are told; 40: names of one */
#define MAX_CHAIN 10
#define MAX_SANS  40

static void set(json_t *o, const char *key, const char *text)
{
    (void)json_object_set_new(o, key, cl_demo_text(text));
}

static void set_number(json_t *o, const char *key, uint64_t n)
{
    (void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void set_bool(json_t *o, const char *key, bool on)
{
    (void)json_object_set_new(o, key, json_boolean(on));
}

/* ---- what was agreed ---- */

/* RFC 10024: the hybrids with ML-KEM. */
static bool is_post_quantum(uint16_t group)
{
    return group >= 0x11eb && group <= 0x11ed;
}

static const char *early_name(enum cleat_early_data early)
{
    return early == CLEAT_EARLY_DATA_ACCEPTED   ? "accepted"
           : early == CLEAT_EARLY_DATA_REJECTED ? "rejected"
                                                : "none";
}

static json_t *agreed(const struct cl_demo_visit *visit)
{
    struct cleat_tls_info info;
    if (visit->tls == NULL || cleat_tls_info(visit->tls, &info) != CLEAT_OK) {
        return json_null();
    }
    json_t *o = json_object();
    set(o, "version", info.version == CLEAT_TLS_1_2 ? "TLS 1.2" : "TLS 1.3");
    set(o, "cipher", info.cipher_name);
    set(o, "group", info.group_name);
    set_bool(o, "post_quantum", is_post_quantum(info.group));
    set(o, "signature", info.signature_name);
    set(o, "alpn", info.alpn);
    set(o, "server_name", info.server_name);
    set_bool(o, "resumed", info.resumed);
    set_bool(o, "hello_retry", info.hello_retry);
    set(o, "early_data", early_name(info.early_data));
    set(o, "ech", cleat_ech_status_name(cleat_tls_ech_status(visit->tls)));
    set(o, "certificate_compression", info.cert_compression);
    set(o, "ja3", visit->ja3[0] != '\0' ? visit->ja3 : NULL);
    set(o, "ja4", visit->ja4[0] != '\0' ? visit->ja4 : NULL);
    return o;
}

/* ---- our chain ---- */

static json_t *names_of(const struct cleat_cert *cert)
{
    json_t *names = json_array();
    const size_t num = cleat_cert_num_sans(cert);
    for (size_t i = 0; i < num && i < MAX_SANS; i++) {
        enum cleat_san_kind kind;
        char text[MAX_NAME];
        if (cleat_cert_san(cert, i, &kind, text, sizeof(text))) {
            (void)json_array_append_new(names, cl_demo_text(text));
        }
    }
    return names;
}

static json_t *describe_cert(const struct cleat_cert *cert)
{
    char text[MAX_NAME];
    char kind[MAX_KIND];
    uint8_t digest[32];
    char hex[2 * sizeof(digest) + 1];
    json_t *o = json_object();
    (void)cleat_cert_subject(cert, text, sizeof(text));
    set(o, "subject", text);
    (void)cleat_cert_issuer(cert, text, sizeof(text));
    set(o, "issuer", text);
    (void)cleat_cert_key_kind(cert, kind, sizeof(kind));
    set(o, "key", kind);
    (void)cleat_cert_signature_kind(cert, kind, sizeof(kind));
    set(o, "signature", kind);
    (void)json_object_set_new(o, "not_before", json_integer(cleat_cert_not_before(cert)));
    (void)json_object_set_new(o, "not_after", json_integer(cleat_cert_not_after(cert)));
    cleat_cert_fingerprint(cert, digest);
    cl_hex_encode(digest, sizeof(digest), hex);
    set(o, "sha256", hex);
    (void)json_object_set_new(o, "names", names_of(cert));
    return o;
}

static bool is_known_root(const struct cleat_cert *last, const struct cleat_trust_store *roots)
{
    const size_t num = roots != NULL ? cleat_trust_store_num(roots) : 0;
    for (size_t i = 0; i < num; i++) {
        if (cl_rd_equal(cl_cert_subject_der(cleat_trust_store_at(roots, i)),
                        cl_cert_issuer_der(last))) {
            return true;
        }
    }
    return false;
}

/* By its name alone: what the client trusts is the client's secret. */
static const char *anchor_kind(const struct cleat_cert *last, const struct cleat_trust_store *roots)
{
    char issuer[MAX_NAME];
    (void)cleat_cert_issuer(last, issuer, sizeof(issuer));
    return is_known_root(last, roots)                         ? "public"
           : strstr(issuer, "O=Cleat development CA") != NULL ? "development"
           : cleat_cert_is_self_issued(last)                  ? "self-signed"
                                                              : "private";
}

static void set_chain(json_t *o, const struct cleat_tls *tls, const struct cleat_trust_store *roots)
{
    json_t *chain = json_array();
    const char *kind = NULL;
    const uint8_t *der;
    size_t len;
    for (size_t i = 0; i < MAX_CHAIN && tls != NULL; i++) {
        struct cleat_cert *cert = NULL;
        if (cleat_tls_own_cert(tls, i, &der, &len) != CLEAT_OK ||
            cleat_cert_from_der(der, len, &cert, NULL) != CLEAT_OK) {
            break;
        }
        (void)json_array_append_new(chain, describe_cert(cert));
        kind = anchor_kind(cert, roots);
        cleat_cert_free(cert);
    }
    (void)json_object_set_new(o, "chain", chain);
    set(o, "anchor", kind);
}

/* ---- answers ---- */

json_t *cl_demo_connection_json(const struct cl_demo_visit *visit,
                                const struct cleat_trust_store *roots)
{
    json_t *o = json_object();
    set_number(o, "schema", CL_DEMO_SCHEMA);
    set(o, "server", "cleat " CLEAT_VERSION_STRING);
    set(o, "peer", visit->peer);
    set_number(o, "age_us", cl_clock_mono_us() - visit->began);
    set_number(o, "answers", visit->num_answers);
    set_number(o, "websockets", visit->num_websockets);
    (void)json_object_set_new(o, "tls", agreed(visit));
    set_chain(o, visit->tls, roots);
    (void)json_object_set(o, "events", visit->events);
    set_bool(o, "events_cut", visit->full);
    return o;
}

json_t *cl_demo_counters_json(const struct cl_counters *sums, uint64_t up_us)
{
    const uint64_t closed = cl_count_read(&sums->closed);
    const uint64_t connections = cl_count_read(&sums->connections);
    json_t *o = json_object();
    json_t *batches = json_array();
    set_number(o, "schema", CL_DEMO_SCHEMA);
    set_number(o, "up_us", up_us);
    set_number(o, "connections", connections);
    set_number(o, "open", connections > closed ? connections - closed : 0);
    set_number(o, "handshakes", cl_count_read(&sums->handshakes));
    set_number(o, "resumed", cl_count_read(&sums->resumed));
    set_number(o, "failed", cl_count_read(&sums->failed));
    set_number(o, "requests_h1", cl_count_read(&sums->requests_h1));
    set_number(o, "requests_h2", cl_count_read(&sums->requests_h2));
    set_number(o, "websockets", cl_count_read(&sums->websockets));
    set_number(o, "bytes_in", cl_count_read(&sums->hub.bytes_in));
    set_number(o, "bytes_out", cl_count_read(&sums->hub.bytes_out));
    set_number(o, "jobs", cl_count_read(&sums->hub.jobs));
    for (size_t i = 0; i < CL_HUB_LANES; i++) {
        (void)json_array_append_new(batches,
                                    json_integer((json_int_t)cl_count_read(&sums->hub.batches[i])));
    }
    (void)json_object_set_new(o, "batches", batches);
    set(o, "batching", cleat_batch_describe());
    return o;
}
