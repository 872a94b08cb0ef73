/* cli/cert_proof.c - see cert_proof.h. */
#include "cli/cert_proof.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/dane.h"
#include "conn/proof.h"
#include "x509/verify.h"

/* Goes up when a member changes its meaning or goes away. */
#define JSON_SCHEMA 1
/* 300: names that are longer are cut for people */
#define NAME_SIZE   300
#define DAY         86400

/* Texts of certificates come from strangers: control bytes do not reach the terminal. */
static void print(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        (void)fputc(cl_ascii_printable(*text), out);
    }
}

static void row(FILE *out, const char *name, const char *text)
{
    if (text[0] != '\0') {
        (void)fprintf(out, "  %-8s ", name);
        print(out, text);
        (void)fputc('\n', out);
    }
}

static const char *format_iso(int64_t t, char out[32])
{
    struct tm tm;
    time_t seconds = (time_t)t;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        (void)snprintf(out, 32, "%" PRId64, t);
    }
    return out;
}

static bool same(const struct cleat_cert *a, const struct cleat_cert *b)
{
    size_t a_len, b_len;
    const uint8_t *a_der = cleat_cert_der(a, &a_len);
    const uint8_t *b_der = cleat_cert_der(b, &b_len);
    return a_len == b_len && memcmp(a_der, b_der, a_len) == 0;
}

/* The look-up that brought a certificate, or NULL. */
static const struct cl_gather_note *fetched_as(const struct cert_proof *proof,
                                               const struct cleat_cert *cert)
{
    uint8_t fingerprint[32];
    cleat_cert_fingerprint(cert, fingerprint);
    for (size_t i = 0; proof->gathered != NULL && i < proof->gathered->num_notes; i++) {
        const struct cl_gather_note *n = &proof->gathered->notes[i];
        if (n->kind == CL_GATHER_AIA && !n->failed && n->url != NULL &&
            memcmp(n->fingerprint, fingerprint, sizeof(fingerprint)) == 0) {
            return n;
        }
    }
    return NULL;
}

/* Where a certificate of a path is from: "certificate 2", a URL, or the trust store. */
static void print_origin(const struct cert_proof *proof, const struct cleat_cert *cert, FILE *out)
{
    size_t num = proof->chain != NULL ? cleat_chain_num(proof->chain) : 0;
    for (size_t i = 0; i < num; i++) {
        if (same(cleat_chain_at(proof->chain, i), cert)) {
            (void)fprintf(out, "certificate %zu of %zu", i + 1, num);
            return;
        }
    }
    const struct cl_gather_note *note = fetched_as(proof, cert);
    const bool named = cl_verdict_is_dane_anchor(proof->verdict, cert);
    if (note != NULL) {
        (void)fputs(note->cached ? "kept from " : "fetched from ", out);
        print(out, note->url);
    } else {
        (void)fputs(named ? "TLSA record" : num != 0 ? "trust store" : "in the path", out);
    }
}

static void print_cert(const struct cert_proof *proof, size_t depth, const struct cleat_cert *cert,
                       FILE *out)
{
    char name[NAME_SIZE], kind[64], when[32];
    (void)cleat_cert_subject(cert, name, sizeof(name));
    (void)cleat_cert_key_kind(cert, kind, sizeof(kind));
    (void)fprintf(out, "  %zu ", depth);
    print(out, name[0] != '\0' ? name : "(no subject)");
    (void)fprintf(out, " (%s, until %.10s; ", kind, format_iso(cleat_cert_not_after(cert), when));
    print_origin(proof, cert, out);
    (void)fputs(")\n", out);
}

/* What became of each TLSA record; data that is long is cut. */
static void print_records(const struct cert_proof *proof, FILE *out)
{
    struct cleat_tlsa_told told;
    char text[80];
    for (size_t i = 0; cleat_verdict_tlsa(proof->verdict, i, &told); i++) {
        const bool cut = cleat_tlsa_text(&told.record, text, sizeof(text)) >= sizeof(text);
        (void)fprintf(out, "  %-8s %s%s: %s", i == 0 ? "tlsa" : "", text, cut ? "..." : "",
                      cleat_tlsa_result_name(told.result));
        if (told.certificate != 0) {
            (void)fprintf(out, ", by certificate %d", told.certificate);
        }
        (void)fputc('\n', out);
    }
}

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

static void print_work(const struct cert_proof *proof, FILE *out)
{
    struct cleat_verify_work work;
    cleat_verdict_work(proof->verdict, &work);
    (void)fprintf(out, "  %-8s %u path%s tried, %u signature%s checked, %u name%s compared", "work",
                  work.num_tried, plural(work.num_tried), work.num_signatures,
                  plural(work.num_signatures), work.num_name_comparisons,
                  plural(work.num_name_comparisons));
    (void)fprintf(out, "; %.0f us, %.0f of them for signatures\n", (double)work.total_ns / 1e3,
                  (double)work.signatures_ns / 1e3);
}

