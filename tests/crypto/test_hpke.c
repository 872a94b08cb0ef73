/* tests/crypto/test_hpke.c - HPKE against the vectors of RFC 9180, each KEM, KDF and AEAD against
 * itself, keys as files, and what must be refused. */
#include "support_crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hpke.h"
#include "crypto/job.h"

/* One block of the file: lines "name = digits". */
struct block {
    unsigned mode, kem, kdf, aead;
    uint8_t info[UNHEX_MAX], sk_r[UNHEX_MAX], pk_r[UNHEX_MAX], sk_s[UNHEX_MAX], seed[UNHEX_MAX],
        ikm[UNHEX_MAX], enc[UNHEX_MAX];
    size_t info_len, sk_r_len, pk_r_len, sk_s_len, seed_len, ikm_len, enc_len;
    struct cl_hpke *s, *r;
    uint8_t aad[UNHEX_MAX], ct[UNHEX_MAX], context[UNHEX_MAX];
    size_t aad_len, ct_len, context_len, export_len;
    unsigned num_sealed, num_exported;
};

/* The receiver's context of mode base once more, of what a job agreed on: all that follows in the
 * block is checked with it. */
static void reopen_by_job(struct block *b, const struct cl_hpke_setup *setup,
                          const struct cl_hpke_key *receiver)
{
    struct cl_kex_key *pair = cl_hpke_job_key(receiver);
    struct cl_job job = {.kind = CL_JOB_DECAP, .status = CL_JOB_PENDING};
    assert_non_null(pair);
    job.kex.group = cl_group_by_id(receiver->kem->group);
    job.kex.key = pair;
    job.kex.peer_share = cl_rd_of(b->enc, b->enc_len);
    cl_job_run(&job);
    assert_int_equal(job.result, CL_OK);
    const struct cl_hpke_agreement agreement = {
        .kem = receiver->kem,
        .public_key = cl_rd_of(b->pk_r, b->pk_r_len),
        .enc = cl_rd_of(b->enc, b->enc_len),
        .secret = cl_rd_of(job.kex.secret, job.kex.secret_len),
    };
    cl_hpke_free(b->r);
    assert_int_equal(cl_hpke_setup_agreed(&b->r, setup, &agreement), CL_OK);
    cl_kex_key_free(pair);
    cl_job_reset(&job);
}

static void open_contexts(struct block *b)
{
    struct cl_hpke_key receiver, sender, ephemeral;
    uint8_t enc[CL_HPKE_MAX_PUBLIC];
    const struct cl_hpke_kem *kem = cl_hpke_kem_by_id((uint16_t)b->kem);
    assert_non_null(kem);
    assert_int_equal(cl_hpke_key_of(&receiver, kem, cl_rd_of(b->sk_r, b->sk_r_len)), CL_OK);
    assert_memory_equal(receiver.public_key, b->pk_r, b->pk_r_len);
    assert_int_equal(cl_hpke_key_derive(&ephemeral, kem, cl_rd_of(b->ikm, b->ikm_len)), CL_OK);
    assert_memory_equal(ephemeral.private_key, b->sk_r, b->sk_r_len);
    struct cl_hpke_setup setup = {.suite = {(uint16_t)b->kdf, (uint16_t)b->aead},
                                  .info = cl_rd_of(b->info, b->info_len)};
    if (b->mode == 2) {
        assert_int_equal(cl_hpke_key_of(&sender, kem, cl_rd_of(b->sk_s, b->sk_s_len)), CL_OK);
        setup.sender = &sender;
    }
    /* The file's seed is X25519's private key itself, but what P-256's is derived from. */
    const struct cl_rd seed = cl_rd_of(b->seed, b->seed_len);
    assert_int_equal(kem->id == CL_HPKE_X25519 ? cl_hpke_key_of(&ephemeral, kem, seed)
                                               : cl_hpke_key_derive(&ephemeral, kem, seed),
                     CL_OK);
    assert_int_equal(cl_hpke_setup_s(&b->s, &setup, kem, cl_rd_of(b->pk_r, b->pk_r_len),
                                     &cl_rng_system, &ephemeral, enc),
                     CL_OK);
    assert_memory_equal(enc, b->enc, b->enc_len);
    assert_int_equal(cl_hpke_setup_r(&b->r, &setup, &receiver, cl_rd_of(b->enc, b->enc_len)),
                     CL_OK);
    if (b->mode == 0) {
        reopen_by_job(b, &setup, &receiver);
    }
}

