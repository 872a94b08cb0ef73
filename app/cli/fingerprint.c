/* cli/fingerprint.c - `cleat fingerprint`: JA3 and JA4 of the ClientHellos of files, captures and
 * interfaces. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "capture/hellos.h"
#include "cli/cli.h"
#include "cli/fingerprint.h"
#include "cli/options.h"

enum {
    OPT_HELP = 1,
    OPT_JSON,
    OPT_DIFF,
    OPT_ALL,
    OPT_INTERFACE,
    OPT_COUNT,
    OPT_SECONDS,
    OPT_FILTER
};

static const struct cl_option options[] = {
    {OPT_ALL, 'a', "all", NULL, "every form, raw and in original order too"},
    {OPT_JSON, 0, "json", NULL, "a JSON object a line, with every form"},
    {OPT_DIFF, 0, "diff", NULL, "tell how the first ClientHellos of two files differ"},
    {OPT_COUNT, 'c', "count", "N", "stop after N ClientHellos"},
    {0, 0, "Capturing", NULL, NULL},
    {OPT_INTERFACE, 'i', "interface", "NAME",
     "listen on a network interface (any: all of them); takes CAP_NET_RAW"},
    {OPT_SECONDS, 0, "seconds", "N", "for so long (default: until SIGINT)"},
    {OPT_FILTER, 0, "filter", "EXPRESSION", "packets to look at, as tcpdump takes it: 'port 443'"},
    {OPT_HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "fingerprint",
    .synopsis = "[OPTION]... FILE|-...\n-i NAME [OPTION]...\n--diff [--json] FILE FILE",
    .about =
        "Prints the JA4 and JA3 fingerprints of TLS ClientHellos: of packets that tcpdump or\n"
        "Wireshark captured (pcap, pcapng), of TLS records, of a handshake message, of either as\n"
        "hexadecimal digits, or of what goes over a network interface now.\n"
        "A line each: time, addresses, server name, JA4, JA3.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat fingerprint capture.pcapng\n"
                "  cleat fingerprint -i any --filter 'port 443' --json | jq -r .ja4\n"
                "  cleat fingerprint --diff yesterday.pcap today.pcap",
};

/* Room for one file name a word of a long command line. */
#define MAX_FILES 256

struct request {
    const char *files[MAX_FILES];
    size_t num_files;
    struct cl_hello_watch watch;
    bool json;
    bool all;
    bool diff;
    uint64_t wanted; /* 0: all */
    /* what came of it */
    uint64_t num;
    uint64_t num_bad;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = 1;
}

/* ---- printing ---- */

/* "2026-11-21T12:00:00.250000Z" */
static void format_time(int64_t us, char *out, size_t cap)
{
    const time_t seconds = (time_t)(us / 1000000);
    struct tm tm = {0};
    (void)gmtime_r(&seconds, &tm);
    const size_t len = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out + len, cap - len, ".%06" PRId64 "Z", us % 1000000);
}

static void print_text(const struct request *r, const struct cl_hello *hello,
                       const struct fingerprints *f)
{
    static const char *const names[] = {"JA3_full", "JA4_r", "JA4_o", "JA4_ro"};
    static const enum cleat_fingerprint forms[] = {CLEAT_JA3_FULL, CLEAT_JA4_R, CLEAT_JA4_O,
                                                   CLEAT_JA4_RO};
    char time[48];
    char from[CL_ADDR_TEXT_SIZE];
    char to[CL_ADDR_TEXT_SIZE];
    if (hello->has_origin) {
        format_time(hello->time_us, time, sizeof(time));
        cl_addr_format_port(&hello->from, from);
        cl_addr_format_port(&hello->to, to);
        printf("%s %s > %s ", time, from, to);
    }
    if (f->error.code != CLEAT_OK) {
        printf("%s\n", f->error.text);
        return;
    }
    printf("%s %s %s\n", f->server_name[0] != '\0' ? f->server_name : "-", f->text[CLEAT_JA4],
           f->text[CLEAT_JA3] != NULL ? f->text[CLEAT_JA3] : "-");
    for (size_t i = 0; r->all && i < sizeof(forms) / sizeof(forms[0]); i++) {
        printf("  %-8s  %s\n", names[i], f->text[forms[i]]);
    }
}

static json_t *endpoint(const struct cl_addr *addr)
{
    char text[CL_ADDR_TEXT_SIZE];
    cl_addr_format(addr, text);
    return json_pack("{s:s, s:i}", "address", text, "port", (int)cl_addr_port(addr));
}

