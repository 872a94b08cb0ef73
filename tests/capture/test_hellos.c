/* ClientHellos out of files of every kind, and packets of every link layer. */
#include "support_capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <pcap/dlt.h>

#include "base/text.h"

struct file {
    char path[64];
};

static struct file write_file(const void *p, size_t len)
{
    struct file f = {"/tmp/cleat-hellos-XXXXXX"};
    const int fd = mkstemp(f.path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, len), (ssize_t)len);
    (void)close(fd);
    return f;
}

/* What is read of the bytes as a file; told has the last ClientHello. */
static cl_result read_bytes(const void *p, size_t len, struct told *told,
                            struct cl_hello_counts *counts, struct cleat_error *err)
{
    const struct file f = write_file(p, len);
    *told = (struct told){0};
    *counts = (struct cl_hello_counts){0};
    *err = (struct cleat_error){0};
    const cl_result r = cl_hellos_read(f.path, tell, told, counts, err);
    (void)unlink(f.path);
    return r;
}

static void expect_hello(const void *p, size_t len, const struct hello_bytes *hello)
{
    struct told told;
    struct cl_hello_counts counts;
    struct cleat_error err;
    const cl_result r = read_bytes(p, len, &told, &counts, &err);
    if (r != CL_OK || told.num != 1) {
        fail_msg("%s, %u told, %s", cleat_error_name(r), told.num, err.text);
    }
    assert_int_equal(told.len, hello->message_len);
    assert_memory_equal(told.message, hello->message, hello->message_len);
}

static void test_a_message_records_and_digits_of_either_are_read(void **state)
{
    struct hello_bytes hello;
    char digits[8001];
    make_hello(&hello, 300, 100);
    expect_hello(hello.message, hello.message_len, &hello);
    expect_hello(hello.records, hello.records_len, &hello);
    cl_hex_encode(hello.message, hello.message_len, digits);
    expect_hello(digits, strlen(digits), &hello);
    cl_hex_encode(hello.records, hello.records_len, digits);
    digits[strlen(digits)] = '\n';
    expect_hello(digits, 2 * hello.records_len + 1, &hello);
}

/* What a file must be for it to be worth reading; the sentence says what is wrong. */
static void test_other_files_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *reason;
    } rows[] = {
        {"", 0, "it is empty"},
        {"GET / HTTP/1.1\r\n", 16, "neither a capture nor a ClientHello"},
        {"\x16\x03\x01\x00\x40\x01\x00\x00", 8, "end before the ClientHello does"},
        {"\x16\x03\x01\x00\x40\x02\x00\x00", 8, "no ClientHello in them"},
        {"\x01\x00\x00\x40\x03\x03", 6, "do not agree"},
        {"\x01\x00", 2, "do not agree"},
        {"0200004003", 10, "the digits are neither"},
        {"010", 3, "neither a capture nor a ClientHello"},
        {"\xa1\xb2\xc3\xd4", 4, "truncated dump file"},
        {"\x0a\x0d\x0d\x0a\0\0\0\0\0\0\0\0", 12, "unknown file format"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct told told;
        struct cl_hello_counts counts;
        struct cleat_error err;
        const cl_result r = read_bytes(rows[i].bytes, rows[i].len, &told, &counts, &err);
        if (r != CLEAT_ERR_DECODE || strstr(err.text, rows[i].reason) == NULL || told.num != 0) {
            fail_msg("row %zu: %s, '%s'", i, cleat_error_name(r), err.text);
        }
    }
}

static void test_a_file_that_is_not_there_says_so(void **state)
{
    struct told told = {0};
    struct cl_hello_counts counts = {0};
    struct cleat_error err = {0};
    assert_int_equal(cl_hellos_read("/nowhere/hello.bin", tell, &told, &counts, &err),
                     CLEAT_ERR_SYSTEM);
    assert_string_equal(err.text, "No such file or directory");
}

/* ---- captures ---- */

