/* cli/cert_gather.c - a loop of its own for one gathering. */
#include "cli/cert_gather.h"

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/get_codes.h"

struct run {
    const struct cl_gather_spec *spec;
    struct client_evidence evidence;
    bool over;
};

static void on_gathered(void *ctx, const struct cl_gathered *result)
{
    struct run *run = ctx;
    run->evidence.gather = NULL;
    run->over = true;
    run->spec->done(run->spec->ctx, result);
}

static int gather(struct run *run, struct client *c, struct cleat_error *err)
{
    struct cl_gather_spec spec = *run->spec;
    spec.done = on_gathered;
    spec.ctx = run;
    int code = client_evidence_open(&run->evidence, err);
    if (code == 0 && client_evidence_gather(&run->evidence, &spec) != CL_OK) {
        code = GET_EXIT_NO_MEMORY;
    }
    while (code == 0 && !run->over && uv_run(&c->loop, UV_RUN_ONCE) != 0) {
    }
    if (code == 0 && !run->over) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_INTERNAL},
                           "nothing is left to wait for");
        code = CL_EXIT_FAILURE;
    }
    client_evidence_close(&run->evidence);
    return code;
}

int cert_gather(const struct client_options *o, const struct client_revocation *revocation,
                struct cl_gather_spec *spec, struct cleat_error *err)
{
    const struct client_options own = {
        .cacert = o->cacert, .capath = o->capath, .resolves = o->resolves};
    struct client *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return GET_EXIT_NO_MEMORY;
    }
    int code = client_init(c, &own, err);
    if (code == 0) {
        struct run run = {.spec = spec,
                          .evidence = {.options = o,
                                       .revocation = revocation,
                                       .trust = spec->verify.trust,
                                       .hub = c->hub,
                                       .dns = c->dns}};
        code = gather(&run, c, err);
    }
    client_deinit(c);
    cl_free(c);
    return code;
}
