/* tests/bogo/shim.c - cleat-bogo-shim: the engine behind the command line of BoringSSL's test
 * runner (ssl/test/runner of google/boringssl), which plays the peer and breaks every rule once.
 *
 * The runner listens; this program connects, also where it plays the server. After the handshake it
 * sends back what it receives, each byte inverted. Exit 0: as expected; 1: failed, and stderr says
 * how in BoringSSL's words; 89: the case needs something that is not built.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bogo/shim_check.h"
#include "bogo/shim_conn.h"
#include "bogo/shim_ech.h"
#include "bogo/shim_errors.h"
#include "cleat/session.h"
#include "cleat/tls_auth.h"
#include "cleat/tls_early.h"
#include "cleat/tls_options.h"
#include "cleat/tls_psk.h"
#include "tls/conn.h"

/* 65,536: room for more sessions than a case has */
#define CACHE_MEMORY 65536

/* Why a pump ended that should have gone on. */
static bool failed(struct shim_conn *c)
{
    shim_check_ech_retry(c, c->options);
    shim_print_error(cleat_tls_error(c->tls));
    return false;
}

static bool export_keys(struct shim_conn *c)
{
    const struct shim_options *o = c->options;
    const char *context = o->use_export_context ? o->export_context : NULL;
    uint8_t *keys;
    size_t len = (size_t)o->export_keying_material;
    if (o->export_keying_material <= 0) {
        return true;
    }
    keys = malloc(len);
    if (keys == NULL ||
        cleat_tls_export(c->tls, o->export_label, (const uint8_t *)context,
                         context != NULL ? strlen(context) : 0, keys, len) != CLEAT_OK) {
        (void)fprintf(stderr, ":HANDSHAKE_NOT_COMPLETE: ");
        shim_fail("failed to export keying material");
    }
    bool ok = shim_conn_write(c, keys, len);
    free(keys);
    return ok;
}

/* Two bytes of length, what we read with, what we write with. */
static bool export_secrets(struct shim_conn *c, const struct shim_state *state)
{
    size_t client = c->options->server ? 0 : 1;
    uint8_t len[2] = {(uint8_t)state->secret_len, (uint8_t)(state->secret_len >> 8)};
    return !c->options->export_traffic_secrets ||
           (shim_conn_write(c, len, sizeof(len)) &&
            shim_conn_write(c, state->secrets[client], state->secret_len) &&
            shim_conn_write(c, state->secrets[1 - client], state->secret_len));
}

static bool export_unique(struct shim_conn *c)
{
    return !c->options->tls_unique ||
           shim_conn_write(c, c->tls->first_finished, sizeof(c->tls->first_finished));
}

static bool first_writes(struct shim_conn *c)
{
    const struct shim_options *o = c->options;
    bool ok = true;
    if (o->read_with_unfinished_write) {
        return shim_conn_hold_write(c, o->shim_initial_write, strlen(o->shim_initial_write));
    }
    for (long i = 0; o->shim_writes_first && ok && i < o->repeat_shim_initial_write; i++) {
        ok = shim_conn_write(c, o->shim_initial_write, strlen(o->shim_initial_write));
    }
    return ok;
}

/* Lengths around those of records, and none. */
static bool different_sizes(struct shim_conn *c)
{
    static const size_t sizes[] = {0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769};
    static uint8_t bytes[32769];
    bool ok = true;
    memset(bytes, 0x42, sizeof(bytes));
    for (size_t i = 0;
         c->options->write_different_record_sizes && ok && i < sizeof(sizes) / sizeof(sizes[0]);
         i++) {
        ok = shim_conn_write(c, bytes, sizes[i]);
    }
    return ok;
}

static bool key_update(struct shim_conn *c)
{
    bool ok = cleat_tls_key_update(c->tls, &c->io, false) == CLEAT_OK;
    shim_conn_flush(c);
    return ok;
}

static bool echo(struct shim_conn *c)
{
    uint8_t probe;
    shim_conn_release(c);
    for (size_t i = 0; i < c->io.data_len; i++) {
        c->io.data[i] ^= 0xff;
    }
    if (c->options->use_exporter_between_reads &&
        cleat_tls_export(c->tls, "", NULL, 0, &probe, 1) != CLEAT_OK) {
        shim_fail("failed to export keying material");
    }
    return (!c->options->key_update || key_update(c)) &&
           shim_conn_write(c, c->io.data, c->io.data_len);
}

