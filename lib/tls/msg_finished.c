/* tls/msg_finished.c - Finished (RFC 9846 4.5.3), both roles. */
#include "tls/msg.h"

cl_result cl_finished_build(struct cleat_tls *tls, const struct cl_secret *secret)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    uint8_t mac[CL_HASH_MAX_LEN];
    struct cl_wr w;
    cl_transcript_peek(tls, digest);
    cl_finished_mac(tls->suite->hash, secret, digest, mac);
    CL_TRY(cl_flight_begin(tls, CL_HT_FINISHED, CL_HASH_MAX_LEN, &w));
    cl_wr_bytes(&w, mac, cl_hash_len(tls->suite->hash));
    return cl_flight_end(tls, &w);
}

cl_result cl_finished_check(struct cleat_tls *tls, const struct cl_msg *msg,
                            const struct cl_secret *secret)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    uint8_t mac[CL_HASH_MAX_LEN];
    size_t len = cl_hash_len(tls->suite->hash);
    if (msg->body.len != len) {
        return cl_tls_decode_error(tls, "Finished", "RFC 9846 4.5.3");
    }
    cl_transcript_peek(tls, digest);
    cl_finished_mac(tls->suite->hash, secret, digest, mac);
    if (!cl_ct_equal(mac, msg->body.p, len)) {
        return cl_tls_fail(tls, CL_WHY(DECRYPT_ERROR, "RFC 9846 4.5.3"),
                           "the peer's Finished does not match what was said: the handshake was "
                           "changed on the way, or a side computes wrongly");
    }
    return CL_OK;
}
