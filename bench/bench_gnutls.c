/* bench/bench_gnutls.c - the contender GnuTLS: servers over the wires. Its tickets are its own: it
 * sends two after a resumption as well. Early data is left out. */
#include "bench/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <gnutls/gnutls.h>

#include "base/pem.h"
#include "crypto/key.h"
#include "x509/chain.h"

struct context {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priorities;
    gnutls_datum_t ticket_key;
    bool mutual;
    struct bench_ends ends;
    uint8_t plain[16384]; /* what is read goes here */
};

static const char *version(void)
{
    static char text[32];
    (void)snprintf(text, sizeof(text), "GnuTLS %s", gnutls_check_version(NULL));
    return text;
}

static bool supports(const struct bench_setup *setup, enum cleat_role role)
{
    return role == CLEAT_SERVER && !setup->early && !setup->release_buffers && setup->group == NULL;
}

static void ctx_free(void *p)
{
    struct context *ctx = p;
    gnutls_certificate_free_credentials(ctx->credentials);
    gnutls_priority_deinit(ctx->priorities);
    gnutls_free(ctx->ticket_key.data);
    free(ctx);
}

static gnutls_datum_t datum_of(const struct cl_buf *b)
{
    return (gnutls_datum_t){.data = b->p, .size = (unsigned)b->len};
}

static bool use_identity(struct context *ctx, const struct cl_identity *id)
{
    struct cl_buf cert = {0};
    struct cl_buf key = {0};
    bool ok =
        cl_pem_encode("CERTIFICATE", cl_cert_der(cl_chain_at(id->chain, 0)), &cert) == CL_OK &&
        cl_key_to_pem(id->key, &key) == CL_OK;
    const gnutls_datum_t cert_datum = datum_of(&cert);
    const gnutls_datum_t key_datum = datum_of(&key);
    ok = ok && gnutls_certificate_set_x509_key_mem(ctx->credentials, &cert_datum, &key_datum,
                                                   GNUTLS_X509_FMT_PEM) == 0;
    cl_buf_deinit(&cert);
    cl_buf_deinit(&key);
    return ok;
}

static bool trust_ca(struct context *ctx, const struct cl_bench_world *world)
{
    struct cl_rd der = cl_cert_der(cl_chain_at(world->ca, 0));
    const gnutls_datum_t ca = {.data = (unsigned char *)(uintptr_t)der.p,
                               .size = (unsigned)der.len};
    return gnutls_certificate_set_x509_trust_mem(ctx->credentials, &ca, GNUTLS_X509_FMT_DER) == 1;
}

static bool configure(struct context *ctx, const struct bench_setup *setup,
                      const struct cl_bench_world *world)
{
    const char *priorities =
        setup->tls12 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:-KX-ALL:"
                       "+ECDHE-ECDSA:+ECDHE-RSA:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1"
                     : "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:"
                       "-GROUP-ALL:+GROUP-X25519";
    ctx->mutual = setup->mutual;
    return gnutls_certificate_allocate_credentials(&ctx->credentials) == 0 &&
           gnutls_priority_init(&ctx->priorities, priorities, NULL) == 0 &&
           gnutls_session_ticket_key_generate(&ctx->ticket_key) == 0 &&
           use_identity(ctx, bench_identity_of(world, setup)) &&
           (!setup->mutual || trust_ca(ctx, world));
}

static void *ctx_new(const struct bench_setup *setup, enum cleat_role role,
                     const struct cl_bench_world *world)
{
    struct context *ctx = calloc(1, sizeof(*ctx));
    if (ctx != NULL && !configure(ctx, setup, world)) {
        fprintf(stderr, "bench: GnuTLS refuses its configuration\n");
        ctx_free(ctx);
        return NULL;
    }
    return ctx;
}

static ssize_t pull(gnutls_transport_ptr_t p, void *out, size_t len)
{
    struct context *ctx = p;
    size_t taken = bench_wire_take(ctx->ends.in, out, len);
    if (taken == 0) {
        errno = EAGAIN;
        return -1;
    }
    return (ssize_t)taken;
}

static ssize_t push(gnutls_transport_ptr_t p, const void *data, size_t len)
{
    struct context *ctx = p;
    return bench_wire_put(ctx->ends.out, data, len) ? (ssize_t)len : -1;
}

static void *conn_new(void *p)
{
    struct context *ctx = p;
    gnutls_session_t session;
    if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK) != 0) {
        return NULL;
    }
    if (gnutls_priority_set(session, ctx->priorities) != 0 ||
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, ctx->credentials) != 0 ||
        gnutls_session_ticket_enable_server(session, &ctx->ticket_key) != 0) {
        gnutls_deinit(session);
        return NULL;
    }
    if (ctx->mutual) {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_cert(session, NULL, 0);
    }
    gnutls_transport_set_ptr(session, ctx);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_push_function(session, push);
    gnutls_session_set_ptr(session, ctx);
    return session;
}

static void conn_free(void *conn)
{
    gnutls_deinit(conn);
}

static void step(void *p, struct bench_turn *turns, size_t num)
{
    struct context *ctx = p;
    for (size_t i = 0; i < num; i++) {
        ctx->ends = (struct bench_ends){turns[i].in, turns[i].out};
        int r = gnutls_handshake(turns[i].conn);
        turns[i].progress = r == 0 ? BENCH_READY : r == GNUTLS_E_AGAIN ? BENCH_WAITS : BENCH_FAILED;
        if (turns[i].progress == BENCH_FAILED) {
            fprintf(stderr, "bench: GnuTLS: %s\n", gnutls_strerror(r));
        }
    }
}

static bool is_resumed(void *conn)
{
    return gnutls_session_is_resumed(conn) != 0;
}

static bool took_early(void *conn)
{
    return false;
}

static bool seal(void *conn, const uint8_t *data, size_t len, size_t num, struct bench_wire *out)
{
    ((struct context *)gnutls_session_get_ptr(conn))->ends.out = out;
    for (size_t i = 0; i < num; i++) {
        if (gnutls_record_send(conn, data, len) != (ssize_t)len) {
            return false;
        }
    }
    return true;
}

static bool open_records(void *conn, struct bench_wire *in, size_t len, size_t num)
{
    struct context *ctx = gnutls_session_get_ptr(conn);
    ctx->ends.in = in;
    for (size_t i = 0; i < num; i++) {
        if (gnutls_record_recv(conn, ctx->plain, sizeof(ctx->plain)) != (ssize_t)len) {
            return false;
        }
    }
    return true;
}

const struct bench_ops bench_gnutls = {
    .name = "GnuTLS",
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
