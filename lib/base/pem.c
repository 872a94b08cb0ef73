/* base/pem.c - see pem.h. A block begins at a line "-----BEGIN label-----" and ends at the END line
 * with the same label; what stands between blocks (comments, other text) is skipped. RFC 7468. */
#include "base/pem.h"

#include "base/mem.h"
#include "base/text.h"

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define DASH  "-----"

void cl_pem_init(struct cl_pem *pem, const char *text, size_t len, struct cleat_error *err)
{
    *pem = (struct cl_pem){.rest = cl_rd_of(text, len), .err = err};
}

static cl_result bad(const struct cl_pem *pem, size_t line, const char *what)
{
    return cl_error_set(pem->err,
                        (struct cl_why){.code = CLEAT_ERR_BAD_PEM,
                                        .section = "RFC 7468 2",
                                        .hint =
                                            "a PEM block is copied whole, from its BEGIN line to "
                                            "its END line"},
                        "line %zu: %s", line, what);
}

/* The next line without its end and without trailing white space. */
static bool next_line(struct cl_pem *pem, struct cl_rd *line)
{
    if (cl_rd_done(&pem->rest)) {
        return false;
    }
    const uint8_t *end = memchr(pem->rest.p, '\n', pem->rest.len);
    size_t len = end != NULL ? (size_t)(end - pem->rest.p) : pem->rest.len;
    if (!cl_rd_take(&pem->rest, len, line) || (end != NULL && !cl_rd_skip(&pem->rest, 1))) {
        return false;
    }
    while (line->len > 0 && strchr(" \t\r", line->p[line->len - 1]) != NULL &&
           line->p[line->len - 1] != '\0') {
        line->len--;
    }
    pem->line++;
    return true;
}

static bool boundary(struct cl_rd line, const char *kind, struct cl_rd *label)
{
    struct cl_rd head;
    size_t tail = strlen(DASH);
    if (!cl_rd_take(&line, strlen(kind), &head) || !cl_rd_equal_str(head, kind) ||
        line.len < tail || !cl_rd_take(&line, line.len - tail, label) ||
        !cl_rd_equal_str(line, DASH)) {
        return false;
    }
    return true;
}

cl_result cl_pem_next(struct cl_pem *pem, struct cl_pem_block *out, bool *found)
{
    struct cl_rd line;
    struct cl_rd label;
    *found = false;
    do {
        if (!next_line(pem, &line)) {
            return CL_OK;
        }
    } while (!boundary(line, BEGIN, &out->label));
    out->line = pem->line;
    out->body = cl_rd_of(pem->rest.p, 0);
    while (next_line(pem, &line)) {
        if (boundary(line, END, &label)) {
            if (!cl_rd_equal(label, out->label)) {
                return bad(pem, pem->line, "the label of this END line is not its BEGIN line's");
            }
            out->body.len = (size_t)(line.p - out->body.p);
            *found = true;
            return CL_OK;
        }
        if (boundary(line, BEGIN, &label)) {
            return bad(pem, pem->line, "a BEGIN line inside a block");
        }
    }
    return bad(pem, out->line, "this block has no END line");
}

static bool find(struct cl_rd text, const char *what, size_t *at)
{
    const uint8_t *p = text.len == 0 ? NULL : memmem(text.p, text.len, what, strlen(what));
    *at = p == NULL ? 0 : (size_t)(p - text.p);
    return p != NULL;
}

bool cl_pem_take_headers(struct cl_pem_block *block, struct cl_rd *headers)
{
    size_t colon;
    size_t gap;
    size_t gap_crlf;
    if (!find(block->body, ":", &colon)) {
        return false;
    }
    bool lf = find(block->body, "\n\n", &gap);
    bool crlf = find(block->body, "\r\n\r\n", &gap_crlf);
    if (!lf && !crlf) {
        return false; /* the colon will fail to decode */
    }
    return cl_rd_take(&block->body, lf && (!crlf || gap < gap_crlf) ? gap : gap_crlf, headers);
}

cl_result cl_pem_decode(const struct cl_pem *pem, const struct cl_pem_block *block,
                        struct cl_buf *out, size_t max)
{
    size_t room = block->body.len / 4 * 3 + 3;
    size_t len;
    CL_TRY(cl_buf_reserve(out, room, max + room));
    struct cl_wr w = cl_buf_writer(out);
    uint8_t *at = cl_wr_reserve(&w, room);
    if (at == NULL ||
        !cl_base64_decode((const char *)block->body.p, block->body.len, true, at, room, &len) ||
        len == 0) {
        return bad(pem, block->line, "this block is not base64 (RFC 4648 4)");
    }
    if (out->len + len > max) {
        return cl_error_set(pem->err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "line %zu: this block is too long", block->line);
    }
    out->len += len;
    return CL_OK;
}

/* RFC 7468 2: "generators MUST wrap the base64-encoded lines so that each line consists of exactly
 * 64 characters except for the final line" */
#define LINE_BYTES 48

cl_result cl_pem_encode(const char *label, struct cl_rd der, struct cl_buf *out)
{
    CL_TRY(cl_buf_printf(out, CL_PEM_MAX_LEN, BEGIN "%s" DASH "\n", label));
    while (!cl_rd_done(&der)) {
        char text[CL_BASE64_LEN(LINE_BYTES) + 1];
        struct cl_rd part;
        if (!cl_rd_take(&der, der.len < LINE_BYTES ? der.len : LINE_BYTES, &part)) {
            return CLEAT_ERR_INTERNAL;
        }
        cl_base64_encode(part.p, part.len, text);
        cl_result r = cl_buf_printf(out, CL_PEM_MAX_LEN, "%s\n", text);
        cl_wipe(text, sizeof(text)); /* it may be a key */
        CL_TRY(r);
    }
    return cl_buf_printf(out, CL_PEM_MAX_LEN, END "%s" DASH "\n", label);
}
