/* watch/findings.h - what is wrong with a target: from facts and time alone.
 *
 * How soon is too soon is a share of the certificate's lifetime unless a duration is given: a third
 * warns and a sixth acts, which is right for 398 days, for 47 and for 6.
 */
#ifndef CL_WATCH_FINDINGS_H
#define CL_WATCH_FINDINGS_H

#include "watch/facts.h"

enum cl_watch_severity {
    CL_WATCH_NOTE = 0, /* told; changes nothing */
    CL_WATCH_UNCHECKED,
    CL_WATCH_WARNING,
    CL_WATCH_CRITICAL,
};

/* What can be found: id, as scripts see it. X(name, id, severity, what it means in a few words). */
/* clang-format off */
#define CL_WATCH_KINDS(X)                                                                         \
    X(EXPIRES_SOON, "expires-soon", WARNING, "renewal is due")                                     \
    X(EXPIRES_NOW, "expires-now", CRITICAL, "renewal is overdue")                                  \
    X(EXPIRED, "expired", CRITICAL, "a certificate of the chain has expired")                      \
    X(NOT_YET_VALID, "not-yet-valid", CRITICAL, "a certificate is not valid yet")                  \
    X(ISSUER_ENDS, "issuer-ends-first", WARNING, "an issuer's certificate ends before the leaf's") \
    X(UNTRUSTED, "untrusted", CRITICAL, "no path to a trusted root")                               \
    X(INCOMPLETE, "incomplete-chain", CRITICAL, "an intermediate certificate is missing")          \
    X(NAME, "name-mismatch", CRITICAL, "the certificate is for other names")                       \
    X(REVOKED, "revoked", CRITICAL, "it was revoked")                                              \
    X(UNSTAPLED, "unstapled", CRITICAL, "a staple is demanded or expected, and there is none")     \
    X(STAPLE, "bad-staple", CRITICAL, "a staple is there, and of no use")                          \
    X(STATUS, "status-unknown", WARNING, "no source says whether it was revoked")                  \
    X(NEWER_ON_DISK, "reload-needed", WARNING, "the file has a newer certificate than is served")  \
    X(DISK, "disk-mismatch", WARNING, "the file has another certificate than is served")           \
    X(CHAIN, "chain-differs", WARNING, "the same leaf with other certificates behind it")          \
    X(ADDRESSES, "addresses-differ", WARNING, "addresses of one host serve different leaves")      \
    X(KEY, "key-mismatch", CRITICAL, "the private key belongs to another certificate")             \
    X(WEAK, "weak", WARNING, "a weak key or signature")                                            \
    X(HANDSHAKE_NOTE, "handshake-incomplete", NOTE, "the handshake failed behind the chain")       \
    X(CHAIN_NOTE, "chain-note", NOTE, "what could be better about the chain")                      \
    X(FETCH_NOTE, "not-fetched", NOTE, "what a certificate points at did not come")                \
    X(NO_ADDRESS, "no-address", UNCHECKED, "the host has no address")                              \
    X(NO_CONNECTION, "no-connection", UNCHECKED, "nobody answers")                                 \
    X(NO_HANDSHAKE, "no-handshake", UNCHECKED, "TLS failed before there was a certificate")        \
    X(UNREADABLE, "unreadable", UNCHECKED, "the file, or the key, cannot be used")
/* clang-format on */

enum cl_watch_kind_id {
#define CL_WATCH_X(name, id, severity, text) CL_WATCH_##name##_FOUND,
    CL_WATCH_KINDS(CL_WATCH_X)
#undef CL_WATCH_X
        CL_WATCH_NUM_KINDS
};

struct cl_watch_kind {
    const char *id;
    enum cl_watch_severity severity;
    const char *meaning;
};

/* cl_watch_kind: static storage. cl_watch_kind_named finds the number of an id; -1: none has it. */
const struct cl_watch_kind *cl_watch_kind(enum cl_watch_kind_id id);
int cl_watch_kind_named(const char *id, size_t len);

struct cl_watch_finding {
    enum cl_watch_kind_id kind;
    const struct cl_watch_side *side; /* where; NULL: about the target as a whole */
    char text[420];
    char hint[280];
};

/* 64 for each target: a chain with everything wrong has ten, sixteen addresses have two each */
#define CL_WATCH_MAX_FINDINGS 64
/* {0} is safe to deinit. */
struct cl_watch_findings {
    struct cl_watch_finding *items;
    size_t num;
    bool lost; /* there were more than could be kept */
};
void cl_watch_findings_deinit(struct cl_watch_findings *findings);

/* When little is left: num/den of the lifetime, or, with den 0, num seconds. */
struct cl_watch_share {
    int64_t num;
    int64_t den;
};
struct cl_watch_limits {
    struct cl_watch_share warn; /* {1, 3} */
    struct cl_watch_share act;  /* {1, 6} */
};

/* cl_watch_judge finds what is wrong at f->at; what out had before goes; it points into f. */
void cl_watch_judge(const struct cl_watch_facts *f, const struct cl_watch_limits *limits,
                    struct cl_watch_findings *out);

/* cl_watch_worst: of all findings; NOTE also when there is none; what was lost is as not checked.
 */
enum cl_watch_severity cl_watch_worst(const struct cl_watch_findings *findings);

/* cl_watch_is_short: so much of the lifetime, or less, is left at `now`. */
bool cl_watch_is_short(const struct cleat_cert *cert, const struct cl_watch_share *share,
                       int64_t now);

/* cl_watch_share_parse reads "1/3", "20%", or a duration, "30d". */
CL_RD_MUST bool cl_watch_share_parse(const char *text, struct cl_watch_share *out);

/* cl_watch_duration_parse reads "90", "90s", "15m", "12h", "30d": seconds, at most ten years. */
CL_RD_MUST bool cl_watch_duration_parse(const char *text, int64_t *out);

/* cl_watch_span_text writes a duration for people: "71 days", "47 hours", "12 minutes". */
#define CL_WATCH_SPAN_SIZE 40
void cl_watch_span_text(int64_t seconds, char out[CL_WATCH_SPAN_SIZE]);

/* cl_watch_left_text writes "25 of 90 days left", "47 hours of 6 days left". */
#define CL_WATCH_LEFT_SIZE (2 * CL_WATCH_SPAN_SIZE + 16)
void cl_watch_left_text(int64_t left, int64_t lifetime, char out[CL_WATCH_LEFT_SIZE]);

/* cl_watch_time_text writes "2026-12-10 08:00 UTC"; iso: "2026-12-10T08:00:00Z". */
#define CL_WATCH_TIME_SIZE 40
void cl_watch_time_text(int64_t t, bool iso, char out[CL_WATCH_TIME_SIZE]);

#endif
