/* tests/bogo/shim_check.c - see shim_check.h. */
#include "bogo/shim_check.h"

#include <stdlib.h>
#include <string.h>

#include "bogo/shim_ech.h"
#include "cleat/tls_early.h"
#include "cleat/tls_psk.h"
#include "cleat/tls_rawkey.h"
#include "tls/conn.h"

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static void check_number(const char *what, long expected, long got)
{
    if (expected != 0 && expected != got) {
        shim_fail("%s is 0x%04lx, not 0x%04lx", what, (unsigned long)got, (unsigned long)expected);
    }
}

static void check_peer_chain(const struct shim_conn *c)
{
    const char *file = c->options->expect_peer_cert_file;
    struct cleat_chain *chain;
    const uint8_t *der;
    size_t len;
    size_t pem_len;
    char *pem = shim_read_file(file, &pem_len);
    if (cleat_chain_from_pem(pem, pem_len, &chain, NULL) != CLEAT_OK) {
        shim_fail("cannot read %s", file);
    }
    for (size_t i = 0; i < cleat_chain_num(chain); i++) {
        size_t want_len;
        const uint8_t *want = cleat_cert_der(cleat_chain_at(chain, i), &want_len);
        if (cleat_tls_peer_cert(c->tls, i, &der, &len) != CLEAT_OK || len != want_len ||
            memcmp(der, want, len) != 0) {
            shim_fail("certificate %zu of the peer is not the expected one", i);
        }
    }
    if (cleat_tls_peer_cert(c->tls, cleat_chain_num(chain), &der, &len) == CLEAT_OK) {
        shim_fail("the peer sent more certificates than expected");
    }
    cleat_chain_free(chain);
    free(pem);
}

static void check_peer(const struct shim_conn *c)
{
    const struct shim_options *o = c->options;
    const uint8_t *der;
    size_t len;
    bool has = cleat_tls_peer_cert(c->tls, 0, &der, &len) == CLEAT_OK;
    if (o->expect_peer_rpk_sha256.len != 0) {
        if (has || cleat_tls_peer_raw_key(c->tls, &len) == NULL) {
            shim_fail("the peer did not show a raw public key");
        }
        return;
    }
    if (o->expect_peer_cert_file != NULL) {
        check_peer_chain(c);
    }
    if (o->expect_no_peer_cert && has) {
        shim_fail("unexpected certificate of the peer");
    }
    bool psk = o->psk != NULL || cleat_tls_psk_identity(c->tls, &len) != NULL;
    if (!o->expect_no_peer_cert && !has && !psk &&
        (!o->server || o->require_any_client_certificate)) {
        shim_fail("no certificate of the peer");
    }
}

static void check_credential(const struct shim_conn *c, const struct shim_state *state,
                             bool resumed)
{
    const struct shim_options *o = c->options;
    uint8_t want[32];
    if (o->expect_selected_credential.num == 0 || resumed) {
        return;
    }
    long i = o->expect_selected_credential.items[0] + 1;
    const struct shim_credential *expected = &o->credentials[i];
    const struct shim_bytes *identity = &expected->psk_identity;
    if (identity->len != 0) {
        size_t len;
        const uint8_t *used = cleat_tls_psk_identity(c->tls, &len);
        if (len != identity->len || memcmp(used, identity->p, len) != 0) {
            shim_fail("another PSK was used than %ld", i - 1);
        }
        return;
    }
    if (expected->cert_file == NULL && !expected->raw) {
        if (state->has_sent_leaf) {
            shim_fail("a credential was used where none is expected");
        }
        return;
    }
    shim_fingerprint(expected, want);
    if (!state->has_sent_leaf || memcmp(want, state->sent_leaf, sizeof(want)) != 0) {
        shim_fail("another credential was used than %ld", i - 1);
    }
}

static void check_peer_type(const struct shim_conn *c)
{
    const struct shim_list *expected = &c->options->expect_peer_certificate_type;
    size_t len;
    long type = cleat_tls_peer_raw_key(c->tls, &len) != NULL ? CLEAT_CERT_TYPE_RAW_PUBLIC_KEY
                                                             : CLEAT_CERT_TYPE_X509;
    if (expected->num != 0 && expected->items[0] != type) {
        shim_fail("the peer's certificate type is %ld, not %ld", type, expected->items[0]);
    }
}

static void check_prefs(const struct shim_list *want, const struct shim_list *got)
{
    bool same = want->num == got->num;
    for (size_t i = 0; same && i < want->num; i++) {
        same = want->items[i] == got->items[i];
    }
    if (want->num != 0 && !same) {
        shim_fail("other signature_algorithms of the peer than expected");
    }
}

/* BoringSSL's words and the beginning of ours; NULL: of no interest but that it was not taken. */
static const struct {
    const char *reason;
    const char *why;
} reasons[] = {
    {"disabled", NULL},
    {"session_not_resumed", NULL},
    {"unsupported_for_session", "the ticket does not allow it"},
    {"alpn_mismatch", "another application protocol"},
    {"ticket_age_skew", "the ticket's age"},
    {"hello_retry_request", NULL},
    {"protocol_version", NULL},
    {"no_session_offered", NULL},
    {"peer_declined", NULL},
};

