/* cli/get_slo.h - --slo: limits for the phases of a transfer, and which were missed. */
#ifndef CL_CLI_GET_SLO_H
#define CL_CLI_GET_SLO_H

#include "cli/get_phases.h"

struct get_slo {
    uint64_t limit_us[GET_NUM_PHASES]; /* 0: none */
    bool is_set;
};

/* get_slo_parse reads "total=500,tls=100" into *out, adding to what is there: milliseconds, also
 * written "500ms" or "0.5s". NULL, or what is wrong (static storage) with the part at *bad, of
 * *bad_len bytes. */
const char *get_slo_parse(struct get_slo *out, const char *text, const char **bad, size_t *bad_len);

/* get_slo_missed tells whether a phase took longer than it may. */
bool get_slo_missed(const struct get_slo *slo, const struct get_phase phases[GET_NUM_PHASES],
                    enum get_phase_id id);

/* get_slo_report writes what was missed, and by how much, as one line without its end: "total took
 * 612.3 ms, 112.3 ms over its limit". "" and false when nothing was. */
bool get_slo_report(const struct get_slo *slo, const struct get_phase phases[GET_NUM_PHASES],
                    char *out, size_t cap);

#endif
