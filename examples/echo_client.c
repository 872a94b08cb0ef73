/* echo_client.c - echo_client HOST PORT CA-FILE: sends each line of stdin, prints what comes back.
 */
#include "stream.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct cleat_tls_config *make_config(const char *ca_file)
{
    struct cleat_error error = {0};
    struct cleat_trust_store *trust;
    struct cleat_tls_builder *builder;
    struct cleat_tls_config *config;
    size_t len;
    char *pem = read_file(ca_file, &len);
    must(cleat_trust_store_from_pem(pem, len, &trust, &error), &error);
    must(cleat_tls_builder_new(CLEAT_CLIENT, &builder), NULL);
    cleat_tls_builder_clock(builder, now_ms, NULL);
    must(cleat_tls_builder_trust(builder, trust), cleat_tls_builder_error(builder));
    must(cleat_tls_builder_finish(builder, &config, &error), &error);
    cleat_trust_store_free(trust);
    free(pem);
    return config;
}

static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int fd = -1;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return -1;
    }
    for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* Sends one line and prints as many bytes as were sent. 0 or -1. */
static int echo_line(struct stream *s, const char *line)
{
    size_t left = strlen(line);
    if (stream_write(s, (const uint8_t *)line, left) != 0) {
        return -1;
    }
    while (left > 0) {
        const uint8_t *data;
        size_t len;
        if (stream_read(s, &data, &len) != 1) {
            return -1;
        }
        fwrite(data, 1, len, stdout);
        left -= len < left ? len : left;
    }
    return fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct stream s;
    char line[4096];
    if (argc != 4) {
        fprintf(stderr, "usage: echo_client HOST PORT CA-FILE\n");
        return 2;
    }
    struct cleat_tls_config *config = make_config(argv[3]);
    s.fd = connect_to(argv[1], argv[2]);
    if (s.fd < 0) {
        fprintf(stderr, "%s: cannot connect\n", argv[1]);
        return 1;
    }
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
