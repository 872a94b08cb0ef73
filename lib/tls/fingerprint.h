/* tls/fingerprint.h - a ClientHello as fingerprints see it, shared by JA3 and JA4. */
#ifndef CL_TLS_FINGERPRINT_H
#define CL_TLS_FINGERPRINT_H

#include "base/buf.h"
#include "cleat/fingerprint.h"
#include "tls/grease.h"

/* 1,048,576: three times what the longest ClientHello comes to in any form */
#define CL_FINGERPRINT_MAX 1048576

/* Views into the message; lists with GREASE and all, p == NULL where the extension is absent. */
struct cl_hello_print {
    uint16_t version; /* legacy_version */
    struct cl_rd suites;
    struct cl_rd extensions; /* the block */
    struct cl_rd versions;
    struct cl_rd groups;
    struct cl_rd formats; /* ECPointFormat[], a byte each */
    struct cl_rd schemes;
    struct cl_rd alpn; /* the first protocol; empty: there is none */
    bool has_server_name;
};

/* cl_hello_print_parse reads a handshake message. DECODE. */
CL_MUST cl_result cl_hello_print_parse(struct cl_rd message, struct cl_hello_print *out,
                                       struct cleat_error *err);

/* cl_hello_print_type gives the next extension's type that is no GREASE; false at the end. */
CL_RD_MUST bool cl_hello_print_type(struct cl_rd *block, uint16_t *type);

/* cl_list16_next gives the next value of a list that is no GREASE; false at the end. */
CL_RD_MUST bool cl_list16_next(struct cl_rd *list, uint16_t *value);

/* Append a form to out. NOMEM. JA4: form is one of CLEAT_JA4 to CLEAT_JA4_RO. */
CL_MUST cl_result cl_ja3_full(const struct cl_hello_print *p, struct cl_buf *out);
CL_MUST cl_result cl_ja4(const struct cl_hello_print *p, enum cleat_fingerprint form, char carrier,
                         struct cl_buf *out);

#endif
