/* cli/get_slo.c - see get_slo.h. */
#include "cli/get_slo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 24 hours: more is a typing error */
#define MAX_LIMIT_MS 86400000.0
/* 32 bytes: "86400000.000ms" has 14 */
#define MAX_NUMBER   32

/* "500", "500ms", "0.5s" as microseconds; 0: it is none of these. */
static uint64_t parse_limit(const char *p, size_t len)
{
    char text[MAX_NUMBER], *end = NULL;
    if (len == 0 || len >= sizeof(text) || p[0] < '0' || p[0] > '9') {
        return 0;
    }
    memcpy(text, p, len);
    text[len] = '\0';
    if (strspn(text, "0123456789.") + strspn(text + strspn(text, "0123456789."), "ms") != len) {
        return 0; /* no exponents, no hexadecimal digits */
    }
    double ms = strtod(text, &end);
    ms *= strcmp(end, "s") == 0 ? 1000 : 1;
    bool known = *end == '\0' || strcmp(end, "s") == 0 || strcmp(end, "ms") == 0;
    return known && ms >= 0.001 && ms <= MAX_LIMIT_MS ? (uint64_t)(ms * 1000) : 0;
}

const char *get_slo_parse(struct get_slo *out, const char *text, const char **bad, size_t *bad_len)
{
    do {
        size_t len = strcspn(text, ",");
        const char *equals = memchr(text, '=', len);
        *bad = text;
        *bad_len = len;
        if (equals == NULL) {
            return "it is not written PHASE=MILLISECONDS";
        }
        int id = get_phase_find(text, (size_t)(equals - text));
        if (id < 0) {
            return "there is no such phase: it is redirect, dns, tcp, tls, send, ttfb (or "
                   "first-byte), transfer or total";
        }
        uint64_t limit = parse_limit(equals + 1, len - (size_t)(equals + 1 - text));
        if (limit == 0) {
            return "the limit is not a number of milliseconds above 0";
        }
        out->limit_us[id] = limit;
        out->is_set = true;
        text += len;
    } while (*text++ == ',');
    return NULL;
}

bool get_slo_missed(const struct get_slo *slo, const struct get_phase phases[GET_NUM_PHASES],
                    enum get_phase_id id)
{
    return slo->limit_us[id] != 0 && phases[id].us > slo->limit_us[id];
}

bool get_slo_report(const struct get_slo *slo, const struct get_phase phases[GET_NUM_PHASES],
                    char *out, size_t cap)
{
    size_t at = 0;
    out[0] = '\0';
    for (int i = 0; i < GET_NUM_PHASES; i++) {
        if (!get_slo_missed(slo, phases, (enum get_phase_id)i)) {
            continue;
        }
        int n =
            snprintf(out + at, cap - at, "%s%s took %.1f ms, %.1f ms over its limit",
                     at > 0 ? "; " : "", get_phase_name((enum get_phase_id)i),
                     (double)phases[i].us / 1000, (double)(phases[i].us - slo->limit_us[i]) / 1000);
        at = n > 0 && (size_t)n < cap - at ? at + (size_t)n : cap - 1;
    }
    return at > 0;
}
