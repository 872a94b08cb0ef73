/* tls/record.c - see record.h. Invariant: seq is the number of the next record under these keys and
 * never wraps; a nonce is iv XOR seq and so never repeats (RFC 9846 5.3). */
#include "tls/record.h"

#include "crypto/hash.h"

/* 2^64-1 records cannot happen: sealing re-keys far below, opening would take a thousand years; the
 * check costs nothing and makes nonce reuse impossible */
#define SEQ_MAX UINT64_MAX

static void put_header(uint8_t *out, uint8_t type, size_t len, bool initial)
{
    /* RFC 9846 5.1: legacy_record_version is 0x0303 for all but an initial ClientHello, "where it
     * MAY also be 0x0301 for compatibility purposes" */
    out[0] = type;
    out[1] = 3;
    out[2] = initial ? 1 : 3;
    out[3] = (uint8_t)(len >> 8);
    out[4] = (uint8_t)len;
}

static size_t overhead_13(const struct cl_record_keys *keys)
{
    return 1U + keys->tag_len;
}

static cl_result seal_13(struct cl_record_keys *keys, uint8_t type, struct cl_rd fragment,
                         size_t padding, uint8_t *out)
{
    static const uint8_t zeros[CL_RECORD_MAX_PLAIN];
    put_header(out, CL_CT_APPLICATION_DATA, fragment.len + padding + overhead_13(keys), false);
    uint8_t nonce[CL_AEAD_NONCE_LEN];
    cl_record_nonce(keys, nonce);
    const struct cl_rd parts[] = {fragment, cl_rd_of(&type, 1), cl_rd_of(zeros, padding)};
    return cl_aead_seal(&keys->aead, nonce, cl_rd_of(out, CL_RECORD_HEADER_LEN), parts,
                        padding != 0 ? 3 : 2, out + CL_RECORD_HEADER_LEN);
}

static cl_result open_13(struct cl_record_keys *keys, const uint8_t *header, struct cl_record *rec)
{
    if (rec->type != CL_CT_APPLICATION_DATA) {
        return CLEAT_ERR_UNEXPECTED_MESSAGE;
    }
    uint8_t nonce[CL_AEAD_NONCE_LEN];
    cl_record_nonce(keys, nonce);
    size_t len;
    CL_TRY(cl_aead_open(&keys->aead, nonce, cl_rd_of(header, CL_RECORD_HEADER_LEN), rec->p,
                        rec->len, &len));
    /* RFC 9846 5.2: "the full encoded TLSInnerPlaintext MUST NOT exceed 2^14 + 1 octets" */
    if (len > CL_RECORD_MAX_PLAIN + 1 || (keys->limit != 0 && len > keys->limit)) {
        return CLEAT_ERR_RECORD_OVERFLOW;
    }
    /* RFC 9846 5.4: the content type is the last non-zero octet; without one the record is refused
     */
    while (len > 0 && rec->p[len - 1] == 0) {
        len--;
    }
    if (len == 0) {
        return CLEAT_ERR_UNEXPECTED_MESSAGE;
    }
    rec->type = rec->p[len - 1];
    rec->len = len - 1;
    return CL_OK;
}

const struct cl_protection cl_protection_13 = {
    .overhead = overhead_13,
    .open = open_13,
    .seal = seal_13,
    .inner_len = 1,
    .max_expansion = CL_RECORD_MAX_EXPANSION,
};

cl_result cl_record_keys_13(struct cl_record_keys *keys, const struct cl_suite *suite,
                            const struct cl_secret *traffic_secret, bool seal)
{
    const struct cl_aead_info *info = cl_aead_info(suite->aead);
    uint8_t key[CL_AEAD_MAX_KEY_LEN];
    uint8_t iv[CL_AEAD_NONCE_LEN];
    struct cl_aead_key aead;
    struct cl_hmac_key secret;
    cl_hmac_key_init(&secret, suite->hash, cl_rd_of(traffic_secret->bytes, traffic_secret->len));
    cl_hkdf_expand_label_key(&secret, "key", cl_rd_of(NULL, 0), key, info->key_len);
    cl_hkdf_expand_label_key(&secret, "iv", cl_rd_of(NULL, 0), iv, sizeof(iv));
    cl_wipe(&secret, sizeof(secret));
    cl_result r = cl_aead_key_init(&aead, suite->aead, key, seal);
    cl_wipe(key, sizeof(key));
    if (r != CL_OK) {
        return r;
    }
    cl_record_keys_replace(keys);
    keys->protection = &cl_protection_13;
    keys->aead = aead;
    keys->tag_len = info->tag_len;
    memcpy(keys->iv, iv, sizeof(keys->iv));
    cl_wipe(&aead, sizeof(aead));
    cl_wipe(iv, sizeof(iv));
    return CL_OK;
}

void cl_record_keys_replace(struct cl_record_keys *keys)
{
    struct cl_record_keys old = {
        .limit = keys->limit,
        .pad_to = keys->pad_to,
        .max_fragment = keys->max_fragment,
    };
    cl_record_keys_deinit(keys);
    *keys = old;
}

