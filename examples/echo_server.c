/* echo_server.c - echo_server PORT CERT-FILE KEY-FILE: sends back what it gets, one client at a
 * time. With PORT 0 the system chooses; the port is the first thing printed. */
#include "config.h"
#include "host.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(struct stream *s)
{
    const uint8_t *data;
    size_t len;
    int status = stream_handshake(s);
    while (status == 0 && (status = stream_read(s, &data, &len)) == 1) {
        status = stream_write(s, data, len);
    }
    if (status != 0 || stream_close(s) != 0) {
        fprintf(stderr, "client: %s\n", stream_why(s));
    }
}

int main(int argc, char **argv)
{
    static struct stream s;
    if (argc != 4) {
        fprintf(stderr, "usage: echo_server PORT CERT-FILE KEY-FILE\n");
        return 2;
    }
    struct cleat_tls_config *config = server_config(argv[2], argv[3], NULL, 0);
    int listener = tcp_listen((uint16_t)strtoul(argv[1], NULL, 10));
    int fd = listener;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        s = (struct stream){.fd = fd};
        must(cleat_tls_server_new(config, NULL, &s.tls), NULL);
        serve(&s);
        cleat_tls_free(s.tls);
        close(fd);
    }
    perror("echo_server"); /* it ends only when it can listen no more */
    return 1;
}
