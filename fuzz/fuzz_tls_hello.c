/* fuzz/fuzz_tls_hello.c - a ClientHello: a byte of configuration (tls_world.h) and the message's
 * body, whose header and record are put in front here. The server is asked for its configuration
 * first, so that everything said about the hello is read too. */
#include "tls_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_BODY 16000 /* one record */

static void read_hello(struct fz_end *e)
{
    struct cleat_client_hello hello;
    char text[200];
    if (e->next != CLEAT_TLS_NEEDS_DECISION) {
        return;
    }
    fz_require(cleat_tls_client_hello(e->tls, &hello) == CLEAT_OK);
    fz_require(hello.server_name == NULL || strlen(hello.server_name) <= 255);
    (void)cleat_tls_describe(hello.bytes, hello.len, text, sizeof(text));
    struct cleat_tls_config *config = fz_finish(fz_builder(fz_world(), CLEAT_SERVER, e->how));
    fz_require(cleat_tls_choose_config(e->tls, config) == CLEAT_OK);
    cleat_tls_config_free(config);
    fz_end_step(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_rd r = cl_rd_of(data, size);
    struct fz_world *w = fz_world();
    struct fz_end e;
    uint8_t how;
    if (!cl_rd_u8(&r, &how) || r.len > MAX_BODY) {
        return 0;
    }
    size_t whole = 4 + r.len;
    const uint8_t header[] = {22,
                              3,
                              1,
                              (uint8_t)(whole >> 8),
                              (uint8_t)whole,
                              1,
                              0,
                              (uint8_t)(r.len >> 8),
                              (uint8_t)r.len};
    struct cleat_tls_builder *b = fz_builder(w, CLEAT_SERVER, how);
    cleat_tls_builder_decide(b, CLEAT_DECIDE_CONFIG);
    fz_end_make(&e, CLEAT_SERVER, how, fz_finish(b), NULL);
    fz_end_feed(&e, header, sizeof(header));
    fz_end_feed(&e, r.p, r.len);
    fz_end_step(&e);
    read_hello(&e);
    fz_require(e.next != CLEAT_TLS_READY);
    fz_end_drop(&e);
    return 0;
}
