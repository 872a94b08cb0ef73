/* fuzz/seeds_tls.c - writes the corpora of the TLS targets: `seeds_tls FOLDER` shakes hands in
 * every configuration of tls_world.h and records streams, messages and sessions below FOLDER. To be
 * run again when a wire format changes. */
#include <stdio.h>
#include <sys/stat.h>

#include "tls/compress.h"
#include "tls_world.h"

struct recorder {
    const char *folder;
    unsigned how;
    bool by_server;
    unsigned num;
};

static void write_file(const char *folder, const char *target, const char *name, struct cl_rd head,
                       struct cl_rd body)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, target);
    (void)mkdir(path, 0777);
    (void)snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
    FILE *file = fopen(path, "wb");
    fz_require(file != NULL);
    fz_require(head.len == 0 || fwrite(head.p, 1, head.len, file) == head.len);
    fz_require(body.len == 0 || fwrite(body.p, 1, body.len, file) == body.len);
    fz_require(fclose(file) == 0);
}

static void record(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                   size_t start)
{
    struct recorder *rec = ctx;
    char name[64];
    (void)tls;
    const uint8_t head[] = {(uint8_t)(rec->how | (rec->by_server ? 0x80 : 0)), (uint8_t)rec->num};
    struct cl_rd whole = cl_rd_of(flight->p + start, flight->len - start);
    /* a message that needs none of the settings is the same in all */
    bool plain = rec->how == 0 || rec->how == FZ_12;
    bool special = type == 1 || type == 2 || type == 4 || type == 12 || type == 13 ||
                   (type == 15 && !rec->by_server) || (type == 11 && !rec->by_server) ||
                   ((type == 8 || type == 11) && (rec->how & FZ_RAW) != 0) ||
                   (type == 25 && !rec->by_server);
    if (plain || special) {
        (void)snprintf(name, sizeof(name), "%02x-%s-%u-type%u", rec->how,
                       rec->by_server ? "server" : "client", rec->num, type);
        write_file(rec->folder, "tls_message", name, cl_rd_of(head, sizeof(head)), whole);
    }
    if (type == 1) {
        (void)snprintf(name, sizeof(name), "%02x-%u", rec->how, rec->num);
        write_file(rec->folder, "tls_hello", name, cl_rd_of(head, 1),
                   cl_rd_of(whole.p + 4, whole.len - 4));
    }
    rec->num++;
}

static void write_session(const char *folder, const struct fz_end *client, const char *name)
{
    static uint8_t bytes[8192];
    size_t len = sizeof(bytes);
    struct cleat_tls_session *session = cleat_tls_take_session(client->tls);
    if (session != NULL) {
        fz_require(cleat_tls_session_export(session, bytes, &len) == CLEAT_OK);
        write_file(folder, "tls_session", name, cl_rd_of(NULL, 0), cl_rd_of(bytes, len));
        cleat_tls_session_free(session);
    }
}

static void close_end(struct fz_end *e, struct cl_buf *stream)
{
    uint8_t room[200];
    size_t written;
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    (void)cleat_tls_write(e->tls, &io, (const uint8_t *)"data", 4, &written);
    (void)cleat_tls_key_update(e->tls, &io, false);
    (void)cleat_tls_close(e->tls, &io);
    fz_require(cl_buf_append(stream, room, io.out_len, SIZE_MAX / 2) == CL_OK);
}

static void shake(const char *folder, unsigned how)
{
    struct recorder recs[] = {{folder, how, false, 0}, {folder, how, true, 0}};
    struct cleat_tls_session *session = (how & FZ_RESUME) != 0 ? fz_session(how) : NULL;
    struct fz_world *w = fz_world();
    struct cleat_tls_builder *c = fz_builder(w, CLEAT_CLIENT, how);
    struct cleat_tls_builder *s = fz_builder(w, CLEAT_SERVER, how);
    struct cl_buf streams[2] = {{0}, {0}};
    struct fz_end client;
    struct fz_end server;
    char name[16];
    cl_tls_builder_message_hook(c, record, &recs[0]);
    cl_tls_builder_message_hook(s, record, &recs[1]);
    fz_end_make(&client, CLEAT_CLIENT, how, fz_finish(c), session);
    fz_end_make(&server, CLEAT_SERVER, how, fz_finish(s), NULL);
    fz_pair_run(&client, &server, &streams[0], &streams[1]);
    fz_require(client.next == CLEAT_TLS_READY && server.next == CLEAT_TLS_READY);
    close_end(&client, &streams[0]);
    close_end(&server, &streams[1]);
    (void)snprintf(name, sizeof(name), "%02x", how);
    const uint8_t head[] = {(uint8_t)how, (uint8_t)(how % 3 * 50)};
    write_file(folder, "tls_server", name, cl_rd_of(head, 2), cl_buf_view(&streams[0]));
    write_file(folder, "tls_client", name, cl_rd_of(head, 2), cl_buf_view(&streams[1]));
    write_session(folder, &client, name);
    fz_end_drop(&client);
    fz_end_drop(&server);
    cleat_tls_session_free(session);
    cl_buf_deinit(&streams[0]);
    cl_buf_deinit(&streams[1]);
}

