/* conn/ct_list.c - see ct_list.h. jansson reads (UTF-8, no key twice, bounded depth); here each
 * member is checked before it is used. */
#include "conn/ct_list.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/hash.h"

/* 1,024: a SubjectPublicKeyInfo; RSA of 4,096 bits has 550 bytes */
#define MAX_KEY 1024
#define ID_LEN  32

/* Where we are, for messages. */
struct reader {
    struct cl_ct_list *out;
    struct cleat_error *err;
    size_t place; /* of the log, from 1 */
    const char *name;
};

static const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static cl_result bad(const struct reader *r, const char *what)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s", r->name != NULL ? r->name : "without a description");
    cl_text_make_printable(name);
    return cl_error_set(r->err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG}, "log %zu (%s): %s",
                        r->place, name, what);
}

static cl_result no_list(struct cleat_error *err, const char *what)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                        "not a list of logs in the form of browsers: %s", what);
}

/* ---- times and states ---- */

/* "2026-01-01T00:00:00Z", also with a fraction of the second. */
static bool read_time(const char *text, int64_t *out)
{
    struct tm tm = {0};
    const char *rest = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (rest != NULL && rest[0] == '.') {
        rest += 1 + strspn(rest + 1, "0123456789");
    }
    if (rest == NULL || strcmp(rest, "Z") != 0) {
        return false;
    }
    *out = (int64_t)timegm(&tm);
    return true;
}

static const struct {
    const char *name;
    enum cleat_ct_state state;
} states[] = {
    {"pending", CLEAT_CT_PENDING}, {"qualified", CLEAT_CT_USABLE},
    {"usable", CLEAT_CT_USABLE},   {"readonly", CLEAT_CT_READONLY},
    {"retired", CLEAT_CT_RETIRED}, {"rejected", CLEAT_CT_REJECTED},
};

/* {"usable": {"timestamp": "..."}}; *known false: there is none, or another. */
static cl_result read_state(const struct reader *r, const json_t *o, bool flat,
                            struct cleat_ct_log *log, bool *known)
{
    const json_t *state = json_object_get(o, "state");
    *known = state == NULL && flat; /* a list without states has the logs that are in use */
    if (state == NULL) {
        return CL_OK;
    }
    if (!json_is_object(state) || json_object_size(state) != 1) {
        return bad(r, "\"state\" must be an object with one member");
    }
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        const json_t *detail = json_object_get(state, states[i].name);
        if (detail == NULL) {
            continue;
        }
        *known = true;
        log->state = states[i].state;
        const bool dated = read_time(text_of(detail, "timestamp"), &log->state_since);
        if (!dated && (log->state == CLEAT_CT_RETIRED || json_object_get(detail, "timestamp"))) {
            return bad(r, "its state has no timestamp like 2026-01-01T00:00:00Z");
        }
    }
    return CL_OK;
}

static cl_result read_interval(const struct reader *r, const json_t *o, struct cleat_ct_log *log)
{
    const json_t *interval = json_object_get(o, "temporal_interval");
    if (interval == NULL) {
        return CL_OK;
    }
    return read_time(text_of(interval, "start_inclusive"), &log->not_after_from) &&
                   read_time(text_of(interval, "end_exclusive"), &log->not_after_until) &&
                   log->not_after_from < log->not_after_until && log->not_after_until != 0
               ? CL_OK
               : bad(r, "\"temporal_interval\" needs start_inclusive before end_exclusive, times "
                        "like 2026-01-01T00:00:00Z");
}

/* ---- logs ---- */

static bool read_base64(const json_t *o, const char *key, uint8_t *out, size_t cap, size_t *len)
{
    const json_t *value = json_object_get(o, key);
    return json_is_string(value) &&
           cl_base64_decode(json_string_value(value), json_string_length(value), false, out, cap,
                            len);
}

static cl_result read_key(const struct reader *r, const json_t *o, uint8_t key[MAX_KEY],
                          size_t *len)
{
    uint8_t id[ID_LEN], digest[ID_LEN];
    size_t id_len = 0;
    if (!read_base64(o, "key", key, MAX_KEY, len)) {
        return bad(r, "\"key\" is not the base64 of a public key");
    }
    if (!read_base64(o, "log_id", id, sizeof(id), &id_len) || id_len != sizeof(id)) {
        return bad(r, "\"log_id\" is not the base64 of 32 bytes");
    }
    /* RFC 6962 3.2: "the SHA-256 hash of the log's public key" */
    cl_hash_once(CL_HASH_SHA256, key, *len, digest);
    return memcmp(id, digest, sizeof(id)) == 0
               ? CL_OK
               : bad(r, "\"log_id\" is not the SHA-256 of its key (RFC 6962 3.2)");
}

