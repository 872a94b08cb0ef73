/* h2/closed.c - see closed.h. */
#include "h2/closed.h"

#include <nghttp2/nghttp2.h>
#include <stddef.h>

/* beside a stream's number, of 31 bits: the reset was the peer's */
#define BY_PEER 0x80000000u
#define ID_MASK 0x7fffffffu

void cl_h2_closed_init(struct cl_h2_closed *c)
{
    *c = (struct cl_h2_closed){.next = 1, .gap = 1, .used = 1, .last = ID_MASK};
}

void cl_h2_closed_open(struct cl_h2_closed *c, uint32_t stream)
{
    if (stream % 2 == 0 || stream < c->next) {
        return;
    }
    if (stream > c->next) {
        c->gap = c->next;
        c->used = stream;
    }
    c->next = stream + 2;
}

static uint32_t *find(struct cl_h2_closed *c, uint32_t stream)
{
    for (size_t i = 0; i < CL_H2_NUM_RESET; i++) {
        if ((c->resets[i] & ID_MASK) == stream) {
            return &c->resets[i];
        }
    }
    return NULL;
}

/* A free place, or that of the oldest, which is forgotten. NULL: the stream itself is older. */
static uint32_t *make_place(struct cl_h2_closed *c, uint32_t stream)
{
    uint32_t *oldest = &c->resets[0];
    for (size_t i = 1; i < CL_H2_NUM_RESET; i++) {
        if ((c->resets[i] & ID_MASK) < (*oldest & ID_MASK)) {
            oldest = &c->resets[i];
        }
    }
    if (*oldest == 0) {
        return oldest;
    }
    const bool is_older = stream < (*oldest & ID_MASK);
    c->forgotten = is_older ? stream : *oldest & ID_MASK;
    return is_older ? NULL : oldest;
}

static void note(struct cl_h2_closed *c, uint32_t stream, uint32_t flag)
{
    if (stream <= c->forgotten) {
        return;
    }
    uint32_t *place = find(c, stream);
    if (place == NULL) {
        place = make_place(c, stream);
    }
    if (place != NULL) {
        *place = stream | flag;
    }
}

void cl_h2_closed_reset(struct cl_h2_closed *c, uint32_t stream)
{
    note(c, stream, 0);
}

enum cl_h2_verdict cl_h2_closed_judge(struct cl_h2_closed *c, uint8_t type, uint8_t flags,
                                      uint32_t stream, int remote_close)
{
    if (stream % 2 == 0 || stream >= c->next || stream > c->last || stream <= c->forgotten) {
        return CL_H2_PASSES;
    }
    uint32_t *reset = find(c, stream);
    if (type == NGHTTP2_RST_STREAM && (remote_close == 0 || reset != NULL)) {
        note(c, stream, BY_PEER);
    }
    /* RFC 9113 5.1: WINDOW_UPDATE and RST_STREAM may have crossed the end, PRIORITY is always fine
     */
    if ((type != NGHTTP2_DATA && type != NGHTTP2_HEADERS) || remote_close >= 0) {
        return CL_H2_PASSES;
    }
    if (reset == NULL) {
        const bool skipped = stream >= c->gap && stream < c->used;
        return type == NGHTTP2_HEADERS && skipped ? CL_H2_GOES_BACK : CL_H2_IS_CLOSED;
    }
    if ((*reset & BY_PEER) != 0) {
        return CL_H2_RESETS_STREAM;
    }
    if ((flags & NGHTTP2_FLAG_END_STREAM) != 0) { /* the last that was on its way */
        *reset = 0;
    }
    return CL_H2_PASSES;
}
