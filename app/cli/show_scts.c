/* cli/show_scts.c - lists of timestamps (RFC 6962), shown. Nothing is verified here: `cleat cert
 * verify --ct` does that. */
#include <stdio.h>

#include "base/text.h"
#include "cli/show_items.h"

/* The log by its name, where the list of logs has it; the list says whose it is and what it is
 * worth today. */
static void log_of(struct facts *f, struct cl_rd id, const struct cleat_ct_logs *logs)
{
    char encoded[CL_BASE64_LEN(CL_CT_ID_LEN) + 1];
    char text[sizeof(((struct cl_ct_log *)0)->description) + 128];
    const struct cl_ct_log *log = logs != NULL ? cl_ct_find(logs, id) : NULL;
    cl_base64_encode(id.p, id.len, encoded);
    if (log != NULL) {
        (void)snprintf(text, sizeof(text), "%s (%s, %s)", log->description, log->operated_by,
                       cleat_ct_state_name(log->state));
    } else {
        (void)snprintf(text, sizeof(text), "%s%s", encoded,
                       logs != NULL ? " (not in the list of logs)" : "");
    }
    facts_text(f, "Log", NULL, text);
    facts_text(f, log != NULL ? "  Log ID" : NULL, "log_id", encoded);
    facts_hex(f, NULL, "log_id_hex", id);
    if (f->out == NULL) {
        facts_text(f, NULL, "log", log != NULL ? log->description : "");
        facts_text(f, NULL, "operator", log != NULL ? log->operated_by : "");
        facts_text(f, NULL, "state", log != NULL ? cleat_ct_state_name(log->state) : "");
    }
}

static void timestamp(struct facts *f, const struct cl_sct *sct, const struct cleat_ct_logs *logs)
{
    char other[16];
    struct facts sub = facts_sub(f, "timestamps");
    log_of(&sub, sct->log_id, logs);
    /* timestamps beyond the year 9999 have no text */
    const uint64_t seconds = sct->timestamp / 1000;
    facts_time(&sub, "  Time", "time", seconds < 253402300800u ? (int64_t)seconds : INT64_MIN);
    facts_number(&sub, NULL, "milliseconds",
                 sct->timestamp <= INT64_MAX ? (int64_t)sct->timestamp : -1);
    /* RFC 6962 2.1.4: these two alone; written as in TLS 1.2 */
    (void)snprintf(other, sizeof(other), "0x%04x", sct->algorithm);
    facts_text(&sub, "  Signature", "signature",
               sct->algorithm == 0x0403   ? "ECDSA with SHA-256"
               : sct->algorithm == 0x0401 ? "RSA with SHA-256"
                                          : other);
    facts_hex(&sub, "  Extensions", "extensions", sct->extensions);
}

cl_result show_sct_list(struct facts *f, struct cl_rd list, const struct cleat_ct_logs *logs,
                        struct cleat_error *err)
{
    struct cl_sct sct;
    size_t num = 0;
    bool ok;
    while (!cl_rd_done(&list)) {
        if (!cl_sct_next(&list, &sct, &ok)) {
            return cl_error_set(
                err, (struct cl_why){.code = CLEAT_ERR_DECODE, .section = "RFC 6962 3.3"},
                "the list of timestamps is broken behind number %zu", num);
        }
        num++;
        if (ok) {
            timestamp(f, &sct, logs);
        } else {
            facts_text(f, "Log", NULL, "(not a timestamp of version 1)");
        }
    }
    facts_number(f, "Timestamps", "num_timestamps", (int64_t)num);
    return CL_OK;
}

cl_result show_scts(struct facts *f, const struct cert_item *item, const struct show_wish *w,
                    struct cleat_error *err)
{
    uint8_t framed[2] = {(uint8_t)(item->der.len >> 8), (uint8_t)item->der.len};
    struct cl_rd list = cl_kind_sct_list(cl_buf_view(&item->der));
    struct cl_buf one = {0};
    cl_result r = CL_OK;
    if (list.p == NULL) { /* one timestamp: a list of it */
        if (item->der.len > UINT16_MAX ||
            cl_buf_append(&one, framed, sizeof(framed), SIZE_MAX) != CL_OK ||
            cl_buf_append(&one, item->der.p, item->der.len, SIZE_MAX) != CL_OK) {
            r = CLEAT_ERR_LIMIT;
        }
        list = cl_buf_view(&one);
    }
    if (r == CL_OK) {
        r = show_sct_list(f, list, w->logs, err);
    }
    cl_buf_deinit(&one);
    return r;
}
