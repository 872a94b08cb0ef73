/* dns/message.c - see message.h. */
#include "dns/message.h"

#include <string.h>

#include "base/text.h"

/* 128: labels of a name of 255 bytes, and one to end it */
#define MAX_LABELS   128
/* 32: pointers in a name; encoders use one */
#define MAX_POINTERS 32

/* ---- names ---- */

static bool is_label(struct cl_rd label)
{
    for (size_t i = 0; i < label.len; i++) {
        const uint8_t c = label.p[i];
        const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!fine) {
            return false;
        }
    }
    return true;
}

static bool add_label(struct cl_dns_name *n, struct cl_rd label)
{
    const size_t dot = n->len != 0 ? 1 : 0;
    if (label.len > 63 || n->len + dot + label.len + 1 > sizeof(n->text)) {
        return false;
    }
    if (dot != 0) {
        n->text[n->len++] = '.';
    }
    n->odd = n->odd || !is_label(label);
    for (size_t i = 0; i < label.len; i++) {
        n->text[n->len++] = (char)cl_ascii_lower(label.p[i]);
    }
    n->text[n->len] = '\0';
    return true;
}

/* RFC 9460 2.2: TargetName; RFC 1035 3.1 */
bool cl_dns_take_plain_name(struct cl_rd *r, struct cl_dns_name *out)
{
    *out = (struct cl_dns_name){.text = ""};
    for (int i = 0; i < MAX_LABELS; i++) {
        struct cl_rd label;
        if (!cl_rd_vec8(r, &label)) {
            return false;
        }
        if (label.len == 0) {
            return true;
        }
        if (!add_label(out, label)) {
            return false;
        }
    }
    return false;
}

/* RFC 1035 4.1.4: a pointer leads to "a prior occurrence": each must go further back than the one
 * before, so there is an end. */
static bool follow(struct cl_rd whole, uint8_t high, struct cl_rd *at, size_t *limit)
{
    uint8_t low;
    if ((high & 0xc0) != 0xc0 || !cl_rd_u8(at, &low)) {
        return false;
    }
    const size_t offset = (size_t)(high & 0x3f) << 8 | low;
    if (offset >= *limit) {
        return false;
    }
    *limit = offset;
    *at = whole;
    return cl_rd_skip(at, offset);
}

bool cl_dns_take_name(struct cl_rd whole, struct cl_rd *r, struct cl_dns_name *out)
{
    struct cl_rd at = *r;
    size_t limit = whole.len - r->len;
    bool jumped = false;
    unsigned num_pointers = 0;
    *out = (struct cl_dns_name){.text = ""};
    for (int i = 0; i < MAX_LABELS + MAX_POINTERS; i++) {
        uint8_t len;
        struct cl_rd label;
        if (!cl_rd_u8(&at, &len)) {
            return false;
        }
        if ((len & 0xc0) != 0) {
            struct cl_rd behind = at;
            if (++num_pointers > MAX_POINTERS || !cl_rd_skip(&behind, 1) ||
                !follow(whole, len, &at, &limit)) {
                return false;
            }
            *r = jumped ? *r : behind;
            jumped = true;
            continue;
        }
        if (!cl_rd_take(&at, len, &label)) {
            return false;
        }
        if (len == 0) {
            *r = jumped ? *r : at;
            return true;
        }
        if (!add_label(out, label)) {
            return false;
        }
    }
    return false;
}

/* ---- the parts ---- */

bool cl_dns_take_head(struct cl_rd whole, struct cl_rd *r, struct cl_dns_head *out)
{
    uint16_t id, authorities, more;
    *out = (struct cl_dns_head){0};
    if (!cl_rd_u16(r, &id) || !cl_rd_u16(r, &out->flags) || !cl_rd_u16(r, &out->num_questions) ||
        !cl_rd_u16(r, &out->num_answers) || !cl_rd_u16(r, &authorities) || !cl_rd_u16(r, &more)) {
        return false;
    }
    for (uint16_t i = 0; i < out->num_questions; i++) {
        if (!cl_dns_take_name(whole, r, &out->name) || !cl_rd_u16(r, &out->type) ||
            !cl_rd_u16(r, &out->class)) {
            return false;
        }
    }
    return true;
}

bool cl_dns_take_record(struct cl_rd whole, struct cl_rd *r, struct cl_dns_record *out)
{
    return cl_dns_take_name(whole, r, &out->owner) && cl_rd_u16(r, &out->type) &&
           cl_rd_u16(r, &out->class) && cl_rd_skip(r, 4) && cl_rd_vec16(r, &out->data);
}

bool cl_dns_record_is(const struct cl_dns_record *rec, uint16_t type, const char *owner)
{
    return rec->type == type && rec->class == CL_DNS_CLASS_IN && !rec->owner.odd &&
           strcmp(rec->owner.text, owner) == 0;
}

/* Goes on to where a CNAME of this owner leads; *found: there was one. */
static bool follow_cname(struct cl_rd whole, struct cl_rd answers, uint16_t num, char *owner,
                         bool *found)
{
    *found = false;
    for (uint16_t i = 0; i < num && !*found; i++) {
        struct cl_dns_record rec;
        struct cl_dns_name target;
        if (!cl_dns_take_record(whole, &answers, &rec)) {
            return false;
        }
        if (cl_dns_record_is(&rec, CL_DNS_TYPE_CNAME, owner)) {
            /* what it points to lies in the message in front of its own end */
            struct cl_rd at = cl_rd_of(rec.data.p, (size_t)(whole.p + whole.len - rec.data.p));
            if (!cl_dns_take_name(whole, &at, &target) || target.odd || target.len == 0) {
                return false;
            }
            memcpy(owner, target.text, target.len + 1);
            *found = true;
        }
    }
    return true;
}

