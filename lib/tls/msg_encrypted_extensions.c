/* tls/msg_encrypted_extensions.c - EncryptedExtensions (RFC 9846 4.4.1), both roles. */
#include "tls/early.h"
#include "tls/ech.h"
#include "tls/ext.h"
#include "tls/msg.h"

cl_result cl_encrypted_extensions_build(struct cleat_tls *tls)
{
    struct cl_wr w;
    const struct cl_ech *ech = tls->hs->ech;
    size_t retry = ech != NULL && ech->keys != NULL ? cl_ech_keys_retry_len(ech->keys) : 0;
    CL_TRY(cl_flight_begin(tls, CL_HT_ENCRYPTED_EXTENSIONS, 512 + retry, &w));
    cl_ext_build(tls, CL_EXT_EE, &w);
    return cl_flight_end(tls, &w);
}

cl_result cl_encrypted_extensions_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_rd body = msg->body;
    struct cl_rd block;
    uint32_t received;
    if (!cl_rd_vec16(&body, &block) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "EncryptedExtensions", "RFC 9846 4.4.1");
    }
    CL_TRY(cl_ext_parse(tls, CL_EXT_EE, block, &received));
    CL_TRY(cl_early_answer(tls, (received & cl_ext_bit(CL_ET_EARLY_DATA)) != 0));
    cl_hs_goto(tls, !tls->hs->psk_selected        ? CL_HS_C13_WAIT_CERT_OR_REQUEST
                    : cl_peer_resumed_decide(tls) ? CL_HS_C13_ASK_RESUMED
                                                  : CL_HS_C13_WAIT_FINISHED);
    return CL_OK;
}
