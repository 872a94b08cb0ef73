/* cli/explain_json.c - `cleat explain-hello --json`; see explain_show.h. */
#include <string.h>

#include "cli/explain_show.h"
#include "explain/lists.h"
#include "tls/config.h"

/* NULL where there is nothing, which becomes null. */
static json_t *text_or_null(const char *text)
{
    json_t *json = text != NULL && text[0] != '\0' ? json_string(text) : NULL;
    return json != NULL ? json : json_null();
}

static json_t *names_json(const struct cl_names *names)
{
    json_t *all = json_array();
    for (size_t i = 0; i < names->num; i++) {
        (void)json_array_append_new(all, json_string(names->items[i]));
    }
    return all;
}

static json_t *choices(const struct cl_rehearsal *r)
{
    json_t *all = json_array();
    for (size_t i = 0; i < r->num_told; i++) {
        if (r->told[i].kind == CL_TOLD_CHOICE) {
            (void)json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "what", r->told[i].what,
                                                       "value", r->told[i].value, "why",
                                                       r->told[i].why));
        }
    }
    return all;
}

static json_t *notes(const struct cl_notes *n)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n->num; i++) {
        (void)json_array_append_new(all, json_pack("{s:s, s:o}", "what", n->items[i].what, "text",
                                                   text_or_null(n->items[i].text)));
    }
    return all;
}

static json_t *offers(const struct cl_rehearsal *r)
{
    json_t *all = json_object();
    struct cl_names names;
    for (int i = 0; i < CL_LIST_NUM; i++) {
        cl_names_offered(r, (enum cl_list)i, &names);
        (void)json_object_set_new(all, cl_list_key((enum cl_list)i), names_json(&names));
    }
    return all;
}

/* ---- refused ---- */

static json_t *advice(const struct cl_advice *a)
{
    json_t *changes = json_array();
    if (a->num == 0) {
        json_decref(changes);
        return json_null();
    }
    for (size_t i = 0; i < a->num; i++) {
        (void)json_array_append_new(changes, json_pack("{s:s, s:o}", "option", a->changes[i].option,
                                                       "value", text_or_null(a->changes[i].value)));
    }
    return json_pack("{s:o, s:s, s:b, s:o}", "changes", changes, "outcome", a->outcome,
                     "made_certificate", a->made_certificate, "warning", text_or_null(a->warning));
}

static json_t *obstacle(const struct cl_explained *e)
{
    const struct cleat_error *err = &e->r->error;
    const enum cl_list list = cl_list_of_code(err->code);
    json_t *o = json_pack("{s:s, s:o, s:o, s:i, s:o, s:o}", "code", cleat_error_name(err->code),
                          "text", text_or_null(err->text), "section", text_or_null(err->section),
                          "alert", err->alert, "alert_name", text_or_null(e->r->alert_name), "hint",
                          text_or_null(err->hint));
    if (list != CL_LIST_NUM) {
        struct cl_names names;
        (void)json_object_set_new(o, "about", json_string(cl_list_key(list)));
        cl_names_offered(e->r, list, &names);
        (void)json_object_set_new(o, "offered", names_json(&names));
        cl_names_allowed(e->r, list, &names);
        (void)json_object_set_new(o, "allowed", names_json(&names));
    }
    (void)json_object_set_new(o, "advice", advice(e->advice));
    (void)json_object_set_new(o, "tried", json_integer((json_int_t)e->advice->num_tried));
    return o;
}

/* ---- agreed ---- */

static void add_agreed(json_t *j, const struct cl_explained *e)
{
    static const char *const asked[] = {"none", "optional", "required"};
    const struct cl_rehearsal *r = e->r;
    const struct cl_told *ech = cl_rehearsal_find(r, "Encrypted Client Hello");
    const struct cl_told *early = cl_rehearsal_find(r, "early data");
    const struct {
        const char *key;
        const char *value;
    } texts[] = {
        {"version", r->version == CLEAT_TLS_1_3 ? "TLS 1.3" : "TLS 1.2"},
        {"cipher_suite", r->suite != NULL ? r->suite->name : NULL},
        {"group", r->group != NULL ? r->group->name : NULL},
        {"signature_scheme", r->scheme != NULL ? r->scheme->name : NULL},
        {"alpn", r->alpn},
        {"certificate", cl_credential_file(r, e->options)},
        {"certificate_compression", r->compression},
        {"ech", ech != NULL ? ech->value : NULL},
        {"early_data", early != NULL ? early->value : NULL},
        {"client_certificate", asked[r->certificate_wanted ? r->config->client_auth : 0]},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        (void)json_object_set_new(j, texts[i].key, text_or_null(texts[i].value));
    }
    (void)json_object_set_new(j, "resumed", json_boolean(r->resumed));
    (void)json_object_set_new(j, "record_size_limit",
                              r->record_limit != 0 ? json_integer(r->record_limit) : json_null());
}

json_t *cl_explain_json(const struct cl_explained *e)
{
    static const char *const outcomes[] = {[CL_OUTCOME_AGREED] = "agreed",
                                           [CL_OUTCOME_RETRY] = "agreed so far",
                                           [CL_OUTCOME_REFUSED] = "refused"};
    const struct cl_rehearsal *r = e->r;
    const struct cl_told *ticket = cl_rehearsal_find(r, "session ticket");
    json_t *j = json_pack("{s:o, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "file",
                          text_or_null(e->file), "origin", text_or_null(e->origin), "ja4",
                          text_or_null(e->ja4), "outcome", outcomes[r->outcome], "bytes",
                          (int)r->first_len, "server_name", text_or_null(r->offer.server_name),
                          "retry", text_or_null(r->retry != NULL ? r->retry->name : NULL),
                          "session_ticket", text_or_null(ticket != NULL ? ticket->value : NULL),
                          "offers", offers(r), "choices", choices(r), "notes", notes(e->notes));
    if (r->outcome == CL_OUTCOME_REFUSED) {
        (void)json_object_set_new(j, "obstacle", obstacle(e));
    } else if (j != NULL) {
        add_agreed(j, e);
    }
    return j;
}
