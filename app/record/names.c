/* record/names.c - see names.h. */
#include "record/names.h"

#include <stdio.h>

#include "base/text.h"
#include "cleat/tls.h"
#include "crypto/hash.h"
#include "crypto/job.h"
#include "tls/tape.h"

const char *const cl_rec_nexts[CL_REC_NUM_NEXTS] = {
    [CLEAT_TLS_NEEDS_INPUT] = "NEEDS_INPUT", [CLEAT_TLS_HAS_OUTPUT] = "HAS_OUTPUT",
    [CLEAT_TLS_NEEDS_JOB] = "NEEDS_JOB",     [CLEAT_TLS_NEEDS_DECISION] = "NEEDS_DECISION",
    [CLEAT_TLS_HAS_DATA] = "HAS_DATA",       [CLEAT_TLS_READY] = "READY",
    [CLEAT_TLS_CLOSED] = "CLOSED",           [CLEAT_TLS_FAILED] = "FAILED",
};

const char *const cl_rec_jobs[CL_REC_NUM_JOBS] = {
    [CL_JOB_NONE] = "none",       [CL_JOB_KEYGEN] = "keygen",   [CL_JOB_ENCAP] = "encapsulate",
    [CL_JOB_DECAP] = "agree",     [CL_JOB_SIGN] = "sign",       [CL_JOB_VERIFY] = "verify",
    [CL_JOB_ENCRYPT] = "encrypt", [CL_JOB_DECRYPT] = "decrypt",
};

const char *const cl_rec_values[CL_REC_NUM_VALUES] = {
    [CL_TAPE_BINDER] = "psk binder",
    [CL_TAPE_CLIENT_HANDSHAKE_SECRET] = "client handshake traffic secret",
    [CL_TAPE_SERVER_HANDSHAKE_SECRET] = "server handshake traffic secret",
    [CL_TAPE_CLIENT_FINISHED_12] = "client verify_data",
    [CL_TAPE_SERVER_FINISHED_12] = "server verify_data",
};
_Static_assert(CL_REC_NUM_VALUES == CL_TAPE_NUM_VALUES, "a name for each value");

/* 8 bytes of a digest: enough to see that a message is another one */
#define DIGEST_SHOWN 8

static const char *message(const struct cleat_event *e, char *out, size_t cap)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    char hex[2 * DIGEST_SHOWN + 1];
    cl_hash_once(CL_HASH_SHA256, e->message.bytes, e->message.len, digest);
    cl_hex_encode(digest, DIGEST_SHOWN, hex);
    (void)snprintf(out, cap, "%s %s %zu %s", e->sent ? "sent" : "received", e->message.name,
                   e->message.len, hex);
    return out;
}

const char *cl_rec_event(const struct cleat_event *e, char *out, size_t cap)
{
    switch (e->kind) {
    case CLEAT_EVENT_MESSAGE:
        return message(e, out, cap);
    case CLEAT_EVENT_ALERT:
        (void)snprintf(out, cap, "%s alert %u %u %s", e->sent ? "sent" : "received", e->alert.level,
                       e->alert.alert, e->alert.name);
        return out;
    case CLEAT_EVENT_KEY:
        (void)snprintf(out, cap, "%s with %s keys", e->sent ? "sending" : "receiving",
                       e->key.epoch);
        return out;
    default:
        return NULL; /* the wording of what was chosen, and why, may change */
    }
}

const char *cl_rec_decision(unsigned decision)
{
    switch (decision) {
    case CLEAT_DECIDE_PEER:
        return "peer";
    case CLEAT_DECIDE_IDENTITY:
        return "identity";
    case CLEAT_DECIDE_RESUMED:
        return "resumed";
    default:
        return "other";
    }
}
