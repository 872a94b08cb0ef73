/* fuzz/fuzz_tunnel.c - what a proxy answers, to CONNECT and to SOCKS 5, in pieces. The first byte
 * says which protocol, with or without credentials, and how long the pieces are. */
#include <stdlib.h>
#include <string.h>

#include "conn/tunnel_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static enum cl_tunnel_next converse(const struct cl_tunnel_protocol *p, struct cl_tunnel *t,
                                    const uint8_t *data, size_t size, size_t piece)
{
    enum cl_tunnel_next next = CL_TUNNEL_MORE;
    require(p->begin(t) == CL_OK && t->out.len != 0);
    while (next == CL_TUNNEL_MORE && size != 0) {
        const size_t step = size < piece ? size : piece;
        require(cl_buf_append(&t->in, data, step, SIZE_MAX) == CL_OK);
        next = p->take(t);
        data += step;
        size -= step;
    }
    return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t how = size != 0 ? data[0] : 0;
    const bool socks = (how & 1) != 0;
    struct cl_proxy proxy = {.kind = socks ? CL_PROXY_SOCKS5H : CL_PROXY_HTTP,
                             .host = "proxy.test",
                             .port = 1080,
                             .has_user = (how & 2) != 0,
                             .user = "user",
                             .password = "password"};
    struct cl_tunnel *t = calloc(1, sizeof(*t));
    require(t != NULL);
    t->spec = (struct cl_tunnel_spec){.proxy = &proxy, .host = "www.example.test", .port = 443};
    if (size != 0) {
        data++;
        size--;
    }
    const enum cl_tunnel_next next =
        converse(socks ? &cl_tunnel_socks : &cl_tunnel_http, t, data, size, 1 + (size_t)(how >> 2));
    require(t->in.len <= size && (next == CL_TUNNEL_FAILED) == (t->result.error.code != 0));
    require(next != CL_TUNNEL_OPEN || socks || t->result.status / 100 == 2);
    cl_buf_deinit(&t->in);
    cl_buf_deinit(&t->out);
    free(t);
    return 0;
}
