/* explain/advice.c - see advice.h. A search that goes no deeper than it is told: every row of the
 * table proposes values of one option; each is built and asked. Where none lets the ClientHello in,
 * the first that led to another obstacle is kept, and the search goes on from there. */
#include "explain/advice.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/tls_rawkey.h"
#include "crypto/kex.h"
#include "explain/lists.h"
#include "explain/made_pair.h"
#include "net/small_file.h"
#include "tls/config.h"

/* 96: configurations that are built for one ClientHello, some ms each */
#define MAX_TRIES 96

struct proposal {
    const struct cl_rehearsal *r;
    const struct cl_serve_options *o;
    size_t nth; /* which of the values that the row can propose */
    char *value;
    size_t cap;
};

struct row {
    const char *option;
    bool (*propose)(const struct proposal *p);
    void (*apply)(struct cl_serve_options *o, const char *value);
    const char *warning;
    const struct row *beside; /* another option that this one needs */
};

/* ---- values ---- */

static bool put(const struct proposal *p, const char *value)
{
    return p->nth == 0 && (size_t)snprintf(p->value, p->cap, "%s", value) < p->cap;
}

/* The list as it is, and one more at its end. */
static bool put_longer(const struct proposal *p, const struct cl_names *list, char separator,
                       const char *more)
{
    const char between[] = {separator, '\0'};
    cl_names_join(list, between, p->value, p->cap);
    const size_t at = strlen(p->value);
    return strstr(p->value, " and ") == NULL &&
           (size_t)snprintf(p->value + at, p->cap - at, "%s%s", at != 0 ? between : "", more) <
               p->cap - at;
}

static bool tls_max(const struct proposal *p)
{
    return p->r->config->version_max < CLEAT_TLS_1_3 && cl_offers_version(p->r, CLEAT_TLS_1_3) &&
           put(p, "1.3");
}

static bool tls_min(const struct proposal *p)
{
    return p->r->config->version_min > CLEAT_TLS_1_2 && cl_offers_version(p->r, CLEAT_TLS_1_2) &&
           put(p, "1.2");
}