static cl_result add_log(const struct reader *r, const struct cleat_ct_log *log)
{
    struct cleat_error why = {0};
    const int code = cleat_ct_logs_add(r->out->logs, log, &why);
    if (code == CLEAT_OK) {
        return CL_OK;
    }
    (void)bad(r, why.text);
    r->err->code = code;
    return (cl_result)code;
}

static cl_result read_log(struct reader *r, const json_t *o, const char *operated_by, bool flat)
{
    uint8_t key[MAX_KEY];
    bool known;
    r->place++;
    r->name = text_of(o, "description");
    struct cleat_ct_log log = {.key = key, .description = r->name, .operated_by = operated_by};
    if (!json_is_object(o)) {
        return bad(r, "it is not an object");
    }
    if (operated_by == NULL || operated_by[0] == '\0') {
        return bad(r, "it has no operator");
    }
    CL_TRY(read_key(r, o, key, &log.key_len));
    CL_TRY(read_state(r, o, flat, &log, &known));
    CL_TRY(read_interval(r, o, &log));
    if (known) {
        return add_log(r, &log);
    }
    if (r->out->num_passed_over++ == 0) {
        (void)snprintf(r->out->passed_over, sizeof(r->out->passed_over), "%s",
                       r->name != NULL ? r->name : "");
    }
    return CL_OK;
}

/* operated_by NULL: each log says it. */
static cl_result read_logs(struct reader *r, const json_t *list, const char *operated_by)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        const bool flat = operated_by == NULL;
        CL_TRY(read_log(r, o, flat ? text_of(o, "operator") : operated_by, flat));
    }
    return CL_OK;
}

static cl_result read_operators(struct reader *r, const json_t *list)
{
    static const char *const kinds[] = {"logs", "tiled_logs"};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        const char *name = text_of(o, "name");
        if (name == NULL || name[0] == '\0') {
            return no_list(r->err, "an operator has no name");
        }
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            const json_t *logs = json_object_get(o, kinds[k]);
            if (logs != NULL && !json_is_array(logs)) {
                return no_list(r->err, "an operator's logs are not an array");
            }
            CL_TRY(read_logs(r, logs, name));
        }
    }
    return CL_OK;
}

/* ---- the list ---- */

static cl_result read_list(struct reader *r, const json_t *root)
{
    const json_t *operators = json_object_get(root, "operators");
    const json_t *logs = json_object_get(root, "logs");
    const char *made = text_of(root, "log_list_timestamp");
    if (made != NULL && !read_time(made, &r->out->made)) {
        return no_list(r->err, "\"log_list_timestamp\" is not a time like 2026-01-01T00:00:00Z");
    }
    if (json_is_array(operators)) {
        CL_TRY(read_operators(r, operators));
    } else if (json_is_array(logs)) {
        CL_TRY(read_logs(r, logs, NULL));
    } else {
        return no_list(r->err, "it has no array \"operators\"");
    }
    return cleat_ct_logs_num(r->out->logs) > 0 ? CL_OK : no_list(r->err, "there is no log in it");
}

cl_result cl_ct_list_read(const char *text, size_t len, struct cl_ct_list *out,
                          struct cleat_error *err)
{
    json_error_t where;
    struct reader r = {.out = out, .err = err};
    *out = (struct cl_ct_list){0};
    if (len > CL_CT_LIST_MAX) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "a list of logs has at most %u bytes", CL_CT_LIST_MAX);
    }
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL) {
        cl_text_make_printable(where.text); /* it quotes the file */
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "not JSON: line %d: %.120s", where.line, where.text);
    }
    cl_result result = (cl_result)cleat_ct_logs_new(&out->logs);
    result = result == CL_OK ? read_list(&r, root) : result;
    json_decref(root);
    if (result != CL_OK) {
        cleat_ct_logs_free(out->logs);
        *out = (struct cl_ct_list){0};
    }
    return result;
}
