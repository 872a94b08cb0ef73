/* tests/crypto/test_pkcs12.c - PKCS#12 files written here are read again, and by libcrypto; those
 * that libcrypto writes, the odd ones too, are read here; hostile ones are refused before work. */
#include "support_crypto.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "crypto/pkcs12.h"

static EVP_PKEY *pkey, *other_pkey;
static X509 *cert, *issuer;
static struct cl_buf cert_der, issuer_der;
static struct cleat_key *key, *other_key;

static X509 *make_cert(EVP_PKEY *of, const char *name)
{
    X509 *x = X509_new();
    X509_NAME *n = X509_get_subject_name(x);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, n);
    X509_set_pubkey(x, of);
    assert_true(X509_sign(x, of, EVP_sha256()) > 0);
    return x;
}

static void take(struct cl_buf *out, uint8_t *der, int len)
{
    assert_true(len > 0);
    assert_int_equal(cl_buf_append(out, der, (size_t)len, SIZE_MAX), CL_OK);
    OPENSSL_free(der);
}

static struct cleat_key *our_key(EVP_PKEY *of)
{
    struct cleat_key *out = NULL;
    char *pem = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, of, NULL, NULL, 0, NULL, NULL), 1);
    const long len = BIO_get_mem_data(bio, &pem);
    assert_int_equal(cleat_key_from_pem(pem, (size_t)len, &out, NULL), CLEAT_OK);
    BIO_free(bio);
    return out;
}

static int set_up(void **state)
{
    uint8_t *der = NULL;
    (void)state;
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    other_pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    cert = make_cert(pkey, "leaf");
    issuer = make_cert(other_pkey, "issuer");
    const int len = i2d_X509(cert, &der);
    take(&cert_der, der, len);
    der = NULL;
    const int issuer_len = i2d_X509(issuer, &der);
    take(&issuer_der, der, issuer_len);
    key = our_key(pkey);
    other_key = our_key(other_pkey);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cleat_key_free(key);
    cleat_key_free(other_key);
    cl_buf_deinit(&cert_der);
    cl_buf_deinit(&issuer_der);
    X509_free(cert);
    X509_free(issuer);
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(other_pkey);
    return 0;
}

/* What libcrypto writes; NULL: no key, no certificate. */
static struct cl_buf theirs(const char *word, EVP_PKEY *of, X509 *x, int pbe, int mac_iterations)
{
    struct cl_buf out = {0};
    uint8_t *der = NULL;
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, issuer);
    PKCS12 *p12 = PKCS12_create(word, "their name", of, x, x != NULL ? chain : NULL, pbe, pbe, 1000,
                                mac_iterations, 0);
    sk_X509_free(chain);
    assert_non_null(p12);
    const int len = i2d_PKCS12(p12, &der);
    PKCS12_free(p12);
    take(&out, der, len);
    return out;
}

static struct cl_buf ours(const char *word, bool old_readers)
{
    struct cl_buf out = {0};
    struct cleat_error err = {0};
    const struct cl_rd certs[] = {cl_buf_view(&cert_der), cl_buf_view(&issuer_der)};
    const struct cl_pkcs12_content content = {.key = key,
                                              .certs = certs,
                                              .num_certs = 2,
                                              .name = "Schlüssel ключ",
                                              .passphrase = cl_rd_str(word),
                                              .old_readers = old_readers};
    assert_int_equal(cl_pkcs12_build(&out, &content, &err), CL_OK);
    return out;
}

static cl_result open_it(struct cl_pkcs12 *p12, const struct cl_buf *file, const char *word,
                         struct cleat_error *err)
{
    *err = (struct cleat_error){0};
    const cl_result r = cl_pkcs12_open(p12, cl_buf_view(file), cl_rd_str(word), false, err);
    assert_no_libcrypto_error();
    assert_int_equal(err->code, r);
    return r;
}

static void expect_refused(const struct cl_buf *file, const char *word, cl_result code,
                           const char *text)
{
    struct cl_pkcs12 p12;
    struct cleat_error err;
    assert_int_equal(open_it(&p12, file, word, &err), code);
    assert_non_null(strstr(err.text, text));
    assert_int_equal(p12.num_bags, 0);
}

