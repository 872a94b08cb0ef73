/* tests/tls/support_walk.c - see support_walk.h. */
#include "tls/support_walk.h"

#include <string.h>

#include "cleat/tls_early.h"
#include "tls/conn.h"
#include "tls/hook.h"
#include "tls/hs.h"

static struct cleat_ticket_keys *keys;
enum { SESSION_13, SESSION_12, SESSION_EARLY, NUM_SESSIONS };

/* What each comes from. */
static const unsigned session_flags[NUM_SESSIONS] = {
    [SESSION_13] = WALK_TICKET,
    [SESSION_12] = WALK_TICKET | WALK_12,
    [SESSION_EARLY] = WALK_TICKET | WALK_EARLY,
};
static struct cleat_tls_session *sessions[NUM_SESSIONS];

struct test_end *walk_end(struct walk *w)
{
    return w->server ? &w->pair.server : &w->pair.client;
}

struct test_end *walk_other(struct walk *w)
{
    return w->server ? &w->pair.client : &w->pair.server;
}

/* ---- ends ---- */

/* A server that resumes in TLS 1.2 without a new ticket (RFC 5077 3.1): ours always issues one. */
static void no_new_ticket(struct cleat_tls *tls, uint8_t type, struct cl_buf *flight, size_t start)
{
    if (type == CL_HT_SERVER_HELLO) {
        struct test_edit e = {.ext = CL_ET_SESSION_TICKET};
        test_edit_ext_remove(&e, tls, flight, start);
    } else if (type == CL_HT_NEW_SESSION_TICKET) {
        flight->len = start;
    }
}

static bool drops_ticket(const struct walk *w)
{
    return (w->flags & (WALK_12 | WALK_PSK | WALK_TICKET)) == (WALK_12 | WALK_PSK);
}

static void hold_back(struct walk *w, uint8_t type, struct cl_buf *flight, size_t start)
{
    if (w->num_sent == w->ccs_at) {
        w->num_sent++; /* change_cipher_spec came in front of this message */
    }
    if (w->num_sent++ < w->hold) {
        return;
    }
    if (type == CL_HT_CLIENT_HELLO) {
        w->silent = true; /* alone in its flight, and kept by the client for later */
    } else {
        flight->len = start;
    }
}

static void client_made(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                        size_t start)
{
    struct walk *w = ctx;
    (void)tls;
    if (w->server) {
        hold_back(w, type, flight, start);
    }
}

static void server_made(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                        size_t start)
{
    struct walk *w = ctx;
    if (drops_ticket(w)) {
        no_new_ticket(tls, type, flight, start);
    }
    if (!w->server && flight->len != start) {
        hold_back(w, type, flight, start);
    }
}

static void set_version(struct cleat_tls_builder *b, unsigned flags)
{
    uint16_t version = (flags & WALK_12) != 0 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3;
    assert_int_equal(cleat_tls_builder_versions(b, version, version), CLEAT_OK);
}

static struct cleat_tls_config *client_of(struct walk *w)
{
    struct cleat_tls_builder *b = test_client_builder();
    set_version(b, w->flags);
    assert_int_equal(cleat_tls_builder_groups(b, "X25519:P-256"), CLEAT_OK);
    if ((w->flags & WALK_CERT) != 0) {
        assert_int_equal(cleat_tls_builder_credential(b, world.client.chain, world.client.key),
                         CLEAT_OK);
    }
    cl_tls_builder_message_hook(b, client_made, w);
    return test_finish(b);
}

/* Replays are tests of their own. */
static enum cleat_strike_answer never_seen(void *ctx, const struct cleat_strike_query *query)
{
    (void)ctx;
    (void)query;
    return CLEAT_STRIKE_FIRST;
}

static struct cleat_tls_config *server_of(struct walk *w)
{
    static const struct cleat_strike strike = {.use = never_seen};
    struct cleat_tls_builder *b = test_server_builder();
    bool retry = (w->flags & WALK_RETRY) != 0;
    set_version(b, w->flags);
    assert_int_equal(cleat_tls_builder_groups(b, retry ? "P-256" : "X25519:P-256"), CLEAT_OK);
    if ((w->flags & WALK_ASKS) != 0) {
        cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_OPTIONAL);
        assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    }
    if ((w->flags & (WALK_TICKET | WALK_PSK)) != 0) {
        unsigned num = (w->flags & WALK_TICKET) != 0 ? 1 : 0;
        assert_int_equal(cleat_tls_builder_tickets(b, keys, num), CLEAT_OK);
        if ((w->flags & WALK_EARLY) != 0) {
            assert_int_equal(cleat_tls_builder_early_data(b, &strike, 0, 0), CLEAT_OK);
        }
    }
    cl_tls_builder_message_hook(b, server_made, w);
    return test_finish(b);
}

