#include "support_watch.h"

#include <stdio.h>
#include <string.h>

void w_begin(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->ca = t_ca("Watch CA", NULL, 0);
    const struct entity *anchors[] = {&w->ca};
    w->trust = t_trust(anchors, 1);
    w->limits = (struct cl_watch_limits){.warn = {1, 3}, .act = {1, 6}};
    w->facts = (struct cl_watch_facts){
        .name = "leaf.example.com:443", .host = "leaf.example.com", .at = T_NOW};
    assert_int_equal(cl_watch_facts_room(&w->facts, CL_WATCH_MAX_SIDES), CL_OK);
}

void w_end(struct world *w)
{
    cl_watch_findings_deinit(&w->findings);
    cl_watch_facts_reset(&w->facts);
    cleat_trust_store_free(w->trust);
    t_free(&w->ca);
}

struct entity w_leaf(const struct world *w, int64_t lifetime, int64_t age)
{
    struct cl_cert_template tpl = t_template("leaf.example.com", &w->ca, t_key(1), false);
    tpl.not_before = T_NOW - age;
    tpl.not_after = tpl.not_before + lifetime - 1;
    return t_make(&tpl, &w->ca, t_key(1));
}

static void fill(struct world *w, struct cl_watch_side *side, const struct entity *leaf,
                 const struct entity *second)
{
    const struct cl_watch_judges judges = {.trust = w->trust, .revocation = &w->revocation};
    const struct cleat_cert *certs[] = {leaf->cert, second != NULL ? second->cert : NULL};
    assert_int_equal(cl_chain_from_certs(&side->chain, certs, second != NULL ? 2 : 1), CL_OK);
    side->reach = CL_WATCH_SEEN;
    assert_int_equal(cl_watch_look_over(&w->facts, side, &judges, NULL), CL_OK);
}

struct cl_watch_side *w_serve(struct world *w, const struct entity *leaf,
                              const struct entity *second, struct cl_rd staple)
{
    struct cl_watch_side *side = &w->facts.served[w->facts.num_served++];
    if (staple.len != 0) {
        assert_int_equal(cl_buf_append(&side->staple, staple.p, staple.len, staple.len), CL_OK);
    }
    side->completed = true;
    side->version = 0x0304;
    (void)snprintf(side->address, sizeof(side->address), "192.0.2.%zu:443", w->facts.num_served);
    fill(w, side, leaf, second);
    return side;
}

void w_disk(struct world *w, const struct entity *leaf, const struct entity *second)
{
    w->facts.file = "/etc/web.pem";
    w->facts.disk.on_disk = true;
    fill(w, &w->facts.disk, leaf, second);
}

const char *w_found(struct world *w)
{
    static char text[1000];
    size_t len = 0;
    cl_watch_judge(&w->facts, &w->limits, &w->findings);
    text[0] = '\0';
    for (size_t i = 0; i < w->findings.num; i++) {
        const struct cl_watch_kind *kind = cl_watch_kind(w->findings.items[i].kind);
        assert_true(w->findings.items[i].text[0] != '\0');
        if (kind->severity != CL_WATCH_NOTE) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? " " : "",
                                    kind->id);
        }
    }
    return text;
}