void cl_record_keys_deinit(struct cl_record_keys *keys)
{
    cl_aead_key_wipe(&keys->aead);
    cl_cbc_free(keys->cbc);
    cl_wipe(keys, sizeof(*keys));
}

cl_result cl_record_size(const struct cl_record_keys *keys, struct cl_rd in, size_t *out)
{
    uint8_t type;
    uint16_t version;
    uint16_t len;
    *out = 0;
    if (!cl_rd_u8(&in, &type) || !cl_rd_u16(&in, &version) || !cl_rd_u16(&in, &len)) {
        return CL_OK;
    }
    /* application data is never in clear: where it seems to be, it is early data to be skipped */
    bool sealed = keys->protection != NULL || type == CL_CT_APPLICATION_DATA;
    size_t expansion = keys->protection != NULL ? keys->protection->max_expansion
                       : sealed                 ? CL_RECORD_MAX_EXPANSION
                                                : 0;
    if (len > CL_RECORD_MAX_PLAIN + expansion) {
        return CLEAT_ERR_RECORD_OVERFLOW;
    }
    *out = CL_RECORD_HEADER_LEN + (size_t)len;
    return CL_OK;
}

cl_result cl_record_open(struct cl_record_keys *keys, uint8_t *in, size_t size,
                         struct cl_record *out)
{
    *out = (struct cl_record){
        .type = in[0],
        .p = in + CL_RECORD_HEADER_LEN,
        .len = size - CL_RECORD_HEADER_LEN,
    };
    if (keys->protection == NULL) {
        return CL_OK;
    }
    if (keys->seq == SEQ_MAX) {
        return CLEAT_ERR_LIMIT;
    }
    CL_TRY(keys->protection->open(keys, in, out));
    keys->seq++;
    return CL_OK;
}

size_t cl_record_limit_of(const struct cl_record_keys *keys)
{
    size_t limit = CL_RECORD_MAX_PLAIN;
    if (keys->protection != NULL && keys->limit != 0) {
        /* RFC 8449 4: the limit covers content type and padding too */
        limit = keys->limit - (size_t)keys->protection->inner_len;
    }
    return keys->max_fragment != 0 && keys->max_fragment < limit ? keys->max_fragment : limit;
}

static bool can_pad(const struct cl_record_keys *keys)
{
    return keys->protection != NULL && keys->protection->inner_len != 0;
}

/* RFC 9846 5.4: up to the next multiple, but never above what a record may hold, nor what there is
 * room for: of handshake messages a record ends where the room does, whatever is in it. */
static size_t padding_of(const struct cl_record_keys *keys, uint8_t type, size_t fragment_len,
                         size_t out_room)
{
    const size_t multiple = type == CL_CT_HANDSHAKE          ? keys->pad_handshake_to
                            : type == CL_CT_APPLICATION_DATA ? keys->pad_to
                                                             : 0;
    if (multiple <= 1 || !can_pad(keys)) {
        return 0;
    }
    const size_t limit = cl_record_limit_of(keys);
    const size_t room = out_room - CL_RECORD_HEADER_LEN - keys->protection->overhead(keys);
    const size_t most = (room < limit ? room : limit) - fragment_len;
    const size_t over = (fragment_len + 1) % multiple;
    const size_t wanted = over != 0 ? multiple - over : 0;
    return wanted < most ? wanted : most;
}

size_t cl_record_room(const struct cl_record_keys *keys, uint8_t type, size_t out_room)
{
    size_t max = cl_record_limit_of(keys);
    size_t extra = CL_RECORD_HEADER_LEN;
    if (keys->protection != NULL) {
        extra += keys->protection->overhead(keys);
    }
    if (out_room <= extra) {
        return 0;
    }
    size_t room = out_room - extra;
    if (room < max && type == CL_CT_APPLICATION_DATA && keys->pad_to > 1 && can_pad(keys)) {
        /* whole multiples only: a padding cut short would tell the length */
        size_t inner = (room + 1) / keys->pad_to * keys->pad_to;
        room = inner > 1 ? inner - 1 : 0;
    }
    return room < max ? room : max;
}

cl_result cl_record_seal(struct cl_record_keys *keys, uint8_t type, struct cl_rd fragment,
                         struct cleat_tls_io *io)
{
    uint8_t *out = io->out + io->out_len;
    if (fragment.len > cl_record_room(keys, type, io->out_cap - io->out_len)) {
        return CLEAT_ERR_LIMIT;
    }
    if (keys->protection == NULL) {
        put_header(out, type, fragment.len, keys->initial && type == CL_CT_HANDSHAKE);
        if (fragment.len != 0) {
            memcpy(out + CL_RECORD_HEADER_LEN, fragment.p, fragment.len);
        }
        io->out_len += CL_RECORD_HEADER_LEN + fragment.len;
        return CL_OK;
    }
    if (keys->seq == SEQ_MAX) {
        return CLEAT_ERR_LIMIT;
    }
    const size_t padding = padding_of(keys, type, fragment.len, io->out_cap - io->out_len);
    CL_TRY(keys->protection->seal(keys, type, fragment, padding, out));
    keys->seq++;
    io->out_len += CL_RECORD_HEADER_LEN + ((size_t)out[3] << 8 | out[4]);
    return CL_OK;
}
