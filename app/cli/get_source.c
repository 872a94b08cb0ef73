/* cli/get_source.c - see get_source.h. */
#include "cli/get_source.h"

#include <string.h>

void get_source_wake(struct get_source *s)
{
    if (s->wake != NULL) {
        s->wake(s->wake_ctx);
    }
}

static ssize_t read_bytes(struct get_source *source, uint8_t *p, size_t cap,
                          struct cleat_error *err)
{
    struct get_source_bytes *s = (struct get_source_bytes *)source;
    const size_t left = s->bytes.len - s->at;
    const size_t n = left < cap ? left : cap;
    (void)err;
    if (n > 0) {
        memcpy(p, s->bytes.p + s->at, n);
    }
    s->at += n;
    return (ssize_t)n;
}

static bool rewind_bytes(struct get_source *source)
{
    ((struct get_source_bytes *)source)->at = 0;
    return true;
}

void get_source_of_bytes(struct get_source_bytes *s, struct cl_rd bytes)
{
    static const struct get_source_calls calls = {.read = read_bytes, .rewind = rewind_bytes};
    *s = (struct get_source_bytes){.source = {.calls = &calls, .len = bytes.len}, .bytes = bytes};
}
