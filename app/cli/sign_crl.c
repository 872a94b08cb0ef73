/* cli/sign_crl.c - `cleat cert sign --crl`: a revocation list, from the one before it. That list is
 * all the register there is: its entries stay as they stand, byte for byte, and its number grows.
 * It counts only when this CA signed it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cert_items.h"
#include "cli/sign_ca.h"
#include "x509/crl_build.h"
#include "x509/dn.h"

#define DAY        86400
/* 20: RFC 5280 4.1.2.2; one more for a leading zero */
#define MAX_SERIAL 21

/* What is asked for of one certificate. */
struct wanted {
    uint8_t serial[MAX_SERIAL]; /* contents of the INTEGER */
    size_t serial_len;
    char text[2 * MAX_SERIAL + 1]; /* in hexadecimal */
    uint32_t reason;
    bool met; /* by an entry of the list before */
};

struct making {
    const struct sign_crl *wish;
    struct sign_ca ca;
    struct cl_crl *before; /* NULL: this is the first */
    struct wanted *wanted; /* as many as there are changes */
    struct cl_buf entries, point;
    struct cl_buf told; /* once it is written */
    uint8_t number[CL_CRL_NUMBER_MAX + 2];
    size_t number_len;
    size_t num_entries;
    int64_t now, end;
};

/* ---- the list before ---- */

static cl_result check_before(const struct making *m, struct cleat_error *err)
{
    const struct cl_crl *crl = m->before;
    const char *path = m->wish->from;
    if (!cl_name_equal(&crl->issuer, &m->ca.cert->subject)) {
        return sign_refuse(err, "RFC 5280 5.1.2.3", path, "it is another CA's list", NULL);
    }
    if (cl_signed_by(m->ca.cert, crl->sig_alg, crl->tbs, crl->signature) != CL_OK) {
        return sign_refuse(err, "RFC 5280 6.3.3 (g)", path,
                           "its signature is not this CA's: its entries may be anybody's",
                           "take the list that this CA made last; start anew without --from");
    }
    if (crl->unusable != NULL || crl->is_delta || crl->indirect || crl->only_attribute ||
        crl->reasons != CL_REASONS_ALL) {
        return sign_refuse(err, "RFC 5280 5.2", path,
                           "it is not a complete list of this CA's own certificates for all "
                           "reasons, and no other is carried on",
                           NULL);
    }
    if (crl->this_update > m->now) {
        return sign_refuse(err, "RFC 5280 5.1.2.4", path, "it was made in the future",
                           "look at this machine's clock");
    }
    return CL_OK;
}

static cl_result read_before(struct making *m, struct cleat_error *err)
{
    struct cert_items list = {0};
    struct cleat_error inner = {0};
    const char *path = m->wish->from;
    if (path == NULL) {
        return CL_OK;
    }
    cl_result r = cert_items_read(&list, path, err);
    if (r == CL_OK) {
        const struct cert_item *item = cert_items_first(&list, CL_KIND_CRL);
        r = item == NULL ? sign_refuse(err, NULL, path, "it holds no revocation list", NULL)
                         : cl_crl_parse(&m->before, cl_buf_view(&item->der), &inner);
        if (r != CL_OK && inner.text[0] != '\0') {
            (void)cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", path, inner.text);
        }
    }
    cert_items_deinit(&list);
    return r == CL_OK ? check_before(m, err) : r;
}

/* One more than that of the list before, or the time when there is none: a CA that has lost its
 * last list still counts upwards (RFC 5280 5.2.3: "monotonically increasing"). */
static cl_result choose_number(struct making *m, struct cleat_error *err)
{
    if (m->before == NULL || m->before->number.len == 0) {
        for (size_t i = 0; i < 8; i++) {
            m->number[i] = (uint8_t)((uint64_t)m->now >> (8 * (7 - i)));
        }
        m->number_len = 8;
    } else if (m->before->number.len > CL_CRL_NUMBER_MAX) {
        return sign_refuse(err, "RFC 5280 5.2.3", m->wish->from,
                           "its number has more than 20 bytes", NULL);
    } else {
        m->number_len = m->before->number.len + 1;
        memcpy(m->number + 1, m->before->number.p, m->before->number.len);
        for (size_t i = m->number_len; i > 0 && ++m->number[i - 1] == 0; i--) {
        }
    }
    /* The shortest form, and not negative. */
    size_t skip = 0;
    while (skip + 1 < m->number_len && m->number[skip] == 0 && (m->number[skip + 1] & 0x80) == 0) {
        skip++;
    }
    m->number_len -= skip;
    memmove(m->number, m->number + skip, m->number_len);
    return CL_OK;
}