static void print_accepted(const struct cert_proof *proof, FILE *out)
{
    size_t num = cleat_verdict_path_num(proof->verdict);
    if (cl_verdict_is_by_key(proof->verdict)) {
        (void)fputs("verified: a TLSA record names the certificate or its key\n", out);
    } else {
        (void)fprintf(out,
                      "verified: a path of %zu certificate%s to a trust anchor passes %zu checks\n",
                      num, plural((uint32_t)num), cl_proof_num_passed(proof->verdict));
    }
    for (size_t i = 0; i < num; i++) {
        print_cert(proof, i, cleat_verdict_path_at(proof->verdict, i), out);
    }
}

/* Why it is not verified; NULL: it is. A bad chain goes before a bad pin. */
static const struct cleat_error *refusal(const struct cert_proof *proof)
{
    if (cleat_verdict_code(proof->verdict) != CLEAT_OK) {
        return cleat_verdict_error(proof->verdict);
    }
    return proof->pins != NULL && proof->pin_error->code != CLEAT_OK ? proof->pin_error : NULL;
}

/* OpenSSL has no name for a bad pin. */
static const char *openssl_name(const struct cert_proof *proof)
{
    const struct cleat_error *error = refusal(proof);
    return error != NULL && error == proof->pin_error ? "-"
                                                      : cleat_verdict_openssl_name(proof->verdict);
}

static void print_refused(const struct cert_proof *proof, FILE *out)
{
    const struct cleat_error *error = refusal(proof);
    char code[160];
    (void)fputs("NOT verified: ", out);
    print(out, error->text);
    (void)snprintf(code, sizeof(code), "%s (OpenSSL: %s)", cleat_error_name(error->code),
                   openssl_name(proof));
    (void)fputc('\n', out);
    row(out, "code", code);
    row(out, "section", error->section);
    row(out, "fix", error->hint);
}

static void print_asked(const struct cert_proof *proof, FILE *out)
{
    char when[32];
    (void)fprintf(out, "  %-8s %s%s, purpose %s, policy %s, at %s\n", "asked",
                  proof->host != NULL ? "host " : "no host", proof->host != NULL ? proof->host : "",
                  proof->purpose, proof->policy, format_iso(proof->at, when));
}

static void print_pins(const struct cert_proof *proof, FILE *out)
{
    if (proof->pins == NULL) {
        return;
    }
    const bool looked = proof->pin != NULL;
    const bool fits = looked && proof->pin_error->code == CLEAT_OK;
    row(out, "pin", looked ? proof->pin : "not looked at: the certificate is malformed");
    for (size_t i = 0; i < proof->pins->num; i++) {
        const bool this_one = fits && strcmp(proof->pins->items[i], proof->pin) == 0;
        (void)fprintf(out, "  %-8s %s%s\n", i == 0 ? "pinned" : "", proof->pins->items[i],
                      this_one ? " (this one)" : "");
    }
}

static void print_scts(const struct cert_proof *proof, FILE *out)
{
    struct cleat_sct sct;
    char text[CL_PROOF_SCT_SIZE];
    for (size_t i = 0; cleat_verdict_sct(proof->verdict, i, &sct); i++) {
        row(out, i == 0 ? "logged" : "", cl_proof_sct_text(&sct, text));
    }
}

static void print_checks(const struct cert_proof *proof, size_t i, FILE *out)
{
    static const char *const words[] = {"ok", "FAILED", "skipped"};
    struct cleat_check check;
    for (size_t n = 0; cleat_verdict_check(proof->verdict, i, n, &check); n++) {
        (void)fprintf(out, "    %-7s %zu %-20s ", words[check.result], check.depth, check.name);
        print(out, check.text);
        if (check.section[0] != '\0') {
            (void)fprintf(out, "  [%s]", check.section);
        }
        if (check.ns != 0) {
            (void)fprintf(out, " %.0f us", (double)check.ns / 1e3);
        }
        (void)fputc('\n', out);
    }
}

static void print_tries(const struct cert_proof *proof, FILE *out)
{
    struct cleat_try try;
    struct cleat_verify_work work;
    size_t num = cleat_verdict_num_tries(proof->verdict);
    cleat_verdict_work(proof->verdict, &work);
    for (size_t i = 0; cleat_verdict_try(proof->verdict, i, &try); i++) {
        (void)fprintf(out, "\nPath %zu of %u: %s%s (%.0f us)\n", i + 1, work.num_tried,
                      try.accepted ? "accepted" : "refused",
                      try.accepted || try.complete ? "" : ", given up before a trust anchor",
                      (double)try.ns / 1e3);
        for (size_t depth = 0; depth < try.num_certs; depth++) {
            print_cert(proof, depth, cleat_verdict_try_cert(proof->verdict, i, depth), out);
        }
        print_checks(proof, i, out);
    }
    if (work.num_tried > num) {
        (void)fprintf(out, "\n%u more paths were tried and are not kept\n",
                      work.num_tried - (uint32_t)num);
    }
}

