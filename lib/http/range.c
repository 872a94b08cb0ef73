/* http/range.c - Range, entity tags, If-Range (RFC 9110 8.8, 13.1.5, 14). */
#include "http/range.h"

#include "http/chars.h"
#include "http/date.h"

/* 60: a date is a strong validator only when the server knows that the file "did not change twice
 * during the second covered" (RFC 9110 8.8.2.2); a minute leaves room for coarse clocks */
#define STRONG_DATE_AGE 60

enum one_verdict {
    ONE_OK,
    ONE_BEYOND, /* valid, but nothing of it exists */
    ONE_BAD,
};

/* int-range = first-pos "-" [ last-pos ]; suffix-range = "-" suffix-length (RFC 9110 14.1.1) */
static enum one_verdict parse_one(struct cl_rd spec, uint64_t size, struct cl_http_range *out)
{
    struct cl_rd last = spec;
    struct cl_rd first;
    if (!cl_http_until(&last, '-', &first) || !cl_http_all(first, CL_CH_DIGIT) ||
        !cl_http_all(last, CL_CH_DIGIT) || (first.len == 0 && last.len == 0)) {
        return ONE_BAD;
    }
    /* positions beyond 64 bits are valid, and beyond every size */
    uint64_t a = UINT64_MAX;
    uint64_t b = UINT64_MAX;
    (void)cl_http_u64(first, &a);
    (void)cl_http_u64(last, &b);
    if (first.len == 0) {
        out->first = b < size ? size - b : 0;
        out->last = size - 1;
        return b != 0 && size != 0 ? ONE_OK : ONE_BEYOND;
    }
    /* RFC 9110 14.1.1: "An int-range is invalid if the last-pos value is present and less than
     * first-pos." */
    if (b < a) {
        return ONE_BAD;
    }
    out->first = a;
    out->last = b < size ? b : size - 1;
    return a < size ? ONE_OK : ONE_BEYOND;
}

/* Sorted insertion, then everything that overlaps or touches becomes one range. */
static size_t insert_merged(struct cl_http_range *r, size_t num, struct cl_http_range add)
{
    size_t at = num;
    while (at != 0 && r[at - 1].first > add.first) {
        r[at] = r[at - 1];
        at--;
    }
    r[at] = add;
    num++;
    size_t kept = 0;
    for (size_t i = 1; i < num; i++) {
        if (r[i].first <= r[kept].last + 1) {
            r[kept].last = r[i].last > r[kept].last ? r[i].last : r[kept].last;
        } else {
            r[++kept] = r[i];
        }
    }
    return kept + 1;
}

enum cl_http_range_verdict cl_http_range_parse(struct cl_rd field, uint64_t size,
                                               struct cl_http_range out[CL_HTTP_MAX_RANGES],
                                               size_t *out_num)
{
    struct cl_rd rest = field;
    struct cl_rd unit;
    size_t num_specs = 0;
    *out_num = 0;
    if (!cl_http_until(&rest, '=', &unit) || !cl_http_equal_fold(unit, "bytes")) {
        return CL_HTTP_RANGE_IGNORE;
    }
    struct cleat_http_view list = cl_http_view(rest);
    struct cleat_http_view spec;
    while (cleat_http_list_next(&list, &spec)) {
        struct cl_http_range one = {0};
        enum one_verdict verdict = parse_one(cl_http_rd(spec), size, &one);
        if (verdict == ONE_BAD || ++num_specs > CL_HTTP_MAX_RANGES) {
            *out_num = 0;
            return CL_HTTP_RANGE_IGNORE;
        }
        if (verdict == ONE_OK) {
            *out_num = insert_merged(out, *out_num, one);
        }
    }
    if (num_specs == 0) {
        return CL_HTTP_RANGE_IGNORE;
    }
    return *out_num != 0 ? CL_HTTP_RANGE_OK : CL_HTTP_RANGE_UNSATISFIABLE;
}

/* entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE; takes one from the front, opaque with its quotes. */
static bool take_etag(struct cl_rd *r, struct cl_rd *opaque, bool *weak)
{
    struct cl_rd rest = *r;
    *weak = rest.len >= 2 && rest.p[0] == 'W' && rest.p[1] == '/';
    if (*weak && !cl_rd_skip(&rest, 2)) {
        return false;
    }
    if (rest.len < 2 || rest.p[0] != '"') {
        return false;
    }
    size_t len = 1;
    while (len < rest.len && cl_http_ch(rest.p[len], CL_CH_ETAG)) {
        len++;
    }
    if (len == rest.len || rest.p[len] != '"' || !cl_rd_take(&rest, len + 1, opaque)) {
        return false;
    }
    *r = rest;
    return true;
}

bool cl_http_etag_valid(struct cl_rd text)
{
    struct cl_rd opaque;
    bool weak;
    return take_etag(&text, &opaque, &weak) && cl_rd_done(&text);
}

bool cl_http_etag_listed(struct cl_rd list, struct cl_rd etag, bool weak)
{
    struct cl_rd mine;
    bool mine_weak;
    list = cl_http_trim(list);
    if (!take_etag(&etag, &mine, &mine_weak) || !cl_rd_done(&etag)) {
        return false;
    }
    if (cl_rd_equal_str(list, "*")) {
        return true;
    }
    while (list.len != 0) {
        struct cl_rd theirs;
        bool theirs_weak;
        if (list.p[0] == ',') {
            list = cl_http_trim(cl_rd_of(list.p + 1, list.len - 1));
            continue;
        }
        if (!take_etag(&list, &theirs, &theirs_weak)) {
            return false;
        }
        list = cl_http_trim(list);
        if (list.len != 0 && list.p[0] != ',') {
            return false;
        }
        /* RFC 9110 8.8.3.2: strong comparison: both are not weak */
        if (cl_rd_equal(mine, theirs) && (weak || (!mine_weak && !theirs_weak))) {
            return true;
        }
    }
    return false;
}

bool cl_http_if_range_holds(struct cl_rd field, struct cl_rd etag, int64_t last_modified,
                            int64_t now)
{
    int64_t date;
    if (cl_http_etag_valid(field)) {
        return cl_http_etag_listed(field, etag, false);
    }
    return cl_http_date_parse(field, now, &date) && date == last_modified &&
           now - last_modified >= STRONG_DATE_AGE;
}