static const struct cl_pkcs12_bag *find(const struct cl_pkcs12 *p12, enum cl_pkcs12_what what)
{
    for (size_t i = 0; i < p12->num_bags; i++) {
        if (p12->bags[i].what == what) {
            return &p12->bags[i];
        }
    }
    return NULL;
}

/* ---- ours ---- */

static void check_ours(bool old_readers, const char *mac, const char *cipher)
{
    struct cl_pkcs12 p12;
    struct cleat_error err;
    struct cl_buf file = ours("pässwörd", old_readers);
    assert_int_equal(open_it(&p12, &file, "pässwörd", &err), CL_OK);
    assert_int_equal(p12.num_bags, 3);
    assert_int_equal(p12.num_safes, 2);
    assert_string_equal(p12.mac, mac);
    assert_string_equal(p12.safes[0].text, cipher);
    const struct cl_pkcs12_bag *k = find(&p12, CL_PKCS12_KEY);
    const struct cl_pkcs12_bag *c = find(&p12, CL_PKCS12_CERT);
    assert_string_equal(k->sealed, cipher);
    assert_string_equal(k->name, "Schlüssel ключ");
    assert_int_equal(k->id_len, 20);
    assert_memory_equal(k->id, c->id, 20);
    assert_true(cl_rd_equal(cl_buf_view(&c->der), cl_buf_view(&cert_der)));
    cl_pkcs12_deinit(&p12);
    expect_refused(&file, "passwort", CLEAT_ERR_BAD_PASSPHRASE, "passphrase is wrong");
    expect_refused(&file, "", CLEAT_ERR_BAD_PASSPHRASE, "passphrase is wrong");
    cl_buf_deinit(&file);
}

static void test_what_is_written_is_read_again(void **state)
{
    (void)state;
    check_ours(false, "SHA256, 100000 iterations",
               "PBES2: PBKDF2, hmacWithSHA256, 100000 iterations, AES-256-CBC");
}

static void test_files_for_old_readers_are_triple_des(void **state)
{
    (void)state;
    check_ours(true, "SHA1, 2048 iterations", "PBE-SHA1-3DES, 2048 iterations");
}

static void test_libcrypto_reads_what_is_written(void **state)
{
    (void)state;
    struct cl_buf file = ours("secret", false);
    const uint8_t *p = file.p;
    EVP_PKEY *read_key = NULL;
    X509 *read_cert = NULL;
    STACK_OF(X509) *chain = NULL;
    PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)file.len);
    assert_int_equal(PKCS12_parse(p12, "secret", &read_key, &read_cert, &chain), 1);
    assert_int_equal(EVP_PKEY_eq(read_key, pkey), 1);
    assert_int_equal(X509_cmp(read_cert, cert), 0);
    assert_int_equal(sk_X509_num(chain), 1);
    sk_X509_pop_free(chain, X509_free);
    X509_free(read_cert);
    EVP_PKEY_free(read_key);
    PKCS12_free(p12);
    cl_buf_deinit(&file);
}