/* What the list is for: what is asked for, and must be what the list before was for. */
static cl_result choose_scope(struct making *m, struct cleat_error *err)
{
    const struct sign_crl *w = m->wish;
    const struct cl_crl *before = m->before;
    if (w->url != NULL) {
        CL_TRY(cl_crl_point_put(&m->point, w->url));
    }
    if (before == NULL) {
        return CL_OK;
    }
    const bool says = w->url != NULL || w->only_user || w->only_ca;
    if (says && (!cl_rd_equal(before->point, cl_buf_view(&m->point)) ||
                 before->only_user != w->only_user || before->only_ca != w->only_ca)) {
        return sign_refuse(err, "RFC 5280 5.2.5", w->from,
                           "it is for another set of certificates than --crl-url and --only say",
                           "leave them out to carry it on as it is");
    }
    return says ? CL_OK
                : cl_buf_append(&m->point, before->point.p, before->point.len, CL_CERT_MAX_LEN);
}

/* ---- what is asked for ---- */

static cl_result set_serial(struct wanted *to, struct cl_rd serial, const char *what,
                            struct cleat_error *err)
{
    if (serial.len == 0 || serial.len > MAX_SERIAL) {
        return sign_refuse(err, "RFC 5280 4.1.2.2", what, "a serial number has 1 to 20 bytes",
                           NULL);
    }
    memcpy(to->serial, serial.p, serial.len);
    to->serial_len = serial.len;
    cl_hex_encode(serial.p, serial.len, to->text);
    return CL_OK;
}

/* A certificate that this CA did not issue is another's to revoke. */
static cl_result take_cert(const struct making *m, struct wanted *to, const char *path,
                           struct cleat_error *err)
{
    struct cleat_cert *cert = NULL;
    CL_TRY(cert_read(path, NULL, &cert, err));
    cl_result r;
    if (cl_rd_equal(cert->der, m->ca.cert->der)) {
        r = sign_refuse(err, "RFC 5280 6.3", path, "nobody looks for a CA on its own list",
                        "the CA above it revokes it; a root is taken out of trust stores");
    } else if (!cl_name_equal(&cert->issuer, &m->ca.cert->subject) ||
               cl_signed_by(m->ca.cert, cert->sig_alg, cert->tbs, cert->signature) ==
                   CLEAT_ERR_BAD_SIGNATURE) {
        r = sign_refuse(err, "RFC 5280 5", path, "this CA did not issue it",
                        "the CA that did revokes it");
    } else {
        r = set_serial(to, cert->serial, path, err);
    }
    cleat_cert_free(cert);
    return r;
}

/* Hexadecimal as openssl x509 -serial and cleat cert show print it, with colons or without. */
static bool hex_serial(const char *text, size_t len, uint8_t out[MAX_SERIAL], size_t *out_len)
{
    char digits[2 * MAX_SERIAL + 1] = "0";
    size_t num = 1;
    const size_t prefix = len > 2 && text[0] == '0' && (text[1] | 0x20) == 'x' ? 2 : 0;
    for (size_t i = prefix; i < len; i++) {
        if (text[i] == ':') {
            continue;
        }
        if (num == sizeof(digits)) {
            return false;
        }
        digits[num++] = text[i];
    }
    /* An even number of digits, with the zero in front or without. */
    const size_t from = num % 2;
    if (num < 2 || !cl_hex_decode(digits + from, num - from, out, MAX_SERIAL, out_len)) {
        return false;
    }
    while (*out_len > 1 && out[0] == 0 && (out[1] & 0x80) == 0) {
        memmove(out, out + 1, --*out_len);
    }
    if ((out[0] & 0x80) != 0 && *out_len < MAX_SERIAL) {
        memmove(out + 1, out, (*out_len)++);
        out[0] = 0;
    }
    return (out[0] & 0x80) == 0;
}

static cl_result unknown_reason(const char *what, struct cleat_error *err)
{
    return sign_refuse(err, "RFC 5280 5.3.1", what, "it is neither a file nor a serial number",
                       "FILE:REASON or SERIAL:REASON; reasons: keyCompromise, cACompromise, "
                       "affiliationChanged, superseded, cessationOfOperation, certificateHold, "
                       "privilegeWithdrawn, aACompromise");
}

/* FILE[:reason] or SERIAL[:reason]; what stands behind the last colon is a reason when it is the
 * name of one. */