bool cl_dns_follow_cnames(struct cl_rd whole, struct cl_rd answers, uint16_t num,
                          char owner[CL_DNS_NAME_SIZE])
{
    bool found = true;
    for (int i = 0; found && i < CL_DNS_MAX_ALIASES; i++) {
        if (!follow_cname(whole, answers, num, owner, &found)) {
            return false;
        }
    }
    return true;
}

/* ---- answers ---- */

/* RFC 1035 4.1.1 */
enum { FLAG_ANSWER = 0x8000, FLAG_CUT_OFF = 0x0200, MASK_OPCODE = 0x7800, MASK_CODE = 0x000f };
enum { CODE_FINE = 0, CODE_NO_NAME = 3 };

enum cl_dns_outcome cl_dns_judge(struct cl_rd message, const char *name, uint16_t type)
{
    struct cl_dns_head head;
    struct cl_rd r = message;
    if (!cl_dns_take_head(message, &r, &head) || (head.flags & FLAG_ANSWER) == 0 ||
        (head.flags & (FLAG_CUT_OFF | MASK_OPCODE)) != 0 || head.num_questions != 1 ||
        head.type != type || head.class != CL_DNS_CLASS_IN || head.name.odd ||
        strcmp(head.name.text, name) != 0) {
        return CL_DNS_MALFORMED;
    }
    switch (head.flags & MASK_CODE) {
    case CODE_FINE:
        return CL_DNS_ANSWERED;
    case CODE_NO_NAME:
        return CL_DNS_NO_NAME;
    default:
        return CL_DNS_REFUSED;
    }
}

/* RFC 1035 3.4.1, RFC 3596 2.2 */
static bool take_address(struct cl_rd data, uint16_t type, struct cl_addr *out)
{
    const bool six = type == CL_DNS_TYPE_AAAA;
    memset(out, 0, sizeof(*out));
    out->sa.sa_family = six ? AF_INET6 : AF_INET;
    return (six ? cl_rd_copy(&data, &out->in6.sin6_addr, 16)
                : cl_rd_copy(&data, &out->in.sin_addr, 4)) &&
           cl_rd_done(&data);
}

bool cl_dns_addresses(struct cl_rd message, const char *name, uint16_t type, struct cl_addr *out,
                      size_t cap, size_t *num)
{
    const struct cl_rd whole = message;
    struct cl_dns_head head;
    char owner[CL_DNS_NAME_SIZE];
    const size_t len = strlen(name);
    *num = 0;
    if (len >= sizeof(owner) || !cl_dns_take_head(whole, &message, &head)) {
        return false;
    }
    memcpy(owner, name, len + 1);
    if (!cl_dns_follow_cnames(whole, message, head.num_answers, owner)) {
        return false;
    }
    for (uint16_t i = 0; i < head.num_answers; i++) {
        struct cl_dns_record rec;
        struct cl_addr address;
        if (!cl_dns_take_record(whole, &message, &rec)) {
            *num = 0;
            return false;
        }
        if (!cl_dns_record_is(&rec, type, owner)) {
            continue;
        }
        if (!take_address(rec.data, type, &address)) {
            *num = 0;
            return false;
        }
        if (*num < cap) {
            out[(*num)++] = address;
        }
    }
    return true;
}

/* ---- questions ---- */

/* RFC 8467 4.1: "Clients SHOULD pad queries to the closest multiple of 128 octets." */
#define PADDED_TO 128
/* 12: EDNS option "Padding" (RFC 7830 3) */
#define PADDING   12
/* 1,232: UDP payload that fits everywhere; nothing goes by UDP here */
#define PAYLOAD   1232
/* 512: the longest name, header, OPT and padding */
#define MAX_QUERY 512

static bool put_name(struct cl_wr *w, const char *name)
{
    size_t total = 0;
    while (*name != '\0') {
        const size_t len = strcspn(name, ".");
        total += len + 1;
        if (len == 0 || len > 63 || total > 254) {
            return false;
        }
        cl_wr_u8(w, (uint8_t)len);
        cl_wr_bytes(w, name, len);
        name += len;
        if (*name == '.' && *++name == '\0') {
            return false;
        }
    }
    cl_wr_u8(w, 0);
    return total != 0;
}

/* RFC 6891 6.1.2, and padding to the end. */
static void put_opt(struct cl_wr *w)
{
    cl_wr_u8(w, 0);
    cl_wr_u16(w, CL_DNS_TYPE_OPT);
    cl_wr_u16(w, PAYLOAD);
    cl_wr_u32(w, 0);
    const struct cl_wr_mark options = cl_wr_open16(w);
    cl_wr_u16(w, PADDING);
    const struct cl_wr_mark padding = cl_wr_open16(w);
    cl_wr_zeros(w, (PADDED_TO - w->len % PADDED_TO) % PADDED_TO);
    cl_wr_close(w, padding);
    cl_wr_close(w, options);
}

cl_result cl_dns_query_build(const char *name, uint16_t type, struct cl_buf *out)
{
    uint8_t bytes[MAX_QUERY];
    struct cl_wr w = cl_wr_of(bytes, sizeof(bytes));
    static const uint16_t head[] = {0, 0x0100 /* recursion desired */, 1, 0, 0, 1};
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
        cl_wr_u16(&w, head[i]);
    }
    if (!put_name(&w, name)) {
        return CLEAT_ERR_USAGE;
    }
    cl_wr_u16(&w, type);
    cl_wr_u16(&w, CL_DNS_CLASS_IN);
    put_opt(&w);
    return cl_wr_ok(&w) ? cl_buf_append(out, bytes, w.len, CL_DNS_MAX_MESSAGE) : CLEAT_ERR_USAGE;
}
