/* tls/compress.h - the algorithms that compress Certificate messages (RFC 8879): brotli, zstd and
 * zlib, each a whole message at once. Which of them there are is the build's choice. */
#ifndef CL_TLS_COMPRESS_H
#define CL_TLS_COMPRESS_H

#include "base/buf.h"

/* 4: all that IANA knows, and one for tests */
#define CL_COMPRESS_MAX       4
/* 64: bytes that one compressed byte may become. Chains of certificates shrink by a sixth or so,
 * those that repeat a certificate to a few per cent; who announces more wants our memory */
#define CL_COMPRESS_MAX_RATIO 64

struct cl_compression {
    uint16_t id; /* CertificateCompressionAlgorithm (RFC 8879 7.3) */
    const char *name;
    bool always; /* tests: used even where it saves nothing */
    /* Appends in, compressed, to out (at most max bytes in all). NOMEM, LIMIT, CRYPTO. */
    cl_result (*compress)(struct cl_rd in, struct cl_buf *out, size_t max);
    /* Expands in, which must come to an end with it, to exactly out_len bytes; NOMEM; DECODE for
     * whatever is wrong with it. Takes memory in proportion to out_len. */
    cl_result (*expand)(struct cl_rd in, uint8_t *out, size_t out_len);
};

/* cl_compression_at returns those of this build, the preferred one first; NULL past the end. */
const struct cl_compression *cl_compression_at(size_t i);
const struct cl_compression *cl_compression_by_name(const char *name, size_t len);

#endif
