/* fuzz/fuzz_tls_message.c - one handshake message forged under the right keys: a byte of
 * configuration (tls_world.h; 0x80: the server forges, else the client), which of its messages, and
 * the bytes in its place. The forger's transcript is the forged one, so that every parser sees what
 * the fuzzer makes, and all that lies behind it can be reached.
 */
#include "tls_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BY_SERVER 0x80

struct forgery {
    unsigned skip;
    struct cl_rd bytes;
};

static void forge(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                  size_t start)
{
    struct forgery *f = ctx;
    (void)tls;
    (void)type;
    if (f->skip-- == 0) {
        flight->len = start;
        fz_require(cl_buf_append(flight, f->bytes.p, f->bytes.len, SIZE_MAX / 2) == CL_OK);
    }
}

static void describe(struct cl_rd bytes)
{
    char text[160];
    char small[4];
    if (bytes.len >= 4) {
        (void)cleat_tls_describe(bytes.p, bytes.len, text, sizeof(text));
        (void)cleat_tls_describe(bytes.p, bytes.len, small, sizeof(small));
        fz_require(strlen(text) < sizeof(text) && strlen(small) < sizeof(small));
    }
}

/* Two ends that are ready have the same keys, or none of the forgeries counts. */
static void check_pair(const struct fz_end *client, const struct fz_end *server)
{
    uint8_t a[32];
    uint8_t b[32];
    if (client->next == CLEAT_TLS_READY && server->next == CLEAT_TLS_READY) {
        fz_require(cleat_tls_export(client->tls, "x", NULL, 0, a, sizeof(a)) == CLEAT_OK);
        fz_require(cleat_tls_export(server->tls, "x", NULL, 0, b, sizeof(b)) == CLEAT_OK);
        fz_require(memcmp(a, b, sizeof(a)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cleat_tls_session *sessions[FZ_KINDS];
    struct forgery f = {0};
    struct cl_rd r = cl_rd_of(data, size);
    uint8_t how;
    uint8_t skip;
    if (!cl_rd_u8(&r, &how) || !cl_rd_u8(&r, &skip)) {
        return 0;
    }
    f.skip = skip;
    f.bytes = r;
    describe(r);
    bool by_server = (how & BY_SERVER) != 0;
    how &= FZ_KINDS - 1;
    struct cleat_tls_session **session = &sessions[how];
    if ((how & FZ_RESUME) != 0 && *session == NULL) {
        *session = fz_session(how);
    }
    struct fz_world *w = fz_world();
    struct cleat_tls_builder *c = fz_builder(w, CLEAT_CLIENT, how);
    struct cleat_tls_builder *s = fz_builder(w, CLEAT_SERVER, how);
    struct fz_end client;
    struct fz_end server;
    cl_tls_builder_message_hook(by_server ? s : c, forge, &f);
    fz_end_make(&client, CLEAT_CLIENT, how, fz_finish(c), *session);
    fz_end_make(&server, CLEAT_SERVER, how, fz_finish(s), NULL);
    fz_pair_run(&client, &server, NULL, NULL);
    check_pair(&client, &server);
    fz_end_drop(&client);
    fz_end_drop(&server);
    return 0;
}
