/* bench/load/https.c - see https.h.
 *
 * A slot is one connection at a time. Its input is its own, because a connection that waits for the
 * batch keeps what follows; its output is small (a flight, a request) and goes into one buffer of
 * all: a socket that does not take it at once fails the run. The client closes, in good order and
 * when the response is complete, as browsers do; source addresses change, so that ports in
 * TIME_WAIT do not run out.
 */
#include "https.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleat/batch.h"

/* 64 KiB: more than a handshake and a small response; 256 KiB: sixteen records at a time */
#define IN_SMALL        (64u << 10)
#define IN_LARGE        (256u << 10)
#define OUT_ROOM        (32u << 10)
/* 4 KiB: nobody's response has a longer head */
#define MAX_HEAD        4096
/* 0.3 s: first connections of a run, empty caches; they do not count */
#define WARM_UP         0.3
/* 1,000: requests on one connection, fewer than any server's limit */
#define MAX_REQUESTS    1000
/* 20,000 of the 28,232 ephemeral ports; 200 addresses: four million connections a minute */
#define PORTS_OF_SOURCE 20000
#define NUM_SOURCES     200
/* 10 s without an event: the server hangs */
#define PATIENCE_MS     10000

struct slot {
    int fd;          /* 0: none */
    uint64_t serial; /* of the connection, in the run */
    bool connected;
    bool asked;
    struct cleat_tls *tls;
    struct cleat_tls_session *session; /* to be offered next */
    uint8_t *in;
    size_t at, len;
    uint8_t head[MAX_HEAD];
    size_t head_len;
    bool in_body;
    uint64_t body_left;
    unsigned num_requests;
};

struct https {
    const struct load_options *options;
    enum https_mode mode;
    struct cleat_tls_config *config;
    struct cleat_batch *batch;
    struct slot *slots;
    struct slot **waiting; /* for the batch */
    struct slot **running; /* in it */
    unsigned num_waiting;
    int epoll;
    size_t in_cap;
    uint8_t out[OUT_ROOM];
    char request[1024];
    size_t request_len;
    uint64_t num_opened, num_done, num_bytes;
    bool ending; /* nothing new is opened */
    char why[512];
};

static const char *const mode_names[HTTPS_NUM_MODES] = {
    [HTTPS_FULL] = "full",
    [HTTPS_RESUMED] = "resumed",
    [HTTPS_REQUESTS] = "requests",
    [HTTPS_DOWNLOAD] = "download",
};

enum https_mode https_mode_of(const char *name)
{
    int mode = 0;
    while (mode < HTTPS_NUM_MODES && strcmp(name, mode_names[mode]) != 0) {
        mode++;
    }
    return (enum https_mode)mode;
}

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t unix_ms(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL) * 1000;
}

static bool fail(struct https *h, const char *what, const char *why)
{
    if (h->why[0] == '\0') {
        snprintf(h->why, sizeof(h->why), "%s: %s", what, why);
    }
    return false;
}

/* ---- slots ------------------------------------------------------------------------------------*/

static void shut(struct slot *s)
{
    if (s->fd > 0) {
        close(s->fd);
    }
    cleat_tls_free(s->tls);
    s->fd = 0;
    s->tls = NULL;
}

static int connect_from(struct https *h, uint64_t serial)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(h->options->url.port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    const int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* runs that follow each other begin elsewhere: ports of the last one may still be in use */
    uint64_t source = (uint64_t)getpid() + serial / PORTS_OF_SOURCE;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(source % NUM_SOURCES));
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
        (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool open_slot(struct https *h, struct slot *s)
{
    struct cleat_tls_session *session = h->mode == HTTPS_RESUMED ? s->session : NULL;
    s->connected = s->asked = s->in_body = false;
    s->at = s->len = s->head_len = 0;
    s->num_requests = 0;
    s->serial = h->num_opened++;
    s->fd = connect_from(h, s->serial);
    if (s->fd < 0) {
        s->fd = 0;
        return fail(h, "connect", strerror(errno));
    }
    if (cleat_tls_client_new(h->config, "localhost", session, NULL, &s->tls) != CLEAT_OK) {
        return fail(h, "TLS", "out of memory");
    }
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = s};
    return epoll_ctl(h->epoll, EPOLL_CTL_ADD, s->fd, &e) == 0 || fail(h, "epoll", strerror(errno));
}

static bool put(struct https *h, struct slot *s, size_t len)
{
    ssize_t n = len > 0 ? send(s->fd, h->out, len, MSG_NOSIGNAL) : 0;
    if (n < 0) {
        return fail(h, "send", strerror(errno));
    }
    return (size_t)n == len || fail(h, "send", "the server reads too slowly");
}

