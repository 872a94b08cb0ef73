/* x509/der.c - the strict DER reader of der.h. Everything that BER allows and DER does not is
 * refused: long forms of short lengths, indefinite lengths, padded integers, TRUE other than ff,
 * unused bits that are set, arcs with leading zeros. Multi-byte tags do not occur in X.509 and are
 * refused too. */
#include "x509/der.h"

#include <stdio.h>

/* 4: lengths up to 4 GiB - 1; no input of this library is longer than a few MiB */
#define MAX_LENGTH_BYTES 4

static bool length(struct cl_rd *r, size_t *out)
{
    uint8_t first;
    if (!cl_rd_u8(r, &first)) {
        return false;
    }
    if (first < 0x80) {
        *out = first;
        return true;
    }
    size_t num = first & 0x7f;
    if (num == 0 || num > MAX_LENGTH_BYTES) {
        return false;
    }
    size_t value = 0;
    for (size_t i = 0; i < num; i++) {
        uint8_t byte;
        if (!cl_rd_u8(r, &byte)) {
            return false;
        }
        value = value << 8 | byte;
    }
    /* X.690 10.1: "the length octets shall be ... the minimum number of octets necessary" */
    if (value < 0x80 || value >> (8 * (num - 1)) == 0) {
        return false;
    }
    *out = value;
    return true;
}

bool cl_der_any(struct cl_rd *r, uint8_t *tag, struct cl_rd *body, struct cl_rd *whole)
{
    struct cl_rd at = *r;
    size_t len;
    if (!cl_rd_u8(&at, tag) || (*tag & 0x1f) == 0x1f || !length(&at, &len) ||
        !cl_rd_take(&at, len, body)) {
        return false;
    }
    if (whole != NULL) {
        *whole = cl_rd_of(r->p, r->len - at.len);
    }
    *r = at;
    return true;
}

bool cl_der_peek(const struct cl_rd *r, uint8_t tag)
{
    return r->len != 0 && r->p[0] == tag;
}

bool cl_der_get(struct cl_rd *r, uint8_t tag, struct cl_rd *body)
{
    uint8_t found;
    return cl_der_peek(r, tag) && cl_der_any(r, &found, body, NULL);
}

bool cl_der_optional(struct cl_rd *r, uint8_t tag, struct cl_rd *body, bool *present)
{
    *present = cl_der_peek(r, tag);
    return !*present || cl_der_get(r, tag, body);
}

static bool integer_valid(struct cl_rd body)
{
    struct cl_rd at = body;
    uint8_t first;
    uint8_t second;
    if (!cl_rd_u8(&at, &first)) {
        return false;
    }
    if (!cl_rd_u8(&at, &second)) {
        return true;
    }
    /* X.690 8.3.2: the first nine bits are neither all ones nor all zero. */
    return !(first == 0x00 && second < 0x80) && !(first == 0xff && second >= 0x80);
}

bool cl_der_integer(struct cl_rd *r, struct cl_rd *body)
{
    struct cl_rd at = *r;
    if (!cl_der_get(&at, CL_DER_INTEGER, body) || !integer_valid(*body)) {
        return false;
    }
    *r = at;
    return true;
}

bool cl_der_u32(struct cl_rd *r, uint32_t *out)
{
    struct cl_rd at = *r;
    struct cl_rd body;
    if (!cl_der_integer(&at, &body)) {
        return false;
    }
    uint64_t value = 0;
    uint8_t byte;
    if ((body.p[0] & 0x80) != 0 || body.len > 5) {
        return false;
    }
    while (cl_rd_u8(&body, &byte)) {
        value = value << 8 | byte;
    }
    if (value > UINT32_MAX) {
        return false;
    }
    *out = (uint32_t)value;
    *r = at;
    return true;
}

bool cl_der_bool(struct cl_rd *r, bool *out)
{
    struct cl_rd at = *r;
    struct cl_rd body;
    uint8_t value;
    if (!cl_der_get(&at, CL_DER_BOOLEAN, &body) || !cl_rd_u8(&body, &value) || !cl_rd_done(&body) ||
        (value != 0x00 && value != 0xff)) {
        return false;
    }
    *out = value != 0;
    *r = at;
    return true;
}

bool cl_der_bits_body(struct cl_rd body, struct cl_rd *bytes, uint8_t *num_unused)
{
    if (!cl_rd_u8(&body, num_unused) || *num_unused > 7) {
        return false;
    }
    if (body.len == 0) {
        *bytes = body;
        return *num_unused == 0;
    }
    uint8_t mask = (uint8_t)((1u << *num_unused) - 1);
    if ((body.p[body.len - 1] & mask) != 0) {
        return false;
    }
    *bytes = body;
    return true;
}

bool cl_der_bits(struct cl_rd *r, struct cl_rd *bytes, uint8_t *num_unused)
{
    struct cl_rd at = *r;
    struct cl_rd body;
    if (!cl_der_get(&at, CL_DER_BIT_STRING, &body) || !cl_der_bits_body(body, bytes, num_unused)) {
        return false;
    }
    *r = at;
    return true;
}

bool cl_der_bits_octets(struct cl_rd *r, struct cl_rd *bytes)
{
    struct cl_rd at = *r;
    uint8_t num_unused;
    if (!cl_der_bits(&at, bytes, &num_unused) || num_unused != 0) {
        return false;
    }
    *r = at;
    return true;
}

