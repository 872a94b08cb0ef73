/* x509/dn.c - see dn.h.
 *
 * Comparison is that of RFC 5280 7.1 as far as deployed names need it: string types are decoded to
 * code points, case is folded for ASCII, Latin-1, Greek and Cyrillic, white space at both ends is
 * dropped and inner runs count as one space. Values of other types compare as bytes. Names are
 * hashed over the same code points, so that equal names have equal hashes.
 */
#include "x509/dn.h"

#include <stdio.h>

/* ---- one attribute value as a sequence of folded code points ---- */
struct points {
    struct cl_rd rest;
    uint8_t tag;
    bool started;
    bool space; /* a run of white space has been read and not yet given out */
    uint32_t held;
    bool has_held;
};

#define END_OF_VALUE UINT32_MAX

static uint32_t fold(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
        (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f)) {
        return c + 32;
    }
    return c >= 0x400 && c <= 0x40f ? c + 80 : c;
}

static uint32_t utf8_point(struct cl_rd *r)
{
    uint8_t lead;
    if (!cl_rd_u8(r, &lead)) {
        return END_OF_VALUE;
    }
    if (lead < 0x80) {
        return lead;
    }
    unsigned num = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t point = lead & (0x3fu >> num);
    for (unsigned i = 0; i < num; i++) {
        uint8_t next;
        if (!cl_rd_u8(r, &next)) {
            return END_OF_VALUE;
        }
        point = point << 6 | (next & 0x3f);
    }
    return point;
}

static uint32_t raw_point(struct points *p)
{
    uint8_t one;
    uint16_t two;
    uint32_t four;
    switch (p->tag) {
    case CL_DER_UTF8_STRING:
        return utf8_point(&p->rest);
    case CL_DER_BMP_STRING:
        return cl_rd_u16(&p->rest, &two) ? two : END_OF_VALUE;
    case CL_DER_UNIVERSAL_STRING:
        return cl_rd_u32(&p->rest, &four) && four < 0x110000 ? four : END_OF_VALUE;
    default: /* T61String is read as Latin-1, as everybody does */
        return cl_rd_u8(&p->rest, &one) ? one : END_OF_VALUE;
    }
}

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
}

static uint32_t next_point(struct points *p)
{
    if (p->has_held) {
        p->has_held = false;
        return p->held;
    }
    for (;;) {
        uint32_t c = raw_point(p);
        if (c == END_OF_VALUE) {
            return c;
        }
        if (is_space(c)) {
            p->space = p->started;
            continue;
        }
        p->started = true;
        if (p->space) {
            p->space = false;
            p->held = fold(c);
            p->has_held = true;
            return ' ';
        }
        return fold(c);
    }
}

static bool is_text(uint8_t tag)
{
    switch (tag) {
    case CL_DER_UTF8_STRING:
    case CL_DER_PRINTABLE_STRING:
    case CL_DER_IA5_STRING:
    case CL_DER_T61_STRING:
    case CL_DER_BMP_STRING:
    case CL_DER_UNIVERSAL_STRING:
    case CL_DER_VISIBLE_STRING:
    case CL_DER_NUMERIC_STRING:
        return true;
    default:
        return false;
    }
}

/* ---- the walk ---- */
static bool take_attr(struct cl_rd *set, struct cl_attr *out)
{
    struct cl_rd pair;
    out->id = CL_OID_UNKNOWN;
    return cl_der_get(set, CL_DER_SEQUENCE, &pair) && cl_der_oid(&pair, &out->oid) &&
           cl_der_any(&pair, &out->tag, &out->value, NULL) && cl_rd_done(&pair) &&
           /* RFC 5280 A.1: all attributes known here are strings */
           (is_text(out->tag) ? cl_der_string_valid(out->tag, out->value)
                              : cl_oid_find(out->oid) == CL_OID_UNKNOWN);
}

bool cl_name_attr(struct cl_rd *rest, struct cl_rd *set, struct cl_attr *out)
{
    if (cl_rd_done(set) && !cl_der_get(rest, CL_DER_SET, set)) {
        return false;
    }
    if (!take_attr(set, out)) {
        return false;
    }
    out->id = cl_oid_find(out->oid);
    return true;
}

/* ---- parse and hash ---- */
#define FNV_START 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static uint64_t mix(uint64_t hash, uint32_t value)
{
    return (hash ^ value) * FNV_PRIME;
}

/* The same as over next_point(), for values of ASCII alone: nearly all names are. False: there is
 * something else in it. */
static bool hash_ascii(struct cl_rd value, uint64_t *hash)
{
    bool started = false;
    bool space = false;
    uint64_t h = *hash;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.p[i];
        if (c >= 0x80) {
            return false;
        }
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            space = started;
            continue;
        }
        if (space) {
            h = mix(h, ' ');
            space = false;
        }
        started = true;
        h = mix(h, c >= 'A' && c <= 'Z' ? c + 32u : c);
    }
    *hash = h;
    return true;
}

