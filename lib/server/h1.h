/* server/h1.h - one exchange of HTTP/1.1, for h1.c, h1_send.c and h1_time.c. */
#ifndef CL_SERVER_H1_H
#define CL_SERVER_H1_H

#include "server/server.h"

/* 1.5 KiB: the head of a response and a small body go out without an allocation */
#define CL_H1_ROOM 1536

enum {
    CL_H1_IDLE,
    CL_H1_HEAD,     /* the first bytes of one have come */
    CL_H1_BODY,     /* between the head and the end of the body */
    CL_H1_RECEIVED, /* the request is complete: what follows waits for the response */
    CL_H1_DEAF,     /* what follows is never looked at */
};

struct cl_h1_exchange {
    struct cleat_http_exchange x;
    struct cleat_http_body body;
    bool body_begun;
    struct cl_buf pending;  /* of a head in pieces */
    struct cl_buf trailers; /* their text */
    struct cl_server_kept *trailer_head;
    struct cleat_http_head head;
    uint8_t room[CL_H1_ROOM]; /* lent to the output; outlives the exchange while it is there */
};

static inline struct cl_h1_exchange *cl_h1_of(struct cleat_http_exchange *x)
{
    return (struct cl_h1_exchange *)x; /* its first member */
}

/* h1_send.c: what waits to be sent, with what the caller sends behind it. */
static inline size_t cl_h1_queued(const struct cleat_http_server *s)
{
    return s->h1.out.len - s->h1.out_at + s->h1.passing;
}

void cl_h1_drop_output(struct cleat_http_server *s);
size_t cl_h1_output(struct cleat_http_server *s, const uint8_t **p);
void cl_h1_sent(struct cleat_http_server *s, size_t n);
cl_result cl_h1_respond(struct cleat_http_exchange *x, const struct cl_server_response *r);
cl_result cl_h1_write(struct cleat_http_exchange *x, const void *p, size_t len, bool end,
                      size_t *taken);
size_t cl_h1_room(const struct cleat_http_exchange *x);
cl_result cl_h1_trailers(struct cleat_http_exchange *x, struct cleat_http_head *fields,
                         struct cl_rd text);

/* h1.c: cl_h1_lose ends the connection and the exchange that is in flight, which is told as GONE
 * with this code; why: NULL, it was in good order. cl_h1_refuse has it told as REFUSED, where it
 * has not been answered; else as cl_h1_lose. cl_h1_give_back frees what an idle connection does not
 * need. */
void cl_h1_lose(struct cleat_http_server *s, uint32_t code, const struct cleat_error *why);
void cl_h1_refuse(struct cleat_http_server *s, uint16_t status, const struct cleat_error *why);
void cl_h1_give_back(struct cleat_http_server *s);

/* h1_time.c */
void cl_h1_tick(struct cleat_http_server *s, uint64_t *next);

#endif
