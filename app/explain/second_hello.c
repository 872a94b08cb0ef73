/* explain/second_hello.c - see second_hello.h. The share is a real one: the engine checks it. */
#include "explain/second_hello.h"

#include <string.h>

#include "crypto/job.h"
#include "tls/ext.h"
#include "tls/wire.h"

/* 131,400: as long as any ClientHello */
#define MAX_HELLO 131400

static cl_result make_share(const struct cl_group *group, uint8_t *share, size_t *share_len)
{

    struct cl_job job = {.kind = CL_JOB_KEYGEN, .status = CL_JOB_PENDING};
    job.kex.group = group;
    job.kex.rng = &cl_rng_system;
    job.kex.share = share;
    cl_job_run(&job);
    const cl_result r = job.result;
    *share_len = job.kex.share_len;
    cl_kex_key_free(job.kex.key);
    job.kex.key = NULL;
    cl_job_reset(&job);
    return r;
}

static void write_extension(struct cl_wr *w, uint16_t type, struct cl_rd body)
{
    cl_wr_u16(w, type);
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_view(w, body);
    cl_wr_close(w, m);
}

static void write_cookie(struct cl_wr *w, struct cl_rd cookie)
{
    cl_wr_u16(w, CL_ET_COOKIE);
    struct cl_wr_mark body = cl_wr_open16(w);
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_view(w, cookie);
    cl_wr_close(w, m);
    cl_wr_close(w, body);
}

static void write_share(struct cl_wr *w, const struct cl_group *group, struct cl_rd share)
{
    cl_wr_u16(w, CL_ET_KEY_SHARE);
    struct cl_wr_mark body = cl_wr_open16(w);
    struct cl_wr_mark list = cl_wr_open16(w);
    cl_wr_u16(w, group->id);
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_view(w, share);
    cl_wr_close(w, m);
    cl_wr_close(w, list);
    cl_wr_close(w, body);
}

struct parts {
    struct cl_rd front; /* up to the extensions */
    struct cl_rd extensions;
};

static cl_result split(struct cl_rd first, struct parts *out)
{
    struct cl_rd body;
    struct cl_rd skipped;
    uint8_t type;
    if (!cl_rd_u8(&first, &type) || !cl_rd_vec24(&first, &body)) {
        return CLEAT_ERR_DECODE;
    }
    struct cl_rd rest = body;
    if (!cl_rd_skip(&rest, 2 + CL_RANDOM_LEN) || !cl_rd_vec8(&rest, &skipped) ||
        !cl_rd_vec16(&rest, &skipped) || !cl_rd_vec8(&rest, &skipped)) {
        return CLEAT_ERR_DECODE;
    }
    const size_t front_len = body.len - rest.len;
    return cl_rd_vec16(&rest, &out->extensions) && cl_rd_done(&rest) &&
                   cl_rd_take(&body, front_len, &out->front)
               ? CL_OK
               : CLEAT_ERR_DECODE;
}

static cl_result write_extensions(struct cl_wr *w, struct cl_rd all, const struct cl_group *group,
                                  struct cl_rd share, struct cl_rd cookie)
{
    uint16_t type;
    struct cl_rd body;
    if (cookie.len != 0) {
        write_cookie(w, cookie);
    }
    while (cl_rd_u16(&all, &type) && cl_rd_vec16(&all, &body)) {
        if (type == CL_ET_KEY_SHARE) {
            write_share(w, group, share);
        } else if (type != CL_ET_EARLY_DATA && type != CL_ET_PRE_SHARED_KEY &&
                   type != CL_ET_COOKIE) {
            write_extension(w, type, body);
        }
    }
    return cl_rd_done(&all) ? CL_OK : CLEAT_ERR_DECODE;
}

cl_result cl_second_hello_build(struct cl_rd first, const struct cl_group *group,
                                struct cl_rd cookie, struct cl_buf *out)
{
    struct parts parts;
    uint8_t share[CL_GROUP_MAX_SHARE];
    size_t share_len;
    CL_TRY(split(first, &parts));
    CL_TRY(make_share(group, share, &share_len));
    CL_TRY(cl_buf_reserve(out, first.len + share_len + cookie.len + 64, MAX_HELLO));
    struct cl_wr w = cl_buf_writer(out);
    cl_wr_u8(&w, CL_HT_CLIENT_HELLO);
    struct cl_wr_mark message = cl_wr_open24(&w);
    cl_wr_view(&w, parts.front);
    struct cl_wr_mark extensions = cl_wr_open16(&w);
    CL_TRY(write_extensions(&w, parts.extensions, group, cl_rd_of(share, share_len), cookie));
    cl_wr_close(&w, extensions);
    cl_wr_close(&w, message);
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_LIMIT;
    }
    cl_buf_commit(out, &w);
    return CL_OK;
}
