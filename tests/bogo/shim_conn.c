/* tests/bogo/shim_conn.c - see shim_conn.h. */
#include "bogo/shim_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bogo/shim_ech.h"
#include "cleat/tls_early.h"
#include "cleat/tls_options.h"
#include "cleat/tls_rawkey.h"
#include "crypto/hash.h"

/* A host name that is not sent: an address. */
#define NO_HOST_NAME "127.0.0.1"

static int dial(const struct shim_options *o)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)o->port)};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_addr = in6addr_loopback;
    int fd = socket(o->ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    const struct sockaddr *to =
        o->ipv6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;
    socklen_t len = o->ipv6 ? sizeof(v6) : sizeof(v4);
    int one = 1;
    if (fd < 0 || connect(fd, to, len) != 0) {
        shim_fail("cannot connect to the runner: %s", strerror(errno));
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* A failing write shows as an end of the input soon enough. */
static void send_all(int fd, const uint8_t *p, size_t len)
{
    while (len != 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        p += n;
        len -= (size_t)n;
    }
}

static void say_who(int fd, long shim_id)
{
    uint8_t id[8];
    for (size_t i = 0; i < sizeof(id); i++) {
        id[i] = (uint8_t)((uint64_t)shim_id >> (8 * i));
    }
    send_all(fd, id, sizeof(id));
}

void shim_conn_open(struct shim_conn *c, const struct shim_options *o, struct shim_state *state)
{
    memset(c, 0, sizeof(*c));
    c->options = o;
    c->state = state;
    c->config = shim_make_config(o, state);
    int r = o->server ? cleat_tls_server_new(c->config, &c->tls, &c->tls)
                      : cleat_tls_client_new(c->config,
                                             o->host_name != NULL ? o->host_name : NO_HOST_NAME,
                                             state->session, &c->tls, &c->tls);
    if (r != CLEAT_OK) {
        shim_fail("no connection: %s", cleat_error_name(r));
    }
    if (!o->server) {
        shim_offer_ech(c);
    }
    cleat_tls_session_free(state->offered);
    state->offered = state->session;
    state->session = NULL;
    c->fd = dial(o);
    say_who(c->fd, o->shim_id);
    c->io.out = c->out;
    c->io.out_cap = sizeof(c->out);
}

void shim_conn_flush(struct shim_conn *c)
{
    if (!c->held) {
        send_all(c->fd, c->out, c->io.out_len);
        c->io.out_len = 0;
    }
}

bool shim_conn_hold_write(struct shim_conn *c, const void *data, size_t len)
{
    size_t written;
    c->held = true;
    bool ok = cleat_tls_write(c->tls, &c->io, data, len, &written) == CLEAT_OK && written == len;
    c->io.out_cap = c->io.out_len;
    return ok;
}

void shim_conn_release(struct shim_conn *c)
{
    c->held = false;
    c->io.out_cap = sizeof(c->out);
    shim_conn_flush(c);
}

/* The runner must be able to read everything: half-close, and drain what it still sends. */
void shim_conn_close(struct shim_conn *c)
{
    uint8_t sink[4096];
    shim_conn_release(c);
    (void)shutdown(c->fd, SHUT_WR);
    while (recv(c->fd, sink, sizeof(sink), 0) > 0) {
    }
    (void)close(c->fd);
    cleat_tls_free(c->tls);
    cleat_tls_config_free(c->config);
}

static bool receive(struct shim_conn *c)
{
    size_t room = sizeof(c->in) - c->in_len;
    ssize_t n;
    do {
        n = recv(c->fd, c->in + c->in_len, c->options->async ? 1 : room, 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        c->eof = true;
        return false;
    }
    c->in_len += (size_t)n;
    return true;
}

/* ---- decisions ---- */

static const char *server_refusal(const struct shim_options *o, uint8_t *alert)
{
    *alert = 40;
    if (o->fail_early_callback) {
        return "CONNECTION_REJECTED";
    }
    if (o->fail_ddos_callback) {
        *alert = 80;
        return "CONNECTION_REJECTED";
    }
    if (o->fail_cert_callback) {
        *alert = 80;
        return "CERT_CB_ERROR";
    }
    if (o->use_ocsp_callback && o->fail_ocsp_callback) {
        *alert = 80;
        return "OCSP_CB_ERROR";
    }
    if (o->reject_alpn) {
        *alert = 120;
        return "NO_APPLICATION_PROTOCOL";
    }
    return NULL;
}

static void check_hello(const struct shim_options *o, const struct cleat_client_hello *hello)
{
    if (o->expect_no_server_name && hello->server_name != NULL) {
        shim_fail("unexpected server name %s", hello->server_name);
    }
    if (o->expect_advertised_alpn != NULL &&
        (hello->alpn_len != strlen(o->expect_advertised_alpn) ||
         memcmp(hello->alpn, o->expect_advertised_alpn, hello->alpn_len) != 0)) {
        shim_fail("another ALPN list than expected");
    }
}

static void decide_config(struct shim_conn *c)
{
    struct cleat_client_hello hello;
    uint8_t alert;
    const char *refusal = server_refusal(c->options, &alert);
    if (cleat_tls_client_hello(c->tls, &hello) != CLEAT_OK) {
        shim_fail("no ClientHello to decide on");
    }
    check_hello(c->options, &hello);
    if (refusal != NULL) {
        (void)cleat_tls_refuse(c->tls, alert, refusal);
    } else if (cleat_tls_choose_config(c->tls, c->config) != CLEAT_OK) {
        shim_fail("the configuration cannot be chosen");
    }
}

static bool is_expected_key(const struct shim_options *o, const uint8_t *spki, size_t len)
{
    uint8_t digest[32];
    if (spki == NULL || o->expect_peer_rpk_sha256.len != sizeof(digest)) {
        return false;
    }
    cl_hash_once(CL_HASH_SHA256, spki, len, digest);
    return memcmp(digest, o->expect_peer_rpk_sha256.p, sizeof(digest)) == 0;
}

static void decide_peer(struct shim_conn *c)
{
    bool retried = cleat_tls_early_data_status(c->tls) == CLEAT_EARLY_DATA_REJECTED;
    const struct shim_options *o = retried && !c->options->server ? c->retry : c->options;
    size_t len;
    const uint8_t *raw = cleat_tls_peer_raw_key(c->tls, &len);
    shim_check_ech_name(c, o);
    bool verifies = o->verify_peer || o->require_any_client_certificate || raw != NULL;
    if (o->verify_fail && verifies) {
        (void)cleat_tls_refuse(c->tls, o->use_custom_verify_callback ? 46 : 40,
                               "CERTIFICATE_VERIFY_FAILED");
    } else if (o->expect_peer_rpk_sha256.len != 0 && !is_expected_key(o, raw, len)) {
        shim_fail("the peer's raw public key is not the expected one");
    } else if (!o->server && o->use_ocsp_callback && o->fail_ocsp_callback) {
        (void)cleat_tls_refuse(c->tls, 113, "OCSP_CB_ERROR");
    } else {
        (void)cleat_tls_accept_peer(c->tls);
    }
}

static void decide(struct shim_conn *c)
{
    if (cleat_tls_decision(c->tls) == CLEAT_DECIDE_CONFIG) {
        decide_config(c);
    } else {
        decide_peer(c);
    }
}

/* ---- the pump ---- */

static void drop_input(struct shim_conn *c)
{
    memmove(c->in, c->in + c->io.in_used, c->in_len - c->io.in_used);
    c->in_len -= c->io.in_used;
    c->io.in_used = 0;
}

static enum cleat_tls_next step(struct shim_conn *c)
{
    drop_input(c);
    c->io.in = c->in;
    c->io.in_len = c->in_len;
    enum cleat_tls_next next = cleat_tls_step(c->tls, &c->io);
    shim_conn_flush(c);
    return next;
}

static bool early_data_is_due(const struct shim_conn *c)
{
    long after = c->options->early_write_after_message;
    return cleat_tls_early_data_room(c->tls) != 0 &&
           (after == 0 || after == c->state->last_received);
}

enum shim_event shim_conn_pump(struct shim_conn *c, bool wait)
{
    for (;;) {
        switch (step(c)) {
        case CLEAT_TLS_READY:
            if (!wait) {
                c->ready = true;
                return SHIM_READY;
            }
            drop_input(c);
            if (!c->ready) { /* data may have come with the last handshake message */
                c->ready = true;
                break;
            }
            if (!receive(c)) {
                return SHIM_EOF;
            }
            break;
        case CLEAT_TLS_NEEDS_INPUT:
            drop_input(c);
            if (c->stop_early && early_data_is_due(c)) {
                c->stop_early = false;
                return SHIM_EARLY;
            }
            if (!c->started && !c->options->handshake_twice && cleat_tls_false_started(c->tls)) {
                c->started = true;
                return SHIM_FALSE_START;
            }
            if (!receive(c)) {
                (void)cleat_tls_eof(c->tls);
                return SHIM_FAILED;
            }
            break;
        case CLEAT_TLS_HAS_OUTPUT:
            break;
        case CLEAT_TLS_NEEDS_JOB:
            cleat_job_run(cleat_tls_job(c->tls));
            break;
        case CLEAT_TLS_NEEDS_DECISION:
            decide(c);
            break;
        case CLEAT_TLS_HAS_DATA:
            return SHIM_DATA;
        case CLEAT_TLS_CLOSED:
            return SHIM_CLOSED;
        case CLEAT_TLS_FAILED:
            return SHIM_FAILED;
        }
    }
}

/* No early data more: the handshake comes first. Only a refusal of all early data stops the write.
 */
static bool finish_early(struct shim_conn *c)
{
    struct cleat_tls_info info;
    if (cleat_tls_info(c->tls, &info) == CLEAT_OK) {
        return true;
    }
    return shim_conn_pump(c, false) == SHIM_READY &&
           cleat_tls_early_data_status(c->tls) != CLEAT_EARLY_DATA_REJECTED;
}

bool shim_conn_write(struct shim_conn *c, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len != 0) {
        size_t written;
        if (cleat_tls_write(c->tls, &c->io, p, len, &written) != CLEAT_OK) {
            return false;
        }
        shim_conn_flush(c);
        if (written == 0 && !finish_early(c)) {
            return false;
        }
        p += written;
        len -= written;
    }
    return true;
}
