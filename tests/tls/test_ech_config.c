/* tests/tls/test_ech_config.c - ECHConfigList (RFC 9849 4): what is malformed, what is passed over,
 * keys with their configurations in files. */
#include <stdio.h>
#include <string.h>

#include "tls/ech_config.h"
#include "tls/support_ech.h"

#define PUBLIC_KEY \
    "0020"         \
    "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"
#define SUITES \
    "0004"     \
    "00010001"
#define NAME \
    "0b"     \
    "6578616d706c652e6f7267" /* example.org */

/* A list of one configuration with these contents behind config_id and KEM. */
static struct cl_buf list_of(uint16_t version, const char *contents)
{
    struct cl_buf body = test_hex(contents);
    struct cl_buf out = {0};
    uint8_t head[6];
    struct cl_wr w = cl_wr_of(head, sizeof(head));
    cl_wr_u16(&w, (uint16_t)(body.len + 4));
    cl_wr_u16(&w, version);
    cl_wr_u16(&w, (uint16_t)body.len);
    assert_int_equal(cl_buf_append(&out, head, sizeof(head), 4096), CL_OK);
    assert_int_equal(cl_buf_append(&out, body.p, body.len, 4096), CL_OK);
    cl_buf_deinit(&body);
    return out;
}

static const struct {
    const char *name;
    uint16_t version;
    const char *contents;
    int code;
    const char *unusable; /* a part of it; NULL: usable */
} configurations[] = {
    {"a good one", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20" NAME "0000",
     CLEAT_OK, NULL},
    {"an extension that may be passed over", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20" NAME "0005"
     "7a7a0001aa",
     CLEAT_OK, NULL},
    {"an unknown version", 0xfe0e, "0102030405", CLEAT_OK, "version"},
    {"an unknown KEM", 0xfe0d,
     "07"
     "9999" PUBLIC_KEY SUITES "20" NAME "0000",
     CLEAT_OK, "KEM is not known"},
    {"a short key", 0xfe0d,
     "07"
     "0020"
     "000100" SUITES "20" NAME "0000",
     CLEAT_OK, "public key"},
    {"unknown suites", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY "0008"
     "0009000100010009"
     "20" NAME "0000",
     CLEAT_OK, "suites"},
    {"export-only", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY "0004"
     "0001ffff"
     "20" NAME "0000",
     CLEAT_OK, "suites"},
    {"a mandatory extension", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20" NAME "0004"
     "fafa0000",
     CLEAT_OK, "mandatory"},
    {"an extension twice", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20" NAME "0008"
     "0a0a00000a0a0000",
     CLEAT_OK, "twice"},
    {"1.2.3.4", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20"
     "07"
     "312e322e332e34"
     "0000",
     CLEAT_OK, "host name"},
    {"a.0x1f", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20"
     "06"
     "612e30783166"
     "0000",
     CLEAT_OK, "host name"},
    {"0X", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20"
     "02"
     "3058"
     "0000",
     CLEAT_OK, "host name"},
    {"a.0xg is a name", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20"
     "05"
     "612e307867"
     "0000",
     CLEAT_OK, NULL},
    {".org", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20"
     "04"
     "2e6f7267"
     "0000",
     CLEAT_OK, "host name"},
    {"org.", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20"
     "04"
     "6f72672e"
     "0000",
     CLEAT_OK, "host name"},
    {"a_b.org", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20"
     "07"
     "615f622e6f7267"
     "0000",
     CLEAT_OK, "host name"},
    {"no public name", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20"
     "00"
     "0000",
     CLEAT_ERR_BAD_ECH_CONFIG, NULL},
    {"no public key", 0xfe0d,
     "07"
     "0020"
     "0000" SUITES "20" NAME "0000",
     CLEAT_ERR_BAD_ECH_CONFIG, NULL},
    {"no suites", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY "0000"
     "20" NAME "0000",
     CLEAT_ERR_BAD_ECH_CONFIG, NULL},
    {"half a suite", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY "0006"
     "000100010001"
     "20" NAME "0000",
     CLEAT_ERR_BAD_ECH_CONFIG, NULL},
    {"half an extension", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20" NAME "0003"
     "7a7a00",
     CLEAT_ERR_BAD_ECH_CONFIG, NULL},
    {"bytes behind", 0xfe0d,
     "07"
     "0020" PUBLIC_KEY SUITES "20" NAME "0000"
     "00",
     CLEAT_ERR_BAD_ECH_CONFIG, NULL},
};

