/* cli/get_options.c - what each option does to struct get_options. */
#include "cli/get_options.h"

#include <limits.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/get_body.h"
#include "cli/get_options_table.h"

#define BOTH_PROTOCOLS "h2,http/1.1"

static int set_output(void *options, const struct cl_options *from)
{
    return cl_words_add(&((struct get_options *)options)->outputs, from, from->value);
}

static int set_remote_name(void *options, const struct cl_options *from)
{
    return cl_words_add(&((struct get_options *)options)->outputs, from, NULL);
}

static int set_max_redirects(void *options, const struct cl_options *from)
{
    struct get_options *o = options;
    return cl_options_number(from, -1, 1000000, &o->max_redirects) ? 0 : CL_EXIT_USAGE;
}

static int set_retry(void *options, const struct cl_options *from)
{
    struct get_options *o = options;
    return cl_options_number(from, 0, 1000000, &o->retry) ? 0 : CL_EXIT_USAGE;
}

/* -C OFFSET or "-" */
static int set_resume(void *options, const struct cl_options *from)
{
    long offset;
    ((struct get_options *)options)->resume = from->value;
    return strcmp(from->value, "-") == 0 || cl_options_number(from, 0, LONG_MAX, &offset)
               ? 0
               : CL_EXIT_USAGE;
}

static int set_slo(void *options, const struct cl_options *from)
{
    const char *bad;
    size_t len;
    const char *why = get_slo_parse(&((struct get_options *)options)->slo, from->value, &bad, &len);
    return why == NULL ? 0
                       : cl_options_complain(from->usage, "--slo \"%.*s\": %s", (int)len, bad, why);
}

static int set_parallel_max(void *options, const struct cl_options *from)
{
    struct get_options *o = options;
    return cl_options_number(from, 1, GET_MAX_PARALLEL, &o->parallel_max) ? 0 : CL_EXIT_USAGE;
}

static int set_http11(void *options, const struct cl_options *from)
{
    (void)from;
    ((struct get_options *)options)->client.alpn = "http/1.1";
    return 0;
}

static int set_http2(void *options, const struct cl_options *from)
{
    (void)from;
    ((struct get_options *)options)->client.alpn = BOTH_PROTOCOLS;
    return 0;
}

