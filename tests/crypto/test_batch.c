/* tests/crypto/test_batch.c - batches: every job gets what it would have got alone.
 *
 * With a number as its argument (test_crypto_batch 1000000) the differential test goes on until so
 * many jobs have been compared; CTest's run is bounded. Without crypto_mb, or without a processor
 * for it, the same tests run over single operations.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "support_crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleat/batch.h"
#include "crypto/kex_impl.h"
#include "crypto/key_impl.h"
#include "crypto/mb.h"
#include "crypto/pool.h"

/* 3000: some seconds under a sanitizer */
#define DEFAULT_JOBS 3000
/* 40: several full lanes of a kind, and a rest */
#define MAX_JOBS     40
#define NOW          1000

static unsigned long num_wanted = DEFAULT_JOBS;

enum key_name { P256, P384, P521, RSA2048, RSA3072, RSA4096, PSS2048, ED25519, NUM_KEYS };

static const struct {
    enum cl_key_type type;
    unsigned bits;
    uint16_t schemes[2];
} key_rows[NUM_KEYS] = {
    [P256] = {CL_KEY_EC_P256, 0, {0x0403, 0x0403}},
    [P384] = {CL_KEY_EC_P384, 0, {0x0503, 0x0503}},
    [P521] = {CL_KEY_EC_P521, 0, {0x0603, 0x0603}},
    [RSA2048] = {CL_KEY_RSA, 2048, {0x0804, 0x0401}},
    [RSA3072] = {CL_KEY_RSA, 3072, {0x0805, 0x0501}},
    [RSA4096] = {CL_KEY_RSA, 4096, {0x0806, 0x0601}},
    [PSS2048] = {CL_KEY_RSA_PSS, 2048, {0x0809, 0x080b}},
    [ED25519] = {CL_KEY_ED25519, 0, {0x0807, 0x0807}},
};

/* Two of each kind, so that lanes hold different keys. */
static struct cleat_key *keys[NUM_KEYS][2];

static int set_up(void **state)
{
    for (size_t i = 0; i < NUM_KEYS; i++) {
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(cl_key_generate(&keys[i][k], key_rows[i].type, key_rows[i].bits),
                             CL_OK);
        }
    }
    if (cl_mb() == NULL) {
        printf("SKIP: crypto_mb: the lanes are not tested: %s\n", cleat_batch_describe());
    }
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < NUM_KEYS; i++) {
        cleat_key_free(keys[i][0]);
        cleat_key_free(keys[i][1]);
    }
    return 0;
}

/* ---- a generator of jobs; its own, so that a failure can be repeated ---- */

static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

static void draw_bytes(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)draw(256);
    }
}

/* What a job works on, and what it is expected to come to. */
struct item {
    struct cl_job job;
    struct cl_job alone; /* a VERIFY, ENCAP or DECAP with the same inputs, run singly */
    uint8_t share[CL_GROUP_MAX_SHARE];
    uint8_t share_alone[CL_GROUP_MAX_SHARE];
    uint8_t peer[CL_GROUP_MAX_SHARE];
    size_t peer_len;
    struct cl_kex_key *key;      /* ours in a DECAP */
    struct cl_kex_key *peer_key; /* the peer's, when it is a real one */
    uint8_t message[200];
    size_t message_len;
    uint8_t signature[512];
    size_t signature_len;
};

/* The slow ones seldom. */
static const uint16_t group_ids[] = {CL_GROUP_X25519,
                                     CL_GROUP_X25519,
                                     CL_GROUP_X25519,
                                     CL_GROUP_X25519_MLKEM768,
                                     CL_GROUP_X25519_MLKEM768,
                                     CL_GROUP_SECP256R1,
                                     CL_GROUP_SECP256R1,
                                     CL_GROUP_SECP256R1,
                                     CL_GROUP_SECP256R1_MLKEM768,
                                     CL_GROUP_SECP384R1,
                                     CL_GROUP_SECP384R1_MLKEM1024,
                                     CL_GROUP_SECP521R1,
                                     CL_GROUP_MLKEM512};

/* X25519 inputs of low order, and numbers that are not reduced (RFC 7748 5, 6.1). */
static const char *const odd_x25519[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0900000000000000000000000000000000000000000000000000000000000080",
};

