/* tls/hs.c - the driver of the transition tables (hs.h).
 *
 * Invariants: a handler runs only for a row of the current state; the transcript holds exactly the
 * messages whose handlers succeeded and the flights that were built; whatever a handler's failure
 * is, it ends the connection and one alert tells the peer.
 */
#include "tls/hs.h"

#include "tls/ech.h"
#include "tls/input.h"
#include "tls/version.h"

static const char *const state_names[] = {
#define CL_X(name) [CL_HS_##name] = #name,
    CL_HS_STATES(CL_X) CL_HS_STATES_12(CL_X)
#undef CL_X
};

const char *cl_hs_state_name(unsigned state)
{
    return state < CL_HS_NUM_STATES ? state_names[state] : "unknown";
}

/* The first row of the state. An established connection asks for it with each record, so moves
 * leave word of where it is. */
static const struct cl_hs_row *find_row(const struct cleat_tls *tls)
{
    const struct cl_hs_row *row = tls->rows + tls->row_at;
    if (row->state == tls->state) {
        return row;
    }
    row = tls->rows;
    while (row->kind != CL_HS_END && row->state != tls->state) {
        row++;
    }
    return row;
}

static void settle(struct cleat_tls *tls)
{
    tls->row_at = 0;
    tls->row_at = (uint8_t)(find_row(tls) - tls->rows);
}

bool cl_hs_early_row(const struct cleat_tls *tls)
{
    return (find_row(tls)->flags & CL_HS_EARLY_DATA) != 0;
}

static const struct cl_hs_row *find_message_row(const struct cleat_tls *tls, uint8_t type)
{
    const struct cl_hs_row *row = tls->rows;
    /* rows of other kinds have no message, which must not be taken for type 0, HelloRequest */
    while (row->kind != CL_HS_END &&
           (row->kind != CL_HS_MESSAGE || row->state != tls->state || row->message != type)) {
        row++;
    }
    return row;
}

static bool is_successor(const struct cleat_tls *tls, enum cl_hs_state next)
{
    for (const struct cl_hs_row *row = tls->rows; row->kind != CL_HS_END; row++) {
        for (size_t i = 0; row->state == tls->state && i < CL_HS_MAX_NEXT; i++) {
            if (row->next[i] == next) {
                return true;
            }
        }
    }
    return false;
}

void cl_hs_goto(struct cleat_tls *tls, enum cl_hs_state next)
{
    if (!is_successor(tls, next)) {
        /* a table and its handlers disagree: stop here, fail closed */
        tls->state = CL_HS_NONE;
        settle(tls);
        return;
    }
    tls->state = (uint8_t)next;
    settle(tls);
    cl_event_state(tls, cl_hs_state_name(next));
}

void cl_hs_next(struct cleat_tls *tls, size_t i)
{
    cl_hs_goto(tls, (enum cl_hs_state)tls->row->next[i]);
}

void cl_hs_switch(struct cleat_tls *tls, const struct cl_version *protocol, enum cl_hs_state next)
{
    cl_hs_goto(tls, next);
    tls->protocol = protocol;
    tls->version = protocol->number;
    tls->rows = protocol->rows[tls->role];
    settle(tls);
}

