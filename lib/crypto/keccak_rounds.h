/* crypto/keccak_rounds.h - the rounds of Keccak-f[1600], of as many states side by side as a word
 * has lanes. No include guard: keccak_*.c include this once for each permutation, after they have
 * said
 *
 *   KECCAK_WORD      uint64_t, or a vector of them: a word of each state
 *   KECCAK_ROUND     names for the two functions that are made
 *   KECCAK_PERMUTE
 *
 * and, where the processor does at once what is written out below, KECCAK_XOR3, KECCAK_CHI and
 * KECCAK_ROTATE.
 */
#ifndef KECCAK_XOR3
#define KECCAK_XOR3(a, b, c) ((a) ^ (b) ^ (c))
#endif
#ifndef KECCAK_CHI
#define KECCAK_CHI(a, b, c) ((a) ^ (~(b) & (c)))
#endif
#ifndef KECCAK_ROTATE
#define KECCAK_ROTATE(a, n) ((a) << (n) | (a) >> (64 - (n)))
#endif

/* FIPS 202 3.2.1: the parity of a column, and what theta adds to each of a column's words. */
#define PARITY(x) KECCAK_XOR3(KECCAK_XOR3(a[x], a[5 + (x)], a[10 + (x)]), a[15 + (x)], a[20 + (x)])
#define COLUMN(x) (c[((x) + 4) % 5] ^ KECCAK_ROTATE(c[((x) + 1) % 5], 1))

/* 3.2.2 to 3.2.4: a word that rho and pi have moved; a row of five of them after chi. */
#define MOVED(from, n) KECCAK_ROTATE(a[from] ^ d[(from) % 5], n)
#define ROW(to, b0, b1, b2, b3, b4)                     \
    do {                                                \
        const KECCAK_WORD b[5] = {b0, b1, b2, b3, b4};  \
        e[5 * (to) + 0] = KECCAK_CHI(b[0], b[1], b[2]); \
        e[5 * (to) + 1] = KECCAK_CHI(b[1], b[2], b[3]); \
        e[5 * (to) + 2] = KECCAK_CHI(b[2], b[3], b[4]); \
        e[5 * (to) + 3] = KECCAK_CHI(b[3], b[4], b[0]); \
        e[5 * (to) + 4] = KECCAK_CHI(b[4], b[0], b[1]); \
    } while (0)

static inline __attribute__((always_inline)) void KECCAK_ROUND(KECCAK_WORD e[CL_KECCAK_WORDS],
                                                               const KECCAK_WORD a[CL_KECCAK_WORDS],
                                                               uint64_t constant)
{
    const KECCAK_WORD c[5] = {PARITY(0), PARITY(1), PARITY(2), PARITY(3), PARITY(4)};
    const KECCAK_WORD d[5] = {COLUMN(0), COLUMN(1), COLUMN(2), COLUMN(3), COLUMN(4)};
    ROW(0, a[0] ^ d[0], MOVED(6, 44), MOVED(12, 43), MOVED(18, 21), MOVED(24, 14));
    ROW(1, MOVED(3, 28), MOVED(9, 20), MOVED(10, 3), MOVED(16, 45), MOVED(22, 61));
    ROW(2, MOVED(1, 1), MOVED(7, 6), MOVED(13, 25), MOVED(19, 8), MOVED(20, 18));
    ROW(3, MOVED(4, 27), MOVED(5, 36), MOVED(11, 10), MOVED(17, 15), MOVED(23, 56));
    ROW(4, MOVED(2, 62), MOVED(8, 55), MOVED(14, 39), MOVED(15, 41), MOVED(21, 2));
    e[0] ^= constant;
}

static void KECCAK_PERMUTE(uint64_t *words)
{
    KECCAK_WORD *state = (KECCAK_WORD *)(void *)words;
    KECCAK_WORD a[CL_KECCAK_WORDS];
    KECCAK_WORD e[CL_KECCAK_WORDS];
    for (unsigned i = 0; i < CL_KECCAK_WORDS; i++) {
        a[i] = state[i];
    }
    for (unsigned i = 0; i < CL_KECCAK_ROUNDS; i += 2) {
        KECCAK_ROUND(e, a, cl_keccak_constants[i]);
        KECCAK_ROUND(a, e, cl_keccak_constants[i + 1]);
    }
    for (unsigned i = 0; i < CL_KECCAK_WORDS; i++) {
        state[i] = a[i];
    }
}

#undef PARITY
#undef COLUMN
#undef MOVED
#undef ROW
#undef KECCAK_WORD
#undef KECCAK_ROUND
#undef KECCAK_PERMUTE
#undef KECCAK_XOR3
#undef KECCAK_CHI
#undef KECCAK_ROTATE