/* An invalid point: a changed coordinate, another form, the prime as a coordinate, all zeros. */
static void spoil_point(struct item *it, const struct cl_group *curve, uint8_t *point)
{
    const size_t field = curve->secret_len;
    if (curve->id == CL_GROUP_X25519) {
        if (draw(2) == 0) { /* just below 2^255, where crypto_mb errs */
            memset(point, 0xff, curve->client_share_len);
            point[0] = (uint8_t)draw(256);
            point[31] &= (uint8_t)(draw(2) == 0 ? 0x7f : 0xff);
            return;
        }
        const size_t num = sizeof(odd_x25519) / sizeof(odd_x25519[0]);
        (void)unhex(odd_x25519[draw((uint32_t)num)], point);
        return;
    }
    switch (draw(6)) {
    case 0:
        point[0] = (uint8_t)draw(256);
        break;
    case 1:
        memset(point + 1, 0, 2 * field);
        break;
    case 2: /* x + p, where that fits, is the same point written wrongly */
        memset(point + 1, 0xff, field);
        break;
    case 3:
        memset(point + 1 + field, 0xff, field);
        break;
    case 4:
        it->peer_len--;
        break;
    default:
        point[1 + draw((uint32_t)(2 * field))] ^= (uint8_t)(1 + draw(255));
        break;
    }
}

/* Or an ML-KEM key that is not reduced; of a ciphertext every byte may change. */
static void spoil_share(struct item *it, const struct cl_group *group)
{
    const struct cl_group *curve = cl_kex_curve_of(group);
    const size_t at = cl_kex_curve_at(group, it->job.kind == CL_JOB_ENCAP ? CL_KEX_CLIENT_SHARE
                                                                          : CL_KEX_SERVER_SHARE);
    if (group->post_quantum && (curve == NULL || draw(2) == 0)) {
        memset(it->peer + (at != 0 || curve == NULL ? 0 : curve->client_share_len), 0xff, 2);
    } else {
        spoil_point(it, curve, it->peer + at);
    }
}

static struct cl_kex_key *make_share(const struct cl_group *group, uint8_t *share)
{
    struct cl_kex_key *key = NULL;
    assert_int_equal(cl_kex_keygen(group, &cl_rng_system, &key, share), CL_OK);
    return key;
}

/* What a client sends to ENCAP, or a server answers to our DECAP. */
static void make_peer(struct item *it, const struct cl_group *group)
{
    if (it->job.kind == CL_JOB_ENCAP) {
        it->peer_key = make_share(group, it->peer);
        it->peer_len = group->client_share_len;
        return;
    }
    uint8_t ours[CL_GROUP_MAX_SHARE], secret[CL_GROUP_MAX_SECRET];
    it->key = make_share(group, ours);
    it->job.kex.key = it->key;
    assert_int_equal(cl_kex_encap(group, &cl_rng_system, cl_rd_of(ours, group->client_share_len),
                                  it->peer, secret),
                     CL_OK);
    it->peer_len = group->server_share_len;
}

static void make_kex(struct item *it)
{
    static const enum cl_job_kind kinds[] = {CL_JOB_KEYGEN, CL_JOB_ENCAP, CL_JOB_DECAP};
    const struct cl_group *group =
        cl_group_by_id(group_ids[draw(sizeof(group_ids) / sizeof(group_ids[0]))]);
    it->job.kind = kinds[draw(3)];
    it->job.kex.group = group;
    it->job.kex.rng = &cl_rng_system;
    it->job.kex.share = it->share;
    if (it->job.kind == CL_JOB_KEYGEN) {
        return;
    }
    make_peer(it, group);
    if (draw(4) == 0) {
        spoil_share(it, group);
        cl_kex_key_free(it->peer_key);
        it->peer_key = NULL;
    }
    it->job.kex.peer_share = cl_rd_of(it->peer, it->peer_len);
    it->alone = it->job;
    it->alone.kex.share = it->share_alone;
    cl_job_run(&it->alone);
}

static const struct cleat_key *draw_key(const struct cl_sig_alg **alg)
{
    /* the slow ones seldom */
    static const enum key_name names[] = {
        P256,    P256,    P256,    P256,    P256,    P256,    P256, P384,    P384,   RSA2048,
        RSA2048, RSA2048, RSA2048, ED25519, PSS2048, PSS2048, P521, RSA3072, RSA4096};
    enum key_name name = names[draw(sizeof(names) / sizeof(names[0]))];
    *alg = cl_sig_scheme(key_rows[name].schemes[draw(2)]);
    return keys[name][draw(2)];
}

