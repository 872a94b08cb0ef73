/* tls/conn.c - the public face of a connection: making, stepping, writing, closing.
 *
 * Invariant: after a failure nothing is read or written any more but one alert, and the keys are
 * wiped once it is out.
 */
#include "cleat/fingerprint.h"
#include "tls/conn.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "cleat/tls_auth.h"
#include "tls/early.h"
#include "tls/hs.h"
#include "tls/msg.h"
#include "tls/psk.h"
#include "tls/version.h"
#include "x509/name.h"

/* shared by connections that fail for want of memory */
static struct cleat_error no_memory = {
    .code = CLEAT_ERR_NOMEM,
    .alert = 80,
    .text = "out of memory",
};

static const struct cleat_error no_error;

/* ---- errors ---- */

cl_result cl_tls_fail(struct cleat_tls *tls, struct cl_why why, const char *fmt, ...)
{
    char text[sizeof(tls->error->text)];
    va_list ap;
    if (tls->error != NULL) {
        return why.code;
    }
    tls->error = cl_calloc(1, sizeof(*tls->error));
    if (tls->error == NULL) {
        tls->error = &no_memory;
        return why.code;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return cl_error_set(tls->error, why, "%s", text);
}

cl_result cl_tls_decode_error(struct cleat_tls *tls, const char *what, const char *section)
{
    return cl_tls_fail(tls, CL_WHY(DECODE, section), "%s is malformed", what);
}

const struct cleat_error *cleat_tls_error(const struct cleat_tls *tls)
{
    return tls->error != NULL ? tls->error : &no_error;
}

/* ---- making ---- */

static int conn_new(struct cleat_tls_config *config, enum cleat_role role, void *user,
                    struct cleat_tls **out)
{
    if (config->role != role) {
        return CLEAT_ERR_USAGE;
    }
    struct cleat_tls *tls = cl_calloc(1, sizeof(*tls));
    if (tls == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    tls->config = cleat_tls_config_ref(config);
    tls->user = user;
    tls->role = (uint8_t)role;
    if (cl_hs_new(tls) != CL_OK) {
        cleat_tls_free(tls);
        return CLEAT_ERR_NOMEM;
    }
    *out = tls;
    return CLEAT_OK;
}

int cleat_tls_server_new(struct cleat_tls_config *config, void *user, struct cleat_tls **out)
{
    int r = conn_new(config, CLEAT_SERVER, user, out);
    if (r == CLEAT_OK) {
        (*out)->rows = cl_hs_server_13;
        (*out)->state = CL_HS_S_WAIT_CLIENT_HELLO;
    }
    return r;
}

/* Names are compared and sent in lower case without a trailing dot. */
static cl_result keep_name(struct cleat_tls *tls, const char *name)
{
    size_t len = strlen(name);
    uint8_t ip[16];
    size_t ip_len;
    if (len > 1 && name[len - 1] == '.') {
        len--;
    }
    if (len == 0 || len > CL_SNI_MAX ||
        (!cl_ip_parse(name, len, ip, &ip_len) && !cl_dns_valid(cl_rd_of(name, len), false))) {
        return CLEAT_ERR_USAGE;
    }
    tls->server_name = cl_strndup(name, len);
    if (tls->server_name == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (char *c = tls->server_name; *c != '\0'; c++) {
        *c = (char)cl_ascii_lower((uint8_t)*c);
    }
    return CL_OK;
}

static void offer(struct cleat_tls *tls, struct cleat_tls_session *session)
{
    uint8_t binding[CL_SESSION_BINDING_LEN];
    bool suite_on = false;
    cl_session_binding(tls->config, tls->server_name, binding);
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        const struct cl_suite *suite = tls->config->suites[i];
        suite_on = suite_on || (suite->id == session->suite &&
                                (suite->auth != CL_AUTH_PSK || cl_psk_of_12(tls->config) != NULL));
    }
    suite_on = suite_on && session->version >= tls->config->version_min &&
               session->version <= tls->config->version_max;
    if (suite_on && cl_session_usable(session, binding, cl_config_now(tls->config))) {
        tls->hs->session = cleat_tls_session_ref(session);
        tls->peer_not_after = session->not_after;
    }
}

int cleat_tls_client_new(struct cleat_tls_config *config, const char *server_name,
                         struct cleat_tls_session *session, void *user, struct cleat_tls **out)
{
    struct cleat_tls *tls;
    int r = conn_new(config, CLEAT_CLIENT, user, &tls);
    if (r != CLEAT_OK) {
        return r;
    }
    tls->rows = cl_hs_client_13;
    tls->state = CL_HS_C_START;
    cl_result named = keep_name(tls, server_name);
    if (named != CL_OK) {
        cleat_tls_free(tls);
        return (int)named;
    }
    if (session != NULL && !config->no_resumption) {
        offer(tls, session);
    }
    *out = tls;
    return CLEAT_OK;
}

void cl_conn_drop_peer(struct cleat_tls *tls)
{
    cl_buf_deinit(&tls->peer_chain);
    cl_buf_deinit(&tls->peer_staple);
    cl_buf_deinit(&tls->peer_scts);
    cleat_cert_free(tls->peer_leaf);
    tls->peer_leaf = NULL;
    tls->peer_is_raw = false;
}

void cleat_tls_free(struct cleat_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    cl_hs_free(tls);
    cl_record_keys_deinit(&tls->rd);
    cl_record_keys_deinit(&tls->wr);
    cl_buf_deinit(&tls->hs_in);
    cl_free(tls->main_transcript);
    cl_free(tls->cached_id);
    cl_conn_drop_peer(tls);
    cleat_verdict_free(tls->verdict);
    while (tls->sessions != NULL) {
        cleat_tls_session_free(cleat_tls_take_session(tls));
    }
    cl_free(tls->server_name);
    if (tls->ech_retry != NULL) {
        cl_buf_deinit(tls->ech_retry);
        cl_free(tls->ech_retry);
    }
    if (tls->error != &no_memory) {
        cl_free(tls->error);
    }
    cleat_tls_config_free(tls->config);
    cl_free_secret(tls, sizeof(*tls));
}

void *cleat_tls_user(const struct cleat_tls *tls)
{
    return tls->user;
}

/* ---- stepping ---- */

static void send_alert(struct cleat_tls *tls, struct cleat_tls_io *io)
{
    uint8_t alert = (uint8_t)(tls->alert_pending - 1);
    uint8_t level = alert == CL_ALERT_CLOSE_NOTIFY ? CL_ALERT_WARNING : CL_ALERT_FATAL;
    uint8_t bytes[] = {level, alert};
    if (!cl_flight_before_alert(tls, io)) {
        return; /* no room: the next call tries again */
    }
    cl_result r = cl_record_seal(&tls->wr, CL_CT_ALERT, cl_rd_of(bytes, sizeof(bytes)), io);
    if (r == CLEAT_ERR_LIMIT) {
        return;
    }
    tls->alert_pending = 0;
    tls->write_closed = true;
    if (r == CL_OK) {
        cl_event_alert(tls, true, level, alert);
    }
}

static cl_result send_no_renegotiation(struct cleat_tls *tls, struct cleat_tls_io *io)
{
    static const uint8_t bytes[] = {CL_ALERT_WARNING, CL_ALERT_NO_RENEGOTIATION};
    if (!tls->no_renegotiation_pending || tls->write_closed) {
        return CL_OK;
    }
    cl_result r = cl_record_seal(&tls->wr, CL_CT_ALERT, cl_rd_of(bytes, sizeof(bytes)), io);
    if (r == CLEAT_ERR_LIMIT) {
        return CL_OK; /* no room: the next step tries again */
    }
    tls->no_renegotiation_pending = false;
    if (r == CL_OK) {
        cl_event_alert(tls, true, bytes[0], bytes[1]);
    }
    return r;
}

static void wipe_keys(struct cleat_tls *tls)
{
    cl_record_keys_deinit(&tls->rd);
    cl_record_keys_deinit(&tls->wr);
    cl_secret_wipe(&tls->exporter);
    cl_secret_wipe(&tls->client_app);
    cl_secret_wipe(&tls->server_app);
    cl_secret_wipe(&tls->resumption);
}

static enum cleat_tls_next failed(struct cleat_tls *tls, struct cleat_tls_io *io)
{
    if (!tls->failed) {
        const struct cleat_error *e = cleat_tls_error(tls);
        tls->failed = true;
        tls->cur = cl_rd_of(NULL, 0);
        if (!e->from_peer && e->alert != 0 && !tls->write_closed) {
            tls->alert_pending = (uint8_t)(e->alert + 1);
        }
    }
    cl_session_12_forget(tls);
    if (tls->alert_pending != 0) {
        send_alert(tls, io);
    }
    if (tls->alert_pending == 0) {
        wipe_keys(tls);
        cl_hs_free(tls);
    }
    return CLEAT_TLS_FAILED;
}

static bool flight_waits(const struct cleat_tls *tls)
{
    return tls->hs != NULL && tls->hs->flight.len != tls->hs->flight_sealed;
}

static cl_result send_pending_update(struct cleat_tls *tls, struct cleat_tls_io *io)
{
    /* nothing comes into the middle of a flight (RFC 9846 4.7.2) */
    if (!tls->key_update_pending || tls->write_closed || flight_waits(tls)) {
        return CL_OK;
    }
    cl_result r = cl_key_update_send(tls, io, false);
    if (r == CLEAT_ERR_LIMIT) {
        return CL_OK; /* no room, or the cap of RFC 9846 4.7.3 */
    }
    tls->key_update_pending = r != CL_OK;
    return r;
}

enum cleat_tls_next cleat_tls_step(struct cleat_tls *tls, struct cleat_tls_io *io)
{
    io->in_used = 0;
    io->data = NULL;
    io->data_len = 0;
    io->early = false;
    if (tls->failed) {
        return failed(tls, io);
    }
    enum cleat_tls_next next = cl_hs_run(tls, io);
    cl_result r = next != CLEAT_TLS_FAILED ? send_pending_update(tls, io) : CL_OK;
    if (next != CLEAT_TLS_FAILED && r == CL_OK) {
        r = send_no_renegotiation(tls, io);
    }
    if (r != CL_OK) {
        (void)cl_tls_fail(tls, (struct cl_why){.code = r}, "what is due cannot be sent: %s",
                          cleat_error_sentence((int)r));
        next = CLEAT_TLS_FAILED;
    }
    return next == CLEAT_TLS_FAILED ? failed(tls, io) : next;
}

int cleat_tls_eof(struct cleat_tls *tls)
{
    if (tls->read_closed) {
        return CLEAT_OK;
    }
    if (!tls->failed) {
        (void)cl_tls_fail(tls,
                          CL_WHY_HINT(TRUNCATED, "RFC 9846 6.1",
                                      "data may be missing; if the peer always ends like this, it "
                                      "is broken"),
                          "connection closed early: the transport ended %swithout close_notify",
                          tls->established ? "" : "during the handshake ");
        tls->failed = true;
        wipe_keys(tls);
    }
    return CLEAT_ERR_TRUNCATED;
}

/* ---- writing ---- */

static uint64_t rekey_limit(const struct cleat_tls *tls)
{
    uint64_t limit = cl_suite_max_records(tls->suite);
    uint64_t wanted = tls->config->rekey_records;
    return wanted != 0 && wanted < limit ? wanted : limit;
}

static int can_write(const struct cleat_tls *tls)
{
    if (tls->failed || tls->write_closed) {
        return CLEAT_ERR_CLOSED;
    }
    return tls->established ? CLEAT_OK : CLEAT_ERR_USAGE;
}

int cleat_tls_write(struct cleat_tls *tls, struct cleat_tls_io *io, const uint8_t *data, size_t len,
                    size_t *written)
{
    *written = 0;
    int can = can_write(tls);
    if (can == CLEAT_ERR_USAGE && cl_early_may_write(tls)) {
        can = CLEAT_OK;
        len = len < cl_early_room(tls) ? len : cl_early_room(tls);
    }
    if (can != CLEAT_OK) {
        return can;
    }
    bool flushed;
    cl_result updated = cl_late_flush(tls, io, &flushed);
    if (updated == CL_OK) {
        updated = send_pending_update(tls, io);
    }
    if (updated != CL_OK || !flushed) {
        return (int)updated; /* no room yet for the messages that go in front of data */
    }
    tls->wr.pad_to = tls->config->pad_to;
    tls->wr.max_fragment = tls->config->max_fragment;
    cl_burst_begin(tls);
    while (*written < len) {
        size_t left = len - *written;
        size_t room = cl_record_room(&tls->wr, CL_CT_APPLICATION_DATA, io->out_cap - io->out_len);
        size_t take = cl_burst_take(tls, left < room ? left : room);
        if (take == 0) {
            break;
        }
        /* RFC 9846 5.5: re-key before the limit. The cap of 4.7.3 cannot be met in practice: 2^48
         * updates of at least 2^20 records. */
        if (tls->wr.seq >= rekey_limit(tls)) {
            if (!tls->established || flight_waits(tls)) {
                break; /* there is no KeyUpdate during the handshake */
            }
            cl_result r = tls->protocol->rekey(tls, io, false);
            if (r == CLEAT_ERR_LIMIT) {
                break;
            }
            if (r != CL_OK) {
                return (int)r;
            }
            continue;
        }
        cl_result r =
            cl_record_seal(&tls->wr, CL_CT_APPLICATION_DATA, cl_rd_of(data + *written, take), io);
        if (r != CL_OK) {
            return (int)r;
        }
        *written += take;
        cl_burst_count(tls, take);
    }
    if (!tls->established) {
        cl_early_written(tls, *written);
    }
    return CLEAT_OK;
}

int cleat_tls_close(struct cleat_tls *tls, struct cleat_tls_io *io)
{
    if (tls->write_closed || tls->failed) {
        return CLEAT_OK;
    }
    if (flight_waits(tls)) {
        return CLEAT_ERR_USAGE; /* a flight is half out: step first */
    }
    tls->alert_pending = CL_ALERT_CLOSE_NOTIFY + 1;
    send_alert(tls, io);
    if (tls->alert_pending != 0) {
        tls->alert_pending = 0;
        return CLEAT_ERR_LIMIT;
    }
    return CLEAT_OK;
}

int cleat_tls_abort(struct cleat_tls *tls, struct cleat_tls_io *io, uint8_t alert,
                    const char *reason)
{
    if (tls->failed || tls->write_closed) {
        return CLEAT_ERR_CLOSED;
    }
    if (alert == CL_ALERT_CLOSE_NOTIFY || alert == CL_ALERT_USER_CANCELED) {
        return CLEAT_ERR_USAGE;
    }
    (void)cl_tls_fail(tls, CL_WHY_ALERT(REFUSED, alert, "RFC 9846 6.2"), "%s", reason);
    (void)failed(tls, io);
    return CLEAT_OK;
}

int cleat_tls_key_update(struct cleat_tls *tls, struct cleat_tls_io *io, bool request_peer)
{
    int can = can_write(tls);
    if (can == CLEAT_OK && flight_waits(tls)) {
        can = CLEAT_ERR_LIMIT; /* step first */
    }
    return can != CLEAT_OK ? can : (int)tls->protocol->rekey(tls, io, request_peer);
}

/* ---- jobs and decisions ---- */

struct cleat_job *cleat_tls_job(struct cleat_tls *tls)
{
    return tls->hs != NULL ? (struct cleat_job *)tls->hs->waiting : NULL;
}

void cleat_job_run(struct cleat_job *job)
{
    cl_job_run((struct cl_job *)job);
}

enum cleat_decision cleat_tls_decision(const struct cleat_tls *tls)
{
    return tls->hs != NULL && !tls->hs->decided ? tls->hs->decision : CLEAT_DECIDE_NOTHING;
}

int cleat_tls_client_hello(const struct cleat_tls *tls, struct cleat_client_hello *out)
{
    const enum cleat_decision asked = cleat_tls_decision(tls);
    if (asked != CLEAT_DECIDE_CONFIG && asked != CLEAT_DECIDE_HELLO) {
        return CLEAT_ERR_USAGE;
    }
    const struct cl_client_hello *ch = &tls->hs->parsed;
    out->server_name = ch->server_name[0] != '\0' ? ch->server_name : NULL;
    out->alpn = ch->alpn.p;
    out->alpn_len = ch->alpn.len;
    out->bytes = tls->hs->hello.p;
    out->len = tls->hs->hello.len;
    return CLEAT_OK;
}

int cleat_tls_choose_config(struct cleat_tls *tls, struct cleat_tls_config *config)
{
    if (cleat_tls_decision(tls) != CLEAT_DECIDE_CONFIG || config->role != CLEAT_SERVER ||
        (config->num_credentials == 0 && config->num_psks == 0)) {
        return CLEAT_ERR_USAGE;
    }
    struct cleat_tls_config *old = tls->config;
    tls->config = cleat_tls_config_ref(config);
    cleat_tls_config_free(old);
    tls->hs->decided = true;
    return CLEAT_OK;
}

int cleat_tls_accept_hello(struct cleat_tls *tls)
{
    if (cleat_tls_decision(tls) != CLEAT_DECIDE_HELLO) {
        return CLEAT_ERR_USAGE;
    }
    tls->hs->decided = true;
    return CLEAT_OK;
}

int cleat_tls_accept_peer(struct cleat_tls *tls)
{
    enum cleat_decision asked = cleat_tls_decision(tls);
    if (asked != CLEAT_DECIDE_PEER && asked != CLEAT_DECIDE_IDENTITY &&
        asked != CLEAT_DECIDE_RESUMED) {
        return CLEAT_ERR_USAGE;
    }
    tls->hs->decided = true;
    return CLEAT_OK;
}

int cleat_tls_refuse(struct cleat_tls *tls, uint8_t alert, const char *reason)
{
    if (cleat_tls_decision(tls) == CLEAT_DECIDE_NOTHING) {
        return CLEAT_ERR_USAGE;
    }
    (void)cl_tls_fail(tls, CL_WHY_ALERT(REFUSED, alert, NULL), "%s", reason);
    tls->failed = true;
    tls->alert_pending = (uint8_t)(alert + 1);
    return CLEAT_OK;
}
