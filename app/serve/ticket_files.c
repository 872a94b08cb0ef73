/* serve/ticket_files.c - see ticket_files.h. */
#include "serve/ticket_files.h"

#include "net/small_file.h"

static cl_result bad_file(struct cleat_error *err, const char *path, const char *why)
{
    return cl_error_set(err,
                        (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                        .hint = "make one with: openssl rand -out FILE 80"},
                        "the ticket key %s: %s", path, why);
}

static cl_result read_key(const char *path, struct cl_buf *out, struct cleat_error *err)
{
    const struct cl_small_file file = {"the ticket key", path, CLEAT_TICKET_KEY_LONG, true};
    CL_TRY(cl_small_file_read(&file, out, err));
    return out->len == CLEAT_TICKET_KEY_SHORT || out->len == CLEAT_TICKET_KEY_LONG
               ? CL_OK
               : bad_file(err, path, "it must be 48 or 80 bytes long");
}

cl_result cl_ticket_files_load(struct cleat_ticket_keys *keys, const char *const *paths, size_t num,
                               struct cleat_error *err)
{
    struct cl_buf bytes[CLEAT_TICKET_KEYS_MAX] = {0};
    struct cleat_ticket_key list[CLEAT_TICKET_KEYS_MAX];
    cl_result r = CL_OK;
    for (size_t i = 0; i < num && r == CL_OK; i++) {
        r = read_key(paths[i], &bytes[i], err);
        list[i] = (struct cleat_ticket_key){.bytes = bytes[i].p, .len = bytes[i].len};
    }
    if (r == CL_OK && num != 0 && cleat_ticket_keys_set(keys, list, num) != CLEAT_OK) {
        r = bad_file(err, paths[0], "two of the keys have the same name (their first 16 bytes)");
    }
    for (size_t i = 0; i < CLEAT_TICKET_KEYS_MAX; i++) {
        cl_buf_deinit(&bytes[i]);
    }
    return r;
}
