/* tls/msg_compressed_certificate.c - CompressedCertificate (RFC 8879 4): a Certificate message in
 * fewer bytes, both roles, both directions.
 *
 * A server compresses each of its certificates when its configuration is built, with each algorithm
 * and each choice of proofs that may travel in it, and never again. A client does it when it is
 * asked. What is received is expanded into memory of the announced length, which is limited before
 * anything is allocated; then it is a Certificate message like any other. The transcript has the
 * compressed message (RFC 8879 4).
 */
#include <stdio.h>

#include "tls/ext.h"
#include "tls/msg.h"

/* type, algorithm, uncompressed_length, length */
#define HEADER_LEN (4 + 2 + 3 + 3)

/* ---- ours ---- */

static void put_header(struct cl_buf *out, const struct cl_compression *alg, size_t plain_len)
{
    struct cl_wr w = cl_wr_of(out->p, HEADER_LEN);
    cl_wr_u8(&w, CL_HT_COMPRESSED_CERTIFICATE);
    cl_wr_u24(&w, (uint32_t)(out->len - 4));
    cl_wr_u16(&w, alg->id);
    cl_wr_u24(&w, (uint32_t)plain_len);
    cl_wr_u24(&w, (uint32_t)(out->len - HEADER_LEN));
}

/* The whole message, or nothing where it would save nothing. */
static cl_result compress(const struct cl_credential *c, unsigned proofs,
                          const struct cl_compression *alg, struct cl_buf *out)
{
    static const uint8_t header[HEADER_LEN];
    struct cl_rd plain = cl_buf_view(&c->message_13[proofs]);
    if (!cl_rd_skip(&plain, 4)) { /* the body without its header is what is compressed */
        return CLEAT_ERR_INTERNAL;
    }
    cl_result r = cl_buf_append(out, header, sizeof(header), CL_HS_MAX_MESSAGE);
    if (r == CL_OK) {
        /* twice: the libraries' own bounds for what does not shrink */
        r = alg->compress(plain, out, 2 * CL_HS_MAX_MESSAGE);
    }
    if (r != CL_OK || (!alg->always && out->len >= 4 + plain.len)) {
        cl_buf_deinit(out);
    } else {
        put_header(out, alg, plain.len);
    }
    return r;
}

cl_result cl_credential_compress(struct cl_credential *c, const struct cleat_tls_config *config)
{
    for (size_t i = 0; i < config->num_compressions; i++) {
        for (unsigned proofs = 0; proofs < CL_PROOF_KINDS; proofs++) {
            if (cl_credential_proofs(c, proofs) == proofs) {
                CL_TRY(compress(c, proofs, config->compressions[i], &c->compressed[i][proofs]));
            }
        }
    }
    return CL_OK;
}

static const struct cl_buf *compressed_before(const struct cleat_tls *tls,
                                              const struct cl_compression *alg, unsigned proofs)
{
    size_t i = 0;
    while (tls->config->compressions[i] != alg) {
        i++;
    }
    return &tls->hs->credential->compressed[i][proofs];
}

static cl_result append(struct cleat_tls *tls, const struct cl_compression *alg,
                        const struct cl_buf *message, bool *built)
{
    char why[80];
    struct cl_rd r = cl_buf_view(message);
    uint32_t plain_len;
    if (!cl_rd_skip(&r, 4 + 2) || !cl_rd_u24(&r, &plain_len)) {
        return CL_OK; /* it is empty: nothing would be saved */
    }
    (void)snprintf(why, sizeof(why), "%zu bytes in place of %u", message->len - HEADER_LEN,
                   plain_len);
    cl_event_choice(tls, "certificate compression", alg->name, why);
    *built = true;
    tls->cert_compression = cl_is_server(tls) ? alg : tls->cert_compression;
    return cl_flight_append(tls, cl_buf_view(message));
}

cl_result cl_compressed_certificate_build(struct cleat_tls *tls, unsigned proofs, bool *built)
{
    struct cl_hs *hs = tls->hs;
    *built = false;
    if (hs->late || hs->credential == NULL) {
        return CL_OK;
    }
    if (cl_is_server(tls)) {
        hs->compression = cl_compression_common(tls->config, hs->parsed.compressions);
    }
    if (hs->compression == NULL) {
        return CL_OK;
    }
    if (cl_is_server(tls)) {
        return append(tls, hs->compression, compressed_before(tls, hs->compression, proofs), built);
    }
    struct cl_buf message = {0};
    cl_result r = compress(hs->credential, proofs, hs->compression, &message);
    if (r == CL_OK) {
        r = append(tls, hs->compression, &message, built);
    }
    cl_buf_deinit(&message);
    return r;
}