/* A pcap file of one packet. */
static size_t make_pcap(uint8_t *out, size_t cap, uint32_t link_type, struct cl_rd packet)
{
    struct cl_wr w = cl_wr_of(out, cap);
    cl_wr_u32(&w, 0xa1b2c3d4);
    cl_wr_u32(&w, 0x00020004);
    cl_wr_u64(&w, 0);
    cl_wr_u32(&w, 65535);
    cl_wr_u32(&w, link_type);
    cl_wr_u32(&w, 1795000000); /* seconds, microseconds */
    cl_wr_u32(&w, 250000);
    cl_wr_u32(&w, (uint32_t)packet.len);
    cl_wr_u32(&w, (uint32_t)packet.len);
    cl_wr_view(&w, packet);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

static void test_a_capture_file_is_read_and_its_damage_told(void **state)
{
    struct hello_bytes hello;
    struct told told;
    struct cl_hello_counts counts;
    struct cleat_error err;
    uint8_t file[5000];
    make_hello(&hello, 300, 16384);
    const struct packet p =
        make_packet(1, hello.records, hello.records_len, (struct packet_flags){0});
    const size_t len = make_pcap(file, sizeof(file), 1, cl_rd_of(p.p, p.len));
    expect_hello(file, len, &hello);
    /* the head of a second packet, and no more of it */
    memcpy(file + len, file + 24, 16);
    assert_int_equal(read_bytes(file, len + 16, &told, &counts, &err), CLEAT_ERR_DECODE);
    assert_non_null(strstr(err.text, "after 1 packets: truncated dump file"));
    assert_int_equal(told.num, 1);
    assert_int_equal(told.last.time_us, INT64_C(1795000000250000));
}

static void test_a_link_type_that_cannot_be_read_is_named(void **state)
{
    struct told told;
    struct cl_hello_counts counts;
    struct cleat_error err;
    uint8_t file[500];
    const size_t len = make_pcap(file, sizeof(file), 105, cl_rd_of("x", 1));
    assert_int_equal(read_bytes(file, len, &told, &counts, &err), CLEAT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "IEEE802_11"));
}

/* ---- packets ---- */

/* The IPv4 part of a packet behind other link layers. */
static void test_every_link_layer_leads_to_the_segment(void **state)
{
    static const struct {
        const char *name;
        int link_type;
        const char *head;
        size_t len;
    } rows[] = {
        {"Ethernet", DLT_EN10MB, "aaaaaabbbbbb\x08\x00", 14},
        {"a VLAN", DLT_EN10MB, "aaaaaabbbbbb\x81\x00\x00\x05\x08\x00", 18},
        {"two VLANs", DLT_EN10MB, "aaaaaabbbbbb\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00", 22},
        {"PPPoE", DLT_EN10MB, "aaaaaabbbbbb\x88\x64\x11\x00\x00\x01\x01\x59\x00\x21", 22},
        {"cooked", DLT_LINUX_SLL,
         "\x00\x00\x00\x01\x00\x06\x61\x61\x61\x61\x61\x61\x00\x00\x08\x00", 16},
        {"cooked 2", DLT_LINUX_SLL2,
         "\x08\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x06\x61\x61\x61\x61\x61\x61\x00\x00", 20},
        {"loopback, big-endian", DLT_NULL, "\x00\x00\x00\x02", 4},
        {"loopback, little-endian", DLT_NULL, "\x02\x00\x00\x00", 4},
        {"loopback of OpenBSD", DLT_LOOP, "\x00\x00\x00\x02", 4},
        {"raw", DLT_RAW, "", 0},
        {"IPv4", DLT_IPV4, "", 0},
    };
    const struct packet p = make_packet(7, "hello", 5, (struct packet_flags){0});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[200];
        struct cl_segment s;
        struct cl_wr w = cl_wr_of(bytes, sizeof(bytes));
        cl_wr_bytes(&w, rows[i].head, rows[i].len);
        cl_wr_bytes(&w, p.p + 14, p.len - 14);
        cl_wr_zeros(&w, 6); /* padding of a short frame */
        assert_true(cl_packet_knows(rows[i].link_type));
        if (cl_packet_parse(rows[i].link_type, cl_rd_of(bytes, w.len), &s) != CL_PACKET_TCP ||
            !cl_rd_equal_str(s.data, "hello") || s.seq != 7 || s.cut) {
            fail_msg("%s", rows[i].name);
        }
        for (size_t len = 0; len < rows[i].len + 40; len++) {
            assert_int_equal(cl_packet_parse(rows[i].link_type, cl_rd_of(bytes, len), &s),
                             CL_PACKET_OTHER);
        }
        assert_int_equal(cl_packet_parse(rows[i].link_type, cl_rd_of(bytes, rows[i].len + 42), &s),
                         CL_PACKET_TCP);
        assert_true(s.cut);
    }
}

