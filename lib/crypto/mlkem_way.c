/* crypto/mlkem_way.c - how ML-KEM is computed in this process: by which of our own ways, or by
 * libcrypto. Looked for once, at the first use, and tested before it is used.
 *
 * Which is faster was measured (docs/performance.md, "ML-KEM"): on x86-64 each of our ways is
 * faster than libcrypto 3.5. On other processors nobody has measured, and libcrypto may know
 * instructions that our portable code does not: there it computes, where it can.
 */
#include <pthread.h>

#include "crypto/mlkem_impl.h"

#ifdef CL_KECCAK_X86
#define OURS_IS_FASTER true

/* The compiler's run-time library knows what the operating system allows, too. */
static bool has_avx2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi2");
}

#else
#define OURS_IS_FASTER false
#endif

static bool always(void)
{
    return true;
}

/* The fastest first. */
static const struct row {
    enum cl_mlkem_who who;
    bool (*fits)(void);
    struct cl_mlkem_way way;
    const char *text;
} rows[] = {
#ifdef CL_KECCAK_X86
    {CL_MLKEM_AVX512,
     has_avx512,
     {&cl_keccak_bmi2, &cl_keccak_avx512_4, &cl_keccak_avx512_8, &cl_poly_avx512},
     "our own, AVX-512"},
    {CL_MLKEM_AVX2,
     has_avx2,
     {&cl_keccak_bmi2, &cl_keccak_avx2_4, &cl_keccak_avx2_4, &cl_poly_avx2},
     "our own, AVX2"},
#endif
    {CL_MLKEM_PORTABLE,
     always,
     {&cl_keccak_portable, &cl_keccak_portable, &cl_keccak_portable, &cl_poly_portable},
     "our own, portable"},
};
#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

static pthread_once_t found_once = PTHREAD_ONCE_INIT;
static const struct row *fastest; /* NULL: none is well */
static const struct row *forced;  /* by cl_mlkem_use */
static enum cl_mlkem_who wanted = CL_MLKEM_FASTEST;

static void find(void)
{
    for (size_t i = 0; i < NUM_ROWS && fastest == NULL; i++) {
        if (rows[i].fits() && cl_mlkem_way_well(&rows[i].way)) {
            fastest = &rows[i];
        }
    }
}

static const struct row *current(void)
{
    if (forced != NULL) {
        return forced;
    }
    return pthread_once(&found_once, find) == 0 ? fastest : NULL;
}

const struct cl_mlkem_way *cl_mlkem_way(void)
{
    const struct row *row = current();
    return row != NULL ? &row->way : NULL;
}

bool cl_mlkem_use(enum cl_mlkem_who who)
{
    const struct row *row = NULL;
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].who == who && rows[i].fits() && cl_mlkem_way_well(&rows[i].way)) {
            row = &rows[i];
        }
    }
    if (row == NULL && who != CL_MLKEM_FASTEST &&
        (who != CL_MLKEM_LIBCRYPTO || !cl_mlkem_ossl_present())) {
        return false;
    }
    wanted = who;
    forced = row;
    return true;
}

bool cl_mlkem_is_libcrypto(void)
{
    if (wanted != CL_MLKEM_FASTEST) {
        return wanted == CL_MLKEM_LIBCRYPTO;
    }
    return (current() == NULL || !OURS_IS_FASTER) && cl_mlkem_ossl_present();
}

const char *cl_mlkem_describe(void)
{
    if (cl_mlkem_is_libcrypto()) {
        return "libcrypto";
    }
    const struct row *row = current();
    return row != NULL ? row->text : "none: our own fails its self-test";
}
