/* tls/false_start.c - False Start (RFC 7918): a client of TLS 1.2 writes behind its own Finished
 * and saves the round trip in which the server's comes.
 *
 * Until the server's Finished is checked, whoever is on the way could have changed what was
 * negotiated, but not below what is required here: the client has verified certificate and
 * signature, and its data goes out under a forward-secret key exchange and a full-length AEAD (5.1,
 * 5.2). Nothing is read before the server's Finished; sessions are kept only after it.
 */
#include "cleat/tls_options.h"
#include "tls/builder.h"
#include "tls/early.h"
#include "tls/ech.h"
#include "tls/keys_12.h"

/* 16: RFC 7918 5.1 wants at least 128 bits; tags of 8 bytes (CCM_8) are not for it */
#define WANTED_TAG_LEN 16

void cleat_tls_builder_false_start(struct cleat_tls_builder *b, enum cleat_false_start mode)
{
    b->config->false_start = mode;
}

bool cleat_tls_false_started(const struct cleat_tls *tls)
{
    return tls->false_start && !tls->failed && !tls->write_closed && cl_early_may_write(tls);
}

static bool is_strong(const struct cleat_tls *tls)
{
    return tls->suite->kx == CL_KX_ECDHE && tls->suite->mac == CL_HASH_NONE &&
           cl_aead_info(tls->suite->aead)->tag_len >= WANTED_TAG_LEN;
}

void cl_false_start(struct cleat_tls *tls)
{
    enum cleat_false_start mode = tls->config->false_start;
    bool agreed = mode == CLEAT_FALSE_START_ALWAYS ||
                  (mode == CLEAT_FALSE_START_WITH_ALPN && tls->alpn.len != 0);
    /* RFC 9849 6.1.6: after a rejection "the client MUST NOT enable the False Start optimization"
     */
    if (agreed && !cl_ech_refused(tls) && !tls->resumed && tls->peer_authenticated &&
        is_strong(tls)) {
        tls->false_start = true;
        cl_keep_exporter_12(tls);
        cl_event_choice(tls, "False Start", "yes",
                        "switched on, and the key exchange and cipher are strong enough");
    }
}
