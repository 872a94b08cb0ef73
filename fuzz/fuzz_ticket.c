/* fuzz/fuzz_ticket.c - a sealed ticket as a client returns it: noise, and a real ticket with the
 * input's bytes laid over it. A ticket that opens is one that was made here. */
#include "tls_world.h"
#include "tls/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t digest[32] = {7};

static void seal(struct cleat_ticket_keys *keys, struct cl_rd name, struct cl_buf *out)
{
    static uint64_t counter = 1;
    const struct cl_rng rng = {.fill = fz_random, .ctx = &counter};
    struct cl_ticket t = {
        .version = CLEAT_TLS_1_3,
        .suite = 0x1301,
        .created_ms = FZ_NOW_MS,
        .expires_ms = FZ_NOW_MS + 1000,
        .began_ms = FZ_NOW_MS,
        .psk = {.len = 32},
        .digest = cl_rd_of(digest, sizeof(digest)),
        .server_name = name,
    };
    fz_require(cl_ticket_seal(keys, &rng, FZ_NOW_MS, &t, out) == CL_OK);
}

static bool open_one(struct cleat_ticket_keys *keys, struct cl_rd sealed, struct cl_rd name)
{
    struct cl_buf plain = {0};
    struct cl_ticket t;
    bool opened = cl_ticket_open(keys, FZ_NOW_MS, sealed, &plain, &t);
    if (opened) {
        fz_require(cl_rd_equal(t.server_name, name) && t.psk.len == 32);
        fz_require(cl_rd_equal(t.digest, cl_rd_of(digest, sizeof(digest))));
    }
    cl_buf_deinit(&plain);
    return opened;
}

/* The first two bytes say where the rest is laid over the ticket (XOR). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fz_world *w = fz_world();
    struct cl_rd r = cl_rd_of(data, size);
    struct cl_rd name = cl_rd_of("localhost", 9);
    struct cl_buf sealed = {0};
    uint16_t at;
    bool changed = false;
    seal(w->tickets, name, &sealed);
    fz_require(open_one(w->tickets, cl_buf_view(&sealed), name));
    fz_require(!open_one(w->tickets, cl_rd_of(data, size), name));
    if (cl_rd_u16(&r, &at)) {
        for (size_t i = 0; i < r.len && at + i < sealed.len; i++) {
            sealed.p[at + i] ^= r.p[i];
            changed = changed || r.p[i] != 0;
        }
        fz_require(open_one(w->tickets, cl_buf_view(&sealed), name) == !changed);
    }
    cl_buf_deinit(&sealed);
    return 0;
}