static void make_sign(struct item *it)
{
    const struct cl_sig_alg *alg;
    const struct cleat_key *key = draw_key(&alg);
    it->job.kind = CL_JOB_SIGN;
    it->job.sign = (struct cl_job_sign){.key = key,
                                        .alg = alg,
                                        .message = cl_rd_of(it->message, it->message_len),
                                        .signature = it->signature,
                                        .signature_cap = sizeof(it->signature)};
    if (draw(30) == 0) {
        it->job.sign.signature_cap = draw(8); /* no room */
    }
}

/* An RSA signature is a number below the modulus n: 0, 1, n - 1, n, 2^len - 1. */
static void edge_rsa_signature(struct item *it, const struct cl_pubkey *key)
{
    const size_t len = it->signature_len;
    const uint32_t which = draw(5);
    memset(it->signature, which == 4 ? 0xff : 0, len);
    it->signature[len - 1] |= which == 1 ? 1 : 0;
    if (which == 2 || which == 3) {
        assert_int_equal(BN_bn2binpad(RSA_get0_n(key->rsa), it->signature, (int)len), len);
        it->signature[len - 1] ^= which == 2 ? 1 : 0; /* n is odd */
    }
}

/* r and s at the edges of what is allowed, as DER: 0, 1, n, n - 1, all ones, and 33 bytes of them;
 * for P-256 and P-384. */
static void edge_signature(struct item *it, const struct cl_pubkey *key)
{
    static const char *const numbers[] = {
        "023100ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
        "581a0db248b0a77aecec196accc52973",
        "023100ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
        "581a0db248b0a77aecec196accc52972",
        "023100ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffff",
        "020100",
        "020101",
        "0200",
        "02020001",
        "020180",
        "022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
        "022100ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0222010000000000000000000000000000000000000000000000000000000000000000",
    };
    const uint32_t num = sizeof(numbers) / sizeof(numbers[0]);
    size_t len = 2;
    if (key->rsa != NULL) {
        edge_rsa_signature(it, key);
        return;
    }
    len += unhex(numbers[draw(num)], it->signature + len);
    len += unhex(numbers[draw(num)], it->signature + len);
    it->signature[0] = 0x30;
    it->signature[1] = (uint8_t)(len - 2);
    it->signature_len = len;
}

static void spoil_signature(struct item *it, const struct cl_pubkey *key)
{
    switch (draw(5)) {
    case 0:
        edge_signature(it, key);
        break;
    case 1:
        it->signature_len -= draw(3);
        break;
    case 2:
        it->message[0] ^= 1;
        break;
    case 3:
        memset(it->signature, 0xff, it->signature_len);
        break;
    default:
        it->signature[draw((uint32_t)it->signature_len)] ^= (uint8_t)(1 + draw(255));
        break;
    }
}

static void make_verify(struct item *it)
{
    const struct cl_sig_alg *alg;
    const struct cleat_key *key = draw_key(&alg);
    struct cl_wr w = cl_wr_of(it->signature, sizeof(it->signature));
    assert_int_equal(cl_sign(key, alg, cl_rd_of(it->message, it->message_len), &w), CL_OK);
    it->signature_len = w.len;
    if (draw(3) == 0) {
        spoil_signature(it, &key->pub);
    }
    if (draw(10) == 0) {
        const struct cl_sig_alg *ignored;
        key = draw_key(&ignored); /* another's key, perhaps of another kind */
    }
    it->job.kind = CL_JOB_VERIFY;
    it->job.verify =
        (struct cl_job_verify){.key = &key->pub,
                               .alg = alg,
                               .message = cl_rd_of(it->message, it->message_len),
                               .signature = cl_rd_of(it->signature, it->signature_len)};
    it->alone = it->job;
    cl_job_run(&it->alone);
}

static void make_item(struct item *it)
{
    memset(it, 0, sizeof(*it));
    it->message_len = 1 + draw(sizeof(it->message) - 1);
    draw_bytes(it->message, it->message_len);
    switch (draw(4)) {
    case 0:
        make_sign(it);
        break;
    case 1:
        make_verify(it);
        break;
    default:
        make_kex(it);
        break;
    }
    it->job.status = CL_JOB_PENDING;
}

/* ---- what a job came to ---- */

