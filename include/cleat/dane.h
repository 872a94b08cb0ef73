/* cleat/dane.h - DANE (RFC 6698, RFC 7671): TLSA records of DNS say which certificate or key a
 * server has.
 *
 * Nothing here asks DNS. The application hands over the records of one name and port, and thereby
 * says that DNSSEC has validated them: a record that anybody on the way could have written is worth
 * nothing. A set belongs to one thread while it is filled; from its first use in a verification on
 * it is immutable and may be used from every thread. Sets are reference-counted; free(NULL) is
 * fine.
 *
 * What a set means for a chain (cleat/x509.h: dane; in handshakes: cleat_tls_builder_dane):
 * - Without a usable record it means nothing: the chain is verified as without it (RFC 6698 4.1).
 * - Otherwise one usable record must be kept. DANE-EE(3): the leaf, or a raw public key, is what
 *   the record names; its names, its dates and who issued it do not matter (RFC 7671 5.1).
 *   DANE-TA(2): a path leads to the authority that the record names, which need not be in the trust
 *   store; names and dates count. PKIX-TA(0), PKIX-EE(1): the path that leads to the trust store
 *   has the authority, or the leaf, that the record names.
 * - Of records that differ in the digest alone, the strongest digest counts (RFC 7671 9).
 * - Certificate timestamps are not asked of what DANE-TA or DANE-EE vouches for; revocation is not
 *   looked up for DANE-EE: a key is revoked by taking its record out of DNS.
 */
#ifndef CLEAT_DANE_H
#define CLEAT_DANE_H

#include "cleat/x509.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 64: servers have one to four; a change of keys doubles them */
#define CLEAT_DANE_MAX_RECORDS 64
/* 65,532: what an RDATA holds behind the three bytes in front */
#define CLEAT_TLSA_MAX_DATA    65532

/* RFC 6698 2.1, RFC 7218. */
enum cleat_tlsa_usage {
    CLEAT_TLSA_PKIX_TA = 0,
    CLEAT_TLSA_PKIX_EE = 1,
    CLEAT_TLSA_DANE_TA = 2,
    CLEAT_TLSA_DANE_EE = 3,
};
enum cleat_tlsa_selector {
    CLEAT_TLSA_CERT = 0, /* the whole certificate */
    CLEAT_TLSA_SPKI = 1, /* its SubjectPublicKeyInfo */
};
enum cleat_tlsa_matching {
    CLEAT_TLSA_FULL = 0,
    CLEAT_TLSA_SHA2_256 = 1,
    CLEAT_TLSA_SHA2_512 = 2,
};

/* A record; data is a view into the set. Not usable: one of the three numbers, or the key's
 * algorithm, is not known here. */
struct cleat_tlsa {
    uint8_t usage;
    uint8_t selector;
    uint8_t matching;
    bool usable;
    const uint8_t *data;
    size_t len;
};

/* ---- sets ---- */
struct cleat_dane;

/* cleat_dane_new makes an empty set. CLEAT_OK, CLEAT_ERR_NOMEM. */
int cleat_dane_new(struct cleat_dane **out);

/* cleat_dane_add adds a record, whose data it copies; one that is there already is not added again.
 * Numbers that are not known make it unusable, no failure. CLEAT_OK, CLEAT_ERR_BAD_TLSA (no data, a
 * digest of the wrong length, not a certificate or key: err, which may be NULL, says it),
 * CLEAT_ERR_LIMIT, CLEAT_ERR_NOMEM. Whoever has the records from DNS skips one that fails: it
 * counts as if it were not there. cleat_dane_add_wire: the same of RDATA (RFC 6698 2.1). */
int cleat_dane_add(struct cleat_dane *set, uint8_t usage, uint8_t selector, uint8_t matching,
                   const uint8_t *data, size_t len, struct cleat_error *err);
int cleat_dane_add_wire(struct cleat_dane *set, const uint8_t *rdata, size_t len,
                        struct cleat_error *err);

/* cleat_dane_add_text adds every record of a text, a line each, as zone files and dig have them:
 * "3 1 1 8cb0fc…", "DANE-EE SPKI SHA2-256 8cb0fc…" (RFC 7218), "_443._tcp.example.com. 3600 IN TLSA
 * 3 1 1 ( 8cb0… fc6c… ) ; a comment", "… TYPE52 \# 35 030101…" (RFC 3597). White space in the
 * digits, and lines of other types, are skipped. owner: as cleat_tlsa_owner makes it; records of
 * other names are not added but counted in *num_others (may be NULL); those without a name are
 * added. owner NULL: all are. Names are absolute, with or without the dot at the end. CLEAT_OK,
 * CLEAT_ERR_BAD_TLSA (err, which may be NULL, says in which line), CLEAT_ERR_LIMIT,
 * CLEAT_ERR_NOMEM; records before the failure stay. */
