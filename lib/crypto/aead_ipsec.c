/* crypto/aead_ipsec.c - AES-GCM and ChaCha20-Poly1305 of Intel's ipsec-mb.
 *
 * The library is not linked: it is loaded at the first use, if it is installed and the processor
 * has what its AVX-512 or AVX2 code is made of. Its header gives the prototypes and the layout of
 * the manager, a table of functions that the library fills in for the processor; of the library
 * itself no more than a few names are asked for. Each cipher must give known answers before it is
 * used (docs/decisions/0046-ipsec-mb.md).
 */
#include "crypto/aead_kernel.h"

#include <stdio.h>

#if defined(CLEAT_IPSEC_MB) && defined(__x86_64__)

#include <dlfcn.h>

#include <intel-ipsec-mb.h>

#include "base/mem.h"

#if IMB_VERSION_NUM >= IMB_VERSION(2, 0, 0)
#define LIBRARY "libIPSec_MB.so.2"
#else
#define LIBRARY "libIPSec_MB.so.1"
#endif

/* 2,048: of shorter records a copy costs less than calls for each piece */
#define MAX_COPIED      2048
/* 1,024: ChaCha20-Poly1305 in AVX2; longer ones are libcrypto's, which overlaps the two */
#define MAX_CHACHA_AVX2 1024

_Static_assert(sizeof(struct gcm_key_data) <= CL_AEAD_SCHEDULE_LEN, "room for the schedule");
_Static_assert(sizeof(struct gcm_context_data) <= CL_AEAD_SCRATCH_LEN, "room for a call");
_Static_assert(sizeof(struct chacha20_poly1305_context_data) <= CL_AEAD_SCRATCH_LEN,
               "room for a call");

/* ---- AES-GCM ---- */

struct gcm {
    aes_gcm_pre_t pre;
    aes_gcm_enc_dec_t enc;
    aes_gcm_enc_dec_t dec;
    aes_gcm_init_t init;
    aes_gcm_enc_dec_update_t update;
    aes_gcm_enc_dec_finalize_t finalize;
};

static struct gcm gcm[2]; /* by cl_aead_id */

static inline const struct gcm *gcm_of(const struct cl_aead_slot *slot)
{
    return &gcm[slot->id == CL_AEAD_AES_256_GCM];
}

static cl_result gcm_expand(struct cl_aead_slot *slot, const struct cl_aead_key *key)
{
    gcm_of(slot)->pre(key->bytes, (struct gcm_key_data *)slot->schedule);
    return CL_OK;
}

static size_t length_of(const struct cl_rd *in, size_t num)
{
    size_t total = 0;
    for (size_t i = 0; i < num; i++) {
        total += in[i].len;
    }
    return total;
}

static bool gcm_seal(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad,
                     const struct cl_rd *in, size_t num, uint8_t *out)
{
    const struct gcm *f = gcm_of(slot);
    const struct gcm_key_data *key = (const struct gcm_key_data *)slot->schedule;
    struct gcm_context_data *ctx = (struct gcm_context_data *)slot->scratch;
    const size_t total = length_of(in, num);
    if (num == 1 || total <= MAX_COPIED) {
        const uint8_t *from = num == 1 && in->len != 0 ? in->p : out;
        if (from == out) {
            cl_aead_gather(out, in, num);
        }
        f->enc(key, ctx, out, from, total, nonce, aad.p, aad.len, out + total, CL_AEAD_MAX_TAG_LEN);
        return true;
    }
    f->init(key, ctx, nonce, aad.p, aad.len);
    for (size_t i = 0; i < num; i++) {
        if (in[i].len != 0) {
            f->update(key, ctx, out, in[i].p, in[i].len);
            out += in[i].len;
        }
    }
    f->finalize(key, ctx, out, CL_AEAD_MAX_TAG_LEN);
    return true;
}

