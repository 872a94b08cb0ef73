/* fuzz/fuzz_tls_exchange.c - the key exchanges of TLS 1.2 with a PSK, in which no signature stands
 * in the way of a forger: a byte that says which (below; 0x80: the server's ServerKeyExchange is
 * forged, else the client's ClientKeyExchange), and the body in its place.
 */
#include "cleat/profile.h"
#include "cleat/tls_psk.h"
#include "tls/wire.h"
#include "tls_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BY_SERVER 0x80

static const char *const suites[] = {"DHE-PSK-AES128-GCM-SHA256", "ECDHE-PSK-AES128-GCM-SHA256",
                                     "PSK-AES128-GCM-SHA256", "DHE-PSK-AES256-CBC-SHA384"};

static void forge(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                  size_t start)
{
    const struct cl_rd *body = ctx;
    (void)tls;
    if (type == CL_HT_SERVER_KEY_EXCHANGE || type == CL_HT_CLIENT_KEY_EXCHANGE) {
        const uint8_t head[] = {type, (uint8_t)(body->len >> 16), (uint8_t)(body->len >> 8),
                                (uint8_t)body->len};
        flight->len = start;
        fz_require(cl_buf_append(flight, head, sizeof(head), SIZE_MAX / 2) == CL_OK);
        fz_require(body->len == 0 ||
                   cl_buf_append(flight, body->p, body->len, SIZE_MAX / 2) == CL_OK);
    }
}

static struct cleat_tls_builder *builder(enum cleat_role role, const char *suite)
{
    static const uint8_t key[32] = {1, 2, 3};
    const struct cleat_psk psk = {
        .identity = (const uint8_t *)"device", .identity_len = 6, .key = key, .key_len = 32};
    struct fz_world *w = fz_world();
    struct cleat_tls_builder *b;
    fz_require(cleat_tls_builder_new(role, &b) == CLEAT_OK);
    cleat_tls_builder_clock(b, fz_clock, NULL);
    cleat_tls_builder_random(b, fz_random, &w->counters[role == CLEAT_SERVER]);
    fz_require(cleat_tls_builder_profile(b, "legacy") == CLEAT_OK &&
               cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2) == CLEAT_OK &&
               cleat_tls_builder_ciphers(b, suite) == CLEAT_OK &&
               cleat_tls_builder_psk(b, &psk) == CLEAT_OK);
    if (role == CLEAT_SERVER) { /* so that the suite without a share has a message, too */
        fz_require(cleat_tls_builder_psk_hint(b, (const uint8_t *)"hint", 4) == CLEAT_OK);
    }
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_rd body = cl_rd_of(data, size);
    uint8_t how;
    if (!cl_rd_u8(&body, &how) || body.len > UINT16_MAX) {
        return 0;
    }
    const char *suite = suites[(how & (BY_SERVER - 1U)) % (sizeof(suites) / sizeof(suites[0]))];
    struct cleat_tls_builder *c = builder(CLEAT_CLIENT, suite);
    struct cleat_tls_builder *s = builder(CLEAT_SERVER, suite);
    struct fz_end client;
    struct fz_end server;
    cl_tls_builder_message_hook((how & BY_SERVER) != 0 ? s : c, forge, &body);
    fz_end_make(&client, CLEAT_CLIENT, FZ_12, fz_finish(c), NULL);
    fz_end_make(&server, CLEAT_SERVER, FZ_12, fz_finish(s), NULL);
    fz_pair_run(&client, &server, NULL, NULL);
    /* a share in another's place leads to other keys */
    fz_require(client.next == CLEAT_TLS_READY ? server.next == CLEAT_TLS_READY : true);
    fz_end_drop(&client);
    fz_end_drop(&server);
    return 0;
}
