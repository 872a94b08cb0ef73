/* cli/time_option.c - see time_option.h. */
#include "cli/time_option.h"

#include <stdlib.h>
#include <time.h>

int time_option_set(int64_t *out, const struct cl_options *o)
{
    static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
    char *end = NULL;
    long long n = o->value[0] == '@' ? strtoll(o->value + 1, &end, 10) : 0;
    if (end != NULL && end != o->value + 1 && *end == '\0') {
        *out = n;
        return 0;
    }
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct tm tm = {0};
        const char *rest = strptime(o->value, formats[i], &tm);
        if (rest != NULL && *rest == '\0') {
            *out = (int64_t)timegm(&tm);
            return 0;
        }
    }
    return cl_options_complain(o->usage,
                               "%s takes 2026-06-01, 2026-06-01T12:00:00Z or @UNIX, not '%s'",
                               o->spelled, o->value);
}
