/* explain/lists.h - what a client offers and what a configuration allows, in names. */
#ifndef CL_EXPLAIN_LISTS_H
#define CL_EXPLAIN_LISTS_H

#include "explain/rehearsal.h"

/* 192: the longest lists of cipher suites that clients send have some 150 */
#define CL_NAMES_MAX 192

struct cl_names {
    char items[CL_NAMES_MAX][56];
    size_t num;
    size_t left_out; /* beyond the room */
};

enum cl_list {
    CL_LIST_VERSIONS,
    CL_LIST_SUITES,
    CL_LIST_GROUPS,
    CL_LIST_SHARES, /* groups that the client sent a key share for */
    CL_LIST_SCHEMES,
    CL_LIST_ALPN,
    CL_LIST_CERT_TYPES,
    CL_LIST_NUM,
};

/* cl_list_name: "cipher suites"; its JSON member is cl_list_key: "cipher_suites". */
const char *cl_list_name(enum cl_list list);
const char *cl_list_key(enum cl_list list);

/* cl_names_offered fills in what the client offers: names where they are known here, else hex
 * numbers; values that mean nothing (RFC 8701) are left out. Text is printable ASCII. */
void cl_names_offered(const struct cl_rehearsal *r, enum cl_list list, struct cl_names *out);

/* cl_names_allowed: what the configuration takes, in its order; for suites, of the version that was
 * agreed on, if one was. SHARES are none of its affair. */
void cl_names_allowed(const struct cl_rehearsal *r, enum cl_list list, struct cl_names *out);

/* cl_names_join writes them with a separator, "…" and a count where they do not fit. */
void cl_names_join(const struct cl_names *names, const char *separator, char *out, size_t cap);

/* cl_list_of_code says which list a failure is about; CL_LIST_NUM: none. */
enum cl_list cl_list_of_code(int code);

/* cl_names_common counts what is in both. */
size_t cl_names_common(const struct cl_names *a, const struct cl_names *b);

/* cl_offers_version: RFC 9846 4.3.1, or legacy_version without the extension. */
bool cl_offers_version(const struct cl_rehearsal *r, uint16_t version);

#endif
