/* tls/fingerprint_ja4.c - JA4 after FoxIO's "JA4: TLS Client Fingerprinting", whose text decides
 * where tools differ (docs/decisions/0055-fingerprints.md); sentences of it are quoted as JA4. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "tls/fingerprint.h"
#include "tls/wire.h"

/* JA4: "truncated to 12 characters" */
#define HASH_CHARS 12

/* Numbers of a list, without GREASE. */
struct numbers {
    uint16_t *v;
    size_t num;
};

typedef bool (*next_number)(struct cl_rd *list, uint16_t *value);

static cl_result collect(struct numbers *out, struct cl_rd list, next_number next)
{
    uint16_t value;
    *out = (struct numbers){.v = cl_alloc(list.len + sizeof(value))};
    if (out->v == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    while (next(&list, &value)) {
        out->v[out->num++] = value;
    }
    return CL_OK;
}

static int compare(const void *a, const void *b)
{
    const uint16_t x = *(const uint16_t *)a;
    const uint16_t y = *(const uint16_t *)b;
    return (x > y) - (x < y);
}

/* JA4: "Ignore the SNI extension (0000) and the ALPN extension (0010) as we've already captured
 * them in the _a_ section" */
static void drop_told(struct numbers *extensions)
{
    size_t kept = 0;
    for (size_t i = 0; i < extensions->num; i++) {
        const uint16_t type = extensions->v[i];
        if (type != CL_ET_SERVER_NAME && type != CL_ET_ALPN) {
            extensions->v[kept++] = type;
        }
    }
    extensions->num = kept;
}

static cl_result append(struct cl_buf *out, const void *p, size_t len)
{
    return cl_buf_append(out, p, len, CL_FINGERPRINT_MAX);
}

/* JA4: "4 character hex values …, lower case, comma delimited" */
static cl_result append_numbers(struct cl_buf *out, const struct numbers *list)
{
    for (size_t i = 0; i < list->num; i++) {
        const uint8_t bytes[] = {(uint8_t)(list->v[i] >> 8), (uint8_t)list->v[i]};
        char text[] = ",0000";
        cl_hex_encode(bytes, sizeof(bytes), text + 1);
        CL_TRY(append(out, text + (i == 0 ? 1 : 0), i == 0 ? 4 : 5));
    }
    return CL_OK;
}

/* ---- the first part ---- */

/* JA4: "the version is the highest value in the extension … If the extension doesn't exist, then
 * the TLS version is the value of the Protocol Version." */
static const char *version_chars(const struct cl_hello_print *p)
{
    static const struct {
        uint16_t version;
        const char *chars;
    } rows[] = {
        {0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"}, {0x0300, "s3"},
        {0x0002, "s2"}, {0xfeff, "d1"}, {0xfefd, "d2"}, {0xfefc, "d3"},
    };
    struct cl_rd versions = p->versions;
    uint16_t highest = p->versions.p != NULL ? 0 : p->version;
    uint16_t v;
    while (cl_list16_next(&versions, &v)) {
        highest = v > highest ? v : highest;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].version == highest) {
            return rows[i].chars;
        }
    }
    return "00";
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* JA4: "If the first or last byte of the first ALPN is not an ASCII alphanumeric character … then
 * we print the first and last characters of the hex representation of the first ALPN instead." */
static void alpn_chars(struct cl_rd alpn, char out[2])
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t first = alpn.len > 0 ? alpn.p[0] : '0';
    const uint8_t last = alpn.len > 0 ? alpn.p[alpn.len - 1] : '0';
    if (is_alphanumeric(first) && is_alphanumeric(last)) {
        out[0] = (char)first;
        out[1] = (char)last;
        return;
    }
    out[0] = digits[first >> 4];
    out[1] = digits[last & 15];
}

/* JA4: "If there's > 99, which there should never be, then output "99"" */
static void count_chars(size_t num, char out[2])
{
    num = num > 99 ? 99 : num;
    out[0] = (char)('0' + num / 10);
    out[1] = (char)('0' + num % 10);
}

static cl_result append_first(const struct cl_hello_print *p, char carrier, size_t num_suites,
                              size_t num_extensions, struct cl_buf *out)
{
    char text[10];
    text[0] = carrier;
    memcpy(text + 1, version_chars(p), 2);
    text[3] = p->has_server_name ? 'd' : 'i';
    count_chars(num_suites, text + 4);
    count_chars(num_extensions, text + 6);
    alpn_chars(p->alpn, text + 8);
    return append(out, text, sizeof(text));
}

/* ---- the other two ---- */

/* Turns what stands behind start into the part that it makes, in the raw forms itself. JA4: "If
 * there are no ciphers in the sorted cipher list, then the value of JA4_b is set to 000000000000"
 */
static cl_result finish_part(struct cl_buf *out, size_t start, bool raw)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    char text[HASH_CHARS + 1] = "000000000000";
    if (raw) {
        return CL_OK;
    }
    if (out->len > start) {
        cl_hash_once(CL_HASH_SHA256, out->p + start, out->len - start, digest);
        cl_hex_encode(digest, HASH_CHARS / 2, text);
    }
    out->len = start;
    return append(out, text, HASH_CHARS);
}

static cl_result append_suites(struct numbers *suites, bool raw, struct cl_buf *out)
{
    CL_TRY(append(out, "_", 1));
    const size_t start = out->len;
    CL_TRY(append_numbers(out, suites));
    return finish_part(out, start, raw);
}

/* JA4: "The signature algorithm hex values are then added to the end of the list in the order that
 * they appear (not sorted) with an underscore delimiting the two lists." */
static cl_result append_extensions(struct numbers *extensions, const struct numbers *schemes,
                                   bool raw, struct cl_buf *out)
{
    CL_TRY(append(out, "_", 1));
    const size_t start = out->len;
    CL_TRY(append_numbers(out, extensions));
    if (schemes->num > 0) {
        CL_TRY(append(out, "_", 1));
        CL_TRY(append_numbers(out, schemes));
    }
    return finish_part(out, start, raw);
}

cl_result cl_ja4(const struct cl_hello_print *p, enum cleat_fingerprint form, char carrier,
                 struct cl_buf *out)
{
    const bool raw = form == CLEAT_JA4_R || form == CLEAT_JA4_RO;
    const bool sorted = form == CLEAT_JA4 || form == CLEAT_JA4_R;
    struct numbers suites = {0};
    struct numbers extensions = {0};
    struct numbers schemes = {0};
    cl_result r = collect(&suites, p->suites, cl_list16_next);
    if (r == CL_OK) {
        r = collect(&extensions, p->extensions, cl_hello_print_type);
    }
    if (r == CL_OK) {
        r = collect(&schemes, p->schemes, cl_list16_next);
    }
    if (r == CL_OK) {
        r = append_first(p, carrier, suites.num, extensions.num, out);
    }
    if (r == CL_OK && sorted) {
        drop_told(&extensions);
        qsort(suites.v, suites.num, sizeof(uint16_t), compare);
        qsort(extensions.v, extensions.num, sizeof(uint16_t), compare);
    }
    if (r == CL_OK) {
        r = append_suites(&suites, raw, out);
    }
    if (r == CL_OK) {
        r = append_extensions(&extensions, &schemes, raw, out);
    }
    cl_free(suites.v);
    cl_free(extensions.v);
    cl_free(schemes.v);
    return r;
}
