/* mb_off.c - a program whose lib/crypto/mb.c was compiled as CLEAT_CRYPTO_MB=OFF has it: batches
 * work, one job at a time, whatever is installed. */
#include "support_crypto.h"

#include "cleat/batch.h"
#include "crypto/job.h"
#include "crypto/mb.h"

static void test_batches_run_single_operations(void **state)
{
    struct cleat_batch *batch;
    struct cl_job jobs[CL_LANES];
    uint8_t shares[CL_LANES][CL_GROUP_MAX_SHARE];
    assert_string_equal(cleat_batch_describe(), "single operations: built without crypto_mb");
    assert_null(cl_mb());
    assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
    for (size_t i = 0; i < CL_LANES; i++) {
        jobs[i] = (struct cl_job){.kind = CL_JOB_KEYGEN, .status = CL_JOB_PENDING};
        jobs[i].kex = (struct cl_job_kex){
            .group = cl_group_by_id(CL_GROUP_X25519), .rng = &cl_rng_system, .share = shares[i]};
        cleat_batch_add(batch, (struct cleat_job *)&jobs[i]);
    }
    cleat_batch_run(batch, 1000);
    for (size_t i = 0; i < CL_LANES; i++) {
        assert_int_equal(jobs[i].status, CL_JOB_DONE);
        assert_int_equal(jobs[i].result, CL_OK);
        cl_kex_key_free(jobs[i].kex.key);
    }
    cleat_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_batches_run_single_operations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