#define AT(field) offsetof(struct get_options, field)
static const struct cl_setter setters[] = {
    {GET_SILENT, CL_SET_TRUE, AT(silent), NULL},
    {GET_SHOW_ERROR, CL_SET_TRUE, AT(show_error), NULL},
    {GET_INCLUDE, CL_SET_TRUE, AT(include), NULL},
    {GET_COMPRESSED, CL_SET_TRUE, AT(compressed), NULL},
    {GET_HEAD, CL_SET_TRUE, AT(head), NULL},
    {GET_LOCATION, CL_SET_TRUE, AT(location), NULL},
    {GET_FAIL, CL_SET_TRUE, AT(fail), NULL},
    {GET_FAIL_WITH_BODY, CL_SET_TRUE, AT(fail_with_body), NULL},
    {GET_NO_PROGRESS, CL_SET_TRUE, AT(no_progress), NULL},
    {GET_NO_ALPN, CL_SET_TRUE, AT(no_alpn), NULL},
    {GET_EARLY_DATA, CL_SET_TRUE, AT(early_data), NULL},
    {GET_NO_SESSIONID, CL_SET_TRUE, AT(client.no_sessions), NULL},
    {GET_FALSE_START, CL_SET_TRUE, AT(client.false_start), NULL},
    {GET_FALLBACK_SCSV, CL_SET_TRUE, AT(client.fallback_scsv), NULL},
    {GET_HELP, CL_SET_TRUE, AT(help), NULL},
    {GET_JUNK_SESSION, CL_SET_TRUE, AT(junk_session), NULL},
    {GET_MIXED_CONTENT, CL_SET_TRUE, AT(mixed_content), NULL},
    {GET_MIXED_CONTENT_JSON, CL_SET_TRUE, AT(mixed_content_json), NULL},
    {GET_RETRY_ALL_ERRORS, CL_SET_TRUE, AT(retry_all_errors), NULL},
    {GET_RETRY_CONNREFUSED, CL_SET_TRUE, AT(retry_connrefused), NULL},
    {GET_PRINT_CURL, CL_SET_TRUE, AT(print_curl), NULL},
    {GET_TIMING, CL_SET_TRUE, AT(timing), NULL},
    {GET_METHOD, CL_SET_TEXT, AT(method), NULL},
    {GET_USER_AGENT, CL_SET_TEXT, AT(user_agent), NULL},
    {GET_REFERER, CL_SET_TEXT, AT(referer), NULL},
    {GET_USER, CL_SET_TEXT, AT(user), NULL},
    {GET_RANGE, CL_SET_TEXT, AT(range), NULL},
    {GET_WRITE_OUT, CL_SET_TEXT, AT(write_out), NULL},
    {GET_DUMP_HEADER, CL_SET_TEXT, AT(dump_header), NULL},
    {GET_SSL_SESSIONS, CL_SET_TEXT, AT(ssl_sessions), NULL},
    {GET_ALPN, CL_SET_TEXT, AT(client.alpn), NULL},
    {GET_COOKIE_JAR, CL_SET_TEXT, AT(cookie_jar), NULL},
    {GET_COOKIE, CL_SET_WORD, AT(cookies), NULL},
    {GET_UPLOAD, CL_SET_WORD, AT(uploads), NULL},
    {GET_HEADER, CL_SET_WORD, AT(headers), NULL},
    {GET_URL, CL_SET_WORD, AT(urls), NULL},
    {GET_MAX_TIME, CL_SET_SECONDS, AT(max_time_ms), NULL},
    {GET_RETRY_DELAY, CL_SET_SECONDS, AT(retry_delay_ms), NULL},
    {GET_RETRY_MAX_TIME, CL_SET_SECONDS, AT(retry_max_ms), NULL},
    {GET_GLOBOFF, CL_SET_NOTHING, 0, NULL},
    {GET_HTTP11, CL_SET_BY_FUNCTION, 0, set_http11},
    {GET_HTTP2, CL_SET_BY_FUNCTION, 0, set_http2},
    {GET_PARALLEL, CL_SET_TRUE, AT(parallel), NULL},
    {GET_PARALLEL_MAX, CL_SET_BY_FUNCTION, 0, set_parallel_max},
    {GET_PROGRESS_BAR, CL_SET_NOTHING, 0, NULL},
    {GET_OUTPUT, CL_SET_BY_FUNCTION, 0, set_output},
    {GET_REMOTE_NAME, CL_SET_BY_FUNCTION, 0, set_remote_name},
    {GET_MAX_REDIRS, CL_SET_BY_FUNCTION, 0, set_max_redirects},
    {GET_RETRY, CL_SET_BY_FUNCTION, 0, set_retry},
    {GET_RESUME, CL_SET_BY_FUNCTION, 0, set_resume},
    {GET_FORM, CL_SET_BY_FUNCTION, 0, get_body_form},
    {GET_FORM_STRING, CL_SET_BY_FUNCTION, 0, get_body_form_string},
    {GET_SLO, CL_SET_BY_FUNCTION, 0, set_slo},
    {GET_DATA, CL_SET_BY_FUNCTION, 0, get_body_data},
    {GET_DATA_RAW, CL_SET_BY_FUNCTION, 0, get_body_raw},
    {GET_DATA_BINARY, CL_SET_BY_FUNCTION, 0, get_body_binary},
    {GET_JSON, CL_SET_BY_FUNCTION, 0, get_body_json},
};

/* ---- the whole ---- */

static bool is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

/* What else goes to standard output, and how it would not; NULL: nothing does. */
static const char *also_on_stdout(const struct get_options *o)
{
    if (is_stdout(o->client.trace_json)) {
        return "the trace; give --trace-json FILE";
    }
    if (is_stdout(o->dump_header)) {
        return "the response's head; give -D FILE";
    }
    for (size_t i = 0; i < o->urls.num; i++) {
        if (i >= o->outputs.num || is_stdout(o->outputs.items[i])) {
            return "the body; give -o FILE";
        }
    }
    return o->write_out != NULL ? "what -w prints" : NULL;
}

