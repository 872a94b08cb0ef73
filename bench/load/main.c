/* bench/load/main.c - cleat-load [OPTION...] URL: many WebSocket clients against an echo server, or
 * as many that only stay; or, with --https, HTTPS clients. Prints one JSON object; exit 1 when a
 * connection failed.
 *
 * scripts/bench-ws and scripts/bench-sockets run it against several servers in turn;
 * docs/performance.md says how to read the figures.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cleat/tls_options.h"
#include "https.h"
#include "load.h"

/* 64: handshakes at once while the connections are opened; no server's backlog is shorter */
#define MAX_OPENING 64
/* 100,000: what the ports and descriptors of one machine bear */
#define MAX_CONNS   100000
/* 120 seconds: an end for whatever hangs */
#define MAX_WAIT    120.0
/* 10 ms: and what a busy machine takes to open a connection */
#define WAIT_EACH   0.01

struct run {
    struct load load;
    struct load_options options;
    struct load_conn *conns;
    unsigned num_open, num_upgraded;
    int epoll;
    bool released; /* hold: stdin has said so */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t unix_ms(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL) * 1000;
}

static void watch(struct run *r, unsigned i, int op)
{
    struct load_conn *c = &r->conns[i];
    struct epoll_event e = {.events = EPOLLIN | (c->want_write ? EPOLLOUT : 0), .data.u32 = i};
    epoll_ctl(r->epoll, op, c->fd, &e);
}

/* Handles what is ready, for at most wait seconds when nothing is. */
static bool turn(struct run *r, double wait)
{
    struct epoll_event events[256];
    int num = epoll_wait(r->epoll, events, 256, (int)(wait * 1000));
    for (int k = 0; k < num; k++) {
        unsigned i = events[k].data.u32;
        if (i == UINT32_MAX) {
            r->released = true;
            epoll_ctl(r->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
            continue;
        }
        struct load_conn *c = &r->conns[i];
        bool wanted = c->want_write, was_upgraded = c->upgraded;
        if (!load_conn_event(&r->load, c)) {
            return false;
        }
        r->num_upgraded += c->upgraded && !was_upgraded;
        if (c->want_write != wanted) {
            watch(r, i, EPOLL_CTL_MOD);
        }
    }
    return num >= 0 || errno == EINTR;
}

static bool open_all(struct run *r)
{
    double end = now() + MAX_WAIT + r->options.num_conns * WAIT_EACH;
    while (r->num_upgraded < r->options.num_conns) {
        while (r->num_open < r->options.num_conns && r->num_open - r->num_upgraded < MAX_OPENING) {
            if (!load_conn_open(&r->load, &r->conns[r->num_open], r->num_open)) {
                return false;
            }
            watch(r, r->num_open++, EPOLL_CTL_ADD);
        }
        if (now() > end || !turn(r, 0.1)) {
            return false;
        }
    }
    return true;
}

static bool turns_for(struct run *r, double seconds)
{
    for (double end = now() + seconds, left; (left = end - now()) > 0;) {
        if (!turn(r, left < 0.1 ? left : 0.1)) {
            return false;
        }
    }
    return true;
}

/* Each connection sends num messages. */
static bool send_all(struct run *r, unsigned num)
{
    for (unsigned i = 0; i < r->options.num_conns; i++) {
        struct load_conn *c = &r->conns[i];
        bool wanted = c->want_write;
        for (unsigned k = 0; k < num; k++) {
            if (!load_conn_send(&r->load, c)) {
                return false;
            }
        }
        if (c->want_write != wanted) {
            watch(r, i, EPOLL_CTL_MOD);
        }
    }
    return true;
}

static bool process(const struct run *r, struct load_process *out)
{
    *out = (struct load_process){0};
    return r->options.pid == 0 || load_process_read(r->options.pid, out);
}

/* Echoes for some seconds, of which the first 0.3 do not count. */
static json_t *run_echo(struct run *r)
{
    struct load_process before, after;
    r->load.echoing = true;
    if (!open_all(r) || !send_all(r, r->options.window) || !turns_for(r, 0.3)) {
        return NULL;
    }
    uint64_t messages = r->load.num_messages;
    double begin = now();
    if (!process(r, &before) || !turns_for(r, r->options.seconds) || !process(r, &after)) {
        return NULL;
    }
    double seconds = now() - begin;
    messages = r->load.num_messages - messages;
    double cpu = after.cpu_seconds - before.cpu_seconds;
    return json_pack("{s:I, s:f, s:f, s:f, s:f}", "messages", (json_int_t)messages, "seconds",
                     seconds, "messages_per_second", (double)messages / seconds,
                     "server_cpu_seconds", cpu, "server_us_per_message",
                     messages == 0 ? 0 : cpu * 1e6 / (double)messages);
}

/* Every connection still answers. */
static bool all_answer(struct run *r)
{
    uint64_t want = r->load.num_messages + r->options.num_conns;
    double end = now() + MAX_WAIT + r->options.num_conns * WAIT_EACH;
    if (!send_all(r, 1)) {
        return false;
    }
    while (r->load.num_messages < want) {
        if (now() > end || !turn(r, 0.1)) {
            return false;
        }
    }
    return true;
}

/* Tells that all are open, and keeps them until stdin says that it is time. */
static bool hold(struct run *r)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    printf("open\n");
    (void)fflush(stdout);
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &e) != 0) {
        return false;
    }
    while (!r->released) {
        if (!turn(r, MAX_WAIT)) {
            return false;
        }
    }
    return true;
}