static void test_what_cannot_be_written_is_told(void **state)
{
    (void)state;
    struct cl_buf out = {0};
    const struct cl_rd certs[] = {cl_buf_view(&cert_der)};
    const struct cl_rd junk[] = {cl_rd_str("junk")};
    uint8_t nul[] = {'a', 0, 'b'};
    char name[CL_PKCS12_NAME_MAX + 2];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    const struct {
        struct cl_pkcs12_content content;
        cl_result code;
    } rows[] = {
        {{.key = other_key, .certs = certs, .num_certs = 1}, CLEAT_ERR_KEY_MISMATCH},
        {{.certs = junk, .num_certs = 1}, CLEAT_ERR_BAD_CERTIFICATE},
        {{.key = NULL}, CLEAT_ERR_BAD_CONFIG},
        {{.key = key, .name = name}, CLEAT_ERR_BAD_CONFIG},
        {{.key = key, .name = "🔑"}, CLEAT_ERR_BAD_CONFIG},
        {{.key = key, .name = "\xff"}, CLEAT_ERR_BAD_CONFIG},
        {{.key = key, .passphrase = cl_rd_of(nul, 3)}, CLEAT_ERR_BAD_PASSPHRASE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_error err = {0};
        assert_int_equal(cl_pkcs12_build(&out, &rows[i].content, &err), rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        assert_int_equal(out.len, 0);
        assert_no_libcrypto_error();
    }
}

/* ---- theirs ---- */

static void test_a_key_alone_and_certificates_alone_are_read(void **state)
{
    (void)state;
    struct cl_pkcs12 p12;
    struct cleat_error err;
    struct cl_buf file = theirs("w", pkey, NULL, NID_aes_256_cbc, 1000);
    assert_int_equal(open_it(&p12, &file, "w", &err), CL_OK);
    assert_int_equal(p12.num_bags, 1);
    assert_int_equal(p12.bags[0].what, CL_PKCS12_KEY);
    cl_pkcs12_deinit(&p12);
    cl_buf_deinit(&file);
    file = theirs("w", NULL, cert, NID_aes_128_cbc, 1000);
    assert_int_equal(open_it(&p12, &file, "w", &err), CL_OK);
    assert_int_equal(p12.num_bags, 2);
    assert_null(find(&p12, CL_PKCS12_KEY));
    cl_pkcs12_deinit(&p12);
    cl_buf_deinit(&file);
}

static void test_an_empty_passphrase_may_also_be_none_at_all(void **state)
{
    (void)state;
    const char *const words[] = {"", NULL};
    const int pbes[] = {NID_aes_256_cbc, NID_pbe_WithSHA1And3_Key_TripleDES_CBC};
    for (size_t i = 0; i < 4; i++) {
        struct cl_pkcs12 p12;
        struct cleat_error err;
        struct cl_buf file = theirs(words[i % 2], pkey, cert, pbes[i / 2], 1000);
        assert_int_equal(open_it(&p12, &file, "", &err), CL_OK);
        assert_int_equal(p12.num_bags, 3);
        cl_pkcs12_deinit(&p12);
        expect_refused(&file, "x", CLEAT_ERR_BAD_PASSPHRASE, "passphrase is wrong");
        cl_buf_deinit(&file);
    }
}

static void test_a_passphrase_may_have_been_latin_1(void **state)
{
    (void)state;
    struct cl_pkcs12 p12;
    struct cleat_error err;
    /* "ü" in UTF-8, each byte taken for a character of ISO 8859-1, as OpenSSL 1.0 did */
    struct cl_buf file =
        theirs("\xc3\x83\xc2\xbc", pkey, cert, NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 1000);
    assert_int_equal(open_it(&p12, &file, "\xc3\xbc", &err), CL_OK);
    assert_true(p12.old_reading);
    cl_pkcs12_deinit(&p12);
    cl_buf_deinit(&file);
}

static void test_without_a_mac_a_file_is_taken_on_request_alone(void **state)
{
    (void)state;
    struct cl_pkcs12 p12;
    struct cleat_error err = {0};
    struct cl_buf file = theirs("w", pkey, cert, NID_aes_256_cbc, -1);
    expect_refused(&file, "w", CLEAT_ERR_BAD_PKCS12, "no MAC");
    assert_int_equal(cl_pkcs12_open(&p12, cl_buf_view(&file), cl_rd_str("w"), true, &err), CL_OK);
    assert_string_equal(p12.mac, "");
    assert_int_equal(p12.num_bags, 3);
    cl_pkcs12_deinit(&p12);
    assert_int_equal(cl_pkcs12_open(&p12, cl_buf_view(&file), cl_rd_str("x"), true, &err),
                     CLEAT_ERR_BAD_PASSPHRASE);
    cl_buf_deinit(&file);
}

static void test_nothing_encrypted_and_no_mac_needs_no_passphrase(void **state)
{
    (void)state;
    struct cl_pkcs12 p12;
    struct cleat_error err = {0};
    struct cl_buf file = theirs(NULL, NULL, cert, -1, -1);
    assert_int_equal(cl_pkcs12_look(&p12, cl_buf_view(&file), &err), CL_OK);
    assert_false(p12.needs_passphrase);
    assert_int_equal(cl_pkcs12_open(&p12, cl_buf_view(&file), cl_rd_str(""), true, &err), CL_OK);
    assert_int_equal(p12.num_bags, 2);
    cl_pkcs12_deinit(&p12);
    cl_buf_deinit(&file);
}

static void test_indefinite_lengths_are_read(void **state)
{
    (void)state;
    struct cl_pkcs12 p12;
    struct cleat_error err;
    struct cl_buf file = theirs("w", pkey, cert, NID_aes_256_cbc, 1000);
    struct cl_buf ber = {0};
    assert_int_equal(file.p[1], 0x82);
    assert_int_equal(cl_buf_append(&ber, "\x30\x80", 2, SIZE_MAX), CL_OK);
    assert_int_equal(cl_buf_append(&ber, file.p + 4, file.len - 4, SIZE_MAX), CL_OK);
    assert_int_equal(cl_buf_append(&ber, "\0\0", 2, SIZE_MAX), CL_OK);
    assert_int_equal(open_it(&p12, &ber, "w", &err), CL_OK);
    assert_int_equal(p12.num_bags, 3);
    cl_pkcs12_deinit(&p12);
    cl_buf_deinit(&ber);
    cl_buf_deinit(&file);
}

/* In a context of its own: the default one has no legacy provider, and shall not. */
static void test_rc2_is_told_for_what_it_is(void **state)
{
    (void)state;
    OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(ctx, "legacy");
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(ctx, "default");
    if (legacy == NULL || base == NULL) {
        OSSL_LIB_CTX_free(ctx);
        skip();
    }
    uint8_t *der = NULL;
    struct cl_buf file = {0};
    PKCS12 *p12 = PKCS12_create_ex("w", "n", pkey, cert, NULL, NID_pbe_WithSHA1And40BitRC2_CBC,
                                   NID_pbe_WithSHA1And40BitRC2_CBC, 1000, 1000, 0, ctx, NULL);
    assert_non_null(p12);
    const int len = i2d_PKCS12(p12, &der);
    take(&file, der, len);
    PKCS12_free(p12);
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(base);
    OSSL_LIB_CTX_free(ctx);
    expect_refused(&file, "w", CLEAT_ERR_UNSUPPORTED, "PBE-SHA1-RC2-40, 1000 iterations");
    cl_buf_deinit(&file);
}

/* ---- hostile ---- */

static struct cl_buf with_mac_iterations(uint64_t iterations)
{
    struct cl_buf file = theirs("w", pkey, cert, NID_aes_256_cbc, 1000);
    const ASN1_INTEGER *iter = NULL;
    const uint8_t *p = file.p;
    uint8_t *der = NULL;
    PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)file.len);
    PKCS12_get0_mac(NULL, NULL, NULL, &iter, p12);
    ASN1_INTEGER_set_uint64((ASN1_INTEGER *)(uintptr_t)iter, iterations);
    const int len = i2d_PKCS12(p12, &der);
    PKCS12_free(p12);
    cl_buf_deinit(&file);
    take(&file, der, len);
    return file;
}