static bool gcm_open(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad,
                     uint8_t *inout, size_t len)
{
    gcm_of(slot)->dec((const struct gcm_key_data *)slot->schedule,
                      (struct gcm_context_data *)slot->scratch, inout, inout, len, nonce, aad.p,
                      aad.len, slot->tag, CL_AEAD_MAX_TAG_LEN);
    return cl_ct_equal(slot->tag, inout + len, CL_AEAD_MAX_TAG_LEN);
}

static const struct cl_aead_kernel gcm_kernel = {gcm_expand, NULL, gcm_seal, gcm_open};

/* ---- ChaCha20-Poly1305: its schedule is the key itself ---- */

static struct {
    chacha_poly_init_t init;
    chacha_poly_enc_dec_update_t encrypt;
    chacha_poly_enc_dec_update_t decrypt;
    chacha_poly_finalize_t finalize;
} chacha;

static cl_result chacha_expand(struct cl_aead_slot *slot, const struct cl_aead_key *key)
{
    memcpy(slot->schedule, key->bytes, CL_AEAD_MAX_KEY_LEN);
    return CL_OK;
}

static bool chacha_seal(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad,
                        const struct cl_rd *in, size_t num, uint8_t *out)
{
    struct chacha20_poly1305_context_data *ctx =
        (struct chacha20_poly1305_context_data *)slot->scratch;
    chacha.init(slot->schedule, ctx, nonce, aad.p, aad.len);
    for (size_t i = 0; i < num; i++) {
        if (in[i].len != 0) {
            chacha.encrypt(slot->schedule, ctx, out, in[i].p, in[i].len);
            out += in[i].len;
        }
    }
    chacha.finalize(ctx, out, CL_AEAD_MAX_TAG_LEN);
    return true;
}

static bool chacha_open(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad,
                        uint8_t *inout, size_t len)
{
    struct chacha20_poly1305_context_data *ctx =
        (struct chacha20_poly1305_context_data *)slot->scratch;
    chacha.init(slot->schedule, ctx, nonce, aad.p, aad.len);
    if (len != 0) {
        chacha.decrypt(slot->schedule, ctx, inout, inout, len);
    }
    chacha.finalize(ctx, slot->tag, CL_AEAD_MAX_TAG_LEN);
    return cl_ct_equal(slot->tag, inout + len, CL_AEAD_MAX_TAG_LEN);
}

static const struct cl_aead_kernel chacha_kernel = {chacha_expand, NULL, chacha_seal, chacha_open};

/* ---- ChaCha20-Poly1305 by length: short ones here, long ones by libcrypto ---- */

static const struct cl_aead_kernel *long_chacha;

static cl_result either_expand(struct cl_aead_slot *slot, const struct cl_aead_key *key)
{
    CL_TRY(chacha_expand(slot, key));
    return long_chacha->expand(slot, key);
}

static void either_drop(struct cl_aead_slot *slot)
{
    long_chacha->drop(slot);
}

static bool either_seal(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad,
                        const struct cl_rd *in, size_t num, uint8_t *out)
{
    const bool is_short = length_of(in, num) <= MAX_CHACHA_AVX2;
    return is_short ? chacha_seal(slot, nonce, aad, in, num, out)
                    : long_chacha->seal(slot, nonce, aad, in, num, out);
}

static bool either_open(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad,
                        uint8_t *inout, size_t len)
{
    return len <= MAX_CHACHA_AVX2 ? chacha_open(slot, nonce, aad, inout, len)
                                  : long_chacha->open(slot, nonce, aad, inout, len);
}

static const struct cl_aead_kernel either_kernel = {either_expand, either_drop, either_seal,
                                                    either_open};

/* ---- loading ---- */

struct library {
    IMB_MGR *(*alloc)(uint64_t flags);
    void (*free)(IMB_MGR *manager);
    void (*fill)(IMB_MGR *manager); /* in the functions for the processor */
    unsigned (*version)(void);
    const char *(*version_text)(void);
};

/* The instructions, and that the system saves their registers. */
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("aes");
}