static void test_configurations_are_used_passed_over_or_refused(void **state)
{
    for (size_t i = 0; i < TEST_LEN(configurations); i++) {
        struct cl_buf list = list_of(configurations[i].version, configurations[i].contents);
        struct cleat_ech_config c = {0};
        print_message("  %s\n", configurations[i].name);
        assert_int_equal(cleat_ech_list_get(list.p, list.len, 0, &c), configurations[i].code);
        if (configurations[i].code == CLEAT_OK) {
            assert_int_equal(c.unusable != NULL, configurations[i].unusable != NULL);
            assert_true(c.unusable == NULL ||
                        strstr(c.unusable, configurations[i].unusable) != NULL);
            assert_int_equal(cleat_ech_list_get(list.p, list.len, 1, &c), CLEAT_ERR_USAGE);
        }
        cl_buf_deinit(&list);
    }
}

static void test_every_shortened_list_is_refused(void **state)
{
    struct cl_buf list = list_of(0xfe0d, "07"
                                         "0020" PUBLIC_KEY SUITES "20" NAME "0000");
    struct cleat_ech_config c;
    for (size_t len = 0; len < list.len; len++) {
        struct cl_buf copy = {0}; /* so that a sanitizer sees its end */
        assert_int_equal(cl_buf_append(&copy, list.p, len, 4096), CL_OK);
        assert_int_equal(cleat_ech_list_get(copy.p, len, 0, &c), CLEAT_ERR_BAD_ECH_CONFIG);
        cl_buf_deinit(&copy);
    }
    cl_buf_deinit(&list);
}

static void test_a_client_takes_the_first_configuration_that_it_can_use(void **state)
{
    struct cl_buf bad = list_of(0xfe0e, "0102030405");
    struct test_ech good;
    struct test_pair p;
    test_ech_make(&good, NULL, 3);
    struct cl_buf both = {0};
    const size_t len = bad.len - 2 + good.list.len - 2;
    const uint8_t head[2] = {(uint8_t)(len >> 8), (uint8_t)len};
    assert_int_equal(cl_buf_append(&both, head, 2, 4096), CL_OK);
    assert_int_equal(cl_buf_append(&both, bad.p + 2, bad.len - 2, 4096), CL_OK);
    assert_int_equal(cl_buf_append(&both, good.list.p + 2, good.list.len - 2, 4096), CL_OK);
    test_pair_make_for(&p, TEST_ECH_HOST, test_client_config(), test_server_config(), NULL);
    assert_int_equal(cleat_tls_offer_ech(p.client.tls, bad.p, bad.len), CLEAT_ERR_UNSUPPORTED);
    assert_int_equal(cleat_tls_ech_status(p.client.tls), CLEAT_ECH_NONE);
    assert_int_equal(cleat_tls_offer_ech(p.client.tls, both.p, both.len - 1),
                     CLEAT_ERR_BAD_ECH_CONFIG);
    assert_int_equal(cleat_tls_offer_ech(p.client.tls, both.p, both.len), CLEAT_OK);
    assert_int_equal(cleat_tls_ech_status(p.client.tls), CLEAT_ECH_OFFERED);
    assert_int_equal(cleat_tls_offer_ech(p.client.tls, both.p, both.len), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_tls_offer_ech(p.server.tls, both.p, both.len), CLEAT_ERR_USAGE);
    test_pair_drop(&p);
    test_ech_drop(&good);
    cl_buf_deinit(&bad);
    cl_buf_deinit(&both);
}

