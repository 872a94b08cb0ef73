/* cli/cert_watch_json.c - what `cleat cert watch` found, as JSON: an object on a line. */
#include <jansson.h>

#include "cleat/tls.h"
#include "cli/cert_watch.h"
#include "conn/proof.h"

/* Goes up when a member changes its meaning or goes away. */
#define JSON_SCHEMA 1

/* What is not UTF-8 becomes null. */
static void set_text(json_t *o, const char *name, const char *text)
{
    json_t *value = text != NULL && text[0] != '\0' ? json_string(text) : NULL;
    (void)json_object_set_new(o, name, value != NULL ? value : json_null());
}

static void set_error(json_t *o, const struct cleat_error *error)
{
    if (error->code != 0) {
        json_t *e = json_object();
        set_text(e, "code", cleat_error_name(error->code));
        set_text(e, "text", error->text);
        set_text(e, "hint", error->hint);
        (void)json_object_set_new(o, "error", e);
    }
}

static json_t *chain_of(const struct cl_watch_side *side)
{
    json_t *list = json_array();
    for (size_t i = 0; side->chain != NULL && i < cl_chain_num(side->chain); i++) {
        (void)json_array_append_new(list, cl_proof_cert(cl_chain_at(side->chain, i)));
    }
    return list;
}

static json_t *side_of(const struct cl_watch_side *side)
{
    json_t *o = json_object();
    const bool seen = side->reach == CL_WATCH_SEEN;
    if (!side->on_disk) {
        set_text(o, "address", side->address);
        set_text(o, "tls",
                 !side->completed                 ? NULL
                 : side->version == CLEAT_TLS_1_3 ? "TLS 1.3"
                                                  : "TLS 1.2");
        (void)json_object_set_new(o, "stapled", json_boolean(side->staple.len != 0));
        (void)json_object_set_new(o, "ms", json_real((double)side->duration_us / 1e3));
    }
    (void)json_object_set_new(o, "seen", json_boolean(seen));
    if (seen) {
        (void)json_object_set_new(o, "trusted",
                                  json_boolean(cleat_verdict_code(side->path) == CLEAT_OK));
    }
    (void)json_object_set_new(o, "certificates", chain_of(side));
    set_error(o, &side->error);
    return o;
}

static json_t *findings_of(const struct cl_watch_report *report)
{
    static const char *const severities[] = {"note", "unchecked", "warning", "critical"};
    json_t *list = json_array();
    for (size_t i = 0; i < report->findings->num; i++) {
        const struct cl_watch_finding *f = &report->findings->items[i];
        const struct cl_watch_kind *kind = cl_watch_kind(f->kind);
        json_t *o = json_object();
        set_text(o, "finding", kind->id);
        set_text(o, "severity", severities[kind->severity]);
        set_text(o, "where", f->side == NULL ? NULL : f->side->on_disk ? "disk" : "served");
        if (f->side != NULL && !f->side->on_disk) {
            set_text(o, "address", f->side->address);
        }
        set_text(o, "text", f->text);
        set_text(o, "hint", f->hint);
        (void)json_array_append_new(list, o);
    }
    return list;
}

static void set_left(json_t *o, const struct cl_watch_facts *f)
{
    const struct cl_watch_side *side = cl_watch_shown(f);
    if (side != NULL) {
        const struct cleat_cert *leaf = cl_watch_leaf(side);
        const int64_t from = cl_cert_not_before(leaf), until = cl_cert_not_after(leaf);
        const int64_t left = until - f->at;
        (void)json_object_set_new(o, "not_after", json_integer(until));
        (void)json_object_set_new(o, "seconds_left", json_integer(left));
        (void)json_object_set_new(o, "share_left",
                                  json_real((double)left / (double)(until - from + 1)));
    }
}

static json_t *target_of(const struct cl_watch_report *report)
{
    static const char *const keys[] = {
        [CL_WATCH_KEY_SAME] = "matches",
        [CL_WATCH_KEY_DIFFERS] = "differs",
        [CL_WATCH_KEY_UNREADABLE] = "unreadable",
    };
    const struct cl_watch_facts *f = report->facts;
    json_t *o = json_object(), *served = json_array();
    set_text(o, "target", f->name);
    set_text(o, "state", cert_watch_state(report));
    set_text(o, "host", f->host);
    set_text(o, "file", f->file);
    set_left(o, f);
    if (f->file != NULL) {
        set_text(o, "key", keys[f->key]);
        (void)json_object_set_new(o, "disk", side_of(&f->disk));
    }
    for (size_t i = 0; i < f->num_served; i++) {
        (void)json_array_append_new(served, side_of(&f->served[i]));
    }
    (void)json_object_set_new(o, "served", served);
    (void)json_object_set_new(o, "findings", findings_of(report));
    return o;
}

void cert_watch_json(const struct cert_watch_news *news, FILE *out)
{
    json_t *all = json_object(), *targets = json_array(), *hooks = json_array();
    for (size_t i = 0; i < news->num; i++) {
        if (!news->quiet || cl_watch_worst(news->reports[i].findings) != CL_WATCH_NOTE) {
            (void)json_array_append_new(targets, target_of(&news->reports[i]));
        }
    }
    for (size_t i = 0; i < news->num_hooks; i++) {
        json_t *o = json_object();
        set_text(o, "target", news->hooks[i].target);
        set_text(o, "finding", news->hooks[i].finding);
        (void)json_object_set_new(o, "exit_code", json_integer(news->hooks[i].exit_code));
        set_text(o, "text", news->hooks[i].text);
        (void)json_array_append_new(hooks, o);
    }
    (void)json_object_set_new(all, "schema", json_integer(JSON_SCHEMA));
    (void)json_object_set_new(all, "at", json_integer(news->at));
    (void)json_object_set_new(all, "exit_code", json_integer(news->exit_code));
    (void)json_object_set_new(all, "targets", targets);
    (void)json_object_set_new(all, "hooks", hooks);
    (void)json_dumpf(all, out, JSON_COMPACT | JSON_REAL_PRECISION(6));
    (void)fputc('\n', out);
    (void)fflush(out);
    json_decref(all);
}
