/* tests/tls/test_ech_wrong.c - what a server must refuse in an Encrypted Client Hello (RFC
 * 9849 5.1, 7), and what becomes of one that was changed on the way. */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/support_ech.h"

static struct test_ech key;
static const struct test_ech *const keys[] = {&key};

static int setup(void **state)
{
    test_world_setup(state);
    test_ech_make(&key, NULL, 7);
    return 0;
}

static int teardown(void **state)
{
    test_ech_drop(&key);
    return test_world_teardown(state);
}

/* EncodedClientHelloInner: version, random; suites and compression; extensions. */
#define HEAD \
    "0303"   \
    "0101010101010101010101010101010101010101010101010101010101010101"
#define LISTS \
    "0002"    \
    "1301"    \
    "0100"
#define V13 \
    "002b"  \
    "0003"  \
    "02"    \
    "0304"
#define INNER \
    "fe0d"    \
    "0001"    \
    "01"

/* A server that has been sent one record. */
static void serve(struct test_pair *p, const struct cl_buf *record, bool backend)
{
    struct cleat_tls_builder *b = test_ech_server(keys, 1, 0);
    struct cl_buf out = {0};
    cleat_tls_builder_ech_backend(b, backend);
    test_pair_make(p, test_client_config(), test_finish(b), NULL);
    test_end_feed(&p->server, record->p, record->len);
    test_end_step(&p->server, &out, 0);
    cl_buf_deinit(&out);
}

static const struct {
    const char *name;
    const char *hex;
    int code; /* 0: accepted */
    const char *text;
} encoded_rows[] = {
    {"with its padding",
     HEAD "00" LISTS "0017" V13 INNER "fd00"
          "0007"
          "06"
          "000a000d0033"
          "0000000000",
     0, NULL},
    {"padding that is not zero",
     HEAD "00" LISTS "0017" V13 INNER "fd00"
          "0007"
          "06"
          "000a000d0033"
          "00000001",
     CLEAT_ERR_ILLEGAL_PARAMETER, "padded"},
    {"a session ID",
     HEAD "01aa" LISTS "0017" V13 INNER "fd00"
          "0007"
          "06"
          "000a000d0033",
     CLEAT_ERR_ILLEGAL_PARAMETER, "session ID"},
    {"cut off", HEAD "00" LISTS "0017" V13 INNER, CLEAT_ERR_DECODE, "malformed"},
    {"a reference to what is not there",
     HEAD "00" LISTS "0017" V13 INNER "fd00"
          "0007"
          "06"
          "000a000d0010",
     CLEAT_ERR_ILLEGAL_PARAMETER, "does not have"},
    {"a reference twice",
     HEAD "00" LISTS "0017" V13 INNER "fd00"
          "0007"
          "06"
          "000a000d000d",
     CLEAT_ERR_ILLEGAL_PARAMETER, "does not have"},
    {"references in another order",
     HEAD "00" LISTS "0017" V13 INNER "fd00"
          "0007"
          "06"
          "000d000a0033",
     CLEAT_ERR_ILLEGAL_PARAMETER, "does not have"},
    {"a reference to itself",
     HEAD "00" LISTS "0017" V13 INNER "fd00"
          "0007"
          "06"
          "000a000dfe0d",
     CLEAT_ERR_ILLEGAL_PARAMETER, "refers to the outer"},
    {"references in two places",
     HEAD "00" LISTS "001a" V13 INNER "fd00"
          "0003"
          "02"
          "000a"
          "fd00"
          "0003"
          "02"
          "000d",
     CLEAT_ERR_ILLEGAL_PARAMETER, "twice"},
    {"no reference",
     HEAD "00" LISTS "0011" V13 INNER "fd00"
          "0001"
          "00",
     CLEAT_ERR_DECODE, "ech_outer_extensions"},
    {"half a reference",
     HEAD "00" LISTS "0014" V13 INNER "fd00"
          "0004"
          "03"
          "000a00",
     CLEAT_ERR_DECODE, "ech_outer_extensions"},
    {"TLS 1.2, too",
     HEAD "00" LISTS "0019"
          "002b"
          "0005"
          "04"
          "03040303" INNER "fd00"
          "0007"
          "06"
          "000a000d0033",
     CLEAT_ERR_ILLEGAL_PARAMETER, "TLS 1.2"},
    {"no versions",
     HEAD "00" LISTS "0010" INNER "fd00"
          "0007"
          "06"
          "000a000d0033",
     CLEAT_ERR_ILLEGAL_PARAMETER, "supported_versions"},
    {"not said to be one",
     HEAD "00" LISTS "0012" V13 "fd00"
          "0007"
          "06"
          "000a000d0033",
     CLEAT_ERR_ILLEGAL_PARAMETER, "that it is one"},
    {"said to be an outer one",
     HEAD "00" LISTS "0021" V13 "fe0d"
          "000b"
          "00"
          "00010001"
          "07"
          "0000"
          "0001aa"
          "fd00"
          "0007"
          "06"
          "000a000d0033",
     CLEAT_ERR_ILLEGAL_PARAMETER, "that it is one"},
    {"an extension twice",
     HEAD "00" LISTS "001e" V13 V13 INNER "fd00"
          "0007"
          "06"
          "000a000d0033",
     CLEAT_ERR_ILLEGAL_PARAMETER, "twice"},
    {"nothing", "", CLEAT_ERR_DECODE, "malformed"},
};