static cl_result take_change(const struct making *m, const struct sign_change *change,
                             struct wanted *to, struct cleat_error *err)
{
    const char *colon = strrchr(change->what, ':');
    size_t len = strlen(change->what);
    uint8_t serial[MAX_SERIAL];
    size_t serial_len;
    char path[4096];
    if (colon != NULL && cl_crl_reason_find(colon + 1, strlen(colon + 1), &to->reason)) {
        len = (size_t)(colon - change->what);
    }
    if (len >= sizeof(path)) {
        return sign_refuse(err, NULL, "--revoke", "the file's name is too long", NULL);
    }
    if (to->reason == 8) {
        return sign_refuse(err, "RFC 5280 5.3.1", change->what, "removeFromCRL is for delta lists",
                           "--release FILE|SERIAL");
    }
    memcpy(path, change->what, len);
    path[len] = '\0';
    if (access(path, F_OK) == 0) {
        return take_cert(m, to, path, err);
    }
    if (hex_serial(path, len, serial, &serial_len)) {
        return set_serial(to, cl_rd_of(serial, serial_len), change->what, err);
    }
    return unknown_reason(change->what, err);
}

static cl_result take_changes(struct making *m, struct cleat_error *err)
{
    const size_t num = m->wish->num_changes;
    m->wanted = cl_calloc(num != 0 ? num : 1, sizeof(*m->wanted));
    if (m->wanted == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < num; i++) {
        struct wanted *w = &m->wanted[i];
        CL_TRY(take_change(m, &m->wish->changes[i], w, err));
        for (size_t k = 0; k < i; k++) {
            if (cl_rd_equal(cl_rd_of(w->serial, w->serial_len),
                            cl_rd_of(m->wanted[k].serial, m->wanted[k].serial_len))) {
                return sign_refuse(err, NULL, m->wish->changes[i].what,
                                   "it is named twice on the command line", NULL);
            }
        }
    }
    return CL_OK;
}

/* ---- entries ---- */

/* 1 MiB: SIGN_MAX_CHANGES lines have 200 KB */
#define MAX_TOLD (1u << 20)

static cl_result put_raw(struct making *m, struct cl_rd whole)
{
    m->num_entries++;
    return cl_buf_append(&m->entries, whole.p, whole.len, CL_CRL_MAX_LEN);
}

/* A serial number that is on the list already: off it when it was on hold, or its reason changes;
 * the day stays. */
static cl_result meet(struct making *m, size_t at, const struct cl_crl_entry *old,
                      struct cl_rd whole, struct cleat_error *err)
{
    const struct sign_change *change = &m->wish->changes[at];
    struct wanted *w = &m->wanted[at];
    char day[CL_TIME_TEXT];
    cl_time_text(old->when, day);
    w->met = true;
    if (change->release && old->reason != 6) {
        return sign_refuse(err, "RFC 5280 5.3.1", change->what,
                           "it is not on hold: what is revoked stays revoked", NULL);
    }
    if (change->release) {
        return cl_buf_printf(&m->told, MAX_TOLD, "Released %s, on hold since %s\n", w->text, day);
    }
    if ((w->reason == 0 || w->reason == old->reason) && change->since == INT64_MIN) {
        CL_TRY(cl_buf_printf(&m->told, MAX_TOLD, "%s is on the list already, since %s (%s)\n",
                             w->text, day, cl_crl_reason_name(old->reason)));
        return put_raw(m, whole);
    }
    struct cl_crl_entry fresh = *old;
    fresh.reason = w->reason != 0 ? w->reason : old->reason;
    fresh.invalid_since = change->since != INT64_MIN ? change->since : old->invalid_since;
    CL_TRY(cl_buf_printf(&m->told, MAX_TOLD, "Changed %s, on the list since %s, from %s to %s\n",
                         w->text, day, cl_crl_reason_name(old->reason),
                         cl_crl_reason_name(fresh.reason)));
    m->num_entries++;
    return cl_crl_entry_put(&m->entries, &fresh);
}

static cl_result carry_on(struct making *m, struct cleat_error *err)
{
    struct cl_rd rest = m->before != NULL ? m->before->entries : (struct cl_rd){0};
    struct cl_crl_entry entry;
    struct cl_rd whole;
    while (cl_crl_entry_next(&rest, &entry, &whole)) {
        size_t at = 0;
        while (
            at < m->wish->num_changes &&
            !cl_rd_equal(entry.serial, cl_rd_of(m->wanted[at].serial, m->wanted[at].serial_len))) {
            at++;
        }
        CL_TRY(at == m->wish->num_changes ? put_raw(m, whole) : meet(m, at, &entry, whole, err));
    }
    return CL_OK;
}

