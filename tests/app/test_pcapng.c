/* Captures: blocks of pcapng, packets of TCP put together, secrets in front of packets. What is
 * written is read again here, by what the drafts and RFCs say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "capture/pcapng_write.h"
#include "capture/tcp_flow.h"
#include "conn/capture.h"

#define SECTION 0x0A0D0D0Au
#define SECRETS 0x0000000Au
#define PACKET  0x00000006u

struct block {
    uint32_t type;
    struct cl_rd body;
};

/* The next block, its length told twice and a multiple of four. */
static bool next_block(struct cl_rd *r, struct block *out)
{
    uint32_t len, again;
    if (cl_rd_done(r)) {
        return false;
    }
    assert_true(cl_rd_u32(r, &out->type) && cl_rd_u32(r, &len));
    assert_int_equal(len % 4, 0);
    assert_true(len >= 12);
    assert_true(cl_rd_take(r, len - 12, &out->body));
    assert_true(cl_rd_u32(r, &again));
    assert_int_equal(again, len);
    return true;
}

/* Takes options up to their end, which is the block's; returns the value of one of them. */
static struct cl_rd option_of(struct cl_rd r, uint16_t wanted)
{
    struct cl_rd value, found = {0};
    uint16_t code = 0, len = 0;
    while (!cl_rd_done(&r)) {
        assert_true(cl_rd_u16(&r, &code) && cl_rd_u16(&r, &len));
        assert_true(cl_rd_take(&r, len, &value));
        assert_true(cl_rd_skip(&r, (4u - len % 4u) % 4u));
        found = code == wanted && code != 0 ? value : found;
        assert_true(code != 0 || (len == 0 && cl_rd_done(&r)));
    }
    assert_int_equal(code, 0);
    return found;
}

struct packet {
    uint64_t ns;
    struct cl_rd bytes;
    struct cl_rd options;
};

static struct packet packet_of(const struct block *b)
{
    struct packet p;
    struct cl_rd r = b->body;
    uint32_t interface, len, original;
    assert_int_equal(b->type, PACKET);
    assert_true(cl_rd_u32(&r, &interface) && cl_rd_u64(&r, &p.ns) && cl_rd_u32(&r, &len) &&
                cl_rd_u32(&r, &original));
    assert_int_equal(interface, 0);
    assert_int_equal(len, original);
    assert_true(cl_rd_take(&r, len, &p.bytes));
    assert_true(cl_rd_skip(&r, (4u - len % 4u) % 4u));
    p.options = r;
    return p;
}

/* ---- blocks ---- */

static void test_the_head_says_what_the_file_is(void **state)
{
    const struct cl_pcapng_about about = {"the program", "the comment", "the interface"};
    struct cl_buf out = {0};
    struct block b;
    uint32_t magic, snap;
    uint16_t major, minor, link, reserved;
    uint64_t len;
    assert_int_equal(cl_pcapng_begin(&out, &about), CL_OK);
    struct cl_rd r = cl_buf_view(&out);
    assert_true(next_block(&r, &b));
    assert_int_equal(b.type, SECTION);
    assert_true(cl_rd_u32(&b.body, &magic) && cl_rd_u16(&b.body, &major) &&
                cl_rd_u16(&b.body, &minor) && cl_rd_u64(&b.body, &len));
    assert_int_equal(magic, 0x1A2B3C4D);
    assert_int_equal(major << 16 | minor, 0x10000);
    assert_true(len == UINT64_MAX);
    assert_true(cl_rd_equal_str(option_of(b.body, 1), "the comment"));
    assert_true(cl_rd_equal_str(option_of(b.body, 4), "the program"));
    assert_true(option_of(b.body, 2).len > 0 && option_of(b.body, 3).len > 0);
    assert_true(next_block(&r, &b));
    assert_int_equal(b.type, 1);
    assert_true(cl_rd_u16(&b.body, &link) && cl_rd_u16(&b.body, &reserved) &&
                cl_rd_u32(&b.body, &snap));
    assert_int_equal(link, 101);
    assert_true(cl_rd_equal_str(option_of(b.body, 3), "the interface"));
    assert_true(cl_rd_equal_str(option_of(b.body, 9), "\x09"));
    assert_false(next_block(&r, &b));
    cl_buf_deinit(&out);
}

