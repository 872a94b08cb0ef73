/* capture/pcapng_write.c - see pcapng_write.h. All blocks have one shape, which append_block
 * writes: type, length, fixed fields, data padded to four bytes, options, length once more. */
#include "capture/pcapng_write.h"

#include <string.h>
#include <sys/utsname.h>

/* draft-ietf-opsawg-pcapng: types of blocks (11.1), options (3.5, 4.1 to 4.3, 4.7) */
enum {
    BLOCK_INTERFACE = 0x00000001,
    BLOCK_PACKET = 0x00000006,
    BLOCK_SECRETS = 0x0000000A,
    BLOCK_SECTION = 0x0A0D0D0A,
    OPT_END = 0,
    OPT_COMMENT = 1,
    SECTION_HARDWARE = 2,
    SECTION_OS = 3,
    SECTION_APPLICATION = 4,
    INTERFACE_DESCRIPTION = 3,
    INTERFACE_TIME_RESOLUTION = 9,
    PACKET_FLAGS = 2,
};

#define BYTE_ORDER_MAGIC 0x1A2B3C4Du
#define SECRETS_TLS_KEYS 0x544C534Bu
/* packets begin with their IP header, of either version */
#define LINKTYPE_RAW     101
/* 262,144: what readers take a packet to be at most; an IP packet has 65,575 bytes */
#define SNAP_LEN         262144

struct option {
    uint16_t code;
    struct cl_rd value; /* empty: there is no such option */
};

struct block {
    uint32_t type;
    struct cl_rd fixed;
    struct cl_rd data[2];
    struct option options[4];
};

#define NUM_OPTIONS (sizeof(((struct block *)0)->options) / sizeof(struct option))

static size_t padding(size_t len)
{
    return (4 - len % 4) % 4;
}

static struct cl_rd text(const char *s)
{
    struct cl_rd r = cl_rd_str(s != NULL ? s : "");
    r.len = r.len < CL_PCAPNG_MAX_TEXT ? r.len : CL_PCAPNG_MAX_TEXT;
    return r;
}

/* 0: there is none, and no end of options either. */
static size_t options_len(const struct block *b)
{
    size_t len = 0;
    for (size_t i = 0; i < NUM_OPTIONS; i++) {
        size_t value = b->options[i].value.len;
        len += value != 0 ? 4 + value + padding(value) : 0;
    }
    return len != 0 ? len + 4 : 0;
}

static void write_options(struct cl_wr *w, const struct block *b)
{
    for (size_t i = 0; i < NUM_OPTIONS; i++) {
        const struct option *o = &b->options[i];
        if (o->value.len != 0) {
            cl_wr_u16(w, o->code);
            cl_wr_u16(w, (uint16_t)o->value.len);
            cl_wr_view(w, o->value);
            cl_wr_zeros(w, padding(o->value.len));
        }
    }
    if (options_len(b) != 0) {
        cl_wr_u16(w, OPT_END);
        cl_wr_u16(w, 0);
    }
}

static cl_result append_block(struct cl_buf *out, const struct block *b)
{
    size_t data_len = b->data[0].len + b->data[1].len;
    size_t total = 12 + b->fixed.len + data_len + padding(data_len) + options_len(b);
    CL_TRY(cl_buf_reserve(out, total, CL_PCAPNG_MAX_BUFFER));
    struct cl_wr w = cl_buf_writer(out);
    cl_wr_u32(&w, b->type);
    cl_wr_u32(&w, (uint32_t)total);
    cl_wr_view(&w, b->fixed);
    cl_wr_view(&w, b->data[0]);
    cl_wr_view(&w, b->data[1]);
    cl_wr_zeros(&w, padding(data_len));
    write_options(&w, b);
    cl_wr_u32(&w, (uint32_t)total);
    cl_buf_commit(out, &w);
    return CL_OK;
}

static cl_result append_section(struct cl_buf *out, const struct cl_pcapng_about *about)
{
    uint8_t fixed[16];
    struct cl_wr w = cl_wr_of(fixed, sizeof(fixed));
    struct utsname system = {0};
    char os[sizeof(system.sysname) + sizeof(system.release) + 1];
    (void)uname(&system);
    size_t len = strlen(system.sysname);
    memcpy(os, system.sysname, len);
    os[len] = ' ';
    memcpy(os + len + 1, system.release, strlen(system.release) + 1);
    cl_wr_u32(&w, BYTE_ORDER_MAGIC);
    cl_wr_u16(&w, 1); /* version 1.0 */
    cl_wr_u16(&w, 0);
    cl_wr_u64(&w, UINT64_MAX); /* the section is as long as it gets */
    const struct block b = {.type = BLOCK_SECTION,
                            .fixed = cl_rd_of(fixed, w.len),
                            .options = {{SECTION_HARDWARE, text(system.machine)},
                                        {SECTION_OS, text(os)},
                                        {SECTION_APPLICATION, text(about->application)},
                                        {OPT_COMMENT, text(about->comment)}}};
    return append_block(out, &b);
}

static cl_result append_interface(struct cl_buf *out, const struct cl_pcapng_about *about)
{
    static const uint8_t nanoseconds[] = {9}; /* units of 10^-9 s */
    uint8_t fixed[8];
    struct cl_wr w = cl_wr_of(fixed, sizeof(fixed));
    cl_wr_u16(&w, LINKTYPE_RAW);
    cl_wr_u16(&w, 0);
    cl_wr_u32(&w, SNAP_LEN);
    const struct block b = {
        .type = BLOCK_INTERFACE,
        .fixed = cl_rd_of(fixed, w.len),
        .options = {{INTERFACE_DESCRIPTION, text(about->interface)},
                    {INTERFACE_TIME_RESOLUTION, cl_rd_of(nanoseconds, sizeof(nanoseconds))}}};
    return append_block(out, &b);
}

cl_result cl_pcapng_begin(struct cl_buf *out, const struct cl_pcapng_about *about)
{
    size_t before = out->len;
    CL_TRY(append_section(out, about));
    cl_result r = append_interface(out, about);
    if (r != CL_OK) {
        out->len = before;
    }
    return r;
}

cl_result cl_pcapng_secrets(struct cl_buf *out, struct cl_rd lines)
{
    uint8_t fixed[8];
    struct cl_wr w = cl_wr_of(fixed, sizeof(fixed));
    cl_wr_u32(&w, SECRETS_TLS_KEYS);
    cl_wr_u32(&w, (uint32_t)lines.len);
    const struct block b = {
        .type = BLOCK_SECRETS, .fixed = cl_rd_of(fixed, w.len), .data = {lines}};
    return append_block(out, &b);
}

cl_result cl_pcapng_packet(struct cl_buf *out, const struct cl_pcapng_packet *packet)
{
    uint8_t fixed[20], flags[4];
    struct cl_wr w = cl_wr_of(fixed, sizeof(fixed)), f = cl_wr_of(flags, sizeof(flags));
    uint32_t len = (uint32_t)(packet->head.len + packet->body.len);
    cl_wr_u32(&w, 0); /* the interface */
    cl_wr_u64(&w, packet->unix_ns);
    cl_wr_u32(&w, len);
    cl_wr_u32(&w, len);
    cl_wr_u32(&f, packet->sent ? 2 : 1); /* outbound, inbound */
    const struct block b = {.type = BLOCK_PACKET,
                            .fixed = cl_rd_of(fixed, w.len),
                            .data = {packet->head, packet->body},
                            .options = {{OPT_COMMENT, text(packet->comment)},
                                        {PACKET_FLAGS, cl_rd_of(flags, sizeof(flags))}}};
    return append_block(out, &b);
}
