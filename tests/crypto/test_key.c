/* tests/crypto/test_key.c - private keys in each PEM form that libcrypto writes, and those refused;
 * public keys from a SubjectPublicKeyInfo. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "support_crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/key.h"

enum form { PKCS8, TRADITIONAL, PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED };

static char pem[16384];

/* write_pem fills pem with a key in one of libcrypto's forms and returns its length. */
static size_t write_pem(EVP_PKEY *pkey, enum form form)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *aes = EVP_aes_128_cbc();
    unsigned char word[] = "secret";
    int ok = 0;
    assert_non_null(pkey);
    switch (form) {
    case PKCS8:
        ok = PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
        break;
    case TRADITIONAL:
        ok = PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL);
        break;
    case PKCS8_ENCRYPTED:
        ok = PEM_write_bio_PKCS8PrivateKey(bio, pkey, aes, (char *)word, 6, NULL, NULL);
        break;
    case TRADITIONAL_ENCRYPTED:
        ok = PEM_write_bio_PrivateKey_traditional(bio, pkey, aes, word, 6, NULL, NULL);
        break;
    }
    assert_int_equal(ok, 1);
    const int len = BIO_read(bio, pem, sizeof(pem) - 1);
    assert_true(len > 0);
    pem[len] = '\0';
    BIO_free(bio);
    return (size_t)len;
}

static EVP_PKEY *make_ec(const char *curve)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}

static EVP_PKEY *make_rsa(size_t bits)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
}

/* An RSA-PSS key restricted to one hash; mgf1 NULL: the same; no restriction without hash. */
static EVP_PKEY *make_pss(const EVP_MD *hash, const EVP_MD *mgf1, int salt)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    if (hash != NULL) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_keygen_md(ctx, hash), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(ctx, mgf1 != NULL ? mgf1 : hash),
                         1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(ctx, salt), 1);
    }
    assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static int read_key(const char *text, size_t len, struct cleat_key **out, struct cleat_error *err)
{
    *err = (struct cleat_error){0};
    const int r = cleat_key_from_pem(text, len, out, err);
    assert_true((r == CLEAT_OK) == (*out != NULL));
    assert_int_equal(err->code, r);
    assert_true(r == CLEAT_OK || err->text[0] != '\0');
    assert_no_libcrypto_error();
    return r;
}

/* expect_read reads pem and checks the key against libcrypto's, then frees both. */
static void expect_read(EVP_PKEY *pkey, size_t len, enum cl_key_type type, unsigned bits)
{
    struct cleat_key *key = NULL;
    struct cleat_error err;
    assert_int_equal(read_key(pem, len, &key, &err), CLEAT_OK);
    assert_int_equal(cl_key_type(key), type);
    assert_int_equal(cl_key_bits(key), bits);
    assert_string_equal(cleat_key_kind(key), cl_key_type_name(type));
    uint8_t *der = NULL;
    const int der_len = i2d_PUBKEY(pkey, &der);
    assert_int_equal(cl_key_spki(key).len, der_len);
    assert_memory_equal(cl_key_spki(key).p, der, (size_t)der_len);
    OPENSSL_free(der);
    cleat_key_free(key);
    EVP_PKEY_free(pkey);
}

static void expect_refused(EVP_PKEY *pkey, enum form form, int code)
{
    struct cleat_key *key = NULL;
    struct cleat_error err;
    assert_int_equal(read_key(pem, write_pem(pkey, form), &key, &err), code);
    assert_true(err.hint[0] != '\0');
    EVP_PKEY_free(pkey);
}

static void test_pkcs8_holds_every_supported_kind(void **state)
{
    EVP_PKEY *pkey = make_ec("P-256");
    expect_read(pkey, write_pem(pkey, PKCS8), CL_KEY_EC_P256, 256);
    pkey = make_ec("P-384");
    expect_read(pkey, write_pem(pkey, PKCS8), CL_KEY_EC_P384, 384);
    pkey = make_ec("P-521");
    expect_read(pkey, write_pem(pkey, PKCS8), CL_KEY_EC_P521, 521);
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    expect_read(pkey, write_pem(pkey, PKCS8), CL_KEY_ED25519, 256);
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    expect_read(pkey, write_pem(pkey, PKCS8), CL_KEY_ED448, 456);
    pkey = make_rsa(2048);
    expect_read(pkey, write_pem(pkey, PKCS8), CL_KEY_RSA, 2048);
    pkey = make_pss(NULL, NULL, 0);
    expect_read(pkey, write_pem(pkey, PKCS8), CL_KEY_RSA_PSS, 2048);
    pkey = make_pss(EVP_sha384(), NULL, 48);
    expect_read(pkey, write_pem(pkey, PKCS8), CL_KEY_RSA_PSS, 2048);
}

