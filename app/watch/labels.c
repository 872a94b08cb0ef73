/* watch/labels.c - values of labels: names and numbers of certificates, escaped (series.h). */
#include "watch/labels.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ws/utf8.h"
#include "x509/dn.h"

/* 64 bytes: a serial number has at most 20 (RFC 5280 4.1.2.2); longer ones are cut in front */
#define MAX_SERIAL 64

static cl_result put(struct cl_buf *out, const void *p, size_t len)
{
    return cl_buf_append(out, p, len, CL_WATCH_MAX_SERIES);
}

static cl_result put_char(struct cl_buf *out, char c)
{
    switch (c) {
    case '\\':
        return put(out, "\\\\", 2);
    case '"':
        return put(out, "\\\"", 2);
    case '\n':
        return put(out, "\\n", 2);
    default:
        return put(out, &c, 1);
    }
}

/* How many bytes the UTF-8 character at p has; 0: it is none. */
static size_t character_at(const char *p)
{
    for (size_t len = 1; len <= 4; len++) {
        struct cl_ws_utf8 u = {0};
        if (cl_ws_utf8_feed(&u, (const uint8_t *)p, len) != len) {
            return 0;
        }
        if (cl_ws_utf8_done(&u)) {
            return len;
        }
    }
    return 0;
}

cl_result cl_watch_label(struct cl_buf *out, const char *text)
{
    const char *end = text + strlen(text);
    while (text < end) {
        const size_t len = character_at(text); /* stops at the final NUL, which continues nothing */
        if (len == 0) {
            CL_TRY(put(out, "\xef\xbf\xbd", 3));
            text++;
        } else if (len == 1) {
            CL_TRY(put_char(out, *text));
            text++;
        } else {
            CL_TRY(put(out, text, len));
            text += len;
        }
    }
    return CL_OK;
}

void cl_watch_serial_text(struct cl_rd bytes, char out[CL_WATCH_SERIAL_SIZE])
{
    uint8_t n[MAX_SERIAL] = {0};
    char digits[CL_WATCH_SERIAL_SIZE];
    size_t num = 0, len = 0;
    uint8_t byte, any;
    bool negative = false;
    while (bytes.len > MAX_SERIAL && cl_rd_skip(&bytes, 1)) {
    }
    while (cl_rd_u8(&bytes, &byte)) {
        n[len++] = byte;
    }
    if (len > 0 && (n[0] & 0x80) != 0) { /* two's complement */
        unsigned carry = 1;
        negative = true;
        for (size_t i = len; i > 0; i--) {
            carry += (uint8_t)~n[i - 1];
            n[i - 1] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    do {
        unsigned rest = 0;
        any = 0;
        for (size_t i = 0; i < len; i++) {
            rest = rest << 8 | n[i];
            n[i] = (uint8_t)(rest / 10);
            rest %= 10;
            any |= n[i];
        }
        digits[num++] = (char)('0' + rest);
    } while (any != 0);
    size_t at = 0;
    if (negative) {
        out[at++] = '-';
    }
    while (num > 0) {
        out[at++] = digits[--num];
    }
    out[at] = '\0';
}

void cl_watch_attr_text(const struct cleat_cert *cert, bool issuer, enum cl_oid id, bool list,
                        char *out, size_t cap)
{
    const struct cl_name *name = issuer ? &cert->issuer : &cert->subject;
    struct cl_rd rest = name->rdns, set = {0};
    struct cl_attr attr;
    size_t len = 0;
    out[0] = '\0';
    while (cl_name_attr(&rest, &set, &attr)) {
        char value[256];
        if (attr.id != id) {
            continue;
        }
        (void)cl_attr_text(&attr, value, sizeof(value));
        if (!list) {
            (void)snprintf(out, cap, "%s", value);
        } else if (len + strlen(value) + 3 < cap) {
            len += (size_t)snprintf(out + len, cap - len, "%s%s,", len == 0 ? "," : "", value);
        }
    }
}

void cl_watch_sans_text(const struct cleat_cert *cert, unsigned kinds, bool fenced, char *out,
                        size_t cap)
{
    char text[512];
    enum cleat_san_kind kind;
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; cleat_cert_san(cert, i, &kind, text, sizeof(text)); i++) {
        if ((kinds >> kind & 1) == 0 || len + strlen(text) + 3 >= cap) {
            continue;
        }
        const char *before = len > 0 ? (fenced ? "" : ",") : fenced ? "," : "";
        len += (size_t)snprintf(out + len, cap - len, "%s%s%s", before, text, fenced ? "," : "");
    }
}
