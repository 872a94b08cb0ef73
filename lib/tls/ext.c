/* tls/ext.c - the table of extensions and its two loops (ext.h). */
#include "tls/ext.h"
#include "tls/ech.h"
#include "tls/set16.h"

/* In the order in which a ClientHello of ours carries them; pre_shared_key is last, because RFC
 * 9846 4.3.11 demands it. */
static const struct cl_ext_row rows[] = {
    {CL_ET_SERVER_NAME, CL_EXT_CH | CL_EXT_EE | CL_EXT_SH12, "server_name",
     cl_ext_server_name_parse, cl_ext_server_name_build},
    {CL_ET_SUPPORTED_GROUPS, CL_EXT_CH | CL_EXT_EE | CL_EXT_SH12, "supported_groups",
     cl_ext_supported_groups_parse, cl_ext_supported_groups_build},
    {CL_ET_SIGNATURE_ALGORITHMS, CL_EXT_CH | CL_EXT_CR, "signature_algorithms",
     cl_ext_signature_algorithms_parse, cl_ext_signature_algorithms_build},
    {CL_ET_SIGNATURE_ALGORITHMS_CERT, CL_EXT_CH | CL_EXT_CR, "signature_algorithms_cert",
     cl_ext_signature_algorithms_cert_parse, NULL},
    {CL_ET_KEY_SHARE, CL_EXT_CH | CL_EXT_SH | CL_EXT_HRR, "key_share", cl_ext_key_share_parse,
     cl_ext_key_share_build},
    {CL_ET_ALPN, CL_EXT_CH | CL_EXT_EE | CL_EXT_SH12, "application_layer_protocol_negotiation",
     cl_ext_alpn_parse, cl_ext_alpn_build},
    {CL_ET_COOKIE, CL_EXT_CH | CL_EXT_HRR, "cookie", cl_ext_cookie_parse, cl_ext_cookie_build},
    {CL_ET_SUPPORTED_VERSIONS, CL_EXT_CH | CL_EXT_SH | CL_EXT_HRR, "supported_versions",
     cl_ext_supported_versions_parse, cl_ext_supported_versions_build},
    {CL_ET_PSK_KEY_EXCHANGE_MODES, CL_EXT_CH, "psk_key_exchange_modes", cl_ext_psk_modes_parse,
     cl_ext_psk_modes_build},
    {CL_ET_CERTIFICATE_AUTHORITIES, CL_EXT_CH | CL_EXT_CR, "certificate_authorities",
     cl_ext_certificate_authorities_parse, cl_ext_certificate_authorities_build},
    {CL_ET_STATUS_REQUEST, CL_EXT_CH | CL_EXT_CR | CL_EXT_CT | CL_EXT_SH12, "status_request",
     cl_ext_status_request_parse, cl_ext_status_request_build},
    {CL_ET_SCTS, CL_EXT_CH | CL_EXT_CR | CL_EXT_CT | CL_EXT_SH12, "signed_certificate_timestamp",
     cl_ext_scts_parse, cl_ext_scts_build},
    {CL_ET_COMPRESS_CERTIFICATE, CL_EXT_CH | CL_EXT_CR, "compress_certificate",
     cl_ext_compress_certificate_parse, cl_ext_compress_certificate_build},
    {CL_ET_CLIENT_CERTIFICATE_TYPE, CL_EXT_CH | CL_EXT_EE | CL_EXT_SH12, "client_certificate_type",
     cl_ext_client_certificate_type_parse, cl_ext_client_certificate_type_build},
    {CL_ET_SERVER_CERTIFICATE_TYPE, CL_EXT_CH | CL_EXT_EE | CL_EXT_SH12, "server_certificate_type",
     cl_ext_server_certificate_type_parse, cl_ext_server_certificate_type_build},
    {CL_ET_RECORD_SIZE_LIMIT, CL_EXT_CH | CL_EXT_EE | CL_EXT_SH12, "record_size_limit",
     cl_ext_record_size_limit_parse, cl_ext_record_size_limit_build},
    {CL_ET_POST_HANDSHAKE_AUTH, CL_EXT_CH, "post_handshake_auth", cl_ext_post_handshake_auth_parse,
     cl_ext_post_handshake_auth_build},
    {CL_ET_TICKET_REQUEST, CL_EXT_CH | CL_EXT_EE, "ticket_request", cl_ext_ticket_request_parse,
     cl_ext_ticket_request_build},
    {CL_ET_OID_FILTERS, CL_EXT_CR, "oid_filters", NULL, NULL},
    {CL_ET_EARLY_DATA, CL_EXT_CH | CL_EXT_EE | CL_EXT_NST, "early_data", cl_ext_early_data_parse,
     cl_ext_early_data_build},
    {CL_ET_EXTENDED_MASTER_SECRET, CL_EXT_CH | CL_EXT_SH12, "extended_master_secret",
     cl_ext_extended_master_secret_parse, cl_ext_extended_master_secret_build},
    {CL_ET_ENCRYPT_THEN_MAC, CL_EXT_CH | CL_EXT_SH12, "encrypt_then_mac",
     cl_ext_encrypt_then_mac_parse, cl_ext_encrypt_then_mac_build},
    {CL_ET_RENEGOTIATION_INFO, CL_EXT_CH | CL_EXT_SH12, "renegotiation_info",
     cl_ext_renegotiation_info_parse, cl_ext_renegotiation_info_build},
    {CL_ET_EC_POINT_FORMATS, CL_EXT_CH | CL_EXT_SH12, "ec_point_formats",
     cl_ext_ec_point_formats_parse, cl_ext_ec_point_formats_build},
    {CL_ET_SESSION_TICKET, CL_EXT_CH | CL_EXT_SH12, "session_ticket", cl_ext_session_ticket_parse,
     cl_ext_session_ticket_build},
    {CL_ET_ENCRYPTED_CLIENT_HELLO, CL_EXT_CH | CL_EXT_HRR | CL_EXT_EE, "encrypted_client_hello",
     cl_ext_encrypted_client_hello_parse, cl_ext_encrypted_client_hello_build},
    {CL_ET_PRE_SHARED_KEY, CL_EXT_CH | CL_EXT_SH, "pre_shared_key", cl_ext_pre_shared_key_parse,
     cl_ext_pre_shared_key_build},
};

