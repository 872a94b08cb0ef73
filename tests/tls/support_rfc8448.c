/* tests/tls/support_rfc8448.c - see support_rfc8448.h. */
#include "tls/support_rfc8448.h"

#include <string.h>

#include "tls/conn.h"
#include "tls/hook.h"

#define HEADER CL_RECORD_HEADER_LEN

static void append(struct cl_buf *b, struct cl_rd bytes)
{
    assert_int_equal(cl_buf_append(b, bytes.p, bytes.len, SIZE_MAX / 2), CL_OK);
}

struct cl_secret rfc8448_secret(const char *hex)
{
    struct cl_secret s = {.len = 32};
    struct cl_buf bytes = test_hex(hex);
    assert_int_equal(bytes.len, 32);
    memcpy(s.bytes, bytes.p, 32);
    cl_buf_deinit(&bytes);
    return s;
}

struct cl_buf rfc8448_open(const struct cl_secret *secret, const char *records, size_t skip,
                           uint64_t seq)
{
    struct cl_record_keys keys = {0};
    struct cl_buf in = test_hex(records);
    struct cl_buf out = {0};
    assert_int_equal(cl_record_keys_13(&keys, cl_suite_by_id(0x1301), secret, false), CL_OK);
    keys.seq = seq;
    for (size_t size; skip < in.len; skip += size) {
        struct cl_record rec;
        assert_int_equal(cl_record_size(&keys, cl_rd_of(in.p + skip, in.len - skip), &size), CL_OK);
        assert_int_equal(cl_record_open(&keys, in.p + skip, size, &rec), CL_OK);
        append(&out, cl_rd_of(rec.p, rec.len));
    }
    cl_record_keys_deinit(&keys);
    cl_buf_deinit(&in);
    return out;
}

/* ---- randomness ---- */

static int scripted(void *ctx, uint8_t *out, size_t len)
{
    struct rfc8448_end *r = ctx;
    if (r->random.len - r->random_used < len) {
        return test_fixed_random(&r->counter, out, len);
    }
    memcpy(out, r->random.p + r->random_used, len);
    r->random_used += len;
    return 0;
}

static void draw(struct rfc8448_end *r, const char *hex, size_t from, size_t len)
{
    struct cl_buf bytes = test_hex(hex);
    assert_true(from + len <= bytes.len);
    append(&r->random, cl_rd_of(bytes.p + from, len));
    cl_buf_deinit(&bytes);
}

/* Our draws: the random, the session ID, a key for each ClientHello. */
static void draw_for_client(struct rfc8448_end *r)
{
    const struct rfc8448_trace *t = r->trace;
    size_t keys = t->retry != NULL ? 2 : 1;
    draw(r, t->client_random, 0, 32);
    draw(r, t->client_random, t->compat ? 32 : 0, 32); /* else the hook takes it out again */
    draw(r, t->client_random, t->compat ? 64 : 32, 32 * keys);
}

/* Our draws: the cookie of a HelloRetryRequest (which the hook replaces), the key, the random. */
static void draw_for_server(struct rfc8448_end *r)
{
    const struct rfc8448_trace *t = r->trace;
    if (t->retry != NULL) {
        draw(r, t->server_random, 0, 32);
    }
    draw(r, t->server_random, 32, 32);
    draw(r, t->server_random, 0, 32);
}

/* ---- messages ---- */

static void put(struct cl_buf *flight, size_t start, struct cl_rd message)
{
    test_buf_splice(flight, start, flight->len - start, message.p, message.len);
}

static void put_hex(struct cl_buf *flight, size_t start, const char *hex, size_t skip)
{
    struct cl_buf b = test_hex(hex);
    put(flight, start, cl_rd_of(b.p + skip, b.len - skip));
    cl_buf_deinit(&b);
}

static void put_hello(const struct rfc8448_trace *t, struct cleat_tls *tls, struct cl_buf *flight,
                      size_t start)
{
    put_hex(flight, start, tls->hs->retried ? t->second_hello : t->client_hello, HEADER);
    const uint8_t *session_id = flight->p + start + 4 + 2 + CL_RANDOM_LEN;
    tls->hs->session_id_len = session_id[0];
    memcpy(tls->hs->session_id, session_id + 1, session_id[0]);
    tls->hs->ccs_sent = !t->compat;
    tls->hs->ext_offered = UINT32_MAX; /* that ClientHello offers more than ours */
}

static void client_hook(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                        size_t start)
{
    struct rfc8448_end *r = ctx;
    if (type == CL_HT_CLIENT_HELLO) {
        put_hello(r->trace, tls, flight, start);
    } else if (type == CL_HT_CERTIFICATE) {
        put(flight, start, cl_buf_view(&r->certificate));
    }
}

