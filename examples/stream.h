/* stream.h - a TLS stream: a socket and a connection of libcleat, held together.
 *
 * All that an application needs to add to the library when it may block, or waits in a poll loop.
 * Copy it. No function here is called by two threads at once for the same stream.
 */
#ifndef STREAM_H
#define STREAM_H

#include <cleat/tls.h>

struct stream {
    int fd;
    struct cleat_tls *tls;
    /* NULL, or asked for each job: does somebody else do it (cleat/job.h)? It is asked again
     * whenever the stream is tried before the job is done. */
    bool (*take_job)(struct stream *s, struct cleat_job *job);
    size_t in_len;  /* bytes in `in` */
    size_t in_used; /* of these, done with: dropped at the next read */
    uint8_t in[CLEAT_TLS_MAX_RECORD];
    uint8_t out[CLEAT_TLS_MAX_RECORD];
};

/* What stream_handshake and stream_read return when the socket is non-blocking and has nothing now:
 * call again when it is readable; or when somebody else does a job: call again when it is done. */
#define STREAM_LATER 2

/* 1 s: a peer that does not take what is sent to it holds up a program for that long at most, when
 * the socket is non-blocking; then sending fails. */
#define STREAM_SEND_MS 1000

/* stream_handshake returns 0 when the connection is established, -1 when it failed. */
int stream_handshake(struct stream *s);

/* stream_read waits for data: 1 with a view of it, valid until the next call; 0 when the peer has
 * closed its direction; -1 when the connection failed or ended without close_notify. */
int stream_read(struct stream *s, const uint8_t **data, size_t *len);

/* stream_write sends all of data; stream_close says that no more will come. 0 or -1. */
int stream_write(struct stream *s, const uint8_t *data, size_t len);
int stream_close(struct stream *s);

/* stream_why says why the last call failed, for people. */
const char *stream_why(const struct stream *s);

#endif
