/* fuzz/fuzz_name.c - two names, split at the first zero byte: as DNS names, as addresses, as
 * distinguished names, as OIDs, as public suffixes. */
#include <stdlib.h>

#include "x509/dn.h"
#include "x509/gname.h"
#include "x509/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void dns(struct cl_rd a, struct cl_rd b)
{
    /* a name that is valid matches itself, unless it is a wildcard */
    if (cl_dns_valid(a, false) && !cl_dns_matches(a, a)) {
        abort();
    }
    if (cl_dns_matches(a, b) && a.len > b.len + 1) {
        abort();
    }
}

static void address(struct cl_rd a)
{
    uint8_t ip[16];
    uint8_t again[16];
    size_t len;
    size_t len_again;
    char text[64];
    if (!cl_ip_parse((const char *)a.p, a.len, ip, &len)) {
        return;
    }
    struct cl_gname name = {CLEAT_SAN_IP, cl_rd_of(ip, len)};
    size_t text_len = cl_gname_text(&name, text, sizeof(text));
    if (!cl_ip_parse(text, text_len, again, &len_again) || len != len_again ||
        memcmp(ip, again, len) != 0) {
        abort();
    }
}

static void distinguished(struct cl_rd a, struct cl_rd b)
{
    struct cl_name x;
    struct cl_name y;
    char text[256];
    uint32_t work = 0;
    if (!cl_name_of(a, &x)) {
        return;
    }
    (void)cl_name_text(&x, text, sizeof(text));
    if (!cl_name_equal(&x, &x) || !cl_name_within(x.rdns, x.rdns, &work)) {
        abort();
    }
    if (cl_name_of(b, &y) && cl_name_equal(&x, &y) != cl_name_equal(&y, &x)) {
        abort();
    }
}

static void oid(struct cl_rd a)
{
    char text[2048];
    uint8_t back[256];
    size_t len;
    if (a.len > 64 || !cl_der_oid_valid(a)) {
        return;
    }
    (void)cl_oid_text(a, text, sizeof(text));
    /* arcs beyond 32 bits are for show only */
    if (cl_oid_from_text(text, back, sizeof(back), &len) && !cl_rd_equal(cl_rd_of(back, len), a)) {
        abort();
    }
}

static void suffix(struct cl_rd list_text, struct cl_rd name)
{
    struct cleat_suffix_list *list;
    if (cleat_suffix_list_from_text((const char *)list_text.p, list_text.len, &list) == CLEAT_OK) {
        (void)cleat_suffix_list_has(list, (const char *)name.p, name.len);
        cleat_suffix_list_free(list);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size != 0 ? memchr(data, 0, size) : NULL;
    size_t len = zero != NULL ? (size_t)(zero - data) : size;
    struct cl_rd a = cl_rd_of(data, len);
    struct cl_rd b =
        cl_rd_of(data + (zero != NULL ? len + 1 : 0), zero != NULL ? size - len - 1 : 0);
    struct cl_rd all = cl_rd_of(data, size);
    dns(a, b);
    address(a);
    distinguished(all, b);
    oid(a);
    suffix(a, b);
    return 0;
}
