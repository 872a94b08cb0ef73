/* cli/get_source.c - see get_source.h. */
#include "cli/get_source.h"

void get_source_wake(struct get_source *s)
{
    if (s->wake != NULL) {
        s->wake(s->wake_ctx);
    }
}
