/* tests/tls/support_ech.c - see support_ech.h. */
#include "tls/support_ech.h"

#include <string.h>

#include "base/pem.h"
#include "tls/ech_config.h"
#include "tls/wire.h"

void test_ech_make(struct test_ech *ech, const char *kem, int id)
{
    const struct cleat_ech_params params = {
        .public_name = TEST_ECH_PUBLIC, .kem = kem, .max_name_len = 32, .config_id = id};
    struct cl_pem pem;
    struct cl_pem_block block;
    bool found;
    *ech = (struct test_ech){0};
    assert_int_equal(cleat_ech_generate(&params, &ech->pem, NULL), CLEAT_OK);
    cl_pem_init(&pem, ech->pem, strlen(ech->pem), NULL);
    while (cl_pem_next(&pem, &block, &found) == CL_OK && found) {
        if (cl_rd_equal_str(block.label, "ECHCONFIG")) {
            assert_int_equal(cl_pem_decode(&pem, &block, &ech->list, 65537), CL_OK);
        }
    }
    assert_true(ech->list.len > 4);
}

void test_ech_drop(struct test_ech *ech)
{
    cleat_ech_pem_free(ech->pem);
    cl_buf_deinit(&ech->list);
}

/* Two certificates, so that each name is authenticated by its own. */
static void add_identities(struct cleat_tls_builder *b)
{
    static const char *const names[] = {TEST_ECH_PUBLIC, TEST_ECH_HOST};
    for (size_t i = 0; i < TEST_LEN(names); i++) {
        struct test_identity id = {0};
        test_identity_make(&id, &world.ca, CL_KEY_EC_P256, &names[i], 1, false);
        assert_int_equal(cleat_tls_builder_credential(b, id.chain, id.key), CLEAT_OK);
        test_identity_drop(&id);
    }
}

struct cleat_tls_builder *test_ech_server(const struct test_ech *const *keys, size_t num,
                                          unsigned hidden)
{
    struct cleat_tls_builder *b = test_server_builder_with(NULL);
    struct cleat_ech_keys *set;
    add_identities(b);
    assert_int_equal(cleat_ech_keys_new(&set), CLEAT_OK);
    for (size_t i = 0; i < num; i++) {
        assert_int_equal(cleat_ech_keys_add_pem(set, keys[i]->pem, strlen(keys[i]->pem),
                                                (hidden >> i & 1) == 0, NULL),
                         CLEAT_OK);
    }
    if (num != 0) {
        assert_int_equal(cleat_tls_builder_ech_keys(b, set), CLEAT_OK);
    }
    cleat_ech_keys_free(set);
    return b;
}

struct cleat_tls_builder *test_ech_client(void)
{
    return test_client_builder();
}

void test_ech_pair(struct test_pair *p, struct cleat_tls_builder *client,
                   struct cleat_tls_builder *server, const struct test_ech *offered,
                   struct cleat_tls_session *session)
{
    test_pair_make_for(p, TEST_ECH_HOST, test_finish(client), test_finish(server), session);
    if (offered != NULL) {
        assert_int_equal(cleat_tls_offer_ech(p->client.tls, offered->list.p, offered->list.len),
                         CLEAT_OK);
    }
}

bool test_has_bytes(const struct cl_buf *crossed, const char *text)
{
    return memmem(crossed->p, crossed->len, text, strlen(text)) != NULL;
}

/* 4,096: the longest of these messages */
#define ROOM 4096

