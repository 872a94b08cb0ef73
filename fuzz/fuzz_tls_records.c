/* fuzz/fuzz_tls_records.c - what comes after a handshake: a byte of configuration (tls_world.h;
 * 0x80: to the client, else to the server), then records under the right keys, each a byte of type,
 * a length of 16 bits and that many bytes. A KeyUpdate is sent by the engine, so that the keys stay
 * right after it. */
#include "tls/conn.h"
#include "tls_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TO_CLIENT   0x80
#define MAX_RECORDS 100 /* three times the limit of records without effect */

static bool is_key_update(uint8_t type, struct cl_rd bytes)
{
    return type == 22 && bytes.len == 5 && memcmp(bytes.p, "\x18\0\0\1", 4) == 0 && bytes.p[4] <= 1;
}

/* False when the sender cannot write any more. */
static bool send_one(struct fz_end *from, struct fz_end *to, uint8_t type, struct cl_rd bytes)
{
    static uint8_t room[20000];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    int r = is_key_update(type, bytes) ? cleat_tls_key_update(from->tls, &io, bytes.p[4] == 1)
                                       : (int)cl_record_seal(&from->tls->wr, type, bytes, &io);
    if (r != CLEAT_OK) {
        return false;
    }
    fz_end_feed(to, room, io.out_len);
    return true;
}

static void send_all(struct fz_end *from, struct fz_end *to, struct cl_rd r)
{
    uint8_t type;
    struct cl_rd bytes;
    for (int i = 0; i < MAX_RECORDS && to->next != CLEAT_TLS_FAILED; i++) {
        if (!cl_rd_u8(&r, &type) || !cl_rd_vec16(&r, &bytes) || bytes.len > CL_RECORD_MAX_PLAIN ||
            !send_one(from, to, type, bytes)) {
            break;
        }
        fz_end_step(to);
    }
    /* what the receiver answers is good, whatever it was sent */
    fz_end_feed(from, to->out.p, to->out.len);
    fz_end_step(from);
    fz_require(from->next != CLEAT_TLS_FAILED ||
               cleat_tls_error(from->tls)->code == CLEAT_ERR_PEER_ALERT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_rd r = cl_rd_of(data, size);
    struct fz_world *w = fz_world();
    struct fz_end client;
    struct fz_end server;
    uint8_t how;
    if (!cl_rd_u8(&r, &how)) {
        return 0;
    }
    bool to_client = (how & TO_CLIENT) != 0;
    how &= FZ_12 | FZ_BOTH;
    fz_end_make(&client, CLEAT_CLIENT, how, fz_finish(fz_builder(w, CLEAT_CLIENT, how)), NULL);
    fz_end_make(&server, CLEAT_SERVER, how, fz_finish(fz_builder(w, CLEAT_SERVER, how)), NULL);
    fz_pair_run(&client, &server, NULL, NULL);
    fz_require(client.next == CLEAT_TLS_READY && server.next == CLEAT_TLS_READY);
    send_all(to_client ? &server : &client, to_client ? &client : &server, r);
    cleat_tls_session_free(cleat_tls_take_session(client.tls));
    fz_end_drop(&client);
    fz_end_drop(&server);
    return 0;
}
