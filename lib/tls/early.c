/* tls/early.c - see early.h. The server accepts only what is fresh, first of its kind, and under
 * exactly the parameters of the ticket; everything else costs the client one round trip, never the
 * connection. */
#include "tls/early.h"

#include "cleat/tls_early.h"
#include "tls/builder.h"
#include "tls/hs.h"

/* 17: the inner content type and the tag, which no record can do without; what is beyond may be
 * data */
#define RECORD_OVERHEAD 17

/* ---- configuration ---- */

int cleat_tls_builder_early_data(struct cleat_tls_builder *b, const struct cleat_strike *strike,
                                 uint32_t max_size, uint32_t window_ms)
{
    struct cleat_tls_config *c = b->config;
    if (c->strike.release != NULL) {
        c->strike.release(c->strike.ctx);
    }
    c->strike = *strike;
    c->early_max = max_size != 0 ? max_size : CLEAT_EARLY_DATA_SIZE;
    c->early_window_ms = window_ms != 0 ? window_ms : CLEAT_EARLY_DATA_WINDOW;
    if (c->role != CLEAT_SERVER || strike->use == NULL || c->early_max > CL_EARLY_MAX_SIZE ||
        c->early_window_ms > CL_EARLY_MAX_WINDOW) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 9846 8"),
                                 "early data needs a server, a strike register, at most %d bytes "
                                 "(not %u) and %d ms (not %u)",
                                 CL_EARLY_MAX_SIZE, c->early_max, CL_EARLY_MAX_WINDOW,
                                 c->early_window_ms);
    }
    return CLEAT_OK;
}

/* ---- keys ---- */

void cl_early_secrets(struct cleat_tls *tls, const struct cl_schedule *early)
{
    struct cl_hs *hs = tls->hs;
    uint8_t digest[CL_HASH_MAX_LEN];
    cl_hash_once(early->hash, hs->hello.p, hs->hello.len, digest);
    cl_schedule_derive(early, "c e traffic", digest, &hs->early_traffic);
    cl_schedule_derive(early, "e exp master", digest, &hs->early_exporter);
    cl_event_secret(tls, "CLIENT_EARLY_TRAFFIC_SECRET", &hs->early_traffic);
    cl_event_secret(tls, "EARLY_EXPORTER_SECRET", &hs->early_exporter);
}

/* ---- server: the decision ---- */

static const char *objection(const struct cleat_tls *tls)
{
    const struct cl_hs *hs = tls->hs;
    if (tls->config->early_max == 0) {
        return "early data is off here";
    }
    if (!hs->psk_selected || !tls->resumed) {
        return "the handshake is a full one: no ticket was taken";
    }
    /* RFC 9846 4.3.10: "In order to accept early data, the server MUST have selected the first key
     * offered in the client's "pre_shared_key" extension" */
    if (hs->psk_index != 0) {
        return "the ticket that was taken is not the first";
    }
    if (hs->ticket.early_max == 0) {
        return "the ticket does not allow it";
    }
    if (hs->ticket.early_max > tls->config->early_max) {
        return "the ticket allows more than the configuration now does";
    }
    /* RFC 9846 4.3.10: "it MUST verify that the following values are the same as those associated
     * with the selected PSK" */
    if (tls->version != hs->ticket.version || tls->suite->id != hs->ticket.suite) {
        return "another version or cipher suite was chosen than the ticket's";
    }
    if (!cl_rd_equal(tls->alpn, hs->ticket.alpn)) {
        return "another application protocol was chosen than the ticket's";
    }
    return NULL;
}

/* RFC 9846 8.3: when the ClientHello should have arrived, by the age that the client gives the
 * ticket. False: so far off that it may have been kept back. */
static bool is_fresh(const struct cleat_tls *tls, struct cleat_strike_query *query)
{
    const struct cl_hs *hs = tls->hs;
    uint64_t window = tls->config->early_window_ms;
    uint64_t now = cl_config_now(tls->config);
    uint64_t expected = hs->ticket.created_ms + (uint32_t)(hs->psk_age - hs->ticket.age_add);
    uint64_t first = expected < now ? expected : now;
    query->now_ms = now;
    query->opens_ms = first > window ? first - window : 0;
    query->expires_ms = expected + window;
    return expected + window >= now && now + window >= expected;
}

static void accept_early(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    tls->early_data = CLEAT_EARLY_DATA_ACCEPTED;
    hs->early_left = hs->ticket.early_max;
    cl_event_choice(tls, "early data", "accepted", "fresh, and not seen before");
    cl_early_secrets(tls, &hs->schedule);
}

void cl_early_reject(struct cleat_tls *tls, const char *why)
{
    if (!tls->hs->parsed.early_data) {
        return;
    }
    uint32_t max = tls->config->early_max;
    tls->early_data = CLEAT_EARLY_DATA_REJECTED;
    /* even where early data is off: another server, or this one yesterday, may have promised it */
    tls->hs->early_left = max > CLEAT_EARLY_DATA_SIZE ? max : CLEAT_EARLY_DATA_SIZE;
    tls->hs->early_left++; /* 0: there is nothing to be skipped */
    cl_event_choice(tls, "early data", "refused", why);
}

