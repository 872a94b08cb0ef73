/* crypto/keypem.c - see keypem.h. Not constant time: keys are read once, at start-up, from files.
 */
#include "crypto/keypem.h"

#include "base/mem.h"
#include "base/text.h"

/* RFC 7468 2: lines of 64 characters, 48 bytes each */
#define LINE_BYTES 48

static bool find(struct cl_rd text, const char *what, size_t *at)
{
    const uint8_t *p = text.len == 0 ? NULL : memmem(text.p, text.len, what, strlen(what));
    *at = p == NULL ? 0 : (size_t)(p - text.p);
    return p != NULL;
}

/* take_until takes what stands in front of `what` and drops both from text. */
static bool take_until(struct cl_rd *text, const char *what, struct cl_rd *out)
{
    size_t at = 0;
    return find(*text, what, &at) && cl_rd_take(text, at, out) && cl_rd_skip(text, strlen(what));
}

/* skip_headers drops "Name: value" lines and the empty line behind them (RFC 1421 4.4), which old
 * files have; their presence with "ENCRYPTED" means a passphrase. */
static void skip_headers(struct cl_keypem_block *block)
{
    size_t colon = 0;
    size_t gap = 0;
    size_t gap_crlf = 0;
    if (!find(block->body, ":", &colon)) {
        return;
    }
    struct cl_rd headers = block->body;
    const bool lf = find(block->body, "\n\n", &gap);
    const bool crlf = find(block->body, "\r\n\r\n", &gap_crlf);
    if (!lf && !crlf) {
        return; /* the colon will fail to decode */
    }
    const bool use_lf = lf && (!crlf || gap < gap_crlf);
    if (cl_rd_take(&block->body, use_lf ? gap : gap_crlf, &headers)) {
        block->encrypted = find(headers, "ENCRYPTED", &colon);
    }
}

bool cl_keypem_next(struct cl_rd *text, struct cl_keypem_block *out, bool *broken)
{
    struct cl_rd before;
    struct cl_rd end_label;
    memset(out, 0, sizeof(*out));
    *broken = false;
    if (!take_until(text, "-----BEGIN ", &before)) {
        return false;
    }
    *broken = true;
    if (!take_until(text, "-----", &out->label) || !take_until(text, "-----END ", &out->body) ||
        !take_until(text, "-----", &end_label) || !cl_rd_equal(out->label, end_label)) {
        return false;
    }
    skip_headers(out);
    *broken = false;
    return true;
}

cl_result cl_keypem_decode(const struct cl_keypem_block *block, struct cl_buf *out)
{
    if (block->body.len > CL_KEYPEM_MAX_BLOCK) {
        return CLEAT_ERR_BAD_PEM;
    }
    CL_TRY(cl_buf_reserve(out, block->body.len, CL_KEYPEM_MAX_BLOCK));
    const char *text = (const char *)block->body.p;
    if (!cl_base64_decode(text, block->body.len, true, out->p, out->cap, &out->len) ||
        out->len == 0) {
        return CLEAT_ERR_BAD_PEM;
    }
    return CL_OK;
}

cl_result cl_keypem_append(struct cl_buf *out, const char *label, struct cl_rd der)
{
    char line[CL_BASE64_LEN(LINE_BYTES) + 1];
    cl_result r = cl_buf_printf(out, SIZE_MAX, "-----BEGIN %s-----\n", label);
    while (r == CL_OK && !cl_rd_done(&der)) {
        struct cl_rd piece;
        if (!cl_rd_take(&der, der.len < LINE_BYTES ? der.len : LINE_BYTES, &piece)) {
            break;
        }
        cl_base64_encode(piece.p, piece.len, line);
        r = cl_buf_printf(out, SIZE_MAX, "%s\n", line);
    }
    cl_wipe(line, sizeof(line));
    CL_TRY(r);
    return cl_buf_printf(out, SIZE_MAX, "-----END %s-----\n", label);
}