static void check_sealed(struct block *b, const uint8_t *text, size_t len)
{
    uint8_t sealed[UNHEX_MAX];
    size_t out_len = 0;
    if (b->s == NULL) {
        open_contexts(b);
    }
    const struct cl_rd aad = cl_rd_of(b->aad, b->aad_len);
    assert_int_equal(b->ct_len, len + CL_HPKE_TAG_LEN);
    assert_int_equal(cl_hpke_seal(b->s, aad, cl_rd_of(text, len), sealed), CL_OK);
    assert_memory_equal(sealed, b->ct, b->ct_len);
    assert_int_equal(cl_hpke_open(b->r, aad, sealed, b->ct_len, &out_len), CL_OK);
    assert_int_equal(out_len, len);
    assert_memory_equal(sealed, text, len);
    b->num_sealed++;
}

static void check_exported(struct block *b, const uint8_t *value, size_t len)
{
    uint8_t out[UNHEX_MAX];
    const struct cl_rd context = cl_rd_of(b->context, b->context_len);
    assert_int_equal(len, b->export_len);
    assert_int_equal(cl_hpke_export(b->s, context, out, len), CL_OK);
    assert_memory_equal(out, value, len);
    assert_int_equal(cl_hpke_export(b->r, context, out, len), CL_OK);
    assert_memory_equal(out, value, len);
    b->num_exported++;
}

static void end_block(struct block *b)
{
    cl_hpke_free(b->s);
    cl_hpke_free(b->r);
    memset(b, 0, sizeof(*b));
}

static void take_line(struct block *b, const char *name, const char *value)
{
    const struct {
        const char *name;
        unsigned *number;
    } numbers[] = {{"kem_id", &b->kem}, {"kdf_id", &b->kdf}, {"aead_id", &b->aead}};
    const struct {
        const char *name;
        uint8_t *bytes;
        size_t *len;
    } fields[] = {
        {"info", b->info, &b->info_len}, {"skRm", b->sk_r, &b->sk_r_len},
        {"pkRm", b->pk_r, &b->pk_r_len}, {"skSm", b->sk_s, &b->sk_s_len},
        {"ikmR", b->ikm, &b->ikm_len},   {"sender_seed", b->seed, &b->seed_len},
        {"enc", b->enc, &b->enc_len},    {"aad", b->aad, &b->aad_len},
        {"ct", b->ct, &b->ct_len},       {"exporter_context", b->context, &b->context_len}};
    uint8_t bytes[UNHEX_MAX];
    if (strcmp(name, "mode") == 0) {
        end_block(b);
        b->mode = (unsigned)strtoul(value, NULL, 10);
    } else if (strcmp(name, "L") == 0) {
        b->export_len = strtoul(value, NULL, 10);
    } else if (strcmp(name, "pt") == 0) {
        check_sealed(b, bytes, unhex(value, bytes));
    } else if (strcmp(name, "exported_value") == 0) {
        check_exported(b, bytes, unhex(value, bytes));
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].number = (unsigned)strtoul(value, NULL, 10);
        }
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(name, fields[i].name) == 0) {
            *fields[i].len = unhex(value, fields[i].bytes);
        }
    }
}

