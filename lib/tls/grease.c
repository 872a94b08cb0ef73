/* tls/grease.c - see grease.h. A server that selects one of the values has selected what was not
 * offered: the checks of its answers know only what is real (RFC 8701 3.1). */
#include "tls/grease.h"

#include "tls/ext.h"

static void shuffle(uint8_t *order, size_t num, const uint8_t *random)
{
    /* Fisher and Yates; two bytes a step, so that the bias is below 1 in 2,000 */
    for (size_t i = num; i > 1; i--) {
        size_t k = (size_t)(random[2 * i - 2] * 256 + random[2 * i - 1]) % i;
        uint8_t other = order[k];
        order[k] = order[i - 1];
        order[i - 1] = other;
    }
}

cl_result cl_grease_draw(struct cleat_tls *tls)
{
    struct cl_grease *g = &tls->hs->grease;
    uint8_t random[2 * CL_GREASE_MAX_ROWS];
    for (size_t i = 0; i < CL_GREASE_MAX_ROWS; i++) {
        g->order[i] = (uint8_t)i;
    }
    if (tls->config->grease) {
        CL_TRY(cl_rand(&tls->config->rng, g->seed, sizeof(g->seed)));
    }
    if (tls->config->permute) {
        CL_TRY(cl_rand(&tls->config->rng, random, sizeof(random)));
        /* RFC 9846 4.3.11: pre_shared_key, the table's last row, stays the last */
        shuffle(g->order, cl_ext_num_rows() - 1, random);
    }
    return CL_OK;
}

uint16_t cl_grease_value(const struct cleat_tls *tls, enum cl_grease_place place)
{
    const struct cl_grease *g = &tls->hs->grease;
    uint8_t byte = (uint8_t)((g->seed[place] & 0xf0) | 0x0a);
    /* no extension type stands twice (RFC 9846 4.3) */
    if (place == CL_GREASE_LAST_EXTENSION &&
        (g->seed[place] & 0xf0) == (g->seed[CL_GREASE_FIRST_EXTENSION] & 0xf0)) {
        byte ^= 0x10;
    }
    return (uint16_t)(byte * 0x0101);
}

void cl_grease_number(const struct cleat_tls *tls, enum cl_grease_place place, struct cl_wr *w)
{
    if (tls->config->grease) {
        cl_wr_u16(w, cl_grease_value(tls, place));
    }
}

void cl_grease_extension(const struct cleat_tls *tls, enum cl_grease_place place, size_t zeros,
                         struct cl_wr *w)
{
    if (tls->config->grease) {
        cl_wr_u16(w, cl_grease_value(tls, place));
        struct cl_wr_mark m = cl_wr_open16(w);
        cl_wr_zeros(w, zeros);
        cl_wr_close(w, m);
    }
}
