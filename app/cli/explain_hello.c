/* cli/explain_hello.c - `cleat explain-hello`: recorded ClientHellos against the configuration of a
 * server, offline. The configuration is what `cleat serve` would make of the same options. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "capture/hellos.h"
#include "cli/cli.h"
#include "cli/explain_show.h"
#include "cli/serve_options.h"
#include "net/clock.h"

/* The version of the JSON's form: it changes when a member changes its meaning. */
#define SCHEMA    1
/* 256: files on a command line */
#define MAX_FILES 256

enum { OPT_JSON = CL_SERVE_OPT_END };

/* Some of a server's options have to do with TLS, all are taken: its command line can be pasted. */
#define EXIT_UNREADABLE 3

struct work {
    struct cl_serve_words words;
    const char *files[MAX_FILES];
    size_t num_files;
    bool json;
    struct cl_site site;
    const char *file; /* being read */
    json_t *hellos;
    size_t num;
    size_t num_refused;
    json_t *reasons; /* how often for each error's name */
    cl_result failure;
};

/* ---- one ClientHello ---- */

/* The peer's bytes go to a terminal. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        *text = (char)(*text > 0x20 && *text < 0x7f ? *text : '?');
    }
}

static void set_origin(struct cl_explained *e, const struct cl_hello *hello)
{
    char from[CL_ADDR_TEXT_SIZE];
    char to[CL_ADDR_TEXT_SIZE];
    if (hello->has_origin) {
        cl_addr_format_port(&hello->from, from);
        cl_addr_format_port(&hello->to, to);
        (void)snprintf(e->origin, sizeof(e->origin), "%s to %s", from, to);
    }
}

static void set_fingerprint(struct cl_explained *e, struct cl_rd message)
{
    size_t len = sizeof(e->ja4);
    if (cleat_fingerprint(CLEAT_JA4, CLEAT_HELLO_TCP, message.p, message.len, e->ja4, &len, NULL) !=
        CLEAT_OK) {
        e->ja4[0] = '\0';
    }
}

static void count_reason(struct work *w, const char *name)
{
    const json_t *before = json_object_get(w->reasons, name);
    (void)json_object_set_new(w->reasons, name, json_integer(json_integer_value(before) + 1));
}

static cl_result explain(struct work *w, const struct cl_hello *hello, struct cl_rehearsal *r)
{
    struct cl_notes notes;
    struct cl_advice advice = {0};
    struct cl_explained e = {
        .file = w->file, .number = ++w->num, .options = &w->words.o, .r = r, .notes = &notes};
    CL_TRY(cl_rehearse(&w->site, hello->message, r));
    if (r->outcome == CL_OUTCOME_REFUSED) {
        w->num_refused++;
        count_reason(w, cleat_error_name(r->error.code));
        CL_TRY(cl_advise(&w->words.o, r, hello->message, &advice));
    }
    make_printable(r->offer.server_name);
    cl_notes_make(r, &w->words.o, (int64_t)(cl_clock_unix_ms() / 1000), &notes);
    e.advice = &advice;
    set_fingerprint(&e, hello->message);
    set_origin(&e, hello);
    if (w->json) {
        (void)json_array_append_new(w->hellos, cl_explain_json(&e));
    } else {
        cl_explain_show(&e);
    }
    return CL_OK;
}

static bool on_hello(void *ctx, const struct cl_hello *hello)
{
    struct work *w = ctx;
    struct cl_rehearsal r;
    w->failure = explain(w, hello, &r);
    cl_rehearsal_deinit(&r);
    return w->failure == CL_OK;
}

/* ---- all of them ---- */

/* file: what the failure is about, unless the text says so; or NULL. */
static int say(const char *file, const struct cleat_error *err, int code)
{
    const bool named = file == NULL || strstr(err->text, file) != NULL;
    fprintf(stderr, "cleat explain-hello: %s%s%s\n", named ? "" : file, named ? "" : ": ",
            err->text);
    if (err->hint[0] != '\0') {
        fprintf(stderr, "  hint: %s\n", err->hint);
    }
    return code;
}

static int read_file(struct work *w, const char *file)
{
    struct cl_hello_counts counts = {0};
    struct cleat_error err = {0};
    w->file = strcmp(file, "-") == 0 ? "standard input" : file;
    cl_result r = cl_hellos_read(file, on_hello, w, &counts, &err);
    if (w->failure != CL_OK) {
        cl_error_set(&err, (struct cl_why){.code = w->failure}, "%s",
                     cleat_error_sentence(w->failure));
        return say(w->file, &err, CL_EXIT_FAILURE);
    }
    if (r != CL_OK) {
        cl_error_set(&err, (struct cl_why){.code = r}, "%s", cleat_error_sentence(r));
        return say(w->file, &err, EXIT_UNREADABLE);
    }
    if (counts.incomplete != 0) {
        fprintf(stderr, "cleat explain-hello: %s: %llu ClientHello%s not whole\n", w->file,
                (unsigned long long)counts.incomplete, counts.incomplete == 1 ? " is" : "s are");
    }
    if (counts.hellos == 0) {
        cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_DECODE},
                     "there is no whole ClientHello in it");
        return say(w->file, &err, EXIT_UNREADABLE);
    }
    return CL_EXIT_OK;
}