static void test_the_traditional_forms_are_read(void **state)
{
    EVP_PKEY *pkey = make_ec("P-256");
    expect_read(pkey, write_pem(pkey, TRADITIONAL), CL_KEY_EC_P256, 256);
    assert_non_null(strstr(pem, "EC PRIVATE KEY"));
    pkey = make_rsa(2048);
    expect_read(pkey, write_pem(pkey, TRADITIONAL), CL_KEY_RSA, 2048);
    assert_non_null(strstr(pem, "RSA PRIVATE KEY"));
}

static void test_an_encrypted_key_needs_a_passphrase(void **state)
{
    expect_refused(make_ec("P-256"), PKCS8_ENCRYPTED, CLEAT_ERR_NEEDS_PASSPHRASE);
    expect_refused(make_ec("P-256"), TRADITIONAL_ENCRYPTED, CLEAT_ERR_NEEDS_PASSPHRASE);
    expect_refused(make_rsa(2048), TRADITIONAL_ENCRYPTED, CLEAT_ERR_NEEDS_PASSPHRASE);
}

static void test_an_encrypted_key_is_read_with_its_passphrase(void **state)
{
    static const enum form forms[] = {PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED, PKCS8};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct cleat_key *key = NULL;
        struct cleat_error err = {0};
        EVP_PKEY *pkey = make_ec("P-256");
        const size_t len = write_pem(pkey, forms[i]);
        assert_int_equal(cleat_key_from_encrypted_pem(pem, len, "secret", 6, &key, &err), CLEAT_OK);
        assert_int_equal(cl_key_type(key), CL_KEY_EC_P256);
        cleat_key_free(key);
        const int wrong = cleat_key_from_encrypted_pem(pem, len, "Secret", 6, &key, &err);
        assert_int_equal(wrong, forms[i] == PKCS8 ? CLEAT_OK : CLEAT_ERR_BAD_PASSPHRASE);
        assert_int_equal(err.code, wrong);
        cleat_key_free(key);
        EVP_PKEY_free(pkey);
        assert_no_libcrypto_error();
    }
}

static void test_an_rsa_key_below_2048_bits_is_refused_with_its_size(void **state)
{
    struct cleat_key *key = NULL;
    struct cleat_error err;
    EVP_PKEY *pkey = make_rsa(1024);
    assert_int_equal(read_key(pem, write_pem(pkey, PKCS8), &key, &err), CLEAT_ERR_BAD_KEY);
    assert_non_null(strstr(err.text, "1024 bits"));
    assert_non_null(strstr(err.hint, "2048"));
    EVP_PKEY_free(pkey);
}

static void test_keys_that_cannot_sign_for_tls_are_unsupported(void **state)
{
    expect_refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), PKCS8, CLEAT_ERR_UNSUPPORTED);
    expect_refused(make_ec("secp256k1"), PKCS8, CLEAT_ERR_UNSUPPORTED);
    expect_refused(make_ec("secp224r1"), TRADITIONAL, CLEAT_ERR_UNSUPPORTED);
    /* bound to SHA-1, to two hashes, to a salt that we never use */
    expect_refused(make_pss(EVP_sha1(), NULL, 20), PKCS8, CLEAT_ERR_UNSUPPORTED);
    expect_refused(make_pss(EVP_sha256(), EVP_sha512(), 32), PKCS8, CLEAT_ERR_UNSUPPORTED);
    expect_refused(make_pss(EVP_sha256(), NULL, 48), PKCS8, CLEAT_ERR_UNSUPPORTED);
}

static void test_explicit_curve_parameters_are_unsupported(void **state)
{
    EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EVP_PKEY *pkey = EVP_PKEY_new();
    EC_KEY_set_asn1_flag(ec, OPENSSL_EC_EXPLICIT_CURVE);
    assert_int_equal(EC_KEY_generate_key(ec), 1);
    assert_int_equal(EVP_PKEY_assign_EC_KEY(pkey, ec), 1);
    expect_refused(pkey, PKCS8, CLEAT_ERR_UNSUPPORTED);
}

