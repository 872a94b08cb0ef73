/* conn/psk_file.c - see psk_file.h. Whatever held a key is wiped. */
#include "conn/psk_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/tls_psk.h"

/* 2,048: the longest identity, ':' and the longest key in hexadecimal, and room */
#define MAX_LINE 2048
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

static cl_result add_lines(struct cleat_tls_builder *b, FILE *file, const char *path,
                           struct cleat_error *err)
{
    char line[MAX_LINE];
    char where[300];
    cl_result r = CL_OK;
    unsigned number = 0;
    bool any = false;
    while (r == CL_OK && fgets(line, sizeof(line), file) != NULL) {
        size_t len = strcspn(line, "\r\n");
        (void)snprintf(where, sizeof(where), "line %u of %s", ++number, path);
        if (len != 0 && line[0] != '#') {
            r = add_line(b, line, len, where, err);
            any = true;
        }
    }
    cl_wipe(line, sizeof(line));
    if (r == CL_OK && !any) {
        r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                         "there is no PSK in %s", path);
    }
    return r;
}

cl_result cl_psk_file_add(struct cleat_tls_builder *b, const char *path, struct cleat_error *err)
{
    struct stat st;
    char buffer[4096];
    FILE *file = fopen(path, "re");
    if (file == NULL || fstat(fileno(file), &st) != 0) {
        int code = errno;
        if (file != NULL) {
            (void)fclose(file);
        }
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "the PSKs %s cannot be read: %s", path, strerror(code));
    }
    if (S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        fprintf(stderr,
                "cleat: warning: the PSKs %s can be read or written by others (mode %03o); "
                "chmod 600 it\n",
                path, (unsigned)st.st_mode & 0777);
    }
    (void)setvbuf(file, buffer, _IOFBF, sizeof(buffer));
    cl_result r = add_lines(b, file, path, err);
    (void)fclose(file);
    cl_wipe(buffer, sizeof(buffer));
    return r;
}