static void test_the_vectors_of_rfc_9180_come_out(void **state)
{
    const char *dir = getenv("CLEAT_TEST_DATA");
    char path[4096], line[2048];
    snprintf(path, sizeof(path), "%s/hpke/hpke_test_vectors.txt",
             dir != NULL ? dir : CLEAT_TEST_DATA);
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        print_message("SKIP: no vectors: %s\n", path);
        skip();
    }
    struct block *b = calloc(1, sizeof(*b));
    unsigned num_blocks = 0, num_sealed = 0, num_exported = 0;
    while (fgets(line, sizeof(line), f) != NULL) {
        char *eq = strstr(line, " =");
        if (line[0] == '#' || eq == NULL) {
            continue;
        }
        *eq = '\0';
        char *value = eq + 2 + strspn(eq + 2, " ");
        value[strcspn(value, "\r\n")] = '\0';
        num_blocks += strcmp(line, "mode") == 0;
        num_sealed += strcmp(line, "pt") == 0;
        num_exported += strcmp(line, "exported_value") == 0;
        take_line(b, line, value);
    }
    end_block(b);
    free(b);
    fclose(f);
    assert_int_equal(num_blocks, 12);
    assert_int_equal(num_sealed, 3084);
    assert_int_equal(num_exported, 36);
}

static const uint16_t kem_ids[] = {CL_HPKE_X25519, CL_HPKE_P256, CL_HPKE_P384, CL_HPKE_P521};
#define NUM_KEMS (sizeof(kem_ids) / sizeof(kem_ids[0]))

static void round_trip(const struct cl_hpke_kem *kem, uint16_t kdf, uint16_t aead, bool auth)
{
    struct cl_hpke_key receiver, sender;
    struct cl_hpke *s = NULL, *r = NULL;
    uint8_t enc[CL_HPKE_MAX_PUBLIC], text[5 + CL_HPKE_TAG_LEN], a[40], b[40];
    size_t len = 0;
    assert_int_equal(cl_hpke_key_generate(&receiver, kem, &cl_rng_system), CL_OK);
    assert_int_equal(cl_hpke_key_generate(&sender, kem, &cl_rng_system), CL_OK);
    const struct cl_hpke_setup setup = {
        .suite = {kdf, aead}, .info = cl_rd_str("info"), .sender = auth ? &sender : NULL};
    assert_int_equal(cl_hpke_setup_s(&s, &setup, kem,
                                     cl_rd_of(receiver.public_key, kem->public_len), &cl_rng_system,
                                     NULL, enc),
                     CL_OK);
    assert_int_equal(cl_hpke_setup_r(&r, &setup, &receiver, cl_rd_of(enc, kem->public_len)), CL_OK);
    for (int i = 0; i < 3 && aead != CL_HPKE_EXPORT_ONLY; i++) {
        memcpy(text, "hello", 5);
        assert_int_equal(cl_hpke_seal(s, cl_rd_str("aad"), cl_rd_of(text, 5), text), CL_OK);
        assert_int_equal(cl_hpke_open(r, cl_rd_str("aad"), text, sizeof(text), &len), CL_OK);
        assert_memory_equal(text, "hello", 5);
    }
    assert_int_equal(cl_hpke_export(s, cl_rd_str("x"), a, sizeof(a)), CL_OK);
    assert_int_equal(cl_hpke_export(r, cl_rd_str("x"), b, sizeof(b)), CL_OK);
    assert_memory_equal(a, b, sizeof(a));
    if (aead == CL_HPKE_EXPORT_ONLY) {
        assert_int_equal(cl_hpke_seal(s, cl_rd_str(""), cl_rd_of(text, 5), text),
                         CLEAT_ERR_UNSUPPORTED);
    }
    cl_hpke_free(s);
    cl_hpke_free(r);
}