/* What asks for two kinds of request, or for two answers at once. */
static int check_kinds(const struct get_options *o)
{
    const bool form = o->form.boundary[0] != '\0';
    const bool upload = o->uploads.num > 0;
    if ((o->has_body && form) || (o->has_body && upload) || (form && upload)) {
        return cl_options_complain(&get_usage, "-d, -F and -T: give one of them");
    }
    if (o->head && (o->has_body || form || upload)) {
        return cl_options_complain(
            &get_usage, "-I asks for a HEAD request, which cannot carry -d, -F, -T or --json");
    }
    if (o->uploads.num > o->urls.num) {
        return cl_options_complain(&get_usage, "more -T options (%zu) than URLs (%zu)",
                                   o->uploads.num, o->urls.num);
    }
    if (o->resume != NULL && o->range != NULL) {
        return cl_options_complain(&get_usage, "-C and -r ask for two different parts");
    }
    if (o->resume != NULL && o->compressed) {
        return cl_options_complain(&get_usage, "-C counts bytes as they are sent, --compressed "
                                               "writes what they mean: give one of the two");
    }
    if (o->resume != NULL && upload && strcmp(o->resume, "-") == 0) {
        return cl_options_complain(
            &get_usage, "-C -: how much the server has is not known here; give -C OFFSET");
    }
    return 0;
}

static int check(const struct get_options *o)
{
    if (o->urls.num == 0) {
        return cl_options_complain(&get_usage, "no URL given");
    }
    if (o->outputs.num > o->urls.num) {
        return cl_options_complain(&get_usage, "more -o and -O options (%zu) than URLs (%zu)",
                                   o->outputs.num, o->urls.num);
    }
    const char *other = is_stdout(o->client.pcap) ? also_on_stdout(o) : NULL;
    if (other != NULL) {
        return cl_options_complain(&get_usage, "--pcap -: to standard output goes also %s", other);
    }
    if (o->user != NULL && strchr(o->user, ':') == NULL) {
        return cl_options_complain(&get_usage, "-u: write USER:PASSWORD");
    }
    int code = check_kinds(o);
    return code != 0 ? code : client_options_check(&o->client, &get_usage);
}

int get_options_parse(struct get_options *out, int argc, char **argv)
{
    struct cl_options options;
    int id, code = 0;
    memset(out, 0, sizeof(*out));
    out->max_redirects = GET_DEFAULT_REDIRECTS;
    out->parallel_max = GET_DEFAULT_PARALLEL;
    out->client.alpn = BOTH_PROTOCOLS;
    cl_options_init(&options, &get_usage, argc, argv);
    while (code == 0 && (id = cl_options_next(&options)) != CL_OPTIONS_END) {
        if (id == CL_OPTIONS_ERROR) {
            return CL_EXIT_USAGE;
        }
        if (id == CL_OPTIONS_OPERAND) {
            code = cl_words_add(&out->urls, &options, options.value);
            continue;
        }
        code = client_options_set(&out->client, id, &options);
        if (code == CL_SETTERS_UNKNOWN) {
            code =
                cl_setters_apply(setters, sizeof(setters) / sizeof(setters[0]), id, out, &options);
        }
    }
    /* A page is looked at as it is meant; that of a server that sends it coded, too. */
    out->compressed = out->compressed || out->mixed_content || out->mixed_content_json;
    if (out->no_alpn) {
        out->client.alpn = NULL;
    }
    if (code == 0 && out->help) {
        cl_options_help(&get_usage, stdout);
        return -1;
    }
    if (code == 0 && out->form.boundary[0] != '\0' && get_form_end(&out->form) != CL_OK) {
        code = cl_options_complain(&get_usage, "-F: the form is too large");
    }
    return code != 0 ? code : check(out);
}

void get_options_deinit(struct get_options *o)
{
    cl_words_deinit(&o->urls);
    cl_words_deinit(&o->outputs);
    cl_words_deinit(&o->headers);
    client_options_deinit(&o->client);
    cl_words_deinit(&o->cookies);
    cl_words_deinit(&o->uploads);
    get_parts_deinit(&o->body);
    get_form_deinit(&o->form);
    memset(o, 0, sizeof(*o));
}
