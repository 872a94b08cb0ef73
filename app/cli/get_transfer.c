/* cli/get_transfer.c - the hops of a transfer: find a connection, exchange, and on to where a
 * redirect leads. */
#include "cli/get_transfer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/get_again.h"
#include "cli/get_codes.h"
#include "net/clock.h"

void get_hop_end(struct get_transfer *t, int exit_code, const char *stage)
{
    if (!t->hop_over) {
        t->hop_over = true;
        t->exit_code = exit_code;
        t->stage = stage;
        if (exit_code != 0) {
            cl_trace_error(t->s->client.trace, stage, &t->err);
        }
    }
}

void get_hop_fail(struct get_transfer *t, int exit_code, const char *stage, struct cl_why why,
                  const char *fmt, ...)
{
    if (t->hop_over) {
        return;
    }
    if (t->err.code == 0) {
        char text[sizeof(t->err.text)];
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        (void)cl_error_set(&t->err, why, "%s", text);
    }
    get_hop_end(t, exit_code, stage);
}

/* ---- a hop ---- */

static void on_max_time(void *ctx)
{
    struct get_transfer *t = ctx;
    uint64_t ms = (cl_clock_mono_us() - t->start_us) / 1000;
    char where[GET_WHERE_SIZE];
    get_exchange_where(&t->x, where);
    get_hop_fail(t, GET_EXIT_TIMEOUT, "http", (struct cl_why){.code = CLEAT_ERR_LIMIT},
                 "timed out after %llu ms, %s (--max-time)", (unsigned long long)ms, where);
}

static void reset_hop(struct get_transfer *t)
{
    t->early_taken = t->hop_over = t->drop_body = t->follow = false;
    t->again = GET_FINAL;
    t->request.len = 0;
    get_decode_deinit(&t->decode);
    t->facts.time_namelookup = t->facts.time_connect = t->facts.time_appconnect = 0;
    t->facts.time_pretransfer = t->facts.time_posttransfer = t->facts.time_starttransfer = 0;
    t->expect_refused = false;
}

/* RFC 8470 3: early data may be a replay, so only what changes nothing goes there; nor what a
 * server has called too early. */
static bool may_be_early(const struct get_transfer *t)
{
    bool safe = !t->hop.with_body &&
                (strcmp(t->hop.method, "GET") == 0 || strcmp(t->hop.method, "HEAD") == 0);
    return t->s->options->early_data && safe && !t->too_early;
}

/* Who sends much asks before, once for a transfer. */
static bool wants_to_ask(const struct get_transfer *t)
{
    return t->hop.with_body && !t->no_expect &&
           (t->hop.body_len == GET_LENGTH_UNKNOWN || t->hop.body_len > GET_EXPECT_BYTES);
}

/* The request says "Expect: 100-continue", by itself or by -H. */
static bool asks(struct cl_rd request)
{
    struct cleat_http_head h;
    cleat_http_request_init(&h);
    h.max_head = UINT16_MAX;
    return cleat_http_head_feed(&h, request.p, request.len, NULL) == CLEAT_HTTP_COMPLETE &&
           h.expect == CLEAT_HTTP_EXPECT_CONTINUE;
}

/* What the request of this hop says beside what the options say. */
static cl_result fill_hop(struct get_transfer *t)
{
    t->hop.target = &t->target;
    t->hop.first_origin = client_target_same_origin(&t->first, &t->target);
    t->hop.body_len = t->body != NULL ? t->body->len : 0;
    t->hop.content_range = t->upload.content_range;
    t->hop.resume = t->resume_at;
    t->hop.expect = wants_to_ask(t);
    t->cookies.len = 0;
    CL_TRY(get_cookies_header(&t->s->cookies, &t->target, t->hop.first_origin, &t->cookies));
    CL_TRY(cl_buf_append(&t->cookies, "", 1, SIZE_MAX));
    t->hop.cookies = (const char *)t->cookies.p;
    return get_request_build(&t->request, &t->hop, t->s->options, &t->err);
}