static void print_notes(const struct cert_proof *proof, FILE *out)
{
    for (size_t i = 0; i < proof->num_notes; i++) {
        const struct cleat_chain_note *note = &proof->notes[i];
        (void)fputs(note->serious ? "warning: " : "note: ", out);
        print(out, note->what.text);
        (void)fprintf(out, " (%s)\n", note->what.section);
        row(out, "fix", note->what.hint);
    }
}

/* Where it was looked up what the checks of revocation speak of, and missing intermediates. */
static void print_lookups(const struct cert_proof *proof, FILE *out)
{
    for (size_t i = 0; i < proof->options->crl_files.num; i++) {
        (void)fprintf(out, "  %-8s CRL of the file %s\n", "look-up",
                      proof->options->crl_files.items[i]);
    }
    for (size_t i = 0; i < proof->options->ocsp_responses.num; i++) {
        (void)fprintf(out, "  %-8s OCSP response of the file %s\n", "look-up",
                      proof->options->ocsp_responses.items[i]);
    }
    if (proof->has_staple) {
        (void)fprintf(out, "  %-8s OCSP response that the server stapled\n", "look-up");
    }
    for (size_t i = 0; proof->gathered != NULL && i < proof->gathered->num_notes; i++) {
        const struct cl_gather_note *n = &proof->gathered->notes[i];
        (void)fprintf(out, "  %-8s %s for ", "look-up", cl_gather_kind_name(n->kind));
        print(out, n->about);
        (void)fputs(n->failed ? ": FAILED: " : n->cached ? ", kept from " : ", fetched from ", out);
        if (!n->failed && n->url != NULL) {
            print(out, n->url);
            (void)fputs(": ", out);
        }
        print(out, n->text);
        if (!n->cached && !n->failed) {
            (void)fprintf(out, " (%.1f ms)", (double)n->us / 1e3);
        }
        (void)fputc('\n', out);
    }
}

void cert_proof_text(const struct cert_proof *proof, bool explain, FILE *out)
{
    if (refusal(proof) == NULL) {
        print_accepted(proof, out);
    } else {
        print_refused(proof, out);
    }
    print_asked(proof, out);
    print_pins(proof, out);
    print_records(proof, out);
    print_scts(proof, out);
    print_work(proof, out);
    if (explain || (proof->gathered != NULL && cleat_verdict_code(proof->verdict) != CLEAT_OK)) {
        print_lookups(proof, out);
    }
    print_notes(proof, out);
    if (explain) {
        print_tries(proof, out);
    }
}

/* ---- for programs ---- */

static void set(json_t *o, const char *name, const char *text)
{
    json_t *value = text != NULL && text[0] != '\0' ? json_string(text) : NULL;
    (void)json_object_set_new(o, name, value != NULL ? value : json_null());
}

static json_t *error_json(const struct cleat_error *error)
{
    json_t *o = json_object();
    set(o, "code", cleat_error_name(error->code));
    set(o, "section", error->section);
    set(o, "text", error->text);
    set(o, "fix", error->hint);
    return o;
}

static json_t *path_json(const struct cleat_verdict *verdict)
{
    json_t *list = json_array();
    for (size_t i = 0; i < cleat_verdict_path_num(verdict); i++) {
        (void)json_array_append_new(list, cl_proof_cert(cleat_verdict_path_at(verdict, i)));
    }
    return list;
}

static json_t *work_json(const struct cleat_verdict *verdict)
{
    struct cleat_verify_work work;
    json_t *o = json_object();
    cleat_verdict_work(verdict, &work);
    (void)json_object_set_new(o, "paths", json_integer(work.num_tried));
    (void)json_object_set_new(o, "steps", json_integer(work.num_steps));
    (void)json_object_set_new(o, "signatures", json_integer(work.num_signatures));
    (void)json_object_set_new(o, "name_comparisons", json_integer(work.num_name_comparisons));
    (void)json_object_set_new(o, "us", json_real((double)work.total_ns / 1e3));
    (void)json_object_set_new(o, "signatures_us", json_real((double)work.signatures_ns / 1e3));
    return o;
}

