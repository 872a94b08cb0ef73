/* cli/cert_tlsa.c - `cleat cert tlsa`: the TLSA record that names a certificate or its key. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/dane.h"
#include "cli/cert.h"
#include "cli/cert_fetch.h"
#include "cli/cert_items.h"
#include "cli/cli.h"
#include "cli/client_options.h"
#include "cli/client_target.h"
#include "x509/cert.h"

enum { USAGE = 1, SELECTOR, MATCHING, HOST, PORT, HELP };

/* In usages 0 and 2 a record names an authority. */
#define IS_AUTHORITY(usage) ((usage) == CLEAT_TLSA_PKIX_TA || (usage) == CLEAT_TLSA_DANE_TA)

static const struct cl_option options[] = {
    {USAGE, 0, "usage", "USAGE",
     "3, DANE-EE: this certificate or key (default); 2, DANE-TA: this authority;\n"
     "1, PKIX-EE, and 0, PKIX-TA: the same, and the chain must be trusted as well"},
    {SELECTOR, 0, "selector", "SELECTOR",
     "1, SPKI: the public key (default); 0, Cert: the whole certificate"},
    {MATCHING, 0, "matching", "TYPE",
     "1, SHA2-256 (default); 2, SHA2-512; 0, Full: no digest but all of it"},
    {HOST, 0, "host", "NAME", "print a line for a zone file, for this server"},
    {PORT, 0, "port", "PORT", "on this port (443)"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert tlsa",
    .synopsis = "[OPTION]... FILE|-|https://HOST[:PORT]",
    .about =
        "Prints the TLSA record (DANE, RFC 6698) that names a certificate: the first of a file or\n"
        "of what a server sends; for usages 0 and 2 the last, which must be a CA's.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert tlsa --host www.example.com server.pem\n"
                "  cleat cert tlsa --usage DANE-TA --selector Cert ca.pem\n"
                "  cleat cert tlsa https://www.example.com",
};

struct wish {
    const char *source;
    const char *host;
    long port;
    uint8_t numbers[3]; /* usage, selector, matching type */
};

/* Names as in RFC 7218; in the order of the numbers. */
static const char *const words[3][5] = {
    {"PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE", NULL},
    {"Cert", "SPKI", NULL},
    {"Full", "SHA2-256", "SHA2-512", NULL},
};

static int set_number(struct wish *w, size_t which, const struct cl_options *o)
{
    for (uint8_t i = 0; words[which][i] != NULL; i++) {
        const char digit[] = {(char)('0' + i), '\0'};
        if (strcmp(o->value, digit) == 0 ||
            cl_ascii_equal_fold(cl_rd_str(o->value), cl_rd_str(words[which][i]))) {
            w->numbers[which] = i;
            return 0;
        }
    }
    return cl_options_complain(&usage,
                               "%s takes a number or a name of RFC 7218 (see --help), not "
                               "'%s'",
                               o->spelled, o->value);
}

static int take(void *ctx, int id, const struct cl_options *o)
{
    struct wish *w = ctx;
    switch (id) {
    case USAGE:
    case SELECTOR:
    case MATCHING:
        return set_number(w, (size_t)(id - USAGE), o);
    case HOST:
        w->host = o->value;
        return 0;
    case PORT:
        return cl_options_number(o, 1, 65535, &w->port) ? 0 : CL_EXIT_USAGE;
    case CL_OPTIONS_OPERAND:
        if (w->source != NULL) {
            return cl_options_complain(&usage, "one certificate at a time");
        }
        w->source = o->value;
        return 0;
    default:
        return CL_EXIT_USAGE;
    }
}

/* ---- the certificate ---- */

static cl_result from_file(const struct wish *w, struct cleat_cert **out, struct cleat_error *err)
{
    struct cert_items items = {0};
    struct cleat_error inner = {0};
    const struct cert_item *found = NULL;
    CL_TRY(cert_items_read(&items, w->source, err));
    for (size_t i = 0; i < items.num && (found == NULL || IS_AUTHORITY(w->numbers[0])); i++) {
        found = items.items[i].kind == CL_KIND_CERT ? &items.items[i] : found;
    }
    cl_result r = CLEAT_ERR_NO_CERTIFICATE;
    if (found != NULL) {
        r = cl_cert_parse(out, cl_buf_view(&found->der), &inner);
    }
    cert_items_deinit(&items);
    return r == CL_OK
               ? r
               : cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", w->source,
                              inner.text[0] != '\0' ? inner.text : cleat_error_sentence((int)r));
}

