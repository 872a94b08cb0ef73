/* tls/ext_names.c - server_name (RFC 6066 3) and ALPN (RFC 7301). */
#include "base/text.h"
#include "tls/ech.h"
#include "tls/ext.h"
#include "x509/name.h"

#define HOST_NAME 0

/* server_name -------------------------------------------------------------------------------- */

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '*';
}

/* The name is kept in lower case, without a trailing dot, so that configurations and tickets
 * compare it exactly. */
static cl_result keep_name(struct cleat_tls *tls, struct cl_rd name)
{
    struct cl_client_hello *ch = &tls->hs->parsed;
    if (name.len > 1 && name.p[name.len - 1] == '.') {
        name.len--;
    }
    if (name.len == 0 || name.len > CL_SNI_MAX) {
        return cl_tls_fail(tls, CL_WHY_ALERT(DECODE, 50, "RFC 6066 3"), "server_name of %zu bytes",
                           name.len);
    }
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = cl_ascii_lower(name.p[i]);
        if (!is_name_byte(c)) {
            return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 6066 3"),
                               "server_name contains the byte 0x%02x", c);
        }
        ch->server_name[i] = (char)c;
    }
    ch->server_name[name.len] = '\0';
    return CL_OK;
}

cl_result cl_ext_server_name_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    if (message != CL_EXT_CH) {
        return cl_rd_done(&body) ? CL_OK : cl_tls_decode_error(tls, "server_name", "RFC 6066 3");
    }
    struct cl_rd list;
    if (!cl_rd_vec16(&body, &list) || !cl_rd_done(&body) || cl_rd_done(&list)) {
        return cl_tls_decode_error(tls, "server_name", "RFC 6066 3");
    }
    struct cl_rd host = {0};
    while (!cl_rd_done(&list)) {
        uint8_t type;
        struct cl_rd name;
        /* RFC 6066 3: "all future data structures associated with new NameTypes MUST begin with a
         * 16-bit length field": other types can be passed over */
        if (!cl_rd_u8(&list, &type) || !cl_rd_vec16(&list, &name)) {
            return cl_tls_decode_error(tls, "server_name", "RFC 6066 3");
        }
        if (type != HOST_NAME) {
            continue;
        }
        /* RFC 6066 3: "MUST NOT contain more than one name of the same name_type" */
        if (host.p != NULL) {
            return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 6066 3"),
                               "server_name has two host names");
        }
        host = name;
    }
    return host.p != NULL ? keep_name(tls, host) : CL_OK;
}

bool cl_ext_server_name_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if (message != CL_EXT_CH) {
        /* RFC 6066 3: an empty extension says that the name was used; not on resumption */
        return tls->server_name != NULL && !tls->resumed;
    }
    uint8_t ip[16];
    size_t ip_len;
    const char *name =
        cl_ech_form(tls) == CL_ECH_OUTER ? tls->hs->ech->public_name : tls->server_name;
    /* RFC 6066 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"" */
    if (name == NULL || cl_ip_parse(name, strlen(name), ip, &ip_len)) {
        return false;
    }
    struct cl_wr_mark list = cl_wr_open16(w);
    cl_wr_u8(w, HOST_NAME);
    struct cl_wr_mark host = cl_wr_open16(w);
    cl_wr_bytes(w, name, strlen(name));
    cl_wr_close(w, host);
    cl_wr_close(w, list);
    return true;
}

/* ALPN ----------------------------------------------------------------------------------------- */

static bool valid_list(struct cl_rd list)
{
    bool any = false;
    while (!cl_rd_done(&list)) {
        struct cl_rd name;
        if (!cl_rd_vec8(&list, &name) || cl_rd_done(&name)) {
            return false;
        }
        any = true;
    }
    return any;
}

static bool find_protocol(struct cl_rd list, struct cl_rd wanted, struct cl_rd *found)
{
    struct cl_rd name;
    while (cl_rd_vec8(&list, &name)) {
        if (cl_rd_equal(name, wanted)) {
            *found = name;
            return true;
        }
    }
    return false;
}

cl_result cl_ext_alpn_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    struct cl_rd list;
    struct cl_rd name;
    if (!cl_rd_vec16(&body, &list) || !cl_rd_done(&body) || !valid_list(list)) {
        return cl_tls_decode_error(tls, "the ALPN extension", "RFC 7301 3.1");
    }
    if (message == CL_EXT_CH) {
        tls->hs->parsed.alpn = list;
        return CL_OK;
    }
    /* RFC 7301 3.1: the answer "MUST contain exactly one "ProtocolName"", one of those offered */
    if (!cl_rd_vec8(&list, &name) || !cl_rd_done(&list)) {
        return cl_tls_decode_error(tls, "the ALPN extension", "RFC 7301 3.1");
    }
    if (!find_protocol(cl_buf_view(&tls->config->alpn), name, &tls->alpn)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 7301 3.1"),
                           "the server chose the protocol \"%.*s\", which was not offered",
                           (int)name.len, (const char *)name.p);
    }
    return CL_OK;
}

bool cl_ext_alpn_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if (message == CL_EXT_CH) {
        if (tls->config->alpn.len == 0) {
            return false;
        }
        struct cl_wr_mark list = cl_wr_open16(w);
        cl_wr_view(w, cl_buf_view(&tls->config->alpn));
        cl_wr_close(w, list);
        return true;
    }
    if (tls->alpn.len == 0) {
        return false;
    }
    struct cl_wr_mark list = cl_wr_open16(w);
    struct cl_wr_mark name = cl_wr_open8(w);
    cl_wr_view(w, tls->alpn);
    cl_wr_close(w, name);
    cl_wr_close(w, list);
    return true;
}
