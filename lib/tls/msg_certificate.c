/* tls/msg_certificate.c - Certificate (RFC 9846 4.5.1), both roles, both directions; of X.509
 * certificates or of one raw public key (RFC 7250).
 *
 * What a server sends is built once, with its configuration. What is received is kept as DER; the
 * leaf or the key alone is parsed here, because it checks CertificateVerify next.
 */
#include "tls/ext.h"
#include "tls/msg.h"
#include "tls/raw_key.h"
#include "tls/version.h"

/* A credential without a chain is a raw public key, which stands alone (RFC 9846 4.5.1). */
static size_t num_entries(const struct cl_credential *c)
{
    return c->chain != NULL ? cl_chain_num(c->chain) : 1;
}

static struct cl_rd entry_at(const struct cl_credential *c, size_t i)
{
    return c->chain != NULL ? cl_cert_der(cl_chain_at(c->chain, i)) : cl_key_spki(c->key);
}

static void put_entry(struct cl_wr *w, struct cl_rd entry)
{
    struct cl_wr_mark m = cl_wr_open24(w);
    cl_wr_view(w, entry);
    cl_wr_close(w, m);
}

/* Entries of TLS 1.3 have extensions of their own: the leaf's may be filled, others are empty. c
 * NULL: an empty list. */
static void build_list(struct cl_wr *w, const struct cl_credential *c, bool with_extensions,
                       unsigned proofs)
{
    struct cl_wr_mark list = cl_wr_open24(w);
    for (size_t i = 0; c != NULL && i < num_entries(c); i++) {
        put_entry(w, entry_at(c, i));
        if (with_extensions) {
            cl_ext_put_proofs(w, c, i == 0 ? proofs : 0);
        }
    }
    cl_wr_close(w, list);
}

/* Without the header, with an empty context and the proofs that there are. */
static size_t body_len(const struct cl_credential *c)
{
    /* 16: the headers of two extensions */
    size_t len = 1 + 3 + c->staple.len + c->scts.len + 16;
    for (size_t i = 0; i < num_entries(c); i++) {
        len += 3 + entry_at(c, i).len + 2;
    }
    return len;
}

static cl_result prepare(struct cl_buf *message, const struct cl_credential *c, bool is_13,
                         unsigned proofs)
{
    CL_TRY(cl_buf_reserve(message, 4 + body_len(c), CL_HS_MAX_MESSAGE));
    struct cl_wr w = cl_buf_writer(message);
    cl_wr_u8(&w, CL_HT_CERTIFICATE);
    struct cl_wr_mark body = cl_wr_open24(&w);
    if (is_13) {
        cl_wr_u8(&w, 0); /* certificate_request_context */
    }
    /* RFC 7250 3: in TLS 1.2 a raw public key takes the place of the list */
    if (is_13 || c->chain != NULL) {
        build_list(&w, c, is_13, proofs);
    } else {
        put_entry(&w, entry_at(c, 0));
    }
    cl_wr_close(&w, body);
    cl_buf_commit(message, &w);
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_LIMIT;
}

cl_result cl_credential_prepare(struct cl_credential *credential)
{
    CL_TRY(prepare(&credential->message_13[0], credential, true, 0));
    return prepare(&credential->message_12, credential, false, 0);
}

cl_result cl_credential_prepare_proofs(struct cl_credential *c)
{
    for (unsigned proofs = 1; proofs < CL_PROOF_KINDS; proofs++) {
        if (cl_credential_proofs(c, proofs) == proofs) {
            CL_TRY(prepare(&c->message_13[proofs], c, true, proofs));
        }
    }
    return c->staple.len != 0 ? cl_certificate_status_prepare(&c->status_12, &c->staple) : CL_OK;
}

unsigned cl_credential_proofs(const struct cl_credential *c, unsigned wanted)
{
    unsigned has =
        (c->staple.len != 0 ? CL_PROOF_STAPLE : 0) | (c->scts.len != 0 ? CL_PROOF_SCTS : 0);
    return has & wanted;
}

