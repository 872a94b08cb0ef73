/* fuzz/fuzz_ech_inner.c - an EncodedClientHelloInner that somebody has encrypted to a server: a
 * byte that says how the server is configured (tls_world.h), a byte with the number of bytes of the
 * outer ClientHello's own extensions in units of four, these, and the encoded inner one. */
#include "crypto/hpke.h"
#include "tls/ech_config.h"
#include "tls/wire.h"
#include "tls_world.h"

#define ROOM 8192

/* Made once: a key pair whose private half is all ones, and its configuration. */
static struct cl_hpke_key pair;
static struct cl_buf list;

static struct cleat_ech_keys *make_keys(void)
{
    static const struct cleat_ech_params params = {.public_name = "public.example"};
    uint8_t ones[32];
    struct cleat_ech_keys *keys;
    memset(ones, 1, sizeof(ones));
    if (list.len == 0) {
        const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(CL_HPKE_X25519);
        fz_require(cl_hpke_key_of(&pair, kem, cl_rd_of(ones, sizeof(ones))) == CL_OK);
        fz_require(cl_ech_config_build(&params, 7, &pair, &list) == CL_OK);
    }
    fz_require(cleat_ech_keys_new(&keys) == CLEAT_OK);
    fz_require(cleat_ech_keys_add(keys, list.p + 2, list.len - 2, ones, sizeof(ones), true, NULL) ==
               CLEAT_OK);
    return keys;
}

static void put_hello(struct cl_wr *w, struct cl_rd own, const uint8_t *enc, size_t payload_len,
                      size_t *payload_at)
{
    cl_wr_u16(w, 0x0303);
    cl_wr_zeros(w, 32);
    cl_wr_u8(w, 0);
    cl_wr_u16(w, 2);
    cl_wr_u16(w, 0x1301);
    cl_wr_u16(w, 0x0100);
    struct cl_wr_mark extensions = cl_wr_open16(w);
    cl_wr_view(w, own);
    cl_wr_u16(w, CL_ET_ENCRYPTED_CLIENT_HELLO);
    struct cl_wr_mark ext = cl_wr_open16(w);
    cl_wr_u8(w, 0);
    cl_wr_u32(w, 0x00010001);
    cl_wr_u8(w, 7);
    cl_wr_u16(w, 32);
    cl_wr_bytes(w, enc, 32);
    struct cl_wr_mark payload = cl_wr_open16(w);
    *payload_at = w->len;
    cl_wr_zeros(w, payload_len);
    cl_wr_close(w, payload);
    cl_wr_close(w, ext);
    cl_wr_close(w, extensions);
}

/* The ClientHello in a record; its length, 0: it does not fit. */
static size_t wrap(struct cl_rd own, struct cl_rd encoded, uint8_t record[ROOM])
{
    struct cl_buf info = {0};
    struct cl_hpke *hpke;
    uint8_t enc[CL_HPKE_MAX_PUBLIC];
    uint8_t sealed[ROOM];
    size_t at;
    fz_require(cl_ech_info(cl_rd_of(list.p + 2, list.len - 2), &info) == CL_OK);
    const struct cl_hpke_setup setup = {{1, 1}, cl_buf_view(&info), NULL};
    fz_require(cl_hpke_setup_s(&hpke, &setup, pair.kem, cl_rd_of(pair.public_key, 32), NULL, &pair,
                               enc) == CL_OK);
    struct cl_wr w = cl_wr_of(record, ROOM);
    cl_wr_bytes(&w, "\x16\x03\x01", 3);
    struct cl_wr_mark whole = cl_wr_open16(&w);
    cl_wr_u8(&w, 1);
    struct cl_wr_mark message = cl_wr_open24(&w);
    const size_t start = w.len;
    put_hello(&w, own, enc, encoded.len + CL_HPKE_TAG_LEN, &at);
    cl_wr_close(&w, message);
    cl_wr_close(&w, whole);
    if (cl_wr_ok(&w)) {
        fz_require(cl_hpke_seal(hpke, cl_rd_of(record + start, w.len - start), encoded, sealed) ==
                   CL_OK);
        memcpy(record + at, sealed, encoded.len + CL_HPKE_TAG_LEN);
    }
    cl_hpke_free(hpke);
    cl_buf_deinit(&info);
    return cl_wr_ok(&w) ? w.len : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_rd r = cl_rd_of(data, size);
    struct cl_rd own;
    uint8_t how, units;
    uint8_t record[ROOM];
    if (!cl_rd_u8(&r, &how) || !cl_rd_u8(&r, &units) || !cl_rd_take(&r, 4 * (size_t)units, &own)) {
        return 0;
    }
    how &= FZ_RETRY | FZ_BOTH | FZ_AUTH;
    struct cleat_ech_keys *keys = make_keys();
    struct cleat_tls_builder *b = fz_builder(fz_world(), CLEAT_SERVER, how);
    fz_require(cleat_tls_builder_ech_keys(b, keys) == CLEAT_OK);
    cleat_ech_keys_free(keys);
    struct fz_end e;
    fz_end_make(&e, CLEAT_SERVER, how, fz_finish(b), NULL);
    const size_t len = wrap(own, r, record);
    if (len != 0) {
        fz_feed_cut(&e, cl_rd_of(record, len), 0);
        fz_require(cleat_tls_ech_status(e.tls) != CLEAT_ECH_OFFERED);
    }
    fz_end_drop(&e);
    return 0;
}