/* swapped returns a key of libcrypto's whose private half is another key's. */
static EVP_PKEY *halves_of_two_keys(void)
{
    EC_KEY *one = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EC_KEY *two = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EVP_PKEY *pkey = EVP_PKEY_new();
    assert_int_equal(EC_KEY_generate_key(one), 1);
    assert_int_equal(EC_KEY_generate_key(two), 1);
    assert_int_equal(EC_KEY_set_public_key(one, EC_KEY_get0_public_key(two)), 1);
    assert_int_equal(EVP_PKEY_assign_EC_KEY(pkey, one), 1);
    EC_KEY_free(two);
    return pkey;
}

static EVP_PKEY *rsa_with_a_wrong_prime(void)
{
    EVP_PKEY *pkey = make_rsa(2048);
    RSA *rsa = EVP_PKEY_get1_RSA(pkey);
    BIGNUM *q = BN_dup(RSA_get0_q(rsa));
    assert_int_equal(BN_sub_word(q, 2), 1);
    assert_int_equal(RSA_set0_factors(rsa, BN_dup(RSA_get0_p(rsa)), q), 1);
    EVP_PKEY *wrong = EVP_PKEY_new();
    assert_int_equal(EVP_PKEY_assign_RSA(wrong, rsa), 1);
    EVP_PKEY_free(pkey);
    return wrong;
}

static void test_halves_that_do_not_belong_together_are_a_bad_key(void **state)
{
    struct cleat_key *key = NULL;
    struct cleat_error err;
    EVP_PKEY *pkey = halves_of_two_keys();
    assert_int_equal(read_key(pem, write_pem(pkey, TRADITIONAL), &key, &err), CLEAT_ERR_BAD_KEY);
    assert_non_null(strstr(err.text, "belong together"));
    EVP_PKEY_free(pkey);
}

static void test_an_rsa_key_with_a_wrong_prime_never_gives_a_wrong_signature(void **state)
{
    struct cleat_key *key = NULL;
    struct cleat_error err;
    EVP_PKEY *pkey = rsa_with_a_wrong_prime();
    /* libcrypto repairs a CRT that failed with the private exponent; either answer is safe */
    const int r = read_key(pem, write_pem(pkey, TRADITIONAL), &key, &err);
    assert_true(r == CLEAT_OK || r == CLEAT_ERR_BAD_KEY);
    cleat_key_free(key);
    EVP_PKEY_free(pkey);
}

static void test_text_and_other_blocks_in_front_are_skipped(void **state)
{
    static char text[sizeof(pem)];
    EVP_PKEY *pkey = make_ec("P-256");
    const size_t len = write_pem(pkey, PKCS8);
    (void)snprintf(text, sizeof(text),
                   "my key:\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
                   "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
                   "%.*s-----BEGIN PRIVATE KEY-----\nbroken",
                   (int)len, pem);
    memcpy(pem, text, sizeof(pem));
    expect_read(pkey, strlen(pem), CL_KEY_EC_P256, 256);
}

static void test_windows_line_ends_are_fine(void **state)
{
    static char text[20000];
    EVP_PKEY *pkey = make_ec("P-256");
    const size_t len = write_pem(pkey, PKCS8);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (pem[i] == '\n') {
            text[n++] = '\r';
        }
        text[n++] = pem[i];
    }
    memcpy(pem, text, n);
    expect_read(pkey, n, CL_KEY_EC_P256, 256);
}

