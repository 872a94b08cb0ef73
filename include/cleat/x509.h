/* cleat/x509.h - certificates, chains, trust stores, and the verdict on a chain with its proof.
 *
 * Certificates are X.509 v3 as RFC 5280 profiles them, read strictly: DER only, every length
 * checked. Nothing here reads a file or a clock: callers pass bytes and times. Times are Unix
 * seconds.
 *
 * Objects are immutable once made, reference-counted (…_ref, …_free; free(NULL) is fine) and usable
 * from every thread, except builders and verdicts, which belong to one thread at a time.
 *
 * Functions that give a text take (out, cap): they write at most cap bytes including the final NUL
 * and return the length of the whole text without it, as snprintf does; 0 when there is none.
 */
#ifndef CLEAT_X509_H
#define CLEAT_X509_H

#include "cleat/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- certificates ---- */
struct cleat_cert;

/* cleat_cert_from_der parses one DER certificate of len bytes, which it copies. *out is the
 * caller's. CLEAT_OK, CLEAT_ERR_BAD_CERTIFICATE (malformed: err says where), CLEAT_ERR_NOMEM. err
 * may be NULL. */
int cleat_cert_from_der(const uint8_t *der, size_t len, struct cleat_cert **out,
                        struct cleat_error *err);
struct cleat_cert *cleat_cert_ref(const struct cleat_cert *cert);
void cleat_cert_free(struct cleat_cert *cert);

/* cleat_cert_der gives the certificate's bytes; a view that lives as long as the certificate. */
const uint8_t *cleat_cert_der(const struct cleat_cert *cert, size_t *len);

/* cleat_cert_spki likewise gives its SubjectPublicKeyInfo (DER, RFC 5280 4.1.2.7). */
const uint8_t *cleat_cert_spki(const struct cleat_cert *cert, size_t *len);

/* 1, 2 or 3. */
int cleat_cert_version(const struct cleat_cert *cert);

/* Subject and issuer as RFC 4514 text, "CN=example.com,O=Example"; the serial number as hexadecimal
 * digits in pairs; notBefore and notAfter in Unix seconds (both inclusive, RFC 5280 4.1.2.5). */
size_t cleat_cert_subject(const struct cleat_cert *cert, char *out, size_t cap);
size_t cleat_cert_issuer(const struct cleat_cert *cert, char *out, size_t cap);
size_t cleat_cert_common_name(const struct cleat_cert *cert, char *out, size_t cap);
size_t cleat_cert_serial(const struct cleat_cert *cert, char *out, size_t cap);
int64_t cleat_cert_not_before(const struct cleat_cert *cert);
int64_t cleat_cert_not_after(const struct cleat_cert *cert);

/* cleat_cert_is_self_issued: subject and issuer are the same name (RFC 5280 3.2). */
bool cleat_cert_is_self_issued(const struct cleat_cert *cert);

/* The key: "ECDSA P-256", "RSA" or its algorithm's OID when it is not known; its size in bits, 0
 * when not known. The algorithm the certificate is signed with: "ecdsa-with-SHA256" or the OID. */
size_t cleat_cert_key_kind(const struct cleat_cert *cert, char *out, size_t cap);
unsigned cleat_cert_key_bits(const struct cleat_cert *cert);
size_t cleat_cert_signature_kind(const struct cleat_cert *cert, char *out, size_t cap);

/* SHA-256 of the certificate, and the pin of its key: base64 of SHA-256 of the SubjectPublicKeyInfo
 * (RFC 7469 2.4). */
void cleat_cert_fingerprint(const struct cleat_cert *cert, uint8_t out[32]);
size_t cleat_cert_spki_pin(const struct cleat_cert *cert, char *out, size_t cap);

/* Basic Constraints (RFC 5280 4.2.1.9): path length -1 when there is no limit. */
bool cleat_cert_is_ca(const struct cleat_cert *cert);
int cleat_cert_path_len(const struct cleat_cert *cert);

/* Subject alternative names (RFC 5280 4.2.1.6), i from 0. cleat_cert_san returns false past the
 * end; text is "example.com", "192.0.2.1", "2001:db8::1", … */
