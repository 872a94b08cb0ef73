/* crypto/mlkem_hash.c - what ML-KEM hashes (FIPS 203 4.1, 4.2.2), several sponges side by side.
 *
 * What is to be hashed is a list of tasks. A permutation has lanes; each lane works on a task, and
 * takes the next one when it is through. Between two permutations a lane takes a block in or gives
 * one out. So a long message takes one lane for as long as it needs, while the others sample the
 * matrix beside it.
 *
 * Constant time: which lane does what when depends on lengths, and on how many candidates of rho's
 * stream are rejected: both are public. States and blocks are wiped; what a permutation spills from
 * registers is not.
 */
#include <string.h>

#include "base/mem.h"
#include "crypto/mlkem_impl.h"

/* FIPS 202 6: the domain, and the first bit of the padding, of SHA-3 and of SHAKE */
#define SUFFIX_SHA3  0x06
#define SUFFIX_SHAKE 0x1f
/* FIPS 202 table 3, in bytes */
#define RATE_128     CL_MLKEM_BLOCK
#define RATE_256     136
#define RATE_512     72

/* ---- tasks ---- */

struct task {
    struct cl_rd parts[2]; /* what is hashed */
    bool is_seed;          /* CL_MLKEM_HASH bytes, and what is in end */
    uint8_t rate;
    uint8_t suffix;
    /* Looks at a block that comes out; true: that was all. */
    bool (*take)(struct task *t, const uint8_t *block);
    void *out;
    unsigned num; /* of what has been put there */
    const struct cl_poly_ops *poly;
    uint8_t eta;
    uint8_t end[2]; /* n; or x and y */
};

static bool take_digest(struct task *t, const uint8_t *block)
{
    memcpy(t->out, block, t->num);
    return true;
}

static bool take_uniform(struct task *t, const uint8_t *block)
{
    t->num = t->poly->sample_uniform(t->out, t->num, block);
    return t->num == CL_MLKEM_N;
}

/* SamplePolyCBD: with eta 3 it takes two blocks; the first one waits where the result will be. */
static bool take_noise(struct task *t, const uint8_t *block)
{
    const size_t len = (size_t)64 * t->eta;
    uint8_t bytes[64 * CL_MLKEM_ETA3];
    if (len <= RATE_256) {
        t->poly->sample_noise(t->out, block, t->eta);
        return true;
    }
    if (t->num == 0) {
        memcpy(t->out, block, RATE_256);
        t->num = RATE_256;
        return false;
    }
    memcpy(bytes, t->out, RATE_256);
    memcpy(bytes + RATE_256, block, len - RATE_256);
    t->poly->sample_noise(t->out, bytes, t->eta);
    cl_wipe(bytes, sizeof(bytes));
    return true;
}

static struct task digest_of(struct cl_rd a, struct cl_rd b, uint8_t *out)
{
    return (struct task){
        .parts = {a, b},
        .rate = RATE_256,
        .suffix = SUFFIX_SHA3,
        .take = take_digest,
        .out = out,
        .num = CL_MLKEM_HASH,
    };
}

/* ---- lanes ---- */

/* 8 behind the longest block: sampling reads whole vectors */
#define BLOCK_ROOM (CL_MLKEM_BLOCK + 8)

struct lanes {
    _Alignas(64) uint64_t words[CL_KECCAK_WORDS * CL_KECCAK_MAX_LANES];
    _Alignas(64) uint8_t block[BLOCK_ROOM];
    const struct cl_keccak *keccak;
    struct task *next; /* nobody's yet */
    struct task *end;
    struct task *of[CL_KECCAK_MAX_LANES]; /* NULL: the lane is idle */
    size_t taken[CL_KECCAK_MAX_LANES];    /* in, in bytes; GIVES: nothing more */
};
#define GIVES SIZE_MAX

#define SEED_WORDS (CL_MLKEM_HASH / sizeof(uint64_t))