static void put_context(struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_wr_mark context = cl_wr_open8(w);
    cl_wr_view(w, cl_buf_view(&tls->hs->request_context));
    cl_wr_close(w, context);
}

/* The answer to a request after the handshake: its context is different each time. */
static cl_result build_late(struct cleat_tls *tls, const struct cl_credential *c, unsigned proofs)
{
    struct cl_wr w;
    CL_TRY(cl_flight_begin(tls, CL_HT_CERTIFICATE, body_len(c) + UINT8_MAX, &w));
    put_context(tls, &w);
    build_list(&w, c, true, proofs);
    return cl_flight_end(tls, &w);
}

static cl_result build_empty(struct cleat_tls *tls)
{
    struct cl_wr w;
    CL_TRY(cl_flight_begin(tls, CL_HT_CERTIFICATE, 4 + UINT8_MAX, &w));
    put_context(tls, &w);
    build_list(&w, NULL, true, 0);
    return cl_flight_end(tls, &w);
}

cl_result cl_certificate_build(struct cleat_tls *tls)
{
    const struct cl_hs *hs = tls->hs;
    const struct cl_credential *credential = hs->credential;
    bool built;
    tls->own = credential;
    /* RFC 9846 4.5.1: a client without a suitable certificate sends an empty list */
    if (credential == NULL) {
        return build_empty(tls);
    }
    const bool staple = hs->staple_wanted && cl_staple_is_current(tls->config, credential);
    unsigned proofs = cl_credential_proofs(credential, (staple ? CL_PROOF_STAPLE : 0) |
                                                           (hs->scts_wanted ? CL_PROOF_SCTS : 0));
    CL_TRY(cl_compressed_certificate_build(tls, proofs, &built));
    if (built) {
        return CL_OK;
    }
    if (hs->late) {
        return build_late(tls, credential, proofs);
    }
    return cl_flight_append(tls, cl_buf_view(&credential->message_13[proofs]));
}

cl_result cl_certificate_12_build(struct cleat_tls *tls)
{
    const struct cl_credential *credential = tls->hs->credential;
    tls->own = credential;
    if (credential != NULL) {
        return cl_flight_append(tls, cl_buf_view(&credential->message_12));
    }
    /* RFC 5246 7.4.6: likewise */
    struct cl_wr w;
    CL_TRY(cl_flight_begin(tls, CL_HT_CERTIFICATE, 3, &w));
    build_list(&w, NULL, false, 0);
    return cl_flight_end(tls, &w);
}

/* An entry's extensions answer ours, which ask for proofs about certificates. */
static cl_result parse_entry_extensions(struct cleat_tls *tls, struct cl_rd block)
{
    uint32_t received;
    if (tls->peer_type == CLEAT_CERT_TYPE_RAW_PUBLIC_KEY && !cl_rd_done(&block)) {
        return cl_tls_fail(tls, CL_WHY(UNSUPPORTED_EXTENSION, "RFC 9846 4.5.1"),
                           "extensions of a raw public key, of which none was asked for");
    }
    return cl_ext_parse(tls, CL_EXT_CT, block, &received);
}

/* RFC 9846 4.5.1: with raw public keys "the certificate_list MUST contain no more than one
 * CertificateEntry" */
static cl_result check_num(struct cleat_tls *tls, size_t num)
{
    if (tls->peer_type == CLEAT_CERT_TYPE_RAW_PUBLIC_KEY && num > 1) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.5.1"),
                           "more than one raw public key");
    }
    if (num > CL_CHAIN_MAX) {
        return cl_tls_fail(tls, CL_WHY_ALERT(LIMIT, 42, "RFC 9846 4.5.1"),
                           "the peer sent more than %d certificates", CL_CHAIN_MAX);
    }
    return CL_OK;
}

