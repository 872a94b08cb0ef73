/* capture/tcp_flow.c - see tcp_flow.h. Numbers of sequence wrap, and are compared by difference. */
#include "capture/tcp_flow.h"

#include <string.h>

#include "capture/pcapng_write.h"

enum {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    PSH = 0x08,
    ACK = 0x10,
};

#define IP4_LEN       20
#define IP6_LEN       40
#define TCP_LEN       20
#define SYN_OPTIONS   8
#define MAX_HEAD      (IP6_LEN + TCP_LEN + SYN_OPTIONS)
#define PROTOCOL_TCP  6
#define DONT_FRAGMENT 0x4000
#define HOPS          64 /* what systems commonly begin with */

/* RFC 9293 3.7.1: what a host may take for granted, least and most; RFC 791 and 8200: a packet's
 * length has 16 bits, which count the header of IPv4, but not that of IPv6 */
#define MSS4_DEFAULT 536
#define MSS6_DEFAULT 1220
#define MSS4_MAX     (65535 - IP4_LEN - TCP_LEN)
#define MSS6_MAX     (65535 - TCP_LEN)
/* 65,535 << 14: as wide as TCP has it (RFC 7323 2.3): who reads the capture is told nothing about
 * windows, and must not be led to believe that one was full */
#define WINDOW       65535
#define WINDOW_SHIFT 14
/* RFC 9293 3.8.6.3: an ACK for at least every second full segment */
#define ACK_EVERY    2

/* ---- checksums (RFC 1071) ---- */

static uint64_t add_bytes(uint64_t sum, struct cl_rd bytes)
{
    const uint8_t *p = bytes.p;
    size_t even = bytes.len & ~(size_t)1;
    for (size_t i = 0; i < even; i += 2) {
        sum += (uint64_t)p[i] << 8 | p[i + 1];
    }
    return bytes.len > even ? sum + ((uint64_t)p[even] << 8) : sum;
}

static void put_checksum(uint8_t *at, uint64_t sum)
{
    struct cl_wr w = cl_wr_of(at, 2);
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    cl_wr_u16(&w, (uint16_t)~sum);
}

/* ---- packets ---- */

struct segment {
    uint64_t unix_ns;
    enum cl_tcp_side from;
    uint8_t flags;
    struct cl_rd body;
};

static void write_ip(struct cl_tcp_flow *f, struct cl_wr *w, const struct segment *s,
                     size_t tcp_len)
{
    struct cl_tcp_flow_end *from = &f->ends[s->from];
    const struct cl_tcp_flow_end *to = &f->ends[!s->from];
    uint8_t *head = w->p;
    if (f->ip_len == 4) {
        cl_wr_u16(w, 0x4500);
        cl_wr_u16(w, (uint16_t)(IP4_LEN + tcp_len));
        cl_wr_u16(w, from->ip_id++);
        cl_wr_u16(w, DONT_FRAGMENT);
        cl_wr_u8(w, HOPS);
        cl_wr_u8(w, PROTOCOL_TCP);
        cl_wr_u16(w, 0);
    } else {
        cl_wr_u32(w, 0x60000000);
        cl_wr_u16(w, (uint16_t)tcp_len);
        cl_wr_u8(w, PROTOCOL_TCP);
        cl_wr_u8(w, HOPS);
    }
    cl_wr_bytes(w, from->ip, f->ip_len);
    cl_wr_bytes(w, to->ip, f->ip_len);
    if (f->ip_len == 4) {
        put_checksum(head + 10, add_bytes(0, cl_rd_of(head, IP4_LEN)));
    }
}

