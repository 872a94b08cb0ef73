/* bench/load/h2.c - the HTTP/2 of a client of conn.c: a GET at a time on a connection that is kept.
 */
#include <stdio.h>
#include <string.h>

#include "load.h"

static bool put_frames(struct load *l, struct load_conn *c)
{
    const uint8_t *p;
    for (size_t len; (len = cleat_h2_output(c->h2, &p)) != 0; cleat_h2_sent(c->h2, len)) {
        if (!load_conn_put(l, c, p, len)) {
            return false;
        }
    }
    return true;
}

bool load_h2_ask(struct load *l, struct load_conn *c)
{
    char text[2048];
    struct cleat_http_head head;
    const struct cleat_http_view *path = &l->options->url.path;
    int len = snprintf(text, sizeof(text), "GET %.*s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                       (int)path->len, path->p);
    struct cleat_h2_options o;
    cleat_h2_options_init(&o, false);
    if (c->h2 == NULL && cleat_h2_client_new(&o, &c->h2) != CLEAT_OK) {
        return load_conn_fail(l, c, "HTTP/2", "out of memory");
    }
    uint32_t stream = 0;
    cleat_http_request_init(&head);
    if (len < 0 || (size_t)len >= sizeof(text) ||
        cleat_http_head_feed(&head, text, (size_t)len, NULL) != CLEAT_HTTP_COMPLETE ||
        cleat_h2_request(c->h2, &head, true, NULL, true, NULL, &stream) != CLEAT_OK) {
        return load_conn_fail(l, c, "HTTP/2", "the request was refused");
    }
    return put_frames(l, c);
}

bool load_h2_data(struct load *l, struct load_conn *c, const uint8_t *p, size_t len)
{
    struct cleat_h2_io io = {.in = p, .in_len = len};
    struct cleat_error error = {0};
    for (;;) {
        switch (cleat_h2_step(c->h2, &io)) {
        case CLEAT_H2_NEEDS_INPUT:
            return put_frames(l, c);
        case CLEAT_H2_HEAD:
            if (io.head->status != 200) {
                return load_conn_fail(l, c, "response", "not 200");
            }
            break;
        case CLEAT_H2_DATA:
            cleat_h2_consume(c->h2, io.stream, io.data_len);
            break;
        case CLEAT_H2_DONE:
            l->num_messages += c->upgraded ? 1 : 0;
            c->upgraded = true;
            break;
        case CLEAT_H2_RESET:
        case CLEAT_H2_GOAWAY:
            return load_conn_fail(l, c, "HTTP/2", cleat_h2_code_name(io.code));
        case CLEAT_H2_FAILED:
            cleat_h2_error(c->h2, &error);
            return load_conn_fail(l, c, "HTTP/2", error.text);
        default:
            break;
        }
    }
}