static void sum_up(const struct work *w)
{
    const char *name;
    json_t *num;
    const char *between = w->num_refused != 0 ? ": " : "";
    printf("\n%zu ClientHellos: %zu would be agreed, %zu refused", w->num, w->num - w->num_refused,
           w->num_refused);
    json_object_foreach(w->reasons, name, num)
    {
        printf("%s%lld %s", between, (long long)json_integer_value(num), name);
        between = ", ";
    }
    printf("\n");
}

static int finish(const struct work *w)
{
    if (w->json) {
        json_t *top = json_pack("{s:i, s:O, s:{s:i, s:i, s:O}}", "schema", SCHEMA, "hellos",
                                w->hellos, "summary", "agreed", (int)(w->num - w->num_refused),
                                "refused", (int)w->num_refused, "reasons", w->reasons);
        if (top == NULL || json_dumpf(top, stdout, JSON_INDENT(2)) != 0) {
            json_decref(top);
            return CL_EXIT_FAILURE;
        }
        printf("\n");
        json_decref(top);
    } else if (w->num > 1) {
        sum_up(w);
    }
    return w->num_refused != 0 ? CL_EXIT_FAILURE : CL_EXIT_OK;
}

/* Quietly: what a certificate is for is told where it is chosen. */
static int load(struct work *w)
{
    struct cleat_error err = {0};
    w->words.o.quiet = true;
    if (cl_site_load_tls(&w->site, &w->words.o, cl_rehearsal_watch, &err) != CL_OK) {
        return say(NULL, &err, CL_EXIT_USAGE);
    }
    if (w->site.tls == NULL) {
        cl_site_deinit(&w->site);
        fprintf(stderr, "cleat explain-hello: this server listens without TLS alone\n");
        return CL_EXIT_USAGE;
    }
    return CL_EXIT_OK;
}

static int run(struct work *w)
{
    int code = load(w);
    if (code != CL_EXIT_OK) {
        return code;
    }
    w->hellos = json_array();
    w->reasons = json_object();
    for (size_t i = 0; i < w->num_files && code != CL_EXIT_FAILURE; i++) {
        const int one = read_file(w, w->files[i]);
        code = one != CL_EXIT_OK ? one : code;
    }
    const int outcome = w->num != 0 && code != CL_EXIT_FAILURE ? finish(w) : CL_EXIT_OK;
    json_decref(w->hellos);
    json_decref(w->reasons);
    cl_site_deinit(&w->site);
    return code != CL_EXIT_OK ? code : outcome;
}

/* ---- options ---- */

static int other(void *ctx, int id, const struct cl_options *words)
{
    struct work *w = ctx;
    if (id == CL_SERVE_OPT_HELP) {
        cl_options_help(words->usage, stdout);
        return CL_EXIT_OK;
    }
    if (id == OPT_JSON) {
        w->json = true;
        return -1;
    }
    if (w->num_files == MAX_FILES) {
        return cl_options_complain(words->usage, "more than %d files", MAX_FILES);
    }
    w->files[w->num_files++] = words->value;
    return -1;
}

/* Our own rows, and the server's, which cleat-serve(1) tells about. */
static size_t make_rows(struct cl_option *out, size_t cap)
{
    static const struct cl_option own[] = {
        {CL_SERVE_OPT_CONFIG, 0, "config", "FILE",
         "the server's configuration file; options of the command line win"},
        {OPT_JSON, 0, "json", NULL, "tell programs"},
        {CL_SERVE_OPT_HELP, 'h', "help", NULL, "print this text"},
    };
    size_t num_rows;
    const struct cl_option *rows = cl_serve_option_rows(&num_rows);
    size_t num = sizeof(own) / sizeof(own[0]);
    memcpy(out, own, sizeof(own));
    for (size_t i = 0; i < num_rows && num < cap; i++) {
        if (rows[i].id > 0 && (cl_serve_option_traits(rows[i].id) & CL_SERVE_NO_KEY) == 0) {
            out[num] = rows[i];
            out[num++].help = NULL;
        }
    }
    return num;
}

int cl_cmd_explain_hello(int argc, char **argv)
{
    static struct cl_option rows[CL_SERVE_OPT_END];
    static struct work w;
    const struct cl_usage usage = {
        .command = "explain-hello",
        .synopsis = "[OPTION OF cleat serve]... FILE...\n--config FILE [OPTION]... FILE...",
        .about = "Tells what a server would agree on with the client whose ClientHello is in FILE, "
                 "and why;\nor the first obstacle, what the client offers, what the server allows, "
                 "and what to change.\nFILE is a packet capture, TLS records, a handshake message, "
                 "or one of the latter in\nhexadecimal; '-' is standard input. Nothing is sent.\n\n"
                 "Every option of 'cleat serve' is taken, and means the same: see there. Those "
                 "about\ncertificates and TLS decide, the others make no difference.",
        .options = rows,
        .num_options = make_rows(rows, sizeof(rows) / sizeof(rows[0])),
        .examples = "  cleat explain-hello --config web.conf client.pcap\n"
                    "  tshark -r all.pcap -Y tls.handshake.type==1 -w - | cleat explain-hello "
                    "--config web.conf -",
    };
    w = (struct work){0};
    cl_serve_words_init(&w.words);
    int code = cl_serve_words_read(&w.words, &usage, argc, argv, other, &w);
    if (code < 0) {
        code = w.num_files != 0
                   ? run(&w)
                   : cl_options_complain(&usage, "a file with a ClientHello is needed");
    }
    cl_serve_words_deinit(&w.words);
    return code;
}