enum cleat_san_kind {
    CLEAT_SAN_OTHER = 0,
    CLEAT_SAN_EMAIL = 1,
    CLEAT_SAN_DNS = 2,
    CLEAT_SAN_X400 = 3,
    CLEAT_SAN_DIRECTORY = 4,
    CLEAT_SAN_EDI = 5,
    CLEAT_SAN_URI = 6,
    CLEAT_SAN_IP = 7,
    CLEAT_SAN_RID = 8,
};
size_t cleat_cert_num_sans(const struct cleat_cert *cert);
bool cleat_cert_san(const struct cleat_cert *cert, size_t i, enum cleat_san_kind *kind, char *out,
                    size_t cap);
const char *cleat_san_kind_name(enum cleat_san_kind kind);

/* Key usage ("digitalSignature, keyCertSign") and extended key usage ("serverAuth, clientAuth"); 0
 * when the extension is absent. */
size_t cleat_cert_key_usage(const struct cleat_cert *cert, char *out, size_t cap);
size_t cleat_cert_ext_key_usage(const struct cleat_cert *cert, char *out, size_t cap);

/* Where the issuer's certificate, the OCSP responder and the CRLs are (RFC 5280 4.2.2.1, 4.2.1.13),
 * i from 0; 0 past the end. URLs are text from the certificate: not checked for safety. */
size_t cleat_cert_ca_issuers_url(const struct cleat_cert *cert, size_t i, char *out, size_t cap);
size_t cleat_cert_ocsp_url(const struct cleat_cert *cert, size_t i, char *out, size_t cap);
size_t cleat_cert_crl_url(const struct cleat_cert *cert, size_t i, char *out, size_t cap);

/* Extensions in the order of the certificate. name is "subjectKeyIdentifier" or the OID when it is
 * not known; text is one short line for people. cleat_cert_ext returns false past the end. */
struct cleat_ext_info {
    char oid[96];
    char name[64];
    bool critical;
    bool known;
    char text[512];
};
size_t cleat_cert_num_exts(const struct cleat_cert *cert);
bool cleat_cert_ext(const struct cleat_cert *cert, size_t i, struct cleat_ext_info *out);

/* cleat_cert_matches_host says whether the certificate is for a DNS name or an IP address (v4 or
 * v6, with or without brackets) by RFC 9525: SANs only, never the common name; a wildcard stands
 * for one whole left-most label; case and one trailing dot of host are ignored; IDNs are given as
 * A-labels. */
bool cleat_cert_matches_host(const struct cleat_cert *cert, const char *host);

enum cleat_purpose {
    CLEAT_PURPOSE_ANY = 0,
    CLEAT_PURPOSE_SERVER, /* id-kp-serverAuth */
    CLEAT_PURPOSE_CLIENT, /* id-kp-clientAuth */
};

/* ---- chains: certificates in the order of a PEM file, leaf first ---- */
struct cleat_chain;

/* cleat_chain_from_pem reads every CERTIFICATE block of a PEM text; other blocks are skipped.
 * CLEAT_OK, CLEAT_ERR_BAD_PEM, CLEAT_ERR_NO_CERTIFICATE (no such block), CLEAT_ERR_BAD_CERTIFICATE,
 * CLEAT_ERR_LIMIT, CLEAT_ERR_NOMEM; err (may be NULL) names the block. */
int cleat_chain_from_pem(const char *pem, size_t len, struct cleat_chain **out,
                         struct cleat_error *err);
struct cleat_chain *cleat_chain_ref(const struct cleat_chain *chain);
void cleat_chain_free(struct cleat_chain *chain);
size_t cleat_chain_num(const struct cleat_chain *chain);
/* A view; NULL past the end. */
const struct cleat_cert *cleat_chain_at(const struct cleat_chain *chain, size_t i);

/* ---- trust stores ---- */
struct cleat_trust_store;
struct cleat_trust_builder;

/* A builder collects anchors; cleat_trust_builder_finish makes the store and empties the builder,
 * which is still to be freed. _add_pem takes every CERTIFICATE block and counts in *num_skipped
 * (may be NULL) those that cannot be parsed; _add_cert takes one. CLEAT_OK, CLEAT_ERR_BAD_PEM,
 * CLEAT_ERR_LIMIT, CLEAT_ERR_NOMEM; finish: CLEAT_ERR_NO_CERTIFICATE when there is no anchor. */
