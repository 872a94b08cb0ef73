/* Memory that runs out at any point while lists, responses and logs are loaded and a certificate is
 * judged by them: out of memory is said, and nobody is let in for it. */
#include <string.h>

#include "allocations.h"
#include "base/pem.h"
#include "support_crl.h"
#include "support_ct.h"
#include "support_ocsp.h"
#include "x509/verify_impl.h"

static struct entity root, ca, responder, leaf;

/* What is loaded: a list of the root in PEM, an indexed one of the CA in DER, a mapped one, a
 * response of a responder for the leaf, whose certificate is logged. */
static struct {
    struct cl_buf root_list;
    uint8_t list[T_MAX_DER];
    size_t list_len;
    uint8_t revoking[T_MAX_DER];
    size_t revoking_len;
    uint8_t good[T_MAX_DER];
    size_t good_len;
    uint8_t revoked[T_MAX_DER];
    size_t revoked_len;
} files;

static const struct t_sct scts[] = {{.key = 0}, {.key = 2}};

static int make_world(void **state)
{
    (void)state;
    root = t_ca("Root", NULL, 5);
    ca = t_ca("CA", &root, 6);
    responder = t_responder("Responder", &ca, 7, true, false, 0);
    leaf = t_logged(scts, 2, &ca, 90 * 86400);
    struct t_ocsp response = {.signer = &responder,
                              .certs = {&responder},
                              .answers = {{.cert = leaf.cert, .issuer = ca.cert}}};
    struct t_crl list = {.issuer = &ca, .num_others = 40};
    t_crl_text(&files.root_list, &(struct t_crl){.issuer = &root});
    files.list_len = t_crl_der(&list, files.list);
    list.entries[0].cert = leaf.cert;
    files.revoking_len = t_crl_der(&list, files.revoking);
    files.good_len = t_ocsp_der(&response, files.good);
    response.answers[0].status = CL_OCSP_REVOKED;
    files.revoked_len = t_ocsp_der(&response, files.revoked);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    struct entity *all[] = {&root, &ca, &responder, &leaf};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        t_free(all[i]);
    }
    cl_buf_deinit(&files.root_list);
    return 0;
}

/* ---- a story ---- */

struct loaded {
    struct cleat_crl_set *crls;
    struct cleat_ocsp_set *ocsp;
    struct cleat_ct_logs *logs;
    int num_released;
    int num_mapped;
};

static void release(void *ctx)
{
    ++*(int *)ctx;
}

static int load_lists(struct loaded *l, const uint8_t *list, size_t len)
{
    int r = cleat_crl_set_new(&l->crls);
    r = r == CLEAT_OK ? cleat_crl_set_add_pem(l->crls, (const char *)files.root_list.p,
                                              files.root_list.len, NULL)
                      : r;
    r = r == CLEAT_OK ? cleat_crl_set_add_der(l->crls, list, len, NULL) : r;
    if (r == CLEAT_OK) {
        l->num_mapped++;
        r = cleat_crl_set_add_mapped(l->crls, files.list, files.list_len, release, &l->num_released,
                                     NULL);
    }
    return r;
}

static int load_logs(struct loaded *l, const struct entity *const *keys)
{
    static const char *const operators[] = {"One", "Two"};
    int r = cleat_ct_logs_new(&l->logs);
    for (size_t i = 0; r == CLEAT_OK && i < 2; i++) {
        const struct cleat_ct_log log = {.key = keys[i]->cert->spki.p,
                                         .key_len = keys[i]->cert->spki.len,
                                         .description = "a log",
                                         .operated_by = operators[i]};
        r = cleat_ct_logs_add(l->logs, &log, NULL);
    }
    return r;
}

static int judge(const struct loaded *l, const struct cleat_trust_store *trust)
{
    const struct cleat_cert *const chain[] = {leaf.cert, ca.cert};
    struct cl_verify_params params = t_params(trust);
    struct cl_verify *v = NULL;
    params.crls = l->crls;
    params.ocsp = l->ocsp;
    params.revocation = CLEAT_REVOCATION_REQUIRED;
    params.from_crls = CLEAT_SOURCE_REQUIRED;
    params.ct = CLEAT_CT_REQUIRED;
    params.ct_logs = l->logs;
    int r = (int)cl_verify_new_certs(&v, &params, chain, 2);
    if (r == CLEAT_OK) {
        while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
            cl_job_run(cl_verify_job(v));
        }
        struct cleat_verdict *verdict = cl_verify_take_verdict(v);
        r = verdict != NULL ? cleat_verdict_code(verdict) : CLEAT_ERR_NOMEM;
        cleat_verdict_free(verdict);
    }
    cl_verify_free(v);
    return r;
}

struct tale {
    const char *name;
    const uint8_t *list;
    size_t list_len;
    const uint8_t *response;
    size_t response_len;
    int code;
};

/* The whole of it with the n-th allocation failing. What was mapped is released once. */
static int tell(const struct tale *tale, const struct cleat_trust_store *trust,
                const struct entity *const *logs, struct allocations *a, size_t fail_at)
{
    struct loaded l = {0};
    allocations_watch(a, fail_at);
    int r = load_lists(&l, tale->list, tale->list_len);
    r = r == CLEAT_OK ? cleat_ocsp_set_new(&l.ocsp) : r;
    r = r == CLEAT_OK ? cleat_ocsp_set_add(l.ocsp, tale->response, tale->response_len, NULL) : r;
    r = r == CLEAT_OK ? load_logs(&l, logs) : r;
    r = r == CLEAT_OK ? judge(&l, trust) : r;
    cleat_crl_set_free(l.crls);
    cleat_ocsp_set_free(l.ocsp);
    cleat_ct_logs_free(l.logs);
    allocations_leave();
    assert_int_equal(l.num_released, l.num_mapped);
    return r;
}

static void test_the_nth_allocation_fails_and_nobody_is_let_in_for_it(void **state)
{
    (void)state;
    const struct tale tales[] = {
        {"good", files.list, files.list_len, files.good, files.good_len, CLEAT_OK},
        {"revoked by a list", files.revoking, files.revoking_len, files.good, files.good_len,
         CLEAT_ERR_REVOKED},
        {"revoked by a response", files.list, files.list_len, files.revoked, files.revoked_len,
         CLEAT_ERR_REVOKED},
    };
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct entity keys[] = {t_ca("log", NULL, 0), t_ca("log", NULL, 2)};
    const struct entity *const logs[] = {&keys[0], &keys[1]};
    for (size_t i = 0; i < sizeof(tales) / sizeof(tales[0]); i++) {
        for (size_t n = 1;; n++) {
            struct allocations a;
            const int r = tell(&tales[i], trust, logs, &a, n);
            if (!a.failed) {
                assert_int_equal(r, tales[i].code);
                assert_true(n > 15);
                print_message("%s: %zu allocations\n", tales[i].name, n);
                break;
            }
            if (r != CLEAT_ERR_NOMEM && r != tales[i].code) {
                fail_msg("%s, allocation %zu: %s", tales[i].name, n, cleat_error_name(r));
            }
        }
    }
    t_free(&keys[0]);
    t_free(&keys[1]);
    cleat_trust_store_free(trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_nth_allocation_fails_and_nobody_is_let_in_for_it),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
