/* dns/addr.c - parse, write and compare IP addresses. */
#include "dns/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

bool cl_addr_parse(const char *text, uint16_t port, struct cl_addr *out)
{
    char bare[INET6_ADDRSTRLEN + 1];
    size_t len = strlen(text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof(bare)) {
        return false;
    }
    memcpy(bare, text, len);
    bare[len] = '\0';
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, bare, &out->in.sin_addr) == 1) {
        out->in.sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, bare, &out->in6.sin6_addr) == 1) {
        out->in6.sin6_family = AF_INET6;
    } else {
        return false;
    }
    cl_addr_set_port(out, port);
    return true;
}

void cl_addr_format(const struct cl_addr *a, char out[CL_ADDR_TEXT_SIZE])
{
    const void *bytes = a->sa.sa_family == AF_INET6 ? (const void *)&a->in6.sin6_addr
                                                    : (const void *)&a->in.sin_addr;
    if (inet_ntop(a->sa.sa_family, bytes, out, CL_ADDR_TEXT_SIZE) == NULL) {
        (void)snprintf(out, CL_ADDR_TEXT_SIZE, "(no address)");
    }
}

void cl_addr_format_port(const struct cl_addr *a, char out[CL_ADDR_TEXT_SIZE])
{
    char text[CL_ADDR_TEXT_SIZE];
    cl_addr_format(a, text);
    const char *fmt = a->sa.sa_family == AF_INET6 ? "[%.46s]:%u" : "%.46s:%u";
    (void)snprintf(out, CL_ADDR_TEXT_SIZE, fmt, text, (unsigned)cl_addr_port(a));
}

uint16_t cl_addr_port(const struct cl_addr *a)
{
    return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

void cl_addr_set_port(struct cl_addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET6) {
        a->in6.sin6_port = htons(port);
    } else {
        a->in.sin_port = htons(port);
    }
}

bool cl_addr_equal(const struct cl_addr *a, const struct cl_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family || cl_addr_port(a) != cl_addr_port(b)) {
        return false;
    }
    if (a->sa.sa_family == AF_INET6) {
        return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
    }
    return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}

bool cl_addr_is_loopback(const struct cl_addr *a)
{
    if (a->sa.sa_family == AF_INET6) {
        return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
    }
    return ntohl(a->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}