int cleat_trust_builder_new(struct cleat_trust_builder **out);
int cleat_trust_builder_add_pem(struct cleat_trust_builder *builder, const char *pem, size_t len,
                                size_t *num_skipped, struct cleat_error *err);
int cleat_trust_builder_add_cert(struct cleat_trust_builder *builder,
                                 const struct cleat_cert *cert);
int cleat_trust_builder_finish(struct cleat_trust_builder *builder, struct cleat_trust_store **out,
                               struct cleat_error *err);
void cleat_trust_builder_free(struct cleat_trust_builder *builder);

/* cleat_trust_store_from_pem makes a store of one bundle. Certificates that cannot be parsed are
 * skipped and counted (cleat_trust_store_num_skipped). Failures as for the builder. */
int cleat_trust_store_from_pem(const char *pem, size_t len, struct cleat_trust_store **out,
                               struct cleat_error *err);
struct cleat_trust_store *cleat_trust_store_ref(const struct cleat_trust_store *store);
void cleat_trust_store_free(struct cleat_trust_store *store);
size_t cleat_trust_store_num(const struct cleat_trust_store *store);
size_t cleat_trust_store_num_skipped(const struct cleat_trust_store *store);
const struct cleat_cert *cleat_trust_store_at(const struct cleat_trust_store *store, size_t i);

/* cleat_chain_lint looks over a chain as it stands in a server's (or client's) configuration:
 * expired, in the wrong order, incomplete, weak, without names, for another use, with its root. It
 * is no verification: a chain without a note may still be untrusted. trust (or NULL) are the roots
 * that clients are likely to have, to tell whether an intermediate is missing. Writes at most cap
 * notes and returns their number; 0: nothing to say. Checks the signatures within the chain here
 * and now. */
struct cleat_chain_note {
    size_t position;         /* of the certificate, from 0 */
    bool serious;            /* clients will refuse the chain */
    struct cleat_error what; /* code, section, text with the certificate and its values, hint */
    const char *rule;        /* "in_order": a name that stays */
};
#define CLEAT_CHAIN_MAX_NOTES 32
size_t cleat_chain_lint(const struct cleat_chain *chain, const struct cleat_trust_store *trust,
                        int64_t now, enum cleat_purpose purpose, struct cleat_chain_note *out,
                        size_t cap);

/* ---- public suffixes ---- */
struct cleat_suffix_list;

/* cleat_suffix_list_from_text reads the Public Suffix List in its published form (UTF-8, one rule a
 * line). The policy WEBPKI refuses wildcards directly below a public suffix; without a list it
 * knows top-level domains only. CLEAT_OK, CLEAT_ERR_USAGE (no rule in the text), CLEAT_ERR_LIMIT,
 * CLEAT_ERR_NOMEM. */
int cleat_suffix_list_from_text(const char *text, size_t len, struct cleat_suffix_list **out);
struct cleat_suffix_list *cleat_suffix_list_ref(const struct cleat_suffix_list *list);
void cleat_suffix_list_free(struct cleat_suffix_list *list);

/* cleat_suffix_list_has says whether name (A-labels) is a public suffix: "com", "co.uk". */
bool cleat_suffix_list_has(const struct cleat_suffix_list *list, const char *name, size_t len);

/* ---- verification ---- */
enum cleat_policy {
    CLEAT_POLICY_DEFAULT = 0, /* what RFC 5280 6 demands of who validates: for every deployed PKI */
    CLEAT_POLICY_RFC5280,     /* and what RFC 5280 4 demands of the certificates themselves */
    CLEAT_POLICY_WEBPKI,      /* and the CA/Browser Forum's rules for server certificates */
    CLEAT_POLICY_WEBPKI_STRICT, /* and those of them that deployed certificates neglect: EKU, CN */
};

/* Of every certificate below the anchor, from whichever source (cleat/revocation.h): soft-fail and
 * hard-fail. "revoked" by any source is final. */
enum cleat_revocation {
    CLEAT_REVOCATION_OFF = 0,
    CLEAT_REVOCATION_IF_KNOWN, /* what is known to be revoked is refused; not known: accepted */
    CLEAT_REVOCATION_REQUIRED, /* one source must say that it is not revoked */
};

/* And of each source. */
enum cleat_source {
    CLEAT_SOURCE_USED = 0, /* one of those that count for the above */
    CLEAT_SOURCE_OFF,
    CLEAT_SOURCE_REQUIRED, /* it must say so itself, of every certificate below the anchor */
};
struct cleat_crl_set;
struct cleat_ocsp_set;

