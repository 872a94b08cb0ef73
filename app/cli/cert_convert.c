/* cli/cert_convert.c - `cleat cert convert`: PEM to DER and back. Bytes are not changed, only how
 * they are wrapped. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/pem.h"
#include "cli/cert.h"
#include "cli/cert_items.h"
#include "cli/cli.h"
#include "cli/options.h"

enum { TO = 1, OUTPUT, FORCE, HELP };

static const struct cl_option options[] = {
    {TO, 0, "to", "FORM", "pem or der (default: what FILE is not)"},
    {OUTPUT, 'o', "output", "FILE", "write a file; of a key, for its owner alone (default: print)"},
    {FORCE, 0, "force", NULL, "write over that file if there is one"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert convert",
    .synopsis = "[OPTION]... FILE|-",
    .about = "Turns PEM into DER and DER into PEM: certificates and chains, certificate requests,\n"
             "revocation lists and keys. What it is, is found out. A chain in DER is one\n"
             "certificate after another. Text between PEM blocks is left out.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert convert -o server.der server.pem\n"
                "  cleat cert convert --to pem < ca.crt",
};

enum form { FORM_OTHER = 0, FORM_PEM, FORM_DER };

struct wish {
    const char *input, *output;
    enum form to;
    bool force;
};

static int take(void *ctx, int id, const struct cl_options *o)
{
    struct wish *w = ctx;
    switch (id) {
    case TO:
        w->to = strcmp(o->value, "pem") == 0   ? FORM_PEM
                : strcmp(o->value, "der") == 0 ? FORM_DER
                                               : FORM_OTHER;
        return w->to != FORM_OTHER
                   ? 0
                   : cl_options_complain(&usage, "--to takes pem or der, not '%s'", o->value);
    case OUTPUT:
        w->output = o->value;
        return 0;
    case FORCE:
        w->force = true;
        return 0;
    case CL_OPTIONS_OPERAND:
        if (w->input != NULL) {
            return cl_options_complain(&usage, "one file at a time");
        }
        w->input = o->value;
        return 0;
    default:
        return CL_EXIT_USAGE;
    }
}

static cl_result check_der(const struct wish *w, const struct cert_items *list,
                           struct cleat_error *err)
{
    for (size_t i = 1; i < list->num; i++) {
        if (list->items[i].kind != list->items[0].kind) {
            return cl_error_set(err,
                                (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                                .hint = "take them apart first: DER has no labels"},
                                "%s: it holds a %s and a %s, which cannot go into one DER file",
                                w->input, cl_kind_name(list->items[0].kind),
                                cl_kind_name(list->items[i].kind));
        }
    }
    if (w->output == NULL && isatty(STDOUT_FILENO) == 1) {
        return cl_error_set(err,
                            (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                            .hint = "name a file with -o, or use a pipe"},
                            "DER would mess up the terminal");
    }
    return CL_OK;
}

static cl_result put(const struct wish *w, enum form to, const struct cert_item *item,
                     struct cl_buf *out, struct cleat_error *err)
{
    if (item->der.len == 0) {
        return cl_error_set(
            err,
            (struct cl_why){.code = CLEAT_ERR_NEEDS_PASSPHRASE,
                            .hint = "make it PKCS#8: openssl pkcs8 -topk8 -in key.pem"},
            "%s: line %zu: a private key encrypted in the old way, which only PEM has", w->input,
            item->line);
    }
    /* 2: base64 and its lines take less than twice the room */
    return to == FORM_PEM ? cl_pem_encode(cl_kind_label(item->kind), cl_buf_view(&item->der), out)
                          : cl_buf_append(out, item->der.p, item->der.len, 2 * CERT_ITEMS_MAX_FILE);
}

static cl_result convert(const struct wish *w, const struct cert_items *list, struct cl_buf *out,
                         bool *is_secret, struct cleat_error *err)
{
    const enum form to = w->to != FORM_OTHER ? w->to : list->is_pem ? FORM_DER : FORM_PEM;
    if (to == FORM_DER) {
        CL_TRY(check_der(w, list, err));
        if (list->num > 1) {
            (void)fprintf(stderr,
                          "cleat cert convert: note: %zu in one DER file; many programs read the "
                          "first alone\n",
                          list->num);
        }
    }
    for (size_t i = 0; i < list->num; i++) {
        CL_TRY(put(w, to, &list->items[i], out, err));
        *is_secret = *is_secret || cl_kind_is_private(list->items[i].kind);
    }
    return CL_OK;
}

static int run(const struct wish *w)
{
    struct cleat_error err = {0};
    struct cert_items list = {0};
    struct cl_buf out = {0};
    bool is_secret = false;
    cl_result r = cert_items_read(&list, w->input, &err);
    if (r == CL_OK) {
        r = convert(w, &list, &out, &is_secret, &err);
    }
    if (r == CL_OK) {
        r = cert_output(w->output, cl_buf_view(&out), is_secret ? 0600 : 0644, w->force, &err);
    }
    cl_buf_deinit(&out);
    cert_items_deinit(&list);
    return cert_tool_finish(usage.command, r, "the conversion", &err);
}

int cert_convert_run(int argc, char **argv)
{
    struct wish w = {0};
    int code;
    if (!cl_options_each(&usage, argc, argv, HELP, take, &w, &code)) {
        return code;
    }
    return w.input != NULL ? run(&w) : cl_options_complain(&usage, "no file given");
}
