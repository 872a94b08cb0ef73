/* bench/bench_libssl.c - libssl over the wires: the contender, and everybody's peer. One BIO serves
 * all connections of a context in turn, so that BIOs cost neither time nor memory here. */
#include "bench/bio.h"
#include "bench/scenario.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "crypto/key.h"
#include "x509/chain.h"

struct context {
    SSL_CTX *ssl_ctx;
    bool client;
    bool early;
    bool early_done; /* read to its end, or written, of the connection in the handshake */
    bool offer;
    SSL_SESSION *session; /* clients: kept */
    struct bench_ends ends;
    BIO *bio;
    uint8_t plain[16384]; /* what is read goes here */
};

static const char *version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

static bool set_versions(SSL_CTX *ctx, const struct bench_setup *setup)
{
    int version = setup->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    const char *suites12 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
    return SSL_CTX_set_min_proto_version(ctx, version) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, version) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") == 1 &&
           SSL_CTX_set_cipher_list(ctx, suites12) == 1 &&
           SSL_CTX_set1_groups_list(ctx, bench_groups(setup)) == 1;
}

static EVP_PKEY *convert_key(const struct cleat_key *key)
{
    struct cl_buf pem = {0};
    EVP_PKEY *pkey = NULL;
    if (cl_key_to_pem(key, &pem) == CL_OK) {
        BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
        pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
    }
    cl_buf_deinit(&pem);
    return pkey;
}

static bool use_identity(SSL_CTX *ssl_ctx, const struct cl_identity *id)
{
    struct cl_rd der = cl_cert_der(cl_chain_at(id->chain, 0));
    EVP_PKEY *pkey = convert_key(id->key);
    bool ok = pkey != NULL && SSL_CTX_use_certificate_ASN1(ssl_ctx, (int)der.len, der.p) == 1 &&
              SSL_CTX_use_PrivateKey(ssl_ctx, pkey) == 1 && SSL_CTX_check_private_key(ssl_ctx) == 1;
    EVP_PKEY_free(pkey);
    return ok;
}

static void ctx_free(void *p)
{
    struct context *ctx = p;
    SSL_SESSION_free(ctx->session);
    SSL_CTX_free(ctx->ssl_ctx);
    BIO_free(ctx->bio);
    free(ctx);
}

/* Up to the CA, which nobody has to send. */
static bool verify(SSL_CTX *ssl_ctx, const struct cl_bench_world *world)
{
    struct cl_rd der = cl_cert_der(cl_chain_at(world->ca, 0));
    const uint8_t *p = der.p;
    X509 *ca = d2i_X509(NULL, &p, (long)der.len);
    bool ok = ca != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_ctx), ca) == 1;
    X509_free(ca);
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return ok && SSL_CTX_set_session_id_context(ssl_ctx, (const uint8_t *)"bench", 5) == 1;
}

