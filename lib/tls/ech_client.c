/* tls/ech_client.c - the client's side of Encrypted Client Hello up to the answer (RFC 9849 6.1,
 * 6.2): choosing a configuration, encoding and sealing the inner ClientHello; the dummy that is
 * sent where there is none.
 *
 * What is asymmetric is a job: jobs of many connections cost less together.
 * The inner ClientHello is built first, then the outer one around it. Extensions that are the same
 * in both stand together at the inner one's end and are sent once, in the outer one.
 */
#include "tls/ech.h"

#include "tls/ext.h"
#include "tls/hs.h"
#include "x509/name.h"

/* 32: RFC 9849 6.1.3: the inner ClientHello's length is rounded up to a multiple of it */
#define PADDING_UNIT 32
/* 9: RFC 9849 6.1.3: of a server_name extension, all but the name */
#define SNI_OVERHEAD 9
/* 128 to 224: what inner ClientHellos of ours have, padded; drawn, as real lengths differ too */
#define GREASE_MIN   128
#define GREASE_STEPS 4

void cl_ech_free(struct cl_ech *ech)
{
    if (ech != NULL) {
        cl_hpke_free(ech->hpke);
        cl_buf_deinit(&ech->config);
        cl_buf_deinit(&ech->body);
        cl_buf_deinit(&ech->outer);
        cl_buf_deinit(&ech->encoded);
        cl_free(ech->public_name);
        cleat_ech_keys_free(ech->keys);
        cl_free_secret(ech, sizeof(*ech));
    }
}

/* ---- what is offered ---- */