/* Both sides of an agreement have the same secret. */
static void check_encap(const struct item *it)
{
    const struct cl_job_kex *kex = &it->job.kex;
    uint8_t theirs[CL_GROUP_MAX_SECRET];
    assert_int_equal(kex->share_len, kex->group->server_share_len);
    assert_int_equal(kex->secret_len, kex->group->secret_len);
    if (it->peer_key != NULL) {
        assert_int_equal(cl_kex_decap(it->peer_key, cl_rd_of(kex->share, kex->share_len), theirs),
                         CL_OK);
        assert_memory_equal(theirs, kex->secret, kex->secret_len);
    }
}

static void check_keygen(struct item *it)
{
    const struct cl_job_kex *kex = &it->job.kex;
    uint8_t share[CL_GROUP_MAX_SHARE];
    uint8_t theirs[CL_GROUP_MAX_SECRET];
    uint8_t ours[CL_GROUP_MAX_SECRET];
    it->key = kex->key;
    assert_int_equal(kex->share_len, kex->group->client_share_len);
    assert_int_equal(cl_kex_encap(kex->group, &cl_rng_system, cl_rd_of(kex->share, kex->share_len),
                                  share, theirs),
                     CL_OK);
    assert_int_equal(cl_kex_decap(kex->key, cl_rd_of(share, kex->group->server_share_len), ours),
                     CL_OK);
    assert_memory_equal(ours, theirs, kex->group->secret_len);
}

static void check_sign(const struct item *it)
{
    const struct cl_job_sign *sign = &it->job.sign;
    if (sign->signature_cap < 8) {
        assert_int_equal(it->job.result, CLEAT_ERR_USAGE);
        return;
    }
    assert_int_equal(it->job.result, CL_OK);
    assert_int_equal(cl_verify(&sign->key->pub, sign->alg, sign->message,
                               cl_rd_of(sign->signature, sign->signature_len)),
                     CL_OK);
}

static void check_item(struct item *it)
{
    assert_int_equal(it->job.status, CL_JOB_DONE);
    assert_null(it->job.next);
    if (it->alone.status == CL_JOB_DONE) {
        assert_int_equal(it->job.result, it->alone.result);
    }
    switch (it->job.kind) {
    case CL_JOB_KEYGEN:
        assert_int_equal(it->job.result, CL_OK);
        check_keygen(it);
        break;
    case CL_JOB_ENCAP:
        if (it->job.result == CL_OK) {
            check_encap(it);
        }
        break;
    case CL_JOB_DECAP:
        if (it->job.result == CL_OK) {
            assert_int_equal(it->job.kex.secret_len, it->alone.kex.secret_len);
            assert_memory_equal(it->job.kex.secret, it->alone.kex.secret, it->job.kex.secret_len);
        }
        break;
    case CL_JOB_SIGN:
        check_sign(it);
        break;
    default:
        break;
    }
    cl_kex_key_free(it->key);
    cl_kex_key_free(it->peer_key);
}

static void compare(unsigned long wanted)
{
    static struct item items[MAX_JOBS];
    struct cleat_batch *batch;
    assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
    for (unsigned long done = 0; done < wanted;) {
        const uint64_t started = seed;
        const size_t num = 1 + draw(MAX_JOBS);
        for (size_t i = 0; i < num; i++) {
            make_item(&items[i]);
            cleat_batch_add(batch, (struct cleat_job *)&items[i].job);
        }
        cleat_batch_run(batch, NOW + done);
        for (size_t i = 0; i < num; i++) {
            check_item(&items[i]);
        }
        if (seed == started) {
            fail_msg("the generator stands still");
        }
        done += num;
    }
    cleat_batch_free(batch);
    assert_no_libcrypto_error();
}

static void test_each_job_of_a_batch_gets_what_it_would_get_alone(void **state)
{
    compare(num_wanted);
}

static void test_the_same_holds_with_the_kernels_switched_off(void **state)
{
    cleat_batch_single(true);
    assert_null(cl_mb());
    compare(num_wanted / 10);
    cleat_batch_single(false);
}

/* ---- lanes do not meddle with each other ---- */

