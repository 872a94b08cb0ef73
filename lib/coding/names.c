/* coding/names.c - the table of codings, Content-Encoding and Accept-Encoding (RFC 9110 8.4,
 * 12.5.3). */
#include "coding/codec.h"
#include "http/chars.h"

const struct cl_coding_row cl_coding_rows[CLEAT_NUM_CODINGS] = {
    [CLEAT_CODING_IDENTITY] = {.name = "identity"},
    [CLEAT_CODING_GZIP] = {"gzip", &cl_decode_gzip, &cl_encode_gzip, 6, 9},
    [CLEAT_CODING_DEFLATE] = {"deflate", &cl_decode_deflate, &cl_encode_deflate, 6, 9},
#ifdef CLEAT_HAVE_BROTLI
    /* 5: between gzip and 3 % of the best, at gzip's speed */
    [CLEAT_CODING_BR] = {"br", &cl_decode_br, &cl_encode_br, 5, 11},
#else
    [CLEAT_CODING_BR] = {.name = "br"},
#endif
#ifdef CLEAT_HAVE_ZSTD
    /* 19: windows are within 8 MiB up to there (RFC 9659) */
    [CLEAT_CODING_ZSTD] = {"zstd", &cl_decode_zstd, &cl_encode_zstd, 3, 19},
#else
    [CLEAT_CODING_ZSTD] = {.name = "zstd"},
#endif
};

const char *cleat_coding_name(enum cleat_coding coding)
{
    return (unsigned)coding < CLEAT_NUM_CODINGS ? cl_coding_rows[coding].name : "";
}

bool cleat_coding_built_in(enum cleat_coding coding)
{
    return coding == CLEAT_CODING_IDENTITY ||
           ((unsigned)coding < CLEAT_NUM_CODINGS && cl_coding_rows[coding].decode != NULL);
}

bool cleat_coding_find(struct cleat_http_view name, enum cleat_coding *out)
{
    struct cl_rd n = cl_http_rd(name);
    for (unsigned i = 0; i < CLEAT_NUM_CODINGS; i++) {
        if (cl_http_equal_fold(n, cl_coding_rows[i].name)) {
            *out = (enum cleat_coding)i;
            return true;
        }
    }
    /* RFC 9110 8.4.1.3: "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"." */
    *out = CLEAT_CODING_GZIP;
    return cl_http_equal_fold(n, "x-gzip");
}

int cl_coding_bits(uint64_t size, int least, int most)
{
    int bits = least;
    while (bits < most && (size == 0 || ((uint64_t)1 << bits) < size)) {
        bits++;
    }
    return bits;
}

/* ---- Content-Encoding ---- */

static int add(struct cleat_codings *out, struct cleat_http_view name, struct cleat_error *err)
{
    enum cleat_coding coding;
    if (name.len == 0 || !cl_http_all(cl_http_rd(name), CL_CH_TOKEN)) {
        return cl_error_set(
            err, (struct cl_why){.code = CLEAT_ERR_HTTP_SYNTAX, .section = "RFC 9110 8.4"},
            "Content-Encoding: \"%.*s\" is not the name of a coding", CL_HTTP_SHOWN(name));
    }
    if (!cleat_coding_find(name, &coding) || !cleat_coding_built_in(coding)) {
        return cl_error_set(
            err, (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED, .section = "RFC 9110 8.4"},
            "Content-Encoding: \"%.*s\" is not a coding that can be decoded here",
            CL_HTTP_SHOWN(name));
    }
    if (coding == CLEAT_CODING_IDENTITY) {
        return CLEAT_OK;
    }
    if (out->num == CLEAT_MAX_CODINGS) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "Content-Encoding lists more than %d codings", CLEAT_MAX_CODINGS);
    }
    out->list[out->num++] = (uint8_t)coding;
    return CLEAT_OK;
}

int cleat_codings_parse(struct cleat_codings *out, const struct cleat_http_head *head,
                        struct cleat_error *err)
{
    size_t from = 0;
    struct cleat_http_view value, name;
    *out = (struct cleat_codings){0};
    while ((value = cleat_http_find(head, "Content-Encoding", &from)).p != NULL) {
        while (cleat_http_list_next(&value, &name)) {
            int code = add(out, name, err);
            if (code != CLEAT_OK) {
                return code;
            }
        }
    }
    return CLEAT_OK;
}

/* ---- Accept-Encoding ---- */

/* RFC 9110 12.4.2: qvalue = ( "0" [ "." 0*3("0"-"9") ] ) / ( "1" [ "." 0*3("0") ] ) */
static bool read_qvalue(struct cl_rd r, uint16_t *out)
{
    uint8_t c;
    if (!cl_rd_u8(&r, &c) || (c != '0' && c != '1')) {
        return false;
    }
    unsigned value = c == '1' ? 1000 : 0;
    if (cl_rd_u8(&r, &c) && c != '.') {
        return false;
    }
    for (unsigned unit = 100; unit > 0 && cl_rd_u8(&r, &c); unit /= 10) {
        if (c < '0' || c > '9') {
            return false;
        }
        value += unit * (unsigned)(c - '0');
    }
    *out = (uint16_t)value;
    return cl_rd_done(&r) && value <= 1000;
}

/* weight = OWS ";" OWS "q=" qvalue; an element without one weighs 1. */
static bool read_element(struct cl_rd element, struct cl_rd *name, uint16_t *weight)
{
    struct cl_rd rest = element;
    struct cl_rd q;
    *name = element;
    *weight = 1000;
    if (!cl_http_until(&rest, ';', name)) {
        return true;
    }
    *name = cl_http_trim(*name);
    rest = cl_http_trim(rest);
    return cl_rd_take(&rest, 2, &q) && cl_http_equal_fold(q, "q=") && read_qvalue(rest, weight);
}

void cleat_accept_encoding(struct cleat_coding_weights *out, const struct cleat_http_head *request)
{
    bool seen[CLEAT_NUM_CODINGS] = {false};
    uint16_t others = 0, weight;
    bool any = false, has_others = false;
    size_t from = 0;
    struct cleat_http_view value, element;
    *out = (struct cleat_coding_weights){0};
    while ((value = cleat_http_find(request, "Accept-Encoding", &from)).p != NULL) {
        any = true;
        while (cleat_http_list_next(&value, &element)) {
            struct cl_rd name;
            enum cleat_coding coding;
            if (!read_element(cl_http_rd(element), &name, &weight)) {
                continue;
            }
            if (cl_rd_equal_str(name, "*") && !has_others) {
                others = weight;
                has_others = true;
            } else if (cleat_coding_find(cl_http_view(name), &coding) && !seen[coding]) {
                out->of[coding] = weight;
                seen[coding] = true;
            }
        }
    }
    for (int i = 0; i < CLEAT_NUM_CODINGS && has_others; i++) {
        out->of[i] = seen[i] ? out->of[i] : others;
    }
    if (!seen[CLEAT_CODING_IDENTITY] && !has_others) {
        out->of[CLEAT_CODING_IDENTITY] = any ? 1 : 1000;
    }
}

bool cleat_coding_choose(const struct cleat_coding_weights *weights, const enum cleat_coding *have,
                         size_t num, enum cleat_coding *out)
{
    uint16_t best = 0;
    *out = CLEAT_CODING_IDENTITY;
    for (size_t i = 0; i <= num; i++) {
        enum cleat_coding coding = i < num ? have[i] : CLEAT_CODING_IDENTITY;
        if (weights->of[coding] > best) {
            best = weights->of[coding];
            *out = coding;
        }
    }
    return best > 0;
}
