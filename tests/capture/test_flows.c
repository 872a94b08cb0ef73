/* TCP streams put together as far as a ClientHello goes. */
#include "support_capture.h"

#include "base/mem.h"
#include "capture/hello_reader.h"

/* 4,294,967,000: the sequence numbers of the tests pass 2^32 */
#define ISN 4294967000U

struct world {
    struct hello_bytes hello;
    struct told told;
    struct cl_hello_counts counts;
    struct cl_flows *flows;
    bool more;
};

static struct world *world_new(size_t message_len, size_t record_len)
{
    struct world *w = test_calloc(1, sizeof(*w));
    make_hello(&w->hello, message_len, record_len);
    w->flows = cl_flows_new(tell, &w->told, &w->counts);
    assert_non_null(w->flows);
    return w;
}

static void world_free(struct world *w)
{
    cl_flows_free(w->flows);
    test_free(w);
}

static void give(struct world *w, const struct packet *p)
{
    struct cl_segment s;
    assert_int_equal(cl_packet_parse(ETHERNET, cl_rd_of(p->p, p->len), &s), CL_PACKET_TCP);
    assert_int_equal(cl_flows_take(w->flows, &s, 1000, &w->more), CL_OK);
}

static void send_syn(struct world *w)
{
    const struct packet p = make_packet(ISN, NULL, 0, (struct packet_flags){.syn = true});
    give(w, &p);
}

/* Bytes [from, to) of the records, where the connection's data begin. */
static void send_part(struct world *w, size_t from, size_t to)
{
    const struct packet p = make_packet(ISN + 1 + (uint32_t)from, w->hello.records + from,
                                        to - from, (struct packet_flags){0});
    give(w, &p);
}

static void expect_told(const struct world *w, unsigned num)
{
    assert_int_equal(w->told.num, num);
    assert_int_equal(w->told.len, w->hello.message_len);
    assert_memory_equal(w->told.message, w->hello.message, w->hello.message_len);
}

static void test_a_hello_is_told_with_addresses_and_time(void **state)
{
    struct world *w = world_new(300, 16384);
    char from[CL_ADDR_TEXT_SIZE];
    char to[CL_ADDR_TEXT_SIZE];
    send_syn(w);
    send_part(w, 0, w->hello.records_len);
    expect_told(w, 1);
    cl_addr_format_port(&w->told.last.from, from);
    cl_addr_format_port(&w->told.last.to, to);
    assert_string_equal(from, "192.0.2.1:40000");
    assert_string_equal(to, "192.0.2.2:443");
    assert_int_equal(w->told.last.time_us, 1000);
    world_free(w);
}

static void test_it_may_be_cut_at_every_byte_and_into_any_records(void **state)
{
    static const size_t records[] = {1, 2, 3, 4, 5, 50, 16384};
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        struct world *w = world_new(100, records[i]);
        for (size_t at = 1; at < w->hello.records_len; at++) {
            cl_flows_free(w->flows);
            w->flows = cl_flows_new(tell, &w->told, &w->counts);
            w->told.num = 0;
            send_syn(w);
            send_part(w, 0, at);
            assert_int_equal(w->told.num, 0);
            send_part(w, at, w->hello.records_len);
            expect_told(w, 1);
        }
        world_free(w);
    }
}

static void test_segments_may_come_in_any_order_again_and_overlapping(void **state)
{
    /* ends of [from, to) in the order in which they come; 0, 0: the end of the row */
    static const size_t orders[][8][2] = {
        {{100, 200}, {200, 305}, {0, 100}},
        {{200, 305}, {100, 200}, {0, 100}},
        {{0, 100}, {200, 305}, {100, 200}},
        {{0, 100}, {0, 100}, {100, 305}},
        {{0, 100}, {50, 150}, {120, 305}},
        {{250, 305}, {150, 260}, {90, 200}, {10, 100}, {0, 20}},
        {{1, 305}, {0, 1}},
        {{1, 2}, {3, 305}, {1, 4}, {0, 1}},
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct world *w = world_new(300, 16384);
        assert_int_equal(w->hello.records_len, 305);
        send_syn(w);
        for (size_t k = 0; k < 8 && orders[i][k][1] > 0; k++) {
            send_part(w, orders[i][k][0], orders[i][k][1]);
        }
        expect_told(w, 1);
        assert_int_equal(w->counts.incomplete, 0);
        world_free(w);
    }
}