static void write_tcp(const struct cl_tcp_flow *f, struct cl_wr *w, const struct segment *s,
                      size_t head_len)
{
    const struct cl_tcp_flow_end *from = &f->ends[s->from];
    const struct cl_tcp_flow_end *to = &f->ends[!s->from];
    cl_wr_u16(w, from->port);
    cl_wr_u16(w, to->port);
    cl_wr_u32(w, from->next);
    cl_wr_u32(w, (s->flags & ACK) != 0 ? to->acked : 0);
    cl_wr_u8(w, (uint8_t)(head_len / 4 << 4));
    cl_wr_u8(w, s->flags);
    cl_wr_u16(w, WINDOW);
    cl_wr_u16(w, 0); /* the checksum */
    cl_wr_u16(w, 0);
    if ((s->flags & SYN) != 0) {
        cl_wr_u16(w, 0x0204); /* the largest segment */
        cl_wr_u16(w, (uint16_t)f->mss);
        cl_wr_u32(w, 0x01030300 | WINDOW_SHIFT);
    }
}

/* The addresses, the protocol and the length count too (RFC 9293 3.1, RFC 8200 8.1). */
static uint64_t pseudo_header(const struct cl_tcp_flow *f, size_t tcp_len)
{
    uint64_t sum = PROTOCOL_TCP + (uint64_t)tcp_len;
    sum = add_bytes(sum, cl_rd_of(f->ends[0].ip, f->ip_len));
    return add_bytes(sum, cl_rd_of(f->ends[1].ip, f->ip_len));
}

/* One packet; moves the numbers on. */
static cl_result emit(struct cl_tcp_flow *f, struct cl_buf *out, const struct segment *s)
{
    uint8_t head[MAX_HEAD];
    struct cl_wr w = cl_wr_of(head, sizeof(head));
    size_t head_len = TCP_LEN + ((s->flags & SYN) != 0 ? SYN_OPTIONS : 0);
    size_t tcp_len = head_len + s->body.len;
    struct cl_tcp_flow_end *from = &f->ends[s->from];
    write_ip(f, &w, s, tcp_len);
    size_t ip_len = w.len;
    write_tcp(f, &w, s, head_len);
    uint64_t sum = pseudo_header(f, tcp_len);
    sum = add_bytes(sum, cl_rd_of(head + ip_len, head_len));
    put_checksum(head + ip_len + 16, add_bytes(sum, s->body));
    from->next += (uint32_t)s->body.len + ((s->flags & (SYN | FIN)) != 0 ? 1 : 0);
    if ((s->flags & ACK) != 0) {
        f->ends[!s->from].told = f->ends[!s->from].acked;
    }
    /* What the peer sends has been read from the socket: we have it. */
    if (s->from == CL_TCP_PEER) {
        from->acked = from->next;
    }
    const struct cl_pcapng_packet packet = {.unix_ns = s->unix_ns,
                                            .head = cl_rd_of(head, w.len),
                                            .body = s->body,
                                            .sent = s->from == CL_TCP_US,
                                            .comment = f->comment};
    f->comment = NULL;
    return cl_pcapng_packet(out, &packet);
}

static cl_result emit_ack(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                          enum cl_tcp_side from)
{
    const struct segment ack = {.unix_ns = unix_ns, .from = from, .flags = ACK};
    const char *comment = f->comment; /* is for what the application does */
    f->comment = NULL;
    cl_result r = emit(f, out, &ack);
    f->comment = comment;
    return r;
}

/* An ACK for what `of` has sent, when that many bytes are known to have arrived, but were not told.
 */
static cl_result ack_if_due(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                            enum cl_tcp_side of, size_t least)
{
    const struct cl_tcp_flow_end *end = &f->ends[of];
    uint32_t untold = end->acked - end->told;
    bool due = untold >= least && untold != 0 && !f->is_reset;
    return due ? emit_ack(f, out, unix_ns, !of) : CL_OK;
}

/* ---- a connection ---- */

static bool is_mapped(const struct cl_addr *a)
{
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);
}

static void set_end(struct cl_tcp_flow *f, enum cl_tcp_side side, const struct cl_addr *a)
{
    struct cl_tcp_flow_end *end = &f->ends[side];
    const uint8_t *ip6 = a->in6.sin6_addr.s6_addr;
    end->port = cl_addr_port(a);
    if (a->sa.sa_family == AF_INET) {
        memcpy(end->ip, &a->in.sin_addr, 4);
    } else {
        memcpy(end->ip, f->ip_len == 4 ? ip6 + 12 : ip6, f->ip_len);
    }
}

