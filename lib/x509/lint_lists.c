/* x509/lint_lists.c - findings about revocation lists and certificate requests. */
#include "x509/lint.h"

#include "x509/gname.h"
#include "x509/name.h"

#define DAY 86400

/* ---- lists ---- */

static void find(const struct cl_linting *how, const char *rule, enum cl_lint_level level,
                 const char *section, const char *text, const char *fix)
{
    const struct cl_finding head = {.rule = rule, .level = level, .section = section, .fix = fix};
    cl_lint_find(how, &head, "%s", text);
}

struct list {
    const struct cl_crl *crl;
    int64_t now;
};
typedef bool list_fn(const struct list *l);

static bool no_end(const struct list *l)
{
    return l->crl->next_update == INT64_MIN;
}

static bool outdated(const struct list *l)
{
    return !no_end(l) && l->crl->next_update < l->now;
}

static bool from_future(const struct list *l)
{
    return l->crl->this_update > l->now;
}

static bool list_backwards(const struct list *l)
{
    return !no_end(l) && l->crl->next_update <= l->crl->this_update;
}

static bool lasts_long(const struct list *l)
{
    return !no_end(l) && l->crl->next_update - l->crl->this_update > 10 * DAY;
}

static bool no_number(const struct list *l)
{
    return l->crl->number.len == 0;
}

static bool number_critical(const struct list *l)
{
    return l->crl->number_critical;
}

static bool number_long(const struct list *l)
{
    return l->crl->number.len > 20;
}

static bool no_key_id(const struct list *l)
{
    return l->crl->aki_key_id.len == 0;
}

static bool list_signature_weak(const struct list *l)
{
    return l->crl->sig_alg == NULL;
}

static bool not_understood(const struct list *l)
{
    return l->crl->unusable != NULL;
}

static bool is_delta(const struct list *l)
{
    return l->crl->is_delta;
}

static bool is_indirect(const struct list *l)
{
    return l->crl->indirect;
}

static bool odd_reason(const struct list *l)
{
    struct cl_rd rest = l->crl->entries;
    struct cl_rd whole;
    struct cl_crl_entry entry;
    while (cl_crl_entry_next(&rest, &entry, &whole)) {
        if (entry.reason == 7 || entry.reason > 10 || (entry.reason == 8 && !l->crl->is_delta)) {
            return true;
        }
    }
    return false;
}

static bool entry_from_future(const struct list *l)
{
    struct cl_rd rest = l->crl->entries;
    struct cl_rd whole;
    struct cl_crl_entry entry;
    while (cl_crl_entry_next(&rest, &entry, &whole)) {
        if (entry.when > l->crl->this_update + DAY) {
            return true;
        }
    }
    return false;
}

#define E       CL_LINT_ERROR
#define W       CL_LINT_WARNING
#define N       CL_LINT_NOTICE
#define R(name) name, #name

static const struct {
    list_fn *broken;
    const char *rule;
    bool web;
    enum cl_lint_level level;
    const char *section;
    const char *text;
    const char *fix;
} list_rows[] = {
    {R(no_end), false, E, "RFC 5280 5.1.2.5", "it does not say when the next one comes",
     "a list without nextUpdate is good for ever, or never: make it anew"},
    {R(outdated), false, E, "RFC 5280 5.1.2.5", "the next list was due already",
     "clients that insist on a current one refuse everything: publish the next"},
    {R(from_future), false, E, "RFC 5280 5.1.2.4", "it was made in the future",
     "look at the clocks"},
    {R(list_backwards), false, E, "RFC 5280 5.1.2.5", "the next one is due before this one",
     "make it anew"},
    {R(lasts_long), true, N, "CABF BR 4.9.7", "it is good for more than ten days",
     "fine within one's own CA, and for lists of CAs"},
    {R(no_number), false, E, "RFC 5280 5.2.3", "it has no number",
     "clients cannot tell an old list from a new one"},
    {R(number_critical), false, W, "RFC 5280 5.2.3", "its number is critical", "make it anew"},
    {R(number_long), false, E, "RFC 5280 5.2.3", "its number has more than 20 bytes",
     "make it anew"},
    {R(no_key_id), false, E, "RFC 5280 5.2.1", "it has no authority key identifier",
     "a CA with two keys cannot be told apart"},
    {R(list_signature_weak), false, E, "RFC 5280 5.1.1.2",
     "its signature algorithm is too weak, or not known", "SHA-256 or better"},
    {R(not_understood), false, W, "RFC 5280 5.2",
     "it has a critical extension that many clients do not know, and refuse", "leave it out"},
    {R(is_delta), false, N, "RFC 5280 5.2.4", "it is a delta list, which few clients look for",
     "publish complete ones as well"},
    {R(is_indirect), false, N, "RFC 5280 5.2.5",
     "it is an indirect list, which few clients understand", "let each CA publish its own"},
    {R(odd_reason), false, E, "RFC 5280 5.3.1",
     "an entry's reason is none for a complete list (7, removeFromCRL, or unknown)",
     "make it anew"},
    {R(entry_from_future), false, W, "RFC 5280 5.1.2.6",
     "an entry is revoked after the list was made", "look at the clocks"},
};