static bool ask(struct https *h, struct slot *s)
{
    struct cleat_tls_io io = {.out = h->out, .out_cap = sizeof(h->out)};
    size_t written = 0;
    s->asked = true;
    s->in_body = false;
    s->head_len = 0;
    s->num_requests++;
    if (cleat_tls_write(s->tls, &io, (const uint8_t *)h->request, h->request_len, &written) !=
            CLEAT_OK ||
        written != h->request_len) {
        return fail(h, "TLS", "the request was refused");
    }
    return put(h, s, io.out_len);
}

/* The newest ticket, for the next connection of the slot; and whether this one was resumed. */
static bool keep_session(struct https *h, struct slot *s)
{
    struct cleat_tls_info info;
    bool offered = s->session != NULL;
    if (h->mode != HTTPS_RESUMED) {
        return true;
    }
    if (cleat_tls_info(s->tls, &info) != CLEAT_OK || info.resumed != offered) {
        return fail(h, "TLS", "the session was not resumed");
    }
    struct cleat_tls_session *next = cleat_tls_take_session(s->tls);
    if (next != NULL) { /* some servers send none after a resumption: then the old one again */
        cleat_tls_session_free(s->session);
        s->session = next;
    }
    return s->session != NULL || fail(h, "TLS", "the server sends no ticket");
}

static bool close_slot(struct https *h, struct slot *s)
{
    struct cleat_tls_io io = {.out = h->out, .out_cap = sizeof(h->out)};
    if (!keep_session(h, s) || cleat_tls_close(s->tls, &io) != CLEAT_OK || !put(h, s, io.out_len)) {
        return false;
    }
    shut(s);
    return h->ending || open_slot(h, s);
}

/* ---- responses --------------------------------------------------------------------------------*/

static bool on_response(struct https *h, struct slot *s)
{
    bool stays = h->mode == HTTPS_REQUESTS || h->mode == HTTPS_DOWNLOAD;
    h->num_done++;
    return stays && s->num_requests < MAX_REQUESTS && !h->ending ? ask(h, s) : close_slot(h, s);
}

/* Takes what belongs to the head; *used: of len bytes. */
static bool on_head(struct https *h, struct slot *s, const uint8_t *p, size_t len, size_t *used)
{
    struct cleat_http_head head;
    struct cleat_error error = {0};
    size_t before = s->head_len;
    *used = len < MAX_HEAD - before ? len : MAX_HEAD - before;
    memcpy(s->head + before, p, *used);
    s->head_len += *used;
    cleat_http_response_init(&head, (struct cleat_http_view){"GET", 3});
    int rc = cleat_http_head_feed(&head, s->head, s->head_len, &error);
    if (rc == CLEAT_HTTP_MORE && s->head_len < MAX_HEAD) {
        return true;
    }
    if (rc != CLEAT_HTTP_COMPLETE) {
        return fail(h, "response", rc == CLEAT_HTTP_MORE ? "its head is too long" : error.text);
    }
    if (head.status != 200 || head.framing != CLEAT_HTTP_LENGTH || head.content_length == 0) {
        return fail(h, "response", "not 200 with a length");
    }
    *used = head.len - before;
    s->in_body = true;
    s->body_left = head.content_length;
    return true;
}

static bool on_data(struct https *h, struct slot *s, const uint8_t *p, size_t len)
{
    if (!s->in_body) {
        size_t used = 0;
        if (!on_head(h, s, p, len, &used)) {
            return false;
        }
        p += used;
        len -= used;
    }
    if (!s->in_body || len == 0) {
        return true;
    }
    if (len > s->body_left) {
        return fail(h, "response", "more than its length");
    }
    s->body_left -= len;
    h->num_bytes += len;
    return s->body_left > 0 || on_response(h, s);
}

/* ---- turns ------------------------------------------------------------------------------------*/

