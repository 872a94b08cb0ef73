/* tls/config.c - building a configuration: setters record and check, finish seals.
 *
 * The first failure is kept and makes finish fail, so that callers may check once.
 */
#include "tls/config.h"

#include <string.h>

#include "cleat/tls_psk.h"
#include "tls/builder.h"
#include "tls/hook.h"
#include "tls/msg.h"
#include "tls/pins.h"
#include "tls/profile.h"
#include "tls/psk.h"
#include "tls/raw_key.h"
#include "tls/tape.h"
#include "x509/dane.h"

static int fail(struct cleat_tls_builder *b, cl_result code)
{
    return cl_builder_fail(b, code);
}

int cleat_tls_builder_new(enum cleat_role role, struct cleat_tls_builder **out)
{
    struct cleat_tls_builder *b = cl_calloc(1, sizeof(*b));
    struct cleat_tls_config *c = cl_calloc(1, sizeof(*c));
    if (b == NULL || c == NULL) {
        cl_free(b);
        cl_free(c);
        return CLEAT_ERR_NOMEM;
    }
    c->refs = 1;
    c->role = role;
    c->rng = cl_rng_system;
    c->ask_status = role == CLEAT_CLIENT;
    c->psk_modes = CLEAT_PSK_DHE_KE;
    c->grease = role == CLEAT_CLIENT;
    c->permute = role == CLEAT_CLIENT;
    c->num_peer_types = 1; /* X.509 */
    c->prefer_chacha20 = true;
    while (cl_compression_at(c->num_compressions) != NULL) {
        c->compressions[c->num_compressions] = cl_compression_at(c->num_compressions);
        c->num_compressions++;
    }
    (void)cl_profile_fill(cl_profile_at(0), c);
    b->config = c;
    *out = b;
    return CLEAT_OK;
}

void cleat_tls_builder_free(struct cleat_tls_builder *b)
{
    if (b != NULL) {
        cleat_tls_config_free(b->config);
        cl_free(b);
    }
}

const struct cleat_error *cleat_tls_builder_error(const struct cleat_tls_builder *b)
{
    return &b->error;
}

void cleat_tls_builder_clock(struct cleat_tls_builder *b, uint64_t (*now)(void *ctx), void *ctx)
{
    b->config->now = now;
    b->config->now_ctx = ctx;
}

void cleat_tls_builder_stopwatch(struct cleat_tls_builder *b, uint64_t (*now)(void *ctx), void *ctx)
{
    b->config->stopwatch = now;
    b->config->stopwatch_ctx = ctx;
}

void cleat_tls_builder_random(struct cleat_tls_builder *b,
                              int (*fill)(void *ctx, uint8_t *out, size_t len), void *ctx)
{
    b->config->rng = (struct cl_rng){.fill = fill, .ctx = ctx};
}

static int check_pair(struct cleat_tls_builder *b, struct cleat_chain *chain, struct cleat_key *key)
{
    if (cl_chain_num(chain) == 0) {
        return fail(b, CLEAT_ERR_NO_CERTIFICATE);
    }
    const struct cleat_cert *leaf = cl_chain_at(chain, 0);
    if (!cl_rd_equal(cl_cert_spki(leaf), cl_key_spki(key))) {
        return (int)cl_error_set(
            &b->error,
            (struct cl_why){CLEAT_ERR_KEY_MISMATCH, 0, NULL,
                            "give the key that the certificate was made for, and the leaf first in "
                            "the certificate file"},
            "the private key (%s) does not belong to the first certificate (%s)",
            cleat_key_kind(key), cl_key_type_name(cl_cert_key_type(leaf)));
    }
    return CLEAT_OK;
}

/* Schemes that are not among the defaults: a credential that needs one brings it along. */
static void add_own_scheme(struct cl_credential *credential)
{
    const struct cl_sig_alg *alg;
    for (size_t i = 0; (alg = cl_sig_scheme_at(i)) != NULL; i++) {
        if (alg->by_name_only && cl_sig_alg_fits(alg, cl_key_type(credential->key))) {
            credential->schemes[credential->num_schemes++] = alg;
        }
    }
}