void cl_lint_crl(const struct cl_linting *how, const struct cl_crl *crl)
{
    const struct list l = {.crl = crl, .now = how->now};
    for (size_t i = 0; i < sizeof(list_rows) / sizeof(list_rows[0]); i++) {
        if ((!list_rows[i].web || how->web) && list_rows[i].broken(&l)) {
            find(how, list_rows[i].rule, list_rows[i].level, list_rows[i].section,
                 list_rows[i].text, list_rows[i].fix);
        }
    }
}

/* ---- requests ---- */

typedef bool csr_fn(const struct cl_csr *csr);

static bool request_without_names(const struct cl_csr *csr)
{
    return csr->wanted.num_sans == 0 && !csr->wanted.is_ca;
}

static bool bad_name(const struct cl_csr *csr)
{
    struct cl_rd names = csr->wanted.san;
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        if (name.kind == CLEAT_SAN_DNS && !cl_dns_valid(name.value, true)) {
            return true;
        }
    }
    return false;
}

static bool wants_to_be_ca(const struct cl_csr *csr)
{
    return csr->wanted.is_ca;
}

static bool has_challenge(const struct cl_csr *csr)
{
    return csr->has_challenge;
}

static bool wants_must_staple(const struct cl_csr *csr)
{
    return cl_cert_must_staple(&csr->wanted);
}

static bool short_rsa(const struct cl_csr *csr)
{
    const struct cl_pubkey *key;
    return cl_key_is_rsa(csr->wanted.key_type) && cl_cert_pubkey(&csr->wanted, &key) == CL_OK &&
           cl_pubkey_bits(key) < 2048;
}

static const struct {
    csr_fn *broken;
    const char *rule;
    enum cl_lint_level level;
    const char *section;
    const char *text;
    const char *fix;
} csr_rows[] = {
    {R(request_without_names), W, "RFC 9525 2",
     "it has no subject alternative names; CAs do not look at the common name alone",
     "cleat cert csr NAME..."},
    {R(bad_name), E, "RFC 5280 4.2.1.6", "a DNS name is not letters, digits and hyphens",
     "international names are given as A-labels"},
    {R(short_rsa), E, "CABF BR 6.1.5", "its RSA key has fewer than 2048 bits",
     "ECDSA P-256, or RSA of 2048 bits or more"},
    {R(wants_to_be_ca), N, "RFC 5280 4.2.1.9", "it asks to be a CA", "public CAs ignore that"},
    {R(has_challenge), W, "RFC 2985 5.4.1", "it has a challengePassword, which everybody can read",
     "leave it out"},
    {R(wants_must_staple), N, "RFC 7633 4", "it asks for must-staple",
     "the server must never be without a response; several public CAs have none any more"},
};

void cl_lint_csr(const struct cl_linting *how, const struct cl_csr *csr)
{
    struct cleat_error why = {0};
    if (cl_csr_check(csr, &why) != CL_OK) {
        find(how, "request_signature", CL_LINT_ERROR,
             why.section[0] != '\0' ? why.section : "RFC 2986 3", why.text,
             "make it anew, with the key that is in it");
    }
    for (size_t i = 0; i < sizeof(csr_rows) / sizeof(csr_rows[0]); i++) {
        if (csr_rows[i].broken(csr)) {
            find(how, csr_rows[i].rule, csr_rows[i].level, csr_rows[i].section, csr_rows[i].text,
                 csr_rows[i].fix);
        }
    }
    cl_lint_wanted(how, &csr->wanted);
}
