/* echo_client.c - echo_client HOST PORT CA-FILE: sends the lines of stdin, prints what comes back.
 */
#include "config.h"
#include "host.h"
#include "stream.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Sends one line and prints as many bytes as were sent. 0 or -1. */
static int echo_line(struct stream *s, const char *line)
{
    const uint8_t *data = NULL;
    size_t len = 0, left = strlen(line);
    int status = stream_write(s, (const uint8_t *)line, left);
    for (; status == 0 && left > 0; left -= len < left ? len : left) {
        status = stream_read(s, &data, &len) == 1 ? 0 : -1;
        fwrite(data, 1, status == 0 ? len : 0, stdout);
    }
    return fflush(stdout) == 0 ? status : -1;
}

int main(int argc, char **argv)
{
    static struct stream s;
    char line[4096];
    if (argc != 4) {
        fprintf(stderr, "usage: echo_client HOST PORT CA-FILE\n");
        return 2;
    }
    struct cleat_tls_config *config = client_config(argv[3]);
    s.fd = tcp_connect(argv[1], argv[2]);
    must(cleat_tls_client_new(config, argv[1], NULL, NULL, &s.tls), NULL);
    int status = stream_handshake(&s);
    while (status == 0 && fgets(line, sizeof(line), stdin) != NULL) {
        status = echo_line(&s, line);
    }
    status = status == 0 ? stream_close(&s) : status;
    if (status != 0) {
        fprintf(stderr, "%s: %s\n", argv[1], stream_why(&s));
    }
    cleat_tls_free(s.tls);
    cleat_tls_config_free(config);
    close(s.fd);
    return status == 0 ? 0 : 1;
}
