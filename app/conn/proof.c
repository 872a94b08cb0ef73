/* conn/proof.c - see proof.h. */
#include "conn/proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/text.h"

/* 512: a name that is longer is cut */
#define TEXT_SIZE 512

/* Names come from strangers: what is not UTF-8 becomes null. */
static void set_text(json_t *o, const char *name, const char *text)
{
    json_t *value = text != NULL && text[0] != '\0' ? json_string(text) : NULL;
    (void)json_object_set_new(o, name, value != NULL ? value : json_null());
}

static void set_us(json_t *o, uint64_t ns)
{
    if (ns != 0) {
        (void)json_object_set_new(o, "us", json_real((double)ns / 1e3));
    }
}

const char *cl_proof_result(enum cleat_check_result result)
{
    static const char *const names[] = {"passed", "failed", "skipped"};
    return names[result];
}

json_t *cl_proof_cert(const struct cleat_cert *cert)
{
    char text[TEXT_SIZE];
    uint8_t digest[32];
    json_t *o = json_object();
    (void)cleat_cert_subject(cert, text, sizeof(text));
    set_text(o, "subject", text);
    (void)cleat_cert_issuer(cert, text, sizeof(text));
    set_text(o, "issuer", text);
    cleat_cert_fingerprint(cert, digest);
    cl_hex_encode(digest, sizeof(digest), text);
    set_text(o, "sha256", text);
    (void)json_object_set_new(o, "not_before", json_integer(cleat_cert_not_before(cert)));
    (void)json_object_set_new(o, "not_after", json_integer(cleat_cert_not_after(cert)));
    return o;
}

static json_t *checks(const struct cleat_verdict *verdict, size_t i)
{
    struct cleat_check check;
    json_t *list = json_array();
    for (size_t n = 0; cleat_verdict_check(verdict, i, n, &check); n++) {
        json_t *o = json_object();
        (void)json_object_set_new(o, "depth", json_integer((json_int_t)check.depth));
        set_text(o, "name", check.name);
        set_text(o, "result", cl_proof_result(check.result));
        set_text(o, "section", check.section);
        set_text(o, "text", check.text);
        set_us(o, check.ns);
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *one_try(const struct cleat_verdict *verdict, size_t i, const struct cleat_try *try)
{
    json_t *o = json_object();
    json_t *certs = json_array();
    for (size_t depth = 0; depth < try->num_certs; depth++) {
        (void)json_array_append_new(certs,
                                    cl_proof_cert(cleat_verdict_try_cert(verdict, i, depth)));
    }
    (void)json_object_set_new(o, "accepted", json_boolean(try->accepted));
    (void)json_object_set_new(o, "complete", json_boolean(try->complete));
    if (!try->accepted && try->error != NULL) {
        set_text(o, "error", cleat_error_name(try->error->code));
        set_text(o, "text", try->error->text);
    }
    set_us(o, try->ns);
    (void)json_object_set_new(o, "path", certs);
    (void)json_object_set_new(o, "checks", checks(verdict, i));
    return o;
}

json_t *cl_proof_tries(const struct cleat_verdict *verdict)
{
    struct cleat_try try;
    json_t *tries = json_array();
    for (size_t i = 0; cleat_verdict_try(verdict, i, &try); i++) {
        (void)json_array_append_new(tries, one_try(verdict, i, &try));
    }
    return tries;
}

/* ---- certificate timestamps ---- */

static const char *format_iso(int64_t seconds, char out[32])
{
    struct tm tm;
    time_t t = (time_t)seconds;
    if (gmtime_r(&t, &tm) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        (void)snprintf(out, 32, "%" PRId64, seconds);
    }
    return out;
}

static bool is_known(const struct cleat_sct *sct)
{
    return sct->result != CLEAT_SCT_UNKNOWN_LOG && sct->result != CLEAT_SCT_MALFORMED;
}

static json_t *one_sct(const struct cleat_sct *sct)
{
    char text[64];
    json_t *o = json_object();
    set_text(o, "result", cleat_sct_result_name(sct->result));
    set_text(o, "source", cleat_sct_source_name(sct->source));
    if (sct->result != CLEAT_SCT_MALFORMED) {
        cl_base64_encode(sct->log_id, sizeof(sct->log_id), text);
        set_text(o, "log_id", text);
        set_text(o, "time", format_iso(sct->timestamp / 1000, text));
        (void)json_object_set_new(o, "timestamp", json_integer(sct->timestamp));
    }
    if (is_known(sct)) {
        set_text(o, "log", sct->description);
        set_text(o, "operator", sct->operated_by);
        set_text(o, "state", cleat_ct_state_name(sct->state));
        set_text(o, "state_since",
                 sct->state_since != 0 ? format_iso(sct->state_since, text) : NULL);
    }
    return o;
}

json_t *cl_proof_scts(const struct cleat_verdict *verdict)
{
    struct cleat_sct sct;
    json_t *list = json_array();
    for (size_t i = 0; cleat_verdict_sct(verdict, i, &sct); i++) {
        (void)json_array_append_new(list, one_sct(&sct));
    }
    return list;
}

const char *cl_proof_sct_text(const struct cleat_sct *sct, char out[CL_PROOF_SCT_SIZE])
{
    char log[240], text[64], since[32] = "", when[48] = "";
    if (is_known(sct)) {
        if (sct->state == CLEAT_CT_RETIRED || sct->state == CLEAT_CT_READONLY) {
            (void)snprintf(since, sizeof(since), " since %.10s",
                           format_iso(sct->state_since, text));
        }
        (void)snprintf(log, sizeof(log), "%s (operated by %s, %s%s)", sct->description,
                       sct->operated_by, cleat_ct_state_name(sct->state),
                       sct->state_since != 0 ? since : "");
    } else {
        cl_base64_encode(sct->log_id, sizeof(sct->log_id), text);
        (void)snprintf(log, sizeof(log), "%s",
                       sct->result == CLEAT_SCT_MALFORMED ? "not of version 1, or broken" : text);
    }
    if (sct->result != CLEAT_SCT_MALFORMED) {
        (void)snprintf(when, sizeof(when), ", of %s", format_iso(sct->timestamp / 1000, text));
    }
    (void)snprintf(out, CL_PROOF_SCT_SIZE, "%s: %s, %s%s", cleat_sct_result_name(sct->result), log,
                   cleat_sct_source_name(sct->source), when);
    cl_text_make_printable(out);
    return out;
}

size_t cl_proof_num_passed(const struct cleat_verdict *verdict)
{
    struct cleat_try try;
    struct cleat_check check;
    size_t num = 0;
    for (size_t i = 0; cleat_verdict_try(verdict, i, &try); i++) {
        for (size_t n = 0; try.accepted && cleat_verdict_check(verdict, i, n, &check); n++) {
            num += check.result == CLEAT_CHECK_PASSED ? 1 : 0;
        }
    }
    return num;
}