static bool configure_server(SSL_CTX *ctx, const struct bench_setup *setup,
                             const struct cl_bench_world *world)
{
    /* Nothing is kept of a session but its ticket, as with Cleat; early data needs the cache, which
     * is how libssl takes it once only. */
    (void)SSL_CTX_set_session_cache_mode(ctx,
                                         setup->early ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
    if (setup->release_buffers) {
        (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    }
    return set_versions(ctx, setup) && SSL_CTX_set_num_tickets(ctx, BENCH_NUM_TICKETS) == 1 &&
           (!setup->early || SSL_CTX_set_max_early_data(ctx, 16384) == 1) &&
           (!setup->mutual || verify(ctx, world)) &&
           use_identity(ctx, bench_identity_of(world, setup));
}

/* As a peer it verifies nothing: nobody measures it. */
static bool configure_client(SSL_CTX *ctx, const struct bench_setup *setup,
                             const struct cl_bench_world *world)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    return set_versions(ctx, setup) && (setup->role != CLEAT_CLIENT || verify(ctx, world)) &&
           (!setup->mutual || use_identity(ctx, &world->client));
}

static bool supports(const struct bench_setup *setup, enum cleat_role role)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    bool ok = ctx != NULL && set_versions(ctx, setup);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

static void *ctx_new(const struct bench_setup *setup, enum cleat_role role,
                     const struct cl_bench_world *world)
{
    struct context *ctx = calloc(1, sizeof(*ctx));
    if (ctx == NULL) {
        return NULL;
    }
    ctx->client = role == CLEAT_CLIENT;
    ctx->early = setup->early;
    ctx->ssl_ctx = SSL_CTX_new(ctx->client ? TLS_client_method() : TLS_server_method());
    ctx->bio = bench_bio_new(&ctx->ends);
    if (ctx->ssl_ctx == NULL || ctx->bio == NULL ||
        !(ctx->client ? configure_client(ctx->ssl_ctx, setup, world)
                      : configure_server(ctx->ssl_ctx, setup, world))) {
        ERR_print_errors_fp(stderr);
        ctx_free(ctx);
        return NULL;
    }
    return ctx;
}

static bool start_client(struct context *ctx, SSL *ssl)
{
    bool resumes = ctx->offer && ctx->session != NULL;
    SSL_set_connect_state(ssl);
    ctx->early_done = !ctx->early || !resumes;
    return SSL_set_tlsext_host_name(ssl, "localhost") == 1 &&
           SSL_set1_host(ssl, "localhost") == 1 &&
           (!resumes || SSL_set_session(ssl, ctx->session) == 1);
}

static void *conn_new(void *p)
{
    struct context *ctx = p;
    SSL *ssl = SSL_new(ctx->ssl_ctx);
    if (ssl == NULL) {
        return NULL;
    }
    (void)BIO_up_ref(ctx->bio);
    SSL_set_bio(ssl, ctx->bio, ctx->bio);
    SSL_set_app_data(ssl, (char *)ctx);
    if (!ctx->client) {
        ctx->early_done = !ctx->early;
        SSL_set_accept_state(ssl);
    } else if (!start_client(ctx, ssl)) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}

static void conn_free(void *conn)
{
    /* as after an orderly end: else the cache forgets the session */
    SSL_set_shutdown(conn, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(conn);
}

static struct context *context_of(SSL *ssl)
{
    return (struct context *)(void *)SSL_get_app_data(ssl);
}

/* 1 when there is no more of it, else what SSL_get_error wants to know. */
static int read_early(struct context *ctx, SSL *ssl)
{
    size_t num;
    int r = SSL_READ_EARLY_DATA_SUCCESS;
    while (r == SSL_READ_EARLY_DATA_SUCCESS) {
        r = SSL_read_early_data(ssl, ctx->plain, sizeof(ctx->plain), &num);
    }
    ctx->early_done = r == SSL_READ_EARLY_DATA_FINISH;
    return ctx->early_done ? 1 : 0;
}

/* With the ClientHello. */
static int write_early(struct context *ctx, SSL *ssl)
{
    static const uint8_t data[BENCH_EARLY_LEN];
    size_t written;
    ctx->early_done = true;
    return SSL_write_early_data(ssl, data, sizeof(data), &written);
}

static enum bench_progress step_one(struct context *ctx, const struct bench_turn *turn)
{
    int r = 1;
    ctx->ends = (struct bench_ends){turn->in, turn->out};
    if (!ctx->early_done) {
        r = ctx->client ? write_early(ctx, turn->conn) : read_early(ctx, turn->conn);
    }
    r = r == 1 ? SSL_do_handshake(turn->conn) : r;
    if (r == 1) {
        return BENCH_READY;
    }
    if (SSL_get_error(turn->conn, r) != SSL_ERROR_WANT_READ) {
        ERR_print_errors_fp(stderr);
        return BENCH_FAILED;
    }
    return BENCH_WAITS;
}

static void step(void *ctx, struct bench_turn *turns, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        turns[i].progress = step_one(ctx, &turns[i]);
    }
}

static bool is_resumed(void *conn)
{
    return SSL_session_reused(conn) == 1;
}

static bool took_early(void *conn)
{
    return SSL_get_early_data_status(conn) == SSL_EARLY_DATA_ACCEPTED;
}

static bool seal(void *conn, const uint8_t *data, size_t len, size_t num, struct bench_wire *out)
{
    context_of(conn)->ends.out = out;
    for (size_t i = 0; i < num; i++) {
        if (SSL_write(conn, data, (int)len) != (int)len) {
            return false;
        }
    }
    return true;
}

static bool open_records(void *conn, struct bench_wire *in, size_t len, size_t num)
{
    struct context *ctx = context_of(conn);
    ctx->ends.in = in;
    for (size_t i = 0; i < num; i++) {
        if (SSL_read(conn, ctx->plain, sizeof(ctx->plain)) != (int)len) {
            return false;
        }
    }
    return true;
}

static void offer(void *ctx, bool on)
{
    ((struct context *)ctx)->offer = on;
}

/* There is no data yet. */
static bool drain(void *conn, struct bench_wire *in, struct bench_wire *out)
{
    char byte;
    context_of(conn)->ends = (struct bench_ends){in, out};
    int r = SSL_read(conn, &byte, 1);
    return r <= 0 && SSL_get_error(conn, r) == SSL_ERROR_WANT_READ;
}

static bool keep(void *p, void *conn)
{
    struct context *ctx = p;
    SSL_SESSION_free(ctx->session);
    ctx->session = SSL_get1_session(conn);
    return ctx->session != NULL;
}

const struct bench_ops bench_libssl = {
    .name = "libssl",
    .version = version,
    .supports = supports,
    .ctx_new = ctx_new,
    .ctx_free = ctx_free,
    .conn_new = conn_new,
    .conn_free = conn_free,
    .step = step,
    .is_resumed = is_resumed,
    .took_early = took_early,
    .seal = seal,
    .open = open_records,
    .offer = offer,
    .drain = drain,
    .keep = keep,
};
