/* fuzz/tls_world.h - what the fuzz targets of the TLS engine share: fixed keys, certificates, clock
 * and randomness, configurations of a few kinds, and an end that is stepped until nothing moves.
 * The same input leads to the same run, always. */
#ifndef FUZZ_TLS_WORLD_H
#define FUZZ_TLS_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cleat/ech.h"
#include "cleat/tls.h"
#include "cleat/tls_rawkey.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "tls/hook.h"
#include "x509/build.h"
#include "x509/chain.h"

/* 2026-11-21T12:00:00Z */
#define FZ_NOW_MS UINT64_C(1795262400000)
#define FZ_DAY    86400

/* How a connection is configured: bits of an input's first byte. */
#define FZ_12     0x01 /* TLS 1.2 at most; else at least 1.3 */
#define FZ_RETRY  0x02 /* the server does not take the client's first group */
#define FZ_AUTH   0x04 /* client authentication */
#define FZ_RESUME 0x08
#define FZ_BOTH   0x10 /* TLS 1.2 and 1.3, with ALPN */
#define FZ_RAW    0x20 /* raw public keys, preferred to certificates */
#define FZ_KINDS  0x40 /* as many as these bits make */

static inline void fz_require(bool ok)
{
    if (!ok) {
        abort();
    }
}

struct fz_identity {
    struct cleat_key *key;
    struct cleat_chain *chain;
};

struct fz_world {
    struct fz_identity ca;
    struct fz_identity server;
    struct fz_identity client;
    struct cleat_trust_store *trust;
    struct cleat_ticket_keys *tickets;
    uint64_t counters[2];
};

static const char fz_ca_key[] = "-----BEGIN PRIVATE KEY-----\n"
                                "MC4CAQAwBQYDK2VwBCIEIDPMiBv+/GQf85TQTBQsaJlDQIuEirPMkDChoRrWE5nM\n"
                                "-----END PRIVATE KEY-----\n";
static const char fz_leaf_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIGOiBFhwKGUhzrcsSqhkQCJWj7P59RsCc3xvTkP7EF6P\n"
    "-----END PRIVATE KEY-----\n";

static inline uint64_t fz_clock(void *ctx)
{
    (void)ctx;
    return FZ_NOW_MS;
}

static inline int fz_random(void *ctx, uint8_t *out, size_t len)
{
    uint64_t *counter = ctx;
    while (len > 0) {
        uint8_t digest[32];
        size_t take = len < sizeof(digest) ? len : sizeof(digest);
        (*counter)++;
        cl_hash_once(CL_HASH_SHA256, counter, sizeof(*counter), digest);
        memcpy(out, digest, take);
        out += take;
        len -= take;
    }
    return 0;
}

static inline void fz_identity_make(struct fz_identity *id, const char *pem,
                                    const struct fz_identity *ca, const char *name, bool client)
{
    static const uint8_t serial[16] = {1};
    const int64_t now = (int64_t)(FZ_NOW_MS / 1000);
    struct cl_buf der = {0};
    fz_require(cleat_key_from_pem(pem, strlen(pem), &id->key, NULL) == CLEAT_OK);
    struct cl_cert_template t = {
        .common_name = name,
        .spki = cl_key_spki(id->key),
        .serial = serial,
        .serial_len = sizeof(serial),
        .not_before = now - 30 * FZ_DAY,
        .not_after = now + 30 * FZ_DAY,
        .path_len = -1,
    };
    if (ca == NULL) {
        t.is_ca = true;
        t.key_usage = CL_KU_KEY_CERT_SIGN;
    } else {
        t.issuer = cl_chain_at(ca->chain, 0);
        t.dns_names = &t.common_name;
        t.num_dns_names = 1;
        t.key_usage = CL_KU_DIGITAL_SIGNATURE;
        t.ext_key_usage = client ? CL_EKU_CLIENT_AUTH : CL_EKU_SERVER_AUTH;
    }
    fz_require(cl_cert_build(&der, &t, ca != NULL ? ca->key : id->key, NULL) == CL_OK);
    struct cl_rd view = cl_buf_view(&der);
    fz_require(cl_chain_from_der(&id->chain, &view, 1, NULL) == CL_OK);
    cl_buf_deinit(&der);
}

/* Made once; the process ends with it. */
static inline struct fz_world *fz_world(void)
{
    static struct fz_world w;
    if (w.trust == NULL) {
        struct cleat_trust_builder *b;
        fz_identity_make(&w.ca, fz_ca_key, NULL, "Fuzz CA", false);
        fz_identity_make(&w.server, fz_leaf_key, &w.ca, "localhost", false);
        fz_identity_make(&w.client, fz_leaf_key, &w.ca, "client.test", true);
        fz_require(cleat_trust_builder_new(&b) == CLEAT_OK);
        fz_require(cleat_trust_builder_add_cert(b, cl_chain_at(w.ca.chain, 0)) == CLEAT_OK);
        fz_require(cleat_trust_builder_finish(b, &w.trust, NULL) == CLEAT_OK);
        cleat_trust_builder_free(b);
        fz_require(cleat_ticket_keys_new(0, &w.tickets) == CLEAT_OK);
    }
    w.counters[0] = 1;
    w.counters[1] = UINT64_C(1) << 32;
    return &w;
}

