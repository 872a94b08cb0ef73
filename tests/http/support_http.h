/* tests/http/support_http.h - drives the codec over a stream of bytes and writes down what
 * happened, so that two ways of cutting the same stream can be compared as text. */
#ifndef SUPPORT_HTTP_H
#define SUPPORT_HTTP_H

#include "base/buf.h"
#include "cleat/http.h"

/* One message that a stream held. */
struct seen_message {
    unsigned status;
    uint8_t framing;
    uint64_t content_length;
    size_t content_len; /* content bytes that came */
    bool complete;
};

#define MAX_SEEN 8

struct seen {
    struct cl_buf text; /* everything, in order */
    struct seen_message messages[MAX_SEEN];
    size_t num_messages;
    int code; /* 0, or the code that ended it */
    int reply_status;
    bool switched;    /* another protocol follows, or may (upgrade, CONNECT) */
    bool after_close; /* bytes after the last message of the connection */
    bool in_message;  /* the stream ended inside a message */
};

struct stream {
    bool is_response;
    const char *method; /* of the request that a response answers */
    const char *bytes;
    size_t len;
    bool skip_bodies; /* llhttp's skipBody: bodies are not there, whatever the head says */
};

/* run_cut feeds the stream in pieces of step bytes, the first of them `first` bytes long (0: step).
 * Each call sees a fresh heap copy, so that sanitizers see reads beyond it and stale pointers. */
void run_cut(const struct stream *s, size_t first, size_t step, struct seen *out);

/* run_every_way runs it whole, byte by byte, and in all two-way splits; fails the test when one
 * differs. *out is the result of the whole; free with seen_deinit. */
void run_every_way(const char *name, const struct stream *s, struct seen *out);

void seen_deinit(struct seen *s);

#endif
