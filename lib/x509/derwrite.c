/* x509/derwrite.c - the DER writer of der.h. An element is opened with one byte for its length;
 * when it is closed and turns out longer than 127 bytes, its contents are moved up to make room. */
#include "x509/der.h"

struct cl_der_mark cl_der_open(struct cl_wr *w, uint8_t tag)
{
    cl_wr_u8(w, tag);
    cl_wr_u8(w, 0);
    return (struct cl_der_mark){.at = w->len};
}

void cl_der_close(struct cl_wr *w, struct cl_der_mark mark)
{
    if (!cl_wr_ok(w)) {
        return;
    }
    size_t len = w->len - mark.at;
    if (len < 0x80) {
        w->p[mark.at - 1] = (uint8_t)len;
        return;
    }
    size_t num = 1;
    while (len >> (8 * num) != 0) {
        num++;
    }
    if (cl_wr_reserve(w, num) == NULL) {
        return;
    }
    memmove(w->p + mark.at + num, w->p + mark.at, len);
    w->p[mark.at - 1] = (uint8_t)(0x80 | num);
    for (size_t i = 0; i < num; i++) {
        w->p[mark.at + i] = (uint8_t)(len >> (8 * (num - 1 - i)));
    }
}

void cl_der_put(struct cl_wr *w, uint8_t tag, struct cl_rd body)
{
    struct cl_der_mark mark = cl_der_open(w, tag);
    cl_wr_view(w, body);
    cl_der_close(w, mark);
}

void cl_der_put_bool(struct cl_wr *w, bool value)
{
    uint8_t byte = value ? 0xff : 0x00;
    cl_der_put(w, CL_DER_BOOLEAN, cl_rd_of(&byte, 1));
}

void cl_der_put_u32(struct cl_wr *w, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};
    cl_der_put_unsigned(w, bytes, sizeof(bytes));
}

void cl_der_put_unsigned(struct cl_wr *w, const uint8_t *p, size_t len)
{
    while (len > 1 && p[0] == 0) {
        p++;
        len--;
    }
    struct cl_der_mark mark = cl_der_open(w, CL_DER_INTEGER);
    if (len == 0 || (p[0] & 0x80) != 0) {
        cl_wr_u8(w, 0);
    }
    cl_wr_bytes(w, p, len);
    cl_der_close(w, mark);
}

void cl_der_put_bits(struct cl_wr *w, struct cl_rd bytes, uint8_t num_unused)
{
    struct cl_der_mark mark = cl_der_open(w, CL_DER_BIT_STRING);
    cl_wr_u8(w, num_unused);
    cl_wr_view(w, bytes);
    cl_der_close(w, mark);
}

void cl_der_put_oid_text(struct cl_wr *w, const char *dotted)
{
    uint8_t oid[64];
    size_t len;
    if (!cl_oid_from_text(dotted, oid, sizeof(oid), &len)) {
        w->failed = true;
        return;
    }
    cl_der_put(w, CL_DER_OID, cl_rd_of(oid, len));
}