/* Opens all, lets them idle, and says what one of them takes in the server. */
static json_t *run_idle(struct run *r)
{
    struct load_process before, after;
    double begin = now();
    if (!process(r, &before) || !open_all(r)) {
        return NULL;
    }
    double opening = now() - begin;
    if (r->options.hold && !hold(r)) {
        return NULL;
    }
    if (!turns_for(r, r->options.seconds) || !process(r, &after)) {
        return NULL;
    }
    for (unsigned i = 0; i < r->options.hup; i++) {
        if (kill(r->options.pid, SIGHUP) != 0 || !turns_for(r, 1.0) || !all_answer(r)) {
            return NULL;
        }
    }
    double num = r->options.num_conns;
    return json_pack("{s:I, s:f, s:f, s:f, s:b}", "connections", (json_int_t)num, "opening_seconds",
                     opening, "resident_bytes_each",
                     ((double)after.resident - (double)before.resident) / num, "private_bytes_each",
                     ((double)after.private_set - (double)before.private_set) / num,
                     "all_answer_after_reload", r->options.hup != 0);
}

/* ---- options ----------------------------------------------------------------------------------*/

static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "re");
    char *text = malloc(1u << 20);
    *len = f != NULL && text != NULL ? fread(text, 1, 1u << 20, f) : 0;
    if (f != NULL) {
        fclose(f);
    }
    return text;
}

static bool make_config(struct run *r)
{
    struct cleat_trust_store *trust = NULL;
    struct cleat_tls_builder *b = NULL;
    struct cleat_error error = {0};
    const char *h2 = "h2";
    size_t len;
    if (!r->options.url.secure) {
        return true;
    }
    char *pem = read_file(r->options.ca_file, &len);
    bool ok = cleat_trust_store_from_pem(pem, len, &trust, &error) == CLEAT_OK &&
              cleat_tls_builder_new(CLEAT_CLIENT, &b) == CLEAT_OK;
    if (ok) {
        cleat_tls_builder_clock(b, unix_ms, NULL);
        cleat_tls_builder_resumption(b, false); /* a client that stays needs no tickets */
        ok = (!r->options.h2 || cleat_tls_builder_alpn(b, &h2, 1) == CLEAT_OK) &&
             cleat_tls_builder_trust(b, trust) == CLEAT_OK &&
             cleat_tls_builder_finish(b, &r->load.config, &error) == CLEAT_OK;
    }
    if (!ok) {
        snprintf(r->load.why, sizeof(r->load.why), "%.100s: %s", r->options.ca_file, error.text);
    }
    cleat_trust_store_free(trust);
    free(pem);
    return ok;
}

/* JSON-like text: what applications send, and what compresses as theirs does. */
static char *make_message(size_t size)
{
    char *text = malloc(size + 64);
    for (size_t at = 0, i = 0; text != NULL && at < size; i++) {
        at += (size_t)snprintf(text + at, size + 64 - at, "{\"id\": %zu, \"name\": \"cleat\"}, ",
                               i * 7919 % 10007);
    }
    return text;
}

