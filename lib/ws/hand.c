/* ws/hand.c - see hand.h: the accept key, single fields, origins (RFC 6454 4: scheme, host, port).
 */
#include "ws/hand.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "http/authority.h"

#define GUID     "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_LEN 20

_Static_assert(CL_WS_ACCEPT_SIZE == CL_BASE64_LEN(SHA1_LEN) + 1, "20 bytes in base64");

void cl_ws_accept_of(struct cl_rd key, char out[CL_WS_ACCEPT_SIZE])
{
    struct cl_hash h;
    uint8_t digest[SHA1_LEN];
    cl_hash_init(&h, CL_HASH_SHA1);
    cl_hash_update(&h, key.p, key.len);
    cl_hash_update(&h, GUID, sizeof(GUID) - 1);
    cl_hash_peek(&h, digest);
    cl_base64_encode(digest, sizeof(digest), out);
}

bool cl_ws_single(const struct cleat_http_head *head, const char *name, struct cleat_http_view *out)
{
    size_t from = 0;
    *out = cleat_http_find(head, name, &from);
    return out->p == NULL || cleat_http_find(head, name, &from).p == NULL;
}

cl_result cl_ws_copy_out(struct cl_rd built, char *out, size_t cap, size_t *out_len)
{
    struct cl_wr w = cl_wr_of(out, cap);
    cl_wr_view(&w, built);
    *out_len = cl_wr_ok(&w) ? w.len : 0;
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_LIMIT;
}

/* An origin of http or https taken apart. */
struct origin {
    struct cl_rd host;
    uint16_t port;
    bool secure;
};

static bool parse_origin(struct cl_rd text, struct origin *out)
{
    struct cleat_http_url url;
    if (cleat_http_url_parse(&url, (const char *)text.p, text.len, NULL) != CLEAT_OK ||
        url.websocket || url.userinfo.p != NULL || url.query.p != NULL) {
        return false;
    }
    /* RFC 6454 6.2: an origin has no path: the one that the parser supplies lies elsewhere */
    if (text.p[text.len - 1] == '/' || !cleat_http_is(url.path, "/")) {
        return false;
    }
    *out = (struct origin){cl_http_rd(url.host), url.port, url.secure};
    return true;
}

static bool same(const struct origin *a, const struct origin *b)
{
    return a->secure == b->secure && a->port == b->port && cl_ascii_equal_fold(a->host, b->host);
}

static bool is_listed(const struct cleat_ws_accept *policy, struct cl_rd text,
                      const struct origin *origin)
{
    for (size_t i = 0; i < policy->num_origins; i++) {
        struct cl_rd row = cl_rd_str(policy->origins[i]);
        struct origin listed;
        if (cl_rd_equal_str(row, "*") || cl_ascii_equal_fold(row, text) ||
            (origin != NULL && parse_origin(row, &listed) && same(&listed, origin))) {
            return true;
        }
    }
    return false;
}

bool cl_ws_origin_allowed(const struct cleat_ws_accept *policy, struct cleat_http_view origin,
                          struct cleat_http_view host)
{
    struct cl_rd text = cl_http_rd(origin);
    struct origin from;
    bool parsed = text.len != 0 && parse_origin(text, &from);
    struct cl_http_authority authority;
    if (parsed && host.p != NULL &&
        cl_http_authority_parse(cl_http_rd(host), &authority) == CL_HTTP_AUTHORITY_FINE) {
        struct origin own = {authority.host, authority.port, policy->secure};
        if (!authority.has_port) {
            own.port = policy->secure ? 443 : 80;
        }
        if (same(&from, &own)) {
            return true;
        }
    }
    return is_listed(policy, text, parsed ? &from : NULL);
}