static void check_early_reason(const struct shim_conn *c, const struct shim_state *state)
{
    const char *want = c->options->expect_early_data_reason;
    bool accepted = cleat_tls_early_data_status(c->tls) == CLEAT_EARLY_DATA_ACCEPTED;
    if (want == NULL) {
        return;
    }
    if (accepted != (strcmp(want, "accept") == 0)) {
        shim_fail("early data was%s accepted, but expected was %s", accepted ? "" : " not", want);
    }
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        const char *why = reasons[i].why;
        if (c->options->server && strcmp(want, reasons[i].reason) == 0 && why != NULL &&
            strncmp(state->early_why, why, strlen(why)) != 0) {
            shim_fail("early data was refused with \"%s\", not %s", state->early_why, want);
        }
    }
}

static void check_early_data(const struct shim_conn *c, const struct shim_state *state)
{
    const struct shim_options *o = c->options;
    bool accepted = cleat_tls_early_data_status(c->tls) == CLEAT_EARLY_DATA_ACCEPTED;
    if ((o->expect_accept_early_data && !accepted) || (o->expect_reject_early_data && accepted)) {
        shim_fail("Early data was%s accepted, but we expected the opposite",
                  accepted ? "" : " not");
    }
    if (o->expect_ticket_age_skew != 0 && o->server && state->age_skew != 0 &&
        o->expect_ticket_age_skew != state->age_skew) {
        shim_fail("the ticket's age is off by %ld s, not %ld", state->age_skew,
                  o->expect_ticket_age_skew);
    }
    check_early_reason(c, state);
}

static void check_request(const struct shim_options *o, const struct shim_state *state)
{
    const struct shim_bytes *types = &o->expect_certificate_types;
    if (types->len != 0 && (types->len != state->request_types.len ||
                            memcmp(types->p, state->request_types.p, types->len) != 0)) {
        shim_fail("other certificate types are asked for than expected");
    }
    if (o->expect_client_ca_list != NULL) {
        struct shim_bytes want = shim_names_of_hex(o->expect_client_ca_list);
        if (want.len != state->request_names.len ||
            (want.len != 0 && memcmp(want.p, state->request_names.p, want.len) != 0)) {
            shim_fail("other authorities are named than expected");
        }
    }
}

static void check_bytes(const char *what, const struct shim_bytes *want,
                        const struct shim_bytes *got)
{
    if (want->len != 0 && (want->len != got->len || memcmp(want->p, got->p, want->len) != 0)) {
        shim_fail("%s is another than expected", what);
    }
}

/* Tickets of TLS 1.3 come after the handshake: shim.c. */
static void check_session(const struct shim_conn *c, const struct shim_state *state,
                          const struct cleat_tls_info *info)
{
    const struct shim_options *o = c->options;
    bool expected = !o->expect_no_session && (!info->resumed || o->expect_ticket_renewal);
    if (o->server || info->version != CLEAT_TLS_1_2) {
        return;
    }
    expected = expected && !c->tls->unbound_12; /* without it nothing is resumed, by design */
    if ((state->session != NULL) != expected) {
        shim_fail("new session was%s cached, but we expected the opposite",
                  state->session != NULL ? "" : " not");
    }
}

void shim_check_handshake(const struct shim_conn *c, const struct shim_state *state, bool is_resume)
{
    const struct shim_options *o = c->options;
    struct cleat_tls_info info;
    if (cleat_tls_info(c->tls, &info) != CLEAT_OK) {
        shim_fail("nothing is agreed");
    }
    if (o->handshake_never_done && c->ready) {
        shim_fail("the handshake is done");
    }
    bool expect_resumed = is_resume && !o->expect_session_miss;
    if (info.resumed != expect_resumed) {
        shim_fail("session unexpectedly was%s reused", info.resumed ? "" : " not");
    }
    check_number("version", o->expect_version, info.version);
    check_number("cipher suite", o->expect_cipher, info.cipher);
    check_number("group", o->expect_curve_id, state->group);
    check_number("peer's signature scheme", o->expect_peer_signature_algorithm, state->peer_scheme);
    check_prefs(&o->expect_peer_verify_prefs, &state->peer_prefs);
    if (o->expect_server_name != NULL && !same_text(o->expect_server_name, info.server_name)) {
        shim_fail("server name is %s, not %s", info.server_name, o->expect_server_name);
    }
    if (!same_text(o->server ? o->select_alpn : o->expect_alpn, info.alpn)) {
        shim_fail("protocol is %s", info.alpn != NULL ? info.alpn : "none");
    }
    if ((o->expect_hrr && !info.hello_retry) || (o->expect_no_hrr && info.hello_retry)) {
        shim_fail("HelloRetryRequest %s", info.hello_retry ? "was sent" : "was not sent");
    }
    if (o->expect_extended_master_secret && c->tls->unbound_12) {
        shim_fail("No EMS for connection when expected");
    }
    if (c->ready) {
        check_session(c, state, &info);
    }
    shim_check_ech(c, o);
    check_early_data(c, state);
    check_bytes("the OCSP response", &o->expect_ocsp_response, &state->staple);
    check_bytes("the list of timestamps", &o->expect_scts, &state->scts);
    check_peer(c);
    check_peer_type(c);
    check_credential(c, state, info.resumed);
    check_request(o, state);
}
