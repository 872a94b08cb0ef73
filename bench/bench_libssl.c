/* bench/bench_libssl.c - the contender libssl: SSL_accept over the wires. One BIO serves all
 * connections of a context in turn, so that BIOs cost neither time nor memory here. */
#include "bench/pair.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "crypto/key.h"
#include "x509/chain.h"

struct context {
    SSL_CTX *ssl_ctx;
    bool early;
    bool early_read; /* to its end, of the connection in the handshake */
    struct bench_ends ends;
    BIO *bio;
    uint8_t plain[16384]; /* what is read goes here */
};

static const char *version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

bool bench_version(SSL_CTX *ctx, const struct bench_setup *setup)
{
    int version = setup->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    const char *suites12 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
    return SSL_CTX_set_min_proto_version(ctx, version) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, version) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") == 1 &&
           SSL_CTX_set_cipher_list(ctx, suites12) == 1 &&
           SSL_CTX_set1_groups_list(ctx, BENCH_GROUPS(setup)) == 1;
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

bool bench_use_identity(SSL_CTX *ssl_ctx, const struct cl_identity *id)
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
    SSL_CTX_free(ctx->ssl_ctx);
    BIO_free(ctx->bio);
    free(ctx);
}

/* Client certificates up to the CA, which nobody has to send. */
static bool verify_clients(SSL_CTX *ssl_ctx, const struct cl_bench_world *world)
{
    struct cl_rd der = cl_cert_der(cl_chain_at(world->ca, 0));
    const uint8_t *p = der.p;
    X509 *ca = d2i_X509(NULL, &p, (long)der.len);
    bool ok = ca != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_ctx), ca) == 1;
    X509_free(ca);
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return ok && SSL_CTX_set_session_id_context(ssl_ctx, (const uint8_t *)"bench", 5) == 1;
}

static bool configure(struct context *ctx, const struct bench_setup *setup,
                      const struct cl_bench_world *world)
{
    ctx->ssl_ctx = SSL_CTX_new(TLS_server_method());
    ctx->bio = bench_bio_new(&ctx->ends);
    if (ctx->ssl_ctx == NULL || ctx->bio == NULL) {
        return false;
    }
    /* Nothing is kept of a session but its ticket, as with Cleat; early data needs the cache, which
     * is how libssl takes it once only. */
    ctx->early = setup->early;
    (void)SSL_CTX_set_session_cache_mode(ctx->ssl_ctx,
                                         setup->early ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
    if (setup->release_buffers) {
        (void)SSL_CTX_set_mode(ctx->ssl_ctx, SSL_MODE_RELEASE_BUFFERS);
    }
    return bench_version(ctx->ssl_ctx, setup) &&
           SSL_CTX_set_num_tickets(ctx->ssl_ctx, BENCH_NUM_TICKETS) == 1 &&
           (!setup->early || SSL_CTX_set_max_early_data(ctx->ssl_ctx, 16384) == 1) &&
           (!setup->mutual || verify_clients(ctx->ssl_ctx, world)) &&
           bench_use_identity(ctx->ssl_ctx, bench_identity_of(world, setup));
}

static void *ctx_new(const struct bench_setup *setup, const struct cl_bench_world *world)
{
    struct context *ctx = calloc(1, sizeof(*ctx));
    if (ctx != NULL && !configure(ctx, setup, world)) {
        ERR_print_errors_fp(stderr);
        ctx_free(ctx);
        return NULL;
    }
    return ctx;
}

static void *conn_new(void *p)
{
    struct context *ctx = p;
    SSL *ssl = SSL_new(ctx->ssl_ctx);
    ctx->early_read = !ctx->early;
    if (ssl != NULL) {
        (void)BIO_up_ref(ctx->bio);
        SSL_set_bio(ssl, ctx->bio, ctx->bio);
        SSL_set_app_data(ssl, (char *)ctx);
        SSL_set_accept_state(ssl);
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
    ctx->early_read = r == SSL_READ_EARLY_DATA_FINISH;
    return ctx->early_read ? 1 : 0;
}

static enum bench_progress step_one(struct context *ctx, const struct bench_turn *turn)
{
    ctx->ends = (struct bench_ends){turn->in, turn->out};
    int r = ctx->early_read ? 1 : read_early(ctx, turn->conn);
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

const struct bench_ops bench_libssl = {
    .name = "libssl",
    .version = version,
    .ctx_new = ctx_new,
    .ctx_free = ctx_free,
    .conn_new = conn_new,
    .conn_free = conn_free,
    .step = step,
    .is_resumed = is_resumed,
    .took_early = took_early,
    .seal = seal,
    .open = open_records,
};