int cl_builder_credential(struct cleat_tls_builder *b, struct cleat_chain *chain,
                          struct cleat_key *key)
{
    struct cleat_tls_config *c = b->config;
    if (c->num_credentials == CL_CONFIG_MAX_CREDENTIALS) {
        return fail(b, CLEAT_ERR_LIMIT);
    }
    struct cl_credential *list =
        cl_realloc(c->credentials, (c->num_credentials + 1) * sizeof(*list));
    if (list == NULL) {
        return fail(b, CLEAT_ERR_NOMEM);
    }
    c->credentials = list;
    list[c->num_credentials] = (struct cl_credential){
        .chain = chain != NULL ? cleat_chain_ref(chain) : NULL,
        .key = cleat_key_ref(key),
    };
    add_own_scheme(&list[c->num_credentials]);
    cl_result prepared = cl_credential_prepare(&list[c->num_credentials++]);
    return prepared == CL_OK ? CLEAT_OK : fail(b, prepared);
}

int cleat_tls_builder_credential(struct cleat_tls_builder *b, struct cleat_chain *chain,
                                 struct cleat_key *key)
{
    int r = check_pair(b, chain, key);
    return r == CLEAT_OK ? cl_builder_credential(b, chain, key) : r;
}

static struct cl_credential *newest_credential(struct cleat_tls_builder *b)
{
    struct cleat_tls_config *c = b->config;
    if (c->num_credentials == 0) {
        (void)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, NULL),
                           "an option of a credential before there is one");
        return NULL;
    }
    return &c->credentials[c->num_credentials - 1];
}

int cleat_tls_builder_credential_match_issuer(struct cleat_tls_builder *b)
{
    struct cl_credential *credential = newest_credential(b);
    if (credential == NULL) {
        return CLEAT_ERR_BAD_CONFIG;
    }
    credential->match_issuer = true;
    return CLEAT_OK;
}

void cleat_tls_builder_credentials_in_order(struct cleat_tls_builder *b)
{
    b->config->credentials_in_order = true;
}

int cleat_tls_builder_trust(struct cleat_tls_builder *b, struct cleat_trust_store *store)
{
    cleat_trust_store_free(b->config->trust);
    b->config->trust = store != NULL ? cleat_trust_store_ref(store) : NULL;
    return CLEAT_OK;
}

void cleat_tls_builder_client_auth(struct cleat_tls_builder *b, enum cleat_client_auth mode)
{
    b->config->client_auth = mode;
}

void cleat_tls_builder_decide(struct cleat_tls_builder *b, unsigned decisions)
{
    b->config->decisions = decisions;
}

int cleat_tls_builder_alpn(struct cleat_tls_builder *b, const char *const *protocols, size_t num)
{
    struct cl_buf *alpn = &b->config->alpn;
    struct cl_buf *text = &b->config->alpn_text;
    alpn->len = 0;
    text->len = 0;
    for (size_t i = 0; i < num; i++) {
        size_t len = strlen(protocols[i]);
        uint8_t prefix = (uint8_t)len;
        if (len == 0 || len > 255) {
            return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 7301 3.1"),
                                     "an ALPN protocol name has 1 to 255 bytes, not %zu", len);
        }
        cl_result r = cl_buf_append(alpn, &prefix, 1, UINT16_MAX);
        if (r == CL_OK) {
            r = cl_buf_append(alpn, protocols[i], len, UINT16_MAX);
        }
        if (r == CL_OK) {
            r = cl_buf_printf(text, UINT16_MAX, "%c%s", '\0', protocols[i]);
        }
        if (r != CL_OK) {
            return fail(b, r);
        }
    }
    cl_result r = cl_buf_append(text, "", 1, UINT16_MAX + 1);
    return r == CL_OK ? CLEAT_OK : fail(b, r);
}

/* ---- lists of names ---- */

typedef const void *(*find_by_name)(const char *name, size_t len);

static const void *find_suite(const char *name, size_t len)
{
    return cl_suite_by_name(name, len);
}

static const void *find_group(const char *name, size_t len)
{
    return cl_group_by_name(name, len);
}

static const void *find_scheme(const char *name, size_t len)
{
    return cl_sig_scheme_by_name(name, len);
}

struct name_list {
    const char *what;
    find_by_name find;
    const void **out;
    size_t cap;
    size_t *num;
};

static int set_list(struct cleat_tls_builder *b, const char *list, const struct name_list *kind)
{
    *kind->num = 0;
    while (*list != '\0') {
        size_t len = strcspn(list, ":,");
        const void *item = kind->find(list, len);
        if (item == NULL) {
            return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, NULL), "unknown %s \"%.*s\"",
                                     kind->what, (int)(len < 80 ? len : 80), list);
        }
        bool twice = false;
        for (size_t i = 0; i < *kind->num; i++) {
            twice = twice || kind->out[i] == item;
        }
        if (!twice && *kind->num < kind->cap) {
            kind->out[(*kind->num)++] = item;
        }
        list += len + (list[len] != '\0' ? 1 : 0);
    }
    if (*kind->num == 0) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, NULL), "the list of %ss is empty",
                                 kind->what);
    }
    return CLEAT_OK;
}