/* Eight verifications with one key each, of which those in `bad` fail. */
static void verify_eight(enum key_name name, unsigned bad)
{
    struct cl_job jobs[CL_LANES];
    uint8_t signatures[CL_LANES][512];
    struct cleat_batch *batch;
    const struct cl_sig_alg *alg = cl_sig_scheme(key_rows[name].schemes[0]);
    assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
    for (size_t i = 0; i < CL_LANES; i++) {
        struct cl_wr w = cl_wr_of(signatures[i], sizeof(signatures[i]));
        const struct cleat_key *key = keys[name][i % 2];
        assert_int_equal(cl_sign(key, alg, cl_rd_str("message"), &w), CL_OK);
        const size_t wrong = (bad >> i & 1) != 0 ? 1 : 0;
        jobs[i] = (struct cl_job){.kind = CL_JOB_VERIFY, .status = CL_JOB_PENDING};
        jobs[i].verify = (struct cl_job_verify){.key = &keys[name][(i + wrong) % 2]->pub,
                                                .alg = alg,
                                                .message = cl_rd_str("message"),
                                                .signature = cl_rd_of(signatures[i], w.len)};
        cleat_batch_add(batch, (struct cleat_job *)&jobs[i]);
    }
    cleat_batch_run(batch, NOW);
    for (size_t i = 0; i < CL_LANES; i++) {
        assert_int_equal(jobs[i].result, (bad >> i & 1) != 0 ? CLEAT_ERR_BAD_SIGNATURE : CL_OK);
    }
    cleat_batch_free(batch);
}

/* One key share by a batch; false when it fails. */
static bool share_of(struct cleat_batch *batch, uint8_t out[CL_GROUP_MAX_SHARE])
{
    struct cl_job job = {.kind = CL_JOB_KEYGEN, .status = CL_JOB_PENDING};
    job.kex = (struct cl_job_kex){
        .group = cl_group_by_id(CL_GROUP_X25519), .rng = &cl_rng_system, .share = out};
    cleat_batch_add(batch, (struct cleat_job *)&job);
    cleat_batch_run(batch, NOW);
    cl_kex_key_free(job.kex.key);
    return job.result == CL_OK;
}

