/* coding/decoder.c - codings undone one after the other, within limits.
 *
 * Stage 0 takes what was received and undoes the coding that was applied last. A stage is run until
 * it has taken everything and holds nothing back; then the one before it makes more. So at most one
 * buffer of every stage waits, however much comes out in the end.
 */
#include "base/mem.h"
#include "coding/codec.h"

struct cleat_decoder {
    struct cleat_decoder_options o;
    struct cl_heap heap;
    uint64_t total_in;
    int failed;
    uint8_t num;
    struct cl_decode *stages[CLEAT_MAX_CODINGS]; /* made when bytes come */
    uint8_t codings[CLEAT_MAX_CODINGS];          /* in the order of the stages */
};

cl_result cl_decode_short(struct cl_decode *d)
{
    return d->heap->exhausted ? CLEAT_ERR_NOMEM : CLEAT_ERR_HTTP_TOO_LARGE;
}

bool cl_decode_hold(struct cl_decode *d, struct cl_rd *in, uint8_t want)
{
    while (d->num_held < want && cl_rd_u8(in, &d->held[d->num_held])) {
        d->num_held++;
    }
    return d->num_held == want;
}

void cleat_decoder_options_init(struct cleat_decoder_options *o)
{
    *o = (struct cleat_decoder_options){
        .max_output = 64u << 20,
        .max_ratio = 1100,
        .free_ratio = 1u << 20,
        .max_memory = 32u << 20,
    };
}

