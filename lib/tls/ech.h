/* tls/ech.h - Encrypted Client Hello inside the engine (RFC 9849).
 *
 * A handshake with ECH has a struct cl_ech. The client's hs->hello, client_random, session and
 * server_name are the inner ClientHello's until the server rejects it; then cl_ech_judge puts the
 * outer one's in their place. The server's are the inner one's from the moment it is decrypted. So
 * everything else in the handshake knows of one ClientHello only.
 */
#ifndef CL_TLS_ECH_H
#define CL_TLS_ECH_H

#include "base/buf.h"
#include "cleat/ech.h"
#include "crypto/hpke.h"
#include "tls/conn.h"
#include "tls/ech_config.h"
#include "tls/psk.h"

#define CL_ECH_CONFIRMATION_LEN 8
/* RFC 9849 5: ECHClientHelloType */
#define CL_ECH_OUTER_TYPE       0
#define CL_ECH_INNER_TYPE       1

/* Which ClientHello is being built. */
enum cl_ech_form {
    CL_ECH_PLAIN, /* the only one */
    CL_ECH_INNER,
    CL_ECH_OUTER,
};

struct cl_ech {
    enum cl_ech_form form;
    struct cl_hpke *hpke;
    struct cl_hpke_suite suite;
    uint8_t config_id;
    uint8_t outer_random[CL_RANDOM_LEN];
    size_t confirm_at; /* server: where in a HelloRetryRequest the confirmation goes */

    /* client */
    struct cl_buf config; /* the ECHConfig */
    char *public_name;
    uint8_t max_name_len;
    uint8_t enc[CL_HPKE_MAX_PUBLIC];
    size_t enc_len;
    struct cl_buf encoded; /* EncodedClientHelloInner, and room for the tag */
    struct cl_buf body;    /* of the outer extension, as it was sent; or the dummy */
    bool key_wanted;       /* enc, or the dummy's public key, is still to be made: by a job */
    size_t body_at;        /* where in the outer ClientHello it lies */
    size_t body_len;
    size_t payload_at;
    struct cl_buf outer; /* the outer ClientHello */
    uint32_t outer_offered;

    /* server */
    struct cleat_ech_keys *keys; /* to decrypt, or to answer a rejection with; NULL: none */
    size_t candidate;            /* which of them is tried, or comes next */
};

void cl_ech_free(struct cl_ech *ech); /* NULL is fine */

static inline enum cl_ech_form cl_ech_form(const struct cleat_tls *tls)
{
    return tls->hs->ech != NULL ? tls->hs->ech->form : CL_ECH_PLAIN;
}

/* cl_ech_refused: we are a client, and the server has rejected ECH: what follows is about the
 * public name, and nothing of it reaches the application. */
static inline bool cl_ech_refused(const struct cleat_tls *tls)
{
    return !cl_is_server(tls) && tls->ech_status == CLEAT_ECH_REJECTED;
}

/* cl_ech_confirmation computes what a server confirms ECH with (RFC 9849 7.2): message is the
 * ServerHello or HelloRetryRequest, in which the bytes at `at` count as zeros. */
void cl_ech_confirmation(const struct cleat_tls *tls, const struct cl_hash *transcript, bool retry,
                         struct cl_rd message, size_t at, uint8_t out[CL_ECH_CONFIRMATION_LEN]);

/* cl_ech_event_keys tells the key log what the outer ClientHello was encrypted with. */
void cl_ech_event_keys(struct cleat_tls *tls, struct cl_rd config);

/* ---- client: ech_client.c ---- */

/* cl_ech_start draws what the first ClientHello needs: a random, or a dummy extension.
 * cl_ech_start_job makes hs->job what is still to be computed for it: HPKE's encapsulation, or a
 * dummy's key pair; *started: there was something. cl_ech_job_done takes the outcome. */
CL_MUST cl_result cl_ech_start(struct cleat_tls *tls);
CL_MUST cl_result cl_ech_start_job(struct cleat_tls *tls, bool *started);
CL_MUST cl_result cl_ech_job_done(struct cleat_tls *tls);
/* cl_ech_wanted: there will be an inner and an outer ClientHello. */
bool cl_ech_wanted(const struct cleat_tls *tls);
/* cl_ech_encode makes EncodedClientHelloInner of the inner ClientHello, which is in hs->hello. */
CL_MUST cl_result cl_ech_encode(struct cleat_tls *tls);
/* cl_ech_seal encrypts the payload; w holds the outer ClientHello, complete but for that. */
CL_MUST cl_result cl_ech_seal(struct cleat_tls *tls, struct cl_wr *w);
/* cl_ech_shared: this extension of the inner ClientHello may be a reference to the outer one's. */
bool cl_ech_shared(const struct cleat_tls *tls, uint16_t type);
/* cl_ech_put_outer writes the extension's body with a payload of zeros. cl_ech_put_dummy_psks
 * writes a pre_shared_key that looks like these; false when there are none. */
void cl_ech_put_outer(struct cleat_tls *tls, struct cl_wr *w);
bool cl_ech_put_dummy_psks(struct cleat_tls *tls, const struct cl_psk_offer *offers, size_t num,
                           struct cl_wr *w);

/* ---- client: ech_answer.c ---- */

/* cl_ech_judge sees in a ServerHello or HelloRetryRequest which ClientHello the server uses. */
CL_MUST cl_result cl_ech_judge(struct cleat_tls *tls, const struct cl_msg *msg, bool retry);
/* cl_ech_reject: an old version cannot be an answer to the inner ClientHello. */
void cl_ech_reject(struct cleat_tls *tls, const char *why);
/* cl_ech_finish ends a handshake whose ECH was rejected. */
CL_MUST cl_result cl_ech_finish(struct cleat_tls *tls);

/* ---- server: ech_server.c ---- */

/* Which ClientHello counts. */
enum cl_ech_outcome {
    CL_ECH_KEPT,   /* the one that is parsed */
    CL_ECH_OPENED, /* the inner one, which now is hs->hello: to be parsed anew */
    CL_ECH_WAITS,  /* that is not known yet: hs->job is HPKE's decapsulation */
};

/* cl_ech_open looks for an inner ClientHello in the one that is parsed; of a second ClientHello it
 * must be there, if the first had one. cl_ech_agreed goes on after a job, to the next key that may
 * fit, if there is one. cl_ech_check_inner checks what is parsed anew. */
CL_MUST cl_result cl_ech_open(struct cleat_tls *tls, enum cl_ech_outcome *out);
CL_MUST cl_result cl_ech_agreed(struct cleat_tls *tls, enum cl_ech_outcome *out);
CL_MUST cl_result cl_ech_check_inner(struct cleat_tls *tls);
/* cl_ech_confirm writes the confirmation into a ServerHello or HelloRetryRequest that is complete
 * but for that, when ECH is accepted. */
void cl_ech_confirm(struct cleat_tls *tls, bool retry, struct cl_wr *w);

/* ---- server: ech_decode.c ---- */

/* cl_ech_decode makes the inner ClientHello, with a header, of an EncodedClientHelloInner and the
 * outer one that is parsed in hs (RFC 9849 5.1). ILLEGAL_PARAMETER, DECODE, NOMEM. */
CL_MUST cl_result cl_ech_decode(struct cleat_tls *tls, struct cl_rd encoded, struct cl_buf *out);

/* The fields of an outer extension; views. */
struct cl_ech_outer {
    struct cl_hpke_suite suite;
    uint8_t config_id;
    struct cl_rd enc;
    struct cl_rd payload;
};
CL_RD_MUST bool cl_ech_outer_parse(struct cl_rd body, struct cl_ech_outer *out);

#endif
