/* cli/get_progress.c - see get_progress.h. */
#include "cli/get_progress.h"

#include <stdio.h>

#include "cli/get_output.h"
#include "net/clock.h"

/* 100 ms between two drawings: faster is not readable */
#define REDRAW_US 100000

void get_progress_init(struct get_progress *p, const struct get_options *o)
{
    const bool quiet = o->silent || o->no_progress || o->client.verbose;
    const bool all_to_files = o->outputs.num >= o->urls.num;
    *p = (struct get_progress){.num = o->urls.num, .start_us = cl_clock_mono_us()};
    p->on = o->parallel && !quiet && get_output_bar_has_a_place(all_to_files ? "a file" : NULL);
}

void get_progress_draw(struct get_progress *p, uint64_t running)
{
    const uint64_t now = cl_clock_mono_us();
    if (!p->on || now - p->drawn_us < REDRAW_US) {
        return;
    }
    char text[160], count[64];
    const int len = snprintf(count, sizeof(count), "%zu of %zu  ", p->done, p->num);
    const size_t used = len > 0 ? (size_t)len : 0, columns = get_output_columns();
    get_output_bar(text, sizeof(text), columns > used ? columns - used : 0, p->bytes + running, 0,
                   now - p->start_us);
    (void)fprintf(stderr, "\r\033[K%s%s", count, text);
    (void)fflush(stderr);
    p->drawn = true;
    p->drawn_us = now;
}

void get_progress_clear(struct get_progress *p)
{
    if (p->drawn) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
        p->drawn = false;
        p->drawn_us = 0;
    }
}