static void test_a_mac_of_too_many_iterations_is_refused_before_work(void **state)
{
    (void)state;
    const uint64_t rows[] = {0, CL_SEALED_MAX_ITERATIONS + 1, 1ull << 31, UINT64_MAX};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_buf file = with_mac_iterations(rows[i]);
        expect_refused(&file, "w", CLEAT_ERR_LIMIT, "too much work");
        cl_buf_deinit(&file);
    }
}

/* The numbers of iterations, 1,000 in DER, made 2^31 - 1: of the safe, and of the key's bag. */
static void test_encryption_of_too_many_iterations_is_refused_before_work(void **state)
{
    (void)state;
    struct cl_buf file = theirs("w", pkey, cert, NID_aes_256_cbc, -1);
    static const uint8_t from[] = {0x02, 0x02, 0x03, 0xe8};
    struct cl_pkcs12 p12;
    size_t num = 0;
    for (uint8_t *at = file.p;
         (at = memmem(at, file.len - (size_t)(at - file.p), from, sizeof(from))) != NULL; at++) {
        struct cleat_error err = {0};
        /* as long as before: 1,000 becomes a negative number, which no limit allows either */
        at[2] = 0x83;
        assert_int_equal(cl_pkcs12_open(&p12, cl_buf_view(&file), cl_rd_str("w"), true, &err),
                         CLEAT_ERR_LIMIT);
        assert_non_null(strstr(err.text, "too much work"));
        at[2] = 0x03;
        num++;
    }
    assert_int_equal(num, 2);
    cl_buf_deinit(&file);
}

