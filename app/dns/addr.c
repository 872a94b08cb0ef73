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

struct prefix {
    uint8_t bits[4]; /* the first 32 bits; no prefix here is longer */
    uint8_t len;
};

static bool has_prefix(const struct prefix *rows, size_t num, const uint8_t *address)
{
    uint32_t head = (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
                    (uint32_t)address[2] << 8 | address[3];
    for (size_t i = 0; i < num; i++) {
        const uint8_t *b = rows[i].bits;
        uint32_t want = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        if ((head ^ want) >> (32 - rows[i].len) == 0) {
            return true;
        }
    }
    return false;
}

bool cl_addr_is_public(const struct cl_addr *a)
{
    static const struct prefix not_public_4[] = {
        {{0, 0, 0, 0}, 8},     {{10, 0, 0, 0}, 8},      {{100, 64, 0, 0}, 10},
        {{127, 0, 0, 0}, 8},   {{169, 254, 0, 0}, 16},  {{172, 16, 0, 0}, 12},
        {{192, 0, 0, 0}, 24},  {{192, 0, 2, 0}, 24},    {{192, 168, 0, 0}, 16},
        {{198, 18, 0, 0}, 15}, {{198, 51, 100, 0}, 24}, {{203, 0, 113, 0}, 24},
        {{224, 0, 0, 0}, 3}, /* multicast, and what is reserved above it */
    };
    /* 2000::/3 is all that was ever given out; in it, what leads to IPv4 or is for documents. */
    static const struct prefix public_6[] = {{{0x20, 0, 0, 0}, 3}};
    static const struct prefix not_public_6[] = {
        {{0x20, 0x01, 0, 0}, 23},       /* Teredo and other protocols' */
        {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
        {{0x20, 0x02, 0, 0}, 16},       /* 6to4 */
        {{0x3f, 0xff, 0, 0}, 20},       /* documentation */
    };
    if (a->sa.sa_family != AF_INET6) {
        uint8_t v4[4];
        memcpy(v4, &a->in.sin_addr, sizeof(v4));
        return !has_prefix(not_public_4, sizeof(not_public_4) / sizeof(not_public_4[0]), v4);
    }
    const uint8_t *v6 = a->in6.sin6_addr.s6_addr;
    return has_prefix(public_6, 1, v6) &&
           !has_prefix(not_public_6, sizeof(not_public_6) / sizeof(not_public_6[0]), v6);
}
