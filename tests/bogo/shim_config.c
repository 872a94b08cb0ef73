/* tests/bogo/shim_config.c - see shim_config.h. The options' numbers become names, which is what
 * the public interface takes. */
#include "bogo/shim_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "bogo/shim_compress.h"
#include "bogo/shim_ech.h"
#include "bogo/shim_event.h"
#include "cleat/profile.h"
#include "cleat/session.h"
#include "cleat/tls_auth.h"
#include "cleat/tls_early.h"
#include "cleat/tls_options.h"
#include "cleat/tls_psk.h"
#include "cleat/tls_rawkey.h"
#include "crypto/kex.h"
#include "crypto/key.h"
#include "tls/hook.h"

_Noreturn void shim_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    exit(SHIM_EXIT_FAILED);
}

char *shim_read_file(const char *path, size_t *len)
{
    size_t cap = 1 << 20;
    char *text = malloc(cap);
    FILE *f = fopen(path, "rb");
    if (text == NULL || f == NULL) {
        shim_fail("cannot read %s", path);
    }
    *len = fread(text, 1, cap - 1, f);
    text[*len] = '\0';
    (void)fclose(f);
    return text;
}

struct shim_bytes shim_copy(const uint8_t *p, size_t len)
{
    struct shim_bytes copy = {malloc(len), len};
    if (copy.p == NULL) {
        shim_fail("no memory");
    }
    memcpy(copy.p, p, len);
    return copy;
}

struct shim_bytes shim_names_of_hex(const char *text)
{
    struct shim_bytes out = {malloc(strlen(text) + 3), 0};
    while (out.p != NULL && *text != '\0' && *text != '<') {
        size_t digits = strcspn(text, ",");
        size_t len;
        if (!cl_hex_decode(text, digits, out.p + out.len + 2, digits, &len)) {
            shim_fail("not hexadecimal: %s", text);
        }
        out.p[out.len] = (uint8_t)(len >> 8);
        out.p[out.len + 1] = (uint8_t)len;
        out.len += 2 + len;
        text += digits + (text[digits] == ',' ? 1 : 0);
    }
    return out;
}

static struct cleat_chain *read_chain(const char *path)
{
    size_t len;
    char *pem = shim_read_file(path, &len);
    struct cleat_chain *chain;
    struct cleat_error err = {0};
    if (cleat_chain_from_pem(pem, len, &chain, &err) != CLEAT_OK) {
        shim_fail("%s: %s", path, err.text);
    }
    free(pem);
    return chain;
}

static struct cleat_key *read_key(const char *path)
{
    size_t len;
    char *pem = shim_read_file(path, &len);
    struct cleat_key *key;
    struct cleat_error err = {0};
    if (cleat_key_from_pem(pem, len, &key, &err) != CLEAT_OK) {
        shim_not_implemented(err.text);
    }
    free(pem);
    return key;
}

void shim_fingerprint(const struct shim_credential *c, uint8_t out[32])
{
    if (c->raw) {
        struct cleat_key *key = read_key(c->key_file);
        struct cl_rd spki = cl_key_spki(key);
        cl_hash_once(CL_HASH_SHA256, spki.p, spki.len, out);
        cleat_key_free(key);
        return;
    }
    struct cleat_chain *chain = read_chain(c->cert_file);
    cleat_cert_fingerprint(cleat_chain_at(chain, 0), out);
    cleat_chain_free(chain);
}

static uint64_t now_ms(void *ctx)
{
    const struct shim_state *state = ctx;
    return state->start_ms + state->delay_ms;
}

static const char *group_name(long id)
{
    const struct cl_group *group = cl_group_by_id((uint16_t)id);
    return group != NULL ? group->name : NULL;
}

static const char *scheme_name(long id)
{
    const struct cl_sig_alg *alg = cl_sig_scheme((uint16_t)id);
    return alg != NULL ? alg->name : NULL;
}

static bool is_sha1(long scheme)
{
    return scheme == 0x0201 || scheme == 0x0203; /* rsa_pkcs1_sha1, ecdsa_sha1; no groups */
}

/* "name:name:…" of numbers. */
static const char *join(const struct shim_list *list, const char *(*name)(long), const char *what,
                        char *out, size_t cap)
{
    size_t at = 0;
    for (size_t i = 0; i < list->num; i++) {
        if (is_sha1(list->items[i]) && list->num > 1) {
            continue; /* what the library never signs or takes need not be switched off */
        }
        const char *n = name(list->items[i]);
        if (n == NULL) {
            shim_not_implemented(what);
        }
        at += (size_t)snprintf(out + at, cap - at, "%s%s", at != 0 ? ":" : "", n);
    }
    return out;
}

