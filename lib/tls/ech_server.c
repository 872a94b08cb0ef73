/* tls/ech_server.c - the server's side of Encrypted Client Hello (RFC 9849 7): finding the key,
 * decrypting, confirming. Shared mode; behind a server that decrypts (split mode), confirming only.
 *
 * What decrypting costs is bounded: one key agreement, a job, for each key that has the client's
 * config_id, of which there are CLEAT_ECH_MAX_SAME_ID at most.
 */
#include "tls/ech.h"

#include "tls/ext.h"
#include "tls/hs.h"

static const char extension[] = "encrypted_client_hello";

bool cl_ech_outer_parse(struct cl_rd body, struct cl_ech_outer *out)
{
    uint8_t type;
    return cl_rd_u8(&body, &type) && type == CL_ECH_OUTER_TYPE &&
           cl_rd_u16(&body, &out->suite.kdf) && cl_rd_u16(&body, &out->suite.aead) &&
           cl_rd_u8(&body, &out->config_id) && cl_rd_vec16(&body, &out->enc) &&
           cl_rd_vec16(&body, &out->payload) && out->payload.len != 0 && cl_rd_done(&body);
}

static bool is_inner(struct cl_rd body)
{
    return body.len == 1 && body.p[0] == CL_ECH_INNER_TYPE;
}

/* ---- decrypting ---- */

/* What is decrypted, and with what besides a key. {0} is safe to deinit. */
struct attempt {
    struct cl_ech_outer outer;
    struct cl_buf aad;
    struct cl_buf text;
};

static void attempt_deinit(struct attempt *a)
{
    cl_buf_deinit(&a->aad);
    cl_buf_deinit(&a->text);
}

/* RFC 9849 5.2: ClientHelloOuterAAD: the outer ClientHello without its header, the payload zeros.
 */
static cl_result attempt_init(struct attempt *a, const struct cleat_tls *tls)
{
    const struct cl_buf *hello = &tls->hs->hello;
    if (!cl_ech_outer_parse(tls->hs->parsed.ech, &a->outer)) {
        return CLEAT_ERR_INTERNAL; /* it was parsed before */
    }
    CL_TRY(cl_buf_append(&a->aad, hello->p + 4, hello->len - 4, CL_HS_MAX_HELLO));
    memset(a->aad.p + (a->outer.payload.p - (hello->p + 4)), 0, a->outer.payload.len);
    return CL_OK;
}

static cl_result try_open(struct attempt *a, struct cl_hpke *hpke)
{
    size_t len;
    a->text.len = 0;
    CL_TRY(cl_buf_append(&a->text, a->outer.payload.p, a->outer.payload.len, CL_HS_MAX_HELLO));
    CL_TRY(cl_hpke_open(hpke, cl_buf_view(&a->aad), a->text.p, a->text.len, &len));
    a->text.len = len;
    return CL_OK;
}

/* HPKE's context of what a job agreed on with this key; and the payload decrypted by it. */
static cl_result try_key(struct attempt *a, const struct cl_ech_key *key, struct cl_rd secret,
                         struct cl_hpke **out)
{
    struct cl_buf info = {0};
    struct cl_hpke *hpke = NULL;
    cl_result r = cl_ech_info(key->config.whole, &info);
    if (r == CL_OK) {
        const struct cl_hpke_setup setup = {.suite = a->outer.suite, .info = cl_buf_view(&info)};
        const struct cl_hpke_agreement agreement = {
            .kem = key->key.kem,
            .public_key = cl_rd_of(key->key.public_key, key->key.kem->public_len),
            .enc = a->outer.enc,
            .secret = secret,
        };
        r = cl_hpke_setup_agreed(&hpke, &setup, &agreement);
    }
    cl_buf_deinit(&info);
    if (r == CL_OK) {
        r = try_open(a, hpke);
    }
    if (r != CL_OK) {
        cl_hpke_free(hpke);
        return r;
    }
    *out = hpke;
    return CL_OK;
}

/* What only says that the key is another one, or that there is nothing to be decrypted. */
static bool is_misfit(cl_result r)
{
    return r == CLEAT_ERR_BAD_KEY_SHARE || r == CLEAT_ERR_BAD_RECORD_MAC ||
           r == CLEAT_ERR_UNSUPPORTED;
}

/* replace puts the inner ClientHello of what was decrypted into the outer one's place. */
static cl_result replace(struct cleat_tls *tls, struct attempt *a)
{
    struct cl_buf inner = {0};
    const cl_result r = cl_ech_decode(tls, cl_buf_view(&a->text), &inner);
    if (r != CL_OK) {
        cl_buf_deinit(&inner);
        return r;
    }
    cl_buf_deinit(&tls->hs->hello);
    tls->hs->hello = inner;
    cl_event_message(tls, false, cl_buf_view(&inner));
    return CL_OK;
}

