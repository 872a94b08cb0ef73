/* cli/get_phases.c - from points in time to stretches of it. */
#include "cli/get_phases.h"

#include <string.h>

#include "cli/get_codes.h"

static const struct {
    const char *label, *name;
} names[GET_NUM_PHASES] = {
    [GET_PHASE_REDIRECTS] = {"redirects", "redirect"},
    [GET_PHASE_DNS] = {"DNS", "dns"},
    [GET_PHASE_TCP] = {"TCP", "tcp"},
    [GET_PHASE_TLS] = {"TLS", "tls"},
    [GET_PHASE_SEND] = {"send", "send"},
    [GET_PHASE_FIRST_BYTE] = {"first byte", "ttfb"},
    [GET_PHASE_TRANSFER] = {"transfer", "transfer"},
    [GET_PHASE_TOTAL] = {"total", "total"},
};

const char *get_phase_label(enum get_phase_id id)
{
    return names[id].label;
}

const char *get_phase_name(enum get_phase_id id)
{
    return names[id].name;
}

int get_phase_find(const char *name, size_t len)
{
    static const struct {
        const char *name;
        int id;
    } others[] = {{"first-byte", GET_PHASE_FIRST_BYTE}, {"redirects", GET_PHASE_REDIRECTS}};
    for (int i = 0; i < GET_NUM_PHASES; i++) {
        if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0) {
            return i;
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strlen(others[i].name) == len && memcmp(others[i].name, name, len) == 0) {
            return others[i].id;
        }
    }
    return -1;
}

void get_phases(const struct get_facts *f, struct get_phase out[GET_NUM_PHASES])
{
    const bool failed = f->exit_code != 0 && f->exit_code != GET_EXIT_MISSED;
    /* Where each phase ends; 0: it was not reached, or did not happen. */
    const uint64_t ends[] = {
        [GET_PHASE_REDIRECTS] = f->time_redirect,
        [GET_PHASE_DNS] = f->time_namelookup,
        [GET_PHASE_TCP] = f->time_connect,
        [GET_PHASE_TLS] = f->time_appconnect,
        [GET_PHASE_SEND] = f->time_posttransfer,
        [GET_PHASE_FIRST_BYTE] = f->time_starttransfer,
        [GET_PHASE_TRANSFER] = !failed || f->time_starttransfer != 0 ? f->time_total : 0,
    };
    uint64_t at = 0;
    bool over = false;
    memset(out, 0, GET_NUM_PHASES * sizeof(*out));
    for (int i = 0; i < GET_PHASE_TOTAL && !over; i++) {
        /* A failure is in the first phase that has no end, unless a later one has one. */
        bool later = false;
        for (int k = i; k < GET_PHASE_TOTAL; k++) {
            later = later || ends[k] != 0;
        }
        over = !later && failed && i != GET_PHASE_REDIRECTS;
        if (ends[i] == 0 && !over) {
            continue;
        }
        uint64_t end = over ? f->time_total : ends[i];
        out[i] = (struct get_phase){
            .start_us = at, .us = end > at ? end - at : 0, .reached = true, .unfinished = over};
        at = end > at ? end : at;
    }
    out[GET_PHASE_TRANSFER].unfinished = out[GET_PHASE_TRANSFER].reached && failed && !over;
    out[GET_PHASE_TOTAL] = (struct get_phase){.us = f->time_total, .reached = true};
}