static void apply(struct cleat_tls *tls, enum cleat_strike_answer answer)
{
    if (answer == CLEAT_STRIKE_FIRST) {
        accept_early(tls);
    } else {
        cl_early_reject(tls, answer == CLEAT_STRIKE_SEEN
                                 ? "a replay: it was used before"
                                 : "whether it was used before cannot be told");
    }
}

void cl_early_select(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cleat_strike_query query = {.user = tls->user};
    enum cl_hs_state next = CL_HS_S13_AGREE;
    const char *why = hs->parsed.early_data ? objection(tls) : NULL;
    if (why != NULL) {
        cl_early_reject(tls, why);
    } else if (hs->parsed.early_data && !is_fresh(tls, &query)) {
        cl_early_reject(tls, "the ticket's age is not what the client says: delayed, or a replay");
    } else if (hs->parsed.early_data) {
        memcpy(query.key, hs->psk_binder, sizeof(query.key));
        enum cleat_strike_answer answer = tls->config->strike.use(tls->config->strike.ctx, &query);
        if (answer == CLEAT_STRIKE_LATER) {
            hs->decision = CLEAT_DECIDE_EARLY_DATA;
            hs->decided = false;
            next = CL_HS_S13_ASK_EARLY_DATA;
        } else {
            apply(tls, answer);
        }
    }
    cl_hs_goto(tls, next);
}

int cleat_tls_answer_strike(struct cleat_tls *tls, enum cleat_strike_answer answer)
{
    if (cleat_tls_decision(tls) != CLEAT_DECIDE_EARLY_DATA || answer == CLEAT_STRIKE_LATER) {
        return CLEAT_ERR_USAGE;
    }
    apply(tls, answer);
    tls->hs->decided = true;
    return CLEAT_OK;
}

cl_result cl_early_answered(struct cleat_tls *tls, const struct cl_msg *msg)
{
    tls->hs->decision = CLEAT_DECIDE_NOTHING;
    cl_hs_goto(tls, CL_HS_S13_AGREE);
    return CL_OK;
}

/* ---- server: what comes ---- */

cl_result cl_early_taken(struct cleat_tls *tls, size_t len)
{
    /* RFC 9846 4.7.1: "A server receiving more than max_early_data_size bytes of 0-RTT data SHOULD
     * terminate the connection with an "unexpected_message" alert" */
    if (len > tls->hs->early_left) {
        return cl_tls_fail(tls, CL_WHY(TOO_MUCH_EARLY_DATA, "RFC 9846 4.7.1"),
                           "more than the %u bytes of early data that the ticket allows",
                           tls->hs->ticket.early_max);
    }
    tls->hs->early_left -= (uint32_t)len;
    return CL_OK;
}

/* The first record that does decrypt ends the skipping, and so does the second ClientHello
 * (cl_second_hello_received). */
bool cl_early_skips(const struct cleat_tls *tls)
{
    return cl_is_server(tls) && tls->hs != NULL && tls->early_data == CLEAT_EARLY_DATA_REJECTED &&
           tls->hs->early_left != 0 && tls->rd.seq == 0 && tls->hs_in.len == tls->hs_in_used;
}

cl_result cl_early_skip(struct cleat_tls *tls, size_t size)
{
    size_t overhead = CL_RECORD_HEADER_LEN + RECORD_OVERHEAD;
    /* an empty record counts too: what is skipped costs work */
    size_t len = size > overhead ? size - overhead : 1;
    if (len >= tls->hs->early_left) {
        return cl_tls_fail(tls, CL_WHY(TOO_MUCH_EARLY_DATA, "RFC 9846 4.3.10"),
                           "more refused early data than is skipped (at least %d bytes)",
                           CLEAT_EARLY_DATA_SIZE);
    }
    tls->hs->early_left -= (uint32_t)len;
    return CL_OK;
}

/* ---- client ---- */

static bool find_protocol(const struct cleat_tls_config *config, struct cl_rd wanted,
                          struct cl_rd *out)
{
    struct cl_rd list = cl_buf_view(&config->alpn);
    struct cl_rd name;
    *out = cl_rd_of(NULL, 0);
    while (wanted.len != 0 && cl_rd_vec8(&list, &name)) {
        if (cl_rd_equal(name, wanted)) {
            *out = name;
            return true;
        }
    }
    return wanted.len == 0;
}

size_t cleat_tls_session_early_data(const struct cleat_tls_session *session)
{
    return session->version == CLEAT_TLS_1_3 ? session->early_max : 0;
}

const uint8_t *cleat_tls_session_alpn(const struct cleat_tls_session *session, size_t *len)
{
    *len = session->alpn.len;
    return session->alpn.len > 0 ? session->alpn.p : NULL;
}

