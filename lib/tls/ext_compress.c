/* tls/ext_compress.c - compress_certificate (RFC 8879 3): which algorithms a side can expand, in
 * ClientHello and CertificateRequest. There is no answer to it but a CompressedCertificate. */
#include "tls/ext.h"
#include "tls/set16.h"

const struct cl_compression *cl_compression_common(const struct cleat_tls_config *config,
                                                   struct cl_rd list)
{
    for (size_t i = 0; i < config->num_compressions; i++) {
        if (cl_list16_has(list, config->compressions[i]->id)) {
            return config->compressions[i];
        }
    }
    return NULL;
}

cl_result cl_ext_compress_certificate_parse(struct cleat_tls *tls, unsigned message,
                                            struct cl_rd body)
{
    struct cl_set16 seen = {.any = false};
    struct cl_rd list;
    uint16_t id;
    if (!cl_rd_vec8(&body, &list) || !cl_rd_done(&body) || list.len == 0 || list.len % 2 != 0) {
        return cl_tls_decode_error(tls, "compress_certificate", "RFC 8879 3");
    }
    struct cl_rd rest = list;
    while (cl_rd_u16(&rest, &id)) {
        if (cl_set16_add(&seen, id)) {
            return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 8879 3"),
                               "compress_certificate lists algorithm %u twice", id);
        }
    }
    if (message == CL_EXT_CH) {
        tls->hs->parsed.compressions = list;
    } else if (!tls->hs->late) { /* an answer that is given later goes out as it is */
        tls->hs->compression = cl_compression_common(tls->config, list);
    }
    return CL_OK;
}

bool cl_ext_compress_certificate_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    const struct cleat_tls_config *config = tls->config;
    struct cl_wr_mark list = cl_wr_open8(w);
    for (size_t i = 0; i < config->num_compressions; i++) {
        cl_wr_u16(w, config->compressions[i]->id);
    }
    cl_wr_close(w, list);
    /* RFC 8879 2: for TLS 1.3 alone; requests after the handshake go without */
    return config->num_compressions != 0 && config->version_max >= CLEAT_TLS_1_3 && !tls->hs->late;
}
