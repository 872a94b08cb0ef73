/* capture/hellos.c - files of ClientHellos, told apart by their first bytes; see hellos.h. */
#include "capture/hellos_impl.h"

#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "capture/hello_reader.h"

/* 4: what a capture file is known by */
#define MAGIC_LEN 4
/* 1 MiB: files that are no captures; the longest ClientHello as digits is a quarter of it */
#define MAX_BYTES (1U << 20)

static cl_result no_hello(struct cleat_error *err, const char *why)
{
    return cl_error_set(err,
                        (struct cl_why){CLEAT_ERR_DECODE, 0, NULL,
                                        "a pcap or pcapng file, TLS records, a ClientHello, or "
                                        "hexadecimal digits of them are read"},
                        "%s", why);
}

/* ---- a stream whose first bytes have been looked at ---- */

struct peeked {
    FILE *file;
    uint8_t first[MAGIC_LEN];
    size_t len;
    size_t used;
};

static ssize_t peeked_read(void *cookie, char *out, size_t len)
{
    struct peeked *p = cookie;
    if (p->used < p->len) {
        const size_t n = p->len - p->used < len ? p->len - p->used : len;
        memcpy(out, p->first + p->used, n);
        p->used += n;
        return (ssize_t)n;
    }
    const size_t n = fread(out, 1, len, p->file);
    return n == 0 && ferror(p->file) ? -1 : (ssize_t)n;
}

/* The file itself stays its opener's. */
static FILE *peeked_open(struct peeked *p)
{
    return fopencookie(p, "rb", (cookie_io_functions_t){.read = peeked_read});
}

/* Byte order and resolution of the time stamps choose among these; pcapng's first block. */
static bool is_capture(const struct peeked *p)
{
    static const uint8_t magics[][MAGIC_LEN] = {
        {0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d},
        {0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0xcd, 0x34}, {0x34, 0xcd, 0xb2, 0xa1},
        {0x0a, 0x0d, 0x0d, 0x0a},
    };
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        if (p->len == MAGIC_LEN && memcmp(p->first, magics[i], MAGIC_LEN) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- bytes of one ClientHello ---- */

static cl_result read_all(FILE *file, struct cl_buf *out, struct cleat_error *err)
{
    size_t n;
    do {
        if (cl_buf_reserve(out, 16384, MAX_BYTES) != CL_OK) {
            return no_hello(err, "neither a capture nor a ClientHello: it is longer than 1 MiB");
        }
        n = fread(out->p + out->len, 1, 16384, file);
        out->len += n;
    } while (n > 0);
    return CL_OK;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ':';
}

/* Digits, as they are copied out of Wireshark or tests, in their own place. */
static bool decode_digits(struct cl_buf *bytes)
{
    size_t num = 0;
    for (size_t i = 0; i < bytes->len; i++) {
        if (!is_space(bytes->p[i])) {
            bytes->p[num++] = bytes->p[i];
        }
    }
    uint8_t *out = cl_alloc(num / 2 + 1);
    size_t len = 0;
    const bool ok =
        out != NULL && cl_hex_decode((const char *)bytes->p, num, out, num / 2 + 1, &len);
    if (ok && len > 0) {
        memcpy(bytes->p, out, len);
        bytes->len = len;
    }
    cl_free(out);
    return ok && len > 0;
}

static cl_result tell(struct cl_rd message, cl_hello_sink sink, void *ctx,
                      struct cl_hello_counts *counts)
{
    const struct cl_hello hello = {.message = message};
    counts->hellos++;
    (void)sink(ctx, &hello);
    return CL_OK;
}

static cl_result from_records(struct cl_rd bytes, cl_hello_sink sink, void *ctx,
                              struct cl_hello_counts *counts, struct cleat_error *err)
{
    struct cl_hello_reader reader = {0};
    cl_result r;
    switch (cl_hello_reader_feed(&reader, bytes)) {
    case CL_HELLO_WHOLE:
        r = tell(cl_buf_view(&reader.message), sink, ctx, counts);
        break;
    case CL_HELLO_MORE:
        counts->incomplete++;
        r = no_hello(err, "the TLS records end before the ClientHello does");
        break;
    case CL_HELLO_FAILED:
        r = CLEAT_ERR_NOMEM;
        break;
    default:
        r = no_hello(err, "TLS records, but no ClientHello in them");
        break;
    }
    cl_hello_reader_deinit(&reader);
    return r;
}

static cl_result from_message(struct cl_rd bytes, cl_hello_sink sink, void *ctx,
                              struct cl_hello_counts *counts, struct cleat_error *err)
{
    struct cl_rd r = bytes;
    uint8_t type;
    uint32_t len;
    if (!cl_rd_u8(&r, &type) || !cl_rd_u24(&r, &len) || len != r.len) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_DECODE},
                            "the ClientHello's header and the file's %zu bytes do not agree",
                            bytes.len);
    }
    return tell(bytes, sink, ctx, counts);
}

static cl_result from_bytes(struct cl_buf *bytes, cl_hello_sink sink, void *ctx,
                            struct cl_hello_counts *counts, struct cleat_error *err)
{
    const uint8_t first = bytes->len > 0 ? bytes->p[0] : 0;
    if (bytes->len == 0) {
        return no_hello(err, "it is empty");
    }
    if (first != 22 && first != 1 && !decode_digits(bytes)) {
        return no_hello(err, "neither a capture nor a ClientHello");
    }
    switch (bytes->p[0]) {
    case 22:
        return from_records(cl_buf_view(bytes), sink, ctx, counts, err);
    case 1:
        return from_message(cl_buf_view(bytes), sink, ctx, counts, err);
    default:
        return no_hello(err, "the digits are neither TLS records nor a ClientHello");
    }
}

/* ---- files ---- */

static cl_result read_stream(FILE *file, cl_hello_sink sink, void *ctx,
                             struct cl_hello_counts *counts, struct cleat_error *err)
{
    struct peeked p = {.file = file};
    p.len = fread(p.first, 1, MAGIC_LEN, file);
    FILE *whole = peeked_open(&p);
    if (whole == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (is_capture(&p)) {
        return cl_hellos_packets(whole, sink, ctx, counts, err);
    }
    struct cl_buf bytes = {0};
    cl_result r = read_all(whole, &bytes, err);
    if (r == CL_OK && ferror(file)) {
        r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "%s", strerror(errno));
    }
    if (r == CL_OK) {
        r = from_bytes(&bytes, sink, ctx, counts, err);
    }
    cl_buf_deinit(&bytes);
    (void)fclose(whole);
    return r;
}

cl_result cl_hellos_read(const char *path, cl_hello_sink sink, void *ctx,
                         struct cl_hello_counts *counts, struct cleat_error *err)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rbe");
    if (file == NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "%s", strerror(errno));
    }
    const cl_result r = read_stream(file, sink, ctx, counts, err);
    if (!is_stdin) {
        (void)fclose(file);
    }
    return r;
}