static bool has(const struct cl_names *names, const char *name)
{
    for (size_t i = 0; i < names->num; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool alpn(const struct proposal *p)
{
    struct cl_names theirs;
    struct cl_names ours;
    cl_names_offered(p->r, CL_LIST_ALPN, &theirs);
    cl_names_allowed(p->r, CL_LIST_ALPN, &ours);
    return p->nth < theirs.num && !has(&ours, theirs.items[p->nth]) &&
           strchr(theirs.items[p->nth], '?') == NULL &&
           put_longer(p, &ours, ',', theirs.items[p->nth]);
}

/* The nth name of the client's that is known here and not allowed. */
static bool put_nth(const struct proposal *p, enum cl_list list, struct cl_rd ids,
                    const char *(*name_of)(uint16_t id))
{
    struct cl_names ours;
    uint16_t id;
    size_t nth = 0;
    cl_names_allowed(p->r, list, &ours);
    while (cl_rd_u16(&ids, &id)) {
        const char *name = name_of(id);
        if (name != NULL && !has(&ours, name) && nth++ == p->nth) {
            return put_longer(p, &ours, ':', name);
        }
    }
    return false;
}

static const char *group_name(uint16_t id)
{
    const struct cl_group *group = cl_group_by_id(id);
    return group != NULL && !group->by_name_only ? group->name : NULL;
}

static const char *scheme_name(uint16_t id)
{
    const struct cl_sig_alg *alg = cl_sig_scheme(id);
    return alg != NULL && !alg->by_name_only ? alg->name : NULL;
}

static const char *suite_name_13(uint16_t id)
{
    const struct cl_suite *s = cl_suite_by_id(id);
    return s != NULL && s->version == CLEAT_TLS_1_3 ? s->name : NULL;
}

static const char *suite_name_12(uint16_t id)
{
    const struct cl_suite *s = cl_suite_by_id(id);
    return s != NULL && s->version == CLEAT_TLS_1_2 && s->auth != CL_AUTH_PSK &&
                   cl_suite_weakness(s, 0) == NULL
               ? s->name
               : NULL;
}

static const char *weak_name_12(uint16_t id)
{
    const struct cl_suite *s = cl_suite_by_id(id);
    return s != NULL && s->version == CLEAT_TLS_1_2 && s->auth != CL_AUTH_PSK &&
                   cl_suite_weakness(s, 0) != NULL
               ? s->name
               : NULL;
}

static bool curves(const struct proposal *p)
{
    return put_nth(p, CL_LIST_GROUPS, p->r->offer.groups, group_name);
}

static bool sigalgs(const struct proposal *p)
{
    return put_nth(p, CL_LIST_SCHEMES, p->r->offer.schemes, scheme_name);
}

static bool speaks(const struct proposal *p, uint16_t version)
{
    const struct cleat_tls_config *c = p->r->config;
    return c->version_min <= version && version <= c->version_max &&
           cl_offers_version(p->r, version);
}

static bool tls13_ciphers(const struct proposal *p)
{
    return speaks(p, CLEAT_TLS_1_3) &&
           put_nth(p, CL_LIST_SUITES, p->r->offer.suites, suite_name_13);
}

static bool ciphers(const struct proposal *p)
{
    return speaks(p, CLEAT_TLS_1_2) &&
           put_nth(p, CL_LIST_SUITES, p->r->offer.suites, suite_name_12);
}

static bool weak_ciphers(const struct proposal *p)
{
    return speaks(p, CLEAT_TLS_1_2) && put_nth(p, CL_LIST_SUITES, p->r->offer.suites, weak_name_12);
}

static bool public_profile(const struct proposal *p)
{
    return strcmp(p->o->profile, "public") != 0 && put(p, "public");
}

static bool legacy_profile(const struct proposal *p)
{
    return strcmp(p->o->profile, "legacy") != 0 && put(p, "legacy");
}

/* The key is there: it only has to be shown by itself. */
static bool raw_key(const struct proposal *p)
{
    const struct cl_rd types = p->r->offer.server_types;
    return types.p != NULL && memchr(types.p, CLEAT_CERT_TYPE_RAW_PUBLIC_KEY, types.len) != NULL &&
           p->o->num_raw_keys == 0 && p->o->num_pairs != 0 && put(p, p->o->pairs[0].key);
}

/* Certificates are made for a trial, of the kinds that clients know. */
static const struct {
    const char *what;
    enum cl_key_type type;
} kinds[] = {
    {"a certificate with an ECDSA P-256 key", CL_KEY_EC_P256},
    {"a certificate with an RSA key", CL_KEY_RSA},
};

static bool certificate(const struct proposal *p)
{
    const int code = p->r->error.code;
    const bool helps = code == CLEAT_ERR_NO_SHARED_SIGNATURE ||
                       code == CLEAT_ERR_NO_SHARED_CIPHER || code == CLEAT_ERR_NO_SHARED_GROUP ||
                       code == CLEAT_ERR_UNSUPPORTED_CERTIFICATE || code == CLEAT_ERR_UNKNOWN_PSK;
    return helps && p->nth < sizeof(kinds) / sizeof(kinds[0]) &&
           p->o->num_pairs < CL_SERVE_MAX_PAIRS &&
           (size_t)snprintf(p->value, p->cap, "%s", kinds[p->nth].what) < p->cap;
}

/* ---- options ---- */

#define APPLY_TEXT(name, field)                                             \
    static void apply_##name(struct cl_serve_options *o, const char *value) \
    {                                                                       \
        o->field = value;                                                   \
    }
APPLY_TEXT(alpn, alpn)
APPLY_TEXT(curves, groups)
APPLY_TEXT(sigalgs, signatures)
APPLY_TEXT(tls13_ciphers, tls13_ciphers)
APPLY_TEXT(ciphers, ciphers)
APPLY_TEXT(profile, profile)

static void apply_tls_max(struct cl_serve_options *o, const char *value)
{
    o->tls_max = CLEAT_TLS_1_3;
}

static void apply_tls_min(struct cl_serve_options *o, const char *value)
{
    o->tls_min = CLEAT_TLS_1_2;
}

static void apply_raw_key(struct cl_serve_options *o, const char *value)
{
    o->raw_keys[o->num_raw_keys++] = value;
}

static void apply_certificate(struct cl_serve_options *o, const char *value)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct cl_serve_pair *pair =
            strcmp(value, kinds[i].what) == 0 ? cl_made_pair(kinds[i].type) : NULL;
        if (pair != NULL) {
            o->pairs[o->num_pairs++] = *pair;
        }
    }
}