int cleat_tls_offer_early_data(struct cleat_tls *tls)
{
    const struct cleat_tls_session *session = tls->hs != NULL ? tls->hs->session : NULL;
    if (cl_is_server(tls) || tls->state != CL_HS_C_START || session == NULL ||
        cleat_tls_session_early_data(session) == 0 || tls->config->version_max < CLEAT_TLS_1_3 ||
        !find_protocol(tls->config, cl_buf_view(&session->alpn), &tls->hs->early_alpn)) {
        return CLEAT_ERR_USAGE;
    }
    tls->early_data = CLEAT_EARLY_DATA_OFFERED;
    tls->hs->early_left = session->early_max;
    return CLEAT_OK;
}

static void rejected(struct cleat_tls *tls, const char *why)
{
    tls->early_data = CLEAT_EARLY_DATA_REJECTED;
    cl_event_choice(tls, "early data", "rejected", why);
}

void cl_early_retried(struct cleat_tls *tls)
{
    if (tls->early_data == CLEAT_EARLY_DATA_OFFERED) {
        rejected(tls, "the server sent a HelloRetryRequest");
        cl_record_keys_deinit(&tls->wr); /* the second ClientHello goes in clear */
    }
}

static cl_result check_accepted(struct cleat_tls *tls)
{
    const struct cl_hs *hs = tls->hs;
    const char *why = NULL;
    if (!hs->psk_selected || !tls->resumed) {
        why = "without the ticket that it belongs to";
    } else if (tls->suite->id != hs->session->suite) {
        why = "with another cipher suite than the ticket's";
    } else if (!cl_rd_equal(tls->alpn, hs->early_alpn)) {
        why = "with another application protocol than the ticket's";
    }
    /* RFC 9846 4.3.10: the server "MUST verify that the following values are the same" */
    return why == NULL ? CL_OK
                       : cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.10"),
                                     "the server accepts early data %s", why);
}

cl_result cl_early_answer(struct cleat_tls *tls, bool accepted)
{
    struct cl_hs *hs = tls->hs;
    tls->early_resend = tls->early_data != CLEAT_EARLY_DATA_NONE && !accepted &&
                        cl_rd_equal(tls->alpn, hs->early_alpn);
    if (tls->early_data != CLEAT_EARLY_DATA_OFFERED) {
        return CL_OK; /* an answer that was not asked for is refused with the other extensions */
    }
    if (accepted) {
        CL_TRY(check_accepted(tls));
        tls->early_data = CLEAT_EARLY_DATA_ACCEPTED;
        cl_event_choice(tls, "early data", "accepted", "the server's choice");
        return CL_OK;
    }
    rejected(tls, "the server's choice");
    /* RFC 9846 4.6: without the server's consent there is no EndOfEarlyData */
    return cl_hs_write_key(tls, &hs->client_hs, "handshake");
}

/* ---- both ---- */

static bool client_may_write(const struct cleat_tls *tls)
{
    bool open =
        tls->early_data == CLEAT_EARLY_DATA_OFFERED || tls->early_data == CLEAT_EARLY_DATA_ACCEPTED;
    return open && cl_hs_early_row(tls) && tls->wr.protection != NULL && !tls->hs->ccs_pending;
}

/* Our Finished has been sent, and so everything in front of it. */
static bool server_may_write(const struct cleat_tls *tls)
{
    return tls->early_data == CLEAT_EARLY_DATA_ACCEPTED && tls->server_app.len != 0;
}

bool cl_early_may_write(const struct cleat_tls *tls)
{
    if (tls->hs == NULL || tls->hs->flight.len != 0) {
        return false;
    }
    return tls->false_start || (cl_is_server(tls) ? server_may_write(tls) : client_may_write(tls));
}

size_t cl_early_room(const struct cleat_tls *tls)
{
    return cl_is_server(tls) || tls->false_start ? SIZE_MAX : tls->hs->early_left;
}

void cl_early_written(struct cleat_tls *tls, size_t len)
{
    if (!cl_is_server(tls) && !tls->false_start) {
        tls->hs->early_left -= (uint32_t)len;
    }
}

size_t cleat_tls_early_data_room(const struct cleat_tls *tls)
{
    bool can = !cl_is_server(tls) && !tls->false_start && !tls->failed && !tls->write_closed &&
               cl_early_may_write(tls);
    return can ? cl_early_room(tls) : 0;
}

bool cleat_tls_early_data_may_resend(const struct cleat_tls *tls)
{
    return tls->established && tls->early_resend;
}

enum cleat_early_data cleat_tls_early_data_status(const struct cleat_tls *tls)
{
    return (enum cleat_early_data)tls->early_data;
}

int cleat_tls_export_early(const struct cleat_tls *tls, const char *label, const uint8_t *context,
                           size_t context_len, uint8_t *out, size_t out_len)
{
    /* 8,160 = 255 * 32: HKDF-Expand's own limit with the shortest hash; 249: HkdfLabel's label */
    if (tls->failed || tls->hs == NULL || tls->hs->early_exporter.len == 0 || out_len == 0 ||
        out_len > 8160 || strlen(label) > 249) {
        return CLEAT_ERR_USAGE;
    }
    cl_exporter(tls->suite->hash, &tls->hs->early_exporter, label, cl_rd_of(context, context_len),
                out, out_len);
    return CLEAT_OK;
}
