/* fuzz/fuzz_ech_config.c - ECHConfigList, as DNS, files and servers give it; and files of keys. An
 * input that begins with '-' is PEM. What is taken as a list must be one to a client, too. */
#include <stdlib.h>

#include "tls_world.h"

static void offer(struct cl_rd list, bool usable)
{
    struct fz_end e;
    fz_end_make(&e, CLEAT_CLIENT, 0, fz_finish(fz_builder(fz_world(), CLEAT_CLIENT, 0)), NULL);
    const int r = cleat_tls_offer_ech(e.tls, list.p, list.len);
    fz_require(usable ? r == CLEAT_OK : r == CLEAT_ERR_UNSUPPORTED);
    fz_end_step(&e);
    fz_end_drop(&e);
}

static void read_list(struct cl_rd list)
{
    struct cleat_ech_config c;
    bool usable = false;
    size_t num = 0;
    int r;
    while ((r = cleat_ech_list_get(list.p, list.len, num, &c)) == CLEAT_OK) {
        fz_require(c.bytes >= list.p && c.bytes + c.len <= list.p + list.len);
        usable = usable || c.unusable == NULL;
        num++;
    }
    fz_require(r == (num != 0 ? CLEAT_ERR_USAGE : CLEAT_ERR_BAD_ECH_CONFIG));
    if (num != 0) {
        offer(list, usable);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] != '-') {
        read_list(cl_rd_of(data, size));
        return 0;
    }
    struct cleat_ech_keys *keys;
    struct cleat_error err = {0};
    fz_require(cleat_ech_keys_new(&keys) == CLEAT_OK);
    const int r = cleat_ech_keys_add_pem(keys, (const char *)data, size, true, &err);
    fz_require(err.code == r || r == CLEAT_ERR_NOMEM);
    cleat_ech_keys_free(keys);
    return 0;
}
