/* conn/capture.h - streams written down as a capture that Wireshark opens decrypted: the packets of
 * their connections (capture/tcp_flow.h) and, in front of those that need them, their secrets.
 *
 * A struct cl_capture is one file, or pipe; any number of streams of one thread may share it. Where
 * its bytes go is the caller's: a target that takes whole blocks. Whatever fails here, or there,
 * ends the capture and nothing else.
 *
 * Secrets come first: a packet is kept back until the engine has looked at it, as only then the
 * secrets are known that it needs. Once the handshake is done they are all known.
 */
#ifndef CL_CONN_CAPTURE_H
#define CL_CONN_CAPTURE_H

#include "base/result.h"
#include "cleat/event.h"
#include "net/tcp.h"

/* 256 KiB: what a connection keeps back at most: a stream reads no more than one buffer of 33 KiB
 * ahead of its engine, and answers it early data at the most. Beyond, it is written as it is. */
#define CL_CAPTURE_MAX_HELD    (256u << 10)
/* 64 KiB: lines of secrets that wait for a packet; a handshake has five of some 200 bytes */
#define CL_CAPTURE_MAX_SECRETS (64u << 10)

struct cl_capture;
struct cl_capture_conn;

struct cl_capture_target {
    /* Takes blocks; whole ones, in order. false: it takes no more, and is not called again. */
    bool (*write)(void *ctx, const uint8_t *p, size_t len);
    /* Memory was short: what follows is missing. */
    void (*broken)(void *ctx);
    void *ctx;
};

/* cl_capture_new prepares a capture. NOMEM. cl_capture_free ends it, when the last of its
 * connections is gone; NULL is fine. */
CL_MUST cl_result cl_capture_new(const struct cl_capture_target *target, struct cl_capture **out);
void cl_capture_free(struct cl_capture *capture);

/* cl_capture_begin writes the head of the file already now, before the first packet. */
void cl_capture_begin(struct cl_capture *capture);

/* cl_capture_event takes the secrets out of what the engine tells: to be called from the
 * configuration's sink, which must have asked for them. capture: or NULL. */
void cl_capture_event(struct cl_capture *capture, const struct cleat_event *event);

/* ---- for streams; c may be NULL everywhere: nothing is captured ---- */

/* cl_capture_connect begins a connection; started_us: when a client asked for it
 * (cl_clock_mono_us), 0 for a server. NULL when memory is short, or the capture has ended. */
struct cl_capture_conn *cl_capture_connect(struct cl_capture *capture, const struct cl_tcp *tcp,
                                           uint64_t started_us);

/* Bytes that were read, or that the kernel has taken for sending. */
void cl_capture_received(struct cl_capture_conn *c, const uint8_t *p, size_t len);
void cl_capture_sent(struct cl_capture_conn *c, const uint8_t *p, size_t len);

/* The peer has sent FIN; so have we; the socket has failed with a libuv code. */
void cl_capture_peer_finished(struct cl_capture_conn *c);
void cl_capture_finished(struct cl_capture_conn *c);
void cl_capture_network_failed(struct cl_capture_conn *c, int status);

/* cl_capture_failed notes why the stream fails, cl_capture_given_up why it is ended in no good
 * order (text or NULL): it becomes the comment of our next packet. */
void cl_capture_failed(struct cl_capture_conn *c, const struct cleat_error *error);
void cl_capture_given_up(struct cl_capture_conn *c, const char *why);

/* cl_capture_release lets go of what was kept back, unless the capture is held. */
void cl_capture_release(struct cl_capture_conn *c);

/* cl_capture_hold keeps back everything, while a handshake goes on inside another connection's data
 * (through a proxy): until as many calls of cl_capture_unhold. What has been kept back goes with
 * the next release. capture: or NULL. */
void cl_capture_hold(struct cl_capture *capture);
void cl_capture_unhold(struct cl_capture *capture);

/* cl_capture_closing: the socket is about to be closed, and used no more. cl_capture_disconnect
 * ends and frees. */
void cl_capture_closing(struct cl_capture_conn *c);
void cl_capture_disconnect(struct cl_capture_conn *c);

#endif
