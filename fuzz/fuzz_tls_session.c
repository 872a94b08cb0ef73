/* fuzz/fuzz_tls_session.c - a stored session: read back, written again, and offered to a server of
 * ours that may know its ticket. */
#include "tls_world.h"
#include "tls/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void offer(struct cleat_tls_session *session, unsigned how)
{
    struct fz_world *w = fz_world();
    struct cleat_tls_config *config = fz_finish(fz_builder(w, CLEAT_CLIENT, how));
    struct fz_end client;
    struct fz_end server;
    cl_session_binding(config, "localhost", session->binding);
    fz_end_make(&client, CLEAT_CLIENT, how, config, session);
    fz_end_make(&server, CLEAT_SERVER, how, fz_finish(fz_builder(w, CLEAT_SERVER, how)), NULL);
    fz_pair_run(&client, &server, NULL, NULL);
    fz_end_drop(&client);
    fz_end_drop(&server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cleat_tls_session *session = NULL;
    if (cleat_tls_session_import(data, size, &session) != CLEAT_OK) {
        fz_require(session == NULL);
        return 0;
    }
    uint8_t *out = malloc(size);
    size_t len = size;
    fz_require(out != NULL);
    fz_require(cleat_tls_session_export(session, out, &len) == CLEAT_OK);
    fz_require(len == size && memcmp(out, data, size) == 0);
    free(out);
    offer(session, 0);
    offer(session, FZ_12);
    offer(session, FZ_BOTH);
    cleat_tls_session_free(session);
    return 0;
}