static void print_json(const struct cl_hello *hello, const struct fingerprints *f)
{
    json_t *o = json_pack("{s:i}", "schema", FINGERPRINT_SCHEMA);
    if (hello->has_origin) {
        char time[48];
        format_time(hello->time_us, time, sizeof(time));
        (void)json_object_set_new(o, "time", json_string(time));
        (void)json_object_set_new(o, "from", endpoint(&hello->from));
        (void)json_object_set_new(o, "to", endpoint(&hello->to));
    }
    fingerprints_json(f, o);
    (void)json_dumpf(o, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(o);
}

static bool print_hello(void *ctx, const struct cl_hello *hello)
{
    struct request *r = ctx;
    struct fingerprints f;
    fingerprints_of(hello->message, &f);
    r->num++;
    r->num_bad += f.error.code != CLEAT_OK ? 1 : 0;
    if (r->json) {
        print_json(hello, &f);
    } else {
        print_text(r, hello, &f);
    }
    (void)fflush(stdout); /* who reads along wants it now */
    fingerprints_free(&f);
    return r->wanted == 0 || r->num < r->wanted;
}

/* What was left aside, where it may be what is missed. */
static void tell_counts(const char *what, const struct cl_hello_counts *c)
{
    const struct {
        uint64_t num;
        const char *text;
    } rows[] = {
        {c->incomplete, "ClientHellos that begin and do not end"},
        {c->fragments, "fragments of IP packets, which are not put together"},
        {c->cut, "packets that the capture has a part of only (tcpdump: -s 0)"},
        {c->crowded, "streams given up because there were too many at once"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].num > 0) {
            fprintf(stderr, "cleat fingerprint: %s: %" PRIu64 " %s\n", what, rows[i].num,
                    rows[i].text);
        }
    }
    if (c->hellos == 0 && c->packets > 0) {
        fprintf(stderr, "cleat fingerprint: %s: no ClientHello in %" PRIu64 " packets\n", what,
                c->packets);
    }
}

/* ---- running ---- */

static bool finish(cl_result result, const char *what, const struct cl_hello_counts *counts,
                   struct cleat_error *err)
{
    tell_counts(what, counts);
    if (result == CL_OK) {
        return counts->hellos > 0;
    }
    cl_error_set(err, (struct cl_why){.code = result}, "%s", cleat_error_sentence(result));
    fprintf(stderr, "cleat fingerprint: %s: %s\n", what, err->text);
    if (err->hint[0] != '\0') {
        fprintf(stderr, "  hint: %s\n", err->hint);
    }
    return false;
}

static int read_files(struct request *r)
{
    bool ok = true;
    for (size_t i = 0; i < r->num_files && (r->wanted == 0 || r->num < r->wanted); i++) {
        struct cl_hello_counts counts = {0};
        struct cleat_error err = {0};
        const cl_result result = cl_hellos_read(r->files[i], print_hello, r, &counts, &err);
        ok = finish(result, r->files[i], &counts, &err) && ok;
    }
    return ok && r->num_bad == 0 ? CL_EXIT_OK : CL_EXIT_FAILURE;
}

static int listen_on(struct request *r)
{
    struct cl_hello_counts counts = {0};
    struct cleat_error err = {0};
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    r->watch.stop = &interrupted;
    cl_result result = cl_hellos_watch(&r->watch, print_hello, r, &counts, &err);
    if (result == CL_OK) {
        tell_counts(r->watch.interface, &counts);
        return CL_EXIT_OK; /* silence is an answer */
    }
    (void)finish(result, r->watch.interface, &counts, &err);
    return CL_EXIT_FAILURE;
}

static int add_file(struct request *r, const char *path)
{
    if (r->num_files == MAX_FILES) {
        return cl_options_complain(&usage, "more than %d files", MAX_FILES);
    }
    r->files[r->num_files++] = path;
    return CL_EXIT_OK;
}

static int take(struct request *r, int id, const struct cl_options *o)
{
    long n = 0;
    switch (id) {
    case CL_OPTIONS_OPERAND:
        return add_file(r, o->value);
    case OPT_JSON:
        r->json = true;
        break;
    case OPT_ALL:
        r->all = true;
        break;
    case OPT_DIFF:
        r->diff = true;
        break;
    case OPT_INTERFACE:
        r->watch.interface = o->value;
        break;
    case OPT_FILTER:
        r->watch.filter = o->value;
        break;
    case OPT_COUNT:
        if (!cl_options_number(o, 1, 1000000000, &n)) {
            return CL_EXIT_USAGE;
        }
        r->wanted = (uint64_t)n;
        break;
    default:
        if (!cl_options_number(o, 1, 1000000000, &n)) {
            return CL_EXIT_USAGE;
        }
        r->watch.seconds = (unsigned)n;
        break;
    }
    return CL_EXIT_OK;
}

static int check(const struct request *r)
{
    const bool live = r->watch.interface != NULL;
    if (r->diff && (r->num_files != 2 || live)) {
        return cl_options_complain(&usage, "--diff takes two files, not %zu", r->num_files);
    }
    if (live && r->num_files > 0) {
        return cl_options_complain(&usage, "-i listens; it does not read '%s'", r->files[0]);
    }
    if (!live && (r->watch.seconds != 0 || r->watch.filter != NULL)) {
        return cl_options_complain(&usage, "--seconds and --filter need -i");
    }
    if (!live && r->num_files == 0) {
        return cl_options_complain(&usage, "no file and no interface given");
    }
    return CL_EXIT_OK;
}

int cl_cmd_fingerprint(int argc, char **argv)
{
    struct request r = {0};
    struct cl_options o;
    int id;
    cl_options_init(&o, &usage, argc, argv);
    while ((id = cl_options_next(&o)) != CL_OPTIONS_END) {
        if (id == OPT_HELP) {
            cl_options_help(&usage, stdout);
            return CL_EXIT_OK;
        }
        const int code = id == CL_OPTIONS_ERROR ? CL_EXIT_USAGE : take(&r, id, &o);
        if (code != CL_EXIT_OK) {
            return code;
        }
    }
    const int code = check(&r);
    if (code != CL_EXIT_OK) {
        return code;
    }
    return r.diff                      ? fingerprint_diff(r.files, r.json)
           : r.watch.interface != NULL ? listen_on(&r)
                                       : read_files(&r);
}