static const char legacy_warning[] =
    "it is for every client: better beside, on an address of its own for this one";

static const char alpn_warning[] =
    "only if what is behind it answers that protocol: cleat serve itself speaks HTTP/1.1";

static const struct row legacy = {"profile", legacy_profile, apply_profile, legacy_warning, NULL};
static const struct row weak = {"ciphers", weak_ciphers, apply_ciphers, legacy_warning, &legacy};

/* The harmless first. */
static const struct row rows[] = {
    {"tls-max", tls_max, apply_tls_max, NULL, NULL},
    {"tls-min", tls_min, apply_tls_min, NULL, NULL},
    {"alpn", alpn, apply_alpn, alpn_warning, NULL},
    {"curves", curves, apply_curves, NULL, NULL},
    {"tls13-ciphers", tls13_ciphers, apply_tls13_ciphers, NULL, NULL},
    {"ciphers", ciphers, apply_ciphers, NULL, NULL},
    {"sigalgs", sigalgs, apply_sigalgs, NULL, NULL},
    {"profile", public_profile, apply_profile, NULL, NULL},
    {"raw-public-key", raw_key, apply_raw_key, NULL, NULL},
    {"cert", certificate, apply_certificate, NULL, NULL},
    {"profile", legacy_profile, apply_profile, legacy_warning, NULL},
    {"ciphers", weak_ciphers, apply_ciphers, legacy_warning, &legacy},
    {"cert", certificate, apply_certificate, legacy_warning, &weak},
};

/* ---- trying ---- */

struct search {
    const struct cl_serve_options *o;
    struct cl_rd hello;
    struct cl_advice *advice;
    const struct row *applied[CL_ADVICE_MAX]; /* as advice->changes */
};

static void apply_all(const struct search *s, struct cl_serve_options *o)
{
    *o = *s->o;
    o->trial = true;
    o->key_log = NULL;
    for (size_t i = 0; i < s->advice->num; i++) {
        s->applied[i]->apply(o, s->advice->changes[i].value);
    }
}

/* Returns CL_OK with *r as the changed configuration answers; BAD_CONFIG when there is none. */
static cl_result ask(const struct search *s, struct cl_rehearsal *r)
{
    struct cl_serve_options *o = cl_alloc(sizeof(*o));
    struct cl_site site;
    struct cleat_error err = {0};
    *r = (struct cl_rehearsal){0};
    if (o == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    apply_all(s, o);
    cl_secret_file_warnings(false);
    cl_result result = cl_site_load_tls(&site, o, cl_rehearsal_watch, &err);
    cl_secret_file_warnings(true);
    if (result == CL_OK) {
        result = cl_rehearse(&site, s->hello, r);
        cl_site_deinit(&site);
    } else if (result != CLEAT_ERR_NOMEM) {
        result = CLEAT_ERR_BAD_CONFIG;
    }
    cl_free(o);
    s->advice->num_tried++;
    return result;
}

static bool push(struct search *s, const struct row *row, const struct proposal *from)
{
    struct cl_advice *a = s->advice;
    struct proposal p = *from;
    if (a->num == CL_ADVICE_MAX) {
        return false;
    }
    p.value = a->changes[a->num].value;
    p.cap = sizeof(a->changes[a->num].value);
    if (!row->propose(&p)) {
        return false;
    }
    a->changes[a->num].option = row->option;
    s->applied[a->num++] = row;
    return true;
}

/* One row's nth value, on top of what is kept, with the first of what it needs beside. */
static bool push_all(struct search *s, const struct row *row, const struct proposal *p)
{
    const size_t before = s->advice->num;
    for (const struct row *b = row->beside; b != NULL; b = b->beside) {
        const struct proposal first = {.r = p->r, .o = p->o};
        const bool is_there = b == &legacy && strcmp(p->o->profile, "legacy") == 0;
        if (!is_there && !push(s, b, &first)) {
            s->advice->num = before;
            return false;
        }
    }
    if (!push(s, row, p)) {
        s->advice->num = before;
        return false;
    }
    return true;
}

static void found(struct search *s, const struct cl_rehearsal *r)
{
    struct cl_advice *a = s->advice;
    cl_outcome_text(r, a->outcome, sizeof(a->outcome));
    for (size_t i = 0; i < a->num; i++) {
        a->warning = s->applied[i]->warning != NULL ? s->applied[i]->warning : a->warning;
        a->made_certificate = a->made_certificate || s->applied[i]->apply == apply_certificate;
    }
}

/* What was kept of a round that found nothing: the first change that led elsewhere. */
struct step {
    struct cl_advice advice;
    const struct row *applied[CL_ADVICE_MAX];
    struct cl_rehearsal r;
    bool there;
};

static void keep(struct step *step, const struct search *s, struct cl_rehearsal *r)
{
    step->there = true;
    step->advice = *s->advice;
    memcpy(step->applied, s->applied, sizeof(step->applied));
    step->r = *r;
    *r = (struct cl_rehearsal){0};
}

/* Tries every row once. True: the ClientHello is let in. */
static cl_result round_of(struct search *s, const struct cl_rehearsal *from, struct step *next,
                          bool *done)
{
    struct cl_serve_options now;
    const size_t kept = s->advice->num;
    apply_all(s, &now);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct proposal p = {.r = from, .o = &now};
        for (; s->advice->num_tried < MAX_TRIES && push_all(s, &rows[i], &p); p.nth++) {
            struct cl_rehearsal r;
            const cl_result result = ask(s, &r);
            *done = result == CL_OK && r.outcome != CL_OUTCOME_REFUSED;
            if (*done) {
                found(s, &r);
            } else if (result == CL_OK && !next->there && r.error.code != from->error.code) {
                keep(next, s, &r);
            }
            cl_rehearsal_deinit(&r);
            if (*done || result == CLEAT_ERR_NOMEM) {
                return *done ? CL_OK : result;
            }
            s->advice->num = kept;
        }
    }
    return CL_OK;
}

