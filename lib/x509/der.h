/* x509/der.h - DER (X.690), the strict reader over cl_rd and a writer over cl_wr.
 *
 * Reader: single-byte tags, definite lengths in their shortest form, nothing else. Each getter
 * takes one element from the front and returns false, leaving the reader as it was, when it is not
 * exactly what was asked for. There is no recursion anywhere: the grammar of the caller bounds the
 * depth.
 *
 * Writer: elements are opened and closed like vectors; a body of more than 127 bytes is moved to
 * make room for its length.
 */
#ifndef CL_X509_DER_H
#define CL_X509_DER_H

#include "base/bytes.h"

#define CL_DER_BOOLEAN          0x01
#define CL_DER_INTEGER          0x02
#define CL_DER_BIT_STRING       0x03
#define CL_DER_OCTET_STRING     0x04
#define CL_DER_NULL             0x05
#define CL_DER_OID              0x06
#define CL_DER_ENUMERATED       0x0a
#define CL_DER_UTF8_STRING      0x0c
#define CL_DER_NUMERIC_STRING   0x12
#define CL_DER_PRINTABLE_STRING 0x13
#define CL_DER_T61_STRING       0x14
#define CL_DER_IA5_STRING       0x16
#define CL_DER_UTC_TIME         0x17
#define CL_DER_GENERALIZED_TIME 0x18
#define CL_DER_VISIBLE_STRING   0x1a
#define CL_DER_UNIVERSAL_STRING 0x1c
#define CL_DER_BMP_STRING       0x1e
#define CL_DER_SEQUENCE         0x30
#define CL_DER_SET              0x31
/* context-specific, primitive and constructed */
#define CL_DER_CTX(n)           ((uint8_t)(0x80 | (n)))
#define CL_DER_CTXC(n)          ((uint8_t)(0xa0 | (n)))

/* cl_der_any takes the next element: its tag and contents, and in *whole (may be NULL) header and
 * all. */
CL_RD_MUST bool cl_der_any(struct cl_rd *r, uint8_t *tag, struct cl_rd *body, struct cl_rd *whole);

/* cl_der_get takes an element with this tag. cl_der_optional does so if the next tag is this one
 * and says in *present whether it was. */
CL_RD_MUST bool cl_der_get(struct cl_rd *r, uint8_t tag, struct cl_rd *body);
CL_RD_MUST bool cl_der_optional(struct cl_rd *r, uint8_t tag, struct cl_rd *body, bool *present);
CL_RD_MUST bool cl_der_peek(const struct cl_rd *r, uint8_t tag);

/* An INTEGER in its shortest form: its contents as they stand (two's complement), or as a number
 * that must fit 32 bits without sign. */
CL_RD_MUST bool cl_der_integer(struct cl_rd *r, struct cl_rd *body);
CL_RD_MUST bool cl_der_u32(struct cl_rd *r, uint32_t *out);

/* BOOLEAN is 00 or ff (X.690 11.1). */
CL_RD_MUST bool cl_der_bool(struct cl_rd *r, bool *out);

/* A BIT STRING; unused bits are zero (X.690 11.2.1). _octets: without unused bits. */
CL_RD_MUST bool cl_der_bits(struct cl_rd *r, struct cl_rd *bytes, uint8_t *num_unused);
CL_RD_MUST bool cl_der_bits_body(struct cl_rd body, struct cl_rd *bytes, uint8_t *num_unused);
CL_RD_MUST bool cl_der_bits_octets(struct cl_rd *r, struct cl_rd *bytes);

/* An OBJECT IDENTIFIER: at least one arc, each in its shortest form (X.690 8.19). */
CL_RD_MUST bool cl_der_oid(struct cl_rd *r, struct cl_rd *body);
CL_RD_MUST bool cl_der_oid_valid(struct cl_rd body);

/* UTCTime or GeneralizedTime in the forms of RFC 5280 4.1.2.5 (with seconds, Z, no fraction), as
 * Unix seconds. Which of the two suits which year is not checked: before CL_DER_YEAR_2050 it should
 * be a UTCTime. */
#define CL_DER_YEAR_2050 2524608000LL
CL_RD_MUST bool cl_der_time(struct cl_rd *r, int64_t *out);

/* cl_der_string_valid checks the characters of a string type; false for a type it does not know. */
CL_RD_MUST bool cl_der_string_valid(uint8_t tag, struct cl_rd body);

/* cl_oid_text writes an OID dotted and returns its length as snprintf does; cl_oid_from_text writes
 * the contents of an OID. */
size_t cl_oid_text(struct cl_rd oid, char *out, size_t cap);
CL_RD_MUST bool cl_oid_from_text(const char *text, uint8_t *out, size_t cap, size_t *len);

/* ---- writer ---- */
struct cl_der_mark {
    size_t at;
};
struct cl_der_mark cl_der_open(struct cl_wr *w, uint8_t tag);
void cl_der_close(struct cl_wr *w, struct cl_der_mark mark);
void cl_der_put(struct cl_wr *w, uint8_t tag, struct cl_rd body);
void cl_der_put_bool(struct cl_wr *w, bool value);
void cl_der_put_u32(struct cl_wr *w, uint32_t value);
/* A positive INTEGER from big-endian bytes, made minimal. */
void cl_der_put_unsigned(struct cl_wr *w, const uint8_t *p, size_t len);
void cl_der_put_bits(struct cl_wr *w, struct cl_rd bytes, uint8_t num_unused);
void cl_der_put_oid_text(struct cl_wr *w, const char *dotted);
/* UTCTime from 1950 to 2049 (RFC 5280 4.1.2.5), else GeneralizedTime; or that in any year. */
void cl_der_put_time(struct cl_wr *w, int64_t t);
void cl_der_put_generalized_time(struct cl_wr *w, int64_t t);

/* cl_time_text writes a time as "2026-11-18T09:30:00Z". out has room for CL_TIME_TEXT bytes. */
#define CL_TIME_TEXT 32
void cl_time_text(int64_t t, char *out);

#endif
