/* tests/crypto/support_crypto.c - see support_crypto.h. */
#include "support_crypto.h"

#include <openssl/err.h>

#include "base/text.h"

size_t unhex(const char *hex, uint8_t *out)
{
    size_t len = 0;
    assert_true(cl_hex_decode(hex, strlen(hex), out, UNHEX_MAX, &len));
    return len;
}

void assert_hex(const uint8_t *p, size_t len, const char *hex)
{
    char text[2 * UNHEX_MAX + 1];
    assert_true(len <= UNHEX_MAX);
    cl_hex_encode(p, len, text);
    assert_string_equal(text, hex);
}

static int fill_fixed(void *ctx, uint8_t *out, size_t len)
{
    const struct fixed_source *source = ctx;
    assert_true(len <= source->len);
    memcpy(out, source->bytes, len);
    return 0;
}

struct cl_rng fixed_rng(struct fixed_source *source)
{
    return (struct cl_rng){.fill = fill_fixed, .ctx = source};
}

static int fill_never(void *ctx, uint8_t *out, size_t len)
{
    return -1;
}

const struct cl_rng broken_rng = {.fill = fill_never};

static unsigned countdown;
static bool did_fail;

static bool allow_until(void *ctx, size_t size)
{
    if (countdown == 0) {
        did_fail = true;
        return false;
    }
    countdown--;
    return true;
}

void fail_allocation(unsigned n)
{
    countdown = n;
    did_fail = false;
    cl_mem_test_hook(allow_until, NULL);
}

bool stop_failing(void)
{
    cl_mem_test_hook(NULL, NULL);
    return did_fail;
}

void assert_no_libcrypto_error(void)
{
    assert_int_equal(ERR_peek_error(), 0);
}