static bool echo_until_end(struct shim_conn *c)
{
    for (;;) {
        if (c->options->key_update_before_read && !key_update(c)) {
            return failed(c);
        }
        switch (shim_conn_pump(c, true)) {
        case SHIM_DATA:
            if (!echo(c)) {
                return failed(c);
            }
            break;
        case SHIM_EOF:
            if (c->options->check_close_notify && cleat_tls_eof(c->tls) != CLEAT_OK) {
                shim_fail("Unexpected SSL_shutdown result: -1 != 1");
            }
            return true;
        case SHIM_CLOSED:
            return true;
        default:
            return failed(c);
        }
    }
}

static void close_notify(struct shim_conn *c)
{
    if (c->options->check_close_notify) {
        (void)cleat_tls_close(c->tls, &c->io);
        shim_conn_flush(c);
    }
}

/* We close first, and the peer answers. */
static bool shut_down(struct shim_conn *c)
{
    close_notify(c);
    if (!c->options->check_close_notify) {
        return true;
    }
    switch (shim_conn_pump(c, true)) {
    case SHIM_CLOSED:
        return true;
    case SHIM_DATA:
        (void)fprintf(stderr, ":APPLICATION_DATA_ON_SHUTDOWN:\n");
        return false;
    case SHIM_EOF:
        shim_fail("Unexpected SSL_shutdown result: -1 != 1");
    default:
        return failed(c);
    }
}

static void take_session(struct shim_conn *c, struct shim_state *state)
{
    struct cleat_tls_session *newest = cleat_tls_take_session(c->tls);
    if (newest != NULL) {
        cleat_tls_session_free(state->session);
        state->session = newest;
    }
}

/* Clients of TLS 1.3: tickets have come by now. */
static void check_tickets(const struct shim_conn *c, const struct shim_state *state)
{
    const struct shim_options *o = c->options;
    struct cleat_tls_info info;
    bool expected = !o->expect_no_session && !o->shim_shuts_down;
    bool is_13 = cleat_tls_info(c->tls, &info) == CLEAT_OK && info.version == CLEAT_TLS_1_3;
    size_t psk_len;
    (void)cleat_tls_psk_identity(c->tls, &psk_len);
    expected = expected && psk_len == 0; /* no tickets after an external PSK, by design */
    if (!o->server && is_13 && (state->session != NULL) != expected) {
        shim_fail("new session was%s cached, but we expected the opposite",
                  state->session != NULL ? "" : " not");
    }
    if (!o->server && is_13 && state->session != NULL &&
        (state->session->early_max != 0) != o->expect_ticket_supports_early_data) {
        shim_fail("new session did%s support early data, but we expected the opposite",
                  state->session->early_max != 0 ? "" : " not");
    }
}

/* What is kept from the connection before is offered again when no newer session comes. */
static void keep_offered(struct shim_state *state)
{
    if (state->session == NULL) {
        state->session = state->offered;
        state->offered = NULL;
    }
    cleat_tls_session_free(state->offered);
    state->offered = NULL;
}

/* What came with the certificate is kept for the resumptions that follow. */
static void keep_proofs(struct shim_conn *c, struct shim_state *state)
{
    size_t len;
    const uint8_t *staple = cleat_tls_peer_staple(c->tls, &len);
    if (staple != NULL) {
        state->staple = shim_copy(staple, len);
    }
    const uint8_t *scts = cleat_tls_peer_scts(c->tls, &len);
    if (scts != NULL) {
        state->scts = shim_copy(scts, len);
    }
}

static bool write_outputs(struct shim_conn *c, struct shim_state *state)
{
    return export_keys(c) && export_secrets(c, state) && export_unique(c) && different_sizes(c) &&
           first_writes(c);
}

/* 30: decompression_failure, which nothing else sends */
static bool abort_connection(struct shim_conn *c)
{
    bool ok = cleat_tls_abort(c->tls, &c->io, 30, "the case wants it") == CLEAT_OK;
    shim_conn_flush(c);
    return ok;
}

