/* measure/primitives_kem.c - ML-KEM by itself, a row for each that can compute it here: libcrypto,
 * and our own code in its ways. What handshakes use is in primitives_kex.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/mlkem.h"
#include "measure/primitives_impl.h"

enum {
    KEYGEN,
    ENCAPS,
    DECAPS,
};

struct kem_state {
    const struct cl_mlkem_set *set;
    struct cl_mlkem_key *key;
    uint8_t seed[CL_MLKEM_SEED_LEN];
    uint8_t ek[CL_MLKEM_MAX_EK];
    uint8_t ct[CL_MLKEM_MAX_CT];
    uint8_t secret[CL_MLKEM_SECRET_LEN];
};

static cl_result keygen(struct kem_state *s)
{
    cl_mlkem_key_free(s->key);
    return cl_mlkem_keygen(s->set, s->seed, s->ek, &s->key);
}

static cl_result encaps(struct kem_state *s)
{
    return cl_mlkem_encap(s->set, cl_rd_of(s->ek, s->set->ek_len), s->seed, s->ct, s->secret);
}

static cl_result decaps(struct kem_state *s)
{
    return cl_mlkem_decap(s->key, cl_rd_of(s->ct, s->set->ct_len), s->secret);
}

static cl_result kem_open(struct cl_primitive_run *r)
{
    struct kem_state *s = cl_calloc(1, sizeof(*s));
    r->state = s;
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    s->set = r->p->what;
    if (!cl_mlkem_use((enum cl_mlkem_who)r->p->bits)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    CL_TRY(keygen(s));
    return encaps(s);
}

static cl_result kem_run(struct cl_primitive_run *r, size_t num, size_t batch)
{
    static cl_result (*const operations[])(struct kem_state * s) = {
        [KEYGEN] = keygen, [ENCAPS] = encaps, [DECAPS] = decaps};
    for (size_t i = 0; i < num; i++) {
        CL_TRY(operations[r->p->kind](r->state));
    }
    return CL_OK;
}

static void kem_close(struct cl_primitive_run *r)
{
    struct kem_state *s = r->state;
    (void)!cl_mlkem_use(CL_MLKEM_FASTEST);
    if (s != NULL) {
        cl_mlkem_key_free(s->key);
        cl_free_secret(s, sizeof(*s));
    }
}

static const struct cl_primitive_ops kem_ops = {kem_open, NULL, kem_run, kem_close};

static void add_rows(struct cl_primitive_list *list, const struct cl_mlkem_set *set,
                     enum cl_mlkem_who who, const char *by)
{
    static const char *const operations[] = {
        [KEYGEN] = "keygen", [ENCAPS] = "encaps", [DECAPS] = "decaps"};
    for (int kind = KEYGEN; kind <= DECAPS; kind++) {
        struct cl_primitive *row = cl_primitive_add(list, CL_FAMILY_KEM, &kem_ops);
        if (row == NULL) {
            return;
        }
        row->kind = kind;
        row->bits = who;
        row->what = set;
        (void)snprintf(row->id, sizeof(row->id), "%s-%s-%s", set->name, operations[kind], by);
        cl_primitive_lower(row);
        (void)snprintf(row->name, sizeof(row->name), "%s %s, %s", set->name, operations[kind], by);
    }
}

void cl_primitives_add_kems(struct cl_primitive_list *list)
{
    static const struct cl_mlkem_set *const sets[] = {&cl_mlkem_768, &cl_mlkem_1024};
    static const struct {
        enum cl_mlkem_who who;
        const char *by;
    } all[] = {
        {CL_MLKEM_AVX512, "AVX-512"},
        {CL_MLKEM_AVX2, "AVX2"},
        {CL_MLKEM_PORTABLE, "portable"},
        {CL_MLKEM_LIBCRYPTO, "libcrypto"},
    };
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
            if (cl_mlkem_use(all[k].who)) {
                add_rows(list, sets[i], all[k].who, all[k].by);
            }
        }
    }
    (void)!cl_mlkem_use(CL_MLKEM_FASTEST);
}