/* ---- moving bytes ---- */

/* Where change_cipher_spec stands in whole records; len when it does not. */
static size_t find_ccs(const struct cl_buf *records)
{
    size_t at = 0;
    while (at + CL_RECORD_HEADER_LEN <= records->len &&
           records->p[at] != CL_CT_CHANGE_CIPHER_SPEC) {
        at += CL_RECORD_HEADER_LEN + (size_t)records->p[at + 3] * 256 + records->p[at + 4];
    }
    return at < records->len ? at : records->len;
}

static void pass(struct walk *w, struct cl_buf *from, struct test_end *to)
{
    bool holds_ccs = to == walk_end(w) && w->ccs_at != WALK_NOTHING && w->hold <= w->ccs_at;
    if (holds_ccs) {
        size_t at = find_ccs(from);
        if (at != from->len || w->held_ccs) {
            from->len = w->held_ccs ? 0 : at;
            w->held_ccs = true;
        }
    }
    if (w->silent && to == walk_end(w)) {
        from->len = 0;
    }
    if (from->len != 0) {
        test_end_feed(to, from->p, from->len);
    }
    from->len = 0;
}

static bool offers_early_data(unsigned flags)
{
    return (flags & WALK_PSK) != 0 && (flags & (WALK_EARLY | WALK_REFUSED)) != 0;
}

/* Behind the ClientHello, unless that was held back. */
static void write_early(struct walk *w)
{
    if (offers_early_data(w->flags) && !w->silent && !w->wrote_early) {
        w->wrote_early = true;
        test_write(&w->pair.client, &w->pair.server, "early", 5);
    }
}

static void run(struct walk *w)
{
    struct cl_buf to_server = {0};
    struct cl_buf to_client = {0};
    bool moved = true;
    while (moved) {
        test_end_step(&w->pair.client, &to_server, 0);
        moved = to_server.len != 0;
        pass(w, &to_server, &w->pair.server);
        write_early(w);
        test_end_step(&w->pair.server, &to_client, 0);
        moved = moved || to_client.len != 0;
        pass(w, &to_client, &w->pair.client);
    }
    cl_buf_deinit(&to_server);
    cl_buf_deinit(&to_client);
}

void walk_until(struct walk *w, unsigned flags, bool server, size_t hold, size_t ccs_at)
{
    *w = (struct walk){.flags = flags, .server = server, .hold = hold, .ccs_at = ccs_at};
    size_t which = (flags & WALK_12) != 0 ? SESSION_12 : SESSION_13;
    which = offers_early_data(flags) ? SESSION_EARLY : which;
    test_pair_make(&w->pair, client_of(w), server_of(w),
                   (flags & WALK_PSK) != 0 ? sessions[which] : NULL);
    if (offers_early_data(flags)) {
        assert_int_equal(cleat_tls_offer_early_data(w->pair.client.tls), CLEAT_OK);
    }
    run(w);
}

static void key_update(struct test_end *from, struct test_end *to)
{
    uint8_t room[CLEAT_TLS_MIN_OUTPUT];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    assert_int_equal(cleat_tls_key_update(from->tls, &io, false), CLEAT_OK);
    test_end_feed(to, room, io.out_len);
}

void walk_whole(struct walk *w, unsigned flags, bool server)
{
    static const uint8_t hello_request[] = {CL_HT_HELLO_REQUEST, 0, 0, 0};
    walk_until(w, flags, server, WALK_NOTHING, WALK_NOTHING);
    test_assert_ready(&w->pair);
    assert_int_equal(test_info(walk_end(w)).resumed, (flags & WALK_PSK) != 0);
    if (offers_early_data(flags)) {
        bool accepted = (flags & WALK_EARLY) != 0;
        assert_int_equal(cleat_tls_early_data_status(walk_end(w)->tls),
                         accepted ? CLEAT_EARLY_DATA_ACCEPTED : CLEAT_EARLY_DATA_REJECTED);
        assert_int_equal(w->pair.server.num_early, accepted ? 5 : 0);
    }
    if ((flags & WALK_12) == 0) {
        key_update(walk_other(w), walk_end(w));
        run(w);
    } else if (!server) {
        walk_inject(w, CL_CT_HANDSHAKE, hello_request, sizeof(hello_request));
    }
    test_assert_ready(&w->pair);
}

void walk_drop(struct walk *w)
{
    test_pair_drop(&w->pair);
}

