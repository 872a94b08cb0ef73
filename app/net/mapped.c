/* net/mapped.c - see mapped.h. */
#include "net/mapped.h"

#include <sys/mman.h>

#include "base/mem.h"

cl_result cl_mapped_new(int fd, size_t len, struct cl_mapped **out)
{
    struct cl_mapped *m = cl_alloc(sizeof(*m));
    if (m == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    *m = (struct cl_mapped){.p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0), .len = len};
    if (m->p == MAP_FAILED) {
        cl_free(m);
        return CLEAT_ERR_SYSTEM;
    }
    *out = m;
    return CL_OK;
}

void cl_mapped_free(void *mapped)
{
    struct cl_mapped *m = mapped;
    if (m != NULL) {
        (void)munmap(m->p, m->len);
        cl_free(m);
    }
}