#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(NUM_ROWS <= 31, "rows are bits of a uint32_t, and CL_EXT_OTHER is one");

_Static_assert(NUM_ROWS <= CL_GREASE_MAX_ROWS, "an order of the rows is kept");

size_t cl_ext_num_rows(void)
{
    return NUM_ROWS;
}

static const struct cl_ext_row *find_row(uint16_t type)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].type == type) {
            return &rows[i];
        }
    }
    return NULL;
}

uint32_t cl_ext_bit(uint16_t type)
{
    const struct cl_ext_row *row = find_row(type);
    return row != NULL ? UINT32_C(1) << (row - rows) : 0;
}

const char *cl_ext_name(uint16_t type)
{
    const struct cl_ext_row *row = find_row(type);
    return row != NULL ? row->name : NULL;
}

static const char *message_name(unsigned message)
{
    switch (message) {
    case CL_EXT_CH:
        return "ClientHello";
    case CL_EXT_SH:
    case CL_EXT_SH12:
        return "ServerHello";
    case CL_EXT_HRR:
        return "HelloRetryRequest";
    case CL_EXT_EE:
        return "EncryptedExtensions";
    case CL_EXT_CR:
        return "CertificateRequest";
    case CL_EXT_CT:
        return "Certificate";
    default:
        return "NewSessionTicket";
    }
}

/* The types of the table are seen in *received, the rest, of which honest peers send one or two, in
 * a set. */
static cl_result check_duplicate(struct cleat_tls *tls, unsigned message, uint16_t type,
                                 uint32_t *received, struct cl_set16 *others)
{
    uint32_t bit = cl_ext_bit(type);
    bool again = bit != 0 ? (*received & bit) != 0 : cl_set16_add(others, type);
    *received |= bit;
    /* RFC 9846 4.3: "There MUST NOT be more than one extension of the same type in a given
     * extension block" */
    if (again) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3"),
                           "%s has extension %u twice", message_name(message), type);
    }
    return CL_OK;
}

/* RFC 9846 4.3: answers only to what was asked, but for the cookie of a HelloRetryRequest; a known
 * extension in a message that it is not for is an illegal_parameter. */