/* After the handshake, or from where early data can be written or read. */
static bool converse(struct shim_conn *c, struct shim_state *state)
{
    if (c->options->send_alert) {
        return abort_connection(c);
    }
    if (!write_outputs(c, state)) {
        return failed(c);
    }
    if (c->options->shim_shuts_down) {
        bool ok = shut_down(c);
        take_session(c, state);
        return ok;
    }
    if (!echo_until_end(c)) {
        return false;
    }
    take_session(c, state);
    check_tickets(c, state);
    keep_offered(state);
    close_notify(c);
    return true;
}

static bool ready(struct shim_conn *c, struct shim_state *state, bool is_resume)
{
    keep_proofs(c, state);
    take_session(c, state);
    shim_check_handshake(c, state, is_resume);
    return true;
}

/* A client in front of the server's answer: what is written now is early data. When the server
 * refuses it, all begins anew, as -on-retry- says. */
static bool exchange_early(struct shim_conn *c, struct shim_state *state)
{
    if (c->options->expect_no_offer_early_data) {
        shim_fail("Client unexpectedly offered early data.");
    }
    bool wrote = write_outputs(c, state);
    shim_conn_release(c);
    struct cleat_tls_info info;
    if (cleat_tls_info(c->tls, &info) != CLEAT_OK && cleat_tls_error(c->tls)->code != CLEAT_OK) {
        return failed(c);
    }
    if (cleat_tls_info(c->tls, &info) != CLEAT_OK && shim_conn_pump(c, false) != SHIM_READY) {
        return failed(c);
    }
    if (cleat_tls_early_data_status(c->tls) == CLEAT_EARLY_DATA_REJECTED) {
        if (!c->options->expect_reject_early_data) {
            shim_fail("early data was refused");
        }
        c->options = c->retry;
        return ready(c, state, true) && converse(c, state);
    }
    if (!wrote) {
        return failed(c);
    }
    (void)ready(c, state, true);
    if (!echo_until_end(c)) {
        return false;
    }
    take_session(c, state);
    check_tickets(c, state);
    keep_offered(state);
    close_notify(c);
    return true;
}

static bool exchange(struct shim_conn *c, struct shim_state *state, bool is_resume)
{
    const struct shim_options *o = c->options;
    bool early = !o->server && o->enable_early_data && is_resume;
    c->stop_early = early && cleat_tls_offer_early_data(c->tls) == CLEAT_OK;
    for (;;) {
        switch (shim_conn_pump(c, false)) {
        case SHIM_READY:
            return ready(c, state, is_resume) && converse(c, state);
        case SHIM_FALSE_START:
            return (o->implicit_handshake || ready(c, state, is_resume)) && converse(c, state);
        case SHIM_EARLY:
            return exchange_early(c, state);
        case SHIM_DATA: /* server: early data, answered at once */
            if (!echo(c)) {
                return failed(c);
            }
            break;
        default:
            return failed(c);
        }
    }
}

int main(int argc, char **argv)
{
    static struct shim_command command;
    static struct shim_conn conn;
    struct shim_state state = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    shim_parse_flags(argc, argv, &command);
    if (command.initial.is_handshaker_supported) {
        (void)puts("No");
        return 0;
    }
    state.start_ms = (uint64_t)time(NULL) * 1000;
    if (cleat_ticket_keys_new(0, &state.ticket_keys) != CLEAT_OK ||
        cleat_session_cache_new(CACHE_MEMORY, 0, &state.cache) != CLEAT_OK) {
        shim_fail("no memory");
    }
    int status = 0;
    for (long i = 0; status == 0 && i <= command.initial.resume_count; i++) {
        const struct shim_options *o = i != 0 ? &command.resume : &command.initial;
        if (i != 0 && !o->server && state.session == NULL) {
            shim_fail("no session to offer");
        }
        state.has_sent_leaf = false;
        shim_conn_open(&conn, o, &state);
        conn.retry = &command.retry;
        status = exchange(&conn, &state, i != 0) ? 0 : SHIM_EXIT_FAILED;
        shim_conn_close(&conn);
        state.delay_ms += (uint64_t)o->resumption_delay * 1000;
    }
    cleat_tls_session_free(state.session);
    cleat_tls_session_free(state.offered);
    cleat_ticket_keys_free(state.ticket_keys);
    cleat_session_cache_free(state.cache);
    return status;
}
