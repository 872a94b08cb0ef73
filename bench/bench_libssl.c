/* bench/bench_libssl.c - the contender libssl: SSL_accept over the wires. One BIO serves all
 * connections of a context in turn, so that BIOs cost neither time nor memory here. */
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
    struct bench_ends ends;
    BIO *bio;
    uint8_t plain[16384]; /* what is read goes here */
};

static const char *version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
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

static bool use_identity(SSL_CTX *ssl_ctx, const struct bench_identity *id)
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

static bool configure(struct context *ctx, const struct bench_identity *id, bool release_buffers)
{
    ctx->ssl_ctx = SSL_CTX_new(TLS_server_method());
    ctx->bio = bench_bio_new(&ctx->ends);
    if (ctx->ssl_ctx == NULL || ctx->bio == NULL) {
        return false;
    }
    /* Nothing is kept of a session but its ticket, as with Cleat. */
    (void)SSL_CTX_set_session_cache_mode(ctx->ssl_ctx, SSL_SESS_CACHE_OFF);
    if (release_buffers) {
        (void)SSL_CTX_set_mode(ctx->ssl_ctx, SSL_MODE_RELEASE_BUFFERS);
    }
    return SSL_CTX_set_min_proto_version(ctx->ssl_ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(ctx->ssl_ctx, "TLS_AES_128_GCM_SHA256") == 1 &&
           SSL_CTX_set1_groups_list(ctx->ssl_ctx, "X25519") == 1 &&
           SSL_CTX_set_num_tickets(ctx->ssl_ctx, BENCH_NUM_TICKETS) == 1 &&
           use_identity(ctx->ssl_ctx, id);
}

static void *ctx_new(const struct bench_identity *id, bool release_buffers)
{
    struct context *ctx = calloc(1, sizeof(*ctx));
    if (ctx != NULL && !configure(ctx, id, release_buffers)) {
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
    SSL_free(conn);
}

static struct context *context_of(SSL *ssl)
{
    return (struct context *)(void *)SSL_get_app_data(ssl);
}

static enum bench_progress step(void *conn, struct bench_wire *in, struct bench_wire *out)
{
    context_of(conn)->ends = (struct bench_ends){in, out};
    int r = SSL_do_handshake(conn);
    if (r == 1) {
        return BENCH_READY;
    }
    if (SSL_get_error(conn, r) != SSL_ERROR_WANT_READ) {
        ERR_print_errors_fp(stderr);
        return BENCH_FAILED;
    }
    return BENCH_WAITS;
}

static bool is_resumed(void *conn)
{
    return SSL_session_reused(conn) == 1;
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
    .seal = seal,
    .open = open_records,
};
