/* tests/interop/flood.c - flood PORT CERT KEY what COUNT: a client that behaves until it does not.
 *
 * key-updates COUNT: after the handshake, that many KeyUpdates that ask for one in return.
 * message COUNT: after the handshake, one handshake message of that many bytes, in records.
 * certificate COUNT: a client Certificate message of that many bytes.
 * Prints one line, "sent N: " and how the connection ended. Exit 0 when the server ended it. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleat/tls_options.h"
#include "tls/conn.h"
#include "tls/hook.h"

struct flood {
    int fd;
    struct cleat_tls *tls;
    size_t count;
    size_t sent;
    uint8_t in[65536];
    size_t in_len;
    bool gone; /* the server's end of the socket */
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "flood: %s\n", what);
    exit(2);
}

static uint64_t wall_clock(void *ctx)
{
    struct timespec t;
    (void)ctx;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the socket ---- */

static void receive(struct flood *f, int wait_ms)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    if (f->gone || f->in_len == sizeof(f->in) || poll(&p, 1, wait_ms) <= 0) {
        return;
    }
    ssize_t n = recv(f->fd, f->in + f->in_len, sizeof(f->in) - f->in_len, 0);
    f->gone = n <= 0;
    f->in_len += n > 0 ? (size_t)n : 0;
}

static void transmit(struct flood *f, const uint8_t *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(f->fd, p, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return; /* what the server has said is still to be read */
        }
        p += n;
        len -= (size_t)n;
    }
}

/* Steps as far as it goes. */
static enum cleat_tls_next step(struct flood *f)
{
    uint8_t room[CLEAT_TLS_MIN_OUTPUT * 2];
    for (;;) {
        struct cleat_tls_io io = {
            .in = f->in, .in_len = f->in_len, .out = room, .out_cap = sizeof(room)};
        enum cleat_tls_next next = cleat_tls_step(f->tls, &io);
        transmit(f, room, io.out_len);
        memmove(f->in, f->in + io.in_used, f->in_len - io.in_used);
        f->in_len -= io.in_used;
        if (next == CLEAT_TLS_NEEDS_JOB) {
            cleat_job_run(cleat_tls_job(f->tls));
        } else if (next == CLEAT_TLS_NEEDS_DECISION) {
            (void)cleat_tls_accept_peer(f->tls); /* who it is does not matter here */
        } else if (next != CLEAT_TLS_HAS_DATA && next != CLEAT_TLS_HAS_OUTPUT) {
            return next;
        }
    }
}

/* ---- what is sent ---- */

/* 100,000: what of a large Certificate message is sent; its header says f->count */
#define MAX_FLIGHT 100000

/* The Certificate message becomes one of f->count zeros: a context of no bytes, then no entries. */
static void large_certificate(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                              size_t start)
{
    struct flood *f = ctx;
    (void)tls;
    if (type != CL_HT_CERTIFICATE) {
        return;
    }
    flight->len = start;
    static uint8_t whole[4 + MAX_FLIGHT];
    size_t len = f->count < MAX_FLIGHT ? f->count : MAX_FLIGHT;
    whole[0] = type;
    for (int i = 0; i < 3; i++) {
        whole[1 + i] = (uint8_t)(f->count >> (16 - 8 * i));
    }
    if (cl_buf_append(flight, whole, 4 + len, SIZE_MAX / 2) != CL_OK) {
        give_up("no memory");
    }
    f->sent = len;
}

static void key_updates(struct flood *f)
{
    enum cleat_tls_next next = CLEAT_TLS_READY;
    while (f->sent < f->count && next == CLEAT_TLS_READY && !f->gone) {
        uint8_t room[CLEAT_TLS_MIN_OUTPUT];
        struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
        if (cleat_tls_key_update(f->tls, &io, true) != CLEAT_OK) {
            give_up("no KeyUpdate");
        }
        transmit(f, room, io.out_len);
        f->sent++;
        receive(f, 0);
        f->tls->idle_key_updates = 0; /* the server's answers: our engine would have enough too */
        next = step(f);
    }
}