static cl_result take_config(struct cl_ech *ech, const struct cl_ech_config *c)
{
    if (!cl_ech_config_suite(c, &ech->suite)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    ech->config_id = c->id;
    ech->max_name_len = c->max_name_len;
    ech->public_name = cl_strndup((const char *)c->public_name.p, c->public_name.len);
    if (ech->public_name == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    return cl_buf_append(&ech->config, c->whole.p, c->whole.len, CL_ECH_MAX_LIST);
}

int cleat_tls_offer_ech(struct cleat_tls *tls, const uint8_t *list, size_t len)
{
    struct cl_rd configs;
    struct cl_ech_config c = {0};
    if (cl_is_server(tls) || tls->state != CL_HS_C_START || tls->hs->ech != NULL) {
        return CLEAT_ERR_USAGE;
    }
    if (!cl_ech_list_open(cl_rd_of(list, len), &configs)) {
        return CLEAT_ERR_BAD_ECH_CONFIG;
    }
    bool usable = false;
    while (!usable && !cl_rd_done(&configs) && cl_ech_config_next(&configs, &c)) {
        usable = cl_ech_config_objection(&c) == NULL;
    }
    if (!usable || tls->config->version_max < CLEAT_TLS_1_3) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    struct cl_ech *ech = cl_calloc(1, sizeof(*ech));
    cl_result r = ech != NULL ? take_config(ech, &c) : CLEAT_ERR_NOMEM;
    if (r != CL_OK) {
        cl_ech_free(ech);
        return (int)r;
    }
    /* RFC 9849 6.1: "It MUST NOT offer to resume any session for TLS 1.2 and below" */
    if (tls->hs->session != NULL && tls->hs->session->version < CLEAT_TLS_1_3) {
        cleat_tls_session_free(tls->hs->session);
        tls->hs->session = NULL;
    }
    tls->hs->ech = ech;
    tls->ech_status = CLEAT_ECH_OFFERED;
    return CLEAT_OK;
}

bool cl_ech_wanted(const struct cleat_tls *tls)
{
    return tls->hs->ech != NULL &&
           (tls->ech_status == CLEAT_ECH_OFFERED || tls->ech_status == CLEAT_ECH_ACCEPTED);
}

/* ---- HPKE's encapsulation ---- */

static cl_result config_of(const struct cl_ech *ech, struct cl_ech_config *out)
{
    struct cl_rd bytes = cl_buf_view(&ech->config);
    return cl_ech_config_next(&bytes, out) ? CL_OK : CLEAT_ERR_INTERNAL; /* it was parsed before */
}

static cl_result start_encap(struct cl_ech *ech, struct cl_job *job)
{
    struct cl_ech_config c;
    CL_TRY(config_of(ech, &c));
    const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(c.kem);
    job->kind = CL_JOB_ENCAP;
    job->kex.group = cl_group_by_id(kem->group);
    job->kex.peer_share = c.public_key;
    job->kex.share = ech->enc;
    ech->enc_len = kem->public_len;
    return CL_OK;
}

static cl_result encapsulated(struct cleat_tls *tls, struct cl_rd secret)
{
    struct cl_ech *ech = tls->hs->ech;
    struct cl_ech_config c;
    struct cl_buf info = {0};
    CL_TRY(config_of(ech, &c));
    cl_result r = cl_ech_info(c.whole, &info);
    if (r == CL_OK) {
        const struct cl_hpke_setup setup = {.suite = ech->suite, .info = cl_buf_view(&info)};
        const struct cl_hpke_agreement agreement = {
            .kem = cl_hpke_kem_by_id(c.kem),
            .public_key = c.public_key,
            .enc = cl_rd_of(ech->enc, ech->enc_len),
            .secret = secret,
            .seal = true,
        };
        r = cl_hpke_setup_agreed(&ech->hpke, &setup, &agreement);
    }
    cl_buf_deinit(&info);
    CL_TRY(r);
    cl_event_choice(tls, "Encrypted Client Hello", ech->public_name,
                    "offered: the public name that can be seen on the way");
    cl_ech_event_keys(tls, c.whole);
    return CL_OK;
}

/* ---- GREASE ---- */

/* 8: type, suite, config_id and the length of enc (RFC 9849 5) */
#define HEAD_BEFORE_ENC 8

static void put_head(struct cl_wr *w, const struct cl_ech *ech)
{
    /* RFC 9849 5: ECHClientHello, up to the payload */
    cl_wr_u8(w, CL_ECH_OUTER_TYPE);
    cl_wr_u16(w, ech->suite.kdf);
    cl_wr_u16(w, ech->suite.aead);
    cl_wr_u8(w, ech->config_id);
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_bytes(w, ech->enc, ech->enc_len);
    cl_wr_close(w, m);
}

static bool greases(const struct cleat_tls_config *c)
{
    const bool on =
        c->ech_grease == CL_ECH_GREASE_ON || (c->ech_grease == CL_ECH_GREASE_AS_ALL && c->grease);
    return on && c->version_max >= CLEAT_TLS_1_3;
}

/* RFC 9849 6.2.1: a random config_id, a suite that varies, a public key that is one, a payload as
 * long as a real one would be. The second ClientHello repeats it. */
static cl_result draw_dummy(struct cleat_tls *tls, struct cl_ech *ech)
{
    const struct cl_rng *rng = &tls->config->rng;
    uint8_t random[3];
    CL_TRY(cl_rand(rng, random, sizeof(random)));
    ech->suite.kdf = CL_HPKE_HKDF_SHA256;
    ech->suite.aead = random[0] % 2 != 0 ? CL_HPKE_CHACHA20_POLY1305 : CL_HPKE_AES_128_GCM;
    ech->config_id = random[1];
    ech->enc_len = cl_hpke_kem_by_id(CL_HPKE_X25519)->public_len;
    ech->key_wanted = true;
    const size_t len =
        GREASE_MIN + PADDING_UNIT * (size_t)(random[2] % GREASE_STEPS) + CL_HPKE_TAG_LEN;
    CL_TRY(cl_buf_reserve(&ech->body, 16 + ech->enc_len + len, CL_ECH_MAX_LIST));
    struct cl_wr w = cl_buf_writer(&ech->body);
    put_head(&w, ech);
    struct cl_wr_mark m = cl_wr_open16(&w);
    uint8_t *payload = cl_wr_reserve(&w, len);
    if (payload == NULL) {
        return CLEAT_ERR_INTERNAL;
    }
    CL_TRY(cl_rand(rng, payload, len));
    cl_wr_close(&w, m);
    cl_buf_commit(&ech->body, &w);
    return CL_OK;
}

static void start_dummy_key(struct cl_ech *ech, struct cl_job *job)
{
    job->kind = CL_JOB_KEYGEN;
    job->kex.group = cl_group_by_id(CL_GROUP_X25519);
    job->kex.share = ech->body.p + HEAD_BEFORE_ENC;
}

/* ---- the first steps ---- */

cl_result cl_ech_start(struct cleat_tls *tls)
{
    struct cl_ech *ech = tls->hs->ech;
    if (ech != NULL) {
        ech->key_wanted = true;
        return cl_rand(&tls->config->rng, ech->outer_random, sizeof(ech->outer_random));
    }
    if (!greases(tls->config)) {
        return CL_OK;
    }
    tls->hs->ech = cl_calloc(1, sizeof(*tls->hs->ech));
    if (tls->hs->ech == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    tls->ech_status = CLEAT_ECH_GREASE;
    return draw_dummy(tls, tls->hs->ech);
}

cl_result cl_ech_start_job(struct cleat_tls *tls, bool *started)
{
    struct cl_ech *ech = tls->hs->ech;
    struct cl_job *job = &tls->hs->job;
    *started = ech != NULL && ech->key_wanted;
    if (!*started) {
        return CL_OK;
    }
    cl_job_reset(job);
    if (cl_ech_wanted(tls)) {
        CL_TRY(start_encap(ech, job));
    } else {
        start_dummy_key(ech, job);
    }
    job->kex.rng = &tls->config->rng;
    job->status = CL_JOB_PENDING;
    tls->hs->waiting = job;
    return CL_OK;
}

cl_result cl_ech_job_done(struct cleat_tls *tls)
{
    struct cl_ech *ech = tls->hs->ech;
    struct cl_job *job = &tls->hs->job;
    cl_result r = job->result;
    tls->hs->waiting = NULL;
    ech->key_wanted = false;
    if (job->kind == CL_JOB_KEYGEN) {
        cl_kex_key_free(job->kex.key); /* nobody will ever agree on anything with it */
    } else if (r == CL_OK) {
        r = encapsulated(tls, cl_rd_of(job->kex.secret, job->kex.secret_len));
    }
    cl_job_reset(job);
    if (r == CLEAT_ERR_BAD_KEY_SHARE) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(BAD_ECH_CONFIG, "RFC 9849 4",
                                       "get the configuration anew, or connect without ECH"),
                           "the public key of the ECH configuration of %s is not valid",
                           ech->public_name);
    }
    return r;
}

/* ---- encoding ---- */

bool cl_ech_shared(const struct cleat_tls *tls, uint16_t type)
{
    static const uint16_t shared[] = {
        CL_ET_SUPPORTED_GROUPS,
        CL_ET_SIGNATURE_ALGORITHMS,
        CL_ET_KEY_SHARE,
        CL_ET_ALPN,
        CL_ET_COOKIE,
        CL_ET_PSK_KEY_EXCHANGE_MODES,
        CL_ET_CERTIFICATE_AUTHORITIES,
        CL_ET_STATUS_REQUEST,
        CL_ET_SCTS,
        CL_ET_COMPRESS_CERTIFICATE,
        CL_ET_CLIENT_CERTIFICATE_TYPE,
        CL_ET_SERVER_CERTIFICATE_TYPE,
        CL_ET_RECORD_SIZE_LIMIT,
        CL_ET_POST_HANDSHAKE_AUTH,
        CL_ET_TICKET_REQUEST,
    };
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        if (shared[i] == type) {
            return true;
        }
    }
    /* the inner one offers TLS 1.3 alone (RFC 9849 6.1) */
    return type == CL_ET_SUPPORTED_VERSIONS && tls->config->version_min >= CLEAT_TLS_1_3;
}