static uint64_t little_endian(uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(x);
#else
    return x;
#endif
}

/* fill makes the block that begins at byte `at` of the message, padded when it is the last one, and
 * returns whether it is. */
static bool fill(uint8_t *block, const struct task *t, size_t at)
{
    size_t len = 0;
    for (size_t i = 0; i < 2; i++) {
        const struct cl_rd *part = &t->parts[i];
        if (at >= part->len) {
            at -= part->len;
            continue;
        }
        const size_t left = part->len - at;
        const size_t num = left < t->rate - len ? left : t->rate - len;
        memcpy(block + len, part->p + at, num);
        len += num;
        at = 0;
    }
    if (len == t->rate) {
        return false;
    }
    memset(block + len, 0, t->rate - len);
    block[len] = t->suffix;
    block[t->rate - 1] |= 0x80;
    return true;
}

static void take_in(struct lanes *l, size_t lane)
{
    const struct task *t = l->of[lane];
    const size_t step = l->keccak->lanes;
    const bool last = fill(l->block, t, l->taken[lane]);
    uint64_t *to = &l->words[lane];
    l->taken[lane] = last ? GIVES : l->taken[lane] + t->rate;
    for (size_t i = 0; i < t->rate / sizeof(uint64_t); i++, to += step) {
        uint64_t word;
        memcpy(&word, l->block + i * sizeof(word), sizeof(word));
        *to ^= little_endian(word);
    }
}

/* A message of a seed and one or two bytes, which most are: without the detour over the block. */
static void take_in_seed(struct lanes *l, size_t lane)
{
    const struct task *t = l->of[lane];
    const size_t step = l->keccak->lanes;
    uint64_t *to = &l->words[lane];
    uint64_t words[SEED_WORDS + 1] = {0};
    uint8_t *end = (uint8_t *)&words[SEED_WORDS];
    memcpy(words, t->parts[0].p, CL_MLKEM_HASH);
    memcpy(end, t->end, sizeof(t->end));
    end[t->parts[1].len] = t->suffix;
    for (size_t i = 0; i <= SEED_WORDS; i++) {
        to[step * i] = little_endian(words[i]);
    }
    to[step * (t->rate / sizeof(uint64_t) - 1)] = UINT64_C(1) << 63;
    l->taken[lane] = GIVES;
    cl_wipe(words, sizeof(words));
}

/* A new task for a lane, if there is one. */
static void begin(struct lanes *l, size_t lane)
{
    l->of[lane] = NULL;
    if (l->next == l->end) {
        return;
    }
    l->of[lane] = l->next++;
    l->taken[lane] = 0;
    for (size_t i = 0; i < CL_KECCAK_WORDS; i++) {
        l->words[l->keccak->lanes * i + lane] = 0;
    }
    if (l->of[lane]->is_seed) {
        take_in_seed(l, lane);
    } else {
        take_in(l, lane);
    }
}

static void give_out(struct lanes *l, size_t lane)
{
    struct task *t = l->of[lane];
    const size_t num_words = t->rate / sizeof(uint64_t);
    const size_t step = l->keccak->lanes;
    const uint64_t *from = &l->words[lane];
    for (size_t i = 0; i < num_words; i++, from += step) {
        const uint64_t word = little_endian(*from);
        memcpy(l->block + i * sizeof(word), &word, sizeof(word));
    }
    if (t->take(t, l->block)) {
        begin(l, lane);
    }
}

static bool busy(const struct lanes *l)
{
    for (size_t lane = 0; lane < l->keccak->lanes; lane++) {
        if (l->of[lane] != NULL) {
            return true;
        }
    }
    return false;
}

