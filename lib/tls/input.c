/* tls/input.c - see input.h. Messages that lie whole inside one record are views into the caller's
 * buffer; only fragmented ones, and what a pause leaves over, are copied. */
#include "tls/input.h"

#include "tls/early.h"
#include "tls/hs.h"
#include "tls/tape.h"
#include "tls/version.h"

/* The first bytes of a connection, when they are not TLS. */
static cl_result recognise_other(struct cleat_tls *tls, struct cl_rd in)
{
    static const char *const http[] = {"GET ", "POST", "HEAD", "PUT ", "DELE", "OPTI",
                                       "CONN", "TRAC", "PATC", "PRI ", "HTTP"};
    for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++) {
        if (memcmp(in.p, http[i], 4) == 0) {
            return cl_tls_fail(
                tls,
                CL_WHY_HINT(HTTP_ON_TLS_PORT, "RFC 9846 5.1",
                            cl_is_server(tls) ? "the client should use https:// for this port"
                                              : "the server speaks plain HTTP on this port: use "
                                                "http://, or its HTTPS port"),
                "the peer speaks plain HTTP (\"%.4s…\"), not TLS", (const char *)in.p);
        }
    }
    if ((in.p[0] & 0x80) != 0 && in.p[2] == 1) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(SSLV2_HELLO, "RFC 6176 3",
                                       "the client is from before 2011 or is a scanner; it needs "
                                       "TLS 1.2 or 1.3"),
                           "the client sent an SSL 2.0 ClientHello (first bytes %02x %02x %02x)",
                           in.p[0], in.p[1], in.p[2]);
    }
    /* Many protocols begin with a greeting in clear text, that a person recognises. */
    char text[] = " (\"....\")";
    bool readable = true;
    for (size_t i = 0; i < 4; i++) {
        readable = readable && in.p[i] >= 0x20 && in.p[i] < 0x7f;
        text[3 + i] = (char)in.p[i];
    }
    return cl_tls_fail(tls, CL_WHY(NOT_TLS, "RFC 9846 5.1"),
                       "the peer's first bytes are not TLS: %02x %02x %02x %02x%s", in.p[0],
                       in.p[1], in.p[2], in.p[3], readable ? text : "");
}

static cl_result recognise(struct cleat_tls *tls, struct cl_rd in, bool *enough)
{
    /* a record is at least as long as its header; HTTP is told by four bytes */
    *enough = in.len >= CL_RECORD_HEADER_LEN;
    if (in.len < 4) {
        return CL_OK;
    }
    bool handshake = in.p[0] == CL_CT_HANDSHAKE || in.p[0] == CL_CT_ALERT ||
                     in.p[0] == CL_CT_CHANGE_CIPHER_SPEC || in.p[0] == CL_CT_APPLICATION_DATA;
    if (!handshake || in.p[1] != 3) {
        return recognise_other(tls, in);
    }
    tls->seen_input = *enough;
    return CL_OK;
}

static cl_result idle(struct cleat_tls *tls, const char *what)
{
    if (++tls->idle_records > CL_MAX_IDLE_RECORDS) {
        return cl_tls_fail(tls, CL_WHY(TOO_MANY_RECORDS, "RFC 9846 5.1"),
                           "more than %d %s in a row", CL_MAX_IDLE_RECORDS, what);
    }
    return CL_OK;
}

static cl_result idle_alert(struct cleat_tls *tls, const char *what)
{
    if (++tls->idle_alerts > CL_MAX_IDLE_ALERTS) {
        return cl_tls_fail(tls, CL_WHY(TOO_MANY_RECORDS, "RFC 9846 6"), "more than %d %s in a row",
                           CL_MAX_IDLE_ALERTS, what);
    }
    return CL_OK;
}