static void test_what_the_encoded_inner_hello_may_be(void **state)
{
    for (size_t i = 0; i < TEST_LEN(encoded_rows); i++) {
        struct cl_buf encoded = test_hex(encoded_rows[i].hex);
        struct cl_buf record = {0};
        struct test_pair p;
        print_message("  %s\n", encoded_rows[i].name);
        test_ech_wrap(&record, &key, cl_buf_view(&encoded));
        serve(&p, &record, false);
        if (encoded_rows[i].code == 0) {
            assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_INPUT);
            assert_int_equal(cleat_tls_ech_status(p.server.tls), CLEAT_ECH_ACCEPTED);
        } else {
            test_assert_failed(&p.server, NULL, encoded_rows[i].code,
                               encoded_rows[i].code == CLEAT_ERR_DECODE ? 50 : 47);
            assert_non_null(strstr(cleat_tls_error(p.server.tls)->text, encoded_rows[i].text));
        }
        test_pair_drop(&p);
        cl_buf_deinit(&record);
        cl_buf_deinit(&encoded);
    }
}

static const struct {
    const char *name;
    const char *hex;
    bool backend;
    int code; /* 0: goes on */
    enum cleat_ech_status status;
} extension_rows[] = {
    {"a dummy",
     "00"
     "00010001"
     "07"
     "0000"
     "0001aa",
     false, 0, CLEAT_ECH_REJECTED},
    {"an id that nobody has",
     "00"
     "00010001"
     "08"
     "0000"
     "0001aa",
     false, 0, CLEAT_ECH_REJECTED},
    {"a suite that nobody has",
     "00"
     "00090009"
     "07"
     "0000"
     "0001aa",
     false, 0, CLEAT_ECH_REJECTED},
    {"export-only",
     "00"
     "0001ffff"
     "07"
     "0000"
     "0001aa",
     false, 0, CLEAT_ECH_REJECTED},
    {"empty", "", false, CLEAT_ERR_DECODE, CLEAT_ECH_NONE},
    {"a third type", "02", false, CLEAT_ERR_ILLEGAL_PARAMETER, CLEAT_ECH_NONE},
    {"no payload",
     "00"
     "00010001"
     "07"
     "0000"
     "0000",
     false, CLEAT_ERR_DECODE, CLEAT_ECH_NONE},
    {"cut off",
     "00"
     "00010001"
     "07"
     "0000"
     "0002aa",
     false, CLEAT_ERR_DECODE, CLEAT_ECH_NONE},
    {"bytes behind",
     "00"
     "00010001"
     "07"
     "0000"
     "0001aa"
     "00",
     false, CLEAT_ERR_DECODE, CLEAT_ECH_NONE},
    {"an inner one in clear", "01", false, CLEAT_ERR_ILLEGAL_PARAMETER, CLEAT_ECH_NONE},
    {"the same, behind who decrypts", "01", true, 0, CLEAT_ECH_ACCEPTED},
    {"an inner one with a body", "0100", true, CLEAT_ERR_DECODE, CLEAT_ECH_NONE},
};

static void test_what_the_extension_may_be(void **state)
{
    for (size_t i = 0; i < TEST_LEN(extension_rows); i++) {
        struct cl_buf ext = test_hex(extension_rows[i].hex);
        struct cl_buf record = {0};
        struct test_pair p;
        print_message("  %s\n", extension_rows[i].name);
        test_ech_hello(&record, cl_rd_of(ext.len != 0 ? ext.p : (const uint8_t *)"", ext.len));
        serve(&p, &record, extension_rows[i].backend);
        if (extension_rows[i].code == 0) {
            assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_INPUT);
        } else {
            test_assert_failed(&p.server, NULL, extension_rows[i].code,
                               extension_rows[i].code == CLEAT_ERR_DECODE ? 50 : 47);
        }
        assert_int_equal(cleat_tls_ech_status(p.server.tls), extension_rows[i].status);
        test_pair_drop(&p);
        cl_buf_deinit(&record);
        cl_buf_deinit(&ext);
    }
}

/* ---- on the way ---- */

static void flip(void *ctx, bool to_server, size_t at, uint8_t *p, size_t len)
{
    const size_t *wanted = ctx;
    if (to_server && *wanted >= at && *wanted < at + len) {
        p[*wanted - at] ^= 1;
    }
}

/* The outer ClientHello is authenticated (RFC 9849 5.2): whatever changes in it, the inner one is
 * not used, and no connection comes of it. */
static void test_no_changed_byte_of_the_outer_hello_leads_to_a_connection(void **state)
{
    struct test_pair p;
    test_ech_pair(&p, test_ech_client(), test_ech_server(keys, 1, 0), &key, NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    const size_t len = 5 + (size_t)p.to_server.p[3] * 256 + p.to_server.p[4];
    test_pair_drop(&p);
    for (size_t at = 9; at < len; at += 7) {
        struct cleat_tls_builder *c = test_ech_client();
        cleat_tls_builder_permute(c, false);
        test_ech_pair(&p, c, test_ech_server(keys, 1, 0), &key, NULL);
        p.tamper = flip;
        p.tamper_ctx = &at;
        test_pair_run(&p);
        assert_false(p.client.told_ready);
        assert_false(p.server.told_ready);
        assert_int_not_equal(cleat_tls_ech_status(p.server.tls), CLEAT_ECH_ACCEPTED);
        test_pair_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_encoded_inner_hello_may_be),
        cmocka_unit_test(test_what_the_extension_may_be),
        cmocka_unit_test(test_no_changed_byte_of_the_outer_hello_leads_to_a_connection),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
