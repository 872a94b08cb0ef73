/* JA3 and JA4: the published vectors, the specification's examples, and what no client sends. */
#include <stdio.h>

#include <jansson.h>

#include "base/text.h"
#include "cleat/fingerprint.h"
#include "tls/support_tls.h"

static const char *const form_names[] = {"ja3", "ja3_full", "ja4", "ja4_r", "ja4_o", "ja4_ro"};

/* One form, whatever its length; the caller frees it. */
static char *fingerprint(enum cleat_fingerprint form, struct cl_rd message)
{
    struct cleat_error err = {0};
    size_t len = 0;
    assert_int_equal(cleat_fingerprint(form, 't', message.p, message.len, NULL, &len, &err),
                     CLEAT_ERR_LIMIT);
    char *out = test_malloc(len);
    const size_t cap = len;
    assert_int_equal(cleat_fingerprint(form, 't', message.p, message.len, out, &len, &err),
                     CLEAT_OK);
    assert_int_equal(len + 1, cap);
    assert_int_equal(strlen(out), len);
    return out;
}

static void expect(enum cleat_fingerprint form, struct cl_rd message, const char *wanted)
{
    char *got = fingerprint(form, message);
    if (strcmp(got, wanted) != 0) {
        fail_msg("%s is %s, not %s", form_names[form], got, wanted);
    }
    test_free(got);
}

/* ---- hellos made here ---- */

struct parts {
    uint16_t version;
    const char *suites;     /* hexadecimal */
    const char *extensions; /* hexadecimal: the block without its length; NULL: none at all */
};

static struct cl_buf make(const struct parts *p)
{
    struct cl_buf suites = test_hex(p->suites);
    struct cl_buf block = test_hex(p->extensions != NULL ? p->extensions : "");
    struct cl_buf out = {0};
    assert_int_equal(cl_buf_reserve(&out, 70000 + suites.len + block.len, 1 << 20), CL_OK);
    struct cl_wr w = cl_buf_writer(&out);
    cl_wr_u8(&w, 1);
    struct cl_wr_mark body = cl_wr_open24(&w);
    cl_wr_u16(&w, p->version);
    cl_wr_zeros(&w, 32);
    cl_wr_u8(&w, 0);
    struct cl_wr_mark m = cl_wr_open16(&w);
    cl_wr_view(&w, cl_buf_view(&suites));
    cl_wr_close(&w, m);
    cl_wr_u16(&w, 0x0100);
    if (p->extensions != NULL) {
        m = cl_wr_open16(&w);
        cl_wr_view(&w, cl_buf_view(&block));
        cl_wr_close(&w, m);
    }
    cl_wr_close(&w, body);
    assert_true(cl_wr_ok(&w));
    cl_buf_commit(&out, &w);
    cl_buf_deinit(&suites);
    cl_buf_deinit(&block);
    return out;
}

/* ---- vectors ---- */

