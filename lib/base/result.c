/* base/result.c - names, sentences and alerts of CLEAT_ERROR_LIST, and cl_error_set(). */
#include "base/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct code_row {
    int code;
    uint8_t alert;
    const char *name;
    const char *sentence;
};

static const struct code_row code_rows[] = {{CLEAT_OK, 0, "OK", "no error"},
#define CLEAT_X(name, number, alert, sentence) {(number), (alert), #name, (sentence)},
                                            CLEAT_ERROR_LIST(CLEAT_X)
#undef CLEAT_X
};

static const struct {
    uint8_t alert;
    const char *name;
} alert_rows[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {22, "record_overflow"},
    {40, "handshake_failure"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {117, "general_error"},
    {120, "no_application_protocol"},
    {121, "ech_required"},
};

static const struct code_row *find_code(int code)
{
    for (size_t i = 0; i < sizeof(code_rows) / sizeof(code_rows[0]); i++) {
        if (code_rows[i].code == code) {
            return &code_rows[i];
        }
    }
    return NULL;
}

const char *cleat_error_name(int code)
{
    const struct code_row *row = find_code(code);
    return row != NULL ? row->name : "UNKNOWN";
}

const char *cleat_error_sentence(int code)
{
    const struct code_row *row = find_code(code);
    return row != NULL ? row->sentence : "unknown error code";
}

const char *cleat_alert_name(uint8_t alert)
{
    for (size_t i = 0; i < sizeof(alert_rows) / sizeof(alert_rows[0]); i++) {
        if (alert_rows[i].alert == alert) {
            return alert_rows[i].name;
        }
    }
    return "unknown_alert";
}

uint8_t cl_error_default_alert(cl_result code)
{
    const struct code_row *row = find_code((int)code);
    return row != NULL && row->alert != 0 ? row->alert : 80;
}

cl_result cl_error_set(struct cleat_error *e, struct cl_why why, const char *fmt, ...)
{
    if (e == NULL || e->code != CLEAT_OK) {
        return why.code;
    }
    const struct code_row *row = find_code((int)why.code);
    memset(e, 0, sizeof(*e));
    e->code = (int)why.code;
    e->alert = why.alert != 0 ? why.alert : (row != NULL ? row->alert : 0);
    if (why.section != NULL) {
        (void)snprintf(e->section, sizeof(e->section), "%s", why.section);
    }
    if (why.hint != NULL) {
        (void)snprintf(e->hint, sizeof(e->hint), "%s", why.hint);
    }
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    cl_text_make_printable(e->text);
    cl_text_make_printable(e->hint);
    return why.code;
}
