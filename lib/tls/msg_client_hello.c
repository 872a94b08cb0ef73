/* tls/msg_client_hello.c - ClientHello (RFC 9846 4.2.2): the client's build, the server's parse.
 *
 * The same message is sent twice when the server asks for another key share; the second differs
 * only as 4.2.2 allows. PSK binders are computed over the message as it stands in front of them
 * (4.3.11.2).
 */
#include "base/text.h"
#include "tls/ech.h"
#include "tls/ext.h"
#include "tls/msg.h"
#include "tls/shares.h"
#include "tls/psk.h"

/* 4,096 and two key shares, the ticket, ALPN list and cookie: all else in our ClientHello */
#define HELLO_BASE_ROOM 4096

/* RFC 9846 E.4: a random session ID makes middleboxes see a resumption of TLS 1.2. RFC 5077 3.4:
 * one beside a ticket shows whether the server takes it. RFC 5246 7.4.1.2: otherwise the ID of the
 * session to be resumed, or none. */
static cl_result make_session_id(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    const struct cleat_tls_session *session = hs->session;
    if (session != NULL && session->session_id_len != 0) {
        hs->session_id_len = session->session_id_len;
        memcpy(hs->session_id, session->session_id, hs->session_id_len);
        return CL_OK;
    }
    if (session == NULL && tls->config->version_max < CLEAT_TLS_1_3) {
        return CL_OK;
    }
    hs->session_id_len = sizeof(hs->session_id);
    return cl_rand(&tls->config->rng, hs->session_id, sizeof(hs->session_id));
}

cl_result cl_client_start(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    CL_TRY(cl_rand(&tls->config->rng, hs->client_random, sizeof(hs->client_random)));
    CL_TRY(make_session_id(tls));
    tls->wr.initial = true;
    cl_shares_choose(tls);
    CL_TRY(cl_grease_draw(tls));
    CL_TRY(cl_ech_start(tls));
    cl_hs_goto(tls, CL_HS_C_MAKE_SHARE);
    return CL_OK;
}

static void build_body(struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_hs *hs = tls->hs;
    cl_wr_u16(w, CLEAT_TLS_1_2); /* legacy_version */
    const enum cl_ech_form form = cl_ech_form(tls);
    cl_wr_bytes(w, form == CL_ECH_OUTER ? hs->ech->outer_random : hs->client_random, CL_RANDOM_LEN);
    struct cl_wr_mark m = cl_wr_open8(w);
    cl_wr_bytes(w, hs->session_id, hs->session_id_len);
    cl_wr_close(w, m);
    m = cl_wr_open16(w);
    cl_grease_number(tls, CL_GREASE_SUITE, w);
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        const struct cl_suite *suite = tls->config->suites[i];
        if (suite->version >= (form == CL_ECH_INNER ? CLEAT_TLS_1_3 : tls->config->version_min) &&
            suite->version <= tls->config->version_max &&
            (suite->auth != CL_AUTH_PSK || cl_psk_of_12(tls->config) != NULL)) {
            cl_wr_u16(w, suite->id);
        }
    }
    /* RFC 7507 4: after the suites that it is about, and only in a fallback */
    if (tls->config->fallback && form != CL_ECH_INNER) {
        cl_wr_u16(w, CL_SCSV_FALLBACK);
    }
    cl_wr_close(w, m);
    m = cl_wr_open8(w);
    cl_wr_u8(w, 0); /* null compression, the only one (RFC 9846 4.2.2) */
    cl_wr_close(w, m);
    cl_ext_build(tls, CL_EXT_CH, w);
}

/* The binders cover everything in front of their list, with the final lengths in place. */
static void fill_binders(struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_psk_offer offers[CL_PSK_MAX_OFFERED + 1];
    size_t num = cl_psk_offers(tls, offers);
    size_t list_len = 2;
    for (size_t i = 0; i < num; i++) {
        list_len += 1 + cl_hash_len(offers[i].hash);
    }
    if (num == 0 || !cl_wr_ok(w)) {
        return;
    }
    cl_wr_close(w, (struct cl_wr_mark){.at = 1, .width = 3});
    struct cl_rd covered = cl_rd_of(w->p, w->len - list_len);
    size_t at = covered.len + 2;
    for (size_t i = 0; i < num; i++) {
        struct cl_schedule early;
        uint8_t mac[CL_HASH_MAX_LEN];
        cl_schedule_early(&early, offers[i].hash,
                          cl_rd_of(offers[i].key->bytes, offers[i].key->len));
        cl_psk_binder(tls, &early, offers[i].binder_label, covered, mac);
        cl_wipe(&early, sizeof(early));
        memcpy(w->p + at + 1, mac, cl_hash_len(offers[i].hash));
        at += 1 + cl_hash_len(offers[i].hash);
    }
}