/* The cookie is the server's own business: the trace's instead of ours, in the message and in what
 * the second ClientHello is compared with. */
static void put_cookie(const struct rfc8448_trace *t, struct cleat_tls *tls, struct cl_buf *flight,
                       size_t start)
{
    struct cl_buf retry = test_hex(t->retry);
    size_t at = test_ext_find(&retry, HEADER, CL_ET_COOKIE);
    size_t len = (size_t)retry.p[at + 2] * 256 + retry.p[at + 3];
    size_t ours = 2 + tls->hs->cookie.len;
    test_buf_splice(flight, test_ext_find(flight, start, CL_ET_COOKIE), 4 + ours, retry.p + at,
                    4 + len);
    test_fix_lengths(flight, start, (int)len - (int)ours);
    cl_buf_deinit(&tls->hs->cookie);
    append(&tls->hs->cookie, cl_rd_of(retry.p + at + 6, len - 2));
    cl_buf_deinit(&retry);
}

static void server_hook(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                        size_t start)
{
    struct rfc8448_end *r = ctx;
    const struct rfc8448_trace *t = r->trace;
    switch (type) {
    case CL_HT_SERVER_HELLO:
        if (tls->hs->retried && tls->hs->parsed.cookie.p == NULL) {
            put_cookie(t, tls, flight, start);
        }
        break;
    case CL_HT_ENCRYPTED_EXTENSIONS:
        put_hex(flight, start, t->encrypted_extensions, 0);
        break;
    case CL_HT_CERTIFICATE_REQUEST:
        put_hex(flight, start, t->request, 0);
        break;
    case CL_HT_CERTIFICATE:
        put_hex(flight, start, t->certificate, 0);
        break;
    case CL_HT_NEW_SESSION_TICKET:
        put(flight, start, cl_buf_view(&r->ticket));
        break;
    default:
        break;
    }
}

/* ---- ends ---- */

void rfc8448_client(struct rfc8448_end *r, const struct rfc8448_trace *trace,
                    struct cleat_tls_session *session)
{
    const struct test_identity *id = test_identity_of(CL_KEY_RSA, true);
    struct cleat_tls_builder *b = test_client_builder();
    *r = (struct rfc8448_end){.trace = trace};
    draw_for_client(r);
    assert_int_equal(cleat_tls_builder_credential(b, id->chain, id->key), CLEAT_OK);
    cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER);
    cleat_tls_builder_random(b, scripted, r);
    cl_tls_builder_message_hook(b, client_hook, r);
    assert_int_equal(cleat_tls_builder_groups(b, "X25519:P-256"), CLEAT_OK);
    struct cleat_tls_config *config = test_finish(b);
    if (session != NULL) {
        cl_session_binding(config, "server", session->binding);
    }
    assert_int_equal(cleat_tls_client_new(config, "server", session, r, &r->end.tls), CLEAT_OK);
    cleat_tls_config_free(config);
}

void rfc8448_server(struct rfc8448_end *r, const struct rfc8448_trace *trace,
                    const struct cl_secret *app_secret)
{
    struct cleat_tls_builder *b = test_server_builder_with(
        test_identity_of(trace->ecdsa ? CL_KEY_EC_P256 : CL_KEY_RSA, false));
    *r = (struct rfc8448_end){.trace = trace};
    draw_for_server(r);
    if (trace->ticket != NULL) {
        assert_int_equal(cleat_ticket_keys_new(0, &r->keys), CLEAT_OK);
        r->ticket = rfc8448_open(app_secret, trace->ticket, 0, 0);
    }
    cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER);
    cleat_tls_builder_client_auth(b, trace->request != NULL ? CLEAT_CLIENT_AUTH_REQUIRED
                                                            : CLEAT_CLIENT_AUTH_NONE);
    cleat_tls_builder_random(b, scripted, r);
    cl_tls_builder_message_hook(b, server_hook, r);
    assert_int_equal(cleat_tls_builder_groups(b, trace->retry != NULL ? "P-256" : "X25519"),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(b, r->keys, 1), CLEAT_OK);
    struct cleat_tls_config *config = test_finish(b);
    assert_int_equal(cleat_tls_server_new(config, r, &r->end.tls), CLEAT_OK);
    cleat_tls_config_free(config);
}

void rfc8448_drop(struct rfc8448_end *r)
{
    struct test_pair p = {.client = r->end};
    test_pair_drop(&p);
    cl_buf_deinit(&r->out);
    cl_buf_deinit(&r->random);
    cl_buf_deinit(&r->certificate);
    cl_buf_deinit(&r->ticket);
    cleat_ticket_keys_free(r->keys);
}