static cl_result take_alert(struct cleat_tls *tls, const struct cl_record *rec, enum cl_input *out)
{
    /* RFC 9846 5.4: alert records of no length end the connection "with an "unexpected_message"
     * alert" */
    if (rec->len == 0) {
        return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 5.4"),
                           "an alert record without contents");
    }
    /* RFC 9846 5.1: "Alert messages MUST NOT be fragmented across records, and multiple alert
     * messages MUST NOT be coalesced into a single TLSPlaintext record" */
    if (rec->len != 2) {
        return cl_tls_decode_error(tls, "an alert record", "RFC 9846 5.1");
    }
    uint8_t level = rec->p[0];
    uint8_t alert = rec->p[1];
    cl_event_alert(tls, false, level, alert);
    /* RFC 9846 6: the level can be ignored; 6.1: user_canceled is followed by close_notify */
    if (alert == CL_ALERT_USER_CANCELED) {
        *out = CL_INPUT_HANDSHAKE;
        return idle_alert(tls, "user_canceled alerts");
    }
    bool may_warn = tls->protocol != NULL ? tls->protocol->has_warnings
                                          : tls->config->version_min < CLEAT_TLS_1_3;
    if (may_warn && level == CL_ALERT_WARNING && alert != CL_ALERT_CLOSE_NOTIFY) {
        *out = CL_INPUT_HANDSHAKE;
        return idle_alert(tls, "warning alerts");
    }
    if (alert == CL_ALERT_CLOSE_NOTIFY && tls->established) {
        tls->read_closed = true;
        *out = CL_INPUT_CLOSED;
        return CL_OK;
    }
    struct cl_why why = {CLEAT_ERR_PEER_ALERT, alert, "RFC 9846 6.2", NULL};
    if (alert == CL_ALERT_CLOSE_NOTIFY) {
        why.section = "RFC 9846 6.1";
        (void)cl_tls_fail(tls, why, "the peer closed the connection during the handshake");
    } else {
        (void)cl_tls_fail(tls, why, "the peer sent the alert %s (%u) in state %s",
                          cleat_alert_name(alert), alert, cl_hs_state_name(tls->state));
    }
    if (tls->error != NULL) {
        tls->error->from_peer = true;
        tls->error->alert = alert;
    }
    return CLEAT_ERR_PEER_ALERT;
}

/* RFC 9846 5: a change_cipher_spec record of one byte 0x01 is dropped between the first ClientHello
 * and the peer's Finished; anything else about it is an unexpected_message. Not dropped by a client
 * of TLS 1.2 alone: no server has a reason to send it one before the ServerHello. */
static cl_result take_ccs(struct cleat_tls *tls, const uint8_t *in, size_t size, enum cl_input *out)
{
    bool in_time = tls->hs != NULL && tls->hs->hello.len != 0 &&
                   (tls->protocol != NULL || tls->config->version_max >= CLEAT_TLS_1_3);
    bool whole = size == CL_RECORD_HEADER_LEN + 1 && in[CL_RECORD_HEADER_LEN] == 1;
    if (!in_time || !whole) {
        return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 5"),
                           "change_cipher_spec record %s",
                           whole ? "outside the handshake" : "with other contents than 0x01");
    }
    if (tls->protocol != NULL && tls->protocol->ccs_is_message) {
        *out = CL_INPUT_CCS;
        return CL_OK;
    }
    *out = CL_INPUT_HANDSHAKE;
    return idle(tls, "change_cipher_spec records");
}

static cl_result take_plain(struct cleat_tls *tls, struct cleat_tls_io *io, struct cl_record *rec,
                            enum cl_input *out)
{
    bool partial = tls->hs_in.len != tls->hs_in_used;
    if (rec->len > CL_RECORD_MAX_PLAIN) {
        return CLEAT_ERR_RECORD_OVERFLOW;
    }
    switch (rec->type) {
    case CL_CT_ALERT:
        return take_alert(tls, rec, out);
    case CL_CT_HANDSHAKE:
        /* RFC 9846 5.1: "Implementations MUST NOT send zero-length fragments of Handshake types" */
        if (rec->len == 0) {
            return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 5.1"),
                               "a handshake record without contents");
        }
        tls->idle_records = 0;
        tls->idle_alerts = 0;
        tls->cur = cl_rd_of(rec->p, rec->len);
        *out = CL_INPUT_HANDSHAKE;
        return CL_OK;
    case CL_CT_APPLICATION_DATA:
        io->early = !tls->established && cl_is_server(tls) && cl_hs_early_row(tls);
        /* RFC 9846 4.7.2: the client's answer comes without anything else in between */
        if ((!tls->established && !io->early) || partial ||
            (tls->established && tls->hs != NULL && tls->hs->late_busy)) {
            break;
        }
        if (rec->len == 0) {
            *out = CL_INPUT_HANDSHAKE;
            return idle(tls, "empty records");
        }
        tls->idle_records = 0;
        tls->idle_alerts = 0;
        tls->idle_key_updates = 0;
        if (io->early) {
            CL_TRY(cl_early_taken(tls, rec->len));
        }
        io->data = rec->p;
        io->data_len = rec->len;
        *out = CL_INPUT_DATA;
        return CL_OK;
    default:
        break;
    }
    return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 5.1"),
                       "a record of type %u is not allowed in state %s%s", rec->type,
                       cl_hs_state_name(tls->state),
                       partial ? ", inside a fragmented handshake message" : "");
}