/* IPv6: next header, then the extension headers in front of TCP. */
static void test_ipv6_extension_headers_are_passed(void **state)
{
    static const struct {
        const char *name;
        uint8_t next;
        const char *headers;
        size_t len;
        enum cl_packet_kind kind;
    } rows[] = {
        {"none", 6, "", 0, CL_PACKET_TCP},
        {"hop-by-hop", 0, "\x06\x00\x05\x02\x00\x00\x01\x00", 8, CL_PACKET_TCP},
        {"routing and destination", 43,
         "\x3c\x00\x00\x00\x00\x00\x00\x00\x06\x01\x01\x0c\0\0\0\0\0\0\0\0\0\0\0\0", 24,
         CL_PACKET_TCP},
        {"authentication", 51, "\x06\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24,
         CL_PACKET_TCP},
        {"an atomic fragment", 44, "\x06\x00\x00\x00\x00\x00\x00\x01", 8, CL_PACKET_TCP},
        {"the first fragment", 44, "\x06\x00\x00\x01\x00\x00\x00\x01", 8, CL_PACKET_FRAGMENT},
        {"a later fragment", 44, "\x06\x00\x00\x10\x00\x00\x00\x01", 8, CL_PACKET_FRAGMENT},
        {"a fragment of UDP", 44, "\x11\x00\x00\x10\x00\x00\x00\x01", 8, CL_PACKET_OTHER},
        {"UDP", 17, "", 0, CL_PACKET_OTHER},
        {"no next header", 59, "", 0, CL_PACKET_OTHER},
    };
    const struct packet p = make_packet(7, "hello", 5, (struct packet_flags){0});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[200];
        char from[CL_ADDR_TEXT_SIZE];
        struct cl_segment s;
        struct cl_wr w = cl_wr_of(bytes, sizeof(bytes));
        cl_wr_u32(&w, 0x60000000);
        cl_wr_u16(&w, (uint16_t)(rows[i].len + 25));
        cl_wr_u8(&w, rows[i].next);
        cl_wr_u8(&w, 64);
        cl_wr_u64(&w, UINT64_C(0x20010db800000000));
        cl_wr_u64(&w, 1);
        cl_wr_zeros(&w, 16);
        cl_wr_bytes(&w, rows[i].headers, rows[i].len);
        cl_wr_bytes(&w, p.p + 34, p.len - 34);
        if (cl_packet_parse(DLT_RAW, cl_rd_of(bytes, w.len), &s) != rows[i].kind) {
            fail_msg("%s", rows[i].name);
        }
        if (rows[i].kind == CL_PACKET_TCP) {
            cl_addr_format_port(&s.from, from);
            assert_string_equal(from, "[2001:db8::1]:40000");
            assert_true(cl_rd_equal_str(s.data, "hello"));
        }
    }
}

static void test_ipv4_fragments_and_wrong_lengths_are_told_apart(void **state)
{
    struct cl_segment s;
    struct packet p = make_packet(7, "hello", 5, (struct packet_flags){0});
    p.p[20] = 0x20; /* more fragments */
    assert_int_equal(cl_packet_parse(ETHERNET, cl_rd_of(p.p, p.len), &s), CL_PACKET_FRAGMENT);
    p.p[20] = 0;
    p.p[21] = 1; /* not the first */
    assert_int_equal(cl_packet_parse(ETHERNET, cl_rd_of(p.p, p.len), &s), CL_PACKET_FRAGMENT);
    p.p[21] = 0;
    p.p[16] = p.p[17] = 0; /* length 0: cut by the network card, later */
    assert_int_equal(cl_packet_parse(ETHERNET, cl_rd_of(p.p, p.len), &s), CL_PACKET_TCP);
    assert_true(cl_rd_equal_str(s.data, "hello"));
    p.p[17] = 19; /* shorter than its own header */
    assert_int_equal(cl_packet_parse(ETHERNET, cl_rd_of(p.p, p.len), &s), CL_PACKET_OTHER);
    p.p[17] = 45;
    p.p[14] = 0x44; /* a header of 16 bytes */
    assert_int_equal(cl_packet_parse(ETHERNET, cl_rd_of(p.p, p.len), &s), CL_PACKET_OTHER);
    p.p[14] = 0x45;
    p.p[46] = 0x40; /* a TCP header of 16 bytes */
    assert_int_equal(cl_packet_parse(ETHERNET, cl_rd_of(p.p, p.len), &s), CL_PACKET_OTHER);
}

static void test_an_interface_that_is_not_there_is_named(void **state)
{
    const struct cl_hello_watch watch = {.interface = "nosuch0", .seconds = 1};
    struct told told = {0};
    struct cl_hello_counts counts = {0};
    struct cleat_error err = {0};
    assert_int_equal(cl_hellos_watch(&watch, tell, &told, &counts, &err), CLEAT_ERR_SYSTEM);
    assert_non_null(strstr(err.text, "No such device"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_records_and_digits_of_either_are_read),
        cmocka_unit_test(test_other_files_are_refused_with_the_reason),
        cmocka_unit_test(test_a_file_that_is_not_there_says_so),
        cmocka_unit_test(test_a_capture_file_is_read_and_its_damage_told),
        cmocka_unit_test(test_a_link_type_that_cannot_be_read_is_named),
        cmocka_unit_test(test_every_link_layer_leads_to_the_segment),
        cmocka_unit_test(test_ipv6_extension_headers_are_passed),
        cmocka_unit_test(test_ipv4_fragments_and_wrong_lengths_are_told_apart),
        cmocka_unit_test(test_an_interface_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
