/* conn/capture.c - see capture.h. Times are those of the clock that never jumps, moved to where the
 * other one was when the capture began: packets of one file are in order. */
#include "conn/capture.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "capture/pcapng_write.h"
#include "capture/tcp_flow.h"
#include "cleat/version.h"
#include "conn/keylog.h"
#include "net/clock.h"

static const char file_comment[] =
    "TCP as the program read and wrote it, not as the kernel sent it. Written with the secrets of "
    "its TLS connections: as long as they are in it, whoever has it can read them.";

struct cl_capture {
    struct cl_capture_target target;
    uint64_t unix_offset_ns; /* from the monotonous clock to Unix time */
    struct cl_buf secrets;   /* lines that are not written yet */
    uint8_t outer_random[32];
    bool has_outer;
    unsigned num_holds;
    bool begun;
    bool over; /* the target takes no more */
};

struct cl_capture_conn {
    struct cl_capture *capture;
    const struct cl_tcp *tcp; /* NULL: closed */
    struct cl_tcp_flow flow;
    struct cl_buf held; /* blocks */
    char why[480];      /* the next comment: what a struct cleat_error holds */
    bool has_data;      /* bytes have passed: before, nothing is worth a file */
};

/* ---- the file ---- */

static uint64_t now_ns(const struct cl_capture *capture)
{
    return cl_clock_ns(NULL) + capture->unix_offset_ns;
}

cl_result cl_capture_new(const struct cl_capture_target *target, struct cl_capture **out)
{
    struct cl_capture *c = cl_calloc(1, sizeof(*c));
    *out = c;
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->target = *target;
    c->unix_offset_ns = cl_clock_unix_ns() - cl_clock_ns(NULL);
    return CL_OK;
}

void cl_capture_free(struct cl_capture *capture)
{
    if (capture == NULL) {
        return;
    }
    cl_buf_deinit(&capture->secrets);
    cl_free(capture);
}

static void give_up(struct cl_capture *capture)
{
    capture->over = true;
    cl_buf_deinit(&capture->secrets);
}

/* Ends the capture when memory is short: with a packet missing, those behind it mean nothing. */
static void check(struct cl_capture *capture, cl_result result)
{
    if (result != CL_OK && !capture->over) {
        capture->target.broken(capture->target.ctx);
        give_up(capture);
    }
}

static void hand_over(struct cl_capture *capture, struct cl_rd blocks)
{
    if (blocks.len != 0 && !capture->over &&
        !capture->target.write(capture->target.ctx, blocks.p, blocks.len)) {
        give_up(capture);
    }
}

static cl_result append_head(struct cl_buf *out)
{
    char application[64];
    (void)snprintf(application, sizeof(application), "cleat %s", cleat_version());
    const struct cl_pcapng_about about = {
        .application = application, .comment = file_comment, .interface = "sockets of the program"};
    return cl_pcapng_begin(out, &about);
}

/* What goes in front of the next packets: the head, and secrets. */
static cl_result append_front(struct cl_capture *capture, struct cl_buf *out)
{
    if (!capture->begun) {
        CL_TRY(append_head(out));
        capture->begun = true;
    }
    if (capture->secrets.len != 0) {
        CL_TRY(cl_pcapng_secrets(out, cl_buf_view(&capture->secrets)));
        cl_buf_deinit(&capture->secrets);
    }
    return CL_OK;
}

static void write_out(struct cl_capture *capture, struct cl_rd blocks)
{
    struct cl_buf front = {0};
    if (!capture->over) {
        check(capture, append_front(capture, &front));
    }
    hand_over(capture, cl_buf_view(&front));
    hand_over(capture, blocks);
    cl_buf_deinit(&front);
}

void cl_capture_begin(struct cl_capture *capture)
{
    write_out(capture, cl_rd_of(NULL, 0));
}

/* ---- secrets ---- */

static void add_line(struct cl_capture *capture, const struct cleat_event *event)
{
    char line[CL_KEYLOG_LINE];
    size_t len = cl_keylog_line(event, line);
    check(capture, cl_buf_append(&capture->secrets, line, len, CL_CAPTURE_MAX_SECRETS));
    cl_wipe(line, sizeof(line));
}

