/* measure/primitives_bulk.c - what works on bytes: record protection, hashes, key derivation. They
 * are not jobs: each runs where it is called.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "measure/primitives_impl.h"

/* A full record, a segment's worth, a short message. */
static const size_t sizes[] = {16384, 1400, 100};
#define NUM_SIZES (sizeof(sizes) / sizeof(sizes[0]))
#define MAX_SIZE  16384

/* ---- record protection ---- */

enum direction {
    SEAL,
    OPEN,
};

/* 5 bytes: the header of a record is the additional data (RFC 9846 5.2) */
#define AAD_LEN 5

struct aead_state {
    struct cl_aead_key seal;
    struct cl_aead_key open;
    uint8_t plain[MAX_SIZE];
    uint8_t sealed[MAX_SIZE + CL_AEAD_MAX_TAG_LEN];
    uint8_t *records; /* CL_PRIMITIVE_TURN, opened in place */
    size_t record_len;
};

/* One nonce for all: the key is nobody's, and the same record must open again and again. */
static const uint8_t nonce[CL_AEAD_NONCE_LEN];
static const uint8_t aad[AAD_LEN] = {23, 3, 3};

static cl_result seal_one(const struct cl_primitive_run *r, struct aead_state *s, uint8_t *out)
{
    const struct cl_rd in = cl_rd_of(s->plain, r->p->bytes);
    return cl_aead_seal(&s->seal, nonce, cl_rd_of(aad, sizeof(aad)), &in, 1, out);
}

static cl_result aead_open(struct cl_primitive_run *r)
{
    static const uint8_t key[CL_AEAD_MAX_KEY_LEN] = {1};
    struct aead_state *s = cl_calloc(1, sizeof(*s));
    r->state = s;
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    const struct cl_aead_info *info = r->p->what;
    const enum cl_aead_id id = (enum cl_aead_id)r->p->bits;
    s->record_len = r->p->bytes + info->tag_len;
    s->records = cl_alloc(CL_PRIMITIVE_TURN * s->record_len);
    if (s->records == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    CL_TRY(cl_aead_key_init(&s->seal, id, key, true));
    CL_TRY(cl_aead_key_init(&s->open, id, key, false));
    return seal_one(r, s, s->sealed);
}

static cl_result aead_ready(struct cl_primitive_run *r, size_t num)
{
    struct aead_state *s = r->state;
    for (size_t i = 0; i < num; i++) {
        memcpy(s->records + i * s->record_len, s->sealed, s->record_len);
    }
    return CL_OK;
}

static cl_result seal_run(struct cl_primitive_run *r, size_t num, size_t batch)
{
    struct aead_state *s = r->state;
    for (size_t i = 0; i < num; i++) {
        CL_TRY(seal_one(r, s, s->records + i * s->record_len));
    }
    return CL_OK;
}

static cl_result open_run(struct cl_primitive_run *r, size_t num, size_t batch)
{
    struct aead_state *s = r->state;
    for (size_t i = 0; i < num; i++) {
        size_t len;
        CL_TRY(cl_aead_open(&s->open, nonce, cl_rd_of(aad, sizeof(aad)),
                            s->records + i * s->record_len, s->record_len, &len));
    }
    return CL_OK;
}

static void aead_close(struct cl_primitive_run *r)
{
    struct aead_state *s = r->state;
    if (s != NULL) {
        cl_aead_key_wipe(&s->seal);
        cl_aead_key_wipe(&s->open);
        cl_free(s->records);
        cl_free(s);
    }
}

static const struct cl_primitive_ops seal_ops = {aead_open, aead_ready, seal_run, aead_close};
static const struct cl_primitive_ops open_ops = {aead_open, aead_ready, open_run, aead_close};

static void add_aead(struct cl_primitive_list *list, enum cl_aead_id id, enum direction direction,
                     size_t bytes)
{
    const char *what = direction == SEAL ? "seal" : "open";
    struct cl_primitive *row =
        cl_primitive_add(list, CL_FAMILY_AEAD, direction == SEAL ? &seal_ops : &open_ops);
    if (row != NULL) {
        row->what = cl_aead_info(id);
        row->bits = (unsigned)id;
        row->bytes = bytes;
        (void)snprintf(row->id, sizeof(row->id), "%s-%s-%zu", cl_aead_info(id)->name, what, bytes);
        cl_primitive_lower(row);
        (void)snprintf(row->name, sizeof(row->name), "%s %s", cl_aead_info(id)->name, what);
    }
}

void cl_primitives_add_aeads(struct cl_primitive_list *list)
{
    static const enum cl_aead_id ids[] = {CL_AEAD_AES_128_GCM, CL_AEAD_AES_256_GCM,
                                          CL_AEAD_CHACHA20_POLY1305};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        for (size_t k = 0; k < NUM_SIZES; k++) {
            add_aead(list, ids[i], SEAL, sizes[k]);
            add_aead(list, ids[i], OPEN, sizes[k]);
        }
    }
}