static uint64_t hash_attr(const struct cl_attr *attr)
{
    uint64_t hash = FNV_START;
    struct cl_rd oid = attr->oid;
    uint8_t byte;
    while (cl_rd_u8(&oid, &byte)) {
        hash = mix(hash, byte);
    }
    if (!is_text(attr->tag)) {
        struct cl_rd value = attr->value;
        while (cl_rd_u8(&value, &byte)) {
            hash = mix(hash, byte);
        }
        return mix(hash, 0x1000u + attr->tag);
    }
    uint64_t ascii = hash;
    if (attr->tag != CL_DER_BMP_STRING && attr->tag != CL_DER_UNIVERSAL_STRING &&
        hash_ascii(attr->value, &ascii)) {
        return ascii;
    }
    struct points points = {.rest = attr->value, .tag = attr->tag};
    for (uint32_t c = next_point(&points); c != END_OF_VALUE; c = next_point(&points)) {
        hash = mix(hash, c);
    }
    return hash;
}

bool cl_name_of(struct cl_rd rdns, struct cl_name *out)
{
    struct cl_rd rest = rdns;
    uint64_t hash = FNV_START;
    size_t num = 0;
    while (!cl_rd_done(&rest)) {
        struct cl_rd set;
        /* A sum, because the attributes of an RDN have no order. */
        uint64_t sum = 0;
        size_t num_attrs = 0;
        if (++num > CL_DN_MAX_RDNS || !cl_der_get(&rest, CL_DER_SET, &set) || cl_rd_done(&set)) {
            return false;
        }
        while (!cl_rd_done(&set)) {
            struct cl_attr attr;
            if (++num_attrs > CL_DN_MAX_ATTRS || !take_attr(&set, &attr)) {
                return false;
            }
            sum += hash_attr(&attr);
        }
        hash = (hash ^ sum) * FNV_PRIME;
    }
    out->rdns = rdns;
    out->hash = hash;
    return true;
}

bool cl_name_parse(struct cl_rd *r, struct cl_name *out)
{
    struct cl_rd rdns;
    uint8_t tag;
    return cl_der_any(r, &tag, &rdns, &out->der) && tag == CL_DER_SEQUENCE && cl_name_of(rdns, out);
}

/* ---- comparison ---- */
static bool attr_equal(const struct cl_attr *a, const struct cl_attr *b)
{
    if (!cl_rd_equal(a->oid, b->oid)) {
        return false;
    }
    if (a->tag == b->tag && cl_rd_equal(a->value, b->value)) {
        return true;
    }
    if (!is_text(a->tag) || !is_text(b->tag)) {
        return false;
    }
    struct points x = {.rest = a->value, .tag = a->tag};
    struct points y = {.rest = b->value, .tag = b->tag};
    for (;;) {
        uint32_t c = next_point(&x);
        if (c != next_point(&y)) {
            return false;
        }
        if (c == END_OF_VALUE) {
            return true;
        }
    }
}

static size_t count_attrs(struct cl_rd set)
{
    struct cl_attr attr;
    size_t num = 0;
    while (take_attr(&set, &attr)) {
        num++;
    }
    return num;
}