static void run(const struct cl_keccak *keccak, struct task *tasks, size_t num)
{
    struct lanes l;
    const size_t words = (size_t)CL_KECCAK_WORDS * keccak->lanes;
    l.keccak = keccak;
    l.next = tasks;
    l.end = tasks + num;
    memset(l.words, 0, words * sizeof(uint64_t)); /* idle lanes are computed as well */
    memset(l.block, 0, sizeof(l.block));
    for (size_t lane = 0; lane < keccak->lanes; lane++) {
        begin(&l, lane);
    }
    while (busy(&l)) {
        keccak->permute(l.words);
        for (size_t lane = 0; lane < keccak->lanes; lane++) {
            if (l.of[lane] == NULL) {
                continue;
            }
            if (l.taken[lane] != GIVES) {
                take_in(&l, lane);
            } else {
                give_out(&l, lane);
            }
        }
    }
    cl_wipe(l.words, words * sizeof(uint64_t));
    cl_wipe(l.block, sizeof(l.block));
}

/* ---- what ML-KEM asks for ---- */

void cl_mlkem_h(const struct cl_mlkem_way *way, struct cl_rd in, uint8_t out[CL_MLKEM_HASH])
{
    struct task t = digest_of(in, cl_rd_of(NULL, 0), out);
    run(way->one, &t, 1);
}

void cl_mlkem_g(const struct cl_mlkem_way *way, struct cl_rd a, struct cl_rd b,
                uint8_t out[2 * CL_MLKEM_HASH])
{
    struct task t = digest_of(a, b, out);
    t.rate = RATE_512;
    t.num = 2 * CL_MLKEM_HASH;
    run(way->one, &t, 1);
}

/* What is hashed beside the matrix comes first: it is the longest. */
static size_t add_beside(struct task *tasks, const struct cl_mlkem_beside *beside)
{
    if (beside == NULL) {
        return 0;
    }
    tasks[0] = digest_of(beside->a, beside->b, beside->out);
    tasks[0].suffix = beside->is_shake ? SUFFIX_SHAKE : SUFFIX_SHA3;
    return 1;
}

void cl_mlkem_matrix(const struct cl_mlkem_way *way, const struct cl_mlkem_set *set,
                     struct cl_poly *out, const uint8_t rho[CL_MLKEM_HASH], bool transposed,
                     const struct cl_mlkem_beside *beside)
{
    struct task tasks[1 + CL_MLKEM_MAX_K * CL_MLKEM_MAX_K];
    size_t num = add_beside(tasks, beside);
    for (uint8_t i = 0; i < set->k; i++) {
        for (uint8_t j = 0; j < set->k; j++) {
            struct task *t = &tasks[num++];
            *t = (struct task){
                .is_seed = true,
                .rate = RATE_128,
                .suffix = SUFFIX_SHAKE,
                .take = take_uniform,
                .out = out++,
                .poly = way->poly,
                /* FIPS 203 algorithm 13: A[i][j] is of rho, j, i */
                .end = {transposed ? i : j, transposed ? j : i},
            };
            t->parts[0] = cl_rd_of(rho, CL_MLKEM_HASH);
            t->parts[1] = cl_rd_of(t->end, sizeof(t->end));
        }
    }
    run(way->matrix, tasks, num);
}

void cl_mlkem_noise(const struct cl_mlkem_way *way, const struct cl_mlkem_noise *noise,
                    struct cl_poly *out)
{
    struct task tasks[CL_MLKEM_MAX_NOISE];
    for (uint8_t i = 0; i < noise->num; i++) {
        struct task *t = &tasks[i];
        *t = (struct task){
            .is_seed = true,
            .rate = RATE_256,
            .suffix = SUFFIX_SHAKE,
            .take = take_noise,
            .out = out++,
            .poly = way->poly,
            .eta = i < noise->num_eta1 ? noise->eta1 : CL_MLKEM_ETA2,
            .end = {i},
        };
        t->parts[0] = cl_rd_of(noise->seed, CL_MLKEM_HASH);
        t->parts[1] = cl_rd_of(t->end, 1);
    }
    run(way->noise, tasks, noise->num);
}