/* Ours is shown, the peer's is pinned, and each may be a certificate all the same. */
static inline bool fz_raw_keys(struct fz_world *w, struct cleat_tls_builder *b, bool shows,
                               bool takes)
{
    static const enum cleat_cert_type types[] = {CLEAT_CERT_TYPE_RAW_PUBLIC_KEY,
                                                 CLEAT_CERT_TYPE_X509};
    struct cl_rd spki = cl_key_spki(w->server.key); /* the client's is the same */
    bool ok = !shows || cleat_tls_builder_raw_key(b, w->server.key) == CLEAT_OK;
    return ok && (!takes || (cleat_tls_builder_peer_types(b, types, 2) == CLEAT_OK &&
                             cleat_tls_builder_raw_pin_key(b, spki.p, spki.len) == CLEAT_OK));
}

static inline struct cleat_tls_builder *fz_builder(struct fz_world *w, enum cleat_role role,
                                                   unsigned how)
{
    static const char *const protocols[] = {"h2", "http/1.1"};
    bool server = role == CLEAT_SERVER;
    struct cleat_tls_builder *b;
    fz_require(cleat_tls_builder_new(role, &b) == CLEAT_OK);
    cleat_tls_builder_clock(b, fz_clock, NULL);
    cleat_tls_builder_random(b, fz_random, &w->counters[server]);
    cleat_tls_builder_ech_grease(b, false); /* it would shift the randomness of recorded runs */
    bool ok = cleat_tls_builder_versions(
                  b, (how & (FZ_12 | FZ_BOTH)) != 0 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3,
                  (how & FZ_12) != 0 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3) == CLEAT_OK;
    ok = ok && cleat_tls_builder_groups(b, server ? (how & FZ_RETRY) != 0 ? "P-256" : "X25519"
                                                  : "X25519:P-256") == CLEAT_OK;
    if ((how & FZ_BOTH) != 0) {
        ok = ok && cleat_tls_builder_alpn(b, protocols, 2) == CLEAT_OK;
    }
    if (server) {
        ok = ok && cleat_tls_builder_credential(b, w->server.chain, w->server.key) == CLEAT_OK &&
             cleat_tls_builder_tickets(b, w->tickets, 1) == CLEAT_OK;
    }
    if (!server || (how & FZ_AUTH) != 0) {
        ok = ok && cleat_tls_builder_trust(b, w->trust) == CLEAT_OK;
    }
    if ((how & FZ_AUTH) != 0 && server) {
        cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_REQUIRED);
    } else if ((how & FZ_AUTH) != 0) {
        ok = ok && cleat_tls_builder_credential(b, w->client.chain, w->client.key) == CLEAT_OK;
    }
    if ((how & FZ_RAW) != 0) {
        bool auth = (how & FZ_AUTH) != 0;
        ok = ok && fz_raw_keys(w, b, server || auth, !server || auth);
    }
    fz_require(ok);
    return b;
}

static inline struct cleat_tls_config *fz_finish(struct cleat_tls_builder *b)
{
    struct cleat_tls_config *config;
    fz_require(cleat_tls_builder_finish(b, &config, NULL) == CLEAT_OK);
    return config;
}

/* The key of all leaves. */
static inline const struct cleat_key *fz_leaf(void)
{
    static struct cleat_key *key;
    if (key == NULL) {
        fz_require(cleat_key_from_pem(fz_leaf_key, strlen(fz_leaf_key), &key, NULL) == CLEAT_OK);
    }
    return key;
}

/* ---- ends ---- */

struct fz_end {
    struct cleat_tls *tls;
    struct cl_buf in;
    struct cl_buf out;
    enum cleat_tls_next next;
    unsigned how;
    bool told_ready;
    const struct cleat_key *pinned; /* the only raw public key to be taken */
};

/* The end takes over the configuration. */
static inline void fz_end_make(struct fz_end *e, enum cleat_role role, unsigned how,
                               struct cleat_tls_config *config, struct cleat_tls_session *session)
{
    *e = (struct fz_end){.how = how, .pinned = fz_leaf()};
    int r = role == CLEAT_SERVER
                ? cleat_tls_server_new(config, NULL, &e->tls)
                : cleat_tls_client_new(config, "localhost", session, NULL, &e->tls);
    fz_require(r == CLEAT_OK);
    cleat_tls_config_free(config);
}

static inline void fz_end_drop(struct fz_end *e)
{
    cleat_tls_free(e->tls);
    cl_buf_deinit(&e->in);
    cl_buf_deinit(&e->out);
}