/* Everything in front of the extension's body. */
static struct cl_wr_mark begin_hello(struct cl_wr *w)
{
    static const char groups[] = "\0\x0a\0\4\0\2\0\x1d";
    static const char schemes[] = "\0\x0d\0\4\0\2\4\3";
    static const char versions[] = "\0\x2b\0\3\2\3\4";
    static const char share[] = "\0\x33\0\x26\0\x24\0\x1d\0\x20\x09"; /* the base point */
    cl_wr_u16(w, 0x0303);
    cl_wr_zeros(w, 32);
    cl_wr_u8(w, 0);
    cl_wr_u16(w, 2);
    cl_wr_u16(w, 0x1301);
    cl_wr_u16(w, 0x0100);
    struct cl_wr_mark extensions = cl_wr_open16(w);
    cl_wr_bytes(w, groups, 8);
    cl_wr_bytes(w, schemes, 8);
    cl_wr_bytes(w, share, 11);
    cl_wr_zeros(w, 31);
    cl_wr_bytes(w, versions, 7);
    return extensions;
}

static void finish_hello(struct cl_wr *w, struct cl_wr_mark extensions, struct cl_buf *record)
{
    cl_wr_close(w, extensions);
    assert_true(cl_wr_ok(w));
    const uint8_t head[] = {22,
                            3,
                            1,
                            (uint8_t)((w->len + 4) >> 8),
                            (uint8_t)(w->len + 4),
                            1,
                            0,
                            (uint8_t)(w->len >> 8),
                            (uint8_t)w->len};
    assert_int_equal(cl_buf_append(record, head, sizeof(head), ROOM), CL_OK);
    assert_int_equal(cl_buf_append(record, w->p, w->len, ROOM), CL_OK);
}

void test_ech_hello(struct cl_buf *record, struct cl_rd ext)
{
    uint8_t body[ROOM];
    struct cl_wr w = cl_wr_of(body, sizeof(body));
    struct cl_wr_mark extensions = begin_hello(&w);
    if (ext.p != NULL) {
        cl_wr_u16(&w, CL_ET_ENCRYPTED_CLIENT_HELLO);
        struct cl_wr_mark m = cl_wr_open16(&w);
        cl_wr_view(&w, ext);
        cl_wr_close(&w, m);
    }
    finish_hello(&w, extensions, record);
}

void test_ech_wrap(struct cl_buf *record, const struct test_ech *key, struct cl_rd encoded)
{
    struct cl_rd configs;
    struct cl_ech_config c;
    struct cl_hpke *hpke;
    struct cl_buf info = {0};
    uint8_t enc[CL_HPKE_MAX_PUBLIC], body[ROOM], sealed[ROOM];
    assert_true(cl_ech_list_open(cl_buf_view(&key->list), &configs));
    assert_true(cl_ech_config_next(&configs, &c));
    assert_int_equal(cl_ech_info(c.whole, &info), CL_OK);
    const struct cl_hpke_setup setup = {{1, 1}, cl_buf_view(&info), NULL};
    assert_int_equal(cl_hpke_setup_s(&hpke, &setup, cl_hpke_kem_by_id(c.kem), c.public_key,
                                     &cl_rng_system, NULL, enc),
                     CL_OK);
    struct cl_wr w = cl_wr_of(body, sizeof(body));
    struct cl_wr_mark extensions = begin_hello(&w);
    cl_wr_u16(&w, CL_ET_ENCRYPTED_CLIENT_HELLO);
    struct cl_wr_mark ext = cl_wr_open16(&w);
    cl_wr_u8(&w, 0);
    cl_wr_u32(&w, 0x00010001);
    cl_wr_u8(&w, c.id);
    cl_wr_u16(&w, 32);
    cl_wr_bytes(&w, enc, 32);
    struct cl_wr_mark payload = cl_wr_open16(&w);
    const size_t at = w.len;
    cl_wr_zeros(&w, encoded.len + CL_HPKE_TAG_LEN);
    cl_wr_close(&w, payload);
    cl_wr_close(&w, ext);
    cl_wr_close(&w, extensions);
    assert_int_equal(cl_hpke_seal(hpke, cl_rd_of(w.p, w.len), encoded, sealed), CL_OK);
    memcpy(w.p + at, sealed, encoded.len + CL_HPKE_TAG_LEN);
    finish_hello(&w, extensions, record);
    cl_hpke_free(hpke);
    cl_buf_deinit(&info);
}