/* The same number of attributes, and each of a is one of b: no order (SET OF). */
static bool rdn_equal(struct cl_rd a, struct cl_rd b)
{
    struct cl_attr x;
    struct cl_attr y;
    if (cl_rd_equal(a, b)) {
        return true;
    }
    if (count_attrs(a) != count_attrs(b)) {
        return false;
    }
    while (take_attr(&a, &x)) {
        struct cl_rd others = b;
        bool found = false;
        while (!found && take_attr(&others, &y)) {
            found = attr_equal(&x, &y);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

bool cl_name_within(struct cl_rd rdns, struct cl_rd base, uint32_t *work)
{
    while (!cl_rd_done(&base)) {
        struct cl_rd a;
        struct cl_rd b;
        (*work)++;
        if (!cl_der_get(&rdns, CL_DER_SET, &a) || !cl_der_get(&base, CL_DER_SET, &b) ||
            !rdn_equal(a, b)) {
            return false;
        }
    }
    return true;
}

bool cl_name_equal(const struct cl_name *a, const struct cl_name *b)
{
    if (a->hash != b->hash) {
        return false;
    }
    if (cl_rd_equal(a->rdns, b->rdns)) {
        return true;
    }
    struct cl_rd x = a->rdns;
    struct cl_rd y = b->rdns;
    struct cl_rd set_x;
    struct cl_rd set_y;
    while (!cl_rd_done(&x) && !cl_rd_done(&y)) {
        if (!cl_der_get(&x, CL_DER_SET, &set_x) || !cl_der_get(&y, CL_DER_SET, &set_y) ||
            !rdn_equal(set_x, set_y)) {
            return false;
        }
    }
    return cl_rd_done(&x) && cl_rd_done(&y);
}

/* ---- text ---- */
struct text {
    char *out;
    size_t cap;
    size_t len;
};

static void put(struct text *t, char c)
{
    if (t->len + 1 < t->cap) {
        t->out[t->len] = c;
    }
    t->len++;
}

static void put_str(struct text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        put(t, *s);
    }
}

static void put_utf8(struct text *t, uint32_t c)
{
    if (c < 0x80) {
        put(t, (char)c);
    } else if (c < 0x800) {
        put(t, (char)(0xc0 | c >> 6));
        put(t, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        put(t, (char)(0xe0 | c >> 12));
        put(t, (char)(0x80 | (c >> 6 & 0x3f)));
        put(t, (char)(0x80 | (c & 0x3f)));
    } else {
        put(t, (char)(0xf0 | c >> 18));
        put(t, (char)(0x80 | (c >> 12 & 0x3f)));
        put(t, (char)(0x80 | (c >> 6 & 0x3f)));
        put(t, (char)(0x80 | (c & 0x3f)));
    }
}

static size_t finish(struct text *t)
{
    if (t->cap != 0) {
        t->out[t->len < t->cap ? t->len : t->cap - 1] = '\0';
    }
    return t->len;
}

static void put_hex(struct text *t, struct cl_rd value)
{
    uint8_t byte;
    while (cl_rd_u8(&value, &byte)) {
        put(t, "0123456789abcdef"[byte >> 4]);
        put(t, "0123456789abcdef"[byte & 15]);
    }
}

/* RFC 4514 2.4: which characters are escaped, and how. Control characters are escaped as hex pairs,
 * so that a name cannot forge lines of output. */
static void put_value(struct text *t, const struct cl_attr *attr, bool escape)
{
    if (!is_text(attr->tag)) {
        put(t, '#');
        put_hex(t, attr->value);
        return;
    }
    struct points points = {.rest = attr->value, .tag = attr->tag};
    bool first = true;
    for (uint32_t c = raw_point(&points); c != END_OF_VALUE; c = raw_point(&points)) {
        bool last = cl_rd_done(&points.rest);
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0)) {
            uint8_t byte = (uint8_t)c;
            put(t, '\\');
            put_hex(t, cl_rd_of(&byte, 1));
        } else {
            if (escape && c < 0x80 &&
                (strchr(",+\"\\<>;", (int)c) != NULL || (first && (c == '#' || c == ' ')) ||
                 (last && c == ' '))) {
                put(t, '\\');
            }
            put_utf8(t, c);
        }
        first = false;
    }
}

static void put_attr(struct text *t, const struct cl_attr *attr)
{
    char type[96];
    cl_oid_describe(attr->oid, type, sizeof(type));
    put_str(t, type);
    put(t, '=');
    put_value(t, attr, true);
}

/* 64: RDNs shown; names of people and machines have up to ten */
#define MAX_SHOWN 64

size_t cl_name_text(const struct cl_name *name, char *out, size_t cap)
{
    struct text t = {.out = out, .cap = cap};
    struct cl_rd sets[MAX_SHOWN];
    struct cl_rd rest = name->rdns;
    size_t num = 0;
    while (num < MAX_SHOWN && cl_der_get(&rest, CL_DER_SET, &sets[num])) {
        num++;
    }
    /* RFC 4514 2.1: "starting with the last element of the sequence and moving backwards" */
    for (size_t i = num; i-- > 0;) {
        struct cl_rd none = {0};
        struct cl_attr attr;
        bool first = true;
        while (cl_name_attr(&none, &sets[i], &attr)) {
            if (!first) {
                put(&t, '+');
            } else if (i + 1 != num) {
                put(&t, ',');
            }
            put_attr(&t, &attr);
            first = false;
        }
    }
    return finish(&t);
}

size_t cl_attr_text(const struct cl_attr *attr, char *out, size_t cap)
{
    struct text t = {.out = out, .cap = cap};
    put_value(&t, attr, false);
    return finish(&t);
}

bool cl_name_common_name(const struct cl_name *name, struct cl_attr *out)
{
    struct cl_rd rest = name->rdns;
    struct cl_rd set = {0};
    struct cl_attr attr;
    bool found = false;
    while (cl_name_attr(&rest, &set, &attr)) {
        if (attr.id == CL_OID_AT_CN) {
            *out = attr;
            found = true;
        }
    }
    return found;
}
