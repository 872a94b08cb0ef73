/* Our verdict on revocation beside libcrypto's, over lists and responses that were changed: fields
 * by a generator with a fixed seed, bytes of what is signed, which is signed anew.
 *
 * Where the two differ, the difference must be a row of a table below, with its reason. What we
 * call good and libcrypto does not is what matters: there is none, and no row allows it. */
#include <stdio.h>
#include <string.h>

#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>

#include "pick.h"
#include "support_crl.h"
#include "support_ocsp.h"

#define NUM_LISTS     600
#define NUM_RESPONSES 600

static struct entity ca, leaf, responder, server;

static int make_world(void **state)
{
    (void)state;
    ca = t_ca("CA", NULL, 1);
    leaf = t_leaf("leaf.example.com", &ca, 2);
    responder = t_responder("Responder", &ca, 3, true, true, 0);
    server = t_leaf("server.example.com", &ca, 4);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    t_free(&ca);
    t_free(&leaf);
    t_free(&responder);
    t_free(&server);
    return 0;
}

/* What a verifier says: the three that matter. */
enum says { GOOD, REVOKED, NEITHER, NUM_SAYS };
static const char *const words[] = {"good", "revoked", "neither"};

/* ---- changes ---- */

/* Some bytes of what is signed, and a signature over them. der holds a SEQUENCE that begins with
 * what is signed; rest of it (certificates of a response) is kept. */
static size_t change(uint8_t *der, size_t len, const struct cleat_key *key)
{
    uint8_t copy[T_MAX_DER];
    uint8_t made[T_MAX_DER];
    struct cl_rd all = cl_rd_of(der, len);
    struct cl_rd body;
    struct cl_rd inner;
    struct cl_rd tbs;
    struct cl_rd skipped;
    uint8_t tag;
    assert_true(cl_der_get(&all, CL_DER_SEQUENCE, &body) && cl_der_any(&body, &tag, &inner, &tbs) &&
                cl_der_any(&body, &tag, &inner, &skipped) &&
                cl_der_any(&body, &tag, &inner, &skipped));
    memcpy(copy, tbs.p, tbs.len);
    for (unsigned i = 1 + pick(2); i > 0; i--) {
        const size_t at = pick((unsigned)tbs.len);
        copy[at] = pick(2) != 0 ? (uint8_t)(copy[at] ^ 1u << pick(8)) : (uint8_t)pick(256);
    }
    const size_t made_len = t_sign(cl_rd_of(copy, tbs.len), (struct cl_rd){0}, key, made);
    struct cl_rd fields = cl_rd_of(made, made_len);
    struct cl_rd fresh;
    assert_true(cl_der_get(&fields, CL_DER_SEQUENCE, &fresh));
    uint8_t out[T_MAX_DER];
    struct cl_wr w = cl_wr_of(out, sizeof(out));
    struct cl_der_mark whole = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_wr_view(&w, fresh);
    cl_wr_view(&w, body); /* what comes behind the signature */
    cl_der_close(&w, whole);
    assert_true(cl_wr_ok(&w));
    memcpy(der, out, w.len);
    return w.len;
}

static X509 *to_x509(const struct entity *e)
{
    const struct cl_rd der = cl_cert_der(e->cert);
    const uint8_t *p = der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    assert_non_null(x);
    return x;
}

static X509_STORE *make_store(void)
{
    X509_STORE *store = X509_STORE_new();
    X509 *anchor = to_x509(&ca);
    assert_non_null(store);
    assert_int_equal(X509_STORE_add_cert(store, anchor), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), T_NOW);
    X509_free(anchor);
    return store;
}

static enum says ours(struct cl_verify_params params, char text[T_TEXT])
{
    params.revocation = CLEAT_REVOCATION_REQUIRED;
    const int code = t_told(&ca, (const struct cleat_cert *const[]){leaf.cert}, 1, params, text);
    return code == CLEAT_OK ? GOOD : code == CLEAT_ERR_REVOKED ? REVOKED : NEITHER;
}

/* ---- how the two are meant to differ ---- */

struct difference {
    enum says we;
    enum says they;
    const char *text; /* in our reason; NULL: any */
    const char *why;
};

struct tally {
    const struct difference *rows;
    size_t num_rows;
    size_t counts[20];
    size_t agreed[NUM_SAYS];
    size_t num_unexplained;
};

