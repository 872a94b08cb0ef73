/* cli/setters.c - see setters.h. */
#include "cli/setters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/tls.h"
#include "cli/cli.h"

int cl_words_add(struct cl_words *w, const struct cl_options *from, const char *word)
{
    const char **grown = cl_realloc(w->items, (w->num + 1) * sizeof(*grown));
    if (grown == NULL) {
        return cl_options_complain(from->usage, "out of memory");
    }
    grown[w->num++] = word;
    w->items = grown;
    return 0;
}

void cl_words_deinit(struct cl_words *w)
{
    cl_free(w->items);
    *w = (struct cl_words){0};
}

static int set_seconds(uint64_t *out_ms, const struct cl_options *from)
{
    char *end;
    double seconds = strtod(from->value, &end);
    /* A year: beyond it somebody has mistaken the unit. */
    if (end == from->value || *end != '\0' || !isfinite(seconds) || seconds < 0 ||
        seconds > 366.0 * 86400) {
        return cl_options_complain(from->usage, "%s: \"%s\" is not a number of seconds",
                                   from->spelled, from->value);
    }
    *out_ms = (uint64_t)(seconds * 1000);
    *out_ms += seconds > 0 && *out_ms == 0 ? 1 : 0;
    return 0;
}

static int set_version(uint16_t *out, const struct cl_options *from)
{
    static const struct {
        const char *name;
        uint16_t version;
    } rows[] = {{"1.2", CLEAT_TLS_1_2}, {"1.3", CLEAT_TLS_1_3}, {"default", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(from->value, rows[i].name) == 0) {
            *out = rows[i].version;
            return 0;
        }
    }
    return cl_options_complain(from->usage, "%s: \"%s\" is not a TLS version: give 1.2 or 1.3",
                               from->spelled, from->value);
}

static int apply(const struct cl_setter *s, void *options, const struct cl_options *from)
{
    char *field = (char *)options + s->offset;
    switch (s->how) {
    case CL_SET_TRUE:
        *(bool *)field = true;
        return 0;
    case CL_SET_TEXT:
        *(const char **)(void *)field = from->value;
        return 0;
    case CL_SET_WORD:
        return cl_words_add((struct cl_words *)(void *)field, from, from->value);
    case CL_SET_SECONDS:
        return set_seconds((uint64_t *)(void *)field, from);
    case CL_SET_VERSION:
        return set_version((uint16_t *)(void *)field, from);
    case CL_SET_NOTHING:
        return 0;
    case CL_SET_BY_FUNCTION:
        return s->function(options, from);
    }
    return CL_EXIT_USAGE;
}

int cl_setters_apply(const struct cl_setter *rows, size_t num, int id, void *options,
                     const struct cl_options *from)
{
    for (size_t i = 0; i < num; i++) {
        if (rows[i].id == id) {
            return apply(&rows[i], options, from);
        }
    }
    return CL_SETTERS_UNKNOWN;
}