void rfc8448_take_client_certificate(struct rfc8448_end *r)
{
    const struct cl_secret *secret = test_secret(&r->end, "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
    struct cl_buf flight = rfc8448_open(secret, r->trace->client_flight, 0, 0);
    assert_int_equal(flight.p[0], CL_HT_CERTIFICATE);
    append(&r->certificate, cl_rd_of(flight.p, 4U + (size_t)flight.p[2] * 256 + flight.p[3]));
    cl_buf_deinit(&flight);
}

/* ---- running ---- */

static void sign_as_traced(struct cl_job *job, const char *signature)
{
    struct cl_buf bytes = test_hex(signature);
    assert_true(bytes.len <= job->sign.signature_cap);
    memcpy(job->sign.signature, bytes.p, bytes.len);
    job->sign.signature_len = bytes.len;
    cl_job_complete(job, CL_OK);
    cl_buf_deinit(&bytes);
}

static void run_job(struct rfc8448_end *r)
{
    struct cl_job *job = (struct cl_job *)cleat_tls_job(r->end.tls);
    if (job->kind == CL_JOB_SIGN) {
        sign_as_traced(job, cl_is_server(r->end.tls) ? r->trace->server_signature
                                                     : r->trace->client_signature);
    } else {
        cl_job_run(job);
    }
}

/* One step; true when another makes sense. */
static bool step(struct rfc8448_end *r)
{
    struct test_end *e = &r->end;
    uint8_t room[4096];
    struct cleat_tls_io io = {
        .in = e->in.p, .in_len = e->in.len, .out = room, .out_cap = sizeof(room)};
    e->next = cleat_tls_step(e->tls, &io);
    append(&r->out, cl_rd_of(room, io.out_len));
    append(&e->data, cl_rd_of(io.data, io.data_len));
    cl_buf_drop(&e->in, io.in_used);
    bool first_ready = e->next == CLEAT_TLS_READY && !e->told_ready;
    switch (e->next) {
    case CLEAT_TLS_READY:
        e->told_ready = true;
        return first_ready;
    case CLEAT_TLS_HAS_DATA:
        return true;
    case CLEAT_TLS_NEEDS_DECISION:
        assert_int_equal(cleat_tls_accept_peer(e->tls), CLEAT_OK);
        return true;
    case CLEAT_TLS_NEEDS_JOB:
        run_job(r);
        return true;
    case CLEAT_TLS_FAILED:
        fail_msg("%s", cleat_tls_error(e->tls)->text);
        return false;
    default:
        return false;
    }
}

void rfc8448_feed(struct rfc8448_end *r, const char *records)
{
    if (records != NULL) {
        struct cl_buf bytes = test_hex(records);
        test_end_feed(&r->end, bytes.p, bytes.len);
        cl_buf_deinit(&bytes);
    }
    while (step(r)) {
    }
}

/* ---- comparing ---- */

void rfc8448_assert_bytes(const char *what, struct cl_rd got, const char *hex)
{
    struct cl_buf want = test_hex(hex);
    size_t i = 0;
    while (i < got.len && i < want.len && got.p[i] == want.p[i]) {
        i++;
    }
    if (got.len != want.len || i != want.len) {
        fail_msg("%s: %zu bytes, expected %zu; they differ from byte %zu on", what, got.len,
                 want.len, i);
    }
    cl_buf_deinit(&want);
}

void rfc8448_assert_sent(struct rfc8448_end *r, const char *what, size_t from, const char *hex)
{
    assert_true(r->out.len > from);
    rfc8448_assert_bytes(what, cl_rd_of(r->out.p + from, r->out.len - from), hex + 2 * from);
    r->out.len = 0;
}

void rfc8448_assert_sent_first(struct rfc8448_end *r, const char *what, const char *hex)
{
    size_t len = strlen(hex) / 2;
    assert_true(r->out.len >= len);
    rfc8448_assert_bytes(what, cl_rd_of(r->out.p, len), hex);
    cl_buf_drop(&r->out, len);
}

void rfc8448_assert_writes(struct rfc8448_end *r, const char *plain, const char *record)
{
    struct cl_buf bytes = test_hex(plain);
    struct test_end sink = {0};
    test_write(&r->end, &sink, bytes.p, bytes.len);
    rfc8448_assert_bytes("application data sent", cl_buf_view(&sink.in), record);
    cl_buf_deinit(&sink.in);
    cl_buf_deinit(&bytes);
}

void rfc8448_assert_reads(struct rfc8448_end *r, const char *record, const char *plain)
{
    r->end.data.len = 0;
    rfc8448_feed(r, record);
    rfc8448_assert_bytes("application data received", cl_buf_view(&r->end.data), plain);
}

void rfc8448_assert_closes(struct rfc8448_end *r, const char *record)
{
    struct test_end sink = {0};
    test_close(&r->end, &sink);
    rfc8448_assert_bytes("close_notify", cl_buf_view(&sink.in), record);
    cl_buf_deinit(&sink.in);
}