bool cl_der_oid_valid(struct cl_rd body)
{
    bool start = true;
    uint8_t byte = 0x80;
    if (body.len == 0) {
        return false;
    }
    while (cl_rd_u8(&body, &byte)) {
        /* X.690 8.19.2: "the leading octet of the subidentifier shall not have the value 80" */
        if (start && byte == 0x80) {
            return false;
        }
        start = (byte & 0x80) == 0;
    }
    return start;
}

bool cl_der_oid(struct cl_rd *r, struct cl_rd *body)
{
    struct cl_rd at = *r;
    if (!cl_der_get(&at, CL_DER_OID, body) || !cl_der_oid_valid(*body)) {
        return false;
    }
    *r = at;
    return true;
}

size_t cl_oid_text(struct cl_rd oid, char *out, size_t cap)
{
    size_t len = 0;
    uint64_t arc = 0;
    bool first = true;
    bool huge = false; /* an arc of more than 64 bits: not shown as another number */
    uint8_t byte;
    if (cap != 0) {
        out[0] = '\0';
    }
    while (cl_rd_u8(&oid, &byte)) {
        huge = huge || arc > UINT64_MAX >> 7;
        arc = arc << 7 | (byte & 0x7f);
        if ((byte & 0x80) != 0) {
            continue;
        }
        char text[48];
        if (huge) {
            (void)snprintf(text, sizeof(text), "%s(huge)", first ? "2." : ".");
            first = false;
            huge = false;
        } else if (first) {
            unsigned root = arc < 40 ? 0 : arc < 80 ? 1 : 2;
            (void)snprintf(text, sizeof(text), "%u.%llu", root,
                           (unsigned long long)(arc - 40ULL * root));
            first = false;
        } else {
            (void)snprintf(text, sizeof(text), ".%llu", (unsigned long long)arc);
        }
        if (len < cap) {
            (void)snprintf(out + len, cap - len, "%s", text);
        }
        len += strlen(text);
        arc = 0;
    }
    return len;
}

static bool arc_from_text(const char **text, uint64_t *out)
{
    const char *p = *text;
    uint64_t value = 0;
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9')) {
        return false;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        if (value > UINT32_MAX) {
            return false;
        }
        value = value * 10 + (uint64_t)(*p - '0');
    }
    *out = value;
    *text = p;
    return true;
}

static void put_arc(struct cl_wr *w, uint64_t arc)
{
    int shift = 63;
    while (shift > 0 && arc >> shift == 0) {
        shift -= 7;
    }
    for (; shift > 0; shift -= 7) {
        cl_wr_u8(w, (uint8_t)(0x80 | (arc >> shift & 0x7f)));
    }
    cl_wr_u8(w, (uint8_t)(arc & 0x7f));
}

bool cl_oid_from_text(const char *text, uint8_t *out, size_t cap, size_t *len)
{
    struct cl_wr w = cl_wr_of(out, cap);
    uint64_t first;
    uint64_t second;
    if (!arc_from_text(&text, &first) || first > 2 || *text++ != '.' ||
        !arc_from_text(&text, &second) || (first < 2 && second > 39)) {
        return false;
    }
    put_arc(&w, first * 40 + second);
    while (*text == '.') {
        uint64_t arc;
        text++;
        if (!arc_from_text(&text, &arc)) {
            return false;
        }
        put_arc(&w, arc);
    }
    *len = w.len;
    return *text == '\0' && cl_wr_ok(&w);
}

/* PrintableString of X.680 41.4, and the four characters that deployed certificates put into it all
 * the same: every other parser accepts them, and no meaning hangs on them. */
static bool printable(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           (c != '\0' && strchr("'()+,-./:=?*&@_", c) != NULL);
}

static bool utf8_valid(struct cl_rd body)
{
    uint8_t lead;
    while (cl_rd_u8(&body, &lead)) {
        if (lead < 0x80) {
            continue;
        }
        unsigned num = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        uint32_t point = lead & (0x3fu >> num);
        if (lead < 0xc2 || lead > 0xf4) {
            return false;
        }
        for (unsigned i = 0; i < num; i++) {
            uint8_t next;
            if (!cl_rd_u8(&body, &next) || (next & 0xc0) != 0x80) {
                return false;
            }
            point = point << 6 | (next & 0x3f);
        }
        if ((num == 2 && point < 0x800) || (num == 3 && (point < 0x10000 || point > 0x10ffff)) ||
            (point >= 0xd800 && point <= 0xdfff)) {
            return false;
        }
    }
    return true;
}

bool cl_der_string_valid(uint8_t tag, struct cl_rd body)
{
    uint8_t c;
    switch (tag) {
    case CL_DER_UTF8_STRING:
        return utf8_valid(body);
    case CL_DER_PRINTABLE_STRING:
        while (cl_rd_u8(&body, &c)) {
            if (!printable(c)) {
                return false;
            }
        }
        return true;
    case CL_DER_IA5_STRING:
    case CL_DER_VISIBLE_STRING:
    case CL_DER_NUMERIC_STRING:
        while (cl_rd_u8(&body, &c)) {
            if (c >= 0x80 || (tag == CL_DER_VISIBLE_STRING && (c < 0x20 || c == 0x7f)) ||
                (tag == CL_DER_NUMERIC_STRING && c != ' ' && (c < '0' || c > '9'))) {
                return false;
            }
        }
        return true;
    case CL_DER_T61_STRING:
        return true;
    case CL_DER_BMP_STRING:
        return body.len % 2 == 0;
    case CL_DER_UNIVERSAL_STRING:
        return body.len % 4 == 0;
    default:
        return false;
    }
}
