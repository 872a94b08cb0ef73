/* cli/cert_show.c - `cleat cert show`: read a chain from a file or a server, and print it. */
#include <string.h>

#include "base/mem.h"
#include "cli/cert.h"
#include "cli/cert_fetch.h"
#include "cli/cli.h"
#include "cli/get_codes.h"
#include "cli/read_file.h"
#include "cli/client_options.h"
#include "net/clock.h"
#include "x509/chain.h"
#include "base/pem.h"

/* 4 MiB: a bundle of all CA certificates has 220 KB */
#define MAX_FILE (4u << 20)

enum { JSON = 1, CACERT, CAPATH, HELP };

static const struct cl_option options[] = {
    {JSON, 0, "json", NULL, "print JSON"},
    {CACERT, 0, "cacert", "FILE", "verify a server's chain with these CA certificates"},
    {CAPATH, 0, "capath", "DIR", "and with those in the files of DIR"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert show",
    .synopsis = "[OPTION]... FILE|-|https://HOST[:PORT]",
    .about =
        "Prints the certificates of a file (PEM or DER), of standard input, or of a server, whose\n"
        "chain is verified as well. A server's chain is shown whatever the verdict.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert show server.pem\n"
                "  cleat cert show --json https://example.com | jq .certificates[0].days_left",
};

struct show {
    const char *source;
    struct client_options trust; /* --cacert, --capath */
    bool json, help;
};

static int parse(struct show *show, int argc, char **argv)
{
    struct cl_options o;
    int id;
    cl_options_init(&o, &usage, argc, argv);
    while ((id = cl_options_next(&o)) != CL_OPTIONS_END) {
        switch (id) {
        case JSON:
            show->json = true;
            break;
        case CACERT:
            show->trust.cacert = o.value;
            break;
        case CAPATH:
            show->trust.capath = o.value;
            break;
        case HELP:
            show->help = true;
            return 0;
        case CL_OPTIONS_OPERAND:
            if (show->source != NULL) {
                return cl_options_complain(&usage, "one certificate source at a time");
            }
            show->source = o.value;
            break;
        default:
            return CL_EXIT_USAGE;
        }
    }
    return show->source != NULL ? 0 : cl_options_complain(&usage, "no file or URL given");
}

static int complain(const char *source, const char *why)
{
    (void)fprintf(stderr, "cleat cert show: %s: %s\n", source, why);
    return CL_EXIT_FAILURE;
}

/* 4,096 certificates: a bundle of all CAs has 150 */
#define MAX_CERTS 4096

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

static cl_result add_cert(struct certs *c, struct cl_rd der, struct cleat_error *err)
{
    struct cleat_cert *cert = NULL;
    struct cleat_cert **grown = cl_realloc(c->items, (c->num + 1) * sizeof(struct cleat_cert *));
    if (grown == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->items = grown;
    CL_TRY((cl_result)cleat_cert_from_der(der.p, der.len, &cert, err));
    c->items[c->num++] = cert;
    return CL_OK;
}

static cl_result add_pem(struct certs *c, struct cl_rd text, struct cleat_error *err)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    bool found = true;
    cl_pem_init(&pem, (const char *)text.p, text.len, err);
    for (;;) {
        CL_TRY(cl_pem_next(&pem, &block, &found));
        if (!found || c->num == MAX_CERTS) {
            break;
        }
        if (cl_rd_equal_str(block.label, "CERTIFICATE")) {
            struct cl_buf der = {0};
            cl_result r = cl_pem_decode(&pem, &block, &der, CL_CERT_MAX_LEN);
            r = r == CL_OK ? add_cert(c, cl_buf_view(&der), err) : r;
            cl_buf_deinit(&der);
            CL_TRY(r);
        }
    }
    return c->num > 0 ? CL_OK
                      : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                                     "it holds no certificate");
}

/* PEM, or a single DER certificate. */
static int read_certs(const char *path, struct certs *out)
{
    struct cl_buf text = {0};
    struct cleat_error err = {0};
    const char *why = "";
    int code = 0;
    if (!cl_read_file(path, &text, MAX_FILE, &why)) {
        code = complain(path, why);
    } else {
        struct cl_rd view = cl_buf_view(&text);
        bool is_der = view.len > 0 && view.p[0] == 0x30; /* SEQUENCE */
        cl_result r = is_der ? add_cert(out, view, &err) : add_pem(out, view, &err);
        code = r == CL_OK ? 0
                          : complain(path, err.code != 0 ? err.text : cleat_error_sentence((int)r));
    }
    cl_buf_deinit(&text);
    return code;
}

static void print(const struct show *show, const struct cert_report *report)
{
    if (show->json) {
        cert_print_json(report, stdout);
    } else {
        cert_print_text(report, stdout);
    }
}

static int show_server(const struct show *show)
{
    struct cert_fetched fetched = {0};
    int code = cert_fetch(show->source, &show->trust, &fetched);
    if (code == 0) {
        const struct cleat_cert *certs[CL_CHAIN_MAX];
        size_t num = 0;
        for (; num < cl_chain_num(fetched.chain) && num < CL_CHAIN_MAX; num++) {
            certs[num] = cl_chain_at(fetched.chain, num);
        }
        struct cert_report report = {.source = show->source,
                                     .certs = certs,
                                     .num = num,
                                     .verdict = fetched.verdict,
                                     .now = (int64_t)(cl_clock_unix_ms() / 1000)};
        print(show, &report);
    } else {
        (void)complain(show->source, fetched.err.text);
        if (fetched.err.hint[0] != '\0') {
            (void)fprintf(stderr, "  hint: %s\n", fetched.err.hint);
        }
    }
    cert_fetched_deinit(&fetched);
    return code;
}

int cert_show_run(int argc, char **argv)
{
    struct show show = {0};
    int code = parse(&show, argc, argv);
    if (code != 0) {
        return code;
    }
    if (show.help) {
        cl_options_help(&usage, stdout);
        return CL_EXIT_OK;
    }
    if (strstr(show.source, "://") != NULL) {
        return show_server(&show);
    }
    struct cert_report report = {.source = show.source,
                                 .now = (int64_t)(cl_clock_unix_ms() / 1000)};
    struct certs certs = {0};
    code = read_certs(show.source, &certs);
    if (code == 0) {
        report.certs = (const struct cleat_cert *const *)certs.items;
        report.num = certs.num;
        print(&show, &report);
    }
    certs_deinit(&certs);
    return code;
}
