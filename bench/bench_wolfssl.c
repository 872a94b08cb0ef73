/* bench/bench_wolfssl.c - the contender wolfSSL: servers over the wires. In TLS 1.3 it sends one
 * ticket where the others send two. Early data is left out. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "bench/scenario.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/pem.h"
#include "crypto/key.h"
#include "x509/chain.h"

/* 1,800 s: by default a ticket is good for 300 s, less than a long run; its keys live for an hour
 */
#define TICKET_SECONDS 1800

struct context {
    WOLFSSL_CTX *wolf;
    struct bench_ends ends;
    uint8_t plain[16384]; /* what is read goes here */
};

static const char *version(void)
{
    return "wolfSSL " LIBWOLFSSL_VERSION_STRING;
}

static bool supports(const struct bench_setup *setup, enum cleat_role role)
{
    return role == CLEAT_SERVER && !setup->early && !setup->release_buffers && setup->group == NULL;
}

static void ctx_free(void *p)
{
    struct context *ctx = p;
    wolfSSL_CTX_free(ctx->wolf);
    free(ctx);
}

static int receive(WOLFSSL *ssl, char *out, int len, void *p)
{
    size_t taken = bench_wire_take(((struct context *)p)->ends.in, out, (size_t)len);
    return taken != 0 ? (int)taken : WOLFSSL_CBIO_ERR_WANT_READ;
}

static int transmit(WOLFSSL *ssl, char *data, int len, void *p)
{
    bool fits = bench_wire_put(((struct context *)p)->ends.out, data, (size_t)len);
    return fits ? len : WOLFSSL_CBIO_ERR_GENERAL;
}

static bool use_identity(WOLFSSL_CTX *wolf, const struct cl_identity *id)
{
    struct cl_rd der = cl_cert_der(cl_chain_at(id->chain, 0));
    struct cl_buf key = {0};
    bool ok = wolfSSL_CTX_use_certificate_buffer(wolf, der.p, (long)der.len,
                                                 WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS &&
              cl_key_to_pem(id->key, &key) == CL_OK &&
              wolfSSL_CTX_use_PrivateKey_buffer(wolf, key.p, (long)key.len, WOLFSSL_FILETYPE_PEM) ==
                  WOLFSSL_SUCCESS;
    cl_buf_deinit(&key);
    return ok;
}

static bool verify_clients(WOLFSSL_CTX *wolf, const struct cl_bench_world *world)
{
    struct cl_rd der = cl_cert_der(cl_chain_at(world->ca, 0));
    wolfSSL_CTX_set_verify(wolf, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return wolfSSL_CTX_load_verify_buffer(wolf, der.p, (long)der.len, WOLFSSL_FILETYPE_ASN1) ==
           WOLFSSL_SUCCESS;
}

static bool configure(struct context *ctx, const struct bench_setup *setup,
                      const struct cl_bench_world *world)
{
    const char *suites = !setup->tls12 ? "TLS13-AES128-GCM-SHA256"
                         : setup->rsa  ? "ECDHE-RSA-AES128-GCM-SHA256"
                                       : "ECDHE-ECDSA-AES128-GCM-SHA256";
    ctx->wolf =
        wolfSSL_CTX_new(setup->tls12 ? wolfTLSv1_2_server_method() : wolfTLSv1_3_server_method());
    if (ctx->wolf == NULL) {
        return false;
    }
    wolfSSL_CTX_SetIORecv(ctx->wolf, receive);
    wolfSSL_CTX_SetIOSend(ctx->wolf, transmit);
    (void)wolfSSL_CTX_set_session_cache_mode(ctx->wolf, WOLFSSL_SESS_CACHE_OFF);
    (void)wolfSSL_CTX_set_TicketHint(ctx->wolf, TICKET_SECONDS);
    (void)wolfSSL_CTX_set_timeout(ctx->wolf, TICKET_SECONDS);
    return wolfSSL_CTX_set_cipher_list(ctx->wolf, suites) == WOLFSSL_SUCCESS &&
           wolfSSL_CTX_UseSupportedCurve(ctx->wolf, WOLFSSL_ECC_X25519) == WOLFSSL_SUCCESS &&
           wolfSSL_CTX_UseSupportedCurve(ctx->wolf, WOLFSSL_ECC_SECP256R1) == WOLFSSL_SUCCESS &&
           use_identity(ctx->wolf, bench_identity_of(world, setup)) &&
           (!setup->mutual || verify_clients(ctx->wolf, world));
}

static void *ctx_new(const struct bench_setup *setup, enum cleat_role role,
                     const struct cl_bench_world *world)
{
    struct context *ctx = calloc(1, sizeof(*ctx));
    (void)wolfSSL_Init();
    if (ctx != NULL && !configure(ctx, setup, world)) {
        fprintf(stderr, "bench: wolfSSL refuses its configuration\n");
        ctx_free(ctx);
        return NULL;
    }
    return ctx;
}

static void *conn_new(void *p)
{
    struct context *ctx = p;
    WOLFSSL *ssl = wolfSSL_new(ctx->wolf);
    if (ssl != NULL) {
        wolfSSL_SetIOReadCtx(ssl, ctx);
        wolfSSL_SetIOWriteCtx(ssl, ctx);
    }
    return ssl;
}

static void conn_free(void *conn)
{
    wolfSSL_free(conn);
}

static void step(void *p, struct bench_turn *turns, size_t num)
{
    struct context *ctx = p;
    for (size_t i = 0; i < num; i++) {
        ctx->ends = (struct bench_ends){turns[i].in, turns[i].out};
        int r = wolfSSL_accept(turns[i].conn);
        int why = r == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(turns[i].conn, r);
        turns[i].progress = r == WOLFSSL_SUCCESS             ? BENCH_READY
                            : why == WOLFSSL_ERROR_WANT_READ ? BENCH_WAITS
                                                             : BENCH_FAILED;
        if (turns[i].progress == BENCH_FAILED) {
            fprintf(stderr, "bench: wolfSSL: error %d\n", why);
        }
    }
}

static bool is_resumed(void *conn)
{
    return wolfSSL_session_reused(conn) == 1;
}

static bool took_early(void *conn)
{
    return false;
}

static bool seal(void *conn, const uint8_t *data, size_t len, size_t num, struct bench_wire *out)
{
    ((struct context *)wolfSSL_GetIOWriteCtx(conn))->ends.out = out;
    for (size_t i = 0; i < num; i++) {
        if (wolfSSL_write(conn, data, (int)len) != (int)len) {
            return false;
        }
    }
    return true;
}

static bool open_records(void *conn, struct bench_wire *in, size_t len, size_t num)
{
    struct context *ctx = wolfSSL_GetIOReadCtx(conn);
    ctx->ends.in = in;
    for (size_t i = 0; i < num; i++) {
        if (wolfSSL_read(conn, ctx->plain, sizeof(ctx->plain)) != (int)len) {
            return false;
        }
    }
    return true;
}

const struct bench_ops bench_wolfssl = {
    .name = "wolfSSL",
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
};
