/* net/mapped.h - a file's bytes as they lie in the page cache, for what is too long to copy. One
 * that is overwritten in place meanwhile changes under its reader, and one that is cut ends the
 * program (SIGBUS): files that others write are to be replaced by renaming. */
#ifndef CL_NET_MAPPED_H
#define CL_NET_MAPPED_H

#include "base/bytes.h"
#include "base/result.h"

struct cl_mapped {
    void *p;
    size_t len;
};

/* cl_mapped_new maps the first len bytes of a file, len > 0; fd may be closed afterwards.
 * CLEAT_ERR_SYSTEM (errno says why), NOMEM. */
CL_MUST cl_result cl_mapped_new(int fd, size_t len, struct cl_mapped **out);

static inline struct cl_rd cl_mapped_view(const struct cl_mapped *m)
{
    return cl_rd_of(m->p, m->len);
}

/* cl_mapped_free gives it back, in the shape that cleat_crl_set_add_mapped takes. NULL is fine. */
void cl_mapped_free(void *mapped);

#endif