static void test_every_kem_kdf_and_aead_opens_what_it_sealed(void **state)
{
    static const uint16_t aeads[] = {CL_HPKE_AES_128_GCM, CL_HPKE_AES_256_GCM,
                                     CL_HPKE_CHACHA20_POLY1305, CL_HPKE_EXPORT_ONLY};
    for (size_t i = 0; i < NUM_KEMS; i++) {
        for (uint16_t kdf = CL_HPKE_HKDF_SHA256; kdf <= CL_HPKE_HKDF_SHA512; kdf++) {
            for (size_t k = 0; k < 4; k++) {
                round_trip(cl_hpke_kem_by_id(kem_ids[i]), kdf, aeads[k], k % 2 == 1);
            }
        }
    }
}

static void test_a_message_that_does_not_open_does_not_move_the_sequence_on(void **state)
{
    const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(CL_HPKE_X25519);
    struct cl_hpke_key key;
    struct cl_hpke *s = NULL, *r = NULL;
    uint8_t enc[CL_HPKE_MAX_PUBLIC], sealed[5 + CL_HPKE_TAG_LEN], copy[sizeof(sealed)];
    size_t len = 0;
    const struct cl_hpke_setup setup = {.suite = {CL_HPKE_HKDF_SHA256, CL_HPKE_AES_128_GCM}};
    assert_int_equal(cl_hpke_key_generate(&key, kem, &cl_rng_system), CL_OK);
    assert_int_equal(
        cl_hpke_setup_s(&s, &setup, kem, cl_rd_of(key.public_key, 32), &cl_rng_system, NULL, enc),
        CL_OK);
    assert_int_equal(cl_hpke_setup_r(&r, &setup, &key, cl_rd_of(enc, 32)), CL_OK);
    assert_int_equal(cl_hpke_seal(s, cl_rd_str("a"), cl_rd_str("hello"), sealed), CL_OK);
    memcpy(copy, sealed, sizeof(copy));
    copy[3] ^= 1;
    assert_int_equal(cl_hpke_open(r, cl_rd_str("a"), copy, sizeof(copy), &len),
                     CLEAT_ERR_BAD_RECORD_MAC);
    memcpy(copy, sealed, sizeof(copy));
    assert_int_equal(cl_hpke_open(r, cl_rd_str("b"), copy, sizeof(copy), &len),
                     CLEAT_ERR_BAD_RECORD_MAC);
    assert_int_equal(cl_hpke_open(r, cl_rd_str("a"), copy, 15, &len), CLEAT_ERR_BAD_RECORD_MAC);
    assert_int_equal(cl_hpke_open(r, cl_rd_str("a"), sealed, sizeof(sealed), &len), CL_OK);
    assert_int_equal(len, 5);
    cl_hpke_free(s);
    cl_hpke_free(r);
}

static void test_public_keys_that_are_none_are_refused(void **state)
{
    const struct cl_hpke_setup setup = {.suite = {CL_HPKE_HKDF_SHA256, CL_HPKE_AES_128_GCM}};
    const struct cl_hpke_setup unknown = {.suite = {9, CL_HPKE_AES_128_GCM}};
    uint8_t enc[CL_HPKE_MAX_PUBLIC], zero[CL_HPKE_MAX_PUBLIC] = {0};
    for (size_t i = 0; i < NUM_KEMS; i++) {
        const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(kem_ids[i]);
        struct cl_hpke_key key;
        struct cl_hpke *h = NULL;
        assert_int_equal(cl_hpke_key_generate(&key, kem, &cl_rng_system), CL_OK);
        /* all zero: not on a curve of NIST's; X25519 agrees on zero (RFC 9180 7.1.4) */
        for (size_t cut = 0; cut < 2; cut++) {
            const struct cl_rd bad = cl_rd_of(zero, kem->public_len - cut);
            assert_int_equal(cl_hpke_setup_s(&h, &setup, kem, bad, &cl_rng_system, NULL, enc),
                             CLEAT_ERR_BAD_KEY_SHARE);
            assert_null(h);
            assert_int_equal(cl_hpke_setup_r(&h, &setup, &key, bad), CLEAT_ERR_BAD_KEY_SHARE);
            assert_null(h);
        }
        assert_int_equal(cl_hpke_setup_r(&h, &unknown, &key, cl_rd_of(zero, kem->public_len)),
                         CLEAT_ERR_UNSUPPORTED);
    }
    assert_null(cl_hpke_kem_by_id(0x0021));
    assert_no_libcrypto_error();
}

