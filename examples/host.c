/* host.c - see host.h. */
#include "host.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int tcp_connect(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int fd = -1;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        fprintf(stderr, "%s: no such host\n", host);
        exit(1);
    }
    for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    if (fd < 0) {
        fprintf(stderr, "%s: cannot connect to port %s\n", host, port);
        exit(1);
    }
    return fd;
}

int tcp_listen(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(address);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        perror("cannot listen");
        exit(1);
    }
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

uint64_t now_ms(void *ctx)
{
    (void)ctx;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return 0; /* no certificate is valid in 1970: fails closed */
    }
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

char *read_file(const char *path, size_t *len)
{
    enum { MAX = 1 << 20 }; /* 1 MiB: more than any bundle of certificates has */
    char *text = malloc(MAX);
    FILE *file = fopen(path, "rb");
    if (text == NULL || file == NULL) {
        perror(path);
        exit(1);
    }
    *len = fread(text, 1, MAX, file);
    if (ferror(file) || !feof(file)) {
        fprintf(stderr, "%s: cannot be read, or is larger than 1 MiB\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

void must(int code, const struct cleat_error *error)
{
    if (code != CLEAT_OK) {
        const char *why = error != NULL && error->code != CLEAT_OK ? error->text : "";
        fprintf(stderr, "%s: %s\n", cleat_error_sentence(code), why);
        exit(1);
    }
}