static cl_result add_new(struct making *m, struct cleat_error *err)
{
    for (size_t i = 0; i < m->wish->num_changes; i++) {
        const struct sign_change *change = &m->wish->changes[i];
        const struct wanted *w = &m->wanted[i];
        if (w->met) {
            continue;
        }
        if (change->release) {
            return sign_refuse(err, NULL, change->what, "it is not on the list", NULL);
        }
        const struct cl_crl_entry entry = {.serial = cl_rd_of(w->serial, w->serial_len),
                                           .when = m->now,
                                           .reason = w->reason,
                                           .invalid_since = change->since};
        CL_TRY(cl_crl_entry_put(&m->entries, &entry));
        m->num_entries++;
        CL_TRY(cl_buf_printf(&m->told, MAX_TOLD, "Revoked %s (%s)\n", w->text,
                             cl_crl_reason_name(w->reason)));
    }
    return CL_OK;
}

/* ---- the whole ---- */

static void choose_end(struct making *m)
{
    const long days = m->wish->days > 0 ? m->wish->days : SIGN_CRL_DAYS;
    m->end = m->now + (int64_t)days * DAY;
    if (m->end > cleat_cert_not_after(m->ca.cert)) {
        m->end = cleat_cert_not_after(m->ca.cert);
        (void)fprintf(stderr, "cleat cert sign: note: good for less than %ld days, as the CA is\n",
                      days);
    }
}

static void tell(const struct making *m)
{
    char name[256];
    char end[CL_TIME_TEXT];
    char number[2 * sizeof(m->number) + 1];
    (void)cl_name_text(&m->ca.cert->subject, name, sizeof(name));
    cl_time_text(m->end, end);
    cl_hex_encode(m->number, m->number_len, number);
    if (m->told.len != 0) {
        (void)fwrite(m->told.p, 1, m->told.len, stderr);
    }
    (void)fprintf(stderr, "Signed list number 0x%s of %s: %zu revoked, the next is due by %s\n",
                  number, name, m->num_entries, end);
}

static cl_result build(struct making *m, struct cleat_error *err)
{
    const struct sign_crl *w = m->wish;
    const struct cl_crl_template tpl = {
        .issuer = m->ca.cert,
        .this_update = m->now,
        .next_update = m->end,
        .number = cl_rd_of(m->number, m->number_len),
        .entries = cl_buf_view(&m->entries),
        .point = cl_buf_view(&m->point),
        .only_user = w->only_user || (m->before != NULL && m->before->only_user),
        .only_ca = w->only_ca || (m->before != NULL && m->before->only_ca)};
    struct cl_buf der = {0};
    cl_result r = cl_crl_build(&der, &tpl, m->ca.key, err);
    if (r == CL_OK) {
        /* The list that was carried on may be replaced: everything of it is in the new one. */
        const bool same = w->from != NULL && w->output != NULL && strcmp(w->from, w->output) == 0;
        r = sign_output("X509 CRL", cl_buf_view(&der), w->output, w->as_der, w->force || same, err);
    }
    cl_buf_deinit(&der);
    return r;
}

static cl_result make(struct making *m, struct cleat_error *err)
{
    CL_TRY(sign_ca_open(&m->ca, CL_KU_CRL_SIGN, "cRLSign", m->now, err));
    CL_TRY(read_before(m, err));
    CL_TRY(choose_number(m, err));
    CL_TRY(choose_scope(m, err));
    CL_TRY(take_changes(m, err));
    CL_TRY(carry_on(m, err));
    CL_TRY(add_new(m, err));
    choose_end(m);
    CL_TRY(build(m, err));
    tell(m);
    return CL_OK;
}

cl_result sign_crl_run(const struct sign_crl *wish, int64_t now, struct cleat_error *err)
{
    struct making m = {
        .wish = wish, .ca = {.cert_path = wish->ca, .key_path = wish->ca_key}, .now = now};
    cert_opening_init(&m.ca.how, wish->passin);
    const cl_result r = make(&m, err);
    sign_ca_deinit(&m.ca);
    cl_crl_free(m.before);
    cl_buf_deinit(&m.entries);
    cl_buf_deinit(&m.point);
    cl_buf_deinit(&m.told);
    cl_free(m.wanted);
    return r;
}
