/* tls/config_revocation.c - where a configuration's verifier looks up revocation
 * (cleat/revocation.h), and which certificate timestamps it wants (cleat/ct.h). */
#include "tls/builder.h"
#include "tls/conn.h"
#include "x509/crl.h"
#include "x509/ocsp.h"

static bool valid(const struct cleat_revocation_options *o)
{
    return (unsigned)o->mode <= CLEAT_REVOCATION_REQUIRED &&
           (unsigned)o->from_crls <= CLEAT_SOURCE_REQUIRED &&
           (unsigned)o->from_ocsp <= CLEAT_SOURCE_REQUIRED && o->max_age >= 0 &&
           !(o->staple_required && o->from_ocsp == CLEAT_SOURCE_OFF);
}

int cleat_tls_builder_revocation(struct cleat_tls_builder *b,
                                 const struct cleat_revocation_options *options)
{
    struct cleat_revocation_options *own = &b->config->revocation;
    if (!valid(options)) {
        (void)cl_error_set(
            &b->error, CL_WHY(BAD_CONFIG, NULL),
            "the options for revocation have a value that is not defined, or demand a "
            "staple with OCSP off");
        return b->error.code;
    }
    cl_revocation_deinit(own);
    *own = *options;
    own->crls = options->crls != NULL ? cleat_crl_set_ref(options->crls) : NULL;
    own->ocsp = options->ocsp != NULL ? cleat_ocsp_set_ref(options->ocsp) : NULL;
    return CLEAT_OK;
}

void cl_revocation_deinit(struct cleat_revocation_options *own)
{
    cleat_crl_set_free((struct cleat_crl_set *)(uintptr_t)own->crls);
    cleat_ocsp_set_free((struct cleat_ocsp_set *)(uintptr_t)own->ocsp);
    *own = (struct cleat_revocation_options){0};
}

/* A session whose peer a newer list may name is not resumed under that list; without revocation
 * nothing is added, and sessions made before stay good. */
void cl_revocation_digest(const struct cleat_revocation_options *own, struct cl_hash *h)
{
    uint8_t digest[32];
    uint8_t age[8];
    struct cl_wr w = cl_wr_of(age, sizeof(age));
    const uint8_t head[] = {(uint8_t)own->mode,   (uint8_t)own->from_crls, (uint8_t)own->from_ocsp,
                            own->staple_required, own->crls != NULL,       own->ocsp != NULL,
                            own->max_age != 0};
    static const uint8_t nothing[sizeof(head)] = {0};
    if (memcmp(head, nothing, sizeof(head)) == 0) {
        return;
    }
    cl_hash_update(h, head, sizeof(head));
    cl_wr_u64(&w, (uint64_t)own->max_age);
    cl_hash_update(h, age, sizeof(age));
    if (own->crls != NULL) {
        cl_crl_set_digest(own->crls, digest);
        cl_hash_update(h, digest, sizeof(digest));
    }
    if (own->ocsp != NULL) {
        cl_ocsp_set_digest(own->ocsp, digest);
        cl_hash_update(h, digest, sizeof(digest));
    }
}

int cleat_tls_builder_transparency(struct cleat_tls_builder *b, enum cleat_ct ct,
                                   const struct cleat_ct_logs *logs)
{
    struct cleat_tls_config *c = b->config;
    if ((unsigned)ct > CLEAT_CT_REQUIRED || (ct == CLEAT_CT_REQUIRED && logs == NULL)) {
        (void)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, NULL),
                           "certificate timestamps are required, but no log is known");
        return b->error.code;
    }
    cleat_ct_logs_free(c->ct_logs);
    c->ct = ct;
    c->ct_logs = logs != NULL ? cleat_ct_logs_ref(logs) : NULL;
    return CLEAT_OK;
}