static int usage(void)
{
    fprintf(stderr, "usage: cleat-load [--ca FILE] [--pid PID] [--connections N] [--seconds S]\n"
                    "                  [--window N] [--size BYTES] [--binary] [--deflate]\n"
                    "                  [--idle [--h2] [--hold] [--hup N]] URL\n"
                    "       cleat-load --https full|resumed|requests|download [--pid PID]\n"
                    "                  [--connections N] [--seconds S] [--count N] URL\n");
    return 2;
}

static bool parse(struct load_options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"ca", 1, NULL, 'a'},      {"pid", 1, NULL, 'p'},     {"connections", 1, NULL, 'c'},
        {"seconds", 1, NULL, 's'}, {"window", 1, NULL, 'w'},  {"size", 1, NULL, 'n'},
        {"binary", 0, NULL, 'b'},  {"deflate", 0, NULL, 'd'}, {"idle", 0, NULL, 'i'},
        {"hup", 1, NULL, 'h'},     {"https", 1, NULL, 'm'},   {"count", 1, NULL, 'k'},
        {"hold", 0, NULL, 'o'},    {"h2", 0, NULL, '2'},      {NULL, 0, NULL, 0},
    };
    *o = (struct load_options){
        .num_conns = 16, .window = 8, .size = 32, .seconds = 2, .https = HTTPS_NUM_MODES};
    o->max_count = UINT64_MAX;
    bool known = true;
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        unsigned long n = optarg != NULL ? strtoul(optarg, NULL, 10) : 0;
        o->ca_file = c == 'a' ? optarg : o->ca_file;
        o->pid = c == 'p' ? (pid_t)n : o->pid;
        o->num_conns = c == 'c' ? (unsigned)n : o->num_conns;
        o->seconds = c == 's' ? strtod(optarg, NULL) : o->seconds;
        o->window = c == 'w' ? (unsigned)n : o->window;
        o->size = c == 'n' ? n : o->size;
        o->hup = c == 'h' ? (unsigned)n : o->hup;
        o->max_count = c == 'k' ? n : o->max_count;
        o->https = c == 'm' ? (int)https_mode_of(optarg) : o->https;
        known = known && (c != 'm' || o->https != HTTPS_NUM_MODES);
        o->binary |= c == 'b';
        o->deflate |= c == 'd';
        o->idle |= c == 'i';
        o->hold |= c == 'o';
        o->h2 |= c == '2';
        if (c == '?') {
            return false;
        }
    }
    return known && optind + 1 == argc && o->num_conns >= 1 && o->num_conns <= MAX_CONNS &&
           (o->hup == 0 || o->pid > 0) && (!o->h2 || o->idle) &&
           cleat_http_url_parse(&o->url, argv[optind], strlen(argv[optind]), NULL) == CLEAT_OK &&
           (o->https != HTTPS_NUM_MODES ? o->url.secure && !o->url.websocket
                                        : !o->url.secure || o->ca_file != NULL);
}

static void raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Prints and frees the result; the exit status, 1 when there is none. */
static int print(json_t *result)
{
    if (result == NULL) {
        return 1;
    }
    json_dumpf(result, stdout, 0);
    putchar('\n');
    json_decref(result);
    return 0;
}

int main(int argc, char **argv)
{
    struct run r = {0};
    json_t *result = NULL;
    if (!parse(&r.options, argc, argv)) {
        return usage();
    }
    raise_limits();
    if (r.options.https != HTTPS_NUM_MODES) {
        return print(https_run(&r.options));
    }
    r.load.options = &r.options;
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    r.conns = calloc(r.options.num_conns, sizeof(*r.conns));
    r.load.message = make_message(r.options.size);
    if (r.epoll >= 0 && r.conns != NULL && r.load.message != NULL &&
        cleat_ws_pool_new(1u << 30, &r.load.pool) == CLEAT_OK && make_config(&r)) {
        result = r.options.idle ? run_idle(&r) : run_echo(&r);
    }
    if (result == NULL) {
        fprintf(stderr, "cleat-load: %s\n",
                r.load.why[0] != '\0' ? r.load.why : "no answer in time, or no such process");
    }
    for (unsigned i = 0; r.conns != NULL && i < r.num_open; i++) {
        load_conn_close(&r.conns[i]);
    }
    free(r.conns);
    free(r.load.message);
    cleat_tls_config_free(r.load.config);
    cleat_ws_pool_free(r.load.pool);
    close(r.epoll);
    return print(result);
}
