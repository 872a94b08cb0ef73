/* coding/encoder.c - one coding applied. */
#include "base/mem.h"
#include "coding/codec.h"

struct cleat_encoder {
    struct cl_encode coder;
    enum cleat_encoder_op op; /* the last one */
    bool settled;             /* and there is no more for it */
    bool ended;
    bool failed;
};

int cleat_encoder_new(enum cleat_coding coding, const struct cleat_encoder_options *o,
                      struct cleat_encoder **out)
{
    static const struct cleat_encoder_options defaults;
    o = o != NULL ? o : &defaults;
    if (coding == CLEAT_CODING_IDENTITY || (unsigned)coding >= CLEAT_NUM_CODINGS || o->level < 0) {
        return CLEAT_ERR_USAGE;
    }
    const struct cl_coding_row *row = &cl_coding_rows[coding];
    if (row->encode == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    if (o->level > row->max_level) {
        return CLEAT_ERR_USAGE;
    }
    struct cleat_encoder *e = cl_calloc(1, sizeof(*e));
    if (e == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    e->coder.ops = row->encode;
    e->coder.coding = coding;
    cl_result rc = row->encode->open(&e->coder, o->level != 0 ? o->level : row->level, o->size);
    if (rc != CL_OK) {
        cleat_encoder_free(e);
        return rc;
    }
    *out = e;
    return CLEAT_OK;
}

void cleat_encoder_free(struct cleat_encoder *e)
{
    if (e != NULL) {
        e->coder.ops->close(&e->coder);
        cl_heap_drop(&e->coder.heap);
        cl_free(e);
    }
}

size_t cleat_encoder_memory(const struct cleat_encoder *e)
{
    return sizeof(*e) + e->coder.heap.used + e->coder.ops->memory(&e->coder);
}

int cleat_encoder_feed(struct cleat_encoder *e, const void *in, size_t len,
                       enum cleat_encoder_op op, size_t *out_used, struct cleat_http_view *out)
{
    struct cl_rd rest = cl_rd_of(in, len);
    size_t produced = 0;
    bool done = false;
    *out_used = 0;
    *out = (struct cleat_http_view){0};
    if (e->failed || (unsigned)op > CLEAT_ENCODE_END || (e->ended && len > 0)) {
        return CLEAT_ERR_USAGE;
    }
    bool nothing_new = e->settled && len == 0 && op == e->op;
    while (!done && produced == 0 && !e->ended && !nothing_new) {
        cl_result rc = e->coder.ops->run(&e->coder, &rest, op, &produced, &done);
        if (rc != CL_OK) {
            e->failed = true;
            return rc;
        }
    }
    *out_used = len - rest.len;
    e->settled = done || nothing_new;
    e->op = op;
    e->ended = e->ended || (done && op == CLEAT_ENCODE_END);
    if (produced > 0) {
        *out = (struct cleat_http_view){.p = (const char *)e->coder.out, .len = produced};
        return CLEAT_HTTP_DATA;
    }
    return e->ended ? CLEAT_HTTP_COMPLETE : CLEAT_HTTP_MORE;
}