/* RFC 9849 5.1: the extensions, those that are shared as references. They are neighbours. */
static bool put_extensions(const struct cleat_tls *tls, struct cl_rd block, struct cl_wr *w)
{
    struct cl_wr_mark all = cl_wr_open16(w);
    struct cl_wr_mark refs = {0};
    struct cl_wr_mark list = {0};
    bool open = false;
    while (!cl_rd_done(&block)) {
        const uint8_t *start = block.p;
        uint16_t type;
        struct cl_rd body;
        if (!cl_rd_u16(&block, &type) || !cl_rd_vec16(&block, &body)) {
            return false;
        }
        const bool shared = cl_ech_shared(tls, type);
        if (open && !shared) {
            cl_wr_close(w, list);
            cl_wr_close(w, refs);
            open = false;
        }
        if (shared && !open) {
            cl_wr_u16(w, CL_ET_ECH_OUTER_EXTENSIONS);
            refs = cl_wr_open16(w);
            list = cl_wr_open8(w);
            open = true;
        }
        if (shared) {
            cl_wr_u16(w, type);
        } else {
            cl_wr_bytes(w, start, 4 + body.len);
        }
    }
    if (open) {
        cl_wr_close(w, list);
        cl_wr_close(w, refs);
    }
    cl_wr_close(w, all);
    return cl_wr_ok(w);
}

static bool put_inner(const struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_rd body = cl_rd_of(tls->hs->hello.p + 4, tls->hs->hello.len - 4);
    struct cl_rd fixed, session_id, suites, compression, extensions;
    if (!cl_rd_take(&body, 2 + CL_RANDOM_LEN, &fixed) || !cl_rd_vec8(&body, &session_id) ||
        !cl_rd_vec16(&body, &suites) || !cl_rd_vec8(&body, &compression) ||
        !cl_rd_vec16(&body, &extensions)) {
        return false;
    }
    cl_wr_view(w, fixed);
    cl_wr_u8(w, 0); /* RFC 9849 5.1: "setting the legacy_session_id field to the empty string" */
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_view(w, suites);
    cl_wr_close(w, m);
    m = cl_wr_open8(w);
    cl_wr_view(w, compression);
    cl_wr_close(w, m);
    return put_extensions(tls, extensions, w);
}

