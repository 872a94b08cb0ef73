/* even.c - what tests/guard/even.py counts under callgrind: the instructions of opening a record of
 * AES-CBC with HMAC, and of taking a premaster secret out of an RSA block, for every way in which
 * either can be malformed. Each case is a count of its own, behind "GROUP: CASE"; within a group
 * all must be the same, to the instruction (Lucky Thirteen, Bleichenbacher).
 *
 * RSA itself is libcrypto's, blinded with random numbers: here the block is put in its place.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <valgrind/callgrind.h>

#include "crypto/cbc.h"
#include "crypto/job.h"
#include "crypto/key.h"

static void require(bool ok)
{
    if (!ok) {
        fprintf(stderr, "even: a case did not do what it should\n");
        exit(1);
    }
}

__attribute__((format(printf, 1, 2))) static void counted(const char *fmt, ...)
{
    char label[80];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(label, sizeof(label), fmt, args);
    va_end(args);
    CALLGRIND_DUMP_STATS_AT(label);
}

/* ---- RSA key exchange ---- */

#define LEN       256 /* 2048 bits */
#define SECRET_AT (LEN - CL_PREMASTER_LEN)

static uint8_t block[LEN];

int __wrap_RSA_private_decrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
                               int padding);
int __wrap_RSA_private_decrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
                               int padding)
{
    memcpy(to, block, LEN);
    return LEN;
}

static int same_bytes(void *ctx, uint8_t *out, size_t len)
{
    memset(out, 0xd5, len);
    return 0;
}

static void right_block(void)
{
    for (size_t i = 0; i < LEN; i++) {
        block[i] = (uint8_t)(1 + i % 255);
    }
    block[0] = 0;
    block[1] = 2;
    block[SECRET_AT - 1] = 0;
    block[SECRET_AT] = 3;
    block[SECRET_AT + 1] = 3;
}

/* Says whether the block's secret was taken; what takes its place is what the source gives. */
static bool taken(const struct cleat_key *key)
{
    static const uint8_t ciphertext[LEN];
    const struct cl_rng rng = {.fill = same_bytes};
    struct cl_job job = {.kind = CL_JOB_DECRYPT, .status = CL_JOB_PENDING};
    uint8_t drawn[CL_PREMASTER_LEN];
    job.premaster.key = key;
    job.premaster.rng = &rng;
    job.premaster.version = 0x0303;
    job.premaster.ciphertext = cl_rd_of(ciphertext, LEN);
    CALLGRIND_TOGGLE_COLLECT;
    cl_job_run(&job);
    CALLGRIND_TOGGLE_COLLECT;
    require(job.result == CL_OK);
    memset(drawn, 0xd5, sizeof(drawn));
    const bool block_s = memcmp(job.premaster.secret, block + SECRET_AT, CL_PREMASTER_LEN) == 0;
    require(block_s || memcmp(job.premaster.secret, drawn, CL_PREMASTER_LEN) == 0);
    return block_s;
}

static void premaster(void)
{
    /* bytes that have one right value; the padding has one wrong one */
    static const size_t fixed[] = {0, 1, SECRET_AT - 1, SECRET_AT, SECRET_AT + 1};
    struct cleat_key *key;
    require(cl_key_generate(&key, CL_KEY_RSA, 8 * LEN) == CL_OK);
    right_block();
    require(taken(key)); /* once for what happens once, uncounted */
    CALLGRIND_ZERO_STATS;
    require(taken(key));
    counted("premaster: right");
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        for (unsigned wrong = 1; wrong < 256; wrong++) {
            right_block();
            block[fixed[i]] ^= (uint8_t)wrong;
            require(!taken(key));
            counted("premaster: byte %zu is %u", fixed[i], block[fixed[i]]);
        }
    }
    for (size_t at = 2; at < SECRET_AT - 1; at++) {
        right_block();
        block[at] = 0;
        require(!taken(key));
        counted("premaster: zero at %zu", at);
    }
    memset(block, 0, sizeof(block));
    require(!taken(key));
    counted("premaster: zeros");
    memset(block, 0xff, sizeof(block));
    require(!taken(key));
    counted("premaster: ones");
    cleat_key_free(key);
}

/* ---- AES-CBC with HMAC ---- */