static void test_of_bytes_that_come_twice_the_first_count(void **state)
{
    struct world *w = world_new(300, 16384);
    uint8_t other[100];
    memset(other, 0xee, sizeof(other));
    send_syn(w);
    send_part(w, 0, 100);
    const struct packet again = make_packet(ISN + 1, other, 100, (struct packet_flags){0});
    give(w, &again);
    send_part(w, 100, 305);
    expect_told(w, 1);
    world_free(w);
}

static void test_a_hello_sent_again_is_told_once(void **state)
{
    struct world *w = world_new(300, 16384);
    send_syn(w);
    send_syn(w);
    send_part(w, 0, 305);
    send_part(w, 0, 305);
    send_syn(w);
    send_part(w, 0, 305);
    expect_told(w, 1);
    world_free(w);
}

static void test_a_hello_is_found_behind_other_bytes_and_without_a_syn(void **state)
{
    static const char connect[] = "CONNECT www.example.org:443 HTTP/1.1\r\n\r\n";
    for (int with_syn = 0; with_syn < 2; with_syn++) {
        struct world *w = world_new(300, 16384);
        const struct packet p =
            make_packet(ISN + 1, connect, sizeof(connect) - 1, (struct packet_flags){0});
        if (with_syn) {
            send_syn(w);
        }
        give(w, &p);
        const uint32_t seq = ISN + sizeof(connect);
        const struct packet a = make_packet(seq, w->hello.records, 100, (struct packet_flags){0});
        const struct packet b =
            make_packet(seq + 100, w->hello.records + 100, 205, (struct packet_flags){.fin = true});
        give(w, &a);
        give(w, &b);
        expect_told(w, 1);
        world_free(w);
    }
}

/* RFC 9846 E.4: change_cipher_spec in front of the second ClientHello */
static void test_the_second_hello_of_a_connection_is_told_too(void **state)
{
    struct world *w = world_new(300, 16384);
    uint8_t second[400] = {20, 3, 3, 0, 1, 1};
    memcpy(second + 6, w->hello.records, 305);
    send_syn(w);
    send_part(w, 0, 305);
    const struct packet p = make_packet(ISN + 306, second, 311, (struct packet_flags){0});
    give(w, &p);
    expect_told(w, 2);
    world_free(w);
}

static void test_ports_used_again_begin_anew(void **state)
{
    struct world *w = world_new(300, 16384);
    send_syn(w);
    send_part(w, 0, 100);
    const struct packet syn = make_packet(77, NULL, 0, (struct packet_flags){.syn = true});
    const struct packet p =
        make_packet(78, w->hello.records, 305, (struct packet_flags){.fin = true});
    give(w, &syn);
    give(w, &p);
    expect_told(w, 1);
    assert_int_equal(w->counts.incomplete, 1);
    world_free(w);
}

static void test_data_with_a_syn_is_read(void **state)
{
    struct world *w = world_new(300, 16384);
    const struct packet p =
        make_packet(ISN, w->hello.records, 305, (struct packet_flags){.syn = true});
    give(w, &p);
    give(w, &p);
    expect_told(w, 1);
    world_free(w);
}

