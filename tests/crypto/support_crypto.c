/* tests/crypto/support_crypto.c - see support_crypto.h. */
#include "support_crypto.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/text.h"
#include "cleat/batch.h"

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

json_t *test_data(const char *name)
{
    const char *dir = getenv("CLEAT_TEST_DATA");
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : CLEAT_TEST_DATA, name);
    json_t *root = json_load_file(path, 0, NULL);
    if (root == NULL) {
        (void)fprintf(stderr, "SKIP: no test data at %s (set CLEAT_TEST_DATA)\n", path);
    }
    return root;
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

void assert_batch_agrees(const struct cl_job *done)
{
    struct cl_job jobs[8];
    uint8_t field_secrets[8][CL_GROUP_MAX_PRIME] = {{0}};
    const bool decap = done->kind == CL_JOB_DECAP;
    const bool field = decap && done->kex.group->finite_field;
    struct cleat_batch *batch;
    assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
    for (size_t i = 0; i < 8; i++) {
        jobs[i] = *done;
        jobs[i].status = CL_JOB_PENDING;
        jobs[i].result = CLEAT_ERR_JOB_FAILED;
        if (decap) {
            memset(jobs[i].kex.secret, 0, sizeof(jobs[i].kex.secret));
            jobs[i].kex.field_secret = field ? field_secrets[i] : NULL;
        }
        cleat_batch_add(batch, (struct cleat_job *)&jobs[i]);
    }
    cleat_batch_run(batch, 0);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(jobs[i].status, CL_JOB_DONE);
        assert_int_equal(jobs[i].result, done->result);
        if (decap) {
            assert_memory_equal(field ? field_secrets[i] : jobs[i].kex.secret,
                                field ? done->kex.field_secret : done->kex.secret,
                                done->kex.secret_len);
        }
    }
    cleat_batch_free(batch);
}