/* How the vectors' hashed parts follow from the raw ones is asserted too. */
static void check_vector(json_t *row, struct cl_rd message)
{
    static const struct {
        enum cleat_fingerprint form;
        const char *key;
    } rows[] = {
        {CLEAT_JA3, "ja3"},
        {CLEAT_JA3_FULL, "ja3_full"},
        {CLEAT_JA4, "ja4"},
        {CLEAT_JA4_R, "ja4_r"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        const char *wanted = json_string_value(json_object_get(row, rows[i].key));
        assert_non_null(wanted);
        expect(rows[i].form, message, wanted);
    }
    char *original = fingerprint(CLEAT_JA4_O, message);
    char *raw = fingerprint(CLEAT_JA4_RO, message);
    assert_int_equal(strlen(original), CLEAT_JA4_LEN);
    assert_memory_equal(raw, original, 11);
    test_free(original);
    test_free(raw);
}

static void test_the_published_vectors_come_out(void **state)
{
    json_t *rows = json_load_file(CLEAT_TEST_DATA "/ja4/vectors.json", 0, NULL);
    size_t i;
    json_t *row;
    if (rows == NULL) {
        fprintf(stderr, "SKIPPED: %s is not there\n", CLEAT_TEST_DATA "/ja4/vectors.json");
        skip();
    }
    assert_int_equal(json_array_size(rows), 64);
    json_array_foreach(rows, i, row)
    {
        struct cl_buf message = test_hex(json_string_value(json_object_get(row, "handshake_hex")));
        check_vector(row, cl_buf_view(&message));
        cl_buf_deinit(&message);
    }
    json_decref(rows);
}

/* The example of FoxIO's document, put into a ClientHello with the lengths that it leaves out. */
static void test_the_specifications_example_comes_out(void **state)
{
    const struct parts p = {0x0303,
                            "0a0a130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035",
                            "1a1a0000001b0000000000000033000000100005000302"
                            "68324469000000170000002d0000"
                            "000d00120010040308040401050308050501080606010005000000230000"
                            "00120000002b0007062a2a03040303ff010000"
                            "000b00020100000a000400020017001500003a3a000100"};
    struct cl_buf m = make(&p);
    const struct cl_rd v = cl_buf_view(&m);
    expect(CLEAT_JA4, v, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    expect(CLEAT_JA4_R, v,
           "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_"
           "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_"
           "0403,0804,0401,0503,0805,0501,0806,0601");
    expect(CLEAT_JA4_RO, v,
           "t13d1516h2_1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035_"
           "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015_"
           "0403,0804,0401,0503,0805,0501,0806,0601");
    expect(CLEAT_JA4_O, v, "t13d1516h2_acb858a92679_18f69afefd3d");
    cl_buf_deinit(&m);
}

/* ---- the first part of JA4 ---- */

static void expect_start(const struct parts *p, const char *name, const char *wanted)
{
    struct cl_buf m = make(p);
    char *got = fingerprint(CLEAT_JA4, cl_buf_view(&m));
    if (strncmp(got, wanted, strlen(wanted)) != 0) {
        fail_msg("%s: %s, not %s", name, got, wanted);
    }
    test_free(got);
    cl_buf_deinit(&m);
}

static void test_the_version_is_the_highest_offered(void **state)
{
    static const struct {
        const char *name;
        uint16_t legacy;
        const char *extensions;
        const char *start;
    } rows[] = {
        {"SSL 3.0 without extensions", 0x0300, NULL, "ts3i0100"},
        {"TLS 1.0", 0x0301, NULL, "t10i0100"},
        {"TLS 1.1", 0x0302, NULL, "t11i0100"},
        {"TLS 1.2", 0x0303, NULL, "t12i0100"},
        {"1.3 in the legacy field", 0x0304, NULL, "t13i0100"},
        {"a version nobody knows", 0x0399, NULL, "t00i0100"},
        {"1.3 and 1.2", 0x0303, "002b00050403030304", "t13i0101"},
        {"GREASE in front", 0x0303, "002b0007060a0a03040303", "t13i0101"},
        {"the highest GREASE", 0x0303, "002b000504fafa0303", "t12i0101"},
        {"1.2 alone", 0x0303, "002b0003020303", "t12i0101"},
        {"lower than the legacy field", 0x0303, "002b0003020301", "t10i0101"},
        {"GREASE alone", 0x0303, "002b0003020a0a", "t00i0101"},
        {"an empty list", 0x0303, "002b000100", "t00i0101"},
        {"a draft of TLS 1.3", 0x0303, "002b0005047f1c0303", "t00i0101"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        const struct parts p = {rows[i].legacy, "1301", rows[i].extensions};
        expect_start(&p, rows[i].name, rows[i].start);
    }
}

/* FoxIO's document has the bytes that are not ASCII; its tools print 99 or drop them. */
static void test_alpn_is_the_first_protocols_first_and_last_character(void **state)
{
    static const struct {
        const char *name;
        const char *alpn; /* the extension */
        const char *start;
    } rows[] = {
        {"h2", "001000050003026832", "t12i0101h2"},
        {"http/1.1", "0010000b000908687474702f312e31", "t12i0101h1"},
        {"the first of two", "0010000e000c02683208687474702f312e31", "t12i0101h2"},
        {"one character", "0010000400020178", "t12i0101xx"},
        {"capitals", "0010000600040341425a", "t12i0101AZ"},
        {"no protocol", "001000020000", "t12i010100"},
        {"an empty protocol", "00100003000100", "t12i010100"},
        {"an empty one, then h2", "00100006000400026832", "t12i010100"},
        {"AB", "00100004000201ab", "t12i0101ab"},
        {"20", "0010000400020120", "t12i010120"},
        {"AB CD", "00100005000302abcd", "t12i0101ad"},
        {"20 61", "001000050003022061", "t12i010121"},
        {"30 AB", "0010000500030230ab", "t12i01013b"},
        {"61 20", "001000050003026120", "t12i010160"},
        {"30 31 AB CD", "001000070005043031abcd", "t12i01013d"},
        {"30 AB CD 31", "0010000700050430abcd31", "t12i010101"},
        {"GREASE, as browsers do", "001000050003020a0a", "t12i01010a"},
        {"a slash at its end", "001000040002012f", "t12i01012f"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        const struct parts p = {0x0303, "1301", rows[i].alpn};
        expect_start(&p, rows[i].name, rows[i].start);
    }
}

static void test_server_name_counts_whatever_it_holds(void **state)
{
    const struct parts empty = {0x0303, "1301", "00000000"};
    const struct parts odd = {0x0303, "1301", "00000002abcd"};
    expect_start(&empty, "an empty one", "t12d010100_");
    expect_start(&odd, "a malformed one", "t12d010100_");
}

/* 100 suites and extensions count as 99; 200,000 characters of raw text are written all the same.
 */
static void test_counts_end_at_99_and_nothing_else_does(void **state)
{
    char *suites = test_malloc(4 * 32000 + 1);
    char *extensions = test_malloc(8 * 12000 + 1);
    for (unsigned i = 0; i < 32000; i++) {
        (void)snprintf(suites + 4 * (size_t)i, 5, "%04x", i);
    }
    for (unsigned i = 0; i < 12000; i++) {
        (void)snprintf(extensions + 8 * (size_t)i, 9, "%04x0000", 0x1000 + i);
    }
    const struct {
        const char *name;
        size_t num_suites;
        size_t num_extensions;
        const char *start;
    } rows[] = {
        {"99 of each", 99, 99, "t12i999900_"},
        {"100 of each", 100, 100, "t12i999900_"},
        {"as many as fit", 32000, 12000, "t12i999900_"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        suites[4 * rows[i].num_suites] = '\0';
        extensions[8 * rows[i].num_extensions] = '\0';
        const struct parts p = {0x0303, suites, extensions};
        struct cl_buf m = make(&p);
        char *raw = fingerprint(CLEAT_JA4_R, cl_buf_view(&m));
        assert_memory_equal(raw, rows[i].start, strlen(rows[i].start));
        assert_true(strlen(raw) > 4 * (rows[i].num_suites + rows[i].num_extensions));
        test_free(raw);
        cl_buf_deinit(&m);
        suites[4 * rows[i].num_suites] = '0';
        extensions[8 * rows[i].num_extensions] = '1';
    }
    test_free(suites);
    test_free(extensions);
}

/* ---- the lists ---- */

static void test_what_is_absent_leaves_its_part_empty(void **state)
{
    static const struct {
        const char *name;
        struct parts parts;
        const char *ja4;
        const char *ja4_r;
        const char *ja3_full;
    } rows[] = {
        {"no extensions",
         {0x0301, "002f", NULL},
         "t10i010000_ba72b8082249_000000000000",
         "t10i010000_002f_",
         "769,47,,,"},
        {"an empty list of extensions",
         {0x0301, "002f", ""},
         "t10i010000_ba72b8082249_000000000000",
         "t10i010000_002f_",
         "769,47,,,"},
        {"server_name and ALPN alone",
         {0x0303, "002f", "00000000001000050003026832"},
         "t12d0102h2_ba72b8082249_000000000000",
         "t12d0102h2_002f_",
         "771,47,0-16,,"},
        {"no suites",
         {0x0303, "", "00170000"},
         "t12i000100_000000000000_1ca028f07214",
         "t12i000100__0017",
         "771,,23,,"},
        {"GREASE alone",
         {0x0303, "0a0afafa", "1a1a0000"},
         "t12i000000_000000000000_000000000000",
         "t12i000000__",
         "771,,,,"},
        {"no signature algorithms in their list",
         {0x0303, "002f", "000d00020000"},
         "t12i010100_ba72b8082249_06540eb5c95f",
         "t12i010100_002f_000d",
         "771,47,13,,"},
        {"GREASE among all others",
         {0x0303, "0a0a002f", "5a5a0000000a00080006baba001d0a0a000b0003020a00000d00060004caca0403"},
         "t12i010300_ba72b8082249_2bbaf9536c97",
         "t12i010300_002f_000a,000b,000d_0403",
         "771,47,10-11-13,29,10-0"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cl_buf m = make(&rows[i].parts);
        expect(CLEAT_JA4_R, cl_buf_view(&m), rows[i].ja4_r);
        expect(CLEAT_JA4, cl_buf_view(&m), rows[i].ja4);
        expect(CLEAT_JA3_FULL, cl_buf_view(&m), rows[i].ja3_full);
        cl_buf_deinit(&m);
    }
}

/* RFC 8701: exactly sixteen values; neighbours count. */
static void test_grease_is_exactly_sixteen_values(void **state)
{
    unsigned num = 0;
    for (unsigned v = 0; v <= 0xffff; v++) {
        char suites[9];
        size_t len = 64;
        char out[64];
        (void)snprintf(suites, sizeof(suites), "%04x", v);
        const struct parts p = {0x0303, suites, NULL};
        /* one message, its suite changed in place: 65,536 of them */
        static struct cl_buf m;
        if (v == 0) {
            m = make(&p);
        }
        m.p[4 + 2 + 32 + 1 + 2] = (uint8_t)(v >> 8);
        m.p[4 + 2 + 32 + 1 + 3] = (uint8_t)v;
        assert_int_equal(cleat_fingerprint(CLEAT_JA4_R, 't', m.p, m.len, out, &len, NULL), CL_OK);
        num += memcmp(out, "t12i00", 6) == 0 ? 1 : 0;
        if (v == 0xffff) {
            cl_buf_deinit(&m);
        }
    }
    assert_int_equal(num, 16);
}

/* An extension that is not read may come twice, and counts as often. */
static void test_extensions_that_are_there_twice_are_listed_twice(void **state)
{
    const struct parts p = {0x0303, "1301", "00170000000000000017000000000000"};
    struct cl_buf m = make(&p);
    expect(CLEAT_JA4_R, cl_buf_view(&m), "t12d010400_1301_0017,0017");
    expect(CLEAT_JA4_RO, cl_buf_view(&m), "t12d010400_1301_0017,0000,0017,0000");
    expect(CLEAT_JA3_FULL, cl_buf_view(&m), "771,4865,23-0-23-0,,");
    cl_buf_deinit(&m);
}

/* ---- refused ---- */

static void expect_refused(struct cl_rd message, const char *name, const char *why)
{
    for (int form = CLEAT_JA3; form <= CLEAT_JA4_RO; form++) {
        struct cleat_error err = {0};
        char out[64] = "untouched";
        size_t len = sizeof(out);
        const int code = cleat_fingerprint((enum cleat_fingerprint)form, 't', message.p,
                                           message.len, out, &len, &err);
        if (code != CLEAT_ERR_DECODE || strstr(err.text, why) == NULL ||
            strcmp(out, "untouched") != 0) {
            fail_msg("%s: %s, '%s', %s", name, cleat_error_name(code), err.text, out);
        }
    }
}

static void test_what_cannot_be_read_is_refused_not_guessed(void **state)
{
    static const struct {
        const char *name;
        const char *suites;
        const char *extensions;
        const char *why;
    } rows[] = {
        {"half a suite", "130113", "", "half a cipher suite"},
        {"half a type", "1301", "00", "in the middle of one"},
        {"a body that is too short", "1301", "00170001", "in the middle of one"},
        {"versions without length", "1301", "002b0000", "extension 43 has wrong lengths"},
        {"half a version", "1301", "002b00020103", "extension 43 has wrong lengths"},
        {"bytes behind versions", "1301", "002b000402030400", "extension 43 has wrong lengths"},
        {"groups with a wrong length", "1301", "000a00040004001d", "extension 10 has"},
        {"half a group", "1301", "000a0003000100", "extension 10 has"},
        {"schemes with a wrong length", "1301", "000d000400010403", "extension 13 has"},
        {"formats with a wrong length", "1301", "000b00020200", "extension 11 has"},
        {"ALPN without a list", "1301", "00100000", "extension 16 has"},
        {"a protocol longer than its list", "1301", "001000050003056832", "extension 16 has"},
        {"a second protocol that is too long", "1301", "00100006000402683205", "extension 16 has"},
        {"versions twice", "1301", "002b0003020304002b0003020304", "extension 43 is there twice"},
        {"ALPN twice", "1301", "001000020000001000020000", "extension 16 is there twice"},
        {"schemes twice", "1301", "000d00020000000d00020000", "extension 13 is there twice"},
        {"groups twice", "1301", "000a00020000000a00020000", "extension 10 is there twice"},
        {"formats twice", "1301", "000b000100000b000100", "extension 11 is there twice"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        const struct parts p = {0x0303, rows[i].suites, rows[i].extensions};
        struct cl_buf m = make(&p);
        expect_refused(cl_buf_view(&m), rows[i].name, rows[i].why);
        cl_buf_deinit(&m);
    }
}

static void test_every_truncation_is_refused(void **state)
{
    const struct parts p = {0x0303, "13011302", "002b0003020304000d00040002040300000000"};
    struct cl_buf m = make(&p);
    for (size_t len = 0; len < m.len; len++) {
        expect_refused(cl_rd_of(m.p, len), "cut", "not a well-formed ClientHello");
        if (len < 4) {
            continue;
        }
        /* the same with a header that says so; a hello may end in front of its extensions */
        struct cl_buf copy = {0};
        assert_int_equal(cl_buf_append(&copy, m.p, len, 1000), CL_OK);
        copy.p[3] = (uint8_t)(len - 4);
        if (len != 4 + 2 + 32 + 1 + 6 + 2) {
            expect_refused(cl_buf_view(&copy), "cut inside", "not a well-formed ClientHello");
        }
        cl_buf_deinit(&copy);
    }
    m.p[0] = 2;
    expect_refused(cl_buf_view(&m), "ServerHello", "it is another message");
    cl_buf_deinit(&m);
}

static void test_the_contract_is_kept(void **state)
{
    const struct parts p = {0x0303, "1301", NULL};
    struct cl_buf m = make(&p);
    char out[CLEAT_JA4_LEN + 1];
    size_t len = CLEAT_JA4_LEN;
    assert_int_equal(cleat_fingerprint(CLEAT_JA4, 't', m.p, m.len, out, &len, NULL),
                     CLEAT_ERR_LIMIT);
    assert_int_equal(len, CLEAT_JA4_LEN + 1);
    assert_int_equal(cleat_fingerprint(CLEAT_JA4, 'q', m.p, m.len, out, &len, NULL), CLEAT_OK);
    assert_int_equal(out[0], 'q');
    len = sizeof(out);
    assert_int_equal(cleat_fingerprint(CLEAT_JA4, 'x', m.p, m.len, out, &len, NULL),
                     CLEAT_ERR_USAGE);
    assert_int_equal(cleat_fingerprint((enum cleat_fingerprint)6, 't', m.p, m.len, out, &len, NULL),
                     CLEAT_ERR_USAGE);
    assert_int_equal(cleat_fingerprint(CLEAT_JA3, 't', m.p, m.len, out, &len, NULL), CLEAT_OK);
    assert_int_equal(len, CLEAT_JA3_LEN);
    cl_buf_deinit(&m);
}

static unsigned allocations_left;

static bool run_dry(void *ctx, size_t size)
{
    return allocations_left > 0 && allocations_left-- > 0;
}

static void test_short_memory_is_told(void **state)
{
    const struct parts p = {0x0303, "13011302", "002b0003020304000d00040002040300000000"};
    struct cl_buf m = make(&p);
    for (int form = CLEAT_JA3; form <= CLEAT_JA4_RO; form++) {
        char out[400];
        int code = CLEAT_ERR_NOMEM;
        for (unsigned given = 0; code != CLEAT_OK; given++) {
            size_t len = sizeof(out);
            assert_true(given < 10);
            allocations_left = given;
            cl_mem_test_hook(run_dry, NULL);
            code =
                cleat_fingerprint((enum cleat_fingerprint)form, 't', m.p, m.len, out, &len, NULL);
            cl_mem_test_hook(NULL, NULL);
            assert_true(code == CLEAT_OK || code == CLEAT_ERR_NOMEM);
        }
    }
    cl_buf_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_published_vectors_come_out),
        cmocka_unit_test(test_the_specifications_example_comes_out),
        cmocka_unit_test(test_the_version_is_the_highest_offered),
        cmocka_unit_test(test_alpn_is_the_first_protocols_first_and_last_character),
        cmocka_unit_test(test_server_name_counts_whatever_it_holds),
        cmocka_unit_test(test_counts_end_at_99_and_nothing_else_does),
        cmocka_unit_test(test_what_is_absent_leaves_its_part_empty),
        cmocka_unit_test(test_grease_is_exactly_sixteen_values),
        cmocka_unit_test(test_extensions_that_are_there_twice_are_listed_twice),
        cmocka_unit_test(test_what_cannot_be_read_is_refused_not_guessed),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_the_contract_is_kept),
        cmocka_unit_test(test_short_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
