/* explain/advice.h - what would have to change in a configuration for a ClientHello to get in. Each
 * piece of advice has been tried: the changed configuration was built and asked. */
#ifndef CL_EXPLAIN_ADVICE_H
#define CL_EXPLAIN_ADVICE_H

#include "explain/rehearsal.h"

/* 3: options that are changed at once; with more, another client is the better advice */
#define CL_ADVICE_MAX 3

struct cl_advice_change {
    const char *option; /* "tls-min" */
    char value[1024];
};

struct cl_advice {
    struct cl_advice_change changes[CL_ADVICE_MAX];
    size_t num;          /* 0: nothing that was tried helps */
    char outcome[256];   /* what is agreed then: "TLS 1.2, TLS_…, X25519" */
    const char *warning; /* what is bad about it, or NULL */
    size_t num_tried;
    bool made_certificate; /* tried with a certificate made for it; the change names its kind */
};

/* cl_advise looks for the least change that lets a refused ClientHello in. NOMEM; a configuration
 * that cannot be built is passed over. */
CL_MUST cl_result cl_advise(const struct cl_serve_options *o, const struct cl_rehearsal *refused,
                            struct cl_rd hello, struct cl_advice *out);

/* cl_outcome_text writes "TLS 1.3, TLS_AES_128_GCM_SHA256, X25519, ecdsa_secp256r1_sha256". */
void cl_outcome_text(const struct cl_rehearsal *r, char *out, size_t cap);

#endif
