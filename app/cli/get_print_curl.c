/* cli/get_print_curl.c - write a command line for curl.
 *
 * Our options are curl's but for those listed here, so the words are passed on, one by one. Two
 * defaults differ: a URL without a scheme is https here and http there, and curl takes brackets and
 * braces in URLs for patterns.
 */
#include "cli/get_print_curl.h"

#include <string.h>

#include "cli/get_codes.h"
#include "cli/get_options.h"
#include "cli/get_options_table.h"

/* Options that curl does not have, and what to do there. NULL: nothing does the same. */
static const struct {
    const char *name, *instead;
} lacking[] = {
    {"aia", NULL},
    {"alpn", "curl offers h2 and http/1.1; --http1.1 the latter alone"},
    {"cert-compression", NULL},
    {"ct", NULL},
    {"ct-logs", NULL},
    {"fallback-scsv", NULL},
    {"hard-fail", NULL},
    {"mixed-content", NULL},
    {"mixed-content-json", NULL},
    {"ocsp-response", NULL},
    {"passin", "--pass takes the passphrase itself"},
    {"pcap", "set SSLKEYLOGFILE and run tcpdump"},
    {"profile", NULL},
    {"psk", NULL},
    {"raw-key-pin", NULL},
    {"raw-public-key", NULL},
    {"record", NULL},
    {"record-secrets", NULL},
    {"revocation", NULL},
    {"revocation-cache", NULL},
    {"revocation-timeout", NULL},
    {"slo", "-w prints times"},
    {"timing", "-w prints times"},
    {"tls-min", "--tlsv1.2 or --tlsv1.3"},
    {"tlsa", NULL},
    {"trace-json", "--trace-ascii"},
};

static const char *const *find(const char *name)
{
    for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
        if (strcmp(lacking[i].name, name) == 0) {
            return &lacking[i].instead;
        }
    }
    return NULL;
}

bool get_print_curl_lacks(const char *name)
{
    return find(name) != NULL;
}

/* A word that a shell gives on as it is: in single quotes unless it is harmless. */
static void put_word(FILE *out, const char *word)
{
    static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "@%+=:,./_-";
    (void)fputc(' ', out);
    if (word[0] != '\0' && strspn(word, harmless) == strlen(word)) {
        (void)fputs(word, out);
        return;
    }
    (void)fputc('\'', out);
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            (void)fputs("'\\''", out);
        } else {
            (void)fputc(*word, out);
        }
    }
    (void)fputc('\'', out);
}

static void put_url(FILE *out, const char *url, bool *globoff)
{
    char whole[CLEAT_HTTP_MAX_URL + 16];
    if (!*globoff && strpbrk(url, "[]{}") != NULL) {
        (void)fputs(" --globoff", out);
        *globoff = true;
    }
    (void)snprintf(whole, sizeof(whole), "%s%s", strstr(url, "://") == NULL ? "https://" : "", url);
    put_word(out, whole);
}

static const struct cl_option *row_of(int id)
{
    for (size_t i = 0; i < get_usage.num_options; i++) {
        if (get_usage.options[i].id == id && id != GET_HEADING) {
            return &get_usage.options[i];
        }
    }
    return NULL;
}

static void put_option(FILE *out, FILE *err, const struct cl_option *row,
                       const struct cl_options *o)
{
    const char *const *instead = find(row->name);
    bool is_long = o->spelled[0] == '-' && o->spelled[1] == '-';
    if (instead != NULL) {
        (void)fprintf(err, "# curl has no --%s%s%s%s\n", row->name, *instead != NULL ? " (" : "",
                      *instead != NULL ? *instead : "", *instead != NULL ? ")" : "");
        return;
    }
    if (is_long) {
        (void)fprintf(out, " --%s", row->name);
    } else {
        (void)fprintf(out, " -%c", row->letter);
    }
    if (row->arg != NULL) {
        put_word(out, o->value);
    }
}

int get_print_curl(int argc, char **argv, FILE *out, FILE *err)
{
    struct cl_options o;
    bool globoff = false;
    int id;
    cl_options_init(&o, &get_usage, argc, argv);
    (void)fputs("curl", out);
    while ((id = cl_options_next(&o)) != CL_OPTIONS_END && id != CL_OPTIONS_ERROR) {
        const struct cl_option *row = row_of(id);
        if (id == CL_OPTIONS_OPERAND || id == GET_URL) {
            put_url(out, o.value, &globoff);
        } else if (row != NULL && id != GET_PRINT_CURL) {
            put_option(out, err, row, &o);
        }
    }
    (void)fputc('\n', out);
    return fflush(out) == 0 ? 0 : GET_EXIT_WRITE;
}
