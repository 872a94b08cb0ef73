/* capture/hello_reader.c - see hello_reader.h. */
#include "capture/hello_reader.h"

#include "tls/wire.h"

/* The record's header is complete. */
static enum cl_hello_state take_header(struct cl_hello_reader *h)
{
    struct cl_rd r = cl_rd_of(h->header, h->header_len);
    uint8_t type;
    uint8_t major;
    uint8_t minor;
    uint16_t len;
    if (!cl_rd_u8(&r, &type) || !cl_rd_u8(&r, &major) || !cl_rd_u8(&r, &minor) ||
        !cl_rd_u16(&r, &len) || len == 0 || len > CL_RECORD_MAX_PLAIN) {
        return CL_HELLO_NONE;
    }
    h->skipping = type == CL_CT_CHANGE_CIPHER_SPEC && len == 1 && h->message.len == 0;
    h->record = len;
    h->header_len = 0;
    return h->skipping || type == CL_CT_HANDSHAKE ? CL_HELLO_MORE : CL_HELLO_NONE;
}

/* RFC 9846 5.1: records of a ClientHello have version 3.1 or 3.3; old clients sent 3.0 and 3.2 */
static bool header_may_be(const struct cl_hello_reader *h)
{
    return (h->header[0] == CL_CT_HANDSHAKE || h->header[0] == CL_CT_CHANGE_CIPHER_SPEC) &&
           (h->header_len < 2 || h->header[1] == 3) && (h->header_len < 3 || h->header[2] <= 4);
}

static enum cl_hello_state take_length(struct cl_hello_reader *h)
{
    struct cl_rd r = cl_buf_view(&h->message);
    uint8_t type;
    uint32_t len;
    uint8_t major;
    if (cl_rd_u8(&r, &type) && type != CL_HT_CLIENT_HELLO) {
        return CL_HELLO_NONE;
    }
    if (!cl_rd_u24(&r, &len)) {
        return CL_HELLO_MORE;
    }
    h->wanted = 4 + (size_t)len;
    if (cl_rd_u8(&r, &major) && major != 3) {
        return CL_HELLO_NONE;
    }
    return h->wanted > CL_HELLO_MAX ? CL_HELLO_NONE : CL_HELLO_MORE;
}

/* What lies behind the message in its last record is not looked at. */
static enum cl_hello_state take_piece(struct cl_hello_reader *h, struct cl_rd piece)
{
    const size_t max = CL_HELLO_MAX + CL_RECORD_MAX_PLAIN;
    h->record = (uint16_t)(h->record - piece.len);
    if (h->skipping) {
        return CL_HELLO_MORE;
    }
    if (cl_buf_append(&h->message, piece.p, piece.len, max) != CL_OK) {
        return CL_HELLO_FAILED;
    }
    if (take_length(h) == CL_HELLO_NONE) {
        return CL_HELLO_NONE;
    }
    if (h->wanted == 0 || h->message.len < h->wanted) {
        return CL_HELLO_MORE;
    }
    h->message.len = h->wanted;
    return CL_HELLO_WHOLE;
}

enum cl_hello_state cl_hello_reader_feed(struct cl_hello_reader *h, struct cl_rd bytes)
{
    enum cl_hello_state state = CL_HELLO_MORE;
    while (state == CL_HELLO_MORE && bytes.len > 0) {
        struct cl_rd piece;
        const size_t take = h->record < bytes.len ? h->record : bytes.len;
        if (take > 0) {
            state = cl_rd_take(&bytes, take, &piece) ? take_piece(h, piece) : CL_HELLO_NONE;
        } else if (!cl_rd_u8(&bytes, &h->header[h->header_len++]) || !header_may_be(h)) {
            state = CL_HELLO_NONE;
        } else if (h->header_len == sizeof(h->header)) {
            state = take_header(h);
        }
    }
    return state;
}

void cl_hello_reader_deinit(struct cl_hello_reader *h)
{
    cl_buf_deinit(&h->message);
    *h = (struct cl_hello_reader){0};
}