static const struct kind {
    const char *name;
    size_t key_len;
    enum cl_hash_id hash;
    const char *digest;
} kinds[] = {
    {"AES-128-CBC-SHA", 16, CL_HASH_SHA1, "SHA1"},
    {"AES-256-CBC-SHA256", 32, CL_HASH_SHA256, "SHA256"},
    {"AES-256-CBC-SHA384", 32, CL_HASH_SHA384, "SHA384"},
};

/* 272 bytes of text and padding, and a MAC filled up to a whole block: any padding fits */
#define ROOM 400

static const uint8_t aes_key[32] = {1, 2, 3};
static const uint8_t mac_key[48] = {4, 5, 6};
static const uint8_t head[CL_CBC_HEAD] = {[7] = 9, [8] = 23, [9] = 3, [10] = 3};

static size_t plain_record(const struct kind *k, size_t padding, uint8_t *p)
{
    const size_t mac_len = cl_hash_len(k->hash);
    const size_t text_len = 272 + CL_CBC_BLOCK - mac_len % CL_CBC_BLOCK - 1 - padding;
    uint8_t text[CL_CBC_HEAD + 2 + ROOM];
    unsigned n;
    memcpy(text, head, CL_CBC_HEAD);
    text[CL_CBC_HEAD] = (uint8_t)(text_len >> 8);
    text[CL_CBC_HEAD + 1] = (uint8_t)text_len;
    memset(p, 'x', text_len);
    memcpy(text + CL_CBC_HEAD + 2, p, text_len);
    require(HMAC(EVP_get_digestbyname(k->digest), mac_key, (int)mac_len, text,
                 CL_CBC_HEAD + 2 + text_len, p + text_len, &n) != NULL);
    memset(p + text_len + mac_len, (int)padding, padding + 1);
    return text_len + mac_len + padding + 1;
}

static void encrypt(const struct kind *k, uint8_t *record, size_t len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    memset(record, 0x5a, CL_CBC_BLOCK);
    require(EVP_EncryptInit_ex(ctx, k->key_len == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(), NULL,
                               aes_key, record) == 1 &&
            EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
            EVP_EncryptUpdate(ctx, record + CL_CBC_BLOCK, &n, record + CL_CBC_BLOCK, (int)len) ==
                1);
    EVP_CIPHER_CTX_free(ctx);
}

/* Opens a record with that padding of which one byte is changed; at: from the end. */
static void open_changed(const struct kind *k, struct cl_cbc *c, size_t padding, size_t at)
{
    static uint8_t record[CL_CBC_BLOCK + ROOM] __attribute__((aligned(64)));
    uint8_t *plain = record + CL_CBC_BLOCK;
    size_t out_len;
    const size_t len = plain_record(k, padding, plain);
    plain[len - 1 - at] ^= at == 0 ? 0x80 : 1;
    encrypt(k, record, len);
    CALLGRIND_TOGGLE_COLLECT;
    const cl_result r = cl_cbc_open(c, head, record, CL_CBC_BLOCK + len, &out_len);
    CALLGRIND_TOGGLE_COLLECT;
    require(r == CLEAT_ERR_BAD_RECORD_MAC);
}

static void cbc(const struct kind *k)
{
    const struct cl_cbc_params params = {
        .key_len = k->key_len, .key = aes_key, .hash = k->hash, .mac_key = mac_key};
    struct cl_cbc *c;
    require(cl_cbc_new(&c, &params) == CL_OK);
    open_changed(k, c, 0, 0); /* once for what happens once, uncounted */
    CALLGRIND_ZERO_STATS;
    for (size_t padding = 0; padding < 256; padding++) {
        /* the last byte of the MAC; of some paddings, a few more places, inside and behind */
        const size_t places[] = {padding + 1, 0, padding, padding / 2, padding + 2};
        const size_t num = padding % 15 == 0 ? sizeof(places) / sizeof(places[0]) : 1;
        for (size_t i = 0; i < num; i++) {
            open_changed(k, c, padding, places[i]);
            counted("%s: padding %zu, byte %zu from the end", k->name, padding, places[i]);
        }
    }
    cl_cbc_free(c);
}

int main(void)
{
    premaster();
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        cbc(&kinds[i]);
    }
    return 0;
}