void cl_capture_event(struct cl_capture *capture, const struct cleat_event *event)
{
    if (capture == NULL || capture->over || event->kind != CLEAT_EVENT_SECRET) {
        return;
    }
    add_line(capture, event);
    const uint8_t *client_random = event->secret.client_random;
    if (strncmp(event->secret.label, "ECH_", 4) == 0) {
        memcpy(capture->outer_random, client_random, sizeof(capture->outer_random));
        capture->has_outer = true;
    } else if (capture->has_outer && !capture->over &&
               memcmp(capture->outer_random, client_random, sizeof(capture->outer_random)) != 0) {
        /* RFC 9850 2 goes by the inner ClientHello, which readers that do not know ECH never see:
         * for them once more by the outer one. */
        struct cleat_event outer = *event;
        outer.secret.client_random = capture->outer_random;
        add_line(capture, &outer);
    }
}

/* ---- connections ---- */

static void set_addr(struct cl_addr *out, const struct sockaddr_storage *from)
{
    memcpy(out, from, sizeof(*out));
}

/* Where sequence numbers begin: where RFC 9293 3.4.1 has them, at a clock of 4 us, so that two
 * connections of the same ports in one file are told apart. */
static void set_isn(uint32_t isn[2])
{
    uint64_t us = cl_clock_mono_us();
    isn[CL_TCP_US] = (uint32_t)(us / 4);
    isn[CL_TCP_PEER] = (uint32_t)(us / 4) ^ 0x80000000u;
}

static cl_result open_flow(struct cl_capture_conn *c, uint64_t started_us)
{
    const struct cl_capture *capture = c->capture;
    struct sockaddr_storage us = {0}, peer = {0};
    uint64_t now = now_ns(capture);
    struct cl_tcp_flow_setup setup = {
        .mss = cl_tcp_mss(c->tcp),
        .from_us = started_us != 0,
        .syn_ns = started_us != 0 ? started_us * 1000 + capture->unix_offset_ns : now,
        .open_ns = now,
    };
    if (!cl_tcp_local(c->tcp, &us) || !cl_tcp_peer(c->tcp, &peer)) {
        return CLEAT_ERR_USAGE; /* gone already: there will be nothing to capture */
    }
    set_addr(&setup.us, &us);
    set_addr(&setup.peer, &peer);
    set_isn(setup.isn);
    return cl_tcp_flow_open(&c->flow, &c->held, &setup);
}

struct cl_capture_conn *cl_capture_connect(struct cl_capture *capture, const struct cl_tcp *tcp,
                                           uint64_t started_us)
{
    if (capture == NULL || capture->over) {
        return NULL;
    }
    capture->has_outer = false; /* that was another connection's */
    struct cl_capture_conn *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        check(capture, CLEAT_ERR_NOMEM);
        return NULL;
    }
    c->capture = capture;
    c->tcp = tcp;
    cl_result r = open_flow(c, started_us);
    if (r != CL_OK) {
        check(capture, r == CLEAT_ERR_USAGE ? CL_OK : r);
        cl_buf_deinit(&c->held);
        cl_free(c);
        return NULL;
    }
    return c;
}

/* Before each packet the kernel is asked what the peer has acknowledged; new_len: how many bytes it
 * has got that are not in the flow yet. False: nothing is captured. */
static bool prepare(struct cl_capture_conn *c, size_t new_len, uint64_t *now)
{
    if (c == NULL || c->capture->over || c->tcp == NULL) {
        return false;
    }
    size_t unsent = cl_tcp_unsent(c->tcp);
    *now = now_ns(c->capture);
    check(c->capture,
          cl_tcp_flow_unsent(&c->flow, &c->held, *now, unsent > new_len ? unsent - new_len : 0));
    return !c->capture->over;
}

/* Our next packet says why the stream fails. */
static void set_comment(struct cl_capture_conn *c)
{
    c->flow.comment = c->why[0] != '\0' ? c->why : NULL;
}