static void test_what_is_generated_says_what_was_asked_for(void **state)
{
    const struct cleat_ech_params params = {.public_name = "cover.example",
                                            .kem = "P-256",
                                            .suites = {{1, 3}, {2, 2}},
                                            .num_suites = 2,
                                            .max_name_len = 99,
                                            .config_id = 200};
    struct cleat_ech_config c;
    struct cleat_ech_keys *keys;
    char *pem;
    assert_int_equal(cleat_ech_generate(&params, &pem, NULL), CLEAT_OK);
    assert_int_equal(cleat_ech_keys_new(&keys), CLEAT_OK);
    assert_int_equal(cleat_ech_keys_add_pem(keys, pem, strlen(pem), true, NULL), CLEAT_OK);
    uint8_t list[512];
    struct cl_wr w = cl_wr_of(list, sizeof(list));
    assert_true(cl_ech_keys_retry(keys, &w));
    assert_int_equal(cleat_ech_list_get(list, w.len, 0, &c), CLEAT_OK);
    assert_null(c.unusable);
    assert_int_equal(c.config_id, 200);
    assert_string_equal(c.kem_name, "P-256");
    assert_int_equal(c.max_name_len, 99);
    assert_int_equal(c.public_name_len, 13);
    assert_memory_equal(c.public_name, "cover.example", 13);
    assert_int_equal(c.suites_len, 8);
    assert_memory_equal(c.suites, "\0\1\0\3\0\2\0\2", 8);
    cleat_ech_keys_free(keys);
    cleat_ech_pem_free(pem);
}

static void test_what_cannot_be_generated_is_told(void **state)
{
    static const struct cleat_ech_params rows[] = {
        {.public_name = NULL},
        {.public_name = "127.0.0.1"},
        {.public_name = "a.example", .kem = "P-999"},
        {.public_name = "a.example", .config_id = 256},
        {.public_name = "a.example", .suites = {{1, 0xffff}}, .num_suites = 1},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_error err = {0};
        char *pem;
        assert_int_equal(cleat_ech_generate(&rows[i], &pem, &err), CLEAT_ERR_BAD_CONFIG);
        assert_true(err.text[0] != '\0');
        assert_null(pem);
    }
}

static void test_keys_without_their_configuration_are_refused(void **state)
{
    struct test_ech a, b;
    struct cleat_ech_keys *keys;
    char mixed[4096];
    test_ech_make(&a, NULL, 1);
    test_ech_make(&b, NULL, 2);
    assert_int_equal(cleat_ech_keys_new(&keys), CLEAT_OK);
    const char *config = strstr(b.pem, "-----BEGIN ECHCONFIG");
    snprintf(mixed, sizeof(mixed), "%.*s%s", (int)(strstr(a.pem, "-----BEGIN ECHCONFIG") - a.pem),
             a.pem, config);
    assert_int_equal(cleat_ech_keys_add_pem(keys, mixed, strlen(mixed), true, NULL),
                     CLEAT_ERR_KEY_MISMATCH);
    assert_int_equal(cleat_ech_keys_add_pem(keys, config, strlen(config), true, NULL),
                     CLEAT_ERR_BAD_PEM);
    assert_int_equal(cleat_ech_keys_add_pem(keys, "", 0, true, NULL), CLEAT_ERR_BAD_PEM);
    assert_null(cl_ech_keys_at(keys, 0));
    cleat_ech_keys_free(keys);
    test_ech_drop(&a);
    test_ech_drop(&b);
}

/* Each key of an id costs a decryption for whoever names it. */
static void test_keys_of_one_id_are_limited(void **state)
{
    struct cleat_ech_keys *keys;
    struct cleat_error err = {0};
    assert_int_equal(cleat_ech_keys_new(&keys), CLEAT_OK);
    for (int i = 0; i <= CLEAT_ECH_MAX_SAME_ID; i++) {
        struct test_ech key;
        test_ech_make(&key, NULL, 5);
        assert_int_equal(cleat_ech_keys_add_pem(keys, key.pem, strlen(key.pem), true, &err),
                         i < CLEAT_ECH_MAX_SAME_ID ? CLEAT_OK : CLEAT_ERR_LIMIT);
        test_ech_drop(&key);
    }
    cleat_ech_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configurations_are_used_passed_over_or_refused),
        cmocka_unit_test(test_every_shortened_list_is_refused),
        cmocka_unit_test(test_a_client_takes_the_first_configuration_that_it_can_use),
        cmocka_unit_test(test_what_is_generated_says_what_was_asked_for),
        cmocka_unit_test(test_what_cannot_be_generated_is_told),
        cmocka_unit_test(test_keys_without_their_configuration_are_refused),
        cmocka_unit_test(test_keys_of_one_id_are_limited),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