/* Nobody is let in with a raw public key but the one that is pinned. */
static inline void fz_end_check_raw(const struct fz_end *e)
{
    struct cl_rd pinned = cl_key_spki(e->pinned);
    size_t len;
    const uint8_t *spki = cleat_tls_peer_raw_key(e->tls, &len);
    fz_require(spki == NULL || cl_rd_equal(cl_rd_of(spki, len), pinned));
    fz_require(spki == NULL || (e->how & FZ_RAW) != 0);
}

/* Nobody is let in without what the configuration demands; failures tell why. */
static inline void fz_end_check(const struct fz_end *e)
{
    struct cleat_tls_info info;
    if (e->next == CLEAT_TLS_FAILED) {
        const struct cleat_error *err = cleat_tls_error(e->tls);
        fz_require(err->code != CLEAT_OK && err->code != CLEAT_ERR_INTERNAL &&
                   err->text[0] != '\0');
    } else if (cleat_tls_info(e->tls, &info) == CLEAT_OK) {
        fz_require(info.peer_authenticated || (e->how & FZ_AUTH) == 0);
        fz_require(info.version == ((e->how & FZ_12) != 0 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3) ||
                   (e->how & FZ_BOTH) != 0);
        if (!info.resumed) { /* a stored session says itself whose it is */
            fz_end_check_raw(e);
        }
    }
}

static inline void fz_end_step(struct fz_end *e)
{
    uint8_t room[20000];
    bool again = true;
    while (again) {
        /* the engine writes into its input: a copy that ends where the input ends */
        struct cleat_tls_io io = {
            .in = e->in.p, .in_len = e->in.len, .out = room, .out_cap = sizeof(room)};
        e->next = cleat_tls_step(e->tls, &io);
        fz_require(io.in_used <= io.in_len && io.out_len <= io.out_cap);
        fz_require(cl_buf_append(&e->out, room, io.out_len, SIZE_MAX / 2) == CL_OK);
        cl_buf_drop(&e->in, io.in_used);
        again = e->next == CLEAT_TLS_HAS_DATA || e->next == CLEAT_TLS_HAS_OUTPUT ||
                (e->next == CLEAT_TLS_READY && !e->told_ready);
        e->told_ready = e->told_ready || e->next == CLEAT_TLS_READY;
        if (e->next == CLEAT_TLS_NEEDS_JOB) {
            cleat_job_run(cleat_tls_job(e->tls));
            again = true;
        }
    }
    fz_end_check(e);
}

static inline void fz_end_feed(struct fz_end *e, const uint8_t *p, size_t len)
{
    fz_require(cl_buf_append(&e->in, p, len, SIZE_MAX / 2) == CL_OK);
}

/* Both ends until nothing moves; what crosses is also appended to the records, if given. */
static inline void fz_pair_run(struct fz_end *client, struct fz_end *server,
                               struct cl_buf *to_server, struct cl_buf *to_client)
{
    struct fz_end *ends[] = {client, server};
    struct cl_buf *records[] = {to_server, to_client};
    size_t moved = 1;
    while (moved != 0) {
        moved = 0;
        for (int i = 0; i < 2; i++) {
            fz_end_step(ends[i]);
            fz_end_feed(ends[1 - i], ends[i]->out.p, ends[i]->out.len);
            if (records[i] != NULL) {
                fz_require(cl_buf_append(records[i], ends[i]->out.p, ends[i]->out.len,
                                         SIZE_MAX / 2) == CL_OK);
            }
            moved += ends[i]->out.len;
            ends[i]->out.len = 0;
        }
    }
}

/* A session of a whole handshake between our own ends. */
static inline struct cleat_tls_session *fz_session(unsigned how)
{
    struct fz_world *w = fz_world();
    struct fz_end client;
    struct fz_end server;
    fz_end_make(&client, CLEAT_CLIENT, how, fz_finish(fz_builder(w, CLEAT_CLIENT, how)), NULL);
    fz_end_make(&server, CLEAT_SERVER, how, fz_finish(fz_builder(w, CLEAT_SERVER, how)), NULL);
    fz_pair_run(&client, &server, NULL, NULL);
    struct cleat_tls_session *session = cleat_tls_take_session(client.tls);
    fz_require(session != NULL);
    fz_end_drop(&client);
    fz_end_drop(&server);
    return session;
}

/* Feeds bytes in pieces whose sizes depend on `cut` alone; 0: all at once. */
static inline void fz_feed_cut(struct fz_end *e, struct cl_rd bytes, uint8_t cut)
{
    size_t n = cut == 0 ? bytes.len : cut;
    do {
        struct cl_rd part;
        size_t take = n < bytes.len ? n : bytes.len;
        fz_require(cl_rd_take(&bytes, take, &part));
        fz_end_feed(e, part.p, part.len);
        fz_end_step(e);
        e->out.len = 0;
        n = cut % 2 == 0 ? n : n + cut;
    } while (bytes.len != 0 && e->next != CLEAT_TLS_FAILED);
}

#endif
