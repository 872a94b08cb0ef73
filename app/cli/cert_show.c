/* cli/cert_show.c - `cleat cert show`: read files and servers, and print what they hold. */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cert.h"
#include "cli/cert_fetch.h"
#include "cli/cert_items.h"
#include "cli/cli.h"
#include "cli/client_ct.h"
#include "cli/client_options.h"
#include "cli/get_codes.h"
#include "cli/show_items.h"
#include "net/clock.h"
#include "x509/chain.h"

/* 20: entries of a list that are shown when nothing is said; the web's lists have thousands */
#define DEFAULT_ENTRIES 20
/* 100: sources of one command line; more is a mistake in a script */
#define MAX_SOURCES     100

enum { JSON = 1, ENTRIES, SERIAL, PASSIN, CT_LOGS, CACERT, CAPATH, HELP };

static const struct cl_option options[] = {
    {JSON, 0, "json", NULL, "print JSON"},
    {ENTRIES, 0, "entries", "N|all", "entries shown of a list or response (default: 20)"},
    {SERIAL, 0, "serial", "HEX", "only the entries about the certificate with that number"},
    CERT_PASSIN_ROW(PASSIN),
    {CT_LOGS, 0, "ct-logs", "FILE", "names of logs, for timestamps: the browsers' list (JSON)"},
    {CACERT, 0, "cacert", "FILE", "verify a server's chain with these CA certificates"},
    {CAPATH, 0, "capath", "DIR", "and with those in the files of DIR"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert show",
    .synopsis = "[OPTION]... FILE|-|https://HOST[:PORT]...",
    .about =
        "Prints what is in files (PEM, DER or PKCS#12) or on standard input: certificates, "
        "requests,\n"
        "revocation lists, OCSP responses, timestamps (SCTs) and keys, of private ones only what\n"
        "they publish. Or the chain of a server, which is verified as well, and shown whatever "
        "the\n"
        "verdict. Nothing else is verified.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert show server.pem\n"
                "  cleat cert show --json https://example.com | jq .certificates[0].days_left\n"
                "  cleat cert show --serial 1a2b ca.crl\n"
                "  cleat cert show --passin file:word server.p12",
};

struct show {
    const char *sources[MAX_SOURCES];
    size_t num_sources;
    struct client_options trust; /* --cacert, --capath */
    struct show_wish wish;
    struct cert_opening how;
    const char *passin;
    const char *ct_logs;
    struct cleat_ct_logs *logs;
    uint8_t serial[64]; /* bytes; RFC 5280 4.1.2.2 allows 20 */
    bool json;
};

static int take_serial(struct show *show, const struct cl_options *o)
{
    char digits[2 * sizeof(show->serial) + 1];
    size_t len = 0;
    /* as people write them: 0x in front, colons between, an odd number of digits */
    const char *p = strncmp(o->value, "0x", 2) == 0 ? o->value + 2 : o->value;
    const size_t num = strlen(p);
    size_t count = 0;
    for (size_t i = 0; i < num; i++) {
        count += p[i] != ':';
    }
    digits[0] = '0';
    size_t at = count % 2;
    for (size_t i = 0; i < num && at + 1 < sizeof(digits); i++) {
        if (p[i] != ':') {
            digits[at++] = p[i];
        }
    }
    if (count == 0 || count > 2 * sizeof(show->serial) ||
        !cl_hex_decode(digits, at, show->serial, sizeof(show->serial), &len)) {
        return cl_options_complain(&usage, "--serial takes hexadecimal digits, not '%s'", o->value);
    }
    show->wish.serial = cl_rd_of(show->serial, len);
    return 0;
}

static int take(void *ctx, int id, const struct cl_options *o)
{
    struct show *show = ctx;
    long number = 0;
    switch (id) {
    case JSON:
        show->json = true;
        return 0;
    case ENTRIES:
        if (strcmp(o->value, "all") == 0) {
            show->wish.max_entries = SIZE_MAX;
            return 0;
        }
        if (!cl_options_number(o, 0, INT32_MAX, &number)) {
            return CL_EXIT_USAGE;
        }
        show->wish.max_entries = (size_t)number;
        return 0;
    case SERIAL:
        return take_serial(show, o);
    case PASSIN:
        return cert_pass_set(&show->passin, o);
    case CT_LOGS:
        show->ct_logs = o->value;
        return 0;
    case CACERT:
        show->trust.cacert = o->value;
        return 0;
    case CAPATH:
        show->trust.capath = o->value;
        return 0;
    case CL_OPTIONS_OPERAND:
        if (show->num_sources == MAX_SOURCES) {
            return cl_options_complain(&usage, "more than %d files", MAX_SOURCES);
        }
        show->sources[show->num_sources++] = o->value;
        return 0;
    default:
        return CL_EXIT_USAGE;
    }
}

static int complain(const char *source, const struct cleat_error *err)
{
    (void)fprintf(stderr, "cleat cert show: %s: %s\n", source, err->text);
    if (err->hint[0] != '\0') {
        (void)fprintf(stderr, "  hint: %s\n", err->hint);
    }
    return CL_EXIT_FAILURE;
}

/* The certificates of a file, which may be more than a chain. */
struct certs {
    struct cleat_cert **items;
    size_t num;
};

static void certs_deinit(struct certs *c)
{
    for (size_t i = 0; i < c->num; i++) {
        cleat_cert_free(c->items[i]);
    }
    cl_free(c->items);
}

static cl_result parse_certs(struct certs *c, const struct cert_items *list,
                             struct cleat_error *err)
{
    c->items = cl_calloc(list->num, sizeof(struct cleat_cert *));
    if (c->items == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < list->num; i++) {
        const struct cert_item *item = &list->items[i];
        if (item->kind == CL_KIND_CERT) {
            CL_TRY(
                (cl_result)cleat_cert_from_der(item->der.p, item->der.len, &c->items[c->num], err));
            c->num++;
        }
    }
    return CL_OK;
}

static void print(const struct show *show, const struct cert_report *report)
{
    if (show->json) {
        cert_print_json(report, stdout);
    } else {
        cert_print_text(report, stdout);
    }
}

static int show_server(const struct show *show, const char *source)
{
    struct cert_fetched fetched = {0};
    int code = cert_fetch(source, &show->trust, &fetched);
    if (code == 0) {
        const struct cleat_cert *certs[CL_CHAIN_MAX];
        size_t num = 0;
        for (; num < cl_chain_num(fetched.chain) && num < CL_CHAIN_MAX; num++) {
            certs[num] = cl_chain_at(fetched.chain, num);
        }
        struct cert_report report = {.source = source,
                                     .certs = certs,
                                     .num = num,
                                     .verdict = fetched.verdict,
                                     .now = (int64_t)(cl_clock_unix_ms() / 1000),
                                     .logs = show->logs};
        print(show, &report);
    } else {
        (void)complain(source, &fetched.err);
    }
    cert_fetched_deinit(&fetched);
    return code;
}

/* What is no certificate: as text right away, as JSON into the report. */
static cl_result show_others(struct show *show, const struct cert_items *list,
                             struct cert_report *report, struct cleat_error *err)
{
    for (size_t i = 0; i < list->num; i++) {
        const struct cert_item *item = &list->items[i];
        struct facts f = {.out = show->json ? NULL : stdout, .now = report->now};
        if (item->kind == CL_KIND_CERT) {
            continue;
        }
        if (show->json) {
            f.object = json_object();
            (void)json_array_append_new(report->items, f.object);
        } else {
            const char *name = cl_kind_name(item->kind);
            (void)printf("%s%c%s\n", report->num + i > 0 ? "\n" : "", name[0] & ~0x20, name + 1);
        }
        CL_TRY(show_item(&f, item, &show->wish, err));
    }
    return CL_OK;
}

static cl_result show_list(struct show *show, const struct cert_items *list,
                           struct cert_report *report, struct certs *certs, struct cleat_error *err)
{
    CL_TRY(parse_certs(certs, list, err));
    report->certs = (const struct cleat_cert *const *)certs->items;
    report->num = certs->num;
    if (show->json) {
        CL_TRY(show_others(show, list, report, err));
        print(show, report);
        return CL_OK;
    }
    print(show, report);
    return show_others(show, list, report, err);
}

static int show_file(struct show *show, const char *path)
{
    struct cert_report report = {.source = path,
                                 .now = (int64_t)(cl_clock_unix_ms() / 1000),
                                 .items = show->json ? json_array() : NULL,
                                 .logs = show->logs};
    struct certs certs = {0};
    struct cert_items list = {0};
    struct cleat_error err = {0};
    show->wish.path = path;
    cl_result r = cert_items_read(&list, path, &err);
    if (r != CL_OK) { /* names the path itself */
        (void)cert_tool_complain(usage.command, &err);
    } else {
        r = show_list(show, &list, &report, &certs, &err);
        if (r != CL_OK) {
            (void)cl_error_set(&err, (struct cl_why){.code = r}, "%s",
                               cleat_error_sentence((int)r));
            (void)complain(path, &err);
        }
    }
    certs_deinit(&certs);
    cert_items_deinit(&list);
    json_decref(report.items);
    return r == CL_OK ? CL_EXIT_OK : CL_EXIT_FAILURE;
}

static void show_separator(const struct show *show, const char *source, size_t i)
{
    if (show->json) {
        (void)printf("%s", i == 0 ? "" : ",\n");
    } else {
        (void)printf("%s== %s ==\n", i == 0 ? "" : "\n", source);
    }
}

/* Each is shown, whatever became of those before; the first failure is the exit code. */
static int show_all(struct show *show)
{
    int code = CL_EXIT_OK;
    const bool many = show->num_sources > 1;
    if (show->json && many) {
        (void)printf("[\n");
    }
    for (size_t i = 0; i < show->num_sources; i++) {
        const char *source = show->sources[i];
        if (many) {
            show_separator(show, source, i);
        }
        const int one =
            strstr(source, "://") != NULL ? show_server(show, source) : show_file(show, source);
        if (one != CL_EXIT_OK && many && show->json) {
            (void)printf("null\n");
        }
        code = code != CL_EXIT_OK ? code : one;
    }
    if (show->json && many) {
        (void)printf("]\n");
    }
    return code;
}

int cert_show_run(int argc, char **argv)
{
    struct show show = {.wish = {.max_entries = DEFAULT_ENTRIES}};
    int code;
    if (!cl_options_each(&usage, argc, argv, HELP, take, &show, &code)) {
        return code;
    }
    if (show.num_sources == 0) {
        return cl_options_complain(&usage, "no file or URL given");
    }
    cert_opening_init(&show.how, show.passin);
    show.how.passphrase.may_ask = isatty(STDIN_FILENO) == 1;
    show.wish.how = &show.how;
    struct cleat_error err = {0};
    code = client_ct_names(show.ct_logs, &show.logs, &err);
    if (code != 0) {
        (void)cert_tool_complain(usage.command, &err);
    } else {
        show.wish.logs = show.logs;
        code = show_all(&show);
    }
    cleat_ct_logs_free(show.logs);
    cl_passphrase_deinit(&show.how.passphrase);
    return code;
}