/* Certificate Transparency (cleat/ct.h) of the leaf. */
enum cleat_ct {
    CLEAT_CT_OFF = 0,
    CLEAT_CT_TOLD,     /* timestamps are checked and told; none is needed */
    CLEAT_CT_REQUIRED, /* as browsers demand: two (three above 180 days), from two operators */
};
struct cleat_ct_logs;
struct cleat_dane;

/* What to verify against. Everything is borrowed for the call only, except trust, dane, crls, ocsp,
 * suffixes and cache, of which references are kept. {0} with trust and now is a good start. */
struct cleat_verify_options {
    const struct cleat_trust_store *trust; /* NULL only where a record of dane does without */
    const struct cleat_dane *dane;         /* TLSA records of the host (cleat/dane.h); NULL: none */
    const char *host; /* DNS name or IP address the leaf must be for; NULL: not checked */
    int64_t now;      /* Unix seconds */
    enum cleat_purpose purpose;
    enum cleat_policy policy;
    enum cleat_revocation revocation;
    enum cleat_source from_crls;
    enum cleat_source from_ocsp;
    int64_t max_revocation_age;        /* seconds since thisUpdate; 0: until nextUpdate */
    const struct cleat_crl_set *crls;  /* or NULL */
    const struct cleat_ocsp_set *ocsp; /* or NULL */
    const uint8_t *staple; /* OCSPResponse that the peer stapled to its leaf; NULL: none */
    size_t staple_len;
    enum cleat_ct ct;
    const struct cleat_ct_logs *ct_logs; /* or NULL; a reference is kept */
    const uint8_t *scts; /* SignedCertificateTimestampList of the TLS extension; NULL: none */
    size_t scts_len;
    bool staple_asked;    /* the peer was asked for one: then RFC 7633 counts (must-staple) */
    bool staple_required; /* as if every leaf demanded one (not with from_ocsp off) */
    const struct cleat_suffix_list *suffixes; /* or NULL */
    const char *email;                        /* mailbox the leaf must be for; NULL: not checked */
    int max_intermediates; /* not counting self-issued ones; 0: the default, -1: none */
    const char *const *initial_policies; /* RFC 5280 6.1.1 (c), dotted; none: anyPolicy */
    size_t num_initial_policies;
    bool require_explicit_policy; /* RFC 5280 6.1.1 (f) */
    bool inhibit_policy_mapping;  /* RFC 5280 6.1.1 (e) */
    bool inhibit_any_policy;      /* RFC 5280 6.1.1 (g) */
    uint64_t (*clock)(void *ctx); /* nanoseconds since whenever, for the proof's timings; or NULL */
    void *clock_ctx;
    struct cleat_verify_cache *cache; /* of chains verified before; NULL: every chain is verified */
};

struct cleat_verdict;

/* cleat_verify finds and checks a path from the first certificate of chain to an anchor; the others
 * are candidates in any order. It computes signatures itself, on the calling thread. Returns
 * CLEAT_OK whenever there is a verdict - also one that refuses -, CLEAT_ERR_NOMEM, CLEAT_ERR_USAGE,
 * CLEAT_ERR_NO_CERTIFICATE. *out is the caller's. */
int cleat_verify(const struct cleat_verify_options *options, const struct cleat_chain *chain,
                 struct cleat_verdict **out);
void cleat_verdict_free(struct cleat_verdict *verdict);

/* cleat_verdict_code returns CLEAT_OK when a path was accepted, else why none was: the most
 * specific reason found. cleat_verdict_error has its detail (code 0 when accepted). */
int cleat_verdict_code(const struct cleat_verdict *verdict);
const struct cleat_error *cleat_verdict_error(const struct cleat_verdict *verdict);

/* The name that OpenSSL gives to that failure, "CERT_HAS_EXPIRED", "OK". Static storage. */
const char *cleat_verdict_openssl_name(const struct cleat_verdict *verdict);

/* The accepted path, leaf first, anchor last; empty when refused. Views into the verdict. */
size_t cleat_verdict_path_num(const struct cleat_verdict *verdict);
const struct cleat_cert *cleat_verdict_path_at(const struct cleat_verdict *verdict, size_t i);

