/* x509/crl.h - certificate revocation lists (RFC 5280 5), parsed strictly, and sets of them.
 *
 * A list that may not be used - because of an unknown critical extension - says so in `unusable`:
 * it proves nothing, neither good nor bad. */
#ifndef CL_X509_CRL_H
#define CL_X509_CRL_H

#include "x509/fields.h"

/* 16 MiB: the largest lists of the web's CAs have ten; copied */
#define CL_CRL_MAX_LEN    (16u << 20)
/* 512 MiB: ten million entries; mapped, not copied. Offsets have 32 bits. */
#define CL_CRL_MAX_MAPPED (512u << 20)
/* 256: lists of one set */
#define CL_CRL_MAX        256

/* ReasonFlags, bit n of RFC 5280 4.2.1.13 as 1 << n; bit 0 is unused. */
#define CL_REASONS_ALL 0x1feu

/* CRLReason of an entry of a delta list that takes a certificate off the complete one */
#define CL_REASON_REMOVE 8

struct cl_crl {
    _Atomic unsigned num_refs; /* sets that share it */
    struct cl_rd der;
    struct cl_rd tbs;
    struct cl_rd signature;
    const struct cl_sig_alg *sig_alg; /* NULL: not accepted */
    struct cl_name issuer;
    int64_t this_update;
    int64_t next_update; /* INT64_MIN when absent */
    struct cl_rd entries;
    size_t num_entries;
    uint32_t *index;      /* offsets into entries, by serial number; NULL: a short list */
    uint64_t *heads;      /* of every so-manyth of these: see crl_index.c */
    const char *unusable; /* why, or NULL */
    struct cl_rd number;  /* contents of cRLNumber, empty when absent */
    bool number_critical;
    bool is_delta;
    struct cl_rd base_number;
    bool has_idp;
    bool only_user;
    bool only_ca;
    bool only_attribute;
    bool indirect;      /* its entries may be other issuers' certificates */
    uint16_t reasons;   /* CL_REASONS_ALL when not restricted */
    struct cl_rd point; /* DistributionPointName, empty when absent */
    struct cl_rd aki_key_id;
    uint8_t good_signer[32];       /* SHA-256 of the certificate whose key signed it, */
    _Atomic unsigned signer_state; /* once that is known: see crl.c */
    void (*release)(void *ctx);    /* of bytes that are not ours; or NULL */
    void *release_ctx;
};

struct cleat_crl_set {
    _Atomic unsigned num_refs;
    uint64_t number; /* cl_verify_number() */
    size_t num;
    struct cl_crl *crls[CL_CRL_MAX];
};

/* cl_crl_parse copies der and parses it; cl_crl_parse_view keeps a view of it, which must live as
 * long as the list. BAD_CERTIFICATE, LIMIT, NOMEM. cl_crl_free gives a reference back and takes
 * NULL. */
CL_MUST cl_result cl_crl_parse(struct cl_crl **out, struct cl_rd der, struct cleat_error *err);
CL_MUST cl_result cl_crl_parse_view(struct cl_crl **out, struct cl_rd der, struct cleat_error *err);
struct cl_crl *cl_crl_ref(struct cl_crl *crl);
void cl_crl_free(struct cl_crl *crl);

/* cl_crl_find looks a certificate up by its issuer and serial number: false when it is not listed;
 * *reason is its reasonCode (0 when there is none). CL_REASON_REMOVE is told only when no other
 * entry about the certificate says anything else. */
CL_RD_MUST bool cl_crl_find(const struct cl_crl *crl, const struct cl_name *issuer,
                            struct cl_rd serial, uint32_t *reason, int64_t *when);

/* One entry of a list. */
struct cl_crl_entry {
    struct cl_rd serial; /* contents of the INTEGER */
    int64_t when;
    uint32_t reason; /* reasonCode; 0, unspecified, is not written: "SHOULD be absent" (5.3.1) */
    int64_t invalid_since; /* invalidityDate; INT64_MIN: none */
};

/* cl_crl_entry_next takes the next entry of a list, raw in *whole: false at the end. Lists that
 * were parsed hold no malformed ones. */
CL_RD_MUST bool cl_crl_entry_next(struct cl_rd *entries, struct cl_crl_entry *out,
                                  struct cl_rd *whole);

/* cl_crl_note_good remembers that the list's signature was made with the key of this certificate,
 * for a list of forty megabytes is not hashed at every verification; cl_crl_known_good asks. Any
 * thread. */
void cl_crl_note_good(const struct cl_crl *crl, const struct cleat_cert *signer);
CL_RD_MUST bool cl_crl_known_good(const struct cl_crl *crl, const struct cleat_cert *signer);

/* cl_crl_set_digest: SHA-256 over the signatures of all lists of the set, in their order. */
void cl_crl_set_digest(const struct cleat_crl_set *set, uint8_t out[32]);

/* cl_crl_number_compare compares two non-negative INTEGER contents: < 0, 0, > 0. */
int cl_crl_number_compare(struct cl_rd a, struct cl_rd b);

/* crl_index.c: cl_crl_index makes the index of a parsed list; NOMEM. cl_crl_index_find tells the
 * place in the index of the first entry with a serial number; others with the same follow it.
 * cl_crl_serial_at tells which one the entry has that begins at an offset into entries. */
CL_MUST cl_result cl_crl_index(struct cl_crl *crl);
CL_RD_MUST bool cl_crl_index_find(const struct cl_crl *crl, struct cl_rd serial, size_t *place);
CL_RD_MUST bool cl_crl_serial_at(const struct cl_crl *crl, uint32_t at, struct cl_rd *serial);

#endif
