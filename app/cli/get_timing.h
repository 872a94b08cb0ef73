/* cli/get_timing.h - --timing: the phases of a transfer as bars below each other. */
#ifndef CL_CLI_GET_TIMING_H
#define CL_CLI_GET_TIMING_H

#include <stdio.h>

#include "cli/get_slo.h"

struct get_timing_look {
    size_t columns; /* of the terminal */
    bool utf8;      /* blocks instead of '#' */
    bool colour;
};

/* get_timing_look finds out what standard error can show: its width (80 when it is no terminal),
 * the locale of LC_ALL, LC_CTYPE and LANG, NO_COLOR. */
struct get_timing_look get_timing_look(void);

/* get_timing_draw draws a transfer that is over. What missed its limit has a "!". */
void get_timing_draw(FILE *out, const struct get_facts *facts, const struct get_slo *slo,
                     const struct get_timing_look *look);

#endif
