/* serve/demo.c - see demo.h. */
#include "serve/demo.h"

#include <stdlib.h>

#include "base/mem.h"
#include "http/chars.h"
#include "http/range.h"
#include "net/clock.h"
#include "serve/demo_files.h"
#include "serve/demo_json.h"
#include "serve/mime.h"
#include "serve/own_chain.h"

struct cl_demo {
    const struct cl_counters *counters;
    size_t num_counters;
    struct cleat_trust_store *roots; /* NULL: this machine has none */
    uint64_t began;
};

cl_result cl_demo_new(const struct cl_counters *counters, size_t num, struct cl_demo **out)
{
    struct cl_demo *demo = cl_calloc(1, sizeof(*demo));
    if (demo == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    demo->counters = counters;
    demo->num_counters = num;
    demo->roots = cl_own_chain_roots();
    demo->began = cl_clock_mono_us();
    *out = demo;
    return CL_OK;
}

void cl_demo_free(struct cl_demo *demo)
{
    if (demo != NULL) {
        cleat_trust_store_free(demo->roots);
        cl_free(demo);
    }
}

const struct cl_demo_field *cl_demo_fields(size_t *out_num)
{
    static const struct cl_demo_field fields[] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
         "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
         "require-trusted-types-for 'script'; trusted-types 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Embedder-Policy", "require-corp"}, /* finer clocks for the echo */
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
    };
    *out_num = sizeof(fields) / sizeof(fields[0]);
    return fields;
}

/* ---- answers ---- */

/* The folder itself is its index, and nothing else: there are no folders in it. */
static const struct cl_demo_file *find_file(struct cleat_http_view path)
{
    struct cl_rd name = cl_http_rd(path);
    if (!cl_rd_skip(&name, 1)) { /* '/' */
        return NULL;
    }
    if (name.len == 0) {
        name = cl_rd_str("index.html");
    }
    for (size_t i = 0; i < cl_demo_num_files; i++) {
        if (cl_rd_equal(name, cl_rd_str(cl_demo_files[i].name))) {
            return &cl_demo_files[i];
        }
    }
    return NULL;
}

static bool has_it(const struct cleat_http_head *request, const char *etag)
{
    size_t from = 0;
    struct cleat_http_view value;
    while ((value = cleat_http_find(request, "If-None-Match", &from)).p != NULL) {
        if (cl_http_etag_listed(cl_http_rd(value), cl_rd_str(etag), true)) {
            return true;
        }
    }
    return false;
}

static void answer_file(const struct cl_demo_file *file, const struct cleat_http_head *request,
                        struct cl_demo_answer *out)
{
    out->etag = file->etag;
    out->caching = "no-cache"; /* asked about each time: another release has other files */
    if (has_it(request, file->etag)) {
        out->status = 304;
        return;
    }
    out->status = 200;
    out->type = cl_mime_type(cl_rd_str(file->name));
    out->body = file->p;
    out->body_len = file->len;
}

static cl_result answer_json(json_t *value, struct cl_demo_answer *out)
{
    out->made = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    if (out->made == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    out->status = 200;
    out->type = "application/json";
    out->caching = "no-store";
    out->body = (const uint8_t *)out->made;
    out->body_len = strlen(out->made);
    return CL_OK;
}

static cl_result answer_connection(const struct cl_demo *demo, const struct cl_demo_visit *visit,
                                   const struct cleat_http_head *request,
                                   struct cl_demo_answer *out)
{
    /* RFC 8470 5.2: what is to be told is known when the handshake is done */
    if (request->early) {
        out->status = 425;
        return CL_OK;
    }
    struct cleat_http_view query = cleat_http_text(request, request->query);
    out->last = request->query.at != 0 && cleat_http_is(query, CL_DEMO_LAST);
    return answer_json(cl_demo_connection_json(visit, demo->roots), out);
}

static cl_result answer_counters(const struct cl_demo *demo, struct cl_demo_answer *out)
{
    struct cl_counters sums;
    cl_counters_sum(demo->counters, demo->num_counters, &sums);
    out->quiet = true;
    return answer_json(cl_demo_counters_json(&sums, cl_clock_mono_us() - demo->began), out);
}

cl_result cl_demo_ask(const struct cl_demo *demo, struct cl_demo_visit *visit,
                      const struct cleat_http_head *request, struct cl_demo_answer *out)
{
    struct cleat_http_view method = cleat_http_text(request, request->method);
    struct cleat_http_view path = cleat_http_text(request, request->path);
    *out = (struct cl_demo_answer){.status = 404};
    visit->num_answers++;
    if (!cleat_http_is(method, "GET") && !cleat_http_is(method, "HEAD")) {
        out->status = 405;
        return CL_OK;
    }
    if (cleat_http_is(path, CL_DEMO_CONNECTION)) {
        return answer_connection(demo, visit, request, out);
    }
    if (cleat_http_is(path, CL_DEMO_COUNTERS)) {
        return answer_counters(demo, out);
    }
    const struct cl_demo_file *file = find_file(path);
    if (file != NULL) {
        answer_file(file, request, out);
    }
    return CL_OK;
}

void cl_demo_answer_deinit(struct cl_demo_answer *answer)
{
    free(answer->made); /* jansson's */
    *answer = (struct cl_demo_answer){0};
}