static void begin_hop(struct get_transfer *t)
{
    reset_hop(t);
    (void)snprintf(t->facts.method, sizeof(t->facts.method), "%s", t->hop.method);
    (void)snprintf(t->facts.url_effective, sizeof(t->facts.url_effective), "%s", t->target.text);
    cl_trace_note(t->s->client.trace, "url", "%s %s", t->hop.method, t->target.text);
    t->state = GET_TRANSFER_PLACING;
    if (fill_hop(t) != CL_OK) {
        get_hop_end(t, GET_EXIT_USAGE, "http");
        t->state = GET_TRANSFER_RUNNING;
        return;
    }
    t->x.head = cl_buf_view(&t->request);
    t->x.method = t->hop.method;
    t->x.body = t->hop.with_body ? t->body : NULL;
    t->x.early_allowed = may_be_early(t);
    t->upload.held = false;
    if (t->hop.with_body && asks(t->x.head)) {
        get_upload_hold(&t->upload);
    }
    t->x.handler = &get_response_handler;
    t->x.ctx = t;
}

/* Configurations of --ech are for the host that the command line names; other hosts get a dummy.
 * False: there is no room now. */
static bool place(struct get_transfer *t)
{
    const struct client_wish wish = {
        .target = &t->target, .ech_offered = t->hop.first_origin, .stop = &t->hop_over};
    int code = 0;
    if (!t->hop_over) { /* --max-time, while it waited for room */
        code = get_pool_place(&t->s->pool, &t->x, &wish, &t->err);
    }
    if (code == GET_POOL_LATER && !t->hop_over) {
        return false;
    }
    t->state = GET_TRANSFER_RUNNING;
    if (code > 0) {
        get_hop_end(t, code, "http");
    }
    return true;
}

/* Whether the same request may be sent once more: nothing was done with it; or, where a kept
 * connection was dead, it could not harm to do it twice (RFC 9110 9.2.2). */