/* What BoringSSL does without -verify-prefs and -signing-prefs, but for SHA-1. */
#define DEFAULT_VERIFY                                                                   \
    "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256:ecdsa_secp384r1_sha384" \
    ":rsa_pss_rsae_sha384:rsa_pkcs1_sha384:rsa_pss_rsae_sha512:rsa_pkcs1_sha512"
#define DEFAULT_SIGN        DEFAULT_VERIFY ":ecdsa_secp521r1_sha512:ed25519"
#define DEFAULT_SIGN_ML_DSA DEFAULT_SIGN ":mldsa44:mldsa65:mldsa87"

/* What BoringSSL has without -cipher in TLS 1.2, as far as we have it. */
#define DEFAULT_CIPHERS                                                       \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"               \
    ":ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"              \
    ":ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"              \
    ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"     \
    ":ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256" \
    ":AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA"

#define PSK_CIPHERS                                                                  \
    ":ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES128-CBC-SHA:ECDHE-PSK-AES256-CBC-SHA" \
    ":PSK-AES128-CBC-SHA:PSK-AES256-CBC-SHA"

/* BoringSSL's PSKs of this kind are for TLS 1.2 alone, and as short as the runner's. */
static void set_psk(struct cleat_tls_builder *b, const struct shim_options *o)
{
    const char *identity = o->psk_identity != NULL ? o->psk_identity : "";
    const struct cleat_psk psk = {.identity = (const uint8_t *)identity,
                                  .identity_len = strlen(identity),
                                  .key = (const uint8_t *)o->psk,
                                  .key_len = strlen(o->psk)};
    if (cl_tls_builder_psk_unchecked(b, &psk) != CLEAT_OK ||
        cleat_tls_builder_psk_hint(b, psk.identity, psk.identity_len) != CLEAT_OK ||
        cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
}

static void set_lists(struct cleat_tls_builder *b, const struct shim_options *o)
{
    char text[2048];
    int r = CLEAT_OK;
    if (o->curves.num != 0) {
        r = cleat_tls_builder_groups(b, join(&o->curves, group_name, "group", text, sizeof(text)));
    }
    if (r == CLEAT_OK) {
        const char *list = o->verify_prefs.num == 0
                               ? DEFAULT_VERIFY
                               : join(&o->verify_prefs, scheme_name, "scheme", text, sizeof(text));
        r = cleat_tls_builder_signatures(b, list);
    }
    if (r == CLEAT_OK) {
        r = cleat_tls_builder_ciphers(b, o->cipher != NULL ? o->cipher
                                         : o->psk != NULL  ? DEFAULT_CIPHERS PSK_CIPHERS
                                                           : DEFAULT_CIPHERS);
    }
    if (r != CLEAT_OK) {
        shim_not_implemented(cleat_tls_builder_error(b)->text);
    }
}

/* The runner gives the client's list as it stands on the wire; the server's is one name. */
static void set_alpn(struct cleat_tls_builder *b, const struct shim_options *o)
{
    char names[SHIM_MAX_LIST][256];
    const char *list[SHIM_MAX_LIST];
    size_t num = 0;
    if (o->advertise_alpn != NULL && !o->server) {
        struct cl_rd r = cl_rd_of(o->advertise_alpn, strlen(o->advertise_alpn));
        struct cl_rd name;
        while (num < SHIM_MAX_LIST && cl_rd_vec8(&r, &name)) {
            memcpy(names[num], name.p, name.len);
            names[num][name.len] = '\0';
            list[num] = names[num];
            num++;
        }
    } else if (o->select_alpn != NULL && o->select_alpn[0] != '\0' && o->server) {
        list[num++] = o->select_alpn;
    }
    if (num != 0 && cleat_tls_builder_alpn(b, list, num) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
}

static void add_pair(struct cleat_tls_builder *b, const struct shim_credential *c)
{
    struct cleat_chain *chain = c->raw ? NULL : read_chain(c->cert_file);
    struct cleat_key *key = read_key(c->key_file);
    int r =
        c->raw ? cleat_tls_builder_raw_key(b, key) : cleat_tls_builder_credential(b, chain, key);
    if (r != CLEAT_OK) {
        (void)fprintf(stderr, ":KEY_VALUES_MISMATCH: ");
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
    cleat_chain_free(chain);
    cleat_key_free(key);
}

static void add_psk(struct cleat_tls_builder *b, const struct shim_credential *c)
{
    struct cleat_psk psk = {
        .identity = c->psk_identity.p,
        .identity_len = c->psk_identity.len,
        .key = c->psk.p,
        .key_len = c->psk.len,
        .hash = c->psk_sha384 ? CLEAT_PSK_SHA384 : CLEAT_PSK_SHA256,
        .context = c->psk_context.p,
        .context_len = c->psk_context.len,
    };
    if (cleat_tls_builder_psk_imported(b, &psk) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
}

static void add_credential(struct cleat_tls_builder *b, const struct shim_options *o,
                           const struct shim_credential *c)
{
    char text[2048];
    if (c->psk.len != 0) {
        add_psk(b, c);
    }
    if ((c->cert_file == NULL && !c->raw) || c->key_file == NULL) {
        return;
    }
    add_pair(b, c);
    const char *list = c->signing_prefs.num == 0
                           ? (cl_ml_dsa_available() ? DEFAULT_SIGN_ML_DSA : DEFAULT_SIGN)
                           : join(&c->signing_prefs, scheme_name, "scheme", text, sizeof(text));
    if (cleat_tls_builder_credential_signatures(b, list) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
    if (c->must_match_issuer && cleat_tls_builder_credential_match_issuer(b) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
    if ((c->ocsp_response.len != 0 && !o->decline_ocsp_callback &&
         cleat_tls_builder_staple(b, c->ocsp_response.p, c->ocsp_response.len) != CLEAT_OK) ||
        (c->scts.len != 0 && cleat_tls_builder_scts(b, c->scts.p, c->scts.len) != CLEAT_OK)) {
        (void)fprintf(stderr, ":INVALID_SCT_LIST: ");
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
}

static void set_types(struct cleat_tls_builder *b, const struct shim_list *list,
                      int (*set)(struct cleat_tls_builder *b, const enum cleat_cert_type *types,
                                 size_t num))
{
    enum cleat_cert_type types[SHIM_MAX_LIST];
    for (size_t i = 0; i < list->num; i++) {
        types[i] = (enum cleat_cert_type)list->items[i];
    }
    if (list->num != 0 && set(b, types, list->num) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
}

/* BoringSSL tries what came by -new-x509-credential first, and the default one last. */
static void set_credentials(struct cleat_tls_builder *b, const struct shim_options *o)
{
    for (size_t i = 1; i <= o->num_new_credentials; i++) {
        add_credential(b, o, &o->credentials[i]);
    }
    add_credential(b, o, &o->credentials[0]);
    cleat_tls_builder_credentials_in_order(b);
    set_types(b, &o->accepted_peer_cert_types, cleat_tls_builder_peer_types);
    set_types(b, &o->available_client_cert_types, cleat_tls_builder_own_types);
}

/* BoringSSL: a client that has PSKs alone takes no certificate. */
static bool takes_certificates(const struct shim_options *o)
{
    bool psk = false;
    for (size_t i = 0; i <= o->num_new_credentials; i++) {
        psk = psk || o->credentials[i].psk.len != 0;
    }
    return o->server || !psk || o->verify_peer;
}

static void set_versions(struct cleat_tls_builder *b, const struct shim_options *o)
{
    long min = o->min_version != 0 ? o->min_version : CLEAT_TLS_1_2;
    long max = o->max_version != 0 ? o->max_version : CLEAT_TLS_1_3;
    if (o->no_tls13 && max >= CLEAT_TLS_1_3) {
        max = CLEAT_TLS_1_2;
    }
    if (max < CLEAT_TLS_1_2) {
        shim_not_implemented("a version older than TLS 1.2");
    }
    if (o->no_tls12 && min <= CLEAT_TLS_1_2) {
        min = CLEAT_TLS_1_3;
    }
    if (cleat_tls_builder_versions(b, (uint16_t)min, (uint16_t)max) != CLEAT_OK) {
        shim_not_implemented("version");
    }
}

/* BoringSSL leaves replays to the application: each use is a first one. */
static enum cleat_strike_answer any_use(void *ctx, const struct cleat_strike_query *query)
{
    (void)ctx;
    (void)query;
    return CLEAT_STRIKE_FIRST;
}

/* BoringSSL's: how much it takes, and how far it lets a ticket's age be off */
#define EARLY_MAX_SIZE  14336
#define EARLY_WINDOW_MS 60000

static void set_early_data(struct cleat_tls_builder *b)
{
    struct cleat_strike strike = {.use = any_use};
    if (cleat_tls_builder_early_data(b, &strike, EARLY_MAX_SIZE, EARLY_WINDOW_MS) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
}

static void set_authorities(struct cleat_tls_builder *b, const char *text)
{
    struct cleat_name list[SHIM_MAX_LIST];
    size_t num = 0;
    struct shim_bytes bytes = shim_names_of_hex(text);
    struct cl_rd rest = cl_rd_of(bytes.p, bytes.len);
    struct cl_rd name;
    while (num < SHIM_MAX_LIST && cl_rd_vec16(&rest, &name)) {
        list[num++] = (struct cleat_name){name.p, name.len};
    }
    if (cleat_tls_builder_authorities(b, list, num) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
}

static void set_client(struct cleat_tls_builder *b, const struct shim_options *o)
{
    cleat_tls_builder_fallback(b, o->fallback_scsv);
    cleat_tls_builder_grease(b, o->enable_grease);
    cleat_tls_builder_permute(b, o->permute_extensions);
    cleat_tls_builder_resumption(b, !o->no_ticket);
    cleat_tls_builder_insist_on_credential(b, true);
    cleat_tls_builder_ask_status(b, o->enable_ocsp_stapling || o->enable_signed_cert_timestamps);
    cleat_tls_builder_false_start(b, !o->false_start ? CLEAT_FALSE_START_OFF
                                     : o->allow_false_start_without_alpn
                                         ? CLEAT_FALSE_START_ALWAYS
                                         : CLEAT_FALSE_START_WITH_ALPN);
}

static void set_server(struct cleat_tls_builder *b, const struct shim_options *o,
                       struct shim_state *state)
{
    if (!o->no_ticket && !o->skip_ticket) {
        (void)cleat_tls_builder_tickets(b, state->ticket_keys, 1);
    }
    (void)cleat_tls_builder_session_cache(b, state->cache);
    if (o->enable_early_data) {
        set_early_data(b);
    }
    if (o->use_client_ca_list != NULL) {
        set_authorities(b, o->use_client_ca_list);
    }
    cleat_tls_builder_client_auth(b, o->require_any_client_certificate ? CLEAT_CLIENT_AUTH_REQUIRED
                                     : o->verify_peer                  ? CLEAT_CLIENT_AUTH_OPTIONAL
                                                                       : CLEAT_CLIENT_AUTH_NONE);
}

struct cleat_tls_config *shim_make_config(const struct shim_options *o, struct shim_state *state)
{
    struct cleat_tls_builder *b;
    struct cleat_tls_config *config;
    struct cleat_error err = {0};
    if (cleat_tls_builder_new(o->server ? CLEAT_SERVER : CLEAT_CLIENT, &b) != CLEAT_OK) {
        shim_fail("no memory");
    }
    /* RSA key exchange and AES-CBC may be named under this profile alone */
    if (cleat_tls_builder_profile(b, "legacy") != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
    cleat_tls_builder_clock(b, now_ms, state);
    cleat_tls_builder_events(b, shim_on_event, state, CLEAT_EVENTS_SECRETS);
    cleat_tls_builder_master_secret(b, false);
    cleat_tls_builder_renegotiation_ends(b, true);
    cleat_tls_builder_decide(b, (takes_certificates(o) ? CLEAT_DECIDE_PEER : 0) |
                                    (o->server ? CLEAT_DECIDE_CONFIG : 0) |
                                    (o->reverify_on_resume ? CLEAT_DECIDE_RESUMED : 0));
    if (cleat_tls_builder_max_fragment(b, (unsigned)o->max_send_fragment) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
    shim_set_compressions(b, o);
    set_versions(b, o);
    if (o->psk != NULL) {
        set_psk(b, o);
    }
    set_lists(b, o);
    set_alpn(b, o);
    set_credentials(b, o);
    if (o->server) {
        set_server(b, o, state);
    } else {
        set_client(b, o);
    }
    shim_set_ech(b, o);
    if (cleat_tls_builder_finish(b, &config, &err) != CLEAT_OK) {
        shim_fail("the configuration is refused: %s", err.text);
    }
    return config;
}
