/* fuzz/fuzz_tls_client.c - a client's whole connection: a byte of configuration (tls_world.h), a
 * byte for the sizes of the pieces, and what the server sends. Randomness is fixed: the recorded
 * servers of the corpus get through to the end. */
#include "tls_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_rd r = cl_rd_of(data, size);
    struct fz_world *w = fz_world();
    struct fz_end e;
    uint8_t how;
    uint8_t cut;
    if (!cl_rd_u8(&r, &how) || !cl_rd_u8(&r, &cut)) {
        return 0;
    }
    fz_end_make(&e, CLEAT_CLIENT, how, fz_finish(fz_builder(w, CLEAT_CLIENT, how)), NULL);
    fz_end_step(&e);
    fz_feed_cut(&e, r, cut);
    cleat_tls_session_free(cleat_tls_take_session(e.tls));
    int ended = cleat_tls_eof(e.tls);
    fz_require(ended == CLEAT_OK || ended == CLEAT_ERR_TRUNCATED);
    fz_end_drop(&e);
    return 0;
}