int cleat_tls_builder_profile(struct cleat_tls_builder *b, const char *name)
{
    const struct cl_profile *profile = cl_profile_by_name(name);
    if (profile == NULL) {
        return (int)cl_error_set(&b->error,
                                 CL_WHY_HINT(BAD_CONFIG, NULL,
                                             "there are public, internal, high-security, iot and "
                                             "legacy"),
                                 "there is no profile \"%.40s\"", name);
    }
    return cl_profile_fill(profile, b->config) ? CLEAT_OK : fail(b, CLEAT_ERR_INTERNAL);
}

/* Suites of a version that a list does not name stay behind those that it names. */
static int keep_other_versions(struct cleat_tls_builder *b, const struct cleat_tls_config *old)
{
    struct cleat_tls_config *c = b->config;
    const struct cl_suite *named[CL_CONFIG_MAX_SUITES];
    size_t num = c->num_suites;
    memcpy(named, c->suites, num * sizeof(named[0]));
    for (size_t i = 0; i < old->num_suites && c->num_suites < CL_CONFIG_MAX_SUITES; i++) {
        bool named_version = false;
        for (size_t j = 0; j < num; j++) {
            named_version = named_version || named[j]->version == old->suites[i]->version;
        }
        if (!named_version) {
            c->suites[c->num_suites++] = old->suites[i];
        }
    }
    return CLEAT_OK;
}

/* What has a known weakness is switched on by two words: the profile and its name. */
static int check_weakness(struct cleat_tls_builder *b)
{
    const struct cleat_tls_config *c = b->config;
    for (size_t i = 0; !c->legacy && i < c->num_suites; i++) {
        const struct cl_weakness *w = cl_suite_weakness(c->suites[i], 0);
        if (w != NULL) {
            return (int)cl_error_set(&b->error,
                                     CL_WHY_HINT(BAD_CONFIG, NULL,
                                                 "if a peer has nothing better: --profile legacy, "
                                                 "and the suite's name"),
                                     "%s may be named under the profile legacy only; %s: %s",
                                     c->suites[i]->openssl_name, w->what, w->text);
        }
    }
    return CLEAT_OK;
}

int cleat_tls_builder_ciphers(struct cleat_tls_builder *b, const char *list)
{
    struct name_list kind = {"cipher suite", find_suite, (const void **)b->config->suites,
                             CL_CONFIG_MAX_SUITES, &b->config->num_suites};
    const struct cleat_tls_config old = *b->config;
    int r = set_list(b, list, &kind);
    r = r == CLEAT_OK ? check_weakness(b) : r;
    return r == CLEAT_OK ? keep_other_versions(b, &old) : r;
}

/* Curves and ML-KEM serve both versions, finite fields DHE of TLS 1.2 alone: two lists. What a list
 * has none of stays as it is. */
int cleat_tls_builder_groups(struct cleat_tls_builder *b, const char *list)
{
    struct cleat_tls_config *c = b->config;
    const struct cl_group *named[CL_CONFIG_MAX_GROUPS];
    size_t num = 0;
    size_t num_of[2] = {0, 0};
    struct name_list kind = {"group", find_group, (const void **)named, CL_CONFIG_MAX_GROUPS, &num};
    const int r = set_list(b, list, &kind);
    for (size_t i = 0; r == CLEAT_OK && i < num; i++) {
        if (!named[i]->finite_field) {
            c->groups[num_of[0]++] = named[i];
        } else if (num_of[1] < CL_CONFIG_MAX_FIELDS) {
            c->fields[num_of[1]++] = named[i];
        }
    }
    c->num_groups = num_of[0] != 0 ? num_of[0] : c->num_groups;
    c->num_fields = num_of[1] != 0 ? num_of[1] : c->num_fields;
    return r;
}

int cleat_tls_builder_signatures(struct cleat_tls_builder *b, const char *list)
{
    struct name_list kind = {"signature scheme", find_scheme, (const void **)b->config->schemes,
                             CL_CONFIG_MAX_SCHEMES, &b->config->num_schemes};
    return set_list(b, list, &kind);
}