static cl_result check_place(struct cleat_tls *tls, unsigned message, uint16_t type,
                             const struct cl_ext_row *row)
{
    bool answer = (message & (CL_EXT_SH | CL_EXT_SH12 | CL_EXT_HRR | CL_EXT_EE | CL_EXT_CT)) != 0;
    bool cookie = message == CL_EXT_HRR && type == CL_ET_COOKIE;
    /* only answers ask what was offered: a NewSessionTicket comes when tls->hs is gone */
    uint32_t bit = row != NULL ? cl_ext_bit(type) : CL_EXT_OTHER;
    if (answer && !cookie && (tls->hs->ext_offered & bit) == 0) {
        return cl_tls_fail(tls, CL_WHY(UNSUPPORTED_EXTENSION, "RFC 9846 4.3"),
                           "%s answers extension %u (%s), which was not offered",
                           message_name(message), type, row != NULL ? row->name : "unknown");
    }
    if (row != NULL && (row->messages & message) == 0) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3"),
                           "extension %s does not belong into %s", row->name,
                           message_name(message));
    }
    return CL_OK;
}

bool cl_ext_contains(struct cl_rd block, uint16_t type)
{
    uint16_t t;
    struct cl_rd body;
    while (cl_rd_u16(&block, &t) && cl_rd_vec16(&block, &body)) {
        if (t == type) {
            return true;
        }
    }
    return false;
}

cl_result cl_ext_parse(struct cleat_tls *tls, unsigned message, struct cl_rd block,
                       uint32_t *received)
{
    struct cl_set16 others;
    others.any = false;
    *received = 0;
    while (!cl_rd_done(&block)) {
        uint16_t type;
        struct cl_rd body;
        if (!cl_rd_u16(&block, &type) || !cl_rd_vec16(&block, &body)) {
            return cl_tls_decode_error(tls, message_name(message), "RFC 9846 4.3");
        }
        const struct cl_ext_row *row = find_row(type);
        CL_TRY(check_duplicate(tls, message, type, received, &others));
        CL_TRY(check_place(tls, message, type, row));
        if (row == NULL) {
            continue;
        }
        if (row->parse != NULL) {
            CL_TRY(row->parse(tls, message, body));
        }
        /* RFC 9846 4.3.11: "The pre_shared_key extension MUST be the last extension in the
         * ClientHello" */
        if (message == CL_EXT_CH && type == CL_ET_PRE_SHARED_KEY && !cl_rd_done(&block)) {
            return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.11"),
                               "pre_shared_key is not the last extension");
        }
    }
    return CL_OK;
}

static void build_row(struct cleat_tls *tls, unsigned message, size_t i, struct cl_wr *w)
{
    size_t before = w->len;
    if ((rows[i].messages & message) == 0 || rows[i].build == NULL) {
        return;
    }
    cl_wr_u16(w, rows[i].type);
    struct cl_wr_mark body = cl_wr_open16(w);
    if (!rows[i].build(tls, message, w)) {
        if (cl_wr_ok(w)) {
            w->len = before;
        }
        return;
    }
    cl_wr_close(w, body);
    if ((message & (CL_EXT_CH | CL_EXT_CR)) != 0) {
        tls->hs->ext_offered |= UINT32_C(1) << i;
    }
}

/* All but the last, in the order that was drawn; of an inner ClientHello, those that the outer one
 * has too stand together (RFC 9849 5.1). */
static void build_drawn(struct cleat_tls *tls, struct cl_wr *w)
{
    const bool inner = cl_ech_form(tls) == CL_ECH_INNER;
    for (int pass = 0; pass < (inner ? 2 : 1); pass++) {
        for (size_t k = 0; k < NUM_ROWS - 1; k++) {
            size_t i = tls->hs->grease.order[k];
            if (!inner || cl_ech_shared(tls, rows[i].type) == (pass == 1)) {
                build_row(tls, CL_EXT_CH, i, w);
            }
        }
    }
}

void cl_ext_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    struct cl_wr_mark block = cl_wr_open16(w);
    if (message == CL_EXT_CH) {
        cl_grease_extension(tls, CL_GREASE_FIRST_EXTENSION, 0, w);
        build_drawn(tls, w);
        /* in front of pre_shared_key; with a body, because old servers choke on a last extension
         * without one */
        cl_grease_extension(tls, CL_GREASE_LAST_EXTENSION, 1, w);
        build_row(tls, message, NUM_ROWS - 1, w);
    } else {
        for (size_t i = 0; i < NUM_ROWS; i++) {
            build_row(tls, message, i, w);
        }
    }
    cl_wr_close(w, block);
}