/* Steps a connection until it needs more input, or a job, or is another one. */
static bool drive(struct https *h, struct slot *s)
{
    struct cleat_tls *tls = s->tls;
    const uint64_t serial = s->serial;
    while (s->tls != NULL && s->serial == serial) {
        struct cleat_tls_io io = {
            .in = s->in + s->at,
            .in_len = s->len - s->at,
            .out = h->out,
            .out_cap = sizeof(h->out),
        };
        enum cleat_tls_next next = cleat_tls_step(tls, &io);
        s->at += io.in_used;
        if (!put(h, s, io.out_len)) {
            return false;
        }
        switch (next) {
        case CLEAT_TLS_NEEDS_JOB:
            cleat_batch_add(h->batch, cleat_tls_job(tls));
            h->waiting[h->num_waiting++] = s;
            return true;
        case CLEAT_TLS_NEEDS_DECISION:
            cleat_tls_accept_peer(tls);
            break;
        case CLEAT_TLS_HAS_DATA:
            if (!on_data(h, s, io.data, io.data_len)) {
                return false;
            }
            break;
        case CLEAT_TLS_READY:
            if (s->asked) {
                return true;
            }
            if (!ask(h, s)) {
                return false;
            }
            break;
        case CLEAT_TLS_NEEDS_INPUT:
            return true;
        case CLEAT_TLS_HAS_OUTPUT:
            break;
        case CLEAT_TLS_CLOSED:
            return fail(h, "TLS", "the server closes before the response is complete");
        default:
            return fail(h, "TLS", cleat_tls_error(tls)->text);
        }
    }
    return true;
}

/* The rest of a record moves to the front first. *more: the socket may have more than fitted. */
static bool receive(struct https *h, struct slot *s, bool *more)
{
    memmove(s->in, s->in + s->at, s->len - s->at);
    s->len -= s->at;
    s->at = 0;
    size_t room = h->in_cap - s->len;
    ssize_t n = recv(s->fd, s->in + s->len, room, 0);
    *more = n == (ssize_t)room;
    if (n < 0 && errno == EAGAIN) {
        return true;
    }
    if (n <= 0) {
        return fail(h, "receive", n == 0 ? "the server has closed" : strerror(errno));
    }
    s->len += (size_t)n;
    return drive(h, s);
}

static bool begin(struct https *h, struct slot *s)
{
    int error = 0;
    socklen_t len = sizeof(error);
    s->connected = true;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        return fail(h, "connect", strerror(error));
    }
    return drive(h, s);
}

static bool is_idle(const struct https *h, const struct slot *s, uint64_t serial, unsigned waiting)
{
    return s->tls != NULL && s->serial == serial && h->num_waiting == waiting;
}

/* Edge-triggered: everything that is there is taken, unless the connection waits for a job; what
 * has come then is looked for when it has run. */
static bool take_all(struct https *h, struct slot *s)
{
    const uint64_t serial = s->serial;
    unsigned waiting = h->num_waiting;
    bool ok = true;
    bool more = true;
    while (ok && more && is_idle(h, s, serial, waiting)) {
        ok = receive(h, s, &more);
    }
    return ok;
}

static bool run_batch(struct https *h)
{
    bool ok = true;
    while (h->num_waiting > 0 && ok) {
        struct slot **ready = h->waiting;
        unsigned num = h->num_waiting;
        h->waiting = h->running;
        h->running = ready;
        h->num_waiting = 0;
        cleat_batch_run(h->batch, (uint64_t)(now(CLOCK_MONOTONIC) * 1000));
        for (unsigned i = 0; i < num && ok; i++) {
            const uint64_t serial = ready[i]->serial;
            unsigned waiting = h->num_waiting;
            ok = drive(h, ready[i]);
            if (ok && is_idle(h, ready[i], serial, waiting)) {
                ok = take_all(h, ready[i]);
            }
        }
    }
    return ok;
}