static cl_result accept(struct cleat_tls *tls, struct attempt *a, const struct cl_ech_key *key)
{
    struct cl_ech *ech = tls->hs->ech;
    ech->config_id = a->outer.config_id;
    ech->suite = a->outer.suite;
    memcpy(ech->outer_random, tls->hs->parsed.random.p, CL_RANDOM_LEN);
    CL_TRY(replace(tls, a));
    tls->ech_status = CLEAT_ECH_ACCEPTED;
    cl_event_choice(tls, "Encrypted Client Hello", "accepted", "a key of ours decrypts it");
    cl_ech_event_keys(tls, key->config.whole);
    return CL_OK;
}

static void start_decap(struct cleat_tls *tls, const struct cl_ech_key *key, struct cl_rd enc)
{
    struct cl_hs *hs = tls->hs;
    hs->job = (struct cl_job){.kind = CL_JOB_DECAP, .status = CL_JOB_PENDING};
    hs->job.kex.group = cl_group_by_id(key->key.kem->group);
    hs->job.kex.key = key->job_key; /* ech->keys holds it for as long as we are here */
    hs->job.kex.peer_share = enc;   /* a view into hs->hello, which stays */
    hs->waiting = &hs->job;
}

/* RFC 9849 7.1: the candidates are those with the client's config_id and suite. */
static cl_result try_next(struct cleat_tls *tls, enum cl_ech_outcome *out)
{
    struct cl_ech *ech = tls->hs->ech;
    struct cl_ech_outer outer;
    const struct cl_ech_key *key;
    if (!cl_ech_outer_parse(tls->hs->parsed.ech, &outer)) {
        return CLEAT_ERR_INTERNAL; /* it was parsed before */
    }
    for (; (key = cl_ech_keys_at(ech->keys, ech->candidate)) != NULL; ech->candidate++) {
        if (key->config.id == outer.config_id &&
            cl_ech_config_has_suite(&key->config, outer.suite)) {
            start_decap(tls, key, outer.enc);
            *out = CL_ECH_WAITS;
            return CL_OK;
        }
    }
    *out = CL_ECH_KEPT;
    tls->ech_status = CLEAT_ECH_REJECTED;
    cl_event_choice(tls, "Encrypted Client Hello", "rejected",
                    "no key of ours decrypts it: an old one, or a dummy");
    return CL_OK;
}

cl_result cl_ech_agreed(struct cleat_tls *tls, enum cl_ech_outcome *out)
{
    struct cl_hs *hs = tls->hs;
    const struct cl_ech_key *key = cl_ech_keys_at(hs->ech->keys, hs->ech->candidate++);
    struct attempt a = {0};
    *out = CL_ECH_OPENED;
    hs->waiting = NULL;
    cl_result r = hs->job.result;
    if (r == CL_OK) {
        r = attempt_init(&a, tls);
    }
    if (r == CL_OK) {
        r = try_key(&a, key, cl_rd_of(hs->job.kex.secret, hs->job.kex.secret_len), &hs->ech->hpke);
    }
    cl_job_reset(&hs->job);
    if (r == CL_OK) {
        r = accept(tls, &a, key);
    } else if (is_misfit(r)) {
        r = try_next(tls, out);
    }
    attempt_deinit(&a);
    return r;
}

static cl_result open_first(struct cleat_tls *tls, enum cl_ech_outcome *out)
{
    if (tls->config->ech_keys == NULL || tls->config->version_max < CLEAT_TLS_1_3) {
        return CL_OK;
    }
    tls->hs->ech = cl_calloc(1, sizeof(*tls->hs->ech));
    if (tls->hs->ech == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    tls->hs->ech->keys = cleat_ech_keys_ref(tls->config->ech_keys);
    return try_next(tls, out);
}

/* RFC 9849 7.1.1: the second ClientHello's extension is there, names the same key, has no new one,
 * and decrypts. */
static cl_result use_second(struct cleat_tls *tls, struct attempt *a)
{
    const struct cl_ech *ech = tls->hs->ech;
    if (a->outer.config_id != ech->config_id || a->outer.suite.kdf != ech->suite.kdf ||
        a->outer.suite.aead != ech->suite.aead || a->outer.enc.len != 0) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9849 7.1.1"),
                           "the second ClientHello's %s names another key than the first's",
                           extension);
    }
    const cl_result r = try_open(a, ech->hpke);
    if (r == CLEAT_ERR_BAD_RECORD_MAC) {
        return cl_tls_fail(tls, CL_WHY(DECRYPT_ERROR, "RFC 9849 7.1.1"),
                           "the second ClientHello's %s does not decrypt", extension);
    }
    CL_TRY(r);
    return replace(tls, a);
}

