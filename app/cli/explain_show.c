/* cli/explain_show.c - `cleat explain-hello` for people; see explain_show.h. */
#include "cli/explain_show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explain/lists.h"
#include "tls/config.h"

/* 24, 100: where values begin, and lines end */
#define COLUMN 24
#define WIDTH  100

/* "  label   text", the text folded at spaces. */
static void row(const char *label, const char *text)
{
    size_t at = (size_t)printf("  %-*s", COLUMN - 2, label);
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (at > COLUMN && at + 1 + len > WIDTH) {
            printf("\n%*s", COLUMN, "");
            at = COLUMN;
        }
        at += (size_t)printf("%s%.*s", at > COLUMN ? " " : "", (int)len, text);
        text += len;
        text += strspn(text, " ");
    }
    printf("\n");
}

static void rowf(const char *label, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void rowf(const char *label, const char *fmt, ...)
{
    char text[8192];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    row(label, text);
}

static void head(const struct cl_explained *e)
{
    const struct cl_client_hello *ch = &e->r->offer;
    char versions[128];
    struct cl_names names;
    cl_names_offered(e->r, CL_LIST_VERSIONS, &names);
    cl_names_join(&names, ", ", versions, sizeof(versions));
    printf("%s%s", e->number > 1 ? "\n" : "", e->file);
    if (e->origin[0] != '\0') {
        printf(", %s", e->origin);
    }
    printf(": ClientHello of %zu bytes%s%s%s%s\n", e->r->first_len,
           ch->server_name[0] != '\0' ? " for " : "", ch->server_name,
           versions[0] != '\0' ? ", " : "", versions);
}

/* ---- agreed ---- */

static void told(const struct cl_explained *e)
{
    const struct cl_rehearsal *r = e->r;
    for (size_t i = 0; i < r->num_told; i++) {
        const struct cl_told *t = &r->told[i];
        const bool is_own =
            strcmp(t->what, "certificate") == 0 || strcmp(t->what, "raw public key") == 0;
        const char *file = is_own ? cl_credential_file(r, e->options) : NULL;
        if (t->kind == CL_TOLD_CHOICE) {
            rowf(t->what, "%s%s%s%s%s%s%s", file != NULL ? file : "", file != NULL ? ", " : "",
                 t->value, t->why[0] != '\0' ? " (" : "", t->why, t->why[0] != '\0' ? ")" : "", "");
        } else if (t->kind == CL_TOLD_TICKET && (r->resumed || e->options->num_ticket_keys != 0)) {
            row(t->what, t->value);
        }
    }
}

static void agreed(const struct cl_explained *e)
{
    static const char *const asked[] = {"not asked for", "asked for; without one it gets in too",
                                        "required"};
    const struct cl_rehearsal *r = e->r;
    char text[512];
    cl_outcome_text(r, text, sizeof(text));
    if (r->outcome == CL_OUTCOME_RETRY) {
        rowf("AGREED SO FAR", "%s, then a HelloRetryRequest for %s", text, r->retry->name);
    } else {
        rowf("WOULD BE AGREED", "%s%s", text,
             r->retry != NULL ? ", after a HelloRetryRequest" : "");
    }
    told(e);
    if (r->config->alpn.len != 0 || r->alpn[0] != '\0') {
        row("application protocol", r->alpn[0] != '\0' ? r->alpn : "none");
    }
    if (r->outcome == CL_OUTCOME_AGREED) {
        row("client certificate", asked[r->certificate_wanted ? r->config->client_auth : 0]);
        if (r->record_limit != 0) {
            rowf("records", "at most %u bytes of plaintext are sent in one (RFC 8449)",
                 r->record_limit);
        }
    }
}

/* ---- refused ---- */

static void lists(const struct cl_explained *e, enum cl_list list)
{
    struct cl_names names;
    char text[4096];
    if (list == CL_LIST_NUM) {
        return;
    }
    cl_names_offered(e->r, list, &names);
    cl_names_join(&names, ", ", text, sizeof(text));
    rowf("the client offers", "%s%s", text[0] != '\0' ? text : "none", "");
    cl_names_allowed(e->r, list, &names);
    cl_names_join(&names, ", ", text, sizeof(text));
    rowf("you allow", "%s%s", text[0] != '\0' ? text : "none", "");
}

static void keys_here(const struct cl_explained *e)
{
    const struct cl_serve_options *o = e->options;
    const struct cleat_tls_config *c = e->r->config;
    for (size_t i = 0; i < c->num_credentials; i++) {
        rowf(i == 0 ? "you have" : "", "%s (%s)",
             i < o->num_pairs ? o->pairs[i].cert : o->raw_keys[i - o->num_pairs],
             cleat_key_kind(c->credentials[i].key));
    }
}

static void advice(const struct cl_explained *e)
{
    const struct cl_advice *a = e->advice;
    for (size_t i = 0; i < a->num; i++) {
        const bool made = strcmp(a->changes[i].option, "cert") == 0;
        rowf(i == 0 ? "what to change" : "", "%s--%s%s %s", i > 0 ? "and " : "",
             a->changes[i].option, made ? ", --key:" : "", a->changes[i].value);
    }
    if (a->num != 0) {
        rowf("tried", "%sthen %s would be agreed",
             a->made_certificate ? "with one made for it: " : "", a->outcome);
        if (a->warning != NULL) {
            row("but", a->warning);
        }
    } else if (a->num_tried != 0) {
        rowf("tried",
             "%zu change%s of the configuration, and the client never got in: it has to change",
             a->num_tried, a->num_tried == 1 ? "" : "s");
    }
}

static void refused(const struct cl_explained *e)
{
    const struct cleat_error *err = &e->r->error;
    const enum cl_list list = cl_list_of_code(err->code);
    rowf("REFUSED", "%s%s%s%s", err->text, err->section[0] != '\0' ? " [" : "", err->section,
         err->section[0] != '\0' ? "]" : "");
    if (err->alert != 0) {
        rowf("alert", "%s (%u)", e->r->alert_name, err->alert);
    }
    told(e);
    lists(e, list);
    if (list == CL_LIST_SCHEMES || list == CL_LIST_SUITES || list == CL_LIST_CERT_TYPES) {
        keys_here(e);
    }
    advice(e);
    if (err->code == CLEAT_ERR_PROTOCOL_VERSION && e->advice->num == 0) {
        row("hint", "nothing older than TLS 1.2 is spoken here: the client needs an update");
    } else if (err->hint[0] != '\0' && e->advice->num == 0) {
        row("hint", err->hint);
    }
}

void cl_explain_show(const struct cl_explained *e)
{
    head(e);
    if (e->r->outcome == CL_OUTCOME_REFUSED) {
        refused(e);
    } else {
        agreed(e);
    }
    if (e->ja4[0] != '\0') {
        rowf("fingerprint", "%s (JA4)", e->ja4);
    }
    for (size_t i = 0; i < e->notes->num; i++) {
        row("note", e->notes->items[i].text);
    }
}
