/* signing_server.c - signing_server PORT CERT-FILE SOCKET: sends back what it gets, to many clients
 * at once, with a key that it does not have: a signer process signs (signer.c).
 *
 * While a signature is on its way the others go on: those whose handshakes are resumed need none.
 * A signer that goes away takes the handshakes along that wait for it; the next one that needs a
 * signature connects anew. With PORT 0 the system chooses; the port is the first thing printed. */
#include "host.h"
#include "signing.h"
#include "stream.h"

#include <cleat/job.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 64

struct client {
    struct stream stream;
    bool secured;      /* the TLS handshake is done */
    uint64_t awaiting; /* the signature that it waits for; 0: none */
};

static struct client *clients[MAX_CLIENTS];
static const char *signer_path;
static int signer = -1; /* the connection to the signer process */
static uint64_t last_id;

/* Asks the signer; an answer comes with the same id, perhaps. */
static bool ask(struct client *c, const struct cleat_sign_request *wanted)
{
    struct signing_request r = {
        .id = ++last_id, .scheme = wanted->scheme, .len = (uint16_t)wanted->message_len};
    if (wanted->message_len > sizeof(r.message)) {
        return false;
    }
    memcpy(r.message, wanted->message, wanted->message_len);
    if (signer < 0) {
        signer = signing_socket(signer_path, 0);
    }
    c->awaiting = r.id;
    return signer >= 0 && send(signer, &r, sizeof(r), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(r);
}

/* For stream.c: does somebody else do this job? */
static bool take_job(struct stream *s, struct cleat_job *job)
{
    struct client *c = (struct client *)s; /* its first member */
    struct cleat_sign_request wanted;
    if (!cleat_job_sign_request(job, &wanted)) {
        return false;
    }
    if (c->awaiting == 0 && !ask(c, &wanted)) {
        c->awaiting = 0; /* it is run here, and fails: the key is not here */
    }
    return c->awaiting != 0;
}

static void leave(size_t i, bool failed)
{
    if (failed) {
        fprintf(stderr, "client: %s\n", stream_why(&clients[i]->stream));
    }
    cleat_tls_free(clients[i]->stream.tls); /* with the job that it may wait for */
    close(clients[i]->stream.fd);
    free(clients[i]);
    clients[i] = NULL;
}

/* Goes on with a client until there is nothing to be done now. */
static void attend(size_t i)
{
    struct client *c = clients[i];
    const uint8_t *data;
    size_t len;
    int status = c->secured ? 0 : stream_handshake(&c->stream);
    c->secured = c->secured || status == 0;
    while (status == 0 && (status = stream_read(&c->stream, &data, &len)) == 1) {
        status = stream_write(&c->stream, data, len);
    }
    if (status == 0) {
        status = stream_close(&c->stream) == 0 ? 0 : -1;
    }
    if (status != STREAM_LATER) {
        leave(i, status != 0);
    }
}

/* The signature for one, or, when the signer is gone, none for all who wait. */
static void hear_signer(void)
{
    struct signing_answer a;
    bool gone = recv(signer, &a, sizeof(a), 0) != sizeof(a) || a.len > sizeof(a.signature);
    for (size_t i = 0; i < MAX_CLIENTS; i++) {
        struct client *c = clients[i];
        if (c == NULL || c->awaiting == 0 || (!gone && c->awaiting != a.id)) {
            continue;
        }
        struct cleat_job *job = cleat_tls_job(c->stream.tls);
        c->awaiting = 0;
        if (gone || a.len == 0) {
            cleat_job_fail(job);
        } else {
            (void)cleat_job_signed(job, a.signature, a.len); /* the next step tells */
        }
        attend(i);
    }
    if (gone) {
        fprintf(stderr, "the signer is gone\n");
        close(signer);
        signer = -1;
    }
}

static void enter(int listener, struct cleat_tls_config *config)
{
    size_t i = 0;
    int fd = accept(listener, NULL, NULL);
    while (i < MAX_CLIENTS && clients[i] != NULL) {
        i++;
    }
    struct client *c = fd >= 0 && i < MAX_CLIENTS ? calloc(1, sizeof(*c)) : NULL;
    if (c == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        close(fd);
        free(c);
        return;
    }
    c->stream.fd = fd;
    c->stream.take_job = take_job;
    must(cleat_tls_server_new(config, NULL, &c->stream.tls), NULL);
    clients[i] = c;
}

/* TLS 1.3 alone, which is what the signer signs for; tickets, so that clients can resume. */
static struct cleat_tls_config *make_config(const char *cert_file)
{
    struct cleat_error error = {0};
    struct cleat_chain *chain;
    struct cleat_key *key;
    struct cleat_ticket_keys *tickets;
    struct cleat_tls_builder *b;
    struct cleat_tls_config *config;
    size_t len;
    char *pem = read_file(cert_file, &len);
    must(cleat_chain_from_pem(pem, len, &chain, &error), &error);
    const uint8_t *spki = cleat_cert_spki(cleat_chain_at(chain, 0), &len);
    must(cleat_key_external(spki, len, &key), NULL);
    must(cleat_ticket_keys_new(0, &tickets), NULL);
    must(cleat_tls_builder_new(CLEAT_SERVER, &b), NULL);
    cleat_tls_builder_clock(b, now_ms, NULL);
    must(cleat_tls_builder_versions(b, CLEAT_TLS_1_3, CLEAT_TLS_1_3), cleat_tls_builder_error(b));
    must(cleat_tls_builder_credential(b, chain, key), cleat_tls_builder_error(b));
    must(cleat_tls_builder_tickets(b, tickets, 2), cleat_tls_builder_error(b));
    must(cleat_tls_builder_finish(b, &config, &error), &error);
    cleat_ticket_keys_free(tickets);
    cleat_key_free(key);
    cleat_chain_free(chain);
    free(pem);
    return config;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: signing_server PORT CERT-FILE SOCKET\n");
        return 2;
    }
    struct cleat_tls_config *config = make_config(argv[2]);
    int listener = tcp_listen((uint16_t)strtoul(argv[1], NULL, 10));
    struct pollfd fds[MAX_CLIENTS + 2];
    signer_path = argv[3];
    for (;;) {
        for (size_t i = 0; i < MAX_CLIENTS; i++) {
            /* -1: passed over; who waits for a signature is not read from */
            bool reads = clients[i] != NULL && clients[i]->awaiting == 0;
            fds[i] = (struct pollfd){.fd = reads ? clients[i]->stream.fd : -1, .events = POLLIN};
        }
        fds[MAX_CLIENTS] = (struct pollfd){.fd = listener, .events = POLLIN};
        fds[MAX_CLIENTS + 1] = (struct pollfd){.fd = signer, .events = POLLIN};
        if (poll(fds, MAX_CLIENTS + 2, -1) < 0 && errno != EINTR) {
            perror("signing_server");
            return 1;
        }
        for (size_t i = 0; i < MAX_CLIENTS; i++) {
            if (fds[i].revents != 0) {
                attend(i);
            }
        }
        if (fds[MAX_CLIENTS + 1].revents != 0) {
            hear_signer();
        }
        if (fds[MAX_CLIENTS].revents != 0) {
            enter(listener, config);
        }
    }
}