static void compare(struct tally *t, size_t n, enum says we, enum says they, const char *text)
{
    size_t row = 0;
    if (we == they) {
        t->agreed[we]++;
        return;
    }
    if (we == GOOD) {
        fail_msg("%zu: we say good, libcrypto %s", n, words[they]);
    }
    while (row < t->num_rows &&
           (t->rows[row].we != we || t->rows[row].they != they ||
            (t->rows[row].text != NULL && strstr(text, t->rows[row].text) == NULL))) {
        row++;
    }
    if (row < t->num_rows) {
        t->counts[row]++;
    } else {
        t->num_unexplained++;
        print_message("%zu: we say %s (%s), libcrypto %s\n", n, words[we], text, words[they]);
    }
}

static void finish(const struct tally *t)
{
    print_message("the same: good %zu, revoked %zu, neither %zu\n", t->agreed[GOOD],
                  t->agreed[REVOKED], t->agreed[NEITHER]);
    for (size_t i = 0; i < t->num_rows; i++) {
        print_message("%4zu %s, libcrypto %s: %s\n", t->counts[i], words[t->rows[i].we],
                      words[t->rows[i].they], t->rows[i].why);
    }
    assert_true(t->agreed[GOOD] > 20 && t->agreed[REVOKED] > 20 && t->agreed[NEITHER] > 20);
    assert_int_equal(t->num_unexplained, 0);
}

/* ---- lists ---- */

static size_t make_list(uint8_t der[T_MAX_DER])
{
    static const uint8_t idps[][5] = {{0x30, 3, 0x81, 1, 0xff},
                                      {0x30, 3, 0x82, 1, 0xff},
                                      {0x30, 3, 0x84, 1, 0xff},
                                      {0x30, 3, 0x85, 1, 0xff}};
    struct t_crl crl = {.issuer = &ca, .number = 1 + pick(9)};
    const unsigned what = pick(20);
    if (pick(2) != 0) {
        crl.entries[0] = (struct t_entry){.cert = pick(3) != 0 ? leaf.cert : server.cert,
                                          .reason = (uint8_t)(pick(2) != 0 ? pick(11) : 0)};
    }
    crl.idp = what < 4 ? cl_rd_of(idps[what], 5) : crl.idp;
    crl.this_update = what == 4 ? T_NOW + 60 : what == 5 ? T_NOW - T_YEAR : 0;
    crl.next_update = what == 6 ? T_NOW - 60 : what == 7 ? -1 : 0;
    crl.unknown_critical = what == 8;
    crl.entries[0].unknown_critical = what == 9 && crl.entries[0].cert != NULL;
    crl.bad_signature = what == 10;
    crl.num_others = what == 11 ? 40 : 0;
    size_t len = t_crl_der(&crl, der);
    return what >= 14 ? change(der, len, ca.key) : len;
}

static enum says theirs_list(struct cl_rd der)
{
    const uint8_t *p = der.p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.len);
    X509_STORE *store = make_store();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509 *cert = to_x509(&leaf);
    enum says says = NEITHER;
    assert_non_null(ctx);
    if (crl != NULL && p == der.p + der.len) {
        assert_int_equal(X509_STORE_add_crl(store, crl), 1);
        assert_int_equal(X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
                                                         X509_V_FLAG_EXTENDED_CRL_SUPPORT |
                                                         X509_V_FLAG_USE_DELTAS),
                         1);
        assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, NULL), 1);
        const int ok = X509_verify_cert(ctx);
        says = ok == 1                                                    ? GOOD
               : X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_REVOKED ? REVOKED
                                                                          : NEITHER;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_CRL_free(crl);
    X509_free(cert);
    return says;
}

#define NOT_DER "it is not DER, or not the grammar of the standard: libcrypto reads on"

static const struct difference list_differences[] = {
    {NEITHER, GOOD, "malformed", NOT_DER},
    {NEITHER, REVOKED, "malformed", NOT_DER},
    {NEITHER, GOOD, "nextUpdate",
     "RFC 5280 5.1.2.5 demands nextUpdate: without it a list is never out of date for libcrypto"},
    {NEITHER, REVOKED, "nextUpdate", "likewise"},
    {REVOKED, GOOD, "removeFromCRL",
     "RFC 5280 5.3.1: removeFromCRL is for delta lists; in a complete one it excuses nobody"},
};

