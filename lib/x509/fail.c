/* x509/fail.c - how a failed check is told: which certificate (by its place in the chain as sent,
 * and its name), which values, which section. */
#include <stdarg.h>
#include <stdio.h>

#include "x509/gname.h"
#include "x509/verify_impl.h"

static const char *const sections[CL_CHECK_COUNT] = {
#define CL_X(id, name, section) [CL_CHECK_##id] = (section),
    CL_CHECK_LIST(CL_X)
#undef CL_X
};

void cl_cert_label(const struct cleat_cert *cert, char out[CL_LABEL_MAX])
{
    struct cl_attr cn;
    struct cl_gname san;
    struct cl_rd names = cert->san;
    char text[CL_LABEL_MAX - 4];
    if (cl_name_common_name(&cert->subject, &cn)) {
        cl_attr_text(&cn, text, sizeof(text));
        (void)snprintf(out, CL_LABEL_MAX, "CN=%s", text);
    } else if (!cl_name_empty(&cert->subject)) {
        cl_name_text(&cert->subject, out, CL_LABEL_MAX);
    } else if (cl_gname_next(&names, &san)) {
        cl_gname_text(&san, out, CL_LABEL_MAX);
    } else {
        (void)snprintf(out, CL_LABEL_MAX, "(no name)");
    }
}

/* "certificate 2 of 3, CN=…" or "trust anchor CN=…". */
static void which(const struct cl_fail *fail, char *out, size_t cap)
{
    char label[CL_LABEL_MAX];
    const struct cleat_verdict *verdict = fail->verdict;
    if (fail->path == NULL || fail->depth >= fail->path->num) {
        (void)snprintf(out, cap, "certificate %u of the path", fail->depth + 1u);
        return;
    }
    const struct cleat_cert *cert = fail->path->certs[fail->depth];
    cl_cert_label(cert, label);
    for (size_t i = 0; verdict != NULL && i < verdict->num_pool; i++) {
        if (verdict->pool[i].cert == cert) {
            (void)snprintf(out, cap, "certificate %u of %zu, %s", verdict->pool[i].position + 1u,
                           verdict->num_presented, label);
            return;
        }
    }
    (void)snprintf(out, cap, "trust anchor %s", label);
}

bool cl_fail_set(struct cl_fail *fail, cl_result code, enum cl_check_id check, size_t depth,
                 const char *section, const char *hint, const char *fmt, ...)
{
    fail->code = code;
    fail->check = check;
    fail->depth = (uint8_t)depth;
    if (!cl_fail_wanted(fail)) {
        return false;
    }
    char cert[160];
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    which(fail, cert, sizeof(cert));
    (void)cl_error_set(fail->err,
                       (struct cl_why){.code = code,
                                       .section = section != NULL ? section : sections[check],
                                       .hint = hint},
                       "%s: %s", cert, text);
    return false;
}