static const struct {
    const char *name;
    const char *text;
    int code;
} damaged[] = {
    {"nothing", "", CLEAT_ERR_BAD_PEM},
    {"garbage", "\x01\x02\xff hello", CLEAT_ERR_BAD_PEM},
    {"a certificate alone", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
     CLEAT_ERR_BAD_PEM},
    {"a BEGIN line only", "-----BEGIN PRIVATE KEY-----\n", CLEAT_ERR_BAD_PEM},
    {"half a BEGIN line", "-----BEGIN PRIV", CLEAT_ERR_BAD_PEM},
    {"another END line", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
     CLEAT_ERR_BAD_PEM},
    {"an empty block", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
     CLEAT_ERR_BAD_PEM},
    {"not base64", "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
     CLEAT_ERR_BAD_PEM},
    {"a header without its empty line",
     "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4\n-----END EC PRIVATE KEY-----\n",
     CLEAT_ERR_BAD_PEM},
    {"base64 of nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
     CLEAT_ERR_BAD_KEY},
    {"SEC1 nonsense", "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n",
     CLEAT_ERR_BAD_KEY},
    {"PKCS#1 nonsense", "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n",
     CLEAT_ERR_BAD_KEY},
    {"a DSA key", "-----BEGIN DSA PRIVATE KEY-----\nMAA=\n-----END DSA PRIVATE KEY-----\n",
     CLEAT_ERR_UNSUPPORTED},
    {"an OpenSSH key",
     "-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n-----END OPENSSH PRIVATE KEY-----\n",
     CLEAT_ERR_UNSUPPORTED},
};

static void test_damaged_pem_is_refused_with_a_reason(void **state)
{
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        struct cleat_key *key = NULL;
        struct cleat_error err;
        const int r = read_key(damaged[i].text, strlen(damaged[i].text), &key, &err);
        if (r != damaged[i].code) {
            fail_msg("%s: %s", damaged[i].name, cleat_error_name(r));
        }
        assert_int_equal(cleat_key_from_pem(damaged[i].text, strlen(damaged[i].text), &key, NULL),
                         r);
    }
}

static void test_a_key_cut_off_anywhere_is_refused(void **state)
{
    EVP_PKEY *pkey = make_ec("P-256");
    const size_t len = write_pem(pkey, PKCS8) - 1; /* the last line end may be missing */
    EVP_PKEY_free(pkey);
    for (size_t cut = 0; cut < len; cut++) {
        struct cleat_key *key = NULL;
        struct cleat_error err;
        assert_int_not_equal(read_key(pem, cut, &key, &err), CLEAT_OK);
    }
}

static void test_bytes_behind_the_der_are_refused(void **state)
{
    uint8_t der[300];
    uint8_t *p = der;
    char text[500], body[420];
    EVP_PKEY *pkey = make_ec("P-256");
    const int len = i2d_PrivateKey(pkey, &p);
    der[len] = 0;
    EVP_PKEY_free(pkey);
    EVP_EncodeBlock((unsigned char *)body, der, len + 1);
    (void)snprintf(text, sizeof(text),
                   "-----BEGIN EC PRIVATE KEY-----\n%s\n-----END EC PRIVATE KEY-----", body);
    struct cleat_key *key = NULL;
    struct cleat_error err;
    assert_int_equal(read_key(text, strlen(text), &key, &err), CLEAT_ERR_BAD_KEY);
}

static void test_a_generated_key_survives_its_own_pem(void **state)
{
    static const enum cl_key_type types[] = {CL_KEY_EC_P256, CL_KEY_EC_P384, CL_KEY_EC_P521,
                                             CL_KEY_ED25519, CL_KEY_ED448,   CL_KEY_RSA,
                                             CL_KEY_RSA_PSS};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct cleat_key *key = NULL;
        struct cleat_key *again = NULL;
        struct cleat_error err;
        struct cl_buf buf = {0};
        assert_int_equal(cl_key_generate(&key, types[i], 2048), CL_OK);
        assert_int_equal(cl_key_type(key), types[i]);
        assert_int_equal(cl_key_to_pem(key, &buf), CL_OK);
        assert_int_equal(read_key((const char *)buf.p, buf.len, &again, &err), CLEAT_OK);
        assert_true(cl_rd_equal(cl_key_spki(key), cl_key_spki(again)));
        BIO *bio = BIO_new_mem_buf(buf.p, (int)buf.len); /* and libcrypto reads it as well */
        EVP_PKEY *theirs = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        assert_non_null(theirs);
        EVP_PKEY_free(theirs);
        BIO_free(bio);
        cl_buf_deinit(&buf);
        cleat_key_free(again);
        cleat_key_free(key);
    }
}

static void test_what_cannot_be_generated_is_unsupported(void **state)
{
    struct cleat_key *key = NULL;
    assert_int_equal(cl_key_generate(&key, CL_KEY_RSA, 1024), CLEAT_ERR_UNSUPPORTED);
    assert_int_equal(cl_key_generate(&key, CL_KEY_RSA, 32768), CLEAT_ERR_UNSUPPORTED);
    assert_int_equal(cl_key_generate(&key, CL_KEY_NONE, 0), CLEAT_ERR_UNSUPPORTED);
    assert_null(key);
}

