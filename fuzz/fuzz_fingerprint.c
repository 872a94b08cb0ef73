/* fuzz/fuzz_fingerprint.c - JA3 and JA4 of the body of a ClientHello, whose header is put in front
 * here: all forms agree whether there is one, and the hashed ones follow from the raw ones. */
#include <stdlib.h>

#include "base/text.h"
#include "cleat/fingerprint.h"
#include "crypto/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 70,000 bytes, of which a form makes 6 characters for every 2 at most */
#define MAX_BODY 70000
#define MAX_TEXT 220000

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

/* The 12 characters that a part of the raw form is hashed to. */
static void check_part(const char *hashed, const char *raw, size_t len)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    char text[13] = "000000000000";
    if (len > 0) {
        cl_hash_once(CL_HASH_SHA256, raw, len, digest);
        cl_hex_encode(digest, 6, text);
    }
    require(memcmp(hashed, text, 12) == 0);
}

static void check_hashes(const char *hashed, const char *raw)
{
    require(strlen(hashed) == CLEAT_JA4_LEN && memcmp(hashed, raw, 11) == 0);
    const char *suites = raw + 11;
    const size_t suites_len = strcspn(suites, "_");
    require(suites[suites_len] == '_');
    const char *extensions = suites + suites_len + 1;
    check_part(hashed + 11, suites, suites_len);
    check_part(hashed + 24, extensions, strlen(extensions));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[CLEAT_JA4_RO + 1][MAX_TEXT];
    static uint8_t message[4 + MAX_BODY];
    int code[CLEAT_JA4_RO + 1];
    if (size > MAX_BODY) {
        return 0;
    }
    struct cl_wr w = cl_wr_of(message, sizeof(message));
    cl_wr_u8(&w, 1);
    cl_wr_u24(&w, (uint32_t)size);
    cl_wr_bytes(&w, data, size);
    for (int form = CLEAT_JA3; form <= CLEAT_JA4_RO; form++) {
        size_t len = MAX_TEXT;
        struct cleat_error err = {0};
        code[form] = cleat_fingerprint((enum cleat_fingerprint)form, 't', message, w.len,
                                       text[form], &len, &err);
        require(code[form] == code[CLEAT_JA3]);
        require(code[form] == CLEAT_OK ? strlen(text[form]) == len
                                       : code[form] == CLEAT_ERR_DECODE && err.text[0] != '\0');
    }
    if (code[CLEAT_JA3] == CLEAT_OK) {
        check_hashes(text[CLEAT_JA4], text[CLEAT_JA4_R]);
        check_hashes(text[CLEAT_JA4_O], text[CLEAT_JA4_RO]);
        require(strlen(text[CLEAT_JA3]) == CLEAT_JA3_LEN);
    }
    return 0;
}
