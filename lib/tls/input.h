/* tls/input.h - from received bytes to handshake messages and application data. */
#ifndef CL_TLS_INPUT_H
#define CL_TLS_INPUT_H

#include "tls/conn.h"

enum cl_input {
    CL_INPUT_SHORT,     /* no whole record */
    CL_INPUT_HANDSHAKE, /* tls->cur has bytes, or a record without effect was taken */
    CL_INPUT_DATA,      /* io->data */
    CL_INPUT_CLOSED,    /* close_notify, now or before */
    CL_INPUT_CCS,       /* TLS 1.2: change_cipher_spec */
};

/* cl_input_record takes one record from io->in. Failures end the connection. */
CL_MUST cl_result cl_input_record(struct cleat_tls *tls, struct cleat_tls_io *io,
                                  enum cl_input *out);

/* cl_input_message gives the next whole handshake message, reassembled across records if need be;
 * *got false when a further record is needed. The views in *msg are valid until the next call. */
CL_MUST cl_result cl_input_message(struct cleat_tls *tls, struct cl_msg *msg, bool *got);

/* cl_input_keep saves what is left of the current record, because the caller's input may move. */
CL_MUST cl_result cl_input_keep(struct cleat_tls *tls);

#endif