/* What was made ahead before fork() is not used by both. */
static void test_a_forked_child_makes_keys_of_its_own(void **state)
{
    struct cleat_batch *batch;
    uint8_t ours[CL_LANES][CL_GROUP_MAX_SHARE] = {{0}};
    uint8_t theirs[CL_LANES][CL_GROUP_MAX_SHARE] = {{0}};
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
    assert_true(share_of(batch, ours[0])); /* seven more are ready, where there are kernels */
    const pid_t child = fork();
    assert_true(child >= 0);
    bool good = true;
    for (size_t i = 0; i < CL_LANES; i++) {
        good = share_of(batch, child == 0 ? theirs[i] : ours[i]) && good;
    }
    if (child == 0) {
        good = good && write(pipes[1], theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    assert_true(good);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(read(pipes[0], theirs, sizeof(theirs)), sizeof(theirs));
    for (size_t i = 0; i < CL_LANES * CL_LANES; i++) {
        assert_memory_not_equal(ours[i / CL_LANES], theirs[i % CL_LANES], 32);
    }
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    cleat_batch_free(batch);
}

static void test_a_wrong_key_in_one_lane_leaves_the_others_alone(void **state)
{
    static const enum key_name names[] = {P256, P384, RSA2048};
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        for (unsigned lane = 0; lane < CL_LANES; lane++) {
            verify_eight(names[n], 1U << lane);
        }
        verify_eight(names[n], 0x55);
        verify_eight(names[n], CL_ALL_LANES);
    }
}

/* What is installed works; not to be there is no failure. */
static void test_kernels_that_are_there_give_known_answers(void **state)
{
    print_message("%s\n", cleat_batch_describe());
    assert_null(strstr(cleat_batch_describe(), "self-test"));
}

/* One connection after the other, as with a quiet server: three fillings of the pool, each by the
 * lanes that an agreement leaves. */
static void test_agreements_that_come_alone_agree_with_their_peers(void **state)
{
    const struct cl_group *group = cl_group_by_id(CL_GROUP_X25519);
    struct cleat_batch *b;
    assert_int_equal(cleat_batch_new(&b), CLEAT_OK);
    for (size_t i = 0; i < 3 * CL_LANES; i++) {
        uint8_t theirs[CL_GROUP_MAX_SHARE];
        uint8_t ours[CL_GROUP_MAX_SHARE];
        uint8_t secret[CL_GROUP_MAX_SECRET];
        struct cl_kex_key *key;
        struct cl_job job = {.kind = CL_JOB_ENCAP, .status = CL_JOB_PENDING};
        assert_int_equal(cl_kex_keygen(group, &cl_rng_system, &key, theirs), CL_OK);
        job.kex.group = group;
        job.kex.rng = &cl_rng_system;
        job.kex.peer_share = cl_rd_of(theirs, group->client_share_len);
        job.kex.share = ours;
        cleat_batch_add(b, (struct cleat_job *)&job);
        cleat_batch_run(b, NOW);
        assert_int_equal(job.status, CL_JOB_DONE);
        assert_int_equal(job.result, CL_OK);
        assert_int_equal(cl_kex_decap(key, cl_rd_of(ours, group->server_share_len), secret), CL_OK);
        assert_memory_equal(secret, job.kex.secret, group->secret_len);
        cl_kex_key_free(key);
        cl_job_reset(&job);
    }
    cleat_batch_free(b);
}

static void test_an_empty_batch_runs(void **state)
{
    struct cleat_batch *batch;
    assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
    cleat_batch_run(batch, NOW);
    cleat_batch_rest(batch);
    cleat_batch_free(batch);
    cleat_batch_free(NULL);
}

static void test_jobs_that_nobody_runs_stay_as_they_were(void **state)
{
    struct cleat_batch *batch;
    uint8_t share[CL_GROUP_MAX_SHARE];
    struct cl_job job = {.kind = CL_JOB_KEYGEN, .status = CL_JOB_PENDING};
    job.kex = (struct cl_job_kex){
        .group = cl_group_by_id(CL_GROUP_X25519), .rng = &cl_rng_system, .share = share};
    assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
    cleat_batch_add(batch, (struct cleat_job *)&job);
    cleat_batch_free(batch);
    assert_int_equal(job.status, CL_JOB_PENDING);
    assert_null(job.kex.key);
}

static void test_a_source_of_randomness_of_ones_own_is_asked_for_everything(void **state)
{
    struct fixed_source source = {.len = 66};
    const struct cl_rng rng = fixed_rng(&source);
    memset(source.bytes, 0x5a, sizeof(source.bytes));
    uint8_t shares[2][CL_GROUP_MAX_SHARE];
    for (size_t i = 0; i < 2; i++) {
        struct cleat_batch *batch;
        struct cl_job job = {.kind = CL_JOB_KEYGEN, .status = CL_JOB_PENDING};
        job.kex = (struct cl_job_kex){
            .group = cl_group_by_id(CL_GROUP_X25519), .rng = &rng, .share = shares[i]};
        assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
        cleat_batch_add(batch, (struct cleat_job *)&job);
        cleat_batch_run(batch, NOW);
        assert_int_equal(job.result, CL_OK);
        cl_kex_key_free(job.kex.key);
        cleat_batch_free(batch);
    }
    assert_memory_equal(shares[0], shares[1], 32);
}

static void test_a_shortage_of_memory_reaches_the_job_alone(void **state)
{
    struct cleat_batch *batch;
    uint8_t shares[2][CL_GROUP_MAX_SHARE];
    struct cl_job jobs[2];
    assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
    for (size_t i = 0; i < 2; i++) {
        jobs[i] = (struct cl_job){.kind = CL_JOB_KEYGEN, .status = CL_JOB_PENDING};
        jobs[i].kex = (struct cl_job_kex){
            .group = cl_group_by_id(CL_GROUP_X25519), .rng = &cl_rng_system, .share = shares[i]};
        cleat_batch_add(batch, (struct cleat_job *)&jobs[i]);
    }
    fail_allocation(1);
    cleat_batch_run(batch, NOW);
    assert_true(stop_failing());
    assert_int_equal(jobs[0].result, CL_OK);
    assert_int_equal(jobs[1].result, CLEAT_ERR_NOMEM);
    cl_kex_key_free(jobs[0].kex.key);
    cleat_batch_free(batch);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernels_that_are_there_give_known_answers),
        cmocka_unit_test(test_each_job_of_a_batch_gets_what_it_would_get_alone),
        cmocka_unit_test(test_the_same_holds_with_the_kernels_switched_off),
        cmocka_unit_test(test_a_forked_child_makes_keys_of_its_own),
        cmocka_unit_test(test_a_wrong_key_in_one_lane_leaves_the_others_alone),
        cmocka_unit_test(test_agreements_that_come_alone_agree_with_their_peers),
        cmocka_unit_test(test_an_empty_batch_runs),
        cmocka_unit_test(test_jobs_that_nobody_runs_stay_as_they_were),
        cmocka_unit_test(test_a_source_of_randomness_of_ones_own_is_asked_for_everything),
        cmocka_unit_test(test_a_shortage_of_memory_reaches_the_job_alone),
    };
    if (argc > 1) {
        num_wanted = strtoul(argv[1], NULL, 10);
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