static void test_differences_over_lists_are_explained(void **state)
{
    (void)state;
    struct tally tally = {.rows = list_differences,
                          .num_rows = sizeof(list_differences) / sizeof(list_differences[0])};
    for (size_t n = 0; n < NUM_LISTS; n++) {
        uint8_t der[T_MAX_DER];
        char text[T_TEXT];
        struct cleat_crl_set *set = NULL;
        struct cleat_error err = {0};
        const size_t len = make_list(der);
        assert_int_equal(cleat_crl_set_new(&set), CLEAT_OK);
        const int added = cleat_crl_set_add_der(set, der, len, &err);
        const enum says we = ours((struct cl_verify_params){.crls = set}, text);
        compare(&tally, n, we, theirs_list(cl_rd_of(der, len)),
                added != CLEAT_OK ? err.text : text);
        cleat_crl_set_free(set);
    }
    finish(&tally);
}

/* ---- responses ---- */

/* The BasicOCSPResponse inside is changed, the frame around it made anew. */
static size_t change_response(uint8_t *der, size_t len, const struct cleat_key *key)
{
    uint8_t basic[T_MAX_DER];
    struct cl_rd all = cl_rd_of(der, len);
    struct cl_rd body;
    struct cl_rd status;
    struct cl_rd field;
    struct cl_rd bytes;
    struct cl_rd oid;
    struct cl_rd inner;
    assert_true(
        cl_der_get(&all, CL_DER_SEQUENCE, &body) && cl_der_get(&body, CL_DER_ENUMERATED, &status) &&
        cl_der_get(&body, CL_DER_CTXC(0), &field) && cl_der_get(&field, CL_DER_SEQUENCE, &bytes) &&
        cl_der_oid(&bytes, &oid) && cl_der_get(&bytes, CL_DER_OCTET_STRING, &inner));
    memcpy(basic, inner.p, inner.len);
    const size_t basic_len = change(basic, inner.len, key);
    struct cl_wr w = cl_wr_of(der, T_MAX_DER);
    struct cl_der_mark whole = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put(&w, CL_DER_ENUMERATED, cl_rd_of("\0", 1));
    struct cl_der_mark explicit = cl_der_open(&w, CL_DER_CTXC(0));
    struct cl_der_mark frame = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put_oid_text(&w, "1.3.6.1.5.5.7.48.1.1");
    cl_der_put(&w, CL_DER_OCTET_STRING, cl_rd_of(basic, basic_len));
    cl_der_close(&w, frame);
    cl_der_close(&w, explicit);
    cl_der_close(&w, whole);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

static struct t_answer make_answer(void)
{
    struct t_answer a = {.cert = pick(5) != 0 ? leaf.cert : server.cert, .issuer = ca.cert};
    const unsigned what = pick(12);
    a.status = pick(2) != 0 ? CL_OCSP_GOOD : pick(4) != 0 ? CL_OCSP_REVOKED : CL_OCSP_UNKNOWN;
    a.this_update = what == 0 ? T_NOW + 3600 : 0;
    a.next_update = what == 1 ? T_NOW - 3600 : what == 2 ? -1 : 0;
    a.sha256 = what == 3;
    a.unknown_critical = what == 4;
    return a;
}

static size_t make_response(uint8_t der[T_MAX_DER])
{
    const struct entity *signers[] = {&ca, &ca, &responder, &responder, &server};
    const struct entity *signer = signers[pick(5)];
    const unsigned what = pick(16);
    struct t_ocsp response = {.signer = signer,
                              .certs = {signer != &ca || pick(4) == 0 ? signer : NULL},
                              .by_key = pick(3) == 0,
                              .answers = {make_answer()}};
    response.answers[1] = what == 0 ? make_answer() : (struct t_answer){0};
    response.bad_signature = what == 1;
    response.unknown_critical = what == 2;
    response.named = what == 3 && !response.by_key ? &server : NULL;
    const size_t len = t_ocsp_der(&response, der);
    return what >= 11 ? change_response(der, len, signer->key) : len;
}

/* Is an answer about the leaf, by the hash that it has chosen, and current? */
static bool counts(OCSP_SINGLERESP *one, X509 *cert, X509 *issuer, int *status)
{
    ASN1_GENERALIZEDTIME *since;
    ASN1_GENERALIZEDTIME *until;
    ASN1_GENERALIZEDTIME *when;
    ASN1_OBJECT *hash;
    int reason;
    time_t late = T_NOW;
    time_t early = T_NOW + 300;
    OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(one);
    (void)OCSP_id_get0_info(NULL, &hash, NULL, NULL, id);
    const EVP_MD *md = EVP_get_digestbyobj(hash);
    OCSP_CERTID *own = md != NULL ? OCSP_cert_to_id(md, cert, issuer) : NULL;
    const bool about = own != NULL && OCSP_id_cmp(own, id) == 0;
    OCSP_CERTID_free(own);
    *status = OCSP_single_get0_status(one, &reason, &when, &since, &until);
    return about && X509_cmp_time(since, &early) <= 0 &&
           (until == NULL || X509_cmp_time(until, &late) >= 0);
}

/* The worst of all answers, as an application would that knows of CVE-2026-3832. */
static enum says worst_answer(OCSP_BASICRESP *basic, X509 *cert, X509 *issuer)
{
    bool seen[3] = {false, false, false};
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        int status;
        if (counts(OCSP_resp_get0(basic, i), cert, issuer, &status)) {
            assert_in_range(status, 0, 2);
            seen[status] = true;
        }
    }
    return seen[V_OCSP_CERTSTATUS_REVOKED]                                    ? REVOKED
           : seen[V_OCSP_CERTSTATUS_GOOD] && !seen[V_OCSP_CERTSTATUS_UNKNOWN] ? GOOD
                                                                              : NEITHER;
}