static size_t psk_room(const struct cleat_tls *tls)
{
    struct cl_psk_offer offers[CL_PSK_MAX_OFFERED + 1];
    size_t num = cl_psk_offers(tls, offers);
    size_t room = 0;
    for (size_t i = 0; i < num; i++) {
        room += 2 + offers[i].identity.len + 4 + 1 + CL_HASH_MAX_LEN;
    }
    return room;
}

static size_t hello_room(const struct cleat_tls *tls)
{
    const struct cl_hs *hs = tls->hs;
    return HELLO_BASE_ROOM + 2 * CL_GROUP_MAX_SHARE + tls->config->alpn.len + hs->cookie.len +
           psk_room(tls) + (hs->session != NULL ? hs->session->ticket.len : 0) +
           (hs->ech != NULL ? hs->ech->body.len + hs->ech->encoded.len : 0);
}

/* The inner ClientHello is what counts until the server rejects it: hs->hello. */
static cl_result build_inner(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    hs->hello.len = 0;
    CL_TRY(cl_buf_reserve(&hs->hello, hello_room(tls), CL_HS_MAX_HELLO));
    struct cl_wr w = cl_buf_writer(&hs->hello);
    cl_wr_u8(&w, CL_HT_CLIENT_HELLO);
    struct cl_wr_mark m = cl_wr_open24(&w);
    hs->ech->form = CL_ECH_INNER;
    hs->ext_offered = 0;
    build_body(tls, &w);
    fill_binders(tls, &w);
    hs->ech->form = CL_ECH_PLAIN;
    cl_wr_close(&w, m);
    cl_buf_commit(&hs->hello, &w);
    return cl_wr_ok(&w) ? cl_ech_encode(tls) : CLEAT_ERR_INTERNAL;
}

static cl_result send_outer(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cl_wr w;
    const uint32_t inner_offered = hs->ext_offered;
    const size_t start = hs->flight.len;
    CL_TRY(cl_flight_begin(tls, CL_HT_CLIENT_HELLO, hello_room(tls), &w));
    hs->ech->form = CL_ECH_OUTER;
    hs->ext_offered = 0;
    build_body(tls, &w);
    hs->ech->form = CL_ECH_PLAIN;
    hs->ech->outer_offered = hs->ext_offered;
    hs->ext_offered = inner_offered;
    CL_TRY(cl_ech_seal(tls, &w));
    CL_TRY(cl_flight_end(tls, &w));
    hs->ech->outer.len = 0;
    return cl_buf_append(&hs->ech->outer, hs->flight.p + start, hs->flight.len - start,
                         CL_HS_MAX_HELLO);
}

static cl_result send_plain(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cl_wr w;
    size_t start = hs->flight.len;
    CL_TRY(cl_flight_begin(tls, CL_HT_CLIENT_HELLO, hello_room(tls), &w));
    hs->ext_offered = 0;
    build_body(tls, &w);
    fill_binders(tls, &w);
    CL_TRY(cl_flight_end(tls, &w));
    hs->hello.len = 0;
    return cl_buf_append(&hs->hello, hs->flight.p + start, hs->flight.len - start, CL_HS_MAX_HELLO);
}

cl_result cl_client_hello_send(struct cleat_tls *tls, const struct cl_msg *msg)
{
    if (cl_ech_wanted(tls)) {
        CL_TRY(build_inner(tls));
        CL_TRY(send_outer(tls));
    } else {
        CL_TRY(send_plain(tls));
    }
    cl_hs_goto(tls, tls->early_data == CLEAT_EARLY_DATA_OFFERED ? CL_HS_C13_EARLY_KEYS
                                                                : CL_HS_C_WAIT_SERVER_HELLO);
    return CL_OK;
}

/* ---- server ---- */

static cl_result parse_fixed(struct cleat_tls *tls, struct cl_rd body)
{
    struct cl_client_hello *ch = &tls->hs->parsed;
    bool ok = cl_rd_u16(&body, &ch->legacy_version) &&
              cl_rd_take(&body, CL_RANDOM_LEN, &ch->random) && cl_rd_vec8(&body, &ch->session_id) &&
              cl_rd_vec16(&body, &ch->suites) && cl_rd_vec8(&body, &ch->compression);
    ok = ok && ch->session_id.len <= 32 && ch->suites.len >= 2 && ch->suites.len % 2 == 0 &&
         ch->compression.len >= 1;
    if (!ok) {
        return cl_tls_decode_error(tls, "ClientHello", "RFC 9846 4.2.2");
    }
    /* TLS 1.2 and older clients may send no extensions at all (RFC 5246 7.4.1.2) */
    if (cl_rd_done(&body)) {
        ch->extensions = cl_rd_of(NULL, 0);
        return CL_OK;
    }
    if (!cl_rd_vec16(&body, &ch->extensions) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "ClientHello", "RFC 9846 4.2.2");
    }
    return CL_OK;
}

