/* record/recording.c - see recording.h. */
#include "record/recording.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/hash.h"
#include "record/json.h"
#include "record/names.h"

static cl_result bad_line(struct cleat_error *err, size_t number, const char *why)
{
    return cl_error_set(err,
                        (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                        .hint = "give a file that `cleat get --record` wrote"},
                        "line %zu: %s", number, why);
}

static cl_result add_line(struct cl_recording *rec, json_t *line)
{
    /* doubled: 64, 128, … */
    if (rec->num >= 64 ? (rec->num & (rec->num - 1)) == 0 : rec->num == 0) {
        const size_t cap = rec->num != 0 ? 2 * rec->num : 64;
        json_t **grown = cl_realloc(rec->lines, cap * sizeof(*grown));
        if (grown == NULL) {
            json_decref(line);
            return CLEAT_ERR_NOMEM;
        }
        rec->lines = grown;
    }
    rec->lines[rec->num++] = line;
    return CL_OK;
}

/* Has the file changed since it was written? */
static void check_digest(struct cl_recording *rec, const char *p, size_t len)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    struct cl_buf noted = {0};
    const size_t digest_len = cl_hash_len(CL_HASH_SHA256);
    cl_hash_once(CL_HASH_SHA256, p, len, digest);
    rec->intact = cl_rec_get_hex(rec->end, "sha256", digest_len, &noted) &&
                  noted.len == digest_len && memcmp(noted.p, digest, digest_len) == 0;
    cl_buf_deinit(&noted);
}

static cl_result check_head(struct cl_recording *rec, struct cleat_error *err)
{
    uint64_t format;
    const char *role;
    if (rec->num == 0 || json_object_get(rec->lines[0], "cleat-recording") == NULL ||
        !cl_rec_get_number(rec->lines[0], "cleat-recording", UINT32_MAX, &format)) {
        return bad_line(err, 1, "this is no recording of a TLS connection");
    }
    if (format != CL_REC_FORMAT) {
        return cl_error_set(err,
                            (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED,
                                            .hint = "use the version of Cleat that wrote it"},
                            "line 1: format %llu; this version reads format %d",
                            (unsigned long long)format, CL_REC_FORMAT);
    }
    if (!cl_rec_get_bool(rec->lines[0], "secrets", &rec->secrets) ||
        !cl_rec_get_text(rec->lines[0], "role", &role) || role == NULL ||
        strcmp(role, "client") != 0) {
        return bad_line(err, 1, "\"role\" is not \"client\", or \"secrets\" not true or false");
    }
    rec->config = rec->num > 1 ? json_object_get(rec->lines[1], "config") : NULL;
    rec->open = rec->num > 2 ? rec->lines[2] : NULL;
    if (!json_is_object(rec->config)) {
        return bad_line(err, 2, "there is no \"config\"");
    }
    if (!json_is_string(json_object_get(rec->open, "open"))) {
        return bad_line(err, 3, "there is no \"open\"");
    }
    rec->first = 3;
    return CL_OK;
}

cl_result cl_recording_parse(struct cl_recording *out, const char *p, size_t len,
                             struct cleat_error *err)
{
    const char *at = p;
    size_t left = len;
    *out = (struct cl_recording){0};
    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        const size_t line_len = end != NULL ? (size_t)(end - at) : left;
        const size_t number = out->num + 1;
        json_error_t why;
        if (out->end != NULL) {
            return bad_line(err, number, "something follows the end");
        }
        if (number > CL_REC_MAX_LINES || line_len > CL_REC_MAX_LINE) {
            return bad_line(err, number, "the line is too long, or there are too many");
        }
        json_t *line = json_loadb(at, line_len, JSON_REJECT_DUPLICATES, &why);
        if (!json_is_object(line)) {
            json_decref(line);
            return bad_line(err, number, line == NULL ? why.text : "not a JSON object");
        }
        CL_TRY(add_line(out, line));
        if (json_object_get(line, "end") != NULL) {
            out->end = line;
            check_digest(out, p, (size_t)(at - p));
        }
        at += line_len + (end != NULL ? 1 : 0);
        left = len - (size_t)(at - p);
    }
    return check_head(out, err);
}

void cl_recording_deinit(struct cl_recording *rec)
{
    for (size_t i = 0; i < rec->num; i++) {
        json_decref(rec->lines[i]);
    }
    cl_free(rec->lines);
    *rec = (struct cl_recording){0};
}
