/* See support_capture.h. */
#include "support_capture.h"

void make_hello(struct hello_bytes *h, size_t message_len, size_t record_len)
{
    struct cl_wr w = cl_wr_of(h->message, sizeof(h->message));
    cl_wr_u8(&w, 1);
    cl_wr_u24(&w, (uint32_t)message_len - 4);
    cl_wr_u16(&w, 0x0303);
    while (w.len < message_len) {
        cl_wr_u8(&w, (uint8_t)w.len);
    }
    assert_true(cl_wr_ok(&w));
    h->message_len = message_len;
    struct cl_rd rest = cl_rd_of(h->message, message_len);
    struct cl_wr records = cl_wr_of(h->records, sizeof(h->records));
    while (rest.len > 0) {
        struct cl_rd piece;
        assert_true(cl_rd_take(&rest, rest.len < record_len ? rest.len : record_len, &piece));
        cl_wr_u8(&records, 22);
        cl_wr_u16(&records, 0x0301);
        cl_wr_u16(&records, (uint16_t)piece.len);
        cl_wr_view(&records, piece);
    }
    assert_true(cl_wr_ok(&records));
    h->records_len = records.len;
}

bool tell(void *ctx, const struct cl_hello *hello)
{
    struct told *t = ctx;
    t->num++;
    t->last = *hello;
    t->len = hello->message.len;
    assert_true(t->len <= sizeof(t->message));
    memcpy(t->message, hello->message.p, t->len);
    return t->wanted == 0 || t->num < t->wanted;
}

struct packet make_packet(uint32_t seq, const void *data, size_t len, struct packet_flags flags)
{
    struct packet out;
    struct cl_wr w = cl_wr_of(out.p, sizeof(out.p));
    cl_wr_zeros(&w, 12);
    cl_wr_u16(&w, 0x0800);
    cl_wr_u16(&w, 0x4500);
    cl_wr_u16(&w, (uint16_t)(40 + len));
    cl_wr_u32(&w, 0x4000); /* do not fragment */
    cl_wr_u32(&w, 0x40060000);
    cl_wr_u32(&w, 0xc0000201);
    cl_wr_u32(&w, 0xc0000202);
    cl_wr_u16(&w, flags.port != 0 ? flags.port : 40000);
    cl_wr_u16(&w, 443);
    cl_wr_u32(&w, seq);
    cl_wr_u32(&w, 0);
    cl_wr_u16(&w, (uint16_t)(0x5010 | (flags.syn ? 2 : 0) | (flags.fin ? 1 : 0)));
    cl_wr_u16(&w, 1000);
    cl_wr_u32(&w, 0);
    cl_wr_bytes(&w, data, len);
    assert_true(cl_wr_ok(&w));
    out.len = w.len;
    return out;
}