/* Until the peer's first protected record, its alert may come in clear: it may not have our keys,
 * or none at all. It is not authenticated, but can do no more than a broken connection. */
static bool is_early_alert(const struct cleat_tls *tls, const uint8_t *in, size_t size)
{
    return in[0] == CL_CT_ALERT && size == CL_RECORD_HEADER_LEN + 2 && !tls->established &&
           tls->rd.protection != NULL && tls->rd.seq == 0;
}

static cl_result open_failed(struct cleat_tls *tls, cl_result r, const uint8_t *in, size_t size)
{
    switch (r) {
    case CLEAT_ERR_BAD_RECORD_MAC:
        return cl_tls_fail(tls, CL_WHY(BAD_RECORD_MAC, "RFC 9846 5.2"),
                           "record %llu (%zu bytes) does not decrypt in state %s",
                           (unsigned long long)tls->rd.seq, size, cl_hs_state_name(tls->state));
    case CLEAT_ERR_UNEXPECTED_MESSAGE:
        return in[0] == CL_CT_APPLICATION_DATA
                   ? cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 5.4"),
                                 "a protected record that holds padding alone")
                   : cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 5.2"),
                                 "a record of outer type %u where a protected one (23) is due",
                                 in[0]);
    case CLEAT_ERR_RECORD_OVERFLOW:
        return cl_tls_fail(tls, CL_WHY(RECORD_OVERFLOW, "RFC 9846 5.2"),
                           "a record with more plaintext than %u bytes",
                           tls->rd.limit != 0 ? tls->rd.limit : CL_RECORD_MAX_PLAIN);
    default:
        return r;
    }
}

static cl_result take_record(struct cleat_tls *tls, struct cleat_tls_io *io, uint8_t *in,
                             size_t size, enum cl_input *out)
{
    struct cl_record rec;
    if (in[0] == CL_CT_CHANGE_CIPHER_SPEC) {
        if (tls->hs_in.len != tls->hs_in_used) {
            return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 5.1"),
                               "change_cipher_spec inside a fragmented handshake message");
        }
        return take_ccs(tls, in, size, out);
    }
    if (is_early_alert(tls, in, size)) {
        rec = (struct cl_record){CL_CT_ALERT, in + CL_RECORD_HEADER_LEN, 2};
        return take_alert(tls, &rec, out);
    }
    /* RFC 9846 4.3.10: what was refused is skipped: before the second ClientHello, whatever is
     * encrypted; else what does not decrypt, up to the first record that does */
    bool skips = cl_early_skips(tls) && in[0] == CL_CT_APPLICATION_DATA;
    cl_result r = skips && tls->rd.protection == NULL ? CLEAT_ERR_BAD_RECORD_MAC
                                                      : cl_tape_open(tls, in, size, &rec);
    if (skips && r == CLEAT_ERR_BAD_RECORD_MAC) {
        *out = CL_INPUT_HANDSHAKE;
        return cl_early_skip(tls, size);
    }
    if (r != CL_OK) {
        return open_failed(tls, r, in, size);
    }
    return take_plain(tls, io, &rec, out);
}

static cl_result check_header(struct cleat_tls *tls, struct cl_rd in, size_t *size)
{
    cl_result r = cl_record_size(&tls->rd, in, size);
    if (r == CLEAT_ERR_RECORD_OVERFLOW) {
        return cl_tls_fail(tls, CL_WHY(RECORD_OVERFLOW, "RFC 9846 5.1"),
                           "a record announces %u bytes", (unsigned)(in.p[3] * 256 + in.p[4]));
    }
    CL_TRY(r);
    /* RFC 9846 5.1: legacy_record_version "MUST be ignored for all purposes"; E.1 lets a record in
     * clear come from an older peer. Of a protected record it is authenticated and always 3.3
     * (5.2), and what says otherwise is noise or tampering. */
    bool fixed = tls->rd.protection != NULL && in.len != 0 && in.p[0] != CL_CT_CHANGE_CIPHER_SPEC;
    if (in.len >= CL_RECORD_HEADER_LEN && (in.p[1] != 3 || (fixed && in.p[2] != 3))) {
        return cl_tls_fail(tls, CL_WHY_ALERT(ILLEGAL_PARAMETER, 70, "RFC 9846 5.1"),
                           "a record with version %u.%u", in.p[1], in.p[2]);
    }
    return CL_OK;
}