/* Only what both ends negotiate can be changed here. */
static bool can_be_helped(const struct cl_rehearsal *r)
{
    return cl_list_of_code(r->error.code) != CL_LIST_NUM ||
           r->error.code == CLEAT_ERR_NO_EXTENDED_MASTER_SECRET ||
           r->error.code == CLEAT_ERR_UNKNOWN_PSK;
}

cl_result cl_advise(const struct cl_serve_options *o, const struct cl_rehearsal *refused,
                    struct cl_rd hello, struct cl_advice *out)
{
    struct search s = {.o = o, .hello = hello, .advice = out};
    struct step *steps = cl_calloc(CL_ADVICE_MAX, sizeof(*steps));
    const struct cl_rehearsal *from = refused;
    bool done = false;
    cl_result result = steps != NULL ? CL_OK : CLEAT_ERR_NOMEM;
    *out = (struct cl_advice){0};
    for (size_t i = 0; result == CL_OK && i < CL_ADVICE_MAX && can_be_helped(from); i++) {
        result = round_of(&s, from, &steps[i], &done);
        if (done || !steps[i].there) {
            break;
        }
        const size_t tried = out->num_tried;
        *out = steps[i].advice;
        out->num_tried = tried;
        memcpy(s.applied, steps[i].applied, sizeof(s.applied));
        from = &steps[i].r;
    }
    out->num = done ? out->num : 0;
    for (size_t i = 0; steps != NULL && i < CL_ADVICE_MAX; i++) {
        cl_rehearsal_deinit(&steps[i].r);
    }
    cl_free(steps);
    return result;
}

void cl_outcome_text(const struct cl_rehearsal *r, char *out, size_t cap)
{
    (void)snprintf(
        out, cap, "%s, %s%s%s%s%s%s%s%s", r->version == CLEAT_TLS_1_3 ? "TLS 1.3" : "TLS 1.2",
        r->suite != NULL ? r->suite->name : "no cipher suite yet", r->group != NULL ? ", " : "",
        r->group != NULL ? r->group->name : "", r->scheme != NULL ? ", " : "",
        r->scheme != NULL ? r->scheme->name : "", r->alpn[0] != '\0' ? ", ALPN " : "", r->alpn,
        r->resumed        ? ", resumed"
        : r->external_psk ? ", with the PSK"
                          : "");
}
