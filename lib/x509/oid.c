/* x509/oid.c - see oid.h. */
#include "x509/oid.h"

#include <stdio.h>

#include "x509/der.h"

static const struct {
    const char *name;
    const char *bytes;
    size_t len;
} rows[CL_OID_COUNT] = {
#define CL_X(id, name, bytes) [CL_OID_##id] = {(name), (bytes), sizeof(bytes) - 1},
    CL_OID_LIST(CL_X)
#undef CL_X
};

_Static_assert(CL_OID_LAST_EXT < 32, "extension ids are bit numbers of a 32-bit mask");

enum cl_oid cl_oid_find(struct cl_rd oid)
{
    for (int i = 1; i < CL_OID_COUNT; i++) {
        if (rows[i].len == oid.len && memcmp(rows[i].bytes, oid.p, oid.len) == 0) {
            return (enum cl_oid)i;
        }
    }
    return CL_OID_UNKNOWN;
}

const char *cl_oid_name(enum cl_oid id)
{
    return rows[id].name;
}

struct cl_rd cl_oid_bytes(enum cl_oid id)
{
    return cl_rd_of(rows[id].bytes, rows[id].len);
}

size_t cl_oid_describe(struct cl_rd oid, char *out, size_t cap)
{
    const char *name = cl_oid_name(cl_oid_find(oid));
    if (name == NULL) {
        return cl_oid_text(oid, out, cap);
    }
    int len = snprintf(out, cap, "%s", name);
    return len > 0 ? (size_t)len : 0;
}