/* The leaf as presented; NULL when it could not be parsed. */
const struct cleat_cert *cleat_verdict_leaf(const struct cleat_verdict *verdict);

/* The proof: every path tried, in order, with every check made on it. A path that was given up
 * early ends where it was given up. At most CLEAT_VERDICT_MAX_TRIES are kept; num_tried counts all.
 */
#define CLEAT_VERDICT_MAX_TRIES 32
struct cleat_try {
    bool accepted;
    bool complete;                   /* reaches an anchor */
    const struct cleat_error *error; /* why it was refused; code 0 when accepted */
    size_t num_certs;
    size_t num_checks;
    uint64_t ns; /* spent on it since the try before; 0 without a clock */
};
size_t cleat_verdict_num_tries(const struct cleat_verdict *verdict);
bool cleat_verdict_try(const struct cleat_verdict *verdict, size_t i, struct cleat_try *out);
const struct cleat_cert *cleat_verdict_try_cert(const struct cleat_verdict *verdict, size_t i,
                                                size_t depth);

enum cleat_check_result {
    CLEAT_CHECK_PASSED = 0,
    CLEAT_CHECK_FAILED,
    CLEAT_CHECK_SKIPPED, /* not applicable or switched off; text says why */
};
struct cleat_check {
    enum cleat_check_result result;
    size_t depth;        /* which certificate of the path, 0 = leaf */
    const char *name;    /* "validity", "basic constraints", … Static storage. */
    const char *section; /* "RFC 5280 4.1.2.5". Static storage. */
    char text[256];      /* the values that decided */
    uint64_t ns;         /* of a signature check; 0: not measured */
};
bool cleat_verdict_check(const struct cleat_verdict *verdict, size_t try_index, size_t i,
                         struct cleat_check *out);

/* How much work it was. */
struct cleat_verify_work {
    uint32_t num_tried;            /* paths */
    uint32_t num_steps;            /* candidate issuers looked at */
    uint32_t num_signatures;       /* signature checks made */
    uint32_t num_name_comparisons; /* names against name constraints */
    uint64_t total_ns;             /* from start to verdict; 0 without a clock */
    uint64_t signatures_ns;        /* of that, what the signature checks took */
};
void cleat_verdict_work(const struct cleat_verdict *verdict, struct cleat_verify_work *out);

/* ---- chains verified before ---- */
struct cleat_verify_cache;

/* cleat_verify_cache_new makes a memory of chains that were verified and accepted, so that a peer
 * that comes again costs a hash. max_chains: at most so many, 16 to 4,096 (0: 512; a multiple of
 * 16, or rounded down to one), some 8 KB each, 24 KB at most; the one not met for longest makes
 * room. lifetime: seconds after which a chain is verified again, at most 86,400 (0: 600). For any
 * number of threads and configurations at once. CLEAT_ERR_BAD_CONFIG, CLEAT_ERR_NOMEM.
 *
 * A verdict is found again for the same certificates in the same order, host, mailbox, purpose,
 * policy, further options and anchors, and for the same CRL set and suffix list (the objects: a
 * new set, be it of the same lists, finds nothing). It holds from the moment at which it was made
 * until its lifetime is over, or any certificate of the chain or list of the set begins or ceases
 * to be valid, if that is sooner. Refusals are not remembered. */
int cleat_verify_cache_new(size_t max_chains, uint32_t lifetime, struct cleat_verify_cache **out);
struct cleat_verify_cache *cleat_verify_cache_ref(struct cleat_verify_cache *cache);
void cleat_verify_cache_free(struct cleat_verify_cache *cache);

/* cleat_verify_cache_clear forgets every chain. */
void cleat_verify_cache_clear(struct cleat_verify_cache *cache);

struct cleat_verify_cache_numbers {
    size_t max_chains;
    size_t num_chains;
    uint64_t hits;
    uint64_t misses;
    uint64_t evictions;
};
void cleat_verify_cache_read(struct cleat_verify_cache *cache,
                             struct cleat_verify_cache_numbers *out);

/* cleat_verdict_remembered says whether the verdict was remembered, and since when: its proof is
 * what was found then, without timings, and its work is none. since (or NULL): Unix seconds. */
bool cleat_verdict_remembered(const struct cleat_verdict *verdict, int64_t *since);

#ifdef __cplusplus
}
#endif
#endif