static void test_a_reference_keeps_the_key(void **state)
{
    struct cleat_key *key = NULL;
    assert_int_equal(cl_key_generate(&key, CL_KEY_EC_P256, 0), CL_OK);
    assert_ptr_equal(cleat_key_ref(key), key);
    cleat_key_free(key);
    assert_string_equal(cleat_key_kind(key), "ECDSA P-256");
    cleat_key_free(key);
    cleat_key_free(NULL);
}

static void test_allocations_that_fail_are_reported_and_nothing_leaks(void **state)
{
    EVP_PKEY *pkey = make_ec("P-256");
    const size_t len = write_pem(pkey, PKCS8);
    EVP_PKEY_free(pkey);
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct cleat_key *key = NULL;
        struct cl_pubkey *pub = NULL;
        struct cl_buf out = {0};
        struct cleat_error err = {0};
        fail_allocation(n);
        cl_result r = (cl_result)cleat_key_from_pem(pem, len, &key, &err);
        if (r == CL_OK) {
            r = cl_pubkey_parse(&pub, cl_key_spki(key));
        }
        if (r == CL_OK) {
            r = cl_key_to_pem(key, &out);
        }
        failed = stop_failing();
        assert_int_equal(r, failed ? CLEAT_ERR_NOMEM : CL_OK);
        cl_buf_deinit(&out);
        cl_pubkey_free(pub);
        cleat_key_free(key);
    }
}

/* ---- public keys ---- */

static void parse_spki(EVP_PKEY *pkey, cl_result expected, enum cl_key_type type, unsigned bits)
{
    uint8_t *der = NULL;
    const int len = i2d_PUBKEY(pkey, &der);
    struct cl_pubkey *pub = NULL;
    assert_true(len > 0);
    assert_int_equal(cl_pubkey_parse(&pub, cl_rd_of(der, (size_t)len)), expected);
    if (expected == CL_OK) {
        assert_int_equal(cl_pubkey_type(pub), type);
        assert_int_equal(cl_pubkey_bits(pub), bits);
        cl_pubkey_free(pub);
        for (int cut = 0; cut < len; cut++) {
            assert_int_not_equal(cl_pubkey_parse(&pub, cl_rd_of(der, (size_t)cut)), CL_OK);
            assert_null(pub);
        }
    }
    assert_no_libcrypto_error();
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
}

static void test_each_kind_of_public_key_is_read(void **state)
{
    parse_spki(make_ec("P-256"), CL_OK, CL_KEY_EC_P256, 256);
    parse_spki(make_ec("P-384"), CL_OK, CL_KEY_EC_P384, 384);
    parse_spki(make_ec("P-521"), CL_OK, CL_KEY_EC_P521, 521);
    parse_spki(make_rsa(1024), CL_OK, CL_KEY_RSA, 1024);
    parse_spki(make_pss(NULL, NULL, 0), CL_OK, CL_KEY_RSA_PSS, 2048);
    parse_spki(make_pss(EVP_sha512(), NULL, 64), CL_OK, CL_KEY_RSA_PSS, 2048);
    parse_spki(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), CL_OK, CL_KEY_ED25519, 256);
    parse_spki(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), CL_OK, CL_KEY_ED448, 456);
    parse_spki(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), CLEAT_ERR_UNSUPPORTED, CL_KEY_NONE, 0);
    parse_spki(make_ec("secp256k1"), CLEAT_ERR_UNSUPPORTED, CL_KEY_NONE, 0);
}

