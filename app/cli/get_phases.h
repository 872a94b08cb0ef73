/* cli/get_phases.h - a transfer's time, cut into the phases that --timing draws and --slo limits.
 */
#ifndef CL_CLI_GET_PHASES_H
#define CL_CLI_GET_PHASES_H

#include "cli/get_facts.h"

/* In the order in which they happen. Each begins where the one before it has ended. */
enum get_phase_id {
    GET_PHASE_REDIRECTS, /* all hops but the last */
    GET_PHASE_DNS,       /* of the last hop, as what follows */
    GET_PHASE_TCP,
    GET_PHASE_TLS,        /* until the request may be sent; with a proxy's CONNECT */
    GET_PHASE_SEND,       /* head and body of the request */
    GET_PHASE_FIRST_BYTE, /* until the first byte of the response */
    GET_PHASE_TRANSFER,   /* until its last one */
    GET_PHASE_TOTAL,
};
#define GET_NUM_PHASES (GET_PHASE_TOTAL + 1)

struct get_phase {
    uint64_t start_us; /* since the transfer began */
    uint64_t us;
    bool reached;    /* false: it did not happen (a connection that was there already) */
    bool unfinished; /* the transfer failed in it */
};

/* get_phases cuts the time of a transfer that is over. Pure. */
void get_phases(const struct get_facts *f, struct get_phase out[GET_NUM_PHASES]);

/* get_phase_label is what people read ("first byte"), get_phase_name what --slo and JSON have
 * ("ttfb"). get_phase_find is the way back; it knows "first-byte", too. -1: no phase. */
const char *get_phase_label(enum get_phase_id id);
const char *get_phase_name(enum get_phase_id id);
int get_phase_find(const char *name, size_t len);

#endif