static cl_result parse_kept(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    uint32_t received;
    hs->parsed = (struct cl_client_hello){0};
    CL_TRY(parse_fixed(tls, cl_rd_of(hs->hello.p + 4, hs->hello.len - 4)));
    return cl_ext_parse(tls, CL_EXT_CH, hs->parsed.extensions, &received);
}

/* Where Encrypted Client Hello is accepted, the inner ClientHello counts in the outer one's place.
 */
static cl_result parse_inner(struct cleat_tls *tls)
{
    CL_TRY(parse_kept(tls));
    return cl_ech_check_inner(tls);
}

/* The ClientHello as it came. */
static cl_result parse_outer(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    hs->hello.len = 0;
    CL_TRY(cl_buf_append(&hs->hello, msg->whole.p, msg->whole.len, CL_HS_MAX_HELLO));
    CL_TRY(parse_kept(tls));
    cl_event_fingerprint(tls, false, msg->whole);
    return CL_OK;
}

static cl_result open_hello(struct cleat_tls *tls, enum cl_ech_outcome *ech)
{
    CL_TRY(cl_ech_open(tls, ech));
    return *ech == CL_ECH_OPENED ? parse_inner(tls) : CL_OK;
}

static cl_result keep_server_name(struct cleat_tls *tls)
{
    const char *name = tls->hs->parsed.server_name;
    if (name[0] == '\0') {
        return CL_OK;
    }
    tls->server_name = cl_strndup(name, strlen(name));
    return tls->server_name != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

static void ask(struct cleat_tls *tls, enum cleat_decision question, enum cl_hs_state state)
{
    tls->hs->decision = question;
    tls->hs->decided = false;
    cl_hs_goto(tls, state);
}

/* It is known which ClientHello counts, and that it is well-formed. */
static cl_result take_hello(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    CL_TRY(keep_server_name(tls));
    memcpy(hs->client_random, hs->parsed.random.p, CL_RANDOM_LEN);
    hs->session_id_len = (uint8_t)hs->parsed.session_id.len;
    if (hs->session_id_len != 0) {
        memcpy(hs->session_id, hs->parsed.session_id.p, hs->session_id_len);
    }
    if ((tls->config->decisions & CLEAT_DECIDE_CONFIG) != 0) {
        ask(tls, CLEAT_DECIDE_CONFIG, CL_HS_S_ASK_CONFIG);
    } else {
        cl_hs_goto(tls, CL_HS_S_NEGOTIATE);
    }
    return CL_OK;
}

static cl_result go_on(struct cleat_tls *tls)
{
    enum cl_ech_outcome ech;
    CL_TRY(open_hello(tls, &ech));
    if (ech == CL_ECH_WAITS) {
        cl_hs_goto(tls, CL_HS_S_ECH_AGREE);
        return CL_OK;
    }
    return take_hello(tls);
}

cl_result cl_client_hello_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(parse_outer(tls, msg));
    CL_TRY(cl_hs_no_partial_message(tls));
    if ((tls->config->decisions & CLEAT_DECIDE_HELLO) != 0) {
        ask(tls, CLEAT_DECIDE_HELLO, CL_HS_S_ASK_HELLO);
        return CL_OK;
    }
    return go_on(tls);
}

cl_result cl_client_hello_accepted(struct cleat_tls *tls, const struct cl_msg *msg)
{
    tls->hs->decision = CLEAT_DECIDE_NOTHING;
    return go_on(tls);
}

cl_result cl_client_hello_ech_agreed(struct cleat_tls *tls, const struct cl_msg *msg)
{
    enum cl_ech_outcome ech;
    CL_TRY(cl_ech_agreed(tls, &ech));
    if (ech == CL_ECH_WAITS) {
        cl_hs_goto(tls, CL_HS_S_ECH_AGREE);
        return CL_OK;
    }
    if (ech == CL_ECH_OPENED) {
        CL_TRY(parse_inner(tls));
    }
    return take_hello(tls);
}

bool cl_list16_has(struct cl_rd list, uint16_t wanted)
{
    uint16_t v;
    while (cl_rd_u16(&list, &v)) {
        if (v == wanted) {
            return true;
        }
    }
    return false;
}

static cl_result changed(struct cleat_tls *tls, const char *what)
{
    return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.2.2"),
                       "the second ClientHello changed its %s", what);
}