static void large_message(struct flood *f)
{
    static uint8_t fragment[CL_RECORD_MAX_PLAIN];
    memset(fragment, 0, sizeof(fragment));
    fragment[0] = CL_HT_KEY_UPDATE;
    for (int i = 0; i < 3; i++) {
        fragment[1 + i] = (uint8_t)(f->count >> (16 - 8 * i));
    }
    while (f->sent < f->count && !f->gone) {
        uint8_t room[CLEAT_TLS_MIN_OUTPUT * 2 + CL_RECORD_MAX_CIPHER];
        struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
        struct cl_rd plain = cl_rd_of(fragment, sizeof(fragment));
        if (cl_record_seal(&f->tls->wr, CL_CT_HANDSHAKE, plain, &io) != CL_OK) {
            give_up("no record");
        }
        transmit(f, room, io.out_len);
        f->sent += sizeof(fragment);
        memset(fragment, 0, 4);
        receive(f, 0);
        if (step(f) != CLEAT_TLS_READY) {
            return;
        }
    }
}

/* ---- the connection ---- */

static struct cl_buf read_file(const char *path)
{
    struct cl_buf b = {0};
    uint8_t part[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    while (file != NULL && (n = fread(part, 1, sizeof(part), file)) > 0) {
        if (cl_buf_append(&b, part, n, 1 << 20) != CL_OK) {
            break;
        }
    }
    if (file == NULL || b.len == 0) {
        give_up(path);
    }
    (void)fclose(file);
    return b;
}

static void set_credential(struct cleat_tls_builder *b, const char *cert, const char *key)
{
    struct cl_buf pem[] = {read_file(cert), read_file(key)};
    struct cleat_chain *chain = NULL;
    struct cleat_key *private_key = NULL;
    struct cleat_error err = {0};
    if (cleat_chain_from_pem((const char *)pem[0].p, pem[0].len, &chain, &err) != CLEAT_OK ||
        cleat_key_from_pem((const char *)pem[1].p, pem[1].len, &private_key, &err) != CLEAT_OK ||
        cleat_tls_builder_credential(b, chain, private_key) != CLEAT_OK) {
        give_up(err.text);
    }
    cleat_chain_free(chain);
    cleat_key_free(private_key);
    cl_buf_deinit(&pem[0]);
    cl_buf_deinit(&pem[1]);
}

static void open_connection(struct flood *f, int port, char **files, bool certificate)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct cleat_tls_builder *b = NULL;
    struct cleat_tls_config *config = NULL;
    struct cleat_error err = {0};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (f->fd < 0 || connect(f->fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        cleat_tls_builder_new(CLEAT_CLIENT, &b) != CLEAT_OK) {
        give_up("no connection");
    }
    cleat_tls_builder_clock(b, wall_clock, NULL);
    cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER);
    set_credential(b, files[0], files[1]);
    if (certificate) {
        cl_tls_builder_message_hook(b, large_certificate, f);
    }
    if (cleat_tls_builder_cert_compression(b, "none") != CLEAT_OK ||
        cleat_tls_builder_finish(b, &config, &err) != CLEAT_OK ||
        cleat_tls_client_new(config, "localhost", NULL, NULL, &f->tls) != CLEAT_OK) {
        give_up(err.text);
    }
    cleat_tls_config_free(config);
}

int main(int argc, char **argv)
{
    static struct flood f;
    if (argc != 6) {
        give_up("usage: flood PORT CERT KEY key-updates|message|certificate COUNT");
    }
    const char *what = argv[4];
    f.count = strtoul(argv[5], NULL, 10);
    open_connection(&f, (int)strtoul(argv[1], NULL, 10), argv + 2,
                    strcmp(what, "certificate") == 0);
    enum cleat_tls_next next = step(&f);
    while (next == CLEAT_TLS_NEEDS_INPUT && !f.gone) {
        receive(&f, -1);
        next = step(&f);
    }
    if (next == CLEAT_TLS_READY && strcmp(what, "key-updates") == 0) {
        key_updates(&f);
    } else if (next == CLEAT_TLS_READY && strcmp(what, "message") == 0) {
        large_message(&f);
    }
    while ((next = step(&f)) != CLEAT_TLS_FAILED && next != CLEAT_TLS_CLOSED && !f.gone) {
        receive(&f, -1);
    }
    printf("sent %zu: %s\n", f.sent,
           next == CLEAT_TLS_FAILED ? cleat_tls_error(f.tls)->text : "the end of the socket");
    cleat_tls_free(f.tls);
    (void)close(f.fd);
    return 0;
}