static json_t *records_json(const struct cleat_verdict *verdict)
{
    struct cleat_tlsa_told told;
    json_t *list = json_array();
    for (size_t i = 0; cleat_verdict_tlsa(verdict, i, &told); i++) {
        const size_t len = cleat_tlsa_text(&told.record, NULL, 0) + 1;
        char *text = cl_alloc(len);
        json_t *o = json_object();
        if (text != NULL) {
            (void)cleat_tlsa_text(&told.record, text, len);
        }
        set(o, "record", text);
        set(o, "result", cleat_tlsa_result_name(told.result));
        (void)json_object_set_new(
            o, "certificate", told.certificate != 0 ? json_integer(told.certificate) : json_null());
        (void)json_array_append_new(list, o);
        cl_free(text);
    }
    return list;
}

static json_t *notes_json(const struct cert_proof *proof)
{
    json_t *list = json_array();
    for (size_t i = 0; i < proof->num_notes; i++) {
        json_t *o = error_json(&proof->notes[i].what);
        (void)json_object_set_new(o, "certificate",
                                  json_integer((json_int_t)proof->notes[i].position + 1));
        (void)json_object_set_new(o, "serious", json_boolean(proof->notes[i].serious));
        set(o, "rule", proof->notes[i].rule);
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *pins_json(const struct cert_proof *proof)
{
    if (proof->pins == NULL) {
        return json_null();
    }
    json_t *o = json_object(), *list = json_array();
    for (size_t i = 0; i < proof->pins->num; i++) {
        (void)json_array_append_new(list, json_string(proof->pins->items[i]));
    }
    set(o, "seen", proof->pin);
    (void)json_object_set_new(o, "pinned", list);
    (void)json_object_set_new(
        o, "matches", json_boolean(proof->pin != NULL && proof->pin_error->code == CLEAT_OK));
    return o;
}

static json_t *lookup_json(const char *kind, const char *source)
{
    json_t *o = json_object();
    set(o, "kind", kind);
    set(o, "source", source);
    return o;
}

static json_t *note_json(const struct cl_gather_note *n)
{
    static const char *const kinds[] = {"ocsp", "crl", "aia"};
    json_t *o = lookup_json(kinds[n->kind], n->cached ? "cache" : "network");
    char hex[65];
    set(o, "url", n->url);
    set(o, "for", n->about);
    (void)json_object_set_new(o, "failed", json_boolean(n->failed));
    set(o, "text", n->text);
    (void)json_object_set_new(o, "bytes", json_integer((json_int_t)n->len));
    (void)json_object_set_new(o, "us", json_integer((json_int_t)n->us));
    if (n->kind == CL_GATHER_AIA && !n->failed) {
        cl_hex_encode(n->fingerprint, sizeof(n->fingerprint), hex);
        set(o, "fingerprint", hex);
    }
    return o;
}

/* As print_lookups. */
static json_t *lookups_json(const struct cert_proof *proof)
{
    const struct {
        const struct cl_words *files;
        const char *kind;
    } rows[] = {{&proof->options->crl_files, "crl"}, {&proof->options->ocsp_responses, "ocsp"}};
    json_t *list = json_array();
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < rows[k].files->num; i++) {
            json_t *o = lookup_json(rows[k].kind, "file");
            set(o, "file", rows[k].files->items[i]);
            (void)json_array_append_new(list, o);
        }
    }
    if (proof->has_staple) {
        (void)json_array_append_new(list, lookup_json("ocsp", "staple"));
    }
    for (size_t i = 0; proof->gathered != NULL && i < proof->gathered->num_notes; i++) {
        (void)json_array_append_new(list, note_json(&proof->gathered->notes[i]));
    }
    return list;
}

void cert_proof_json(const struct cert_proof *proof, FILE *out)
{
    char when[32];
    const struct cleat_error *error = refusal(proof);
    json_t *all = json_object();
    (void)json_object_set_new(all, "schema", json_integer(JSON_SCHEMA));
    set(all, "source", proof->source);
    set(all, "host", proof->host);
    set(all, "at", format_iso(proof->at, when));
    set(all, "purpose", proof->purpose);
    set(all, "policy", proof->policy);
    (void)json_object_set_new(all, "verified", json_boolean(error == NULL));
    (void)json_object_set_new(all, "error", error != NULL ? error_json(error) : json_null());
    set(all, "openssl", openssl_name(proof));
    (void)json_object_set_new(all, "pin", pins_json(proof));
    (void)json_object_set_new(all, "scts", cl_proof_scts(proof->verdict));
    (void)json_object_set_new(all, "path", path_json(proof->verdict));
    (void)json_object_set_new(all, "tries", cl_proof_tries(proof->verdict));
    (void)json_object_set_new(all, "tlsa", records_json(proof->verdict));
    (void)json_object_set_new(all, "work", work_json(proof->verdict));
    (void)json_object_set_new(all, "lookups", lookups_json(proof));
    (void)json_object_set_new(all, "notes", notes_json(proof));
    (void)json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    (void)fputc('\n', out);
    json_decref(all);
}
