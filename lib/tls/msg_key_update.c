/* tls/msg_key_update.c - KeyUpdate (RFC 9846 4.7.3), both directions. */
#include "tls/msg.h"

#define UPDATE_NOT_REQUESTED 0
#define UPDATE_REQUESTED     1
/* RFC 9846 4.7.3: "implementations MUST NOT send a KeyUpdate" beyond 2^48-1 of them */
#define MAX_SENT_UPDATES     ((UINT64_C(1) << 48) - 1)

static struct cl_secret *our_secret(struct cleat_tls *tls)
{
    return cl_is_server(tls) ? &tls->server_app : &tls->client_app;
}

static struct cl_secret *peer_secret(struct cleat_tls *tls)
{
    return cl_is_server(tls) ? &tls->client_app : &tls->server_app;
}

/* RFC 9846 4.7.3: "an implementation which receives multiple KeyUpdates while it is silent"
 * responds "with a single update": a sending key under which nothing has gone out is new enough. */
static bool key_is_new(const struct cleat_tls *tls)
{
    return tls->num_key_updates != 0 && tls->wr.seq == 0;
}

cl_result cl_key_update_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_rd body = msg->body;
    uint8_t request;
    if (!cl_rd_u8(&body, &request) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "KeyUpdate", "RFC 9846 4.7.3");
    }
    /* RFC 9846 4.7.3: "If an implementation receives any other value, it MUST terminate the
     * connection with an "illegal_parameter" alert" */
    if (request > UPDATE_REQUESTED) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.7.3"),
                           "KeyUpdate with request_update %u", request);
    }
    if (++tls->idle_key_updates > CL_MAX_IDLE_RECORDS) {
        return cl_tls_fail(tls, CL_WHY(TOO_MANY_RECORDS, "RFC 9846 4.7.3"),
                           "more than %d KeyUpdate messages without data", CL_MAX_IDLE_RECORDS);
    }
    CL_TRY(cl_hs_no_partial_message(tls));
    cl_traffic_update(tls->suite->hash, peer_secret(tls));
    CL_TRY(cl_hs_read_key(tls, peer_secret(tls), "application"));
    /* answered by the next step that has room */
    if (request == UPDATE_REQUESTED && !tls->write_closed && !key_is_new(tls)) {
        tls->key_update_pending = true;
    }
    return CL_OK;
}

/* The new key comes first: once the message is out there is no way back to the old one. */
cl_result cl_key_update_send(struct cleat_tls *tls, struct cleat_tls_io *io, bool request_peer)
{
    uint8_t message[] = {CL_HT_KEY_UPDATE, 0, 0, 1,
                         request_peer ? UPDATE_REQUESTED : UPDATE_NOT_REQUESTED};
    struct cl_rd whole = cl_rd_of(message, sizeof(message));
    if (tls->num_key_updates >= MAX_SENT_UPDATES ||
        cl_record_room(&tls->wr, CL_CT_HANDSHAKE, io->out_cap - io->out_len) < whole.len) {
        return CLEAT_ERR_LIMIT;
    }
    struct cl_record_keys keys = {
        .limit = tls->wr.limit,
        .pad_to = tls->wr.pad_to,
        .max_fragment = tls->wr.max_fragment,
    };
    struct cl_secret next = *our_secret(tls);
    cl_traffic_update(tls->suite->hash, &next);
    cl_result r = cl_record_keys_13(&keys, tls->suite, &next, true);
    if (r == CL_OK) {
        r = cl_record_seal(&tls->wr, CL_CT_HANDSHAKE, whole, io);
    }
    if (r == CL_OK) {
        cl_event_message(tls, true, whole);
        tls->num_key_updates++;
        *our_secret(tls) = next;
        cl_record_keys_deinit(&tls->wr);
        tls->wr = keys;
        keys = (struct cl_record_keys){0};
        cl_event_key(tls, true, "application");
    }
    cl_record_keys_deinit(&keys);
    cl_secret_wipe(&next);
    return r;
}