int cleat_dane_add_text(struct cleat_dane *set, const char *owner, const char *text, size_t len,
                        size_t *num_others, struct cleat_error *err);

/* cleat_tlsa_owner writes where the TLSA records of a server are: "_443._tcp.example.com". As
 * snprintf. */
size_t cleat_tlsa_owner(const char *host, uint16_t port, char *out, size_t cap);

/* cleat_dane_check_names: also a leaf that a DANE-EE(3) record names must be for the host. RFC 7671
 * 5.1 asks for no such check, and without it a server may publish another's key as its own, and
 * pass connections on to it: harmless to most, not to a browser that tells origins apart by name.
 * Default: no. It does not apply to raw public keys, which have no names. */
void cleat_dane_check_names(struct cleat_dane *set, bool on);

struct cleat_dane *cleat_dane_ref(const struct cleat_dane *set);
void cleat_dane_free(struct cleat_dane *set);

/* How many records, and how many of them are usable. cleat_dane_at gives the i-th in the order of
 * RFC 4034 6.3; false past the end. */
size_t cleat_dane_num(const struct cleat_dane *set);
size_t cleat_dane_num_usable(const struct cleat_dane *set);
bool cleat_dane_at(const struct cleat_dane *set, size_t i, struct cleat_tlsa *out);

/* ---- making records ---- */

/* cleat_tlsa_data writes what a record about cert has as its data: *out_len bytes of at most cap
 * (CLEAT_TLSA_MAX_DATA is always enough). CLEAT_OK, CLEAT_ERR_USAGE (selector or matching not
 * known), CLEAT_ERR_LIMIT. */
int cleat_tlsa_data(const struct cleat_cert *cert, uint8_t selector, uint8_t matching, uint8_t *out,
                    size_t cap, size_t *out_len);

/* cleat_tlsa_text writes a record as zone files have it, "3 1 1 8cb0fc…". As snprintf. */
size_t cleat_tlsa_text(const struct cleat_tlsa *record, char *out, size_t cap);

/* ---- what became of each record in a verification ---- */
enum cleat_tlsa_result {
    CLEAT_TLSA_COUNTED = 0, /* the chain was accepted by it */
    CLEAT_TLSA_MATCHED,     /* it matches, but was not needed, or was not enough */
    CLEAT_TLSA_NO_MATCH,
    CLEAT_TLSA_WEAKER,   /* another record has a stronger digest of the same */
    CLEAT_TLSA_UNUSABLE, /* its usage, selector, matching type or key is not known */
};
struct cleat_tlsa_told {
    struct cleat_tlsa record; /* its data lives as long as the verdict */
    enum cleat_tlsa_result result;
    int certificate; /* of the chain as presented, from 1; 0: none of them, or none at all */
};

/* cleat_verdict_tlsa gives the i-th record of the set and what became of it; false past the end.
 * cleat_verdict_num_tlsa: how many there are. cleat_tlsa_result_name: "counted", "no match". */
size_t cleat_verdict_num_tlsa(const struct cleat_verdict *verdict);
bool cleat_verdict_tlsa(const struct cleat_verdict *verdict, size_t i, struct cleat_tlsa_told *out);
const char *cleat_tlsa_result_name(enum cleat_tlsa_result result);

/* ---- in handshakes ---- */

/* cleat_tls_builder_dane: a client verifies its server by these records; a reference is taken. They
 * are those of one name and port: another server needs another configuration. With a usable record
 * of usage 2 or 3 no trust store is needed; a record 3 1 x also vouches for a raw public key
 * (cleat/tls_rawkey.h), beside pins. When the server rejects ECH, its outer name is verified
 * without them. Sessions made under other records, or none, are not resumed under these. Default:
 * none (NULL). CLEAT_OK, CLEAT_ERR_BAD_CONFIG (a server's builder). */
struct cleat_tls_builder;
int cleat_tls_builder_dane(struct cleat_tls_builder *b, const struct cleat_dane *set);

#ifdef __cplusplus
}
#endif
#endif
