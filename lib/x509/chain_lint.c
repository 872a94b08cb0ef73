/* x509/chain_lint.c - what is odd about a chain as it stands in a server's file: a function per
 * rule. The verifier minds little of it, other clients do; whoever starts a server should hear it.
 * Signatures inside the chain are checked here and now. */
#include <stdarg.h>
#include <stdio.h>

#include "crypto/job.h"
#include "x509/chain.h"
#include "x509/dn.h"
#include "x509/fields.h"
#include "x509/path.h"
#include "x509/trust.h"

/* 2,048: CABF BR 6.1.5; clients refuse less */
#define MIN_RSA_BITS 2048

struct lint {
    const struct cleat_chain *chain;
    const struct cleat_trust_store *trust; /* or NULL */
    int64_t now;
    enum cleat_purpose purpose;
    struct cleat_chain_note *out;
    size_t cap;
    size_t num;
    const char *rule; /* that is looked at */
};

/* What a note says besides its text. */
struct say {
    cl_result code;
    size_t position;
    bool serious;
    const char *section;
    const char *hint;
};

static void note(struct lint *l, struct say s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void note(struct lint *l, struct say s, const char *fmt, ...)
{
    char label[CL_LABEL_MAX];
    char text[240];
    va_list ap;
    if (l->num == l->cap) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    cl_cert_label(cl_chain_at(l->chain, s.position), label);
    struct cleat_chain_note *n = &l->out[l->num++];
    *n = (struct cleat_chain_note){.position = s.position, .serious = s.serious, .rule = l->rule};
    (void)cl_error_set(
        &n->what, (struct cl_why){.code = s.code, .section = s.section, .hint = s.hint},
        "certificate %zu of %zu, %s, %s", s.position + 1, cl_chain_num(l->chain), label, text);
}

/* By names and key identifiers alone. */
static bool could_issue(const struct cleat_cert *issuer, const struct cleat_cert *cert)
{
    return cl_name_equal(&cert->issuer, &issuer->subject) &&
           (!cert->has_aki_key_id || issuer->ski.len == 0 ||
            cl_rd_equal(cert->aki_key_id, issuer->ski));
}

static bool same(const struct cleat_cert *a, const struct cleat_cert *b)
{
    return cl_rd_equal(a->der, b->der);
}

/* The server's own certificate is the one that no other was issued by. */
static bool leaf_first(struct lint *l)
{
    const struct cleat_cert *first = cl_chain_at(l->chain, 0);
    char label[CL_LABEL_MAX];
    char hint[200];
    for (size_t i = 1; i < cl_chain_num(l->chain) && first->is_ca; i++) {
        const struct cleat_cert *other = cl_chain_at(l->chain, i);
        if (other->is_ca || same(first, other)) {
            continue;
        }
        cl_cert_label(other, label);
        (void)snprintf(hint, sizeof(hint), "certificate %zu, %s, must come first: reorder the file",
                       i + 1, label);
        note(l, (struct say){CLEAT_ERR_BAD_CONFIG, 0, true, "RFC 9846 4.5.1", hint},
             "is a CA's: the chain is in the wrong order");
        return false;
    }
    return true;
}

static bool issues_another(const struct lint *l, size_t at)
{
    const struct cleat_cert *cert = cl_chain_at(l->chain, at);
    for (size_t i = 0; i < cl_chain_num(l->chain); i++) {
        if (i != at && could_issue(cert, cl_chain_at(l->chain, i))) {
            return true;
        }
    }
    return false;
}

static bool is_repeated(const struct lint *l, size_t at)
{
    size_t i = 0;
    while (i < at && !same(cl_chain_at(l->chain, i), cl_chain_at(l->chain, at))) {
        i++;
    }
    return i < at;
}

/* RFC 9846 4.5.1: "Each following certificate SHOULD directly certify the one immediately preceding
 * it." */
static void in_order(struct lint *l)
{
    for (size_t i = 1; i < cl_chain_num(l->chain); i++) {
        const struct cleat_cert *cert = cl_chain_at(l->chain, i);
        if (is_repeated(l, i)) {
            note(l,
                 (struct say){CLEAT_ERR_BAD_CONFIG, i, false, "RFC 9846 4.5.1",
                              "remove it from the file"},
                 "is there twice");
        } else if (!could_issue(cert, cl_chain_at(l->chain, i - 1))) {
            bool belongs = issues_another(l, i);
            note(l,
                 (struct say){CLEAT_ERR_BAD_CONFIG, i, false, "RFC 9846 4.5.1",
                              belongs ? "each certificate is followed by its issuer's: reorder the "
                                        "file; some clients fail otherwise"
                                      : "remove it from the file"},
                 belongs ? "did not issue the one before it: the chain is in the wrong order"
                         : "did not issue any of the others");
            return;
        }
    }
}

/* A key or an algorithm that is not known is told by another rule. */
static bool signature_good(const struct cleat_cert *cert, const struct cleat_cert *issuer)
{
    return cl_signed_by(issuer, cert->sig_alg, cert->tbs, cert->signature) !=
           CLEAT_ERR_BAD_SIGNATURE;
}

static void signatures(struct lint *l)
{
    for (size_t i = 0; i + 1 < cl_chain_num(l->chain); i++) {
        const struct cleat_cert *cert = cl_chain_at(l->chain, i);
        const struct cleat_cert *next = cl_chain_at(l->chain, i + 1);
        if (could_issue(next, cert) && !signature_good(cert, next)) {
            note(l,
                 (struct say){CLEAT_ERR_BAD_SIGNATURE, i, true, "RFC 5280 6.1.3 (a)(1)",
                              "the next certificate has its issuer's name, but another key: put "
                              "the right intermediate there"},
                 "was not signed with the key of the next one");
        }
    }
}

static void validity(struct lint *l)
{
    for (size_t i = 0; i < cl_chain_num(l->chain); i++) {
        const struct cleat_cert *cert = cl_chain_at(l->chain, i);
        char when[CL_TIME_TEXT];
        if (l->now > cert->not_after) {
            cl_time_text(cert->not_after, when);
            note(l,
                 (struct say){CLEAT_ERR_CERT_EXPIRED, i, true, "RFC 5280 4.1.2.5",
                              i == 0 ? "renew it" : "replace it by the issuer's newer certificate"},
                 "expired %lld days ago (notAfter %s)",
                 (long long)(l->now - cert->not_after) / 86400, when);
        } else if (l->now < cert->not_before) {
            cl_time_text(cert->not_before, when);
            note(l,
                 (struct say){CLEAT_ERR_CERT_NOT_YET_VALID, i, true, "RFC 5280 4.1.2.5",
                              "check this machine's clock"},
                 "is not valid yet (notBefore %s)", when);
        }
    }
}

static bool trusts_name(const struct cleat_trust_store *trust, const struct cl_name *name)
{
    size_t num;
    size_t first = cl_trust_find(trust, name->hash, &num);
    for (size_t i = 0; i < num; i++) {
        if (cl_name_equal(&cl_trust_indexed(trust, first + i)->subject, name)) {
            return true;
        }
    }
    return false;
}

/* The last certificate that can be reached from the leaf by going to issuers. */
static size_t top_of(const struct lint *l)
{
    size_t top = 0;
    for (size_t steps = 0; steps < cl_chain_num(l->chain); steps++) {
        const struct cleat_cert *cert = cl_chain_at(l->chain, top);
        size_t i = 0;
        while (i < cl_chain_num(l->chain) &&
               (i == top || cert->self_issued || !could_issue(cl_chain_at(l->chain, i), cert))) {
            i++;
        }
        if (i == cl_chain_num(l->chain)) {
            break;
        }
        top = i;
    }
    return top;
}

/* Whether an intermediate is missing cannot be known for sure: a CA that publishes its own
 * certificate and that nobody trusts directly is one, very likely. */
static void complete(struct lint *l)
{
    size_t at = top_of(l);
    const struct cleat_cert *top = cl_chain_at(l->chain, at);
    char url[120] = "";
    char issuer[110];
    char hint[260];
    if (top->self_issued || l->trust == NULL || trusts_name(l->trust, &top->issuer) ||
        cleat_cert_ca_issuers_url(top, 0, url, sizeof(url)) == 0) {
        return;
    }
    cl_name_text(&top->issuer, issuer, sizeof(issuer));
    (void)snprintf(
        hint, sizeof(hint),
        "fetch it from %s, convert it to PEM and append it; unless %s is a root that all "
        "clients have",
        url, issuer);
    note(l, (struct say){CLEAT_ERR_UNKNOWN_ISSUER, at, true, "RFC 9846 4.5.1", hint},
         "needs its issuer's certificate %s behind it: the chain is incomplete", issuer);
}

static void root(struct lint *l)
{
    size_t last = cl_chain_num(l->chain) - 1;
    const struct cleat_cert *cert = cl_chain_at(l->chain, last);
    if (cert->self_issued && last == 0) {
        note(l,
             (struct say){CLEAT_ERR_SELF_SIGNED, 0, false, "RFC 5280 6.1",
                          "fine for tests and for clients that have it in their trust store"},
             "is self-signed: clients accept it only when they are told to");
    } else if (cert->self_issued) {
        note(l,
             (struct say){CLEAT_ERR_BAD_CONFIG, last, false, "RFC 9846 4.5.1",
                          "remove it from the file: clients have their own copy or do not trust "
                          "it"},
             "is the root: it costs %zu bytes in each handshake and helps nobody", cert->der.len);
    }
}

static void names(struct lint *l)
{
    if (l->purpose == CLEAT_PURPOSE_SERVER && cl_chain_at(l->chain, 0)->num_sans == 0) {
        note(l,
             (struct say){CLEAT_ERR_NAME_MISMATCH, 0, true, "RFC 9525 6",
                          "have it issued anew with its names as subject alternative names; the "
                          "common name does not count"},
             "has no subject alternative name: clients refuse it for any host");
    }
}

static void usage(struct lint *l)
{
    const struct cleat_cert *leaf = cl_chain_at(l->chain, 0);
    unsigned wanted = CL_EKU_BIT_ANY |
                      (l->purpose == CLEAT_PURPOSE_CLIENT ? CL_EKU_BIT_CLIENT : CL_EKU_BIT_SERVER);
    const char *name = l->purpose == CLEAT_PURPOSE_CLIENT ? "clientAuth" : "serverAuth";
    if (cl_cert_has(leaf, CL_OID_EXT_EKU) && (leaf->ext_key_usages & wanted) == 0) {
        note(l,
             (struct say){CLEAT_ERR_BAD_KEY_USAGE, 0, true, "RFC 5280 4.2.1.12",
                          "another certificate is needed"},
             "is not for %s by its extended key usage", name);
    }
    if (!cl_cert_allows_digital_signature(leaf)) {
        note(l,
             (struct say){CLEAT_ERR_BAD_KEY_USAGE, 0, true, "RFC 9846 4.5.1",
                          "another certificate is needed"},
             "may not sign by its key usage (no digitalSignature): TLS 1.3 needs that");
    }
}

static void strength(struct lint *l)
{
    for (size_t i = 0; i < cl_chain_num(l->chain); i++) {
        const struct cleat_cert *cert = cl_chain_at(l->chain, i);
        char kind[96];
        bool rsa = cert->key_type == CL_KEY_RSA || cert->key_type == CL_KEY_RSA_PSS;
        unsigned bits = cleat_cert_key_bits(cert);
        if (rsa && bits != 0 && bits < MIN_RSA_BITS) {
            note(l,
                 (struct say){CLEAT_ERR_WEAK_KEY, i, true, "CABF BR 6.1.5",
                              "a key of at least 2048 bits, or ECDSA P-256, is needed"},
                 "has an RSA key of %u bits only", bits);
        }
        if (cert->sig_alg == NULL && !cert->self_issued) {
            cleat_cert_signature_kind(cert, kind, sizeof(kind));
            note(l,
                 (struct say){CLEAT_ERR_WEAK_KEY, i, true, "RFC 5280 4.1.1.2",
                              "have it issued anew, signed with SHA-256 or better"},
                 "is signed with %s, which is too weak or not known", kind);
        }
    }
}

struct rule {
    const char *name;
    void (*look)(struct lint *l);
};

/* About each certificate by itself, and about the chain as the first one's. */
static const struct rule alone[] = {{"validity", validity}, {"strength", strength}};
static const struct rule together[] = {{"in_order", in_order}, {"signatures", signatures},
                                       {"complete", complete}, {"root", root},
                                       {"names", names},       {"usage", usage}};

static void look(struct lint *l, const struct rule *rules, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        l->rule = rules[i].name;
        rules[i].look(l);
    }
}

size_t cleat_chain_lint(const struct cleat_chain *chain, const struct cleat_trust_store *trust,
                        int64_t now, enum cleat_purpose purpose, struct cleat_chain_note *out,
                        size_t cap)
{
    struct lint l = {chain, trust, now, purpose, out, cap, 0, NULL};
    look(&l, alone, sizeof(alone) / sizeof(alone[0]));
    l.rule = "leaf_first";
    if (leaf_first(&l)) {
        look(&l, together, sizeof(together) / sizeof(together[0]));
    }
    return l.num;
}
