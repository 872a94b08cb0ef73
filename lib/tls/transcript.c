/* tls/transcript.c - the hash over the handshake's messages (RFC 9846 4.1). */
#include "tls/hs.h"

void cl_transcript_start(struct cleat_tls *tls, enum cl_hash_id hash)
{
    cl_hash_init(&tls->hs->transcript, hash);
    tls->hs->transcript_started = true;
}

void cl_transcript_add(struct cleat_tls *tls, struct cl_rd whole)
{
    struct cl_hs *hs = tls->hs;
    cl_hash_update(&hs->transcript, whole.p, whole.len);
    if (hs->keep_messages &&
        cl_buf_append(&hs->messages, whole.p, whole.len, 2 * CL_HS_MAX_MESSAGE) != CL_OK) {
        hs->messages_lost = true;
    }
}

void cl_transcript_peek(const struct cleat_tls *tls, uint8_t *out)
{
    cl_hash_peek(&tls->hs->transcript, out);
}

void cl_transcript_retry(struct cleat_tls *tls)
{
    enum cl_hash_id id = (enum cl_hash_id)tls->hs->transcript.id;
    uint8_t message[4 + CL_HASH_MAX_LEN] = {CL_HT_MESSAGE_HASH, 0, 0, (uint8_t)cl_hash_len(id)};
    cl_hash_peek(&tls->hs->transcript, message + 4);
    cl_hash_init(&tls->hs->transcript, id);
    cl_hash_update(&tls->hs->transcript, message, 4 + cl_hash_len(id));
}