/* Its name and port are in the URL, unless --host says another. */
static cl_result from_server(struct wish *w, struct client_target *target, struct cleat_cert **out,
                             struct cleat_error *err)
{
    const struct client_options none = {0};
    struct cert_fetched fetched = {0};
    if (client_target_parse(target, w->source, strlen(w->source), err) != 0) {
        return (cl_result)err->code;
    }
    if (cert_fetch(w->source, &none, &fetched) != 0) {
        const struct cl_why why = {.code = (cl_result)fetched.err.code, .hint = fetched.err.hint};
        (void)cl_error_set(err, why, "%s: %s", w->source, fetched.err.text);
    } else {
        const size_t num = cleat_chain_num(fetched.chain);
        *out = cleat_cert_ref(
            cleat_chain_at(fetched.chain, IS_AUTHORITY(w->numbers[0]) ? num - 1 : 0));
    }
    cert_fetched_deinit(&fetched);
    if (w->host == NULL) {
        w->host = target->host;
        w->port = w->port != 0 ? w->port : target->port;
    }
    return (cl_result)err->code;
}

/* ---- the record ---- */

static cl_result print_record(const struct wish *w, const struct cleat_cert *cert)
{
    struct cl_buf data = {0}, text = {0};
    struct cleat_tlsa record = {
        .usage = w->numbers[0], .selector = w->numbers[1], .matching = w->numbers[2]};
    char owner[CLIENT_HOST_SIZE + 16];
    cl_result r = cl_buf_reserve(&data, CLEAT_TLSA_MAX_DATA, CLEAT_TLSA_MAX_DATA);
    if (r == CL_OK) {
        r = (cl_result)cleat_tlsa_data(cert, record.selector, record.matching, data.p, data.cap,
                                       &record.len);
    }
    record.data = data.p;
    if (r == CL_OK) {
        const size_t len = cleat_tlsa_text(&record, NULL, 0) + 1;
        r = cl_buf_reserve(&text, len, len);
    }
    if (r == CL_OK) {
        (void)cleat_tlsa_text(&record, (char *)text.p, text.cap);
        if (w->host != NULL) {
            (void)cleat_tlsa_owner(w->host, (uint16_t)(w->port != 0 ? w->port : 443), owner,
                                   sizeof(owner));
            (void)printf("%s. IN TLSA ", owner);
        }
        (void)printf("%s\n", (const char *)text.p);
    }
    cl_buf_deinit(&data);
    cl_buf_deinit(&text);
    return r;
}

static int make(struct wish *w, struct client_target *target)
{
    struct cleat_error err = {0};
    struct cleat_cert *cert = NULL;
    cl_result r = strstr(w->source, "://") != NULL ? from_server(w, target, &cert, &err)
                                                   : from_file(w, &cert, &err);
    if (r == CL_OK && IS_AUTHORITY(w->numbers[0]) && !cleat_cert_is_ca(cert)) {
        r = cl_error_set(&err,
                         (struct cl_why){.code = CLEAT_ERR_NOT_A_CA,
                                         .section = "RFC 6698 2.1.1",
                                         .hint = "give the file of the authority's certificate, or "
                                                 "--usage 3"},
                         "%s: usage %u names an authority, and its last certificate is not a CA's",
                         w->source, w->numbers[0]);
    }
    if (r == CL_OK) {
        r = print_record(w, cert);
    }
    cleat_cert_free(cert);
    return cert_tool_finish(usage.command, r, "the record", &err);
}

int cert_tlsa_run(int argc, char **argv)
{
    struct wish w = {.numbers = {CLEAT_TLSA_DANE_EE, CLEAT_TLSA_SPKI, CLEAT_TLSA_SHA2_256}};
    int code;
    if (!cl_options_each(&usage, argc, argv, HELP, take, &w, &code)) {
        return code;
    }
    if (w.source == NULL) {
        return cl_options_complain(&usage, "no certificate given");
    }
    if (w.port != 0 && w.host == NULL && strstr(w.source, "://") == NULL) {
        return cl_options_complain(&usage, "--port is of no use without --host");
    }
    struct client_target *target = cl_calloc(1, sizeof(*target));
    if (target == NULL) {
        return CL_EXIT_FAILURE;
    }
    code = make(&w, target);
    cl_free(target);
    return code;
}