/* Records after a handshake, by hand: {type, length, bytes} and the next. */
static void write_records(const char *folder)
{
#define SEED(name, bytes)              \
    {                                  \
        name, bytes, sizeof(bytes) - 1 \
    }
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
    } seeds[] = {
        SEED("data-and-close", "\x00\x17\0\4data\x17\0\0\x15\0\2\1\0"),
        SEED("key-updates", "\x00\x16\0\5\x18\0\0\1\1\x17\0\1x\x16\0\5\x18\0\0\1\0\x17\0\1y"),
        SEED("ticket", "\x80\x16\0\x16\4\0\0\x12\0\0\x0e\x10\1\2\3\4\1\0\0\4tick\0\0\x17\0\1z"),
        SEED("cut-message", "\x80\x16\0\2\4\0\x16\0\2\0\5\x17\0\1x"),
        SEED("warnings", "\x80\x15\0\2\1\x5a\x15\0\2\1\x5a\x15\0\2\2\x28"),
        SEED("12-hello-request", "\x81\x16\0\4\0\0\0\0\x17\0\1x\x15\0\2\1\x64\x15\0\2\1\0"),
        SEED("12-renegotiation", "\x01\x16\0\4\1\0\0\0"),
        SEED("unknown-type", "\x10\x18\0\1\0"),
    };
#undef SEED
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        write_file(folder, "tls_records", seeds[i].name, cl_rd_of(NULL, 0),
                   cl_rd_of(seeds[i].bytes, seeds[i].len));
    }
}

static void write_compressed(const char *folder)
{
    struct cl_rd plain = cl_cert_der(cl_chain_at(fz_world()->server.chain, 0));
    for (size_t i = 0; cl_compression_at(i) != NULL; i++) {
        const struct cl_compression *alg = cl_compression_at(i);
        const uint8_t head[] = {(uint8_t)i, 0, (uint8_t)(plain.len >> 8), (uint8_t)plain.len};
        struct cl_buf out = {0};
        fz_require(alg->compress(plain, &out, SIZE_MAX / 2) == CL_OK);
        write_file(folder, "tls_compress", alg->name, cl_rd_of(head, sizeof(head)),
                   cl_buf_view(&out));
        cl_buf_deinit(&out);
    }
}

int main(int argc, char **argv)
{
    static const unsigned hows[] = {0,
                                    FZ_RETRY,
                                    FZ_AUTH,
                                    FZ_RESUME,
                                    FZ_BOTH,
                                    FZ_12,
                                    FZ_12 | FZ_AUTH,
                                    FZ_12 | FZ_RESUME,
                                    FZ_RAW | FZ_AUTH,
                                    FZ_RAW | FZ_AUTH | FZ_12,
                                    FZ_RAW | FZ_RESUME,
                                    FZ_RETRY | FZ_AUTH | FZ_RESUME | FZ_BOTH};
    static const uint8_t over[] = {0, 20, 1, 2, 3};
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
        shake(argv[1], hows[i]);
    }
    write_records(argv[1]);
    write_compressed(argv[1]);
    write_file(argv[1], "ticket", "over-the-nonce", cl_rd_of(over, 2), cl_rd_of(over + 2, 3));
    write_file(argv[1], "ticket", "over-the-name", cl_rd_of("\0\0", 2), cl_rd_of("\x80", 1));
    write_file(argv[1], "ticket", "untouched", cl_rd_of("\0\0", 2), cl_rd_of("\0\0\0\0", 4));
    return 0;
}