static void test_truncated_and_lengthened_files_are_refused(void **state)
{
    (void)state;
    struct cl_buf file = theirs("w", pkey, cert, NID_aes_256_cbc, 1);
    struct cl_pkcs12 p12;
    struct cleat_error err;
    for (size_t len = 0; len < file.len; len += 7) {
        struct cl_buf part = {.p = file.p, .len = len};
        assert_int_not_equal(open_it(&p12, &part, "w", &err), CL_OK);
    }
    assert_int_equal(cl_buf_append(&file, "x", 1, SIZE_MAX), CL_OK);
    expect_refused(&file, "w", CLEAT_ERR_BAD_PKCS12, "behind its end");
    cl_buf_deinit(&file);
}

static void test_a_changed_byte_is_noticed(void **state)
{
    (void)state;
    struct cl_buf file = theirs("w", pkey, cert, NID_aes_256_cbc, 1);
    struct cl_pkcs12 p12;
    struct cleat_error err;
    for (size_t i = file.len / 4; i < file.len; i += 13) {
        file.p[i] ^= 1;
        assert_int_not_equal(open_it(&p12, &file, "w", &err), CL_OK);
        file.p[i] ^= 1;
    }
    cl_buf_deinit(&file);
}

static void test_failing_allocations_are_told(void **state)
{
    (void)state;
    struct cl_buf file = theirs("w", pkey, cert, NID_aes_256_cbc, 1);
    for (unsigned n = 0;; n++) {
        struct cl_pkcs12 p12;
        struct cleat_error err = {0};
        fail_allocation(n);
        const cl_result r = cl_pkcs12_open(&p12, cl_buf_view(&file), cl_rd_str("w"), false, &err);
        if (!stop_failing()) {
            assert_int_equal(r, CL_OK);
            cl_pkcs12_deinit(&p12);
            break;
        }
        assert_int_equal(r, CLEAT_ERR_NOMEM);
    }
    cl_buf_deinit(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_again),
        cmocka_unit_test(test_files_for_old_readers_are_triple_des),
        cmocka_unit_test(test_libcrypto_reads_what_is_written),
        cmocka_unit_test(test_what_cannot_be_written_is_told),
        cmocka_unit_test(test_a_key_alone_and_certificates_alone_are_read),
        cmocka_unit_test(test_an_empty_passphrase_may_also_be_none_at_all),
        cmocka_unit_test(test_a_passphrase_may_have_been_latin_1),
        cmocka_unit_test(test_without_a_mac_a_file_is_taken_on_request_alone),
        cmocka_unit_test(test_nothing_encrypted_and_no_mac_needs_no_passphrase),
        cmocka_unit_test(test_indefinite_lengths_are_read),
        cmocka_unit_test(test_rc2_is_told_for_what_it_is),
        cmocka_unit_test(test_a_mac_of_too_many_iterations_is_refused_before_work),
        cmocka_unit_test(test_encryption_of_too_many_iterations_is_refused_before_work),
        cmocka_unit_test(test_truncated_and_lengthened_files_are_refused),
        cmocka_unit_test(test_a_changed_byte_is_noticed),
        cmocka_unit_test(test_failing_allocations_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
