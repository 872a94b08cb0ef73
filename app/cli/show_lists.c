/* cli/show_lists.c - revocation lists and OCSP responses, shown. Nothing is verified here: `cleat
 * cert verify` does that. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/show_items.h"
#include "x509/crl.h"
#include "x509/crl_build.h"
#include "x509/gname.h"
#include "x509/ocsp.h"

/* 4,096: a name that is longer is cut; nobody reads that far */
#define TEXT_SIZE 4096

static void name(struct facts *f, const char *label, const char *key, const struct cl_name *n)
{
    char text[TEXT_SIZE] = "";
    if (n->der.len != 0) {
        (void)cl_name_text(n, text, sizeof(text));
    }
    facts_text(f, label, key, text);
}

static void algorithm(struct facts *f, struct cl_rd oid)
{
    char text[64] = "";
    const char *known = cl_alg_name(oid);
    if (known != NULL) {
        (void)snprintf(text, sizeof(text), "%s", known);
    } else {
        (void)cl_oid_text(oid, text, sizeof(text));
    }
    facts_text(f, "Signature", "signature", text);
}

/* Leading zeros do not count: people write them, or not. */
static bool is_wanted(const struct show_wish *w, struct cl_rd serial)
{
    return w->serial.p == NULL ||
           cl_rd_equal(cl_rd_without_zeros(w->serial), cl_rd_without_zeros(serial));
}

/* ---- revocation lists ---- */

/* Where the list is, as far as it is an URL. */
static void point(struct facts *f, struct cl_rd point)
{
    struct cl_rd full;
    struct cl_gname one;
    char text[TEXT_SIZE];
    if (!cl_der_get(&point, CL_DER_CTXC(0), &full)) {
        return;
    }
    while (cl_gname_next(&full, &one)) {
        (void)cl_gname_text(&one, text, sizeof(text));
        struct facts sub = facts_sub(f, "distribution_points");
        facts_text(&sub, "Point", "name", text);
    }
}

static void scope(struct facts *f, const struct cl_crl *crl)
{
    const char *only = crl->only_user        ? "certificates of end entities"
                       : crl->only_ca        ? "certificates of CAs"
                       : crl->only_attribute ? "attribute certificates"
                                             : "";
    facts_text(f, "Only about", "only", only);
    facts_flag(f, "Indirect", "indirect", crl->indirect);
    facts_flag(f, "Some reasons", "some_reasons", crl->reasons != CL_REASONS_ALL);
    point(f, crl->point);
}

static void entries(struct facts *f, const struct cl_crl *crl, const struct show_wish *w)
{
    struct cl_rd rest = crl->entries;
    struct cl_rd whole;
    struct cl_crl_entry entry;
    size_t num = 0;
    size_t shown = 0;
    while (cl_crl_entry_next(&rest, &entry, &whole)) {
        char serial[2 * 64 + 1];
        char when[CL_TIME_TEXT];
        const size_t len = entry.serial.len < 64 ? entry.serial.len : 64;
        if (!is_wanted(w, entry.serial)) {
            continue;
        }
        num++;
        if (shown == w->max_entries) {
            continue;
        }
        shown++;
        cl_hex_encode(entry.serial.p, len, serial);
        cl_time_text(entry.when, when);
        struct facts sub = facts_sub(f, "entries");
        if (f->out != NULL) {
            (void)fprintf(f->out, "    %s  %s  %s\n", serial, when,
                          cl_crl_reason_name(entry.reason));
        }
        facts_text(&sub, NULL, "serial", f->out == NULL ? serial : "");
        facts_time(&sub, NULL, "revoked_at", entry.when);
        facts_text(&sub, NULL, "reason", f->out == NULL ? cl_crl_reason_name(entry.reason) : "");
        facts_time(&sub, NULL, "invalid_since", entry.invalid_since);
    }
    if (f->out != NULL && w->serial.p != NULL && num == 0) {
        (void)fprintf(f->out, "    not listed: that serial number\n");
    } else if (f->out != NULL && num > shown) {
        (void)fprintf(f->out, "    and %zu more: --entries all\n", num - shown);
    }
    facts_number(f, NULL, "num_matching", (int64_t)num);
}

/* CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, … }; it has been parsed. */
static void list_algorithm(struct facts *f, struct cl_rd der)
{
    struct cl_rd body;
    struct cl_rd alg;
    struct cl_rd oid;
    if (cl_der_get(&der, CL_DER_SEQUENCE, &body) && cl_der_get(&body, CL_DER_SEQUENCE, &alg) &&
        cl_der_get(&body, CL_DER_SEQUENCE, &alg) && cl_der_oid(&alg, &oid)) {
        algorithm(f, oid);
    }
}

cl_result show_crl(struct facts *f, const struct cert_item *item, const struct show_wish *w,
                   struct cleat_error *err)
{
    struct cl_crl *crl = NULL;
    CL_TRY(cl_crl_parse_view(&crl, cl_buf_view(&item->der), err));
    name(f, "Issuer", "issuer", &crl->issuer);
    facts_time(f, "This update", "this_update", crl->this_update);
    facts_time(f, "Next update", "next_update", crl->next_update);
    if (f->out != NULL && crl->next_update != INT64_MIN && crl->next_update < f->now) {
        facts_text(f, "", NULL, "EXPIRED: there should be a newer list");
    }
    facts_hex(f, "Number", "number", crl->number);
    facts_hex(f, "Delta of", "delta_of", crl->base_number);
    facts_hex(f, "Key of issuer", "authority_key_id", crl->aki_key_id);
    scope(f, crl);
    facts_text(f, "Unusable", "unusable", crl->unusable != NULL ? crl->unusable : "");
    list_algorithm(f, crl->der);
    facts_number(f, "Entries", "num_entries", (int64_t)crl->num_entries);
    entries(f, crl, w);
    cl_crl_free(crl);
    return CL_OK;
}

/* ---- OCSP responses ---- */

static void answer(struct facts *f, const struct cl_ocsp_answer *a)
{
    static const char *const states[] = {"good", "REVOKED", "unknown"};
    struct facts sub = facts_sub(f, "answers");
    facts_text(&sub, "Status", "status", states[a->status]);
    facts_hex(&sub, "  Serial", "serial", a->serial);
    facts_hex(&sub, "  Issuer key", "issuer_key_hash", a->issuer_key_hash);
    facts_hex(&sub, NULL, "issuer_name_hash", a->issuer_name_hash);
    facts_time(&sub, "  Revoked", "revoked_at",
               a->status == CL_OCSP_REVOKED ? a->revoked_at : INT64_MIN);
    facts_text(&sub, "  Reason", "reason",
               a->status == CL_OCSP_REVOKED ? cl_crl_reason_name(a->reason) : "");
    facts_time(&sub, "  This update", "this_update", a->this_update);
    facts_time(&sub, "  Next update", "next_update", a->next_update);
    facts_text(&sub, "  Unusable", "unusable", a->unusable != NULL ? a->unusable : "");
}

static void answers(struct facts *f, const struct cl_ocsp *o, const struct show_wish *w)
{
    struct cl_rd rest = o->answers;
    struct cl_ocsp_answer one;
    size_t num = 0;
    while (cl_ocsp_next(&rest, &one)) {
        if (is_wanted(w, one.serial) && num++ < w->max_entries) {
            answer(f, &one);
        }
    }
    if (f->out != NULL && num > w->max_entries) {
        (void)fprintf(f->out, "    and %zu more: --entries all\n", num - w->max_entries);
    }
    facts_number(f, NULL, "num_matching", (int64_t)num);
}

cl_result show_ocsp(struct facts *f, const struct cert_item *item, const struct show_wish *w,
                    struct cleat_error *err)
{
    struct cl_ocsp *o = NULL;
    CL_TRY(cl_ocsp_parse(&o, cl_buf_view(&item->der), err));
    facts_text(f, "Response", "response_status", cl_ocsp_status_name(o->response_status));
    if (o->response_status == 0) {
        name(f, "Responder", "responder", &o->responder_name);
        facts_hex(f, "Responder key", "responder_key_hash", o->responder_key);
        facts_time(f, "Produced", "produced_at", o->produced_at);
        facts_hex(f, "Nonce", "nonce", o->nonce);
        algorithm(f, o->sig_oid);
        facts_text(f, "Unusable", "unusable", o->unusable != NULL ? o->unusable : "");
        facts_number(f, "Answers", "num_answers", (int64_t)o->num_answers);
        answers(f, o, w);
        for (size_t i = 0; i < o->num_certs; i++) {
            show_cert_line(f, "certificates", o->certs[i]->der);
        }
    }
    cl_ocsp_free(o);
    return CL_OK;
}