static bool may_repeat(const struct get_transfer *t)
{
    static const char *const idempotent[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    bool harmless = false;
    for (size_t i = 0; i < sizeof(idempotent) / sizeof(idempotent[0]); i++) {
        harmless = harmless || strcmp(t->hop.method, idempotent[i]) == 0;
    }
    return t->num_again < GET_MAX_AGAIN && (t->again == GET_UNPROCESSED || harmless) &&
           (!t->hop.with_body || t->body->calls->rewind(t->body));
}

static bool once_more(struct get_transfer *t)
{
    if (t->again == GET_UNPLACED) {
        return true;
    }
    if (t->again != GET_FINAL && may_repeat(t)) {
        cl_trace_note(t->s->client.trace, "http", "sent again, on another connection: %s",
                      t->err.text);
        t->num_again++;
        t->err = (struct cleat_error){0};
        t->exit_code = 0;
        return true;
    }
    /* RFC 9110 15.5.18: the server does not know the question, and has not seen the body. */
    if (t->exit_code == 0 && t->expect_refused && t->body->calls->rewind(t->body)) {
        cl_trace_note(t->s->client.trace, "http", "sent again, without Expect (417)");
        t->no_expect = true;
        return true;
    }
    /* RFC 8470 5.2: a request that came too early is sent again once the handshake is done. */
    if (t->exit_code == 0 && t->too_early && t->early_taken) {
        cl_trace_note(t->s->client.trace, "http",
                      "sent again, after the handshake (425 Too Early)");
        return true;
    }
    return false;
}

static int fail_redirect(struct get_transfer *t, int exit_code, struct cl_why why, const char *text)
{
    (void)cl_error_set(&t->err, why, "%s", text);
    return exit_code;
}

/* Sets t->target and t->hop to where the response leads. Returns 0 or why it cannot be followed. */
static int redirect(struct get_transfer *t)
{
    const struct get_options *o = t->s->options;
    if (o->max_redirects >= 0 && t->facts.num_redirects >= o->max_redirects) {
        (void)cl_error_set(&t->err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                           "more than %ld redirects", o->max_redirects);
        return GET_EXIT_REDIRECTS;
    }
    if (t->next[0] == '\0') { /* t->err says why */
        return GET_EXIT_BAD_URL;
    }
    const int code = client_target_parse(&t->target, t->next, strlen(t->next), &t->err);
    if (code != 0) {
        return code;
    }
    t->facts.num_redirects++;
    t->facts.time_redirect = cl_clock_mono_us() - t->start_us;
    get_hop_redirect(&t->hop, (unsigned)t->facts.http_code);
    t->num_again = 0;
    if (t->hop.with_body && !t->body->calls->rewind(t->body)) {
        return fail_redirect(t, GET_EXIT_REWIND, (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                             "the body would have to be sent again, and cannot be read again");
    }
    cl_trace_note(t->s->client.trace, "http", "following the redirect to %s", t->target.text);
    return 0;
}

/* ---- the transfer ---- */

/* 200: what a file system takes as a name, with room to spare */
#define MAX_FILE_NAME 200

/* -O: the URL's last part; never one that leaves the folder. */
static bool remote_name(struct get_transfer *t)
{
    struct cleat_http_view name = client_target_file_name(&t->first);
    bool bad = name.len == 0 || name.len > MAX_FILE_NAME || cleat_http_is(name, ".") ||
               cleat_http_is(name, "..");
    if (bad) {
        const struct cl_why why = {.code = CLEAT_ERR_BAD_URL, .hint = "use -o FILE"};
        (void)cl_error_set(&t->err, why, "the URL has no file name for -O");
        return false;
    }
    (void)snprintf(t->facts.filename_effective, sizeof(t->facts.filename_effective), "%.*s",
                   (int)name.len, name.p);
    return true;
}

/* How much of the file of -o is there already. */
static uint64_t size_of(const char *path)
{
    struct stat st;
    return path != NULL && stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static void on_progress(void *ctx, uint64_t sent, uint64_t total)
{
    get_output_sent(&((struct get_transfer *)ctx)->out, sent,
                    total == GET_LENGTH_UNKNOWN ? 0 : total);
}

static void on_expect_time(void *ctx)
{
    get_upload_release(&((struct get_transfer *)ctx)->upload);
}

/* What is sent, and where a download goes on. */
static int prepare_body(struct get_transfer *t)
{
    const struct get_options *o = t->s->options;
    const bool is_dash = o->resume != NULL && strcmp(o->resume, "-") == 0;
    const uint64_t offset = o->resume == NULL ? 0
                            : is_dash         ? size_of(t->out.path)
                                              : strtoull(o->resume, NULL, 10);
    int code = get_upload_open(&t->upload, o, (size_t)t->facts.url_num, offset, &t->s->client.loop,
                               &t->err);
    if (code != 0) {
        return code;
    }
    if (t->upload.inner == NULL) {
        t->resume_at = t->out.resume_at = offset;
        return 0;
    }
    t->body = &t->upload.source;
    t->upload.progress = on_progress;
    t->upload.progress_ctx = t;
    return cl_timer_new(&t->s->client.loop, on_expect_time, t, &t->expect_timer) == CL_OK
               ? 0
               : GET_EXIT_NO_MEMORY;
}

/* -X, -I, and what the body is. */
static void choose_method(struct get_transfer *t)
{
    get_hop_first(&t->hop, t->s->options);
    t->hop.with_body = t->body != NULL;
    t->hop.content_type = t->upload.content_type;
    if (t->upload.is_put && t->s->options->method == NULL) {
        t->hop.method = "PUT";
    }
}

static int prepare(struct get_transfer *t, const char *url, const char *output, bool remote)
{
    const struct get_options *o = t->s->options;
    char whole[sizeof(t->first.text)];
    const size_t i = (size_t)t->facts.url_num;
    if (i < o->uploads.num && get_upload_url(url, o->uploads.items[i], whole, sizeof(whole))) {
        url = whole;
    }
    t->facts.xfer_id = t->s->num_transfers++;
    (void)snprintf(t->facts.referer, sizeof(t->facts.referer), "%s",
                   o->referer != NULL ? o->referer : "");
    (void)snprintf(t->facts.url, sizeof(t->facts.url), "%.*s", CLEAT_HTTP_MAX_URL, url);
    (void)snprintf(t->facts.scheme, sizeof(t->facts.scheme), "https");
    int code = client_target_parse(&t->first, url, strlen(url), &t->err);
    if (code != 0) {
        return code;
    }
    code = client_target_parse(&t->target, url, strlen(url), &t->err);
    if (code != 0) {
        return code;
    }
    if (remote && !remote_name(t)) {
        return GET_EXIT_WRITE;
    }
    if (!remote && output != NULL && strcmp(output, "-") != 0) {
        (void)snprintf(t->facts.filename_effective, sizeof(t->facts.filename_effective), "%s",
                       output);
    }
    get_output_init(&t->out, remote ? t->facts.filename_effective : output,
                    !o->silent && !o->no_progress && !o->client.verbose && !o->parallel, &t->err);
    if (o->mixed_content || o->mixed_content_json) {
        t->out.memory = &t->facts.page;
    }
    code = prepare_body(t);
    if (code != 0) {
        return code;
    }
    if (o->max_time_ms != 0) {
        if (cl_timer_new(&t->s->client.loop, on_max_time, t, &t->max_timer) != CL_OK) {
            return GET_EXIT_NO_MEMORY;
        }
        uv_update_time(&t->s->client.loop);
        cl_timer_set(t->max_timer, o->max_time_ms);
    }
    return 0;
}

static void finish(struct get_transfer *t)
{
    struct get_facts *f = &t->facts;
    cl_timer_free(t->max_timer);
    t->max_timer = NULL;
    cl_timer_free(t->expect_timer);
    t->expect_timer = NULL;
    cl_timer_free(t->retry_timer);
    t->retry_timer = NULL;
    t->state = GET_TRANSFER_DONE;
    f->time_total = cl_clock_mono_us() - t->start_us;
    f->exit_code = t->exit_code;
    if (f->time_total > 0) {
        f->speed_download = f->size_download * 1000000 / f->time_total;
        f->speed_upload = f->size_upload * 1000000 / f->time_total;
    }
    (void)snprintf(f->errormsg, sizeof(f->errormsg), "%s", t->exit_code != 0 ? t->err.text : "");
}

void get_transfer_begin(struct get_transfer *t, struct get_session *s, const char *url,
                        const char *output, bool remote)
{
    t->s = s;
    t->out.fd = -1;
    t->start_us = cl_clock_mono_us();
    t->exit_code = prepare(t, url, output, remote);
    if (t->exit_code == 0) {
        choose_method(t);
        begin_hop(t);
    } else {
        finish(t);
    }
}

/* The next attempt, from the first hop on. */
static void try_again(struct get_transfer *t)
{
    get_again_reset(t);
    t->exit_code = client_target_parse(&t->target, t->first.text, strlen(t->first.text), &t->err);
    choose_method(t);
    begin_hop(t);
}

/* The hop is over: is there another? */
static void end_hop(struct get_transfer *t)
{
    get_exchange_cancel(&t->x);
    if (once_more(t)) {
        begin_hop(t);
        return;
    }
    if (t->exit_code == 0 && t->follow && (t->exit_code = redirect(t)) == 0) {
        begin_hop(t);
        return;
    }
    if (get_again_wanted(t)) {
        t->state = GET_TRANSFER_WAITING;
        return;
    }
    bool wrote = get_output_end(&t->out, t->exit_code == 0);
    t->exit_code = wrote || t->exit_code != 0 ? t->exit_code : GET_EXIT_WRITE;
    finish(t);
}

bool get_transfer_step(struct get_transfer *t)
{
    bool moved = false;
    for (;;) {
        if (t->state == GET_TRANSFER_PLACING && place(t)) {
            moved = true;
        } else if (get_transfer_is_due(t)) {
            if (t->state == GET_TRANSFER_WAITING) {
                try_again(t);
            } else {
                end_hop(t);
            }
            moved = true;
        } else {
            return moved;
        }
    }
}

void get_transfer_deinit(struct get_transfer *t)
{
    get_exchange_cancel(&t->x);
    cl_timer_free(t->max_timer);
    cl_timer_free(t->expect_timer);
    cl_timer_free(t->retry_timer);
    get_upload_deinit(&t->upload);
    cl_buf_deinit(&t->cookies);
    get_decode_deinit(&t->decode);
    cl_buf_deinit(&t->request);
}