int cleat_tls_builder_credential_signatures(struct cleat_tls_builder *b, const char *list)
{
    struct cl_credential *credential = newest_credential(b);
    if (credential == NULL) {
        return CLEAT_ERR_BAD_CONFIG;
    }
    struct name_list kind = {"signature scheme", find_scheme, (const void **)credential->schemes,
                             CL_CONFIG_MAX_SCHEMES, &credential->num_schemes};
    return set_list(b, list, &kind);
}

int cleat_tls_builder_versions(struct cleat_tls_builder *b, uint16_t min, uint16_t max)
{
    if (min > max || max < CLEAT_TLS_1_2 || min > CLEAT_TLS_1_3) {
        return (int)cl_error_set(
            &b->error, CL_WHY_HINT(BAD_CONFIG, NULL, "1.2 and 1.3 are the versions to use"),
            "versions 0x%04x to 0x%04x cannot be spoken: TLS 1.2 (0x0303) and "
            "1.3 (0x0304) are",
            min, max);
    }
    b->config->version_min = min < CLEAT_TLS_1_2 ? CLEAT_TLS_1_2 : min;
    b->config->version_max = max > CLEAT_TLS_1_3 ? CLEAT_TLS_1_3 : max;
    return CLEAT_OK;
}

int cleat_tls_builder_version_bounds(struct cleat_tls_builder *b, uint16_t min, uint16_t max)
{
    uint16_t low = min != 0 ? min : b->config->version_min;
    uint16_t high = max != 0 ? max : b->config->version_max;
    low = min == 0 && high < low ? high : low;
    high = max == 0 && low > high ? low : high;
    return cleat_tls_builder_versions(b, low, high);
}

int cleat_tls_builder_tickets(struct cleat_tls_builder *b, struct cleat_ticket_keys *keys,
                              unsigned num)
{
    if (num > CL_CONFIG_MAX_TICKETS) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, NULL),
                                 "%u tickets a handshake; at most %d", num, CL_CONFIG_MAX_TICKETS);
    }
    cleat_ticket_keys_free(b->config->ticket_keys);
    b->config->ticket_keys = keys != NULL ? cleat_ticket_keys_ref(keys) : NULL;
    b->config->num_tickets = num;
    return CLEAT_OK;
}

int cleat_tls_builder_ticket_keys(struct cleat_tls_builder *b, struct cleat_ticket_keys *keys)
{
    return cleat_tls_builder_tickets(b, keys, b->config->num_tickets);
}

int cleat_tls_builder_session_cache(struct cleat_tls_builder *b, struct cleat_session_cache *cache)
{
    cleat_session_cache_free(b->config->session_cache);
    b->config->session_cache = cache != NULL ? cleat_session_cache_ref(cache) : NULL;
    return CLEAT_OK;
}

int cleat_tls_builder_binding(struct cleat_tls_builder *b, const char *name)
{
    if (strlen(name) > 255) {
        return fail(b, CLEAT_ERR_BAD_CONFIG);
    }
    cl_free(b->config->binding_name);
    b->config->binding_name = cl_strndup(name, strlen(name));
    return b->config->binding_name != NULL ? CLEAT_OK : fail(b, CLEAT_ERR_NOMEM);
}

void cleat_tls_builder_master_secret(struct cleat_tls_builder *b, bool extended_only)
{
    b->config->without_master_secret = !extended_only;
}

void cleat_tls_builder_fallback(struct cleat_tls_builder *b, bool on)
{
    b->config->fallback = on;
}

void cleat_tls_builder_rekey(struct cleat_tls_builder *b, uint64_t records)
{
    b->config->rekey_records = records;
}

void cleat_tls_builder_events(struct cleat_tls_builder *b, cleat_event_sink sink, void *ctx,
                              bool with_secrets)
{
    b->config->sink = sink;
    b->config->sink_ctx = ctx;
    b->config->sink_secrets = with_secrets;
}

void cl_tls_builder_message_hook(struct cleat_tls_builder *b,
                                 void (*hook)(void *ctx, struct cleat_tls *tls, uint8_t type,
                                              struct cl_buf *flight, size_t start),
                                 void *ctx)
{
    b->config->message_hook = hook;
    b->config->message_hook_ctx = ctx;
}

void cl_tls_builder_tape(struct cleat_tls_builder *b, const struct cl_tape *tape)
{
    b->config->tape = tape;
}

/* ---- finish ---- */

bool cl_config_has_dhe(const struct cleat_tls_config *c)
{
    bool has = false;
    for (size_t i = 0; c->version_min <= CLEAT_TLS_1_2 && i < c->num_suites; i++) {
        has = has || cl_suite_is_dhe(c->suites[i]);
    }
    return has;
}

