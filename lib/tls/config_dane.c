/* tls/config_dane.c - the TLSA records by which a client's configuration verifies its server
 * (cleat/dane.h). */
#include "tls/builder.h"
#include "tls/conn.h"
#include "x509/dane.h"

int cleat_tls_builder_dane(struct cleat_tls_builder *b, const struct cleat_dane *set)
{
    struct cleat_tls_config *c = b->config;
    if (c->role != CLEAT_CLIENT) {
        (void)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 6698 1.3"),
                           "TLSA records are about servers: they are for clients to look at");
        return b->error.code;
    }
    cleat_dane_free(c->dane);
    c->dane = set != NULL ? cleat_dane_ref(set) : NULL;
    return CLEAT_OK;
}

cl_result cl_builder_check_dane(struct cleat_tls_builder *b)
{
    const struct cleat_tls_config *c = b->config;
    if (c->dane != NULL && (c->decisions & CLEAT_DECIDE_PEER) != 0) {
        return cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 6698 4"),
                            "nobody would look at the TLSA records: the application decides about "
                            "the peer");
    }
    return CL_OK;
}

/* A session that one set of records let in is not resumed under another, nor without any. */
void cl_dane_bind(const struct cleat_dane *set, struct cl_hash *h)
{
    uint8_t digest[32];
    if (set != NULL) {
        cl_dane_digest(set, digest);
        cl_hash_update(h, "dane", 4);
        cl_hash_update(h, digest, sizeof(digest));
    }
}