cl_result cl_hs_new(struct cleat_tls *tls)
{
    struct cl_hs *hs = cl_alloc(sizeof(*hs));
    if (hs == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    memset(hs, 0, offsetof(struct cl_hs, room));
    cl_buf_lend(&hs->hello, hs->room.hello, sizeof(hs->room.hello));
    cl_buf_lend(&hs->flight, hs->room.flight, sizeof(hs->room.flight));
    cl_buf_lend(&hs->signed_content, hs->room.signed_content, sizeof(hs->room.signed_content));
    cl_buf_lend(&hs->signature, hs->room.signature, sizeof(hs->room.signature));
    tls->hs = hs;
    return CL_OK;
}

void cl_hs_free(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    if (hs == NULL) {
        return;
    }
    cl_verify_free(hs->verify);
    cl_peer_evidence_free(hs->evidence);
    if (hs->job.kind == CL_JOB_KEYGEN) { /* done, and nobody has come for it */
        cl_kex_key_free(hs->job.kex.key);
    }
    cl_kex_key_free(hs->kex_key);
    cl_kex_key_free(hs->second_key);
    cl_pubkey_free(hs->peer_key);
    cleat_tls_session_free(hs->session);
    cl_ech_free(hs->ech);
    cl_buf_deinit(&hs->first_hello);
    cl_buf_deinit(&hs->hello);
    cl_buf_deinit(&hs->messages);
    cl_buf_deinit(&hs->new_ticket);
    cl_buf_deinit(&hs->flight);
    cl_buf_deinit(&hs->encrypted);
    cl_buf_deinit(&hs->field_secret);
    cl_buf_deinit(&hs->peer_share);
    cl_buf_deinit(&hs->second_share);
    cl_buf_deinit(&hs->cookie);
    cl_buf_deinit(&hs->signed_content);
    cl_buf_deinit(&hs->ticket_plain);
    cl_buf_deinit(&hs->request_context);
    cl_buf_deinit(&hs->peer_schemes);
    cl_buf_deinit(&hs->peer_authorities);
    cl_buf_deinit(&hs->signature);
    cl_free_secret(hs, sizeof(*hs));
    tls->hs = NULL;
}

cl_result cl_hs_no_partial_message(struct cleat_tls *tls)
{
    if (tls->cur.len != 0 || tls->hs_in.len != tls->hs_in_used) {
        return cl_tls_fail(
            tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 5.1"),
            "handshake bytes follow a message that ends a flight, or after which the "
            "keys change");
    }
    return CL_OK;
}

cl_result cl_hs_read_key(struct cleat_tls *tls, const struct cl_secret *secret, const char *epoch)
{
    CL_TRY(cl_hs_no_partial_message(tls));
    CL_TRY(cl_record_keys_13(&tls->rd, tls->suite, secret, false));
    cl_event_key(tls, false, epoch);
    return CL_OK;
}

cl_result cl_hs_write_key(struct cleat_tls *tls, const struct cl_secret *secret, const char *epoch)
{
    CL_TRY(cl_record_keys_13(&tls->wr, tls->suite, secret, true));
    cl_event_key(tls, true, epoch);
    return CL_OK;
}

/* What one move of the machine comes to. */
struct move {
    bool pause;
    enum cleat_tls_next next;
};

static struct move pause_with(enum cleat_tls_next next)
{
    return (struct move){.pause = true, .next = next};
}

static cl_result run_handler(struct cleat_tls *tls, const struct cl_hs_row *row,
                             const struct cl_msg *msg)
{
    tls->row = row;
    return row->handler(tls, msg);
}

static cl_result run_message(struct cleat_tls *tls, const struct cl_msg *msg)
{
    const struct cl_hs_row *row = find_message_row(tls, msg->type);
    cl_event_message(tls, false, msg->whole);
    if (row->kind == CL_HS_END) {
        return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 4"),
                           "%s (type %u, %zu bytes) is not allowed in state %s",
                           cl_handshake_name(msg->type), msg->type, msg->whole.len,
                           cl_hs_state_name(tls->state));
    }
    CL_TRY(run_handler(tls, row, msg));
    if ((row->flags & CL_HS_NO_TRANSCRIPT) == 0 && tls->hs != NULL) {
        cl_transcript_add(tls, msg->whole);
    }
    return CL_OK;
}

/* TLS 1.2: change_cipher_spec is a step of the handshake (RFC 5246 7.1). */
static cl_result run_ccs(struct cleat_tls *tls)
{
    const struct cl_hs_row *row = find_row(tls);
    if (row->kind != CL_HS_CCS) {
        return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 5246 7.1"),
                           "change_cipher_spec is not allowed in state %s",
                           cl_hs_state_name(tls->state));
    }
    return run_handler(tls, row, NULL);
}