static enum says theirs_response(struct cl_rd der)
{
    const uint8_t *p = der.p;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);
    OCSP_BASICRESP *basic = NULL;
    X509_STORE *store = make_store();
    X509 *issuer = to_x509(&ca);
    X509 *cert = to_x509(&leaf);
    STACK_OF(X509) *known = sk_X509_new_null();
    enum says says = NEITHER;
    assert_true(known != NULL && sk_X509_push(known, issuer) > 0);
    if (response != NULL && p == der.p + der.len &&
        OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        basic = OCSP_response_get1_basic(response);
    }
    if (basic != NULL && OCSP_basic_verify(basic, known, store, 0) == 1) {
        says = worst_answer(basic, cert, issuer);
    }
    sk_X509_pop_free(known, X509_free);
    X509_free(cert);
    X509_STORE_free(store);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return says;
}

static const struct difference response_differences[] = {
    {NEITHER, GOOD, "malformed", NOT_DER},
    {NEITHER, REVOKED, "malformed", NOT_DER},
    {NEITHER, GOOD, "critical extension",
     "RFC 6960 4.4: libcrypto leaves unknown critical extensions to the application"},
    {NEITHER, REVOKED, "critical extension", "likewise"},
    {NEITHER, REVOKED, "older than is allowed",
     "without nextUpdate a response counts for seven days (decision 0060)"},
    {NEITHER, REVOKED, "it was made when the certificate was not valid",
     "producedAt is not within the certificate's life; libcrypto does not look at it"},
    {NEITHER, REVOKED, "does not know",
     "two answers, of which the one that says revoked has an unknown critical extension"},
};

static void test_differences_over_responses_are_explained(void **state)
{
    (void)state;
    struct tally tally = {.rows = response_differences,
                          .num_rows =
                              sizeof(response_differences) / sizeof(response_differences[0])};
    for (size_t n = 0; n < NUM_RESPONSES; n++) {
        uint8_t der[T_MAX_DER];
        char text[T_TEXT];
        struct cleat_ocsp_set *set = NULL;
        struct cleat_error err = {0};
        const size_t len = make_response(der);
        assert_int_equal(cleat_ocsp_set_new(&set), CLEAT_OK);
        const int added = cleat_ocsp_set_add(set, der, len, &err);
        const enum says we = ours((struct cl_verify_params){.ocsp = set}, text);
        compare(&tally, n, we, theirs_response(cl_rd_of(der, len)),
                added != CLEAT_OK ? err.text : text);
        cleat_ocsp_set_free(set);
    }
    finish(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences_over_lists_are_explained),
        cmocka_unit_test(test_differences_over_responses_are_explained),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