static void test_packets_of_any_length_are_padded(void **state)
{
    static const char bytes[] = "0123456789";
    for (size_t head = 0; head <= 5; head++) {
        for (size_t body = 0; body <= 5; body++) {
            const struct cl_pcapng_packet packet = {.unix_ns = 0x0102030405060708,
                                                    .head = cl_rd_of(bytes, head),
                                                    .body = cl_rd_of(bytes + head, body),
                                                    .sent = body % 2 == 1,
                                                    .comment = body == 2 ? "why" : NULL};
            struct cl_buf out = {0};
            struct block b;
            assert_int_equal(cl_pcapng_packet(&out, &packet), CL_OK);
            struct cl_rd r = cl_buf_view(&out);
            assert_true(next_block(&r, &b));
            assert_false(next_block(&r, &b));
            struct packet p = packet_of(&b);
            assert_true(p.ns == 0x0102030405060708);
            assert_true(cl_rd_equal(p.bytes, cl_rd_of(bytes, head + body)));
            struct cl_rd flags = option_of(p.options, 2), comment = option_of(p.options, 1);
            assert_int_equal(flags.len, 4);
            assert_int_equal(flags.p[3], body % 2 == 1 ? 2 : 1);
            assert_true(cl_rd_equal_str(comment, body == 2 ? "why" : ""));
            cl_buf_deinit(&out);
        }
    }
}

static void test_secrets_are_a_tls_key_log(void **state)
{
    static const char lines[] = "CLIENT_RANDOM 00 11\n";
    struct cl_buf out = {0};
    struct block b;
    uint32_t type, len;
    struct cl_rd text;
    assert_int_equal(cl_pcapng_secrets(&out, cl_rd_str(lines)), CL_OK);
    struct cl_rd r = cl_buf_view(&out);
    assert_true(next_block(&r, &b));
    assert_int_equal(b.type, SECRETS);
    assert_true(cl_rd_u32(&b.body, &type) && cl_rd_u32(&b.body, &len));
    assert_int_equal(type, 0x544c534b);
    assert_true(cl_rd_take(&b.body, len, &text));
    assert_true(cl_rd_equal_str(text, lines));
    assert_int_equal(b.body.len, (4 - len % 4) % 4);
    cl_buf_deinit(&out);
}

static void test_a_full_buffer_keeps_whole_blocks(void **state)
{
    static uint8_t bytes[1 << 20];
    const struct cl_pcapng_packet packet = {.body = cl_rd_of(bytes, sizeof(bytes))};
    struct cl_buf out = {0};
    struct block b;
    size_t num = 0;
    while (cl_pcapng_packet(&out, &packet) == CL_OK) {
        num++;
    }
    assert_int_equal(num, 3);
    assert_int_equal(cl_pcapng_packet(&out, &packet), CLEAT_ERR_LIMIT);
    struct cl_rd r = cl_buf_view(&out);
    while (next_block(&r, &b)) {
        num--;
    }
    assert_int_equal(num, 0);
    cl_buf_deinit(&out);
}

/* ---- packets of TCP ---- */

struct tcp {
    bool sent;
    uint16_t from, to;
    uint32_t seq, ack;
    uint8_t flags;
    struct cl_rd body;
};

static uint32_t sum16(struct cl_rd r)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < r.len; i++) {
        sum += i % 2 == 0 ? (uint32_t)r.p[i] << 8 : r.p[i];
    }
    return sum;
}

