/* bench/peers/lws_echo.c - lws_echo PORT [CERT KEY]: an echo server on libwebsockets, as a peer of
 * scripts/bench-ws. One thread, permessage-deflate without context takeover, like the others.
 */
#include <libwebsockets.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* 64 KiB: a message of the benchmark arrives in few pieces */
#define RX_BUFFER 65536

/* What waits to be written: a piece of a message with room for the library's header in front. */
struct piece {
    struct piece *next;
    size_t len;
    int flags;
    unsigned char bytes[];
};

struct session {
    struct piece *first, **last;
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    (void)number;
    ended = 1;
}

static int on_receive(struct lws *wsi, struct session *s, const void *in, size_t len)
{
    struct piece *p = malloc(sizeof(*p) + LWS_PRE + len);
    if (p == NULL) {
        return -1;
    }
    p->next = NULL;
    p->len = len;
    p->flags = lws_write_ws_flags(lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT,
                                  lws_is_first_fragment(wsi), lws_is_final_fragment(wsi));
    memcpy(p->bytes + LWS_PRE, in, len);
    *s->last = p;
    s->last = &p->next;
    lws_callback_on_writable(wsi);
    return 0;
}

static int on_writable(struct lws *wsi, struct session *s)
{
    while (s->first != NULL && !lws_send_pipe_choked(wsi)) {
        struct piece *p = s->first;
        int n = lws_write(wsi, p->bytes + LWS_PRE, p->len, (enum lws_write_protocol)p->flags);
        s->first = p->next;
        s->last = s->first == NULL ? &s->first : s->last;
        free(p);
        if (n < 0) {
            return -1;
        }
    }
    if (s->first != NULL) {
        lws_callback_on_writable(wsi);
    }
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct session *s = user;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        s->first = NULL;
        s->last = &s->first;
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return on_receive(wsi, s, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writable(wsi, s);
    case LWS_CALLBACK_CLOSED:
        while (s->first != NULL) {
            struct piece *p = s->first;
            s->first = p->next;
            free(p);
        }
        return 0;
    default:
        return 0;
    }
}

int main(int argc, char **argv)
{
    static const struct lws_extension extensions[] = {
        {"permessage-deflate", lws_extension_callback_pm_deflate,
         "permessage-deflate; client_no_context_takeover; server_no_context_takeover"},
        {NULL, NULL, NULL},
    };
    static const struct lws_protocols protocols[] = {
        {.name = "echo",
         .callback = on_event,
         .per_session_data_size = sizeof(struct session),
         .rx_buffer_size = RX_BUFFER},
        {0},
    };
    if (argc != 2 && argc != 4) {
        return 2;
    }
    struct lws_context_creation_info info = {
        .port = (int)strtol(argv[1], NULL, 10),
        .iface = "127.0.0.1",
        .protocols = protocols,
        .extensions = extensions,
        .pt_serv_buf_size = RX_BUFFER,
        .options = LWS_SERVER_OPTION_VALIDATE_UTF8, /* RFC 6455 8.1, as the others do */
    };
    if (argc == 4) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = argv[2];
        info.ssl_private_key_filepath = argv[3];
    }
    signal(SIGTERM, on_signal);
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    if (context == NULL) {
        return 1;
    }
    while (!ended && lws_service(context, 0) >= 0) {
    }
    lws_context_destroy(context);
    return 0;
}