static void write_held(struct cl_capture_conn *c)
{
    if (c->has_data && c->held.len != 0) {
        write_out(c->capture, cl_buf_view(&c->held));
        cl_buf_deinit(&c->held); /* most of the time a connection has nothing */
    }
}

static void take(struct cl_capture_conn *c, cl_result result)
{
    check(c->capture, result);
    if (c->held.len > CL_CAPTURE_MAX_HELD) {
        write_held(c);
    }
}

void cl_capture_received(struct cl_capture_conn *c, const uint8_t *p, size_t len)
{
    uint64_t now;
    if (len != 0 && prepare(c, 0, &now)) {
        c->has_data = true;
        take(c, cl_tcp_flow_data(&c->flow, &c->held, now, CL_TCP_PEER, cl_rd_of(p, len)));
    }
}

void cl_capture_sent(struct cl_capture_conn *c, const uint8_t *p, size_t len)
{
    uint64_t now;
    if (len != 0 && prepare(c, len, &now)) {
        c->has_data = true;
        set_comment(c);
        take(c, cl_tcp_flow_data(&c->flow, &c->held, now, CL_TCP_US, cl_rd_of(p, len)));
        c->why[0] = '\0';
    }
}

void cl_capture_peer_finished(struct cl_capture_conn *c)
{
    uint64_t now;
    if (prepare(c, 0, &now)) {
        take(c, cl_tcp_flow_close(&c->flow, &c->held, now, CL_TCP_PEER));
    }
}

/* EPIPE is what a writer sees of a reset. Other failures are of the way, or the kernel's. */
void cl_capture_network_failed(struct cl_capture_conn *c, int status)
{
    uint64_t now;
    if ((status == UV_ECONNRESET || status == UV_EPIPE) && prepare(c, 0, &now)) {
        take(c, cl_tcp_flow_reset(&c->flow, &c->held, now, CL_TCP_PEER));
    } else {
        cl_capture_given_up(c, uv_strerror(status));
    }
}

void cl_capture_finished(struct cl_capture_conn *c)
{
    uint64_t now;
    if (prepare(c, 0, &now)) {
        set_comment(c);
        take(c, cl_tcp_flow_close(&c->flow, &c->held, now, CL_TCP_US));
        c->why[0] = '\0';
    }
}

void cl_capture_failed(struct cl_capture_conn *c, const struct cleat_error *error)
{
    if (c == NULL || error == NULL || error->code == 0) {
        return;
    }
    (void)snprintf(c->why, sizeof(c->why), "%s: %s%s%s", cleat_error_name(error->code), error->text,
                   error->section[0] != '\0' ? ", " : "", error->section);
    cl_text_make_printable(c->why);
}

void cl_capture_given_up(struct cl_capture_conn *c, const char *why)
{
    if (c != NULL && why != NULL && c->why[0] == '\0') {
        (void)snprintf(c->why, sizeof(c->why), "%s", why);
    }
}

void cl_capture_release(struct cl_capture_conn *c)
{
    if (c != NULL && c->capture->num_holds == 0) {
        write_held(c);
    }
}

void cl_capture_hold(struct cl_capture *capture)
{
    if (capture != NULL) {
        capture->num_holds++;
    }
}

void cl_capture_unhold(struct cl_capture *capture)
{
    if (capture != NULL) {
        capture->num_holds--;
    }
}

/* A socket that is closed with bytes unread sends RST (RFC 2525 2.17); else FIN, unless it has. */
void cl_capture_closing(struct cl_capture_conn *c)
{
    uint64_t now;
    if (prepare(c, 0, &now)) {
        set_comment(c);
        take(c, cl_tcp_unread(c->tcp) != 0 ? cl_tcp_flow_reset(&c->flow, &c->held, now, CL_TCP_US)
                                           : cl_tcp_flow_close(&c->flow, &c->held, now, CL_TCP_US));
        check(c->capture, cl_tcp_flow_end(&c->flow, &c->held, now));
        c->tcp = NULL;
    }
}

void cl_capture_disconnect(struct cl_capture_conn *c)
{
    if (c == NULL) {
        return;
    }
    write_held(c);
    cl_buf_deinit(&c->held);
    cl_free(c);
}
