/* tls/msg_end_of_early_data.c - EndOfEarlyData (RFC 9846 4.6): sent by clients whose early data was
 * accepted, under the early key; what follows it is under the handshake key. */
#include "tls/msg.h"

cl_result cl_end_of_early_data_build(struct cleat_tls *tls)
{
    struct cl_wr w;
    CL_TRY(cl_flight_begin(tls, CL_HT_END_OF_EARLY_DATA, 0, &w));
    return cl_flight_end(tls, &w);
}

cl_result cl_end_of_early_data_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    if (msg->body.len != 0) {
        return cl_tls_decode_error(tls, "EndOfEarlyData", "RFC 9846 4.6");
    }
    CL_TRY(cl_hs_read_key(tls, &tls->hs->client_hs, "handshake"));
    cl_hs_goto(tls, CL_HS_S13_WAIT_FINISHED);
    return CL_OK;
}