static cl_result move_message(struct cleat_tls *tls, struct cleat_tls_io *io, struct move *move)
{
    struct cl_msg msg;
    bool got;
    CL_TRY(cl_input_message(tls, &msg, &got));
    if (got) {
        return run_message(tls, &msg);
    }
    enum cl_input what;
    CL_TRY(cl_input_record(tls, io, &what));
    switch (what) {
    case CL_INPUT_CCS:
        return run_ccs(tls);
    case CL_INPUT_HANDSHAKE:
        break;
    case CL_INPUT_SHORT:
        *move = pause_with(tls->established ? CLEAT_TLS_READY : CLEAT_TLS_NEEDS_INPUT);
        break;
    case CL_INPUT_DATA:
        *move = pause_with(CLEAT_TLS_HAS_DATA);
        break;
    case CL_INPUT_CLOSED:
        *move = pause_with(CLEAT_TLS_CLOSED);
        break;
    }
    return CL_OK;
}

static cl_result flush(struct cleat_tls *tls, struct cleat_tls_io *io, struct move *move)
{
    bool done = true;
    if (tls->hs != NULL) {
        CL_TRY(cl_flight_flush(tls, io, &done));
        if (done && tls->hs->late_spent) {
            cl_hs_free(tls);
        }
    }
    if (!done) {
        *move = pause_with(CLEAT_TLS_HAS_OUTPUT);
    }
    return CL_OK;
}

static cl_result make_move(struct cleat_tls *tls, struct cleat_tls_io *io, struct move *move)
{
    const struct cl_hs_row *row = find_row(tls);
    *move = (struct move){0};
    if (row->kind == CL_HS_MESSAGE || row->kind == CL_HS_CCS || (row->flags & CL_HS_FLUSH) != 0) {
        CL_TRY(flush(tls, io, move));
        if (move->pause) {
            return CL_OK;
        }
    }
    switch (row->kind) {
    case CL_HS_MESSAGE:
    case CL_HS_CCS:
        return move_message(tls, io, move);
    case CL_HS_ACTION:
        return run_handler(tls, row, NULL);
    case CL_HS_JOB:
        if (tls->hs->waiting != NULL && tls->hs->waiting->status == CL_JOB_PENDING) {
            *move = pause_with(CLEAT_TLS_NEEDS_JOB);
            return CL_OK;
        }
        return run_handler(tls, row, NULL);
    case CL_HS_DECIDE:
        if (!tls->hs->decided) {
            *move = pause_with(CLEAT_TLS_NEEDS_DECISION);
            return CL_OK;
        }
        return run_handler(tls, row, NULL);
    default:
        return cl_tls_fail(tls, CL_WHY(INTERNAL, NULL), "the state machine left its table");
    }
}

/* A few handlers return a bare code; every failure leaves with a detail. */
static void complete_error(struct cleat_tls *tls, cl_result r)
{
    if (tls->error == NULL || tls->error->code == CLEAT_OK) {
        (void)cl_tls_fail(tls, (struct cl_why){.code = r}, "%s", cleat_error_sentence((int)r));
    }
}

enum cleat_tls_next cl_hs_run(struct cleat_tls *tls, struct cleat_tls_io *io)
{
    struct move move = {0};
    while (!move.pause) {
        bool was_established = tls->established;
        cl_result r = make_move(tls, io, &move);
        if (r != CL_OK) {
            complete_error(tls, r);
            return CLEAT_TLS_FAILED;
        }
        /* READY comes before the first data, even if that has arrived already */
        if (!was_established && tls->established) {
            move = pause_with(CLEAT_TLS_READY);
        }
    }
    if (cl_input_keep(tls) != CL_OK) {
        complete_error(tls, CLEAT_ERR_NOMEM);
        return CLEAT_TLS_FAILED;
    }
    return move.next;
}
