/* cli/get_done.c - see get_done.h. */
#include "cli/get_done.h"

#include <stdio.h>

#include "cli/get_codes.h"
#include "cli/get_mixed.h"
#include "cli/get_timing.h"
#include "cli/get_write_out.h"

/* 800 bytes: eight phases of some 60 */
#define MAX_REPORT 800

/* A transfer that failed has a worse problem than its speed. */
static void judge(const struct get_options *o, struct get_facts *facts)
{
    struct get_phase phases[GET_NUM_PHASES];
    char report[MAX_REPORT];
    get_phases(facts, phases);
    if (facts->exit_code != 0 || !get_slo_report(&o->slo, phases, report, sizeof(report))) {
        return;
    }
    facts->exit_code = GET_EXIT_MISSED;
    (void)snprintf(facts->errormsg, sizeof(facts->errormsg), "--slo: %.300s", report);
    if (!o->silent || o->show_error) {
        (void)fprintf(stderr, "cleat: (%d) --slo: %s\n", GET_EXIT_MISSED, report);
    }
}

int get_done(const struct get_options *o, struct get_facts *facts)
{
    facts->slo = &o->slo;
    if ((o->mixed_content || o->mixed_content_json) && facts->exit_code == 0) {
        facts->exit_code = get_mixed_report(facts, o->mixed_content_json, stdout);
    }
    judge(o, facts);
    if (o->write_out != NULL && !get_write_out(o->write_out, facts, stdout) &&
        facts->exit_code == 0) {
        facts->exit_code = GET_EXIT_READ_FILE;
    }
    if (o->timing) {
        if (o->urls.num > 1) {
            (void)fprintf(stderr, "%s\n", facts->url_effective);
        }
        const struct get_timing_look look = get_timing_look();
        get_timing_draw(stderr, facts, &o->slo, &look);
    }
    return (int)facts->exit_code;
}
