/* bench/bio.c - see bio.h. */
#include "bench/bio.h"

static int wire_read(BIO *bio, char *out, size_t len, size_t *num_read)
{
    BIO_clear_retry_flags(bio);
    *num_read = bench_wire_take(((struct bench_ends *)BIO_get_data(bio))->in, out, len);
    if (*num_read == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    return 1;
}

static int wire_write(BIO *bio, const char *p, size_t len, size_t *num_written)
{
    BIO_clear_retry_flags(bio);
    *num_written = len;
    return bench_wire_put(((struct bench_ends *)BIO_get_data(bio))->out, p, len);
}

static long wire_ctrl(BIO *bio, int cmd, long num, void *p)
{
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *wire_method(void)
{
    static BIO_METHOD *method; /* kept until the process ends */
    if (method == NULL) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bench wire");
        if (method != NULL) {
            (void)BIO_meth_set_read_ex(method, wire_read);
            (void)BIO_meth_set_write_ex(method, wire_write);
            (void)BIO_meth_set_ctrl(method, wire_ctrl);
        }
    }
    return method;
}

BIO *bench_bio_new(struct bench_ends *ends)
{
    const BIO_METHOD *method = wire_method();
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    if (bio != NULL) {
        BIO_set_data(bio, ends);
        BIO_set_init(bio, 1);
    }
    return bio;
}
