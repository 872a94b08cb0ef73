/* tls/ext_record_size.c - record_size_limit (RFC 8449): how long a protected record each side
 * takes.
 *
 * The limits stand in the record keys (record.h) and come into force with them: records in clear
 * are not subject to them.
 */
#include "tls/ext.h"

/* What we take at most: configured, or all that the version allows. */
static uint16_t our_limit(const struct cleat_tls *tls, bool is_13)
{
    uint16_t max = is_13 ? CL_RECORD_MAX_PLAIN + 1 : CL_RECORD_MAX_PLAIN;
    uint16_t set = tls->config->record_size_limit;
    return set != 0 && set < max ? set : max;
}

static void agree(struct cleat_tls *tls, uint16_t peers, bool is_13)
{
    uint16_t max = is_13 ? CL_RECORD_MAX_PLAIN + 1 : CL_RECORD_MAX_PLAIN;
    tls->rd.limit = our_limit(tls, is_13);
    /* RFC 8449 4: "A server MUST NOT enforce this restriction; a client might advertise a higher
     * limit that is enabled by an extension or version the server does not understand" */
    tls->wr.limit = peers < max ? peers : max;
}

cl_result cl_ext_record_size_limit_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    uint16_t limit;
    bool is_13 = message == CL_EXT_EE;
    if (!cl_rd_u16(&body, &limit) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "record_size_limit", "RFC 8449 4");
    }
    /* RFC 8449 4: "An endpoint MUST treat receipt of a smaller value as a fatal error and generate
     * an "illegal_parameter" alert" */
    if (limit < CL_RECORD_SIZE_LIMIT_MIN) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 8449 4"),
                           "record_size_limit is %u; %d is the least", limit,
                           CL_RECORD_SIZE_LIMIT_MIN);
    }
    if (message == CL_EXT_CH) {
        tls->hs->parsed.record_size_limit = limit;
        return CL_OK;
    }
    /* RFC 8449 4: "A client MAY abort the handshake with an "illegal_parameter" alert if the
     * record_size_limit extension includes a value greater than the maximum record size permitted
     * by the negotiated protocol version" */
    if (limit > (is_13 ? CL_RECORD_MAX_PLAIN + 1 : CL_RECORD_MAX_PLAIN)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 8449 4"),
                           "the server's record_size_limit is %u, more than a record can have",
                           limit);
    }
    agree(tls, limit, is_13);
    return CL_OK;
}

bool cl_ext_record_size_limit_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if (message == CL_EXT_CH) {
        cl_wr_u16(w, our_limit(tls, tls->config->version_max >= CLEAT_TLS_1_3));
        return tls->config->record_size_limit != 0;
    }
    uint16_t peers = tls->hs->parsed.record_size_limit;
    bool is_13 = message == CL_EXT_EE;
    if (peers == 0) {
        return false;
    }
    cl_wr_u16(w, our_limit(tls, is_13));
    agree(tls, peers, is_13);
    return true;
}