/* ---- hashes and key derivation ---- */

struct hash_state {
    uint8_t in[MAX_SIZE];
    uint8_t out[CL_HASH_MAX_LEN];
    struct cl_secret secret;
};

static cl_result hash_open(struct cl_primitive_run *r)
{
    struct hash_state *s = cl_calloc(1, sizeof(*s));
    r->state = s;
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    s->secret.len = (uint8_t)cl_hash_len((enum cl_hash_id)r->p->kind);
    return CL_OK;
}

static void hash_close(struct cl_primitive_run *r)
{
    cl_free(r->state);
}

static cl_result hash_run(struct cl_primitive_run *r, size_t num, size_t batch)
{
    struct hash_state *s = r->state;
    for (size_t i = 0; i < num; i++) {
        cl_hash_once((enum cl_hash_id)r->p->kind, s->in, r->p->bytes, s->out);
    }
    return CL_OK;
}

static cl_result extract_run(struct cl_primitive_run *r, size_t num, size_t batch)
{
    struct hash_state *s = r->state;
    const struct cl_rd secret = cl_rd_of(s->secret.bytes, s->secret.len);
    for (size_t i = 0; i < num; i++) {
        struct cl_secret out;
        cl_hkdf_extract((enum cl_hash_id)r->p->kind, secret, secret, &out);
    }
    return CL_OK;
}

static cl_result expand_run(struct cl_primitive_run *r, size_t num, size_t batch)
{
    struct hash_state *s = r->state;
    const struct cl_rd secret = cl_rd_of(s->secret.bytes, s->secret.len);
    const struct cl_rd context = cl_rd_of(s->in, s->secret.len);
    for (size_t i = 0; i < num; i++) {
        cl_hkdf_expand_label((enum cl_hash_id)r->p->kind, secret, "c hs traffic", context, s->out,
                             s->secret.len);
    }
    return CL_OK;
}

static const struct cl_primitive_ops hash_ops = {hash_open, NULL, hash_run, hash_close};
static const struct cl_primitive_ops extract_ops = {hash_open, NULL, extract_run, hash_close};
static const struct cl_primitive_ops expand_ops = {hash_open, NULL, expand_run, hash_close};

static void add_hash(struct cl_primitive_list *list, enum cl_hash_id id, const char *prefix,
                     const struct cl_primitive_ops *ops, size_t bytes)
{
    struct cl_primitive *row = cl_primitive_add(list, CL_FAMILY_HASH, ops);
    if (row != NULL) {
        row->kind = (int)id;
        row->bytes = bytes;
        (void)snprintf(row->name, sizeof(row->name), "%s%s", prefix, cl_hash_name(id));
        (void)snprintf(row->id, sizeof(row->id), bytes != 0 ? "%s-%zu" : "%s", row->name, bytes);
        cl_primitive_lower(row);
    }
}

void cl_primitives_add_hashes(struct cl_primitive_list *list)
{
    static const enum cl_hash_id ids[] = {CL_HASH_SHA256, CL_HASH_SHA384};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        for (size_t k = 0; k < NUM_SIZES; k++) {
            add_hash(list, ids[i], "", &hash_ops, sizes[k]);
        }
        add_hash(list, ids[i], "HKDF-Extract ", &extract_ops, 0);
        add_hash(list, ids[i], "HKDF-Expand-Label ", &expand_ops, 0);
    }
}