static size_t bounded_mss(size_t mss, size_t ip_len)
{
    size_t least = ip_len == 4 ? MSS4_DEFAULT : MSS6_DEFAULT;
    size_t most = ip_len == 4 ? MSS4_MAX : MSS6_MAX;
    return mss < least ? least : mss > most ? most : mss;
}

cl_result cl_tcp_flow_open(struct cl_tcp_flow *f, struct cl_buf *out,
                           const struct cl_tcp_flow_setup *setup)
{
    enum cl_tcp_side from = setup->from_us ? CL_TCP_US : CL_TCP_PEER;
    const struct segment syn = {.unix_ns = setup->syn_ns, .from = from, .flags = SYN};
    const struct segment answer = {.unix_ns = setup->open_ns, .from = !from, .flags = SYN | ACK};
    *f = (struct cl_tcp_flow){0};
    f->ip_len = setup->us.sa.sa_family == AF_INET || is_mapped(&setup->us) ? 4 : 16;
    f->mss = bounded_mss(setup->mss, f->ip_len);
    set_end(f, CL_TCP_US, &setup->us);
    set_end(f, CL_TCP_PEER, &setup->peer);
    for (size_t i = 0; i < 2; i++) {
        struct cl_tcp_flow_end *end = &f->ends[i];
        end->next = end->acked = end->told = setup->isn[i];
    }
    CL_TRY(emit(f, out, &syn));
    f->ends[from].acked = f->ends[from].next;
    CL_TRY(emit(f, out, &answer));
    f->ends[!from].acked = f->ends[!from].next;
    return emit_ack(f, out, setup->open_ns, from);
}

cl_result cl_tcp_flow_unsent(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                             size_t unsent)
{
    struct cl_tcp_flow_end *us = &f->ends[CL_TCP_US];
    uint32_t in_flight = us->next - us->acked;
    us->acked = us->next - (unsent < in_flight ? (uint32_t)unsent : in_flight);
    return ack_if_due(f, out, unix_ns, CL_TCP_US, ACK_EVERY * f->mss);
}

cl_result cl_tcp_flow_data(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                           enum cl_tcp_side from, struct cl_rd bytes)
{
    struct segment s = {.unix_ns = unix_ns, .from = from};
    while (!cl_rd_done(&bytes)) {
        size_t len = bytes.len < f->mss ? bytes.len : f->mss;
        if (!cl_rd_take(&bytes, len, &s.body)) {
            break; /* cannot be: len is no more than there is */
        }
        s.flags = ACK | (cl_rd_done(&bytes) ? PSH : 0);
        CL_TRY(emit(f, out, &s));
    }
    return from == CL_TCP_PEER ? ack_if_due(f, out, unix_ns, CL_TCP_PEER, ACK_EVERY * f->mss)
                               : CL_OK;
}

cl_result cl_tcp_flow_close(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                            enum cl_tcp_side from)
{
    const struct segment s = {.unix_ns = unix_ns, .from = from, .flags = FIN | ACK};
    if (f->ends[from].has_closed || f->is_reset) {
        return CL_OK;
    }
    f->ends[from].has_closed = true;
    return emit(f, out, &s);
}

cl_result cl_tcp_flow_reset(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                            enum cl_tcp_side from)
{
    const struct segment s = {.unix_ns = unix_ns, .from = from, .flags = RST | ACK};
    if (f->is_reset) {
        return CL_OK;
    }
    f->is_reset = true;
    return emit(f, out, &s);
}

cl_result cl_tcp_flow_end(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns)
{
    CL_TRY(ack_if_due(f, out, unix_ns, CL_TCP_US, 1));
    return ack_if_due(f, out, unix_ns, CL_TCP_PEER, 1);
}
