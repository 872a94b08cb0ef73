/* fetch/doh.c - see doh.h. */
#include "fetch/doh.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "cleat/http.h"
#include "dns/message.h"
#include "fetch/http.h"
#include "net/clock.h"

#define MEDIA_TYPE "application/dns-message" /* RFC 8484 6 */

struct question {
    TAILQ_ENTRY(question) link;
    struct cl_doh *doh;
    struct cl_fetch *fetch;
    void (*done)(void *ctx, const struct cl_dns_message *message);
    void *ctx;
    uint64_t started;
    uint16_t type;
    char name[CL_DNS_NAME_SIZE];
};

struct cl_doh {
    struct cl_doh_setup setup;
    struct cl_dns_source source;
    TAILQ_HEAD(, question) questions;
    char problem[sizeof(((struct cleat_error *)0)->text)]; /* of the last failure */
    char connect_host[256];
    char url[CL_FETCH_MAX_URL + 1];
};

static void drop(struct question *q)
{
    TAILQ_REMOVE(&q->doh->questions, q, link);
    cl_free(q);
}

static const char *name_of(uint16_t type)
{
    return type == CL_DNS_TYPE_AAAA ? "AAAA" : type == CL_DNS_TYPE_A ? "A" : "HTTPS";
}

static void on_fetched(void *ctx, const struct cl_fetch_result *r)
{
    struct question *q = ctx;
    struct cl_doh *doh = q->doh;
    struct cl_dns_message m = {.bytes = cl_buf_view(r->body)};
    const double ms = (double)(cl_clock_mono_us() - q->started) / 1e3;
    if (r->error.code != 0) {
        (void)snprintf(doh->problem, sizeof(doh->problem), "%s", r->error.text);
        m = (struct cl_dns_message){.reason = doh->problem};
        cl_trace_note(doh->setup.trace, "doh", "%s of %s: no answer from %s (%.1f ms)",
                      name_of(q->type), q->name, r->error.text, ms);
    } else {
        cl_trace_note(doh->setup.trace, "doh", "%s of %s: %zu bytes from %s (%.1f ms)",
                      name_of(q->type), q->name, m.bytes.len, doh->url, ms);
    }
    void (*const done)(void *, const struct cl_dns_message *) = q->done;
    void *const done_ctx = q->ctx;
    drop(q);
    done(done_ctx, &m);
}

static cl_result start(struct cl_doh *doh, struct question *q)
{
    const struct cl_doh_setup *s = &doh->setup;
    struct cl_buf message = {0};
    struct cl_fetch_spec spec = {.hub = s->hub,
                                 .dns = s->dns,
                                 .tls = s->tls,
                                 .url = doh->url,
                                 .proxy = s->proxy,
                                 .connect_host = s->connect_host != NULL ? doh->connect_host : NULL,
                                 .connect_port = s->connect_port,
                                 .insecure = s->insecure,
                                 .accept = MEDIA_TYPE,
                                 .want_type = MEDIA_TYPE,
                                 .content_type = MEDIA_TYPE,
                                 .max = CL_DNS_MAX_MESSAGE,
                                 .timeout_ms = CL_DOH_TIMEOUT_MS,
                                 .done = on_fetched,
                                 .ctx = q};
    cl_result r = cl_dns_query_build(q->name, q->type, &message);
    spec.post = cl_buf_view(&message);
    r = r == CL_OK ? cl_fetch_start(&spec, &q->fetch, NULL) : r;
    cl_buf_deinit(&message);
    return r;
}

static cl_result ask(void *ctx, const char *name, uint16_t type,
                     void (*done)(void *done_ctx, const struct cl_dns_message *message),
                     void *done_ctx)
{
    struct cl_doh *doh = ctx;
    const size_t len = strlen(name);
    struct question *q = cl_calloc(1, sizeof(*q));
    if (q == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (len >= sizeof(q->name)) {
        cl_free(q);
        return CLEAT_ERR_USAGE;
    }
    memcpy(q->name, name, len + 1);
    q->doh = doh;
    q->type = type;
    q->done = done;
    q->ctx = done_ctx;
    q->started = cl_clock_mono_us();
    TAILQ_INSERT_TAIL(&doh->questions, q, link);
    const cl_result r = start(doh, q);
    if (r != CL_OK) {
        drop(q);
    }
    return r;
}

static cl_result check_url(const char *text, struct cleat_error *err)
{
    struct cleat_http_url url;
    const size_t len = strlen(text);
    const struct cl_why why = {.code = CLEAT_ERR_BAD_URL, .hint = "write https://HOST/dns-query"};
    const char *bad = NULL;
    if (len > CL_FETCH_MAX_URL) {
        bad = "it is too long";
    } else if (cleat_http_url_parse(&url, text, len, NULL) != CLEAT_OK || !url.secure ||
               url.websocket) {
        bad = "it is no URL of https";
    } else if (url.userinfo.p != NULL || url.is_idn) {
        bad = "it has a user, or a name that DNS does not have";
    }
    return bad == NULL
               ? CL_OK
               : cl_error_set(err, why, "the URL of the DoH server, \"%.100s\": %s", text, bad);
}

cl_result cl_doh_new(const struct cl_doh_setup *setup, struct cl_doh **out, struct cleat_error *err)
{
    CL_TRY(check_url(setup->url, err));
    struct cl_doh *doh = cl_calloc(1, sizeof(*doh));
    if (doh == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    doh->setup = *setup;
    TAILQ_INIT(&doh->questions);
    (void)snprintf(doh->url, sizeof(doh->url), "%s", setup->url);
    (void)snprintf(doh->connect_host, sizeof(doh->connect_host), "%s",
                   setup->connect_host != NULL ? setup->connect_host : "");
    doh->source = (struct cl_dns_source){
        .name = "DoH",
        .ask = ask,
        .hint = "the DoH server has to answer: nobody else is asked",
        .ctx = doh,
    };
    *out = doh;
    return CL_OK;
}

void cl_doh_free(struct cl_doh *doh)
{
    static const struct cl_dns_message gone = {.gone = true};
    struct question *q;
    if (doh == NULL) {
        return;
    }
    while ((q = TAILQ_FIRST(&doh->questions)) != NULL) {
        cl_fetch_cancel(q->fetch);
        void (*const done)(void *, const struct cl_dns_message *) = q->done;
        void *const done_ctx = q->ctx;
        drop(q);
        done(done_ctx, &gone);
    }
    cl_free(doh);
}

const struct cl_dns_source *cl_doh_source(const struct cl_doh *doh)
{
    return &doh->source;
}
