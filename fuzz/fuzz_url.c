/* fuzz/fuzz_url.c - URLs: what is accepted can be written as a target and resolved against, and
 * what comes out of resolving is parsed or refused. The first line is the base, the rest a
 * reference. */
#include <stdlib.h>
#include <string.h>

#include "cleat/http.h"

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void check_url(const struct cleat_http_url *u)
{
    static char out[3 * CLEAT_HTTP_MAX_URL];
    size_t len;
    require(u->host.len != 0 && u->path.len != 0 && u->path.p[0] == '/' && u->port != 0);
    require(cleat_http_url_target(u, out, sizeof(out), &len) == CLEAT_OK && out[0] == '/');
    for (size_t i = 0; i < len; i++) {
        require(out[i] > ' ' && out[i] < 0x7f);
    }
    require(cleat_http_url_authority(u, out, sizeof(out), &len) == CLEAT_OK && len != 0);
    (void)cleat_http_path_decode(u->path, out, sizeof(out), &len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char resolved[2 * CLEAT_HTTP_MAX_URL];
    const char *text = (const char *)data;
    const char *newline = size != 0 ? memchr(text, '\n', size) : NULL;
    size_t base_len = newline != NULL ? (size_t)(newline - text) : size;
    struct cleat_http_url base;
    struct cleat_http_url u;
    struct cleat_error err = {0};
    size_t len;
    if (cleat_http_url_parse(&base, text, base_len, &err) != CLEAT_OK) {
        require(err.code == CLEAT_ERR_BAD_URL && err.text[0] != '\0');
        return 0;
    }
    check_url(&base);
    if (newline != NULL &&
        cleat_http_url_resolve(&base, newline + 1, size - base_len - 1, resolved, sizeof(resolved),
                               &len, NULL) == CLEAT_OK &&
        cleat_http_url_parse(&u, resolved, len, NULL) == CLEAT_OK) {
        check_url(&u);
    }
    return 0;
}
