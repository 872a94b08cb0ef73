/* tls/ext_ech.c - encrypted_client_hello (RFC 9849 5): in ClientHello, HelloRetryRequest and
 * EncryptedExtensions. What it means is decided in ech_client.c, ech_answer.c and ech_server.c. */
#include "tls/ech.h"
#include "tls/ext.h"

static cl_result malformed(struct cleat_tls *tls)
{
    return cl_tls_decode_error(tls, "encrypted_client_hello", "RFC 9849 5");
}

static cl_result parse_client(struct cleat_tls *tls, struct cl_rd body)
{
    struct cl_ech_outer outer;
    struct cl_rd rest = body;
    uint8_t type;
    if (!cl_rd_u8(&rest, &type)) {
        return malformed(tls);
    }
    /* RFC 9849 7: "If ECHClientHello.type is not a valid ECHClientHelloType, then the server MUST
     * abort with an "illegal_parameter" alert" */
    if (type != CL_ECH_OUTER_TYPE && type != CL_ECH_INNER_TYPE) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9849 7"),
                           "encrypted_client_hello of type %u", type);
    }
    if (type == CL_ECH_INNER_TYPE ? !cl_rd_done(&rest) : !cl_ech_outer_parse(body, &outer)) {
        return malformed(tls);
    }
    tls->hs->parsed.ech = body;
    return CL_OK;
}

static cl_result keep_retry(struct cleat_tls *tls, struct cl_rd list)
{
    tls->ech_retry = cl_calloc(1, sizeof(*tls->ech_retry));
    return tls->ech_retry != NULL ? cl_buf_append(tls->ech_retry, list.p, list.len, CL_ECH_MAX_LIST)
                                  : CLEAT_ERR_NOMEM;
}

static cl_result parse_retry(struct cleat_tls *tls, struct cl_rd body)
{
    struct cl_rd configs;
    /* RFC 9849 5: "If the server sent this extension in response to the inner variant, then the
     * client MUST abort with an "unsupported_extension" alert" */
    if (tls->ech_status == CLEAT_ECH_ACCEPTED) {
        return cl_tls_fail(tls, CL_WHY(UNSUPPORTED_EXTENSION, "RFC 9849 5"),
                           "the server accepted ECH, and sends new configurations all the same");
    }
    if (!cl_ech_list_open(body, &configs)) {
        return malformed(tls);
    }
    /* RFC 9849 6.2.1: after a dummy "it MUST NOT save the "retry_configs" value" */
    return cl_ech_refused(tls) ? keep_retry(tls, body) : CL_OK;
}

cl_result cl_ext_encrypted_client_hello_parse(struct cleat_tls *tls, unsigned message,
                                              struct cl_rd body)
{
    if (message == CL_EXT_CH) {
        return parse_client(tls, body);
    }
    if (message == CL_EXT_EE) {
        return parse_retry(tls, body);
    }
    /* RFC 9849 6.1.4: "if it has a length other than 8, the client aborts the handshake with a
     * "decode_error" alert" */
    tls->hs->server_hello.ech = body;
    return body.len == CL_ECH_CONFIRMATION_LEN ? CL_OK : malformed(tls);
}

static bool build_client(struct cleat_tls *tls, struct cl_wr *w)
{
    switch (cl_ech_form(tls)) {
    case CL_ECH_INNER:
        cl_wr_u8(w, CL_ECH_INNER_TYPE);
        return true;
    case CL_ECH_OUTER:
        cl_ech_put_outer(tls, w);
        return true;
    default:
        if (tls->hs->ech != NULL) {
            cl_wr_view(w, cl_buf_view(&tls->hs->ech->body));
        }
        return tls->hs->ech != NULL && tls->hs->ech->body.len != 0;
    }
}

static bool build_retry(struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_ech *ech = tls->hs->ech;
    uint8_t random[CL_ECH_CONFIRMATION_LEN] = {0};
    ech->confirm_at = w->len;
    /* RFC 9849 7.1: of a rejection "a payload of 8 random bytes": who looks on cannot tell */
    if (tls->ech_status == CLEAT_ECH_REJECTED &&
        cl_rand(&tls->config->rng, random, sizeof(random)) != CL_OK) {
        return false;
    }
    cl_wr_bytes(w, random, sizeof(random));
    return true;
}

bool cl_ext_encrypted_client_hello_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if (message == CL_EXT_CH) {
        return build_client(tls, w);
    }
    if (tls->hs->ech == NULL || tls->hs->parsed.ech.p == NULL) {
        return false;
    }
    if (message == CL_EXT_HRR) {
        return build_retry(tls, w);
    }
    /* RFC 9849 7.1: "If the server is configured with any ECHConfigs, it MUST include the
     * "encrypted_client_hello" extension in its EncryptedExtensions" */
    return tls->ech_status == CLEAT_ECH_REJECTED && tls->hs->ech->keys != NULL &&
           cl_ech_keys_retry(tls->hs->ech->keys, w);
}