/* 4096: longer ones take a server so long that somebody has to name them */
#define LONGEST_BY_DEFAULT CL_GROUP_FFDHE4096

/* Without a suite that has DHE a field would never be used; with one, some are there by default. */
static cl_result settle_fields(struct cleat_tls_builder *b)
{
    struct cleat_tls_config *c = b->config;
    const struct cl_group *group;
    const bool has_dhe = cl_config_has_dhe(c);
    if (c->num_fields != 0 && !has_dhe) {
        return cl_error_set(&b->error,
                            CL_WHY_HINT(BAD_CONFIG, NULL,
                                        "if a peer has nothing better: --profile legacy, and the "
                                        "name of a suite with DHE"),
                            "the group %s is for DHE in TLS 1.2, which is not switched on",
                            c->fields[0]->name);
    }
    const bool by_default = has_dhe && c->num_fields == 0;
    for (size_t i = 0; by_default && (group = cl_group_at(i)) != NULL; i++) {
        if (group->finite_field && group->id <= LONGEST_BY_DEFAULT) {
            c->fields[c->num_fields++] = group;
        }
    }
    return CL_OK;
}

static cl_result check_complete(struct cleat_tls_builder *b)
{
    const struct cleat_tls_config *c = b->config;
    bool verifies =
        c->role == CLEAT_CLIENT || c->client_auth != CLEAT_CLIENT_AUTH_NONE || c->late_auth;
    if (c->now == NULL) {
        return cl_error_set(&b->error, CL_WHY(BAD_CONFIG, NULL), "no clock was given");
    }
    if (c->role == CLEAT_SERVER && c->num_credentials == 0 && c->num_psks == 0 &&
        (c->decisions & CLEAT_DECIDE_CONFIG) == 0) {
        return cl_error_set(&b->error, CL_WHY(BAD_CONFIG, NULL),
                            "a server needs a certificate or a PSK");
    }
    for (size_t i = 0; i < c->num_credentials; i++) {
        const struct cleat_key *key = c->credentials[i].key;
        if (cl_key_is_rsa(cl_key_type(key)) && cl_key_bits(key) < c->min_rsa_bits) {
            return cl_error_set(
                &b->error, CL_WHY_HINT(WEAK_KEY, NULL, "make a longer key, or an ECDSA one"),
                "an RSA key of %u bits; the profile demands %u", cl_key_bits(key), c->min_rsa_bits);
        }
    }
    bool asks =
        c->client_auth != CLEAT_CLIENT_AUTH_NONE || (c->role == CLEAT_SERVER && c->late_auth);
    bool psk_alone = c->num_psks != 0 && !asks;
    CL_TRY(cl_builder_check_raw_keys(b));
    CL_TRY(cl_builder_check_pins(b));
    CL_TRY(cl_builder_check_dane(b));
    bool x509 = cl_takes_cert_type(c, CLEAT_CERT_TYPE_X509);
    if (verifies && x509 && !psk_alone && c->trust == NULL && cl_dane_needs_trust(c->dane) &&
        (c->decisions & CLEAT_DECIDE_PEER) == 0) {
        return cl_error_set(&b->error,
                            CL_WHY_HINT(BAD_CONFIG, NULL,
                                        "give a trust store, or take the decision over with "
                                        "CLEAT_DECIDE_PEER"),
                            "there is nothing to verify the peer's certificate against");
    }
    return CL_OK;
}

/* Which types of certificates the peer may show, and which bare keys are trusted. */
static void digest_raw_keys(const struct cleat_tls_config *c, struct cl_hash *h)
{
    uint8_t num[] = {(uint8_t)c->num_peer_types, (uint8_t)c->raw_pins.num};
    cl_hash_update(h, num, sizeof(num));
    cl_hash_update(h, c->peer_types, c->num_peer_types);
    cl_pins_digest(&c->raw_pins, h);
}

/* Everything that a resumed session must have in common with this configuration: virtual host,
 * anchors, who verifies and how strictly, the application protocols. */