/* ---- the peer's ---- */

struct compressed {
    const struct cl_compression *alg;
    uint32_t plain_len;
    struct cl_rd bytes;
};

static cl_result parse(struct cleat_tls *tls, const struct cl_msg *msg, struct compressed *c)
{
    struct cl_rd body = msg->body;
    const struct cleat_tls_config *config = tls->config;
    uint16_t id;
    /* RFC 8879 4: only for a side that has sent the extension */
    if ((tls->hs->ext_offered & cl_ext_bit(CL_ET_COMPRESS_CERTIFICATE)) == 0) {
        return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 8879 4"),
                           "the peer compresses its certificate, which was not offered");
    }
    if (!cl_rd_u16(&body, &id) || !cl_rd_u24(&body, &c->plain_len) ||
        !cl_rd_vec24(&body, &c->bytes) || !cl_rd_done(&body) || c->bytes.len == 0) {
        return cl_tls_decode_error(tls, "CompressedCertificate", "RFC 8879 4");
    }
    c->alg = NULL;
    for (size_t i = 0; i < config->num_compressions; i++) {
        c->alg = config->compressions[i]->id == id ? config->compressions[i] : c->alg;
    }
    /* RFC 8879 4: "The algorithm MUST be one of the algorithms listed in the peer's
     * compress_certificate extension" */
    if (c->alg == NULL) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 8879 4"),
                           "the peer compresses with algorithm %u, which was not offered", id);
    }
    return CL_OK;
}

/* RFC 8879 4: a limit on the message is one on "the uncompressed length" too, "before allocating
 * memory"; 5: a small message must not become a large one at our cost. */
static cl_result check_size(struct cleat_tls *tls, const struct compressed *c)
{
    size_t by_ratio = c->bytes.len * CL_COMPRESS_MAX_RATIO;
    if (c->plain_len > CL_HS_MAX_MESSAGE || c->plain_len > by_ratio) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(BAD_CERTIFICATE, "RFC 8879 4",
                                       "an honest chain has some KB and shrinks by a sixth or so"),
                           "the peer's %zu bytes of %s announce %u of certificates; taken are at "
                           "most %d, and %d for each byte",
                           c->bytes.len, c->alg->name, c->plain_len, CL_HS_MAX_MESSAGE,
                           CL_COMPRESS_MAX_RATIO);
    }
    return CL_OK;
}

static cl_result expand(struct cleat_tls *tls, const struct compressed *c, struct cl_buf *out)
{
    CL_TRY(check_size(tls, c));
    CL_TRY(cl_buf_reserve(out, c->plain_len, CL_HS_MAX_MESSAGE));
    cl_result r = c->alg->expand(c->bytes, out->p, c->plain_len);
    if (r == CLEAT_ERR_NOMEM) {
        return r;
    }
    /* RFC 8879 4: "If the received CompressedCertificate message cannot be decompressed, the
     * connection MUST be terminated with the "bad_certificate" alert"; likewise for another length
     */
    if (r != CL_OK) {
        return cl_tls_fail(tls, CL_WHY(BAD_CERTIFICATE, "RFC 8879 4"),
                           "the peer's %zu bytes of %s do not expand to the %u announced",
                           c->bytes.len, c->alg->name, c->plain_len);
    }
    out->len = c->plain_len;
    return CL_OK;
}

static cl_result receive(struct cleat_tls *tls, const struct cl_msg *msg,
                         cl_result (*handler)(struct cleat_tls *tls, const struct cl_msg *msg))
{
    struct compressed c;
    struct cl_buf plain = {0};
    char why[80];
    CL_TRY(parse(tls, msg, &c));
    cl_result r = expand(tls, &c, &plain);
    if (r == CL_OK) {
        (void)snprintf(why, sizeof(why), "%zu bytes in place of %u", c.bytes.len, c.plain_len);
        cl_event_choice(tls, "peer's certificate compression", c.alg->name, why);
        tls->cert_compression = cl_is_server(tls) ? tls->cert_compression : c.alg;
        struct cl_msg certificate = {CL_HT_CERTIFICATE, cl_buf_view(&plain), msg->whole};
        r = handler(tls, &certificate);
    }
    cl_buf_deinit(&plain);
    return r;
}

/* Successors: as of the Certificate message. */
cl_result cl_server_compressed_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    return receive(tls, msg, cl_server_certificate_received);
}

cl_result cl_client_compressed_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    return receive(tls, msg, cl_client_certificate_received);
}
