/* conn/psk_file.c - see psk_file.h. Whatever held a key is wiped. */
#include "conn/psk_file.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/tls_psk.h"
#include "net/small_file.h"

/* 1 MiB: thousands of keys; the library takes 4,096 */
#define MAX_FILE 1048576
#define MAX_KEY  64

static cl_result add_line(struct cleat_tls_builder *b, const char *line, size_t len,
                          const char *where, struct cleat_error *err)
{
    const struct cl_why why = {.code = CLEAT_ERR_BAD_CONFIG,
                               .hint = "a line is IDENTITY:HEXKEY; make a key with: openssl rand "
                                       "-hex 32"};
    const char *colon = memrchr(line, ':', len);
    uint8_t key[MAX_KEY];
    size_t key_len = 0;
    cl_result r = CL_OK;
    if (colon == NULL ||
        !cl_hex_decode(colon + 1, len - (size_t)(colon + 1 - line), key, sizeof(key), &key_len)) {
        r = cl_error_set(err, why,
                         "%s is not an identity, ':' and a key of up to %d bytes in "
                         "hexadecimal",
                         where, MAX_KEY);
    } else {
        struct cleat_psk psk = {.identity = (const uint8_t *)line,
                                .identity_len = (size_t)(colon - line),
                                .key = key,
                                .key_len = key_len};
        r = (cl_result)cleat_tls_builder_psk(b, &psk);
        if (r != CL_OK) {
            r = cl_error_set(err, why, "%s: %s", where, cleat_tls_builder_error(b)->text);
        }
    }
    cl_wipe(key, sizeof(key));
    return r;
}

static cl_result add_lines(struct cleat_tls_builder *b, struct cl_rd text, const char *path,
                           struct cleat_error *err)
{
    char where[300];
    cl_result r = CL_OK;
    unsigned number = 0;
    bool any = false;
    while (r == CL_OK && text.len > 0) {
        struct cl_rd line = {0};
        const uint8_t *end = memchr(text.p, '\n', text.len);
        (void)!cl_rd_take(&text, end != NULL ? (size_t)(end - text.p) + 1 : text.len, &line);
        while (line.len > 0 && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r')) {
            line.len--;
        }
        (void)snprintf(where, sizeof(where), "line %u of %s", ++number, path);
        if (line.len != 0 && line.p[0] != '#') {
            r = add_line(b, (const char *)line.p, line.len, where, err);
            any = true;
        }
    }
    if (r == CL_OK && !any) {
        r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                         "there is no PSK in %s", path);
    }
    return r;
}

cl_result cl_psk_file_add(struct cleat_tls_builder *b, const char *path, struct cleat_error *err)
{
    const struct cl_small_file file = {"the PSKs", path, MAX_FILE, true};
    struct cl_buf text = {0};
    cl_result r = cl_small_file_read(&file, &text, err);
    if (r == CL_OK) {
        r = add_lines(b, cl_buf_view(&text), path, err);
    }
    cl_buf_deinit(&text);
    return r;
}