/* RFC 9849 6.1.3 */
static void put_padding(const struct cleat_tls *tls, struct cl_wr *w)
{
    const size_t max = tls->hs->ech->max_name_len;
    uint8_t ip[16];
    size_t ip_len;
    const size_t name = strlen(tls->server_name);
    if (cl_ip_parse(tls->server_name, name, ip, &ip_len)) {
        cl_wr_zeros(w, max + SNI_OVERHEAD);
    } else if (name < max) {
        cl_wr_zeros(w, max - name);
    }
    cl_wr_zeros(w, PADDING_UNIT - 1 - (w->len - 1) % PADDING_UNIT);
}

cl_result cl_ech_encode(struct cleat_tls *tls)
{
    struct cl_buf *out = &tls->hs->ech->encoded;
    const size_t most = tls->hs->hello.len + UINT8_MAX + SNI_OVERHEAD + PADDING_UNIT;
    out->len = 0;
    CL_TRY(cl_buf_reserve(out, most + CL_HPKE_TAG_LEN, CL_HS_MAX_HELLO));
    struct cl_wr w = cl_buf_writer(out);
    if (!put_inner(tls, &w)) {
        return CLEAT_ERR_INTERNAL;
    }
    put_padding(tls, &w);
    cl_buf_commit(out, &w);
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_INTERNAL;
}

/* ---- the outer extension ---- */

void cl_ech_put_outer(struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_ech *ech = tls->hs->ech;
    ech->body_at = w->len;
    put_head(w, ech);
    struct cl_wr_mark m = cl_wr_open16(w);
    ech->payload_at = w->len;
    /* RFC 9849 6.1.1: "a placeholder byte string containing L zeros" */
    cl_wr_zeros(w, ech->encoded.len + CL_HPKE_TAG_LEN);
    cl_wr_close(w, m);
    ech->body_len = w->len - ech->body_at;
}

cl_result cl_ech_seal(struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_ech *ech = tls->hs->ech;
    struct cl_buf *encoded = &ech->encoded;
    cl_wr_close(w, (struct cl_wr_mark){.at = 1, .width = 3});
    if (!cl_wr_ok(w) || ech->body_len == 0) {
        return CLEAT_ERR_INTERNAL;
    }
    CL_TRY(
        cl_hpke_seal(ech->hpke, cl_rd_of(w->p + 4, w->len - 4), cl_buf_view(encoded), encoded->p));
    memcpy(w->p + ech->payload_at, encoded->p, encoded->len + CL_HPKE_TAG_LEN);
    /* RFC 9849 6.1.5: after a HelloRetryRequest "enc" is empty. When that rejects ECH, the second
     * ClientHello has the first one's extension: kept here. */
    ech->enc_len = 0;
    ech->body.len = 0;
    return cl_buf_append(&ech->body, w->p + ech->body_at, ech->body_len, CL_ECH_MAX_LIST);
}

/* RFC 9849 6.1.2: for each PSK of the inner ClientHello a random one of the same lengths. */
bool cl_ech_put_dummy_psks(struct cleat_tls *tls, const struct cl_psk_offer *offers, size_t num,
                           struct cl_wr *w)
{
    const struct cl_rng *rng = &tls->config->rng;
    bool ok = num != 0;
    struct cl_wr_mark list = cl_wr_open16(w);
    for (size_t i = 0; i < num; i++) {
        struct cl_wr_mark m = cl_wr_open16(w);
        uint8_t *identity = cl_wr_reserve(w, offers[i].identity.len);
        cl_wr_close(w, m);
        uint8_t *age = cl_wr_reserve(w, 4);
        ok = ok && identity != NULL && age != NULL &&
             cl_rand(rng, identity, offers[i].identity.len) == CL_OK &&
             cl_rand(rng, age, 4) == CL_OK;
    }
    cl_wr_close(w, list);
    list = cl_wr_open16(w);
    for (size_t i = 0; i < num; i++) {
        const size_t len = cl_hash_len(offers[i].hash);
        struct cl_wr_mark m = cl_wr_open8(w);
        uint8_t *binder = cl_wr_reserve(w, len);
        cl_wr_close(w, m);
        ok = ok && binder != NULL && cl_rand(rng, binder, len) == CL_OK;
    }
    cl_wr_close(w, list);
    w->failed = w->failed || (num != 0 && !ok); /* not left out silently: randomness is gone */
    return ok;
}
