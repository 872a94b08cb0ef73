/* cli/serve_http.c - see serve_http.h. */
#include "cli/serve_http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "http/chars.h"

/* ---- --compress ---- */

static bool add_coding(struct cl_serve_web *web, struct cleat_http_view name)
{
    enum cleat_coding coding;
    if (!cleat_coding_find(name, &coding) || coding == CLEAT_CODING_IDENTITY ||
        coding == CLEAT_CODING_DEFLATE || !cleat_coding_built_in(coding)) {
        return false;
    }
    for (size_t i = 0; i < web->num_compress; i++) {
        if (web->compress[i] == coding) {
            return false;
        }
    }
    web->compress[web->num_compress++] = coding; /* there are three, each once */
    return true;
}

static int set_compress(struct cl_serve_web *web, const struct cl_options *words)
{
    const char *text = strcmp(words->value, "on") == 0 ? "br,zstd,gzip" : words->value;
    struct cleat_http_view rest = {text, strlen(text)}, name;
    web->num_compress = 0;
    if (strcmp(text, "off") == 0) {
        return CL_EXIT_OK;
    }
    while (cleat_http_list_next(&rest, &name)) {
        if (!add_coding(web, name) && text == words->value) {
            return cl_options_complain(words->usage,
                                       "--compress takes on, off or a list of br, zstd, gzip, each "
                                       "once, not '%s'",
                                       words->value);
        }
    }
    return web->num_compress > 0
               ? CL_EXIT_OK
               : cl_options_complain(words->usage, "--compress: the list is empty");
}

/* ---- --hsts ---- */

/* A year: what browsers' preload list asks for at least */
#define PRELOAD_AGE 31536000
/* 100 years: longer is a slip of the keyboard */
#define MAX_AGE     3153600000

struct hsts {
    uint64_t age;
    bool has_age, subdomains, preload;
};

/* RFC 6797 6.1: directives separated by ';', each at most once, names in any case. */
static bool add_directive(struct hsts *h, struct cl_rd text)
{
    struct cl_rd name = text;
    struct cl_rd value = text;
    if (cl_http_until(&value, '=', &name)) {
        bool fresh = !h->has_age;
        h->has_age = true;
        return fresh && cl_http_equal_fold(name, "max-age") &&
               cl_http_u64(value, &h->age) == CL_HTTP_U64_OK && h->age <= MAX_AGE;
    }
    bool *flag = cl_http_equal_fold(text, "includeSubDomains") ? &h->subdomains
                 : cl_http_equal_fold(text, "preload")         ? &h->preload
                                                               : NULL;
    bool fresh = flag != NULL && !*flag;
    if (fresh) {
        *flag = true;
    }
    return fresh;
}

static bool parse_hsts(struct hsts *h, const char *text)
{
    struct cl_rd rest = cl_rd_str(text);
    struct cl_rd part;
    if (strcmp(text, "preload") == 0) {
        *h = (struct hsts){2 * (uint64_t)PRELOAD_AGE, true, true, true};
        return true;
    }
    if (cl_http_u64(rest, &h->age) == CL_HTTP_U64_OK) {
        h->has_age = true;
        return h->age <= MAX_AGE;
    }
    while (rest.len > 0) {
        part = rest;
        if (!cl_http_until(&rest, ';', &part)) {
            rest.len = 0;
        }
        part = cl_http_trim(part);
        if (part.len > 0 && !add_directive(h, part)) {
            return false;
        }
    }
    return h->has_age;
}

static int set_hsts(struct cl_serve_web *web, const struct cl_options *words)
{
    struct hsts h = {0};
    if (!parse_hsts(&h, words->value)) {
        return cl_options_complain(words->usage,
                                   "--hsts takes SECONDS, preload, or 'max-age=SECONDS; "
                                   "includeSubDomains; preload', not '%s'",
                                   words->value);
    }
    if (h.preload && (!h.subdomains || h.age < PRELOAD_AGE)) {
        return cl_options_complain(words->usage,
                                   "--hsts: preload needs includeSubDomains and a max-age of %d "
                                   "seconds or more",
                                   PRELOAD_AGE);
    }
    (void)snprintf(web->hsts, sizeof(web->hsts), "max-age=%llu%s%s", (unsigned long long)h.age,
                   h.subdomains ? "; includeSubDomains" : "", h.preload ? "; preload" : "");
    return CL_EXIT_OK;
}

int cl_serve_http_take(struct cl_serve_web *web, int id, const struct cl_options *words)
{
    switch (id) {
    case CL_OPT_COMPRESS:
        return set_compress(web, words);
    case CL_OPT_HSTS:
        return set_hsts(web, words);
    case CL_OPT_NO_PRECOMPRESSED:
        web->no_precompressed = true;
        return CL_EXIT_OK;
    default:
        web->upgrade_insecure = true;
        return CL_EXIT_OK;
    }
}