static cl_result open_second(struct cleat_tls *tls, enum cl_ech_outcome *out)
{
    struct attempt a = {0};
    const struct cl_rd body = tls->hs->parsed.ech;
    if (body.p == NULL) {
        return cl_tls_fail(tls, CL_WHY(MISSING_EXTENSION, "RFC 9849 7.1.1"),
                           "the second ClientHello has no %s", extension);
    }
    cl_result r = attempt_init(&a, tls);
    if (r == CL_OK) {
        r = use_second(tls, &a);
    }
    attempt_deinit(&a);
    *out = CL_ECH_OPENED;
    return r;
}

static cl_result type_changed(struct cleat_tls *tls)
{
    return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9849 7"),
                       "the second ClientHello's %s is of another type than the first's",
                       extension);
}

/* An inner ClientHello that nobody has decrypted here: split mode. */
static cl_result take_inner(struct cleat_tls *tls)
{
    /* RFC 9849 7: "A shared mode server which receives a ClientHello with ECHClientHello.type of
     * inner MUST abort with an "illegal_parameter" alert" */
    if (!tls->config->ech_backend) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9849 7"),
                           "%s of type inner in a ClientHello that came in clear", extension);
    }
    if (tls->hs->retried && tls->ech_status != CLEAT_ECH_ACCEPTED) {
        return type_changed(tls);
    }
    if (tls->hs->ech == NULL) {
        tls->hs->ech = cl_calloc(1, sizeof(*tls->hs->ech));
    }
    tls->ech_status = CLEAT_ECH_ACCEPTED;
    return tls->hs->ech != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

cl_result cl_ech_open(struct cleat_tls *tls, enum cl_ech_outcome *out)
{
    const struct cl_hs *hs = tls->hs;
    *out = CL_ECH_KEPT;
    if (hs->parsed.ech.p != NULL && is_inner(hs->parsed.ech)) {
        return take_inner(tls);
    }
    if (hs->retried && hs->ech != NULL && hs->ech->hpke != NULL) {
        return open_second(tls, out);
    }
    if (hs->retried) { /* a backend's first one was of type inner; elsewhere nothing was opened */
        return tls->ech_status == CLEAT_ECH_ACCEPTED ? type_changed(tls) : CL_OK;
    }
    return hs->parsed.ech.p != NULL ? open_first(tls, out) : CL_OK;
}

/* RFC 9849 7.1: the inner ClientHello "includes a well-formed "encrypted_client_hello" extension of
 * type inner and … does not offer TLS 1.2 or below"; 5.1: ech_outer_extensions "MUST NOT appear in
 * either ClientHelloOuter or ClientHelloInner". */
cl_result cl_ech_check_inner(struct cleat_tls *tls)
{
    const struct cl_client_hello *ch = &tls->hs->parsed;
    const char *why = NULL;
    struct cl_rd versions = ch->versions;
    uint16_t v;
    if (ch->ech.p == NULL || !is_inner(ch->ech)) {
        why = "does not say that it is one";
    } else if (versions.p == NULL) {
        why = "has no supported_versions";
    } else if (cl_ext_contains(ch->extensions, CL_ET_ECH_OUTER_EXTENSIONS)) {
        why = "refers to another one";
    }
    while (cl_rd_u16(&versions, &v)) {
        if (v <= CLEAT_TLS_1_2) {
            why = "offers TLS 1.2 or older";
        }
    }
    return why == NULL ? CL_OK
                       : cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9849 7.1"),
                                     "the inner ClientHello %s", why);
}

/* ---- confirming ---- */

void cl_ech_confirm(struct cleat_tls *tls, bool retry, struct cl_wr *w)
{
    const size_t at =
        retry ? tls->hs->ech->confirm_at : 4 + 2 + CL_RANDOM_LEN - CL_ECH_CONFIRMATION_LEN;
    cl_wr_close(w, (struct cl_wr_mark){.at = 1, .width = 3});
    if (cl_wr_ok(w)) {
        uint8_t value[CL_ECH_CONFIRMATION_LEN];
        cl_ech_confirmation(tls, &tls->hs->transcript, retry, cl_rd_of(w->p, w->len), at, value);
        memcpy(w->p + at, value, sizeof(value));
    }
}
