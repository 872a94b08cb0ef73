/* cli/replay.c - `cleat replay`: runs recordings of TLS handshakes again and tells the first
 * difference.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/options.h"
#include "cli/read_file.h"
#include "record/json.h"
#include "record/replay.h"

/* 0: all the same; 2: usage */
#define EXIT_DIFFERENT  1
#define EXIT_UNREADABLE 3

enum { VERBOSE = 1, TRACE_JSON, JSON, HELP };

static const struct cl_option options[] = {
    {VERBOSE, 'v', "verbose", NULL, "tell the whole story on standard error, as `get -v` does"},
    {TRACE_JSON, 0, "trace-json", "FILE", "write the same story to FILE as JSON lines"},
    {JSON, 0, "json", NULL, "print what was found as JSON, a line for each file"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "replay",
    .synopsis = "[OPTION]... FILE...",
    .about =
        "Runs recordings of TLS handshakes (see `cleat get --help`) again, without network or "
        "clock,\n"
        "and compares each byte that is written with the recording. Exits with 0 when all is the\n"
        "same, 1 when something is different, 3 when a file cannot be read.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat replay -v failure.rec\n"
                "  cleat replay --json tests/replay/*.rec",
};

struct replay {
    bool verbose, json;
    const char *trace_json;
    FILE *trace_file;
    struct cl_trace *trace; /* of the file at hand */
    bool told_ready;
};

/* ---- the story ---- */

static void on_event(void *ctx, void *user, const struct cleat_event *event)
{
    struct replay *r = ctx;
    cl_trace_tls_event(r->trace, event);
}

static void on_stepped(void *ctx, const struct cleat_tls *tls, enum cleat_tls_next next,
                       uint64_t now_ms)
{
    struct replay *r = ctx;
    const int64_t now = (int64_t)(now_ms / 1000);
    if (next == CLEAT_TLS_READY && !r->told_ready) {
        r->told_ready = true;
        cl_trace_tls_ready(r->trace, tls, 0);
        cl_trace_verdict(r->trace, cleat_tls_verdict(tls), now, false);
    } else if (next == CLEAT_TLS_FAILED) {
        if (!r->told_ready) {
            cl_trace_verdict(r->trace, cleat_tls_verdict(tls), now, false);
        }
        cl_trace_error(r->trace, "tls", cleat_tls_error(tls));
    }
}

/* ---- what was found ---- */

static void print_failure(const struct cleat_error *e)
{
    if (e->code == CLEAT_OK) {
        return;
    }
    (void)printf("  the connection fails: %s (%s", e->text, cleat_error_name(e->code));
    if (e->alert != 0) {
        (void)printf(", alert %u %s", e->alert, e->from_peer ? "received" : "sent");
    }
    (void)printf(")\n");
    if (e->hint[0] != '\0') {
        (void)printf("  hint: %s\n", e->hint);
    }
}

static void print_text(const char *path, const struct cl_recording *rec,
                       const struct cl_replay_result *found)
{
    if (found->different) {
        (void)printf("%s: different, at line %zu: %s\n", path, found->line, found->text);
    } else {
        (void)printf("%s: the same: %zu steps, %llu bytes read, %llu written\n", path,
                     found->num_steps, (unsigned long long)found->num_read,
                     (unsigned long long)(found->num_bytes + found->num_lengths));
    }
    if (found->num_lengths != 0) {
        (void)printf("  %llu bytes of what is written are under keys that the recording does not "
                     "have: their lengths were compared\n",
                     (unsigned long long)found->num_lengths);
    }
    (void)printf("  the handshake %s\n",
                 found->established ? "is complete" : "does not come to its end");
    print_failure(&found->error);
    if (found->remark[0] != '\0') {
        (void)printf("  remark: %s\n", found->remark);
    }
    if (rec->end == NULL) {
        (void)printf("  the recording breaks off: whoever wrote it was interrupted\n");
    } else if (!rec->intact) {
        (void)printf("  the file is not as it was written: its SHA-256 is another one\n");
    }
}

static void print_json(const char *path, const struct cl_recording *rec,
                       const struct cl_replay_result *found)
{
    json_t *o = json_object();
    const struct cleat_error *e = &found->error;
    (void)json_object_set_new(o, "schema", json_integer(1));
    (void)json_object_set_new(o, "file", cl_rec_text(path));
    (void)json_object_set_new(o, "same", json_boolean(!found->different));
    if (found->different) {
        (void)json_object_set_new(o, "line", json_integer((json_int_t)found->line));
        (void)json_object_set_new(o, "difference", cl_rec_text(found->text));
    }
    (void)json_object_set_new(o, "steps", json_integer((json_int_t)found->num_steps));
    (void)json_object_set_new(o, "bytes_read", json_integer((json_int_t)found->num_read));
    (void)json_object_set_new(o, "bytes_compared", json_integer((json_int_t)found->num_bytes));
    (void)json_object_set_new(o, "lengths_compared", json_integer((json_int_t)found->num_lengths));
    (void)json_object_set_new(o, "established", json_boolean(found->established));
    (void)json_object_set_new(o, "secrets", json_boolean(rec->secrets));
    (void)json_object_set_new(o, "complete", json_boolean(rec->end != NULL));
    (void)json_object_set_new(o, "intact", json_boolean(rec->intact));
    if (e->code != CLEAT_OK) {
        (void)json_object_set_new(o, "error",
                                  json_pack("{s:s, s:i, s:b, s:o}", "code",
                                            cleat_error_name(e->code), "alert", (int)e->alert,
                                            "from_peer", e->from_peer ? 1 : 0, "text",
                                            cl_rec_text(e->text)));
    }
    if (found->remark[0] != '\0') {
        (void)json_object_set_new(o, "remark", cl_rec_text(found->remark));
    }
    (void)json_dumpf(o, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(o);
}

static int judge(const struct cl_recording *rec, const struct cl_replay_result *found)
{
    if (found->different) {
        return EXIT_DIFFERENT;
    }
    return rec->end != NULL && !rec->intact ? EXIT_UNREADABLE : CL_EXIT_OK;
}

/* ---- files ---- */

static int unreadable(const struct replay *r, const char *path, const char *why, const char *hint)
{
    if (r->json) {
        json_t *o = json_pack("{s:i, s:o, s:o}", "schema", 1, "file", cl_rec_text(path),
                              "unreadable", cl_rec_text(why));
        (void)json_dumpf(o, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(o);
    }
    (void)fprintf(stderr, "cleat replay: %s: %s\n", path, why);
    if (hint[0] != '\0') {
        (void)fprintf(stderr, "  hint: %s\n", hint);
    }
    return EXIT_UNREADABLE;
}

static int run(struct replay *r, const char *path, const struct cl_recording *rec,
               struct cleat_error *err)
{
    const struct cl_trace_setup setup = {.human = r->verbose ? stderr : NULL,
                                         .colour = cl_trace_want_colour(stderr),
                                         .json = r->trace_file};
    const struct cl_replay_watch watch = {.sink = on_event, .stepped = on_stepped, .ctx = r};
    struct cl_replay_result found;
    r->told_ready = false;
    if ((setup.human != NULL || setup.json != NULL) && cl_trace_new(&setup, &r->trace) != CL_OK) {
        return unreadable(r, path, "out of memory", "");
    }
    const cl_result result = cl_replay_run(rec, &watch, &found, err);
    cl_trace_free(r->trace);
    r->trace = NULL;
    if (result != CL_OK) {
        return unreadable(r, path, err->text, err->hint);
    }
    (r->json ? print_json : print_text)(path, rec, &found);
    return judge(rec, &found);
}

static int replay_file(struct replay *r, const char *path)
{
    struct cl_buf text = {0};
    struct cl_recording rec = {0};
    struct cleat_error err = {0};
    const char *why = "";
    int code;
    if (!cl_read_file(path, &text, CL_REC_MAX_FILE, &why)) {
        code = unreadable(r, path, why, "");
    } else if (cl_recording_parse(&rec, (const char *)text.p, text.len, &err) != CL_OK) {
        code = unreadable(r, path, err.code != 0 ? err.text : "out of memory", err.hint);
    } else {
        code = run(r, path, &rec, &err);
    }
    cl_recording_deinit(&rec);
    cl_buf_deinit(&text);
    return code;
}

static int replay_all(struct replay *r, const char *const *paths, size_t num)
{
    struct cleat_error err = {0};
    int worst = CL_EXIT_OK;
    if (r->trace_json != NULL && (r->trace_file = client_open_file(r->trace_json, &err)) == NULL) {
        (void)fprintf(stderr, "cleat replay: %s\n", err.text);
        return EXIT_UNREADABLE;
    }
    for (size_t i = 0; i < num; i++) {
        const int code = replay_file(r, paths[i]);
        worst = code > worst ? code : worst;
    }
    client_close_file(r->trace_file);
    return worst;
}

int cl_cmd_replay(int argc, char **argv)
{
    struct replay r = {0};
    struct cl_options o;
    const char **paths = cl_calloc((size_t)argc, sizeof(*paths));
    size_t num = 0;
    int id, code = -1;
    cl_options_init(&o, &usage, argc, argv);
    while (paths != NULL && code < 0 && (id = cl_options_next(&o)) != CL_OPTIONS_END) {
        if (id == HELP) {
            cl_options_help(&usage, stdout);
            code = CL_EXIT_OK;
        } else if (id == CL_OPTIONS_ERROR) {
            code = CL_EXIT_USAGE;
        } else if (id == CL_OPTIONS_OPERAND) {
            paths[num++] = o.value;
        } else {
            r.verbose = r.verbose || id == VERBOSE;
            r.json = r.json || id == JSON;
            r.trace_json = id == TRACE_JSON ? o.value : r.trace_json;
        }
    }
    if (code < 0 && num == 0) {
        code = cl_options_complain(&usage, "no recording given");
    } else if (code < 0) {
        code = replay_all(&r, paths, num);
    }
    cl_free(paths);
    return code;
}