static uint16_t folded(uint32_t sum)
{
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

/* Takes a packet apart; what both checksums cover sums up to 0xffff. */
static struct tcp tcp_of(const struct block *b, size_t ip_len)
{
    struct packet p = packet_of(b);
    struct tcp t = {.sent = option_of(p.options, 2).p[3] == 2};
    struct cl_rd r = p.bytes, addresses = {0}, tcp;
    uint16_t len, offset, window, checksum, urgent;
    assert_int_equal(p.bytes.p[0] >> 4, ip_len == 4 ? 4 : 6);
    if (ip_len == 4) {
        assert_int_equal(folded(sum16(cl_rd_of(p.bytes.p, 20))), 0xffff);
        assert_true(cl_rd_skip(&r, 2) && cl_rd_u16(&r, &len) && cl_rd_skip(&r, 8));
        assert_int_equal(len, p.bytes.len);
    } else {
        assert_true(cl_rd_skip(&r, 4) && cl_rd_u16(&r, &len) && cl_rd_skip(&r, 2));
        assert_int_equal(len, p.bytes.len - 40);
    }
    assert_true(cl_rd_take(&r, 2 * ip_len, &addresses));
    tcp = r;
    assert_int_equal(folded(6 + (uint32_t)tcp.len + sum16(addresses) + sum16(tcp)), 0xffff);
    assert_true(cl_rd_u16(&r, &t.from) && cl_rd_u16(&r, &t.to) && cl_rd_u32(&r, &t.seq) &&
                cl_rd_u32(&r, &t.ack) && cl_rd_u16(&r, &offset) && cl_rd_u16(&r, &window) &&
                cl_rd_u16(&r, &checksum) && cl_rd_u16(&r, &urgent));
    t.flags = (uint8_t)offset;
    assert_true(cl_rd_skip(&r, (size_t)(offset >> 12) * 4 - 20));
    t.body = r;
    return t;
}

struct flow {
    struct cl_tcp_flow f;
    struct cl_buf out;
    size_t ip_len;
};

static void open_flow(struct flow *w, const char *us, const char *peer, size_t mss, uint32_t isn)
{
    struct cl_tcp_flow_setup setup = {
        .mss = mss, .isn = {isn, isn + 100}, .from_us = true, .syn_ns = 1000, .open_ns = 2000};
    *w = (struct flow){.ip_len = strchr(us, '.') != NULL ? 4 : 16};
    assert_true(cl_addr_parse(us, 50000, &setup.us) && cl_addr_parse(peer, 443, &setup.peer));
    assert_int_equal(cl_tcp_flow_open(&w->f, &w->out, &setup), CL_OK);
}

/* All packets so far; numbers must go on where the same end's last one stopped. */
static size_t take_all(struct flow *w, struct tcp *out, size_t cap)
{
    struct cl_rd r = cl_buf_view(&w->out);
    struct block b;
    size_t num = 0;
    uint32_t next[2] = {0};
    bool seen[2] = {false};
    while (next_block(&r, &b)) {
        assert_true(num < cap);
        struct tcp t = tcp_of(&b, w->ip_len);
        assert_int_equal(t.from, t.sent ? 50000 : 443);
        assert_int_equal(t.to, t.sent ? 443 : 50000);
        assert_true(!seen[t.sent] || t.seq == next[t.sent]);
        next[t.sent] = t.seq + (uint32_t)t.body.len + ((t.flags & 3) != 0 ? 1 : 0);
        seen[t.sent] = true;
        out[num++] = t;
    }
    return num;
}

static void test_a_connection_from_syn_to_fin(void **state)
{
    static const char *const ends[][2] = {{"192.0.2.1", "198.51.100.7"},
                                          {"2001:db8::1", "2001:db8::77"}};
    static const uint8_t flags[] = {0x02, 0x12, 0x10, 0x18, 0x18, 0x11, 0x11, 0x10};
    for (size_t i = 0; i < 2; i++) {
        struct flow w;
        struct tcp t[16];
        open_flow(&w, ends[i][0], ends[i][1], 1400, 0xfffffff0); /* numbers wrap */
        assert_int_equal(cl_tcp_flow_data(&w.f, &w.out, 3000, CL_TCP_US, cl_rd_str("question")),
                         CL_OK);
        assert_int_equal(cl_tcp_flow_unsent(&w.f, &w.out, 4000, 0), CL_OK);
        assert_int_equal(cl_tcp_flow_data(&w.f, &w.out, 4000, CL_TCP_PEER, cl_rd_str("answers")),
                         CL_OK);
        assert_int_equal(cl_tcp_flow_close(&w.f, &w.out, 5000, CL_TCP_PEER), CL_OK);
        assert_int_equal(cl_tcp_flow_close(&w.f, &w.out, 6000, CL_TCP_US), CL_OK);
        assert_int_equal(cl_tcp_flow_unsent(&w.f, &w.out, 7000, 0), CL_OK);
        assert_int_equal(cl_tcp_flow_end(&w.f, &w.out, 7000), CL_OK);
        size_t num = take_all(&w, t, 16);
        assert_int_equal(num, sizeof(flags));
        for (size_t k = 0; k < num; k++) {
            assert_int_equal(t[k].flags, flags[k]);
        }
        assert_true(cl_rd_equal_str(t[3].body, "question"));
        assert_true(cl_rd_equal_str(t[4].body, "answers"));
        assert_int_equal(t[4].ack, t[3].seq + 8);
        assert_int_equal(t[7].ack, t[6].seq + 1); /* of the FIN */
        cl_buf_deinit(&w.out);
    }
}

static void test_data_goes_in_segments(void **state)
{
    static uint8_t bytes[5001];
    struct flow w;
    struct tcp t[16];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    open_flow(&w, "192.0.2.1", "192.0.2.2", 1000, 5);
    assert_int_equal(cl_tcp_flow_data(&w.f, &w.out, 1, CL_TCP_PEER, cl_rd_of(bytes, sizeof(bytes))),
                     CL_OK);
    size_t num = take_all(&w, t, 16);
    assert_int_equal(num, 3 + 6 + 1);
    for (size_t i = 0; i < 6; i++) {
        size_t len = i < 5 ? 1000 : 1;
        assert_true(cl_rd_equal(t[3 + i].body, cl_rd_of(bytes + i * 1000, len)));
        assert_int_equal(t[3 + i].flags, i < 5 ? 0x10 : 0x18); /* PSH on the last */
    }
    assert_true(t[9].sent); /* our kernel has acknowledged what we have read */
    assert_int_equal(t[9].ack, t[8].seq + 1);
    cl_buf_deinit(&w.out);
}

static void test_the_peer_acknowledges_what_the_kernel_says(void **state)
{
    static uint8_t bytes[4000];
    struct flow w;
    struct tcp t[16];
    open_flow(&w, "192.0.2.1", "192.0.2.2", 1000, 5);
    assert_int_equal(cl_tcp_flow_data(&w.f, &w.out, 1, CL_TCP_US, cl_rd_of(bytes, 4000)), CL_OK);
    assert_int_equal(cl_tcp_flow_unsent(&w.f, &w.out, 2, 4000), CL_OK); /* nothing yet */
    assert_int_equal(cl_tcp_flow_unsent(&w.f, &w.out, 3, 1500), CL_OK);
    assert_int_equal(cl_tcp_flow_unsent(&w.f, &w.out, 4, 9000), CL_OK); /* never back */
    assert_int_equal(cl_tcp_flow_unsent(&w.f, &w.out, 5, 1400), CL_OK); /* not worth a packet */
    assert_int_equal(cl_tcp_flow_end(&w.f, &w.out, 6), CL_OK);
    assert_int_equal(take_all(&w, t, 16), 3 + 4 + 2);
    assert_int_equal(t[7].ack, t[3].seq + 2500);
    assert_int_equal(t[8].ack, t[3].seq + 2600);
    assert_false(t[7].sent);
    cl_buf_deinit(&w.out);
}

static void test_nothing_follows_a_reset(void **state)
{
    struct flow w;
    struct tcp t[16];
    open_flow(&w, "192.0.2.1", "192.0.2.2", 0, 5);
    assert_int_equal(cl_tcp_flow_reset(&w.f, &w.out, 1, CL_TCP_PEER), CL_OK);
    assert_int_equal(cl_tcp_flow_reset(&w.f, &w.out, 1, CL_TCP_US), CL_OK);
    assert_int_equal(cl_tcp_flow_close(&w.f, &w.out, 1, CL_TCP_US), CL_OK);
    assert_int_equal(cl_tcp_flow_end(&w.f, &w.out, 1), CL_OK);
    assert_int_equal(take_all(&w, t, 16), 4);
    assert_int_equal(t[3].flags, 0x14);
    cl_buf_deinit(&w.out);
}

static void test_addresses_mapped_into_ipv6_are_ipv4(void **state)
{
    struct flow w;
    struct tcp t[4];
    open_flow(&w, "::ffff:192.0.2.1", "::ffff:192.0.2.2", 70000, 5);
    assert_int_equal(take_all(&w, t, 4), 3); /* checks version, addresses and checksum */
    assert_int_equal(w.f.mss, 65495);        /* what fits into a packet */
    cl_buf_deinit(&w.out);
}

/* ---- the file ---- */

struct sink {
    struct cl_buf bytes;
    size_t num_calls, num_allowed;
};

static bool sink_write(void *ctx, const uint8_t *p, size_t len)
{
    struct sink *s = ctx;
    s->num_calls++;
    assert_int_equal(cl_buf_append(&s->bytes, p, len, 1 << 20), CL_OK);
    return s->num_calls < s->num_allowed;
}

static void sink_broken(void *ctx)
{
    fail();
}

static void tell_secret(struct cl_capture *c, const char *label, const uint8_t random[32])
{
    static const uint8_t secret[48] = {1, 2, 3};
    const struct cleat_event event = {.kind = CLEAT_EVENT_SECRET,
                                      .secret = {.label = label,
                                                 .client_random = random,
                                                 .secret = secret,
                                                 .secret_len = sizeof(secret)}};
    cl_capture_event(c, &event);
}

/* A connection begins on a socket that is gone already: there is nothing to capture. */
static void begin_connection(struct cl_capture *c)
{
    uv_loop_t loop;
    struct cl_tcp *tcp;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cl_tcp_new(&loop, &tcp), CL_OK);
    assert_null(cl_capture_connect(c, tcp, 0));
    cl_tcp_free(tcp);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_secrets_behind_ech_are_told_for_both_hellos(void **state)
{
    static const uint8_t outer[32] = {0xaa}, inner[32] = {0xbb}, another[32] = {0xcc};
    struct sink s = {.num_allowed = 100};
    const struct cl_capture_target target = {sink_write, sink_broken, &s};
    struct cl_capture *c;
    struct block b;
    size_t num_lines = 0, num_outer = 0;
    assert_int_equal(cl_capture_new(&target, &c), CL_OK);
    tell_secret(c, "ECH_SECRET", outer);
    tell_secret(c, "CLIENT_TRAFFIC_SECRET_0", inner);
    begin_connection(c);
    tell_secret(c, "CLIENT_TRAFFIC_SECRET_0", another); /* of a connection without ECH */
    cl_capture_begin(c);
    struct cl_rd r = cl_buf_view(&s.bytes);
    while (next_block(&r, &b)) {
        for (size_t i = 8; b.type == SECRETS && i < b.body.len; i++) {
            num_lines += b.body.p[i] == '\n';
            num_outer += b.body.p[i] == ' ' && memcmp(b.body.p + i + 1, "aa", 2) == 0;
        }
    }
    assert_int_equal(num_lines, 4);
    assert_int_equal(num_outer, 2);
    cl_capture_free(c);
    cl_buf_deinit(&s.bytes);
}

static void test_a_target_that_refuses_is_not_called_again(void **state)
{
    static const uint8_t random[32] = {0};
    struct sink s = {.num_allowed = 1};
    const struct cl_capture_target target = {sink_write, sink_broken, &s};
    struct cl_capture *c;
    assert_int_equal(cl_capture_new(&target, &c), CL_OK);
    for (size_t i = 0; i < 3; i++) {
        cl_capture_begin(c);
        tell_secret(c, "CLIENT_RANDOM", random);
    }
    assert_int_equal(s.num_calls, 1);
    cl_capture_free(c);
    cl_buf_deinit(&s.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_head_says_what_the_file_is),
        cmocka_unit_test(test_packets_of_any_length_are_padded),
        cmocka_unit_test(test_secrets_are_a_tls_key_log),
        cmocka_unit_test(test_a_full_buffer_keeps_whole_blocks),
        cmocka_unit_test(test_a_connection_from_syn_to_fin),
        cmocka_unit_test(test_data_goes_in_segments),
        cmocka_unit_test(test_the_peer_acknowledges_what_the_kernel_says),
        cmocka_unit_test(test_nothing_follows_a_reset),
        cmocka_unit_test(test_addresses_mapped_into_ipv6_are_ipv4),
        cmocka_unit_test(test_secrets_behind_ech_are_told_for_both_hellos),
        cmocka_unit_test(test_a_target_that_refuses_is_not_called_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
