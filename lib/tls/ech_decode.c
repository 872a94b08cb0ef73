/* tls/ech_decode.c - EncodedClientHelloInner to ClientHelloInner (RFC 9849 5.1): the session ID and
 * the extensions that it only refers to come from the outer ClientHello. In linear time: references
 * are in the outer one's order, so one walk over it finds them all (RFC 9849 B). */
#include "tls/ech.h"

#include "tls/hs.h"

static cl_result bad(struct cleat_tls *tls, const char *what)
{
    return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9849 5.1"),
                       "the encoded inner ClientHello %s", what);
}

struct fields {
    struct cl_rd fixed; /* legacy_version, random */
    struct cl_rd session_id;
    struct cl_rd suites;
    struct cl_rd compression;
    struct cl_rd extensions;
    struct cl_rd padding;
};

static bool parse(struct cl_rd encoded, struct fields *f)
{
    const bool ok = cl_rd_take(&encoded, 2 + CL_RANDOM_LEN, &f->fixed) &&
                    cl_rd_vec8(&encoded, &f->session_id) && cl_rd_vec16(&encoded, &f->suites) &&
                    cl_rd_vec8(&encoded, &f->compression) && cl_rd_vec16(&encoded, &f->extensions);
    f->padding = encoded;
    return ok;
}

/* Takes the next extension of a type from the outer ones; false: it is not among those left. */
static bool find_next(struct cl_rd *outer, uint16_t wanted, struct cl_rd *whole)
{
    uint16_t type;
    struct cl_rd body;
    const uint8_t *start = outer->p;
    while (cl_rd_u16(outer, &type) && cl_rd_vec16(outer, &body)) {
        if (type == wanted) {
            *whole = cl_rd_of(start, 4 + body.len);
            return true;
        }
        start = outer->p;
    }
    return false;
}

static cl_result expand(struct cleat_tls *tls, struct cl_rd body, struct cl_wr *w)
{
    struct cl_rd outer = tls->hs->parsed.extensions;
    struct cl_rd list;
    uint16_t type;
    if (!cl_rd_vec8(&body, &list) || !cl_rd_done(&body) || list.len < 2 || list.len % 2 != 0) {
        return cl_tls_decode_error(tls, "ech_outer_extensions", "RFC 9849 5.1");
    }
    while (cl_rd_u16(&list, &type)) {
        struct cl_rd whole;
        if (type == CL_ET_ENCRYPTED_CLIENT_HELLO) {
            return bad(tls, "refers to the outer encrypted_client_hello");
        }
        /* missing, a second time, or out of order: the walk has passed it or never meets it */
        if (!find_next(&outer, type, &whole)) {
            return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9849 5.1"),
                               "ech_outer_extensions refers to extension %u, which the outer "
                               "ClientHello does not have at this place",
                               type);
        }
        cl_wr_view(w, whole);
    }
    return CL_OK;
}

static cl_result put_extensions(struct cleat_tls *tls, struct cl_rd block, struct cl_wr *w)
{
    struct cl_wr_mark all = cl_wr_open16(w);
    bool expanded = false;
    while (!cl_rd_done(&block)) {
        const uint8_t *start = block.p;
        uint16_t type;
        struct cl_rd body;
        if (!cl_rd_u16(&block, &type) || !cl_rd_vec16(&block, &body)) {
            return cl_tls_decode_error(tls, "the inner ClientHello", "RFC 9846 4.3");
        }
        if (type != CL_ET_ECH_OUTER_EXTENSIONS) {
            cl_wr_bytes(w, start, 4 + body.len);
            continue;
        }
        if (expanded) {
            return bad(tls, "has ech_outer_extensions twice");
        }
        expanded = true;
        CL_TRY(expand(tls, body, w));
    }
    cl_wr_close(w, all);
    return CL_OK;
}

static cl_result check(struct cleat_tls *tls, const struct fields *f)
{
    if (f->session_id.len != 0) {
        return bad(tls, "has a session ID");
    }
    for (size_t i = 0; i < f->padding.len; i++) {
        /* RFC 9849 5.1: "If any padding byte is non-zero, the server MUST abort the connection with
         * an "illegal_parameter" alert" */
        if (f->padding.p[i] != 0) {
            return bad(tls, "is padded with something else than zeros");
        }
    }
    return CL_OK;
}

cl_result cl_ech_decode(struct cleat_tls *tls, struct cl_rd encoded, struct cl_buf *out)
{
    struct fields f;
    if (!parse(encoded, &f)) {
        return cl_tls_decode_error(tls, "the inner ClientHello", "RFC 9846 4.2.2");
    }
    CL_TRY(check(tls, &f));
    /* no extension is referred to twice, so it cannot grow beyond both together */
    CL_TRY(cl_buf_reserve(out, 64 + encoded.len + tls->hs->hello.len, 2 * CL_HS_MAX_HELLO));
    struct cl_wr w = cl_buf_writer(out);
    cl_wr_u8(&w, CL_HT_CLIENT_HELLO);
    struct cl_wr_mark message = cl_wr_open24(&w);
    cl_wr_view(&w, f.fixed);
    struct cl_wr_mark m = cl_wr_open8(&w);
    cl_wr_view(&w, tls->hs->parsed.session_id);
    cl_wr_close(&w, m);
    m = cl_wr_open16(&w);
    cl_wr_view(&w, f.suites);
    cl_wr_close(&w, m);
    m = cl_wr_open8(&w);
    cl_wr_view(&w, f.compression);
    cl_wr_close(&w, m);
    CL_TRY(put_extensions(tls, f.extensions, &w));
    cl_wr_close(&w, message);
    cl_buf_commit(out, &w);
    return cl_wr_ok(&w) ? CL_OK : bad(tls, "is longer than a ClientHello can be");
}