int cleat_decoder_new(const struct cleat_codings *codings, const struct cleat_decoder_options *o,
                      struct cleat_decoder **out)
{
    if (codings->num > CLEAT_MAX_CODINGS) {
        return CLEAT_ERR_USAGE;
    }
    struct cleat_decoder *d = cl_calloc(1, sizeof(*d));
    if (d == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    cleat_decoder_options_init(&d->o);
    d->o = o != NULL ? *o : d->o;
    d->heap.max = d->o.max_memory;
    for (uint8_t i = 0; i < codings->num; i++) {
        uint8_t coding = codings->list[codings->num - 1 - i];
        if (coding == CLEAT_CODING_IDENTITY || !cleat_coding_built_in(coding)) {
            cl_free(d);
            return coding < CLEAT_NUM_CODINGS && coding != CLEAT_CODING_IDENTITY
                       ? CLEAT_ERR_UNSUPPORTED
                       : CLEAT_ERR_USAGE;
        }
        d->codings[d->num++] = coding;
    }
    *out = d;
    return CLEAT_OK;
}

void cleat_decoder_free(struct cleat_decoder *d)
{
    if (d == NULL) {
        return;
    }
    for (uint8_t i = 0; i < d->num; i++) {
        if (d->stages[i] != NULL) {
            d->stages[i]->ops->close(d->stages[i]);
        }
    }
    cl_heap_drop(&d->heap);
    cl_free(d);
}

size_t cleat_decoder_memory(const struct cleat_decoder *d)
{
    size_t outside = 0;
    for (uint8_t i = 0; i < d->num; i++) {
        outside += d->stages[i] != NULL ? d->stages[i]->ops->memory(d->stages[i]) : 0;
    }
    return sizeof(*d) + d->heap.used + outside;
}

static int fail(struct cleat_decoder *d, cl_result code, struct cleat_error *err, const char *text)
{
    d->failed = code;
    return cl_error_set(err, (struct cl_why){.code = code}, "%s", text);
}

static int fail_coding(struct cleat_decoder *d, uint8_t i, cl_result code, struct cleat_error *err)
{
    const char *name = cleat_coding_name(d->codings[i]);
    const char *why = d->stages[i] != NULL ? d->stages[i]->why : NULL;
    d->failed = code;
    if (code == CLEAT_ERR_CODING) {
        return cl_error_set(err, (struct cl_why){.code = code, .section = "RFC 9110 8.4.1"},
                            "the body is not valid %s: %s", name, why != NULL ? why : "wrong data");
    }
    if (code == CLEAT_ERR_HTTP_TOO_LARGE) {
        return cl_error_set(err, (struct cl_why){.code = code},
                            "decoding %s needs more than the %zu bytes of memory that are allowed",
                            name, d->o.max_memory);
    }
    return cl_error_set(err, (struct cl_why){.code = code}, "decoding %s failed", name);
}

static cl_result open_stage(struct cleat_decoder *d, uint8_t i)
{
    struct cl_decode *s = cl_heap_calloc(&d->heap, 1, sizeof(*s));
    if (s == NULL) {
        return d->heap.exhausted ? CLEAT_ERR_NOMEM : CLEAT_ERR_HTTP_TOO_LARGE;
    }
    d->stages[i] = s;
    s->heap = &d->heap;
    s->coding = d->codings[i];
    s->ops = cl_coding_rows[s->coding].decode;
    return s->ops->open(s);
}

/* What a few bytes may become is limited for each coding: two of them could hide the growth of the
 * one in the other's shrinking. */
static int check_limits(struct cleat_decoder *d, uint8_t i, struct cleat_error *err)
{
    const struct cl_decode *s = d->stages[i];
    const struct cleat_decoder_options *o = &d->o;
    const char *name = cleat_coding_name(s->coding);
    struct cl_why why = {.code = CLEAT_ERR_HTTP_TOO_LARGE};
    if (s->total_out > o->max_output) {
        d->failed = why.code;
        return cl_error_set(err, why, "the body is longer than %llu bytes when %s is decoded",
                            (unsigned long long)o->max_output, name);
    }
    if (o->max_ratio != 0 && s->total_out > o->free_ratio &&
        s->total_out / o->max_ratio > d->total_in) {
        d->failed = why.code;
        return cl_error_set(
            err, why, "%llu bytes of body become more than %u times as many when %s is decoded",
            (unsigned long long)d->total_in, o->max_ratio, name);
    }
    if (o->max_memory != 0 && cleat_decoder_memory(d) > o->max_memory) {
        return fail_coding(d, i, CLEAT_ERR_HTTP_TOO_LARGE, err);
    }
    return CLEAT_OK;
}

/* Runs one stage once. */
static int run(struct cleat_decoder *d, uint8_t i, size_t *produced, struct cleat_error *err)
{
    struct cl_decode *s = d->stages[i];
    const size_t before = s->in.len;
    *produced = 0;
    if (before == 0 && !s->more) {
        return CLEAT_OK;
    }
    s->began = true;
    cl_result rc = s->ops->run(s, &s->in, produced);
    if (i == 0) {
        d->total_in += before - s->in.len;
    }
    s->total_out += *produced;
    return rc != CL_OK ? fail_coding(d, i, rc, err) : check_limits(d, i, err);
}

/* Runs the stages until the last has made something, or the first has taken everything. */
static int pull(struct cleat_decoder *d, struct cleat_http_view *out, struct cleat_error *err)
{
    uint8_t i = (uint8_t)(d->num - 1);
    for (;;) {
        size_t produced;
        int code = run(d, i, &produced, err);
        if (code != CLEAT_OK) {
            return code;
        }
        struct cl_decode *s = d->stages[i];
        if (produced > 0 && i == d->num - 1) {
            *out = (struct cleat_http_view){.p = (const char *)s->out, .len = produced};
            return CLEAT_HTTP_DATA;
        }
        if (produced > 0) {
            d->stages[++i]->in = cl_rd_of(s->out, produced);
        } else if (s->in.len == 0 && i == 0) {
            return CLEAT_HTTP_MORE;
        } else if (s->in.len == 0) {
            i--;
        }
    }
}

static int pass_on(struct cleat_decoder *d, struct cl_rd in, struct cleat_http_view *out,
                   struct cleat_error *err)
{
    d->total_in += in.len;
    if (d->total_in > d->o.max_output) {
        return fail(d, CLEAT_ERR_HTTP_TOO_LARGE, err, "the body is longer than is allowed");
    }
    *out = (struct cleat_http_view){.p = (const char *)in.p, .len = in.len};
    return in.len > 0 ? CLEAT_HTTP_DATA : CLEAT_HTTP_MORE;
}

int cleat_decoder_feed(struct cleat_decoder *d, const void *in, size_t len, size_t *out_used,
                       struct cleat_http_view *out, struct cleat_error *err)
{
    *out_used = 0;
    *out = (struct cleat_http_view){0};
    if (d->failed != 0) {
        return d->failed;
    }
    if (d->num == 0) {
        *out_used = len;
        return pass_on(d, cl_rd_of(in, len), out, err);
    }
    for (uint8_t i = 0; i < d->num && len > 0; i++) {
        cl_result rc = d->stages[i] == NULL ? open_stage(d, i) : CL_OK;
        if (rc != CL_OK) {
            return fail_coding(d, i, rc, err);
        }
    }
    if (d->stages[0] == NULL) {
        return CLEAT_HTTP_MORE; /* nothing has come yet */
    }
    d->stages[0]->in = cl_rd_of(in, len);
    int code = pull(d, out, err);
    *out_used = code >= 0 ? len - d->stages[0]->in.len : 0;
    return code;
}

int cleat_decoder_end(struct cleat_decoder *d, struct cleat_error *err)
{
    if (d->failed != 0) {
        return d->failed;
    }
    for (uint8_t i = 0; i < d->num; i++) {
        const struct cl_decode *s = d->stages[i];
        if (s == NULL || (!s->began && i == 0)) {
            return CLEAT_OK; /* nothing has come at all */
        }
        if (s->in.len != 0 || s->more) {
            return CLEAT_ERR_USAGE;
        }
        if (!s->ended) {
            d->failed = CLEAT_ERR_HTTP_TRUNCATED;
            return cl_error_set(
                err, (struct cl_why){.code = CLEAT_ERR_HTTP_TRUNCATED, .section = "RFC 9110 8.4.1"},
                "the body ends before its %s does, after %llu bytes", cleat_coding_name(s->coding),
                (unsigned long long)d->total_in);
        }
    }
    return CLEAT_OK;
}
