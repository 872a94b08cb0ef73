/* cli/cert_lint.c - `cleat cert lint`: what standards and browsers mind about certificates, chains,
 * requests and revocation lists. Nothing is verified, and nothing is fetched. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cert.h"
#include "cli/cert_items.h"
#include "cli/cli.h"
#include "cli/client_tls.h"
#include "cli/options.h"
#include "cli/time_option.h"
#include "net/clock.h"
#include "x509/chain.h"
#include "x509/lint.h"

#define EXIT_FINDINGS  1
#define EXIT_UNREAD    3
/* 256: files on one command line */
#define MAX_FILES      256
/* 4,096: findings about one file; a bundle of all CAs has some hundred */
#define MAX_FINDINGS   4096
#define ITEM_NAME_SIZE 160

enum { LEVEL = 1, PROFILE, PURPOSE, AT, CACERT, PASSIN, JSON, HELP };

static const struct cl_option options[] = {
    {LEVEL, 0, "level", "LEVEL",
     "exit with 1 for findings of this level and above: error,\nwarning (the default), notice"},
    {PROFILE, 0, "profile", "PROFILE",
     "web: also what browsers and the CA/Browser Forum ask of\nservers (the default); rfc5280"},
    {PURPOSE, 0, "purpose", "PURPOSE", "server (the default) or client"},
    {AT, 0, "at", "TIME", "as of then: 2026-06-01, 2026-06-01T12:00:00Z, @UNIX"},
    {CACERT, 0, "cacert", "FILE",
     "roots that clients have, to tell whether a chain is complete\n(default: the system's)"},
    CERT_PASSIN_ROW(PASSIN),
    {JSON, 0, "json", NULL, "print JSON"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert lint",
    .synopsis = "[OPTION]... FILE...",
    .about = "Looks for what is wrong, weak or unusual in certificates and chains, requests and\n"
             "revocation lists, PEM, DER or PKCS#12: each finding with its rule, the section of\n"
             "the standard, and what to do. Exits with 0 when there is nothing of that level, 1\n"
             "when there is, 3 when a file cannot be read.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert lint chain.pem\n"
                "  cleat cert lint --level error --json *.pem | jq .findings",
};

static const char *const levels[] = {"notice", "warning", "error"};

struct wish {
    const char *files[MAX_FILES];
    size_t num_files;
    struct client_options trust;
    const char *passin;
    enum cl_lint_level level;
    bool rfc5280, client, json;
    int64_t at;
};

struct found {
    struct cl_finding what;
    char item[ITEM_NAME_SIZE]; /* "certificate 1 of 2, CN=…" */
    char section[32];
    char fix[320];
};

struct session {
    const struct wish *wish;
    const struct cleat_trust_store *trust; /* or NULL */
    struct cert_opening how;
    struct found *found; /* of the file at hand */
    size_t num_found;
    const char *item; /* that is looked at */
    unsigned counts[3];
    bool out_of_memory, unread;
    json_t *list;
};

/* ---- options ---- */

static int word(const struct cl_options *o, const char *const *words, size_t num, size_t *out)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(o->value, words[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return cl_options_complain(&usage, "%s takes %s%s%s%s%s, not '%s'", o->spelled, words[0],
                               num > 2 ? ", " : " or ", words[1], num > 2 ? " or " : "",
                               num > 2 ? words[2] : "", o->value);
}

static int take(void *ctx, int id, const struct cl_options *o)
{
    static const char *const profiles[] = {"web", "rfc5280"};
    static const char *const purposes[] = {"server", "client"};
    struct wish *w = ctx;
    size_t at = 0;
    int code = 0;
    switch (id) {
    case LEVEL:
        code = word(o, levels, 3, &at);
        w->level = (enum cl_lint_level)at;
        return code;
    case PROFILE:
        code = word(o, profiles, 2, &at);
        w->rfc5280 = at == 1;
        return code;
    case PURPOSE:
        code = word(o, purposes, 2, &at);
        w->client = at == 1;
        return code;
    case AT:
        return time_option_set(&w->at, o);
    case CACERT:
        w->trust.cacert = o->value;
        return 0;
    case PASSIN:
        return cert_pass_set(&w->passin, o);
    case JSON:
        w->json = true;
        return 0;
    case CL_OPTIONS_OPERAND:
        if (w->num_files == MAX_FILES) {
            return cl_options_complain(&usage, "more than %d files", MAX_FILES);
        }
        w->files[w->num_files++] = o->value;
        return 0;
    default:
        return CL_EXIT_USAGE;
    }
}

/* ---- collect ---- */

static void collect(void *ctx, const struct cl_finding *finding)
{
    struct session *s = ctx;
    if (s->num_found == MAX_FINDINGS) {
        return;
    }
    struct found *grown = cl_realloc(s->found, (s->num_found + 1) * sizeof(*grown));
    if (grown == NULL) {
        s->out_of_memory = true;
        return;
    }
    s->found = grown;
    struct found *f = &grown[s->num_found++];
    *f = (struct found){.what = *finding};
    (void)snprintf(f->item, sizeof(f->item), "%s", s->item);
    (void)snprintf(f->section, sizeof(f->section), "%s", finding->section);
    (void)snprintf(f->fix, sizeof(f->fix), "%s", finding->fix != NULL ? finding->fix : "");
    s->counts[finding->level]++;
}

static void malformed(struct session *s, const struct cleat_error *err)
{
    struct cl_finding f = {.rule = "form",
                           .level = CL_LINT_ERROR,
                           .section = err->section[0] != '\0' ? err->section : "RFC 5280 4.1",
                           .fix = "no client will read it: have it made anew"};
    (void)snprintf(f.text, sizeof(f.text), "%s", err->text);
    collect(s, &f);
}

/* Whether a chain is complete depends on the roots of clients, which may have a CA of one's own. */
static enum cl_lint_level level_of(const struct cleat_chain_note *n)
{
    return n->what.code == CLEAT_ERR_SELF_SIGNED                    ? CL_LINT_NOTICE
           : n->serious && n->what.code != CLEAT_ERR_UNKNOWN_ISSUER ? CL_LINT_ERROR
                                                                    : CL_LINT_WARNING;
}

/* A note of chain_lint.c as a finding; the item names the certificate already. By itself, without a
 * chain, a certificate is only asked for its dates and its strength. */
static void take_note(struct session *s, const struct cleat_chain_note *n, bool whole)
{
    const char *text = n->what.text;
    const size_t len = strlen(s->item);
    struct cl_finding f = {
        .rule = n->rule, .level = level_of(n), .section = n->what.section, .fix = n->what.hint};
    if ((!whole && strcmp(n->rule, "validity") != 0 && strcmp(n->rule, "strength") != 0) ||
        (strcmp(n->rule, "names") == 0 && !s->wish->rfc5280)) {
        return; /* has_san of the web's profile says it */
    }
    text += whole && strncmp(text, s->item, len) == 0 && text[len] == ',' ? len + 2 : 0;
    text = whole || strrchr(text, ',') == NULL ? text : strrchr(text, ',') + 2;
    (void)snprintf(f.text, sizeof(f.text), "%s", text);
    collect(s, &f);
}

static size_t chain_notes(struct session *s, const struct cleat_cert *const *certs, size_t num,
                          struct cleat_chain_note notes[CLEAT_CHAIN_MAX_NOTES])
{
    struct cleat_chain *chain = NULL;
    if (cl_chain_from_certs(&chain, certs, num) != CL_OK) {
        s->out_of_memory = true;
        return 0;
    }
    const size_t num_notes = cleat_chain_lint(
        chain, s->trust, s->wish->at, s->wish->client ? CLEAT_PURPOSE_CLIENT : CLEAT_PURPOSE_SERVER,
        notes, CLEAT_CHAIN_MAX_NOTES);
    cleat_chain_free(chain);
    return num_notes;
}

/* ---- one file ---- */

struct certs {
    struct cleat_cert **certs;
    size_t num;
    bool all_good, all_cas;
};

static struct cl_linting how(struct session *s)
{
    return (struct cl_linting){.web = !s->wish->rfc5280 && !s->wish->client,
                               .now = s->wish->at,
                               .sink = collect,
                               .ctx = s};
}

/* A file of CAs is a bundle, not a chain. */
static void lint_certs(struct session *s, const struct certs *c, size_t num_blocks)
{
    static struct cleat_chain_note notes[CLEAT_CHAIN_MAX_NOTES];
    const struct cleat_cert *const *certs = (const struct cleat_cert *const *)c->certs;
    const bool whole = c->all_good && !c->all_cas && c->num <= CL_CHAIN_MAX;
    const struct cl_linting ask = how(s);
    size_t num_notes = whole && c->num != 0 ? chain_notes(s, certs, c->num, notes) : 0;
    for (size_t i = 0; i < c->num; i++) {
        char item[ITEM_NAME_SIZE];
        char label[CL_LABEL_MAX];
        cl_cert_label(certs[i], label);
        (void)snprintf(item, sizeof(item), "certificate %zu of %zu, %s", i + 1, num_blocks, label);
        s->item = item;
        if (!whole) {
            num_notes = chain_notes(s, &certs[i], 1, notes);
        }
        for (size_t n = 0; n < num_notes; n++) {
            if (!whole || notes[n].position == i) {
                take_note(s, &notes[n], whole);
            }
        }
        cl_lint_cert(&ask, certs[i]);
        s->item = "";
    }
}

static bool take_cert(struct session *s, struct certs *c, struct cl_rd der, size_t num_blocks)
{
    struct cleat_error err = {0};
    char item[ITEM_NAME_SIZE];
    if (cl_cert_parse(&c->certs[c->num], der, &err) != CL_OK) {
        (void)snprintf(item, sizeof(item), "a certificate of %zu", num_blocks);
        s->item = item;
        malformed(s, &err);
        c->all_good = false;
        return false;
    }
    c->all_cas = c->all_cas && cleat_cert_is_ca(c->certs[c->num]);
    c->num++;
    return true;
}

static void lint_other(struct session *s, const struct cert_item *item)
{
    const struct cl_linting ask = how(s);
    struct cleat_error err = {0};
    struct cl_csr *csr = NULL;
    struct cl_crl *crl = NULL;
    s->item = cl_kind_name(item->kind);
    cl_result r;
    if (item->kind == CL_KIND_CSR) {
        r = cl_csr_parse(&csr, cl_buf_view(&item->der), &err);
    } else {
        r = cl_crl_parse(&crl, cl_buf_view(&item->der), &err);
    }
    if (r != CL_OK) {
        malformed(s, &err);
    } else if (csr != NULL) {
        cl_lint_csr(&ask, csr);
    } else {
        cl_lint_crl(&ask, crl);
    }
    cl_csr_free(csr);
    cl_crl_free(crl);
}

static size_t count(const struct cert_items *list, enum cl_kind kind)
{
    size_t num = 0;
    for (size_t i = 0; i < list->num; i++) {
        num += list->items[i].kind == kind;
    }
    return num;
}

static cl_result lint_items(struct session *s, const struct cert_items *list, const char *path,
                            struct cleat_error *err)
{
    const size_t num = count(list, CL_KIND_CERT);
    struct certs c = {.all_good = true, .all_cas = true};
    if (num + count(list, CL_KIND_CSR) + count(list, CL_KIND_CRL) == 0) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                            "%s: it holds no certificate, request or revocation list", path);
    }
    c.certs = cl_calloc(num + 1, sizeof(struct cleat_cert *));
    if (c.certs == NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    for (size_t i = 0; i < list->num; i++) {
        const struct cert_item *item = &list->items[i];
        if (item->kind == CL_KIND_CERT) {
            (void)take_cert(s, &c, cl_buf_view(&item->der), num);
        } else if (item->kind == CL_KIND_CSR || item->kind == CL_KIND_CRL) {
            lint_other(s, item);
        }
    }
    lint_certs(s, &c, num);
    for (size_t i = 0; i < c.num; i++) {
        cleat_cert_free(c.certs[i]);
    }
    cl_free(c.certs);
    return CL_OK;
}

/* ---- tell ---- */

static void tell_text(const struct session *s, const char *path)
{
    const char *item = "";
    (void)printf("%s%s\n", path, s->num_found == 0 ? ": nothing to say" : "");
    for (size_t i = 0; i < s->num_found; i++) {
        const struct found *f = &s->found[i];
        if (strcmp(item, f->item) != 0) {
            (void)printf("  %s\n", f->item);
            item = f->item;
        }
        (void)printf("    %-8s %s: %s  [%s]\n", levels[f->what.level], f->what.rule, f->what.text,
                     f->section);
        if (f->fix[0] != '\0') {
            (void)printf("             %s\n", f->fix);
        }
    }
}

static void set(json_t *o, const char *name, const char *text)
{
    json_t *value = json_string(text);
    (void)json_object_set_new(o, name, value != NULL ? value : json_null());
}

static void tell_json(const struct session *s, const char *path)
{
    for (size_t i = 0; i < s->num_found; i++) {
        const struct found *f = &s->found[i];
        json_t *o = json_object();
        set(o, "source", path);
        set(o, "item", f->item);
        set(o, "level", levels[f->what.level]);
        set(o, "rule", f->what.rule);
        set(o, "section", f->section);
        set(o, "text", f->what.text);
        set(o, "fix", f->fix);
        (void)json_array_append_new(s->list, o);
    }
}

static void lint_file(struct session *s, const char *path)
{
    struct cert_items list = {0};
    struct cleat_error err = {0};
    cl_result r = cert_items_load(&list, path, &s->how, &err);
    if (r == CL_OK) {
        r = lint_items(s, &list, path, &err);
    }
    if (r != CL_OK) {
        (void)cert_tool_complain(usage.command, &err);
        s->unread = true;
    } else if (s->wish->json) {
        tell_json(s, path);
    } else {
        tell_text(s, path);
    }
    cert_items_deinit(&list);
    cl_free(s->found);
    s->found = NULL;
    s->num_found = 0;
}

static void tell_counts(const struct session *s)
{
    if (!s->wish->json) {
        (void)printf("%u error%s, %u warning%s, %u notice%s\n", s->counts[CL_LINT_ERROR],
                     s->counts[CL_LINT_ERROR] == 1 ? "" : "s", s->counts[CL_LINT_WARNING],
                     s->counts[CL_LINT_WARNING] == 1 ? "" : "s", s->counts[CL_LINT_NOTICE],
                     s->counts[CL_LINT_NOTICE] == 1 ? "" : "s");
        return;
    }
    json_t *all = json_object();
    (void)json_object_set_new(all, "schema", json_integer(1));
    (void)json_object_set(all, "findings", s->list);
    (void)json_object_set_new(all, "errors", json_integer(s->counts[CL_LINT_ERROR]));
    (void)json_object_set_new(all, "warnings", json_integer(s->counts[CL_LINT_WARNING]));
    (void)json_object_set_new(all, "notices", json_integer(s->counts[CL_LINT_NOTICE]));
    (void)json_dumpf(all, stdout, JSON_INDENT(2));
    (void)printf("\n");
    json_decref(all);
}

static int run(const struct wish *w)
{
    struct cleat_trust_store *trust = NULL;
    struct cleat_error err = {0};
    struct session s = {.wish = w, .list = json_array()};
    bool any = false;
    if (client_tls_trust(&w->trust, &trust, &err) != 0 && w->trust.cacert != NULL) {
        json_decref(s.list);
        (void)cert_tool_complain(usage.command, &err);
        return EXIT_UNREAD;
    }
    cert_opening_init(&s.how, w->passin);
    s.trust = trust; /* without the system's roots, whether a chain is complete is not told */
    for (size_t i = 0; i < w->num_files; i++) {
        lint_file(&s, w->files[i]);
    }
    tell_counts(&s);
    for (size_t level = (size_t)w->level; level < 3; level++) {
        any = any || s.counts[level] != 0;
    }
    json_decref(s.list);
    cl_passphrase_deinit(&s.how.passphrase);
    cleat_trust_store_free(trust);
    if (s.out_of_memory) {
        (void)fprintf(stderr, "cleat cert lint: out of memory: something may be missing\n");
    }
    return s.unread || s.out_of_memory ? EXIT_UNREAD : any ? EXIT_FINDINGS : CL_EXIT_OK;
}

int cert_lint_run(int argc, char **argv)
{
    static struct wish w;
    int code;
    w = (struct wish){.level = CL_LINT_WARNING, .at = (int64_t)(cl_clock_unix_ms() / 1000)};
    if (!cl_options_each(&usage, argc, argv, HELP, take, &w, &code)) {
        return code;
    }
    if (w.num_files == 0) {
        return cl_options_complain(&usage, "no file given");
    }
    return run(&w);
}