static bool find(void *library, const char *name, void *at)
{
    void *address = dlsym(library, name);
    memcpy(at, &address, sizeof(address)); /* as POSIX has it for functions */
    return address != NULL;
}

static bool load(struct library *out)
{
    /* NODELETE: what was once handed out stays callable until the process ends */
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) {
        (void)dlerror();
        return false;
    }
    const char *fill = has_avx512() ? "init_mb_mgr_avx512" : "init_mb_mgr_avx2";
    /* the manager of an older one may end before the functions that the header has in it */
    return find(library, "alloc_mb_mgr", &out->alloc) && find(library, "free_mb_mgr", &out->free) &&
           find(library, fill, &out->fill) && find(library, "imb_get_version", &out->version) &&
           find(library, "imb_get_version_str", &out->version_text) &&
           out->version() >= IMB_VERSION_NUM;
}

static void take(const IMB_MGR *m)
{
    gcm[0] = (struct gcm){m->gcm128_pre,  m->gcm128_enc,        m->gcm128_dec,
                          m->gcm128_init, m->gcm128_enc_update, m->gcm128_enc_finalize};
    gcm[1] = (struct gcm){m->gcm256_pre,  m->gcm256_enc,        m->gcm256_dec,
                          m->gcm256_init, m->gcm256_enc_update, m->gcm256_enc_finalize};
    chacha.init = m->chacha20_poly1305_init;
    chacha.encrypt = m->chacha20_poly1305_enc_update;
    chacha.decrypt = m->chacha20_poly1305_dec_update;
    chacha.finalize = m->chacha20_poly1305_finalize;
}

static void say(struct cl_aead_table *table, const char *text)
{
    (void)snprintf(table->description, sizeof(table->description), "%s", text);
}

static bool fill(struct cl_aead_table *table, bool avx512)
{
    bool well = true;
    table->of[CL_AEAD_AES_128_GCM] = &gcm_kernel;
    table->of[CL_AEAD_AES_256_GCM] = &gcm_kernel;
    table->of[CL_AEAD_CHACHA20_POLY1305] = avx512 ? &chacha_kernel : &either_kernel;
    for (int id = 0; id < CL_AEAD_COUNT && well; id++) {
        well = table->of[id] == NULL || cl_aead_kernel_well(table->of[id], (enum cl_aead_id)id);
    }
    if (!well) {
        memset(table->of, 0, sizeof(table->of));
    }
    return well;
}

void cl_aead_ipsec(struct cl_aead_table *table)
{
    struct library library;
    __builtin_cpu_init();
    if (!has_avx2()) {
        say(table, "libcrypto: the processor lacks AVX2 or AES instructions");
        return;
    }
    if (!load(&library)) {
        say(table, "libcrypto: " LIBRARY " is not installed, or older than it was at the build");
        return;
    }
    IMB_MGR *manager = library.alloc(0);
    long_chacha = cl_aead_ossl(CL_AEAD_CHACHA20_POLY1305);
    if (manager == NULL || long_chacha == NULL) {
        say(table, "libcrypto: no memory to try " LIBRARY);
        return;
    }
    library.fill(manager);
    take(manager);
    const bool avx512 = has_avx512();
    const bool vaes = avx512 && (manager->features & IMB_FEATURE_VAES) != 0;
    library.free(manager);
    if (!fill(table, avx512)) {
        say(table, "libcrypto: " LIBRARY " fails its self-test");
        return;
    }
    (void)snprintf(table->description, sizeof(table->description),
                   "ipsec-mb %s, %s (AES-GCM, %sChaCha20-Poly1305), else libcrypto",
                   library.version_text(),
                   vaes     ? "AVX-512 with VAES"
                   : avx512 ? "AVX-512"
                            : "AVX2",
                   avx512 ? "" : "short ");
}

#else

void cl_aead_ipsec(struct cl_aead_table *table)
{
    (void)snprintf(table->description, sizeof(table->description), "%s",
                   "libcrypto: built without ipsec-mb");
}

#endif
