/* tls/fingerprint.c - reading a ClientHello for its fingerprints, and JA3; see cleat/fingerprint.h.
 *
 * Read apart from the engine's own parser, which refuses what a fingerprint is wanted of: versions
 * long gone, extensions in odd places, contents nobody speaks. What is looked at must be
 * well-formed; the rest is only counted.
 */
#include "tls/fingerprint.h"

#include "base/text.h"
#include "crypto/md5.h"
#include "tls/wire.h"

/* ---- reading ---- */

static cl_result malformed(struct cleat_error *err, const char *what)
{
    return cl_error_set(err, (struct cl_why){CLEAT_ERR_DECODE, 0, "RFC 9846 4.2.2", NULL},
                        "not a well-formed ClientHello: %s", what);
}

static cl_result malformed_extension(struct cleat_error *err, uint16_t type, const char *how)
{
    return cl_error_set(err, (struct cl_why){CLEAT_ERR_DECODE, 0, "RFC 9846 4.3", NULL},
                        "not a well-formed ClientHello: extension %u %s", type, how);
}

static bool read_list(struct cl_rd body, struct cl_rd *out, bool short_length)
{
    const bool ok = short_length ? cl_rd_vec8(&body, out) : cl_rd_vec16(&body, out);
    return ok && cl_rd_done(&body) && out->len % 2 == 0;
}

static bool read_versions(struct cl_rd body, struct cl_hello_print *out)
{
    return read_list(body, &out->versions, true);
}

static bool read_groups(struct cl_rd body, struct cl_hello_print *out)
{
    return read_list(body, &out->groups, false);
}

static bool read_schemes(struct cl_rd body, struct cl_hello_print *out)
{
    return read_list(body, &out->schemes, false);
}

static bool read_formats(struct cl_rd body, struct cl_hello_print *out)
{
    return cl_rd_vec8(&body, &out->formats) && cl_rd_done(&body);
}

/* RFC 7301 3.1 forbids an empty list and empty names; JA4 says what they count as. */
static bool read_alpn(struct cl_rd body, struct cl_hello_print *out)
{
    struct cl_rd list;
    struct cl_rd name;
    out->alpn = cl_rd_of(body.p, 0);
    if (!cl_rd_vec16(&body, &list) || !cl_rd_done(&body)) {
        return false;
    }
    if (list.len > 0 && !cl_rd_vec8(&list, &out->alpn)) {
        return false;
    }
    while (cl_rd_vec8(&list, &name)) {
    }
    return cl_rd_done(&list);
}

static const struct {
    uint16_t type;
    bool (*read)(struct cl_rd body, struct cl_hello_print *out);
} readers[] = {
    {CL_ET_SUPPORTED_GROUPS, read_groups},      {CL_ET_EC_POINT_FORMATS, read_formats},
    {CL_ET_SIGNATURE_ALGORITHMS, read_schemes}, {CL_ET_ALPN, read_alpn},
    {CL_ET_SUPPORTED_VERSIONS, read_versions},
};

/* Which of two would count is anybody's guess; extensions that are not read may come twice. */
static cl_result read_extension(uint16_t type, struct cl_rd body, unsigned *seen,
                                struct cl_hello_print *out, struct cleat_error *err)
{
    out->has_server_name = out->has_server_name || type == CL_ET_SERVER_NAME;
    for (unsigned i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (readers[i].type != type) {
            continue;
        }
        if ((*seen & 1U << i) != 0) {
            return malformed_extension(err, type, "is there twice");
        }
        *seen |= 1U << i;
        if (!readers[i].read(body, out)) {
            return malformed_extension(err, type, "has wrong lengths");
        }
    }
    return CL_OK;
}

static cl_result read_extensions(struct cl_hello_print *out, struct cleat_error *err)
{
    struct cl_rd block = out->extensions;
    unsigned seen = 0;
    while (!cl_rd_done(&block)) {
        uint16_t type;
        struct cl_rd body;
        if (!cl_rd_u16(&block, &type) || !cl_rd_vec16(&block, &body)) {
            return malformed(err, "the list of extensions ends in the middle of one");
        }
        CL_TRY(read_extension(type, body, &seen, out, err));
    }
    return CL_OK;
}