cl_result cl_input_record(struct cleat_tls *tls, struct cleat_tls_io *io, enum cl_input *out)
{
    *out = CL_INPUT_SHORT;
    if (tls->read_closed) {
        /* RFC 9846 6.1: "Any data received after a closure alert has been received MUST be ignored"
         */
        io->in_used = io->in_len;
        *out = CL_INPUT_CLOSED;
        return CL_OK;
    }
    size_t left = io->in_len - io->in_used;
    if (left == 0) {
        return CL_OK;
    }
    uint8_t *in = io->in + io->in_used;
    bool enough = true;
    size_t size;
    if (!tls->seen_input) {
        CL_TRY(recognise(tls, cl_rd_of(in, left), &enough));
    }
    if (!enough) {
        return CL_OK;
    }
    CL_TRY(check_header(tls, cl_rd_of(in, left), &size));
    if (size == 0 || left < size) {
        return CL_OK;
    }
    io->in_used += size;
    return take_record(tls, io, in, size, out);
}

static struct cl_rd kept(const struct cleat_tls *tls)
{
    if (tls->hs_in.len == tls->hs_in_used) {
        return cl_rd_of(NULL, 0);
    }
    return cl_rd_of(tls->hs_in.p + tls->hs_in_used, tls->hs_in.len - tls->hs_in_used);
}

static cl_result keep_some(struct cleat_tls *tls, size_t len)
{
    struct cl_rd part;
    if (len > tls->cur.len) {
        len = tls->cur.len;
    }
    if (tls->hs_in_used != 0) {
        cl_buf_drop(&tls->hs_in, tls->hs_in_used);
        tls->hs_in_used = 0;
    }
    if (!cl_rd_take(&tls->cur, len, &part)) {
        return CLEAT_ERR_INTERNAL;
    }
    /* one message and the rest of the record in which it ended */
    return cl_buf_append(&tls->hs_in, part.p, part.len, CL_HS_MAX_MESSAGE + CL_RECORD_MAX_CIPHER);
}

static cl_result check_size(struct cleat_tls *tls, struct cl_rd header, size_t *whole)
{
    uint8_t type = 0;
    uint32_t len = 0;
    if (!cl_rd_u8(&header, &type) || !cl_rd_u24(&header, &len)) {
        return CLEAT_ERR_INTERNAL;
    }
    size_t max = !tls->established && tls->hs->hello.len == 0 ? CL_HS_MAX_HELLO : CL_HS_MAX_MESSAGE;
    *whole = 4 + (size_t)len;
    if (*whole > max) {
        return cl_tls_fail(tls, CL_WHY(HANDSHAKE_TOO_LARGE, "RFC 9846 4"),
                           "%s announces %u bytes; the limit is %zu", cl_handshake_name(type), len,
                           max);
    }
    return CL_OK;
}

static void set_message(struct cl_msg *msg, struct cl_rd whole)
{
    msg->type = whole.p[0];
    msg->whole = whole;
    msg->body = cl_rd_of(whole.p + 4, whole.len - 4);
}

static cl_result message_from_kept(struct cleat_tls *tls, struct cl_msg *msg, bool *got)
{
    size_t whole;
    if (kept(tls).len < 4) {
        CL_TRY(keep_some(tls, 4 - kept(tls).len));
    }
    if (kept(tls).len < 4) {
        return CL_OK;
    }
    CL_TRY(check_size(tls, kept(tls), &whole));
    if (kept(tls).len < whole) {
        CL_TRY(keep_some(tls, whole - kept(tls).len));
    }
    if (kept(tls).len < whole) {
        return CL_OK;
    }
    set_message(msg, cl_rd_of(kept(tls).p, whole));
    tls->hs_in_used += whole;
    *got = true;
    return CL_OK;
}

cl_result cl_input_message(struct cleat_tls *tls, struct cl_msg *msg, bool *got)
{
    size_t whole;
    *got = false;
    if (kept(tls).len != 0) {
        return message_from_kept(tls, msg, got);
    }
    if (tls->hs_in.cap != 0 && tls->established) {
        cl_buf_deinit(&tls->hs_in); /* an idle connection holds no buffer */
    }
    tls->hs_in.len = 0;
    tls->hs_in_used = 0;
    if (tls->cur.len < 4) {
        return tls->cur.len != 0 ? keep_some(tls, tls->cur.len) : CL_OK;
    }
    CL_TRY(check_size(tls, tls->cur, &whole));
    struct cl_rd taken;
    if (!cl_rd_take(&tls->cur, whole, &taken)) {
        return keep_some(tls, tls->cur.len);
    }
    set_message(msg, taken);
    *got = true;
    return CL_OK;
}

cl_result cl_input_keep(struct cleat_tls *tls)
{
    return tls->cur.len != 0 ? keep_some(tls, tls->cur.len) : CL_OK;
}