int walk_setup(void **state)
{
    int r = test_world_setup(state);
    assert_int_equal(cleat_ticket_keys_new(3600, &keys), CLEAT_OK);
    for (size_t i = 0; i < NUM_SESSIONS; i++) {
        struct walk w;
        walk_until(&w, session_flags[i], false, WALK_NOTHING, WALK_NOTHING);
        test_assert_ready(&w.pair);
        sessions[i] = cleat_tls_take_session(w.pair.client.tls);
        assert_non_null(sessions[i]);
        walk_drop(&w);
    }
    return r;
}

int walk_teardown(void **state)
{
    for (size_t i = 0; i < NUM_SESSIONS; i++) {
        cleat_tls_session_free(sessions[i]);
    }
    cleat_ticket_keys_free(keys);
    return test_world_teardown(state);
}

/* ---- looking ---- */

static unsigned input_of(struct cl_rd message)
{
    /* RFC 9846 4.2.3: the random that makes a ServerHello a HelloRetryRequest */
    static const uint8_t retry[] = {0xcf, 0x21, 0xad, 0x74};
    bool is_retry = message.p[0] == CL_HT_SERVER_HELLO && message.len > 10 &&
                    memcmp(message.p + 6, retry, sizeof(retry)) == 0;
    return is_retry ? WALK_RETRY_REQUEST : message.p[0];
}

size_t walk_inputs(struct walk *w, unsigned *inputs, size_t max)
{
    const struct test_log *log = &walk_end(w)->log;
    size_t num = 0;
    for (size_t i = 0; i < log->num_messages; i++) {
        if (log->messages[i].sent) {
            continue;
        }
        assert_true(num + 1 < max);
        /* RFC 5246 7.4.9: Finished comes "immediately after a change cipher spec message" */
        if ((w->flags & WALK_12) != 0 && log->messages[i].type == CL_HT_FINISHED) {
            inputs[num++] = WALK_CCS;
        }
        inputs[num++] = input_of(cl_buf_view(&log->messages[i].bytes));
    }
    return num;
}

static bool is_waiting(const char *name)
{
    return strstr(name, "_WAIT_") != NULL || strstr(name, "_OPEN") != NULL;
}

size_t walk_states(struct walk *w, char (*names)[WALK_NAME], size_t max)
{
    struct cl_rd text = cl_buf_view(&walk_end(w)->log.text);
    size_t num = 0;
    if (w->server) { /* where a server begins; no event tells it */
        memcpy(names[num++], "S_WAIT_CLIENT_HELLO", sizeof("S_WAIT_CLIENT_HELLO"));
    }
    while (text.len != 0) {
        const uint8_t *end = memchr(text.p, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.p) : text.len;
        static const char prefix[] = "state ";
        if (len > sizeof(prefix) && memcmp(text.p, prefix, sizeof(prefix) - 1) == 0) {
            const char *name = (const char *)text.p + sizeof(prefix) - 1;
            size_t name_len = strcspn(name, " ");
            assert_true(num < max && name_len < WALK_NAME);
            memcpy(names[num], name, name_len);
            names[num][name_len] = '\0';
            num += is_waiting(names[num]) ? 1 : 0;
        }
        text = cl_rd_of(text.p + len + 1, text.len - len - 1);
    }
    return num;
}

/* ---- injecting ---- */

static void step(struct walk *w)
{
    struct cl_buf out = {0};
    test_end_step(walk_end(w), &out, 0);
    cl_buf_deinit(&out);
}

void walk_inject_clear(struct walk *w, uint8_t type, const void *p, size_t len)
{
    test_plain(&walk_end(w)->in, type, p, len);
    step(w);
}

/* What the end reads with in TLS 1.3. */
static const char *label_of(const struct walk *w, const struct test_end *e)
{
    if (e->tls->state == CL_HS_S13_WAIT_END_OF_EARLY_DATA) {
        return "CLIENT_EARLY_TRAFFIC_SECRET";
    }
    if (e->tls->hs == NULL) {
        return w->server ? "CLIENT_TRAFFIC_SECRET_0" : "SERVER_TRAFFIC_SECRET_0";
    }
    return w->server ? "CLIENT_HANDSHAKE_TRAFFIC_SECRET" : "SERVER_HANDSHAKE_TRAFFIC_SECRET";
}

void walk_inject(struct walk *w, uint8_t type, const void *p, size_t len)
{
    struct test_end *e = walk_end(w);
    if (e->tls->rd.protection == NULL) {
        walk_inject_clear(w, type, p, len);
        return;
    }
    if ((w->flags & WALK_12) != 0) {
        test_seal(&walk_other(w)->tls->wr, &e->in, type, p, len, 0);
    } else {
        struct cl_record_keys sealer = {0};
        test_sealer(&sealer, e, label_of(w, e));
        sealer.seq = e->tls->rd.seq;
        test_seal(&sealer, &e->in, type, p, len, 0);
        cl_record_keys_deinit(&sealer);
    }
    step(w);
}
