/* cli/get_again.c - see get_again.h. */
#include "cli/get_again.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/get_codes.h"
#include "net/clock.h"

static void on_retry_time(void *ctx)
{
    ((struct get_transfer *)ctx)->retry_due = true;
}

/* What it was, in a few words. */
static void describe(const struct get_transfer *t, char *out, size_t cap)
{
    if (t->exit_code == 0 || t->exit_code == GET_EXIT_HTTP_ERROR) {
        (void)snprintf(out, cap, "HTTP %ld", t->facts.http_code);
    } else {
        (void)snprintf(out, cap, "%.200s", t->err.text);
    }
}

bool get_again_wanted(struct get_transfer *t)
{
    const struct get_options *o = t->s->options;
    const struct get_attempt attempt = {
        .exit_code = t->exit_code,
        /* libuv's words for ECONNREFUSED, which the message ends with */
        .refused = strstr(t->err.text, "connection refused") != NULL,
        .status = t->facts.http_code,
        .retry_after_s = t->retry_after_s};
    char what[240];
    uint64_t wait_ms;
    if (o->retry == 0) {
        return false;
    }
    if (t->retries.began_us == 0) {
        t->retries.began_us = t->start_us;
    }
    if (!get_retry_next(&t->retries, o, &attempt, cl_clock_mono_us(), &wait_ms)) {
        return false;
    }
    if ((t->body != NULL && !t->body->calls->rewind(t->body)) || !get_output_again(&t->out) ||
        (t->retry_timer == NULL &&
         cl_timer_new(&t->s->client.loop, on_retry_time, t, &t->retry_timer) != CL_OK)) {
        return false;
    }
    describe(t, what, sizeof(what));
    const long left = o->retry - t->retries.num;
    cl_trace_note(t->s->client.trace, "http", "%s: again in %" PRIu64 " ms", what, wait_ms);
    if (!o->silent) {
        (void)fprintf(stderr,
                      "cleat get: warning: %s; will try again in %.1f s (%ld attempt%s left)\n",
                      what, (double)wait_ms / 1000, left + 1, left == 0 ? "" : "s");
    }
    t->retry_due = false;
    uv_update_time(&t->s->client.loop);
    cl_timer_set(t->retry_timer, wait_ms);
    return true;
}

void get_again_reset(struct get_transfer *t)
{
    struct get_facts *f = &t->facts;
    t->retry_due = t->too_early = t->no_expect = t->expect_refused = false;
    t->retry_after_s = 0;
    t->num_again = 0;
    t->err = (struct cleat_error){0};
    t->exit_code = 0;
    t->start_us = cl_clock_mono_us();
    f->num_retries = t->retries.num;
    f->http_code = f->num_redirects = f->num_connects = f->num_headers = 0;
    f->size_download = f->size_upload = f->size_header = f->size_request = 0;
    f->time_redirect = 0;
    f->content_type[0] = '\0';
    f->head.len = 0;
    if (t->max_timer != NULL) {
        uv_update_time(&t->s->client.loop);
        cl_timer_set(t->max_timer, t->s->options->max_time_ms);
    }
}