static cl_result empty_entry(struct cleat_tls *tls)
{
    bool raw = tls->peer_type == CLEAT_CERT_TYPE_RAW_PUBLIC_KEY;
    return cl_tls_decode_error(tls, raw ? "an empty raw public key" : "Certificate",
                               "RFC 9846 4.5.1");
}

static cl_result parse_list(struct cleat_tls *tls, struct cl_rd list, bool with_extensions)
{
    size_t num = 0;
    cl_buf_deinit(&tls->peer_chain);
    if (with_extensions) { /* in TLS 1.2 they do not stand in this message */
        cl_buf_deinit(&tls->peer_staple);
        cl_buf_deinit(&tls->peer_scts);
    }
    while (!cl_rd_done(&list)) {
        struct cl_rd cert;
        struct cl_rd extensions = cl_rd_of(NULL, 0);
        struct cl_rd whole = list;
        if (!cl_rd_vec24(&list, &cert) || (with_extensions && !cl_rd_vec16(&list, &extensions))) {
            return cl_tls_decode_error(tls, "Certificate", "RFC 9846 4.5.1");
        }
        if (cert.len == 0) {
            return empty_entry(tls);
        }
        CL_TRY(parse_entry_extensions(tls, extensions));
        CL_TRY(check_num(tls, ++num));
        CL_TRY(cl_buf_append(&tls->peer_chain, whole.p, 3 + cert.len, CL_HS_MAX_MESSAGE));
    }
    return CL_OK;
}

/* A raw public key where a certificate was agreed on is a likely mistake, and worth its own words.
 */
static cl_result not_a_certificate(struct cleat_tls *tls, struct cl_rd leaf, cl_result r,
                                   const struct cleat_error *detail)
{
    if (cl_spki_type(leaf) != CL_KEY_NONE) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(DECODE, "RFC 9846 4.5.1",
                                       "the peer must send what server_certificate_type or "
                                       "client_certificate_type settled"),
                           "the peer sent a raw public key where a certificate was agreed on");
    }
    return cl_tls_fail(tls, (struct cl_why){r, 0, detail->section, detail->hint},
                       "the peer's certificate: %s", detail->text);
}

static cl_result take_leaf(struct cleat_tls *tls)
{
    struct cl_rd chain = cl_buf_view(&tls->peer_chain);
    struct cl_rd leaf;
    struct cleat_error detail = {0};
    if (!cl_rd_vec24(&chain, &leaf)) {
        return CLEAT_ERR_INTERNAL;
    }
    cleat_cert_free(tls->peer_leaf);
    tls->peer_leaf = NULL;
    tls->peer_is_raw = false;
    /* a peer that did not answer the extension has X.509 alone */
    if (!cl_takes_cert_type(tls->config, tls->peer_type)) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(UNSUPPORTED_CERTIFICATE, "RFC 7250 4.2",
                                       "the peer does not know raw public keys, or has none"),
                           "the peer shows the certificate type %s, which is not taken",
                           cl_cert_type_name(tls->peer_type));
    }
    if (tls->peer_type == CLEAT_CERT_TYPE_RAW_PUBLIC_KEY) {
        return cl_raw_key_take(tls);
    }
    cl_result r = cl_cert_parse(&tls->peer_leaf, leaf, &detail);
    if (r == CL_OK || r == CLEAT_ERR_NOMEM) {
        return r;
    }
    return not_a_certificate(tls, leaf, r, &detail);
}

static cl_result parse_certificate(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_rd body = msg->body;
    struct cl_rd context;
    struct cl_rd list;
    if (!cl_rd_vec8(&body, &context) || !cl_rd_vec24(&body, &list) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "Certificate", "RFC 9846 4.5.1");
    }
    /* RFC 9846 4.5.1: "If this message is in response to a CertificateRequest, the value of
     * certificate_request_context in that message", otherwise "zero length" */
    if (!cl_rd_equal(context, cl_buf_view(&tls->hs->request_context))) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.5.1"),
                           "Certificate has another context than the request for it");
    }
    return parse_list(tls, list, true);
}

