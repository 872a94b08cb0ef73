/* tls/record_cbc.c - how records of TLS 1.2 are protected by AES-CBC with HMAC (RFC 5246 6.2.3.2),
 * or encrypt-then-MAC (RFC 7366). What must take constant time is in crypto/cbc.c. The IV of each
 * record is drawn at random. */
#include "tls/record.h"

static void make_head(const struct cl_record_keys *keys, uint8_t type, uint8_t head[CL_CBC_HEAD])
{
    struct cl_wr w = cl_wr_of(head, CL_CBC_HEAD);
    cl_wr_u64(&w, keys->seq);
    cl_wr_u8(&w, type);
    cl_wr_u16(&w, CLEAT_TLS_1_2);
}

static size_t overhead_cbc(const struct cl_record_keys *keys)
{
    return cl_cbc_overhead(keys->cbc);
}

static cl_result seal_cbc(struct cl_record_keys *keys, uint8_t type, struct cl_rd fragment,
                          size_t padding, uint8_t *out)
{
    uint8_t head[CL_CBC_HEAD];
    uint8_t iv[CL_CBC_BLOCK];
    struct cl_wr w = cl_wr_of(out, CL_RECORD_HEADER_LEN);
    CL_TRY(cl_rand(keys->rng, iv, sizeof(iv)));
    cl_wr_u8(&w, type);
    cl_wr_u16(&w, CLEAT_TLS_1_2);
    cl_wr_u16(&w, (uint16_t)cl_cbc_sealed_len(keys->cbc, fragment.len));
    make_head(keys, type, head);
    return cl_cbc_seal(keys->cbc, head, iv, fragment, out + CL_RECORD_HEADER_LEN);
}

static cl_result open_cbc(struct cl_record_keys *keys, const uint8_t *header, struct cl_record *rec)
{
    uint8_t head[CL_CBC_HEAD];
    size_t len;
    make_head(keys, rec->type, head);
    CL_TRY(cl_cbc_open(keys->cbc, head, rec->p, rec->len, &len));
    /* RFC 5246 6.2.1: the length MUST NOT exceed 2^14 */
    if (len > CL_RECORD_MAX_PLAIN || (keys->limit != 0 && len > keys->limit)) {
        return CLEAT_ERR_RECORD_OVERFLOW;
    }
    rec->p += CL_CBC_BLOCK;
    rec->len = len;
    return CL_OK;
}

const struct cl_protection cl_protection_cbc = {
    .overhead = overhead_cbc,
    .open = open_cbc,
    .seal = seal_cbc,
    .max_expansion = CL_CBC_MAX_EXPANSION,
};

cl_result cl_record_keys_cbc(struct cl_record_keys *keys, const struct cl_suite *suite,
                             const struct cl_keys_12 *parts, bool seal)
{
    struct cl_cbc *cbc;
    const struct cl_cbc_params params = {
        .key_len = suite->cbc_key_len,
        .key = parts->key,
        .hash = suite->mac,
        .mac_key = parts->mac_key,
        .encrypt_then_mac = parts->encrypt_then_mac,
        .seal = seal,
    };
    CL_TRY(cl_cbc_new(&cbc, &params));
    cl_record_keys_replace(keys);
    keys->protection = &cl_protection_cbc;
    keys->cbc = cbc;
    keys->rng = parts->rng;
    return CL_OK;
}