static bool turn(struct https *h)
{
    struct epoll_event events[256];
    int num = epoll_wait(h->epoll, events, 256, PATIENCE_MS);
    if (num <= 0) {
        return num < 0 && errno == EINTR ? true : fail(h, "the server", "does not go on");
    }
    for (int i = 0; i < num; i++) {
        struct slot *s = events[i].data.ptr;
        bool ok = true;
        if (!s->connected) {
            ok = (events[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0 || begin(h, s);
        } else if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
            ok = take_all(h, s);
        }
        if (!ok) {
            return false;
        }
    }
    return run_batch(h);
}

/* ---- a run ------------------------------------------------------------------------------------*/

static uint64_t count_of(const struct https *h)
{
    return h->mode == HTTPS_DOWNLOAD ? h->num_bytes : h->num_done;
}

static bool turns(struct https *h, double seconds, uint64_t max_count)
{
    double end = now(CLOCK_MONOTONIC) + seconds;
    uint64_t last = max_count > UINT64_MAX - h->num_done ? UINT64_MAX : h->num_done + max_count;
    while (now(CLOCK_MONOTONIC) < end && h->num_done < last) {
        if (!turn(h)) {
            return false;
        }
    }
    return true;
}

static json_t *measure(struct https *h)
{
    struct load_process before = {0}, after = {0};
    pid_t pid = h->options->pid;
    for (unsigned i = 0; i < h->options->num_conns; i++) {
        if (!open_slot(h, &h->slots[i])) {
            return NULL;
        }
    }
    if (!turns(h, WARM_UP, UINT64_MAX) || (pid != 0 && !load_process_read(pid, &before))) {
        return NULL;
    }
    uint64_t count = count_of(h);
    double began = now(CLOCK_MONOTONIC), own = now(CLOCK_THREAD_CPUTIME_ID);
    if (!turns(h, h->options->seconds, h->options->max_count) ||
        (pid != 0 && !load_process_read(pid, &after))) {
        return NULL;
    }
    double seconds = now(CLOCK_MONOTONIC) - began;
    own = now(CLOCK_THREAD_CPUTIME_ID) - own;
    double num = (double)(count_of(h) - count);
    double cpu = after.cpu_seconds - before.cpu_seconds;
    if (num == 0) {
        fail(h, "the server", "answered nothing in that time");
        return NULL;
    }
    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f}", "mode", mode_names[h->mode], "count",
                     num, "seconds", seconds, "per_second", num / seconds, "server_cpu_seconds",
                     cpu, "server_ns_each", cpu * 1e9 / num, "client_ns_each", own * 1e9 / num);
}

static bool make_config(struct https *h)
{
    struct cleat_tls_builder *b = NULL;
    struct cleat_error error = {0};
    const char *alpn = "http/1.1";
    bool ok = cleat_tls_builder_new(CLEAT_CLIENT, &b) == CLEAT_OK;
    if (ok) {
        cleat_tls_builder_clock(b, unix_ms, NULL);
        cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER);
        ok = cleat_tls_builder_alpn(b, &alpn, 1) == CLEAT_OK &&
             cleat_tls_builder_groups(b, "X25519") == CLEAT_OK &&
             cleat_tls_builder_versions(b, CLEAT_TLS_1_3, CLEAT_TLS_1_3) == CLEAT_OK &&
             cleat_tls_builder_ciphers(b, "TLS_AES_128_GCM_SHA256") == CLEAT_OK &&
             cleat_tls_builder_finish(b, &h->config, &error) == CLEAT_OK;
    }
    return ok || fail(h, "configuration", error.text);
}

static bool make_request(struct https *h)
{
    const struct cleat_http_view path = h->options->url.path;
    int len = snprintf(h->request, sizeof(h->request),
                       "GET %.*s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: cleat-load\r\n\r\n",
                       (int)path.len, path.p);
    h->request_len = (size_t)len;
    return h->request_len < sizeof(h->request) || fail(h, "URL", "too long");
}

static bool make_slots(struct https *h)
{
    unsigned num = h->options->num_conns;
    h->in_cap = h->mode == HTTPS_DOWNLOAD ? IN_LARGE : IN_SMALL;
    h->slots = calloc(num, sizeof(*h->slots));
    h->waiting = calloc(num, sizeof(struct slot *));
    h->running = calloc(num, sizeof(struct slot *));
    bool ok = h->slots != NULL && h->waiting != NULL && h->running != NULL;
    for (unsigned i = 0; i < num && ok; i++) {
        h->slots[i].in = malloc(h->in_cap);
        ok = h->slots[i].in != NULL;
    }
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    ok = ok && h->epoll >= 0 && cleat_batch_new(&h->batch) == CLEAT_OK;
    return ok || fail(h, "memory", "short");
}

json_t *https_run(const struct load_options *options)
{
    static struct https h; /* one run a process */
    json_t *result = NULL;
    h.options = options;
    h.mode = options->https;
    h.epoll = -1;
    if (make_request(&h) && make_config(&h) && make_slots(&h)) {
        result = measure(&h);
    }
    if (result == NULL) {
        fprintf(stderr, "cleat-load: %s\n", h.why[0] != '\0' ? h.why : "no such process");
    }
    for (unsigned i = 0; h.slots != NULL && i < options->num_conns; i++) {
        shut(&h.slots[i]);
        cleat_tls_session_free(h.slots[i].session);
        free(h.slots[i].in);
    }
    free(h.slots);
    free((void *)h.waiting);
    free((void *)h.running);
    cleat_batch_free(h.batch);
    cleat_tls_config_free(h.config);
    if (h.epoll >= 0) {
        close(h.epoll);
    }
    return result;
}