/* Takes the next extension that a second ClientHello must repeat; false at the end of the block. */
static bool next_fixed(struct cl_rd *block, uint16_t *type, struct cl_rd *body)
{
    static const uint16_t changing[] = {CL_ET_KEY_SHARE, CL_ET_COOKIE, CL_ET_EARLY_DATA,
                                        CL_ET_PRE_SHARED_KEY, CL_ET_PADDING};
    while (cl_rd_u16(block, type) && cl_rd_vec16(block, body)) {
        size_t i = 0;
        while (i < sizeof(changing) / sizeof(changing[0]) && changing[i] != *type) {
            i++;
        }
        if (i == sizeof(changing) / sizeof(changing[0])) {
            return true;
        }
    }
    return false;
}

/* The same extensions in the same order. What an Encrypted Client Hello holds is another one's. */
static cl_result compare_extensions(struct cleat_tls *tls, struct cl_rd old, struct cl_rd new)
{
    uint16_t old_type = 0;
    uint16_t new_type = 0;
    struct cl_rd old_body;
    struct cl_rd new_body;
    while (next_fixed(&old, &old_type, &old_body)) {
        if (!next_fixed(&new, &new_type, &new_body) || new_type != old_type) {
            return changed(tls, "extensions or their order");
        }
        if (old_type != CL_ET_ENCRYPTED_CLIENT_HELLO && !cl_rd_equal(old_body, new_body)) {
            const char *name = cl_ext_name(old_type);
            return changed(tls, name != NULL ? name : "extensions");
        }
    }
    return next_fixed(&new, &new_type, &new_body) ? changed(tls, "extensions") : CL_OK;
}

/* RFC 9846 4.2.2: after a HelloRetryRequest the client sends "the same ClientHello without
 * modification", but for key_share, cookie, binders, early_data and padding. */
static cl_result compare_hellos(struct cleat_tls *tls, const struct cl_client_hello *old)
{
    const struct cl_client_hello *new = &tls->hs->parsed;
    const struct {
        const char *name;
        struct cl_rd a;
        struct cl_rd b;
    } same[] = {
        {"random", old->random, new->random},
        {"session ID", old->session_id, new->session_id},
        {"cipher suites", old->suites, new->suites},
        {"compression methods", old->compression, new->compression},
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (!cl_rd_equal(same[i].a, same[i].b)) {
            return changed(tls, same[i].name);
        }
    }
    if (old->legacy_version != new->legacy_version) {
        return changed(tls, "legacy_version");
    }
    CL_TRY(compare_extensions(tls, old->extensions, new->extensions));
    /* RFC 9846 4.3.10: no early data after a HelloRetryRequest */
    return new->early_data ? changed(tls, "early_data") : CL_OK;
}

static cl_result check_cookie(struct cleat_tls *tls)
{
    const struct cl_buf *ours = &tls->hs->cookie;
    struct cl_rd theirs = tls->hs->parsed.cookie;
    if (theirs.len != ours->len || !cl_ct_equal(theirs.p, ours->p, ours->len)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.2"),
                           "the second ClientHello does not return the cookie");
    }
    return CL_OK;
}

/* RFC 9846 4.2.4, 4.3.8: the second ClientHello has exactly the one share that was asked for. */
static cl_result check_retry_share(struct cleat_tls *tls)
{
    struct cl_rd shares = tls->hs->parsed.key_shares;
    uint16_t group = 0;
    struct cl_rd share;
    bool one = cl_rd_u16(&shares, &group) && cl_rd_vec16(&shares, &share) && cl_rd_done(&shares);
    if (cl_rd_done(&tls->hs->parsed.key_shares)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.8"),
                           "the second ClientHello has no key share");
    }
    if (!one || group != tls->hs->hrr_group->id) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.8"),
                           "the second ClientHello has not exactly one key share, for %s",
                           tls->hs->hrr_group->name);
    }
    return CL_OK;
}

cl_result cl_second_hello_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    struct cl_client_hello old = hs->parsed;
    hs->first_hello = hs->hello; /* old's views point into it */
    hs->hello = (struct cl_buf){0};
    enum cl_ech_outcome ech; /* never waits: the first one's keys decrypt it */
    CL_TRY(parse_outer(tls, msg));
    CL_TRY(open_hello(tls, &ech));
    CL_TRY(compare_hellos(tls, &old));
    CL_TRY(check_cookie(tls));
    CL_TRY(check_retry_share(tls));
    cl_buf_deinit(&hs->first_hello);
    hs->early_left = 0; /* behind the second ClientHello there is no early data to be skipped */
    cl_hs_goto(tls, CL_HS_S13_SELECT);
    return CL_OK;
}