/* Each row is a SubjectPublicKeyInfo with at most one thing wrong. */
static const struct {
    const char *name;
    const char *der;
    cl_result code;
} written_spki[] = {
    {"Ed25519, as it must be",
     "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     CL_OK},
    {"parameters where they must be absent (RFC 8410 3)",
     "302c300706032b65700500032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707"
     "511a",
     CLEAT_ERR_BAD_KEY},
    {"unused bits",
     "302a300506032b6570032101d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     CLEAT_ERR_BAD_KEY},
    {"a length in a longer form than needed",
     "30812a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751"
     "1a",
     CLEAT_ERR_BAD_KEY},
    {"an indefinite length",
     "3080300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
     "0000",
     CLEAT_ERR_BAD_KEY},
    {"a length of four bytes",
     "30840000002a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68"
     "f707511a",
     CLEAT_ERR_BAD_KEY},
    {"a byte behind the end",
     "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
     "00",
     CLEAT_ERR_BAD_KEY},
    {"a byte behind the key, inside",
     "302b300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
     "00",
     CLEAT_ERR_BAD_KEY},
    {"a key of 31 bytes",
     "3029300506032b6570032000d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751",
     CLEAT_ERR_BAD_KEY},
    {"no key at all", "300a300506032b6570030100", CLEAT_ERR_BAD_KEY},
    {"an empty bit string", "3009300506032b65700300", CLEAT_ERR_BAD_KEY},
    {"an unknown algorithm",
     "3029300406022a03032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     CLEAT_ERR_UNSUPPORTED},
    {"RSA of 512 bits, as it must be",
     "305c300d06092a864886f70d0101010500034b003048024100c0111111111111111111111111111111111111"
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
     "110203010001",
     CL_OK},
    {"RSA without its NULL (RFC 3279 2.3.1)",
     "305a300b06092a864886f70d010101034b003048024100c01111111111111111111111111111111111111111"
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111102"
     "03010001",
     CLEAT_ERR_BAD_KEY},
    {"RSA with a NULL that is not empty",
     "305d300e06092a864886f70d010101050100034b003048024100c01111111111111111111111111111111111"
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
     "11110203010001",
     CLEAT_ERR_BAD_KEY},
    {"RSA with a negative modulus",
     "305b300d06092a864886f70d0101010500034a0030470240c011111111111111111111111111111111111111"
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
     "0203010001",
     CLEAT_ERR_BAD_KEY},
    {"RSA with a modulus in a longer form",
     "305d300d06092a864886f70d0101010500034c00304902420000c01111111111111111111111111111111111"
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
     "11110203010001",
     CLEAT_ERR_BAD_KEY},
    {"RSA with a third number",
     "3061300d06092a864886f70d0101010500035000304d024100c0111111111111111111111111111111111111"
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
     "1102030100010203010001",
     CLEAT_ERR_BAD_KEY},
    {"RSA with an exponent of nine bytes",
     "3062300d06092a864886f70d0101010500035100304e024100c0111111111111111111111111111111111111"
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
     "110209010000000000000001",
     CLEAT_ERR_BAD_KEY},
    {"P-256, as it must be",
     "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277"
     "037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837"
     "bf51f5",
     CL_OK},
    {"P-256, the point at infinity", "3019301306072a8648ce3d020106082a8648ce3d03010703020000",
     CLEAT_ERR_BAD_KEY},
    {"P-256, compressed",
     "3039301306072a8648ce3d020106082a8648ce3d030107032200036b17d1f2e12c4247f8bce6e563a440f277"
     "037d812deb33a0f4a13945d898c296",
     CLEAT_ERR_BAD_KEY},
    {"P-256, hybrid",
     "3059301306072a8648ce3d020106082a8648ce3d030107034200076b17d1f2e12c4247f8bce6e563a440f277"
     "037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837"
     "bf51f5",
     CLEAT_ERR_BAD_KEY},
    {"P-256, off the curve",
     "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277"
     "037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837"
     "bf51f6",
     CLEAT_ERR_BAD_KEY},
    {"P-384's name, P-256's point",
     "3056301006072a8648ce3d020106052b81040022034200046b17d1f2e12c4247f8bce6e563a440f277037d81"
     "2deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
     CLEAT_ERR_BAD_KEY},
    {"EC without a curve",
     "304f300906072a8648ce3d0201034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a139"
     "45d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
     CLEAT_ERR_BAD_KEY},
    {"EC with a curve and more",
     "305b301506072a8648ce3d020106082a8648ce3d0301070500034200046b17d1f2e12c4247f8bce6e563a440"
     "f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb640"
     "6837bf51f5",
     CLEAT_ERR_BAD_KEY},
    {"EC with explicit parameters",
     "3054300e06072a8648ce3d02013003020101034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb"
     "33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
     CLEAT_ERR_UNSUPPORTED},
};

static void test_a_public_key_with_one_thing_wrong_is_refused(void **state)
{
    for (size_t i = 0; i < sizeof(written_spki) / sizeof(written_spki[0]); i++) {
        uint8_t der[UNHEX_MAX];
        struct cl_pubkey *pub = NULL;
        const size_t len = unhex(written_spki[i].der, der);
        const cl_result r = cl_pubkey_parse(&pub, cl_rd_of(der, len));
        if (r != written_spki[i].code) {
            fail_msg("%s: %s", written_spki[i].name, cleat_error_name((int)r));
        }
        assert_true((r == CL_OK) == (pub != NULL));
        assert_no_libcrypto_error();
        cl_pubkey_free(pub);
    }
}

/* The same RSA key with one of its numbers replaced. */
static cl_result parse_rsa(unsigned n_bits, bool odd, unsigned long exponent)
{
    RSA *rsa = RSA_new();
    BIGNUM *n = BN_new();
    BIGNUM *e = BN_new();
    EVP_PKEY *pkey = EVP_PKEY_new();
    uint8_t *der = NULL;
    struct cl_pubkey *pub = NULL;
    assert_int_equal(BN_set_bit(n, (int)n_bits - 1), 1);
    assert_int_equal(BN_add_word(n, odd ? 1 : 2), 1);
    assert_int_equal(BN_set_word(e, exponent), 1);
    assert_int_equal(RSA_set0_key(rsa, n, e, NULL), 1);
    assert_int_equal(EVP_PKEY_assign_RSA(pkey, rsa), 1);
    const int len = i2d_PUBKEY(pkey, &der);
    const cl_result r = cl_pubkey_parse(&pub, cl_rd_of(der, (size_t)len));
    cl_pubkey_free(pub);
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
    return r;
}

static void test_rsa_numbers_that_no_key_has_are_refused(void **state)
{
    assert_int_equal(parse_rsa(2048, true, 65537), CL_OK);
    assert_int_equal(parse_rsa(16384, true, 3), CL_OK);
    assert_int_equal(parse_rsa(16385, true, 3), CLEAT_ERR_BAD_KEY);
    assert_int_equal(parse_rsa(511, true, 3), CLEAT_ERR_BAD_KEY);
    assert_int_equal(parse_rsa(2048, false, 65537), CLEAT_ERR_BAD_KEY);
    assert_int_equal(parse_rsa(2048, true, 65536), CLEAT_ERR_BAD_KEY);
    assert_int_equal(parse_rsa(2048, true, 1), CLEAT_ERR_BAD_KEY);
    assert_int_equal(parse_rsa(2048, true, 0), CLEAT_ERR_BAD_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pkcs8_holds_every_supported_kind),
        cmocka_unit_test(test_the_traditional_forms_are_read),
        cmocka_unit_test(test_an_encrypted_key_needs_a_passphrase),
        cmocka_unit_test(test_an_encrypted_key_is_read_with_its_passphrase),
        cmocka_unit_test(test_an_rsa_key_below_2048_bits_is_refused_with_its_size),
        cmocka_unit_test(test_keys_that_cannot_sign_for_tls_are_unsupported),
        cmocka_unit_test(test_explicit_curve_parameters_are_unsupported),
        cmocka_unit_test(test_halves_that_do_not_belong_together_are_a_bad_key),
        cmocka_unit_test(test_an_rsa_key_with_a_wrong_prime_never_gives_a_wrong_signature),
        cmocka_unit_test(test_text_and_other_blocks_in_front_are_skipped),
        cmocka_unit_test(test_windows_line_ends_are_fine),
        cmocka_unit_test(test_damaged_pem_is_refused_with_a_reason),
        cmocka_unit_test(test_a_key_cut_off_anywhere_is_refused),
        cmocka_unit_test(test_bytes_behind_the_der_are_refused),
        cmocka_unit_test(test_a_generated_key_survives_its_own_pem),
        cmocka_unit_test(test_what_cannot_be_generated_is_unsupported),
        cmocka_unit_test(test_a_reference_keeps_the_key),
        cmocka_unit_test(test_allocations_that_fail_are_reported_and_nothing_leaks),
        cmocka_unit_test(test_each_kind_of_public_key_is_read),
        cmocka_unit_test(test_a_public_key_with_one_thing_wrong_is_refused),
        cmocka_unit_test(test_rsa_numbers_that_no_key_has_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