cl_result cl_hello_print_parse(struct cl_rd message, struct cl_hello_print *out,
                               struct cleat_error *err)
{
    uint8_t type;
    struct cl_rd body;
    struct cl_rd skipped;
    *out = (struct cl_hello_print){0};
    if (!cl_rd_u8(&message, &type) || type != CL_HT_CLIENT_HELLO) {
        return malformed(err, "it is another message");
    }
    if (!cl_rd_vec24(&message, &body) || !cl_rd_done(&message)) {
        return malformed(err, "its length is not that of the message");
    }
    if (!cl_rd_u16(&body, &out->version) || !cl_rd_skip(&body, CL_RANDOM_LEN) ||
        !cl_rd_vec8(&body, &skipped) || !cl_rd_vec16(&body, &out->suites) ||
        !cl_rd_vec8(&body, &skipped)) {
        return malformed(err, "it ends in front of its extensions");
    }
    if (out->suites.len % 2 != 0) {
        return malformed(err, "half a cipher suite");
    }
    if (cl_rd_done(&body)) {
        return CL_OK; /* before RFC 3546 there were no extensions */
    }
    if (!cl_rd_vec16(&body, &out->extensions) || !cl_rd_done(&body)) {
        return malformed(err, "the length of its extensions is wrong");
    }
    return read_extensions(out, err);
}

bool cl_list16_next(struct cl_rd *list, uint16_t *value)
{
    while (cl_rd_u16(list, value)) {
        if (!cl_is_grease(*value)) {
            return true;
        }
    }
    return false;
}

bool cl_hello_print_type(struct cl_rd *block, uint16_t *type)
{
    struct cl_rd body;
    while (cl_rd_u16(block, type) && cl_rd_vec16(block, &body)) {
        if (!cl_is_grease(*type)) {
            return true;
        }
    }
    return false;
}

/* ---- JA3 ---- */

/* 6: five digits and what stands in front of them */
static cl_result append_number(struct cl_buf *out, size_t start, unsigned value)
{
    char digits[6];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (out->len > start) {
        digits[--at] = '-';
    }
    return cl_buf_append(out, digits + at, sizeof(digits) - at, CL_FINGERPRINT_MAX);
}

static cl_result append_numbers(struct cl_buf *out, struct cl_rd list,
                                bool (*next)(struct cl_rd *list, uint16_t *value))
{
    uint16_t value;
    CL_TRY(cl_buf_append(out, ",", 1, CL_FINGERPRINT_MAX));
    const size_t start = out->len;
    while (next(&list, &value)) {
        CL_TRY(append_number(out, start, value));
    }
    return CL_OK;
}

static bool next_byte(struct cl_rd *list, uint16_t *value)
{
    uint8_t v = 0;
    const bool ok = cl_rd_u8(list, &v);
    *value = v;
    return ok;
}

cl_result cl_ja3_full(const struct cl_hello_print *p, struct cl_buf *out)
{
    CL_TRY(append_number(out, out->len, p->version));
    CL_TRY(append_numbers(out, p->suites, cl_list16_next));
    CL_TRY(append_numbers(out, p->extensions, cl_hello_print_type));
    CL_TRY(append_numbers(out, p->groups, cl_list16_next));
    return append_numbers(out, p->formats, next_byte);
}

static cl_result ja3(const struct cl_hello_print *p, struct cl_buf *out, struct cleat_error *err)
{
    uint8_t digest[CL_MD5_LEN];
    char text[2 * CL_MD5_LEN + 1];
    CL_TRY(cl_ja3_full(p, out));
    const cl_result r = cl_md5(cl_buf_view(out), digest);
    if (r != CL_OK) {
        return cl_error_set(err, (struct cl_why){.code = r},
                            "JA3 is an MD5 hash, and this libcrypto has no MD5");
    }
    cl_hex_encode(digest, sizeof(digest), text);
    out->len = 0;
    return cl_buf_append(out, text, 2 * sizeof(digest), CL_FINGERPRINT_MAX);
}

/* ---- all forms ---- */

static cl_result write_form(struct cl_rd message, enum cleat_fingerprint form, char carrier,
                            struct cl_buf *out, struct cleat_error *err)
{
    struct cl_hello_print p;
    CL_TRY(cl_hello_print_parse(message, &p, err));
    if (form == CLEAT_JA3) {
        return ja3(&p, out, err);
    }
    return form == CLEAT_JA3_FULL ? cl_ja3_full(&p, out) : cl_ja4(&p, form, carrier, out);
}

int cleat_fingerprint(enum cleat_fingerprint form, char carrier, const uint8_t *message, size_t len,
                      char *out, size_t *out_len, struct cleat_error *err)
{
    uint8_t room[1024]; /* a browser's JA3_FULL and JA4_RO have some 300 characters */
    struct cl_buf text;
    if (form > CLEAT_JA4_RO || (carrier != CLEAT_HELLO_TCP && carrier != CLEAT_HELLO_QUIC)) {
        return CLEAT_ERR_USAGE;
    }
    cl_buf_lend(&text, room, sizeof(room));
    cl_result r = write_form(cl_rd_of(message, len), form, carrier, &text, err);
    if (r == CL_OK && *out_len < text.len + 1) {
        *out_len = text.len + 1;
        r = CLEAT_ERR_LIMIT;
    } else if (r == CL_OK) {
        memcpy(out, text.p, text.len);
        out[text.len] = '\0';
        *out_len = text.len;
    }
    cl_buf_deinit(&text);
    return r;
}
