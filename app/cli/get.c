/* cli/get.c - the command `cleat get`: an HTTPS client with curl's flags and exit codes. */
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/client_explain.h"
#include "cli/get_codes.h"
#include "cli/get_done.h"
#include "cli/get_print_curl.h"
#include "cli/get_transfer.h"

/* The message of a failure: what happened, then what it is called and where it stands, then what to
 * do about it. */
static void report(const struct get_options *o, int code, const struct cleat_error *error)
{
    if (code == 0 || (o->silent && !o->show_error)) {
        return;
    }
    (void)fprintf(stderr, "cleat: (%d) %s\n", code,
                  error->text[0] != '\0' ? error->text : cleat_error_sentence(error->code));
    client_tell_detail(error, code == GET_EXIT_VERIFY);
}

static int get_one(struct get_session *s, size_t i)
{
    const struct get_options *o = s->options;
    bool remote = i < o->outputs.num && o->outputs.items[i] == NULL;
    const char *output = i < o->outputs.num ? o->outputs.items[i] : NULL;
    struct get_transfer *t = cl_calloc(1, sizeof(*t));
    if (t == NULL) {
        return GET_EXIT_NO_MEMORY;
    }
    t->facts.url_num = (long)i;
    int code = get_transfer_run(t, s, o->urls.items[i], output, remote);
    report(o, code, &t->err);
    code = get_done(o, &t->facts);
    get_facts_deinit(&t->facts);
    get_transfer_deinit(t);
    cl_free(t);
    return code;
}

static int run(const struct get_options *o)
{
    struct get_session s;
    struct cleat_error err = {0};
    int code = get_session_init(&s, o, &err);
    if (code != 0) {
        report(o, code, &err);
    }
    for (size_t i = 0; code == 0 && i < o->urls.num; i++) {
        int one = get_one(&s, i);
        code = one; /* as curl: the last one's, but a failure stops nothing */
        if (one != 0 && i + 1 < o->urls.num) {
            code = 0;
        }
    }
    get_session_deinit(&s);
    return code;
}

int cl_cmd_get(int argc, char **argv)
{
    struct get_options o;
    (void)signal(SIGPIPE, SIG_IGN);
    int code = get_options_parse(&o, argc, argv);
    if (code == 0 && o.print_curl) {
        code = get_print_curl(argc, argv, stdout, stderr);
    } else if (code == 0) {
        code = run(&o);
    } else if (code < 0) {
        code = CL_EXIT_OK;
    }
    get_options_deinit(&o);
    return code;
}
