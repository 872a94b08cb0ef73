/* fuzz/fuzz_tls_server.c - a server's whole connection: a byte of configuration (tls_world.h), a
 * byte for the sizes of the pieces, and what the client sends. Randomness is fixed: the recorded
 * clients of the corpus get through to the end. */
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
    fz_end_make(&e, CLEAT_SERVER, how, fz_finish(fz_builder(w, CLEAT_SERVER, how)), NULL);
    fz_feed_cut(&e, r, cut);
    int ended = cleat_tls_eof(e.tls);
    fz_require(ended == CLEAT_OK || ended == CLEAT_ERR_TRUNCATED);
    fz_end_drop(&e);
    return 0;
}