static void test_keys_survive_their_file_form(void **state)
{
    for (size_t i = 0; i < NUM_KEMS; i++) {
        const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(kem_ids[i]);
        struct cl_hpke_key key, again;
        struct cl_buf der = {0};
        assert_int_equal(cl_hpke_key_generate(&key, kem, &cl_rng_system), CL_OK);
        assert_int_equal(cl_hpke_key_build(&key, &der), CL_OK);
        assert_int_equal(cl_hpke_key_parse(&again, cl_buf_view(&der)), CL_OK);
        assert_ptr_equal(again.kem, kem);
        assert_memory_equal(again.private_key, key.private_key, kem->private_len);
        assert_memory_equal(again.public_key, key.public_key, kem->public_len);
        for (size_t len = 0; len < der.len; len++) {
            assert_int_not_equal(cl_hpke_key_parse(&again, cl_rd_of(der.p, len)), CL_OK);
        }
        cl_buf_deinit(&der);
    }
    assert_no_libcrypto_error();
}

static void test_private_keys_out_of_range_are_refused(void **state)
{
    uint8_t bytes[CL_HPKE_MAX_PRIVATE];
    struct cl_hpke_key key;
    memset(bytes, 0xff, sizeof(bytes));
    for (size_t i = 1; i < NUM_KEMS; i++) {
        const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(kem_ids[i]);
        assert_int_equal(cl_hpke_key_of(&key, kem, cl_rd_of(bytes, kem->private_len)),
                         CLEAT_ERR_BAD_KEY);
        assert_int_equal(cl_hpke_key_of(&key, kem, cl_rd_of(bytes, 31)), CLEAT_ERR_BAD_KEY);
    }
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(cl_hpke_key_of(&key, cl_hpke_kem_by_id(CL_HPKE_P256), cl_rd_of(bytes, 32)),
                     CLEAT_ERR_BAD_KEY);
    assert_no_libcrypto_error();
}

static void test_short_memory_is_told(void **state)
{
    const struct cl_hpke_setup setup = {.suite = {CL_HPKE_HKDF_SHA256, CL_HPKE_AES_128_GCM}};
    const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(CL_HPKE_X25519);
    uint8_t enc[CL_HPKE_MAX_PUBLIC];
    struct cl_hpke_key key;
    struct cl_hpke *h = NULL;
    assert_int_equal(cl_hpke_key_generate(&key, kem, &cl_rng_system), CL_OK);
    const struct cl_rd pk = cl_rd_of(key.public_key, kem->public_len);
    for (unsigned n = 0;; n++) {
        fail_allocation(n);
        const cl_result r = cl_hpke_setup_s(&h, &setup, kem, pk, &cl_rng_system, NULL, enc);
        if (!stop_failing()) {
            assert_int_equal(r, CL_OK);
            break;
        }
        assert_int_equal(r, CLEAT_ERR_NOMEM);
        assert_null(h);
    }
    cl_hpke_free(h);
    assert_int_equal(cl_hpke_setup_s(&h, &setup, kem, pk, &broken_rng, NULL, enc),
                     CLEAT_ERR_RANDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vectors_of_rfc_9180_come_out),
        cmocka_unit_test(test_every_kem_kdf_and_aead_opens_what_it_sealed),
        cmocka_unit_test(test_a_message_that_does_not_open_does_not_move_the_sequence_on),
        cmocka_unit_test(test_public_keys_that_are_none_are_refused),
        cmocka_unit_test(test_keys_survive_their_file_form),
        cmocka_unit_test(test_private_keys_out_of_range_are_refused),
        cmocka_unit_test(test_short_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
