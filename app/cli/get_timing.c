/* cli/get_timing.c - draw the phases of a transfer.
 *
 *   DNS           1.2 ms   ██
 *   TCP           8.0 ms     ██████████
 *
 * All bars share one scale, so that the eye sees what came when; a phase that took no time to speak
 * of still has one mark.
 */
#include "cli/get_timing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/get_output.h"
#include "conn/trace.h"

/* 28: columns in front of the bars: label, number, mark, and what is between them */
#define BEFORE_BAR 28
/* 10 to 100 columns of bars: fewer show nothing, and an eye does not follow longer lines */
#define MIN_BAR    10
#define MAX_BAR    100

struct get_timing_look get_timing_look(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && locale == NULL; i++) {
        const char *value = getenv(names[i]);
        locale = value != NULL && value[0] != '\0' ? value : NULL;
    }
    bool utf8 =
        locale != NULL && (strstr(locale, "UTF-8") != NULL || strstr(locale, "utf8") != NULL ||
                           strstr(locale, "UTF8") != NULL);
    return (struct get_timing_look){
        .columns = get_output_columns(), .utf8 = utf8, .colour = cl_trace_want_colour(stderr)};
}

/* "1.2 ms", "12.3 s": ten columns at most. */
static void format_us(char *out, size_t cap, uint64_t us)
{
    if (us < 10000000) {
        (void)snprintf(out, cap, "%.1f ms", (double)us / 1000);
    } else {
        (void)snprintf(out, cap, "%.1f s", (double)us / 1000000);
    }
}

struct bar {
    size_t from, len; /* in columns */
};

static struct bar bar_of(const struct get_phase *p, uint64_t total_us, size_t width)
{
    const double scale = total_us > 0 ? (double)width / (double)total_us : 0;
    struct bar b = {.from = (size_t)((double)p->start_us * scale + 0.5)};
    size_t end = (size_t)((double)(p->start_us + p->us) * scale + 0.5);
    b.from = b.from < width ? b.from : width - 1;
    end = end < width ? end : width;
    b.len = end > b.from ? end - b.from : 1;
    return b;
}

static void draw_phase(FILE *out, enum get_phase_id id, const struct get_phase *p, bool missed,
                       const struct get_timing_look *look, size_t width, uint64_t total_us)
{
    static const char *const colours[GET_NUM_PHASES] = {
        "\033[37m", "\033[36m", "\033[34m", "\033[35m", "\033[33m", "\033[33m", "\033[32m", ""};
    char time[32];
    const struct bar b = bar_of(p, total_us, width);
    const char *colour = !look->colour ? "" : missed || p->unfinished ? "\033[31m" : colours[id];
    format_us(time, sizeof(time), p->us);
    (void)fprintf(out, "%-11s%11s %c  %*s%s", get_phase_label(id), time, missed ? '!' : ' ',
                  (int)b.from, "", colour);
    for (size_t i = 0; i < b.len; i++) {
        /* U+2588, a full block; of what failed U+2591, a light one */
        (void)fputs(!look->utf8 ? (p->unfinished ? "." : "#")
                                : (p->unfinished ? "\xe2\x96\x91" : "\xe2\x96\x88"),
                    out);
    }
    (void)fprintf(out, "%s%s\n", colour[0] != '\0' ? "\033[0m" : "",
                  p->unfinished && b.from + b.len + 7 <= width ? " failed" : "");
}

void get_timing_draw(FILE *out, const struct get_facts *facts, const struct get_slo *slo,
                     const struct get_timing_look *look)
{
    struct get_phase phases[GET_NUM_PHASES];
    size_t width = look->columns > BEFORE_BAR + MIN_BAR ? look->columns - BEFORE_BAR : MIN_BAR;
    width = width < MAX_BAR ? width : MAX_BAR;
    get_phases(facts, phases);
    for (int i = 0; i < GET_NUM_PHASES; i++) {
        const enum get_phase_id id = (enum get_phase_id)i;
        /* A request without a body is sent in no time. */
        bool dull = id == GET_PHASE_SEND && facts->size_upload == 0 && !phases[i].unfinished;
        if (phases[i].reached && !dull) {
            draw_phase(out, id, &phases[i], get_slo_missed(slo, phases, id), look, width,
                       facts->time_total);
        }
    }
}