static void test_what_is_no_hello_is_left_aside(void **state)
{
    static const struct {
        const char *name;
        uint8_t bytes[12];
        size_t len;
    } rows[] = {
        {"text", "GET / HTTP/1", 12},
        {"a ServerHello", {22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3, 0}, 12},
        {"an empty record", {22, 3, 3, 0, 0, 1, 0, 0, 86, 3, 3, 0}, 12},
        {"a record of 16,385 bytes", {22, 3, 3, 0x40, 1, 1, 0, 0, 86, 3, 3, 0}, 12},
        {"version 2.0", {22, 2, 0, 0, 90, 1, 0, 0, 86, 3, 3, 0}, 12},
        {"DTLS", {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 12},
        {"a message of 16 MB", {22, 3, 3, 0, 90, 1, 0xff, 0xff, 0xff, 3, 3, 0}, 12},
        {"a hello of version 2", {22, 3, 3, 0, 90, 1, 0, 0, 86, 2, 0, 0}, 12},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_new(300, 16384);
        const struct packet p =
            make_packet(ISN + 1, rows[i].bytes, rows[i].len, (struct packet_flags){0});
        send_syn(w);
        give(w, &p);
        give(w, &p);
        if (w->told.num != 0) {
            fail_msg("%s was taken for a ClientHello", rows[i].name);
        }
        world_free(w);
    }
}

static void test_a_hello_that_never_ends_is_counted(void **state)
{
    struct world *w = world_new(300, 16384);
    send_syn(w);
    send_part(w, 0, 304);
    cl_flows_free(w->flows);
    w->flows = NULL;
    assert_int_equal(w->told.num, 0);
    assert_int_equal(w->counts.incomplete, 1);
    world_free(w);
}

static void test_the_sink_says_when_it_is_enough(void **state)
{
    struct world *w = world_new(300, 16384);
    w->told.wanted = 1;
    send_syn(w);
    send_part(w, 0, 300);
    assert_true(w->more);
    send_part(w, 300, 305);
    assert_false(w->more);
    world_free(w);
}

static size_t in_use;

static bool count_bytes(void *ctx, size_t size)
{
    in_use += size;
    return true;
}

/* One byte far ahead of each of 70,000 gaps: the quietest flows give way. */
static void test_memory_is_bounded_however_many_flows_there_are(void **state)
{
    struct world *w = world_new(300, 16384);
    cl_mem_test_hook(count_bytes, NULL);
    for (unsigned i = 0; i < 70000; i++) {
        struct packet p = make_packet(ISN, NULL, 0, (struct packet_flags){.syn = true});
        p.p[26] = (uint8_t)(i >> 16);
        p.p[27] = (uint8_t)(i >> 8);
        p.p[28] = (uint8_t)i;
        give(w, &p);
    }
    cl_mem_test_hook(NULL, NULL);
    assert_int_equal(w->counts.crowded, 70000 - 65536);
    assert_true(in_use / 70000 < 512);
    world_free(w);
}

/* 400 flows, each with 240,000 bytes behind a gap. */
static void test_the_bytes_kept_are_bounded(void **state)
{
    struct world *w = world_new(300, 16384);
    static uint8_t data[4000];
    for (uint16_t i = 0; i < 400; i++) {
        struct packet p = make_packet(
            ISN, NULL, 0, (struct packet_flags){.syn = true, .port = (uint16_t)(1000 + i)});
        give(w, &p);
        for (unsigned k = 0; k < 60; k++) {
            p = make_packet(ISN + 2 + 4000 * k, data, sizeof(data),
                            (struct packet_flags){.port = (uint16_t)(1000 + i)});
            give(w, &p);
        }
    }
    /* 400 times 240,000 bytes are 96 MB */
    assert_in_range(w->counts.crowded, 100, 399);
    world_free(w);
}

static unsigned allocations_left;

static bool run_dry(void *ctx, size_t size)
{
    return allocations_left > 0 && allocations_left-- > 0;
}

static void test_short_memory_is_told(void **state)
{
    struct world *w = world_new(300, 16384);
    const struct packet p = make_packet(ISN, w->hello.records, 305, (struct packet_flags){0});
    struct cl_segment s;
    assert_int_equal(cl_packet_parse(ETHERNET, cl_rd_of(p.p, p.len), &s), CL_PACKET_TCP);
    cl_result r = CLEAT_ERR_NOMEM;
    unsigned given = 0;
    cl_mem_test_hook(run_dry, NULL);
    for (; r != CL_OK && given < 10; given++) {
        allocations_left = given;
        r = cl_flows_take(w->flows, &s, 0, &w->more);
    }
    cl_mem_test_hook(NULL, NULL);
    assert_int_equal(r, CL_OK);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_hello_is_told_with_addresses_and_time),
        cmocka_unit_test(test_it_may_be_cut_at_every_byte_and_into_any_records),
        cmocka_unit_test(test_segments_may_come_in_any_order_again_and_overlapping),
        cmocka_unit_test(test_of_bytes_that_come_twice_the_first_count),
        cmocka_unit_test(test_a_hello_sent_again_is_told_once),
        cmocka_unit_test(test_a_hello_is_found_behind_other_bytes_and_without_a_syn),
        cmocka_unit_test(test_the_second_hello_of_a_connection_is_told_too),
        cmocka_unit_test(test_ports_used_again_begin_anew),
        cmocka_unit_test(test_data_with_a_syn_is_read),
        cmocka_unit_test(test_what_is_no_hello_is_left_aside),
        cmocka_unit_test(test_a_hello_that_never_ends_is_counted),
        cmocka_unit_test(test_the_sink_says_when_it_is_enough),
        cmocka_unit_test(test_memory_is_bounded_however_many_flows_there_are),
        cmocka_unit_test(test_the_bytes_kept_are_bounded),
        cmocka_unit_test(test_short_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
