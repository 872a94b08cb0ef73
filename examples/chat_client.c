/* chat_client.c - chat_client HOST PORT CA-FILE: says the lines of stdin in the room of a
 * chat_server, and prints what the others say. Leaves at the end of stdin. */
#include "config.h"
#include "host.h"
#include "websocket.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_line(void *ctx, const uint8_t *text, size_t len)
{
    (void)ctx;
    printf("%.*s\n", (int)len, (const char *)text);
    fflush(stdout);
}

/* The opening handshake. Bytes behind the answer are messages already. 0 or -1. */
static int upgrade(struct websocket *w, const char *url_text)
{
    struct cleat_ws_offer offer = {0};
    struct cleat_ws_options options;
    struct cleat_ws_upgrade agreed;
    struct cleat_http_url url;
    struct cleat_http_head response;
    struct cleat_error error = {0};
    char key[CLEAT_WS_KEY_SIZE], request[2048];
    const uint8_t *data = NULL;
    size_t len = 0, used = 0;
    int status = 0;
    must(cleat_http_url_parse(&url, url_text, strlen(url_text), &error), &error);
    cleat_ws_deflate_init(&offer.deflate, false);
    must(cleat_ws_request_write(&offer, &url, key, request, sizeof(request), &len, &error), &error);
    if (stream_write(&w->stream, (const uint8_t *)request, len) != 0) {
        return -1;
    }
    cleat_http_response_init(&response, (struct cleat_http_view){"GET", 3});
    while (status == 0 && stream_read(&w->stream, &data, &len) == 1) {
        status = websocket_head(w, &response, data, len, &used, &error);
    }
    must(status == -1 ? error.code : CLEAT_OK, &error);
    if (status == 0) {
        return -1;
    }
    must(cleat_ws_response_check(&agreed, &response, &offer, key, &error), &error);
    cleat_ws_options_init(&options);
    options.deflate = agreed.deflate;
    must(cleat_ws_client_new(&options, &w->ws), NULL);
    return websocket_feed(w, data + used, len - used, print_line, NULL);
}

/* Says the next line; at the end of stdin begins to close. */
static int say_line(struct websocket *w)
{
    char line[4096];
    if (fgets(line, sizeof(line), stdin) == NULL) {
        must(cleat_ws_close(w->ws, now_us(), CLEAT_WS_NORMAL, NULL, 0), NULL);
    } else {
        must(cleat_ws_send(w->ws, false, line, strcspn(line, "\n")), NULL);
    }
    return websocket_flush(w);
}

/* Takes all that has come. 0, or -1 when it is over. */
static int hear(struct websocket *w)
{
    const uint8_t *data;
    size_t len;
    int status = 0;
    while (status == 0 && (status = stream_read(&w->stream, &data, &len)) == 1) {
        status = websocket_feed(w, data, len, print_line, NULL);
    }
    return status == STREAM_LATER ? 0 : -1;
}

/* Until both close frames are through. 0 or -1. */
static int chat(struct websocket *w)
{
    int status = fcntl(w->stream.fd, F_SETFL, O_NONBLOCK);
    while (status == 0 && (status = hear(w)) == 0) {
        bool open = cleat_ws_state(w->ws) == CLEAT_WS_OPEN;
        struct pollfd fds[2] = {{.fd = w->stream.fd, .events = POLLIN},
                                {.fd = open ? STDIN_FILENO : -1, .events = POLLIN}};
        if (poll(fds, 2, 1000) < 0 || cleat_ws_tick(w->ws, now_us(), NULL) != CLEAT_OK) {
            return -1;
        }
        status = fds[1].revents != 0 ? say_line(w) : websocket_flush(w);
    }
    return cleat_ws_state(w->ws) == CLEAT_WS_CLOSED ? 0 : -1;
}

int main(int argc, char **argv)
{
    static struct websocket w;
    char url[300];
    if (argc != 4) {
        fprintf(stderr, "usage: chat_client HOST PORT CA-FILE\n");
        return 2;
    }
    setvbuf(stdin, NULL, _IONBF, 0); /* poll must see what is not read yet */
    snprintf(url, sizeof(url), "wss://%s:%s/", argv[1], argv[2]);
    struct cleat_tls_config *config = client_config(argv[3]);
    w.stream.fd = tcp_connect(argv[1], argv[2]);
    must(cleat_tls_client_new(config, argv[1], NULL, NULL, &w.stream.tls), NULL);
    int status = stream_handshake(&w.stream);
    status = status == 0 ? upgrade(&w, url) : status;
    status = status == 0 ? chat(&w) : status;
    if (status != 0) {
        struct cleat_error error = {0};
        bool known = w.ws != NULL && cleat_ws_error(w.ws, &error) != CLEAT_OK;
        fprintf(stderr, "%s: %s\n", url, known ? error.text : stream_why(&w.stream));
    }
    (void)stream_close(&w.stream);
    cleat_ws_free(w.ws);
    cleat_tls_free(w.stream.tls);
    cleat_tls_config_free(config);
    close(w.stream.fd);
    return status == 0 ? 0 : 1;
}