static void make_digest(struct cleat_tls_config *c)
{
    struct cl_hash h;
    uint8_t trust[32] = {0};
    const char *name = c->binding_name != NULL ? c->binding_name : "";
    uint8_t head[] = {(uint8_t)c->role, (uint8_t)c->client_auth, (uint8_t)c->decisions,
                      (uint8_t)strlen(name)};
    if (c->trust != NULL) {
        cl_trust_digest(c->trust, trust);
    }
    cl_hash_init(&h, CL_HASH_SHA256);
    cl_hash_update(&h, head, sizeof(head));
    cl_hash_update(&h, name, strlen(name));
    cl_hash_update(&h, trust, sizeof(trust));
    cl_hash_update(&h, c->alpn.p, c->alpn.len);
    digest_raw_keys(c, &h);
    cl_dane_bind(c->dane, &h);
    cl_revocation_digest(&c->revocation, &h);
    if (c->ct == CLEAT_CT_REQUIRED) {
        cl_hash_update(&h, "ct", 2); /* what was not asked before is asked once */
    }
    if (c->pins.num != 0) {
        cl_hash_update(&h, "pins", 4);
        cl_pins_digest(&c->pins, &h);
    }
    cl_hash_peek(&h, c->digest);
}

/* A client's are compressed when one is asked for. */
cl_result cl_config_prepare_credential(const struct cleat_tls_config *config,
                                       struct cl_credential *c)
{
    const bool serves_13 = config->role == CLEAT_SERVER && config->version_max >= CLEAT_TLS_1_3;
    CL_TRY(cl_credential_prepare_proofs(c));
    return serves_13 ? cl_credential_compress(c, config) : CL_OK;
}

/* Here, because staples and algorithms are given one by one. */
static void prepare_credentials(struct cleat_tls_builder *b)
{
    struct cleat_tls_config *c = b->config;
    for (size_t i = 0; i < c->num_credentials; i++) {
        cl_result r = cl_config_prepare_credential(c, &c->credentials[i]);
        if (r != CL_OK) {
            (void)fail(b, r);
            return;
        }
    }
}

int cleat_tls_builder_finish(struct cleat_tls_builder *b, struct cleat_tls_config **out,
                             struct cleat_error *err)
{
    if (b->error.code == CLEAT_OK && check_complete(b) == CL_OK) {
        (void)settle_fields(b);
    }
    if (b->error.code == CLEAT_OK) {
        prepare_credentials(b);
    }
    int code = b->error.code;
    if (err != NULL) {
        *err = b->error;
    }
    if (code == CLEAT_OK) {
        make_digest(b->config);
        *out = b->config;
        b->config = NULL;
    }
    cleat_tls_builder_free(b);
    return code;
}

struct cleat_tls_config *cleat_tls_config_ref(struct cleat_tls_config *config)
{
    __atomic_add_fetch(&config->refs, 1, __ATOMIC_RELAXED);
    return config;
}

void cl_credential_deinit(struct cl_credential *c)
{
    cleat_chain_free(c->chain);
    cleat_key_free(c->key);
    for (size_t i = 0; i < CL_PROOF_KINDS; i++) {
        cl_buf_deinit(&c->message_13[i]);
        for (size_t j = 0; j < CL_COMPRESS_MAX; j++) {
            cl_buf_deinit(&c->compressed[j][i]);
        }
    }
    cl_buf_deinit(&c->message_12);
    cl_buf_deinit(&c->status_12);
    cl_buf_deinit(&c->staple);
    cl_buf_deinit(&c->scts);
}

void cleat_tls_config_free(struct cleat_tls_config *config)
{
    if (config == NULL || __atomic_sub_fetch(&config->refs, 1, __ATOMIC_ACQ_REL) != 0) {
        return;
    }
    for (size_t i = 0; i < config->num_credentials; i++) {
        cl_credential_deinit(&config->credentials[i]);
    }
    cl_free(config->credentials);
    if (config->base != NULL) { /* all the rest is its own */
        cleat_tls_config_free(config->base);
        cl_free(config);
        return;
    }
    cl_pins_deinit(&config->raw_pins);
    cl_pins_deinit(&config->pins);
    cl_buf_deinit(&config->psk_hint);
    cl_psk_free_all(config->psks, config->num_psks);
    cleat_trust_store_free(config->trust);
    cleat_verify_cache_free(config->verify_cache);
    cleat_dane_free(config->dane);
    cl_revocation_deinit(&config->revocation);
    cleat_ct_logs_free(config->ct_logs);
    cleat_ticket_keys_free(config->ticket_keys);
    if (config->strike.release != NULL) {
        config->strike.release(config->strike.ctx);
    }
    cleat_session_cache_free(config->session_cache);
    cleat_ech_keys_free(config->ech_keys);
    cl_buf_deinit(&config->authorities);
    cl_buf_deinit(&config->alpn);
    cl_buf_deinit(&config->alpn_text);
    cl_free(config->binding_name);
    cl_free(config);
}