static cl_result parse_certificate_12(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_rd body = msg->body;
    struct cl_rd list;
    if (!cl_rd_vec24(&body, &list) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "Certificate", "RFC 5246 7.4.2");
    }
    /* RFC 7250 3: a raw public key takes the place of the list; a client that has none sends no
     * bytes of one, as it would with an empty list */
    if (tls->peer_type == CLEAT_CERT_TYPE_RAW_PUBLIC_KEY) {
        cl_buf_deinit(&tls->peer_chain);
        return list.len == 0
                   ? CL_OK
                   : cl_buf_append(&tls->peer_chain, msg->body.p, msg->body.len, CL_HS_MAX_MESSAGE);
    }
    return parse_list(tls, list, false);
}

/* Successors: as the version has it; in TLS 1.2 one more, where a CertificateStatus may come. */
static cl_result server_has(struct cleat_tls *tls)
{
    /* RFC 9846 4.5.1.3: "If the server supplies an empty Certificate message, the client MUST abort
     * the handshake with a "decode_error" alert" */
    if (tls->peer_chain.len == 0) {
        return cl_tls_fail(tls, CL_WHY_ALERT(NO_CERTIFICATE, 50, "RFC 9846 4.5.1.3"),
                           "the server sent an empty certificate list");
    }
    CL_TRY(take_leaf(tls));
    cl_hs_next(tls, tls->hs->status_promised && !tls->peer_is_raw ? 1 : 0);
    return CL_OK;
}

cl_result cl_server_certificate_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(parse_certificate(tls, msg));
    return server_has(tls);
}

/* RFC 5246 7.4.2: the certificate's key is of the kind that the suite names. */
static cl_result check_auth(struct cleat_tls *tls)
{
    enum cl_key_type type = cl_peer_key_type(tls);
    if (!cl_auth_fits(tls->suite->auth, type)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 8422 2"),
                           "the suite %s does not go with a key of type %s", tls->suite->name,
                           cl_key_type_name(type));
    }
    /* RFC 8422 5.3: "the public key in the server's certificate MUST respect the client's choice of
     * elliptic curves" */
    bool known = cl_key_curve(type) == 0;
    for (size_t i = 0; i < tls->config->num_groups; i++) {
        known = known || tls->config->groups[i]->id == cl_key_curve(type);
    }
    if (!known) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 8422 5.3"),
                           "the certificate's key (%s) is on a curve that was not offered",
                           cl_key_type_name(type));
    }
    return CL_OK;
}

cl_result cl_server_certificate_12_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(parse_certificate_12(tls, msg));
    CL_TRY(server_has(tls));
    return check_auth(tls);
}

/* Successors: the client has a certificate; it has none. */
static cl_result client_has(struct cleat_tls *tls)
{
    if (tls->peer_chain.len != 0) {
        CL_TRY(take_leaf(tls));
        cl_hs_next(tls, 0);
        return CL_OK;
    }
    bool required = tls->hs->late ? tls->hs->late_required
                                  : tls->config->client_auth == CLEAT_CLIENT_AUTH_REQUIRED;
    if (required) {
        return cl_tls_fail(tls,
                           (struct cl_why){CLEAT_ERR_CERTIFICATE_REQUIRED,
                                           tls->protocol->alert_no_certificate, "RFC 9846 4.5.1.3",
                                           "give the client a certificate and its key"},
                           "the client sent no certificate");
    }
    cl_event_choice(tls, "client certificate", "none", "the client sent an empty list");
    cl_hs_next(tls, 1);
    return CL_OK;
}

cl_result cl_client_certificate_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(parse_certificate(tls, msg));
    return client_has(tls);
}

cl_result cl_client_certificate_12_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(parse_certificate_12(tls, msg));
    return client_has(tls);
}
