/* tests/tls/test_states.c - the state graphs of RFC 9846 A and RFC 5246 7.3 (with RFC 5077 3.1),
 * written down once more from the RFCs and not from the engine's tables, and walked with real
 * connections.
 *
 * What is checked: each walk waits in exactly the graph's states; the walks use every edge; and in
 * each state where the graph waits, whatever has no edge there ends the connection. */
#include <stdio.h>
#include <string.h>

#include "tls/conn.h"
#include "tls/support_walk.h"

/* ---- the graphs ---- */

/* When an edge is taken: the walk has all flags of `with` and none of `without`. */
struct edge {
    const char *from;
    unsigned input;
    const char *to;
    unsigned with;
    unsigned without;
};

#define MAX_EDGES 20

struct graph {
    const char *name;
    unsigned version; /* WALK_12 or 0 */
    bool server;
    const char *start;
    struct edge edges[MAX_EDGES];
};

enum { CLIENT_13, SERVER_13, CLIENT_12, SERVER_12, NUM_GRAPHS };

static const struct graph graphs[NUM_GRAPHS] = {
    [CLIENT_13] = {"RFC 9846 A.1, client",
                   0,
                   false,
                   "WAIT_SH",
                   {{"WAIT_SH", WALK_RETRY_REQUEST, "WAIT_SH", WALK_RETRY, 0},
                    {"WAIT_SH", CL_HT_SERVER_HELLO, "WAIT_EE", 0, 0},
                    {"WAIT_EE", CL_HT_ENCRYPTED_EXTENSIONS, "WAIT_FINISHED", WALK_PSK, 0},
                    {"WAIT_EE", CL_HT_ENCRYPTED_EXTENSIONS, "WAIT_CERT_CR", 0, WALK_PSK},
                    {"WAIT_CERT_CR", CL_HT_CERTIFICATE_REQUEST, "WAIT_CERT", WALK_ASKS, 0},
                    {"WAIT_CERT_CR", CL_HT_CERTIFICATE, "WAIT_CV", 0, WALK_ASKS},
                    {"WAIT_CERT", CL_HT_CERTIFICATE, "WAIT_CV", 0, 0},
                    {"WAIT_CV", CL_HT_CERTIFICATE_VERIFY, "WAIT_FINISHED", 0, 0},
                    {"WAIT_FINISHED", CL_HT_FINISHED, "CONNECTED", 0, 0},
                    {"CONNECTED", CL_HT_NEW_SESSION_TICKET, "CONNECTED", WALK_TICKET, 0},
                    {"CONNECTED", CL_HT_KEY_UPDATE, "CONNECTED", 0, 0}}},
    [SERVER_13] =
        {"RFC 9846 A.2, server",
         0,
         true,
         "START",
         {{"START", CL_HT_CLIENT_HELLO, "START again", WALK_RETRY, 0},
          {"START", CL_HT_CLIENT_HELLO, "WAIT_CERT", WALK_ASKS, WALK_RETRY | WALK_PSK},
          {"START", CL_HT_CLIENT_HELLO, "WAIT_EOED", WALK_PSK | WALK_EARLY, WALK_RETRY},
          {"START", CL_HT_CLIENT_HELLO, "WAIT_FINISHED", WALK_PSK, WALK_RETRY | WALK_EARLY},
          {"START", CL_HT_CLIENT_HELLO, "WAIT_FINISHED", 0, WALK_RETRY | WALK_PSK | WALK_ASKS},
          {"START again", CL_HT_CLIENT_HELLO, "WAIT_CERT", WALK_ASKS, WALK_PSK},
          {"START again", CL_HT_CLIENT_HELLO, "WAIT_FINISHED", WALK_PSK, 0},
          {"START again", CL_HT_CLIENT_HELLO, "WAIT_FINISHED", 0, WALK_PSK | WALK_ASKS},
          {"WAIT_EOED", CL_HT_END_OF_EARLY_DATA, "WAIT_FINISHED", 0, 0},
          {"WAIT_CERT", CL_HT_CERTIFICATE, "WAIT_CV", WALK_CERT, 0},
          {"WAIT_CERT", CL_HT_CERTIFICATE, "WAIT_FINISHED", 0, WALK_CERT},
          {"WAIT_CV", CL_HT_CERTIFICATE_VERIFY, "WAIT_FINISHED", 0, 0},
          {"WAIT_FINISHED", CL_HT_FINISHED, "CONNECTED", 0, 0},
          {"CONNECTED", CL_HT_KEY_UPDATE, "CONNECTED", 0, 0}}},
    [CLIENT_12] =
        {"RFC 5246 7.3 and RFC 5077 3.1, client",
         WALK_12,
         false,
         "WAIT_SH",
         {{"WAIT_SH", CL_HT_SERVER_HELLO, "WAIT_CERT", 0, WALK_PSK},
          {"WAIT_SH", CL_HT_SERVER_HELLO, "WAIT_TICKET", WALK_PSK | WALK_TICKET, 0},
          {"WAIT_SH", CL_HT_SERVER_HELLO, "WAIT_CCS", WALK_PSK, WALK_TICKET},
          {"WAIT_CERT", CL_HT_CERTIFICATE, "WAIT_SKE", 0, 0},
          {"WAIT_SKE", CL_HT_SERVER_KEY_EXCHANGE, "WAIT_CR_OR_DONE", 0, 0},
          {"WAIT_CR_OR_DONE", CL_HT_CERTIFICATE_REQUEST, "WAIT_DONE", WALK_ASKS, 0},
          {"WAIT_CR_OR_DONE", CL_HT_SERVER_HELLO_DONE, "WAIT_TICKET", WALK_TICKET, WALK_ASKS},
          {"WAIT_CR_OR_DONE", CL_HT_SERVER_HELLO_DONE, "WAIT_CCS", 0, WALK_TICKET | WALK_ASKS},
          {"WAIT_DONE", CL_HT_SERVER_HELLO_DONE, "WAIT_TICKET", WALK_TICKET, 0},
          {"WAIT_DONE", CL_HT_SERVER_HELLO_DONE, "WAIT_CCS", 0, WALK_TICKET},
          {"WAIT_TICKET", CL_HT_NEW_SESSION_TICKET, "WAIT_CCS", 0, 0},
          {"WAIT_CCS", WALK_CCS, "WAIT_FINISHED", 0, 0},
          {"WAIT_FINISHED", CL_HT_FINISHED, "CONNECTED", 0, 0},
          {"CONNECTED", CL_HT_HELLO_REQUEST, "CONNECTED", 0, 0}}},
    [SERVER_12] = {"RFC 5246 7.3 and RFC 5077 3.1, server",
                   WALK_12,
                   true,
                   "START",
                   {{"START", CL_HT_CLIENT_HELLO, "WAIT_CKE", 0, WALK_PSK | WALK_ASKS},
                    {"START", CL_HT_CLIENT_HELLO, "WAIT_CERT", WALK_ASKS, WALK_PSK},
                    {"START", CL_HT_CLIENT_HELLO, "WAIT_CCS", WALK_PSK, 0},
                    {"WAIT_CERT", CL_HT_CERTIFICATE, "WAIT_CKE", 0, 0},
                    {"WAIT_CKE", CL_HT_CLIENT_KEY_EXCHANGE, "WAIT_CV", WALK_CERT, 0},
                    {"WAIT_CKE", CL_HT_CLIENT_KEY_EXCHANGE, "WAIT_CCS", 0, WALK_CERT},
                    {"WAIT_CV", CL_HT_CERTIFICATE_VERIFY, "WAIT_CCS", 0, 0},
                    {"WAIT_CCS", WALK_CCS, "WAIT_FINISHED", 0, 0},
                    {"WAIT_FINISHED", CL_HT_FINISHED, "CONNECTED", 0, 0}}},
};

/* The engine's names of the graphs' states. */
static const struct {
    int graph;
    const char *state;
    const char *engine;
} names[] = {
    {CLIENT_13, "WAIT_SH", "C_WAIT_SERVER_HELLO"},
    {CLIENT_13, "WAIT_EE", "C13_WAIT_ENCRYPTED_EXTENSIONS"},
    {CLIENT_13, "WAIT_CERT_CR", "C13_WAIT_CERT_OR_REQUEST"},
    {CLIENT_13, "WAIT_CERT", "C13_WAIT_CERTIFICATE"},
    {CLIENT_13, "WAIT_CV", "C13_WAIT_CERTIFICATE_VERIFY"},
    {CLIENT_13, "WAIT_FINISHED", "C13_WAIT_FINISHED"},
    {CLIENT_13, "CONNECTED", "C13_OPEN"},
    {SERVER_13, "START", "S_WAIT_CLIENT_HELLO"},
    {SERVER_13, "START again", "S13_WAIT_SECOND_HELLO"},
    {SERVER_13, "WAIT_EOED", "S13_WAIT_END_OF_EARLY_DATA"},
    {SERVER_13, "WAIT_CERT", "S13_WAIT_CERTIFICATE"},
    {SERVER_13, "WAIT_CV", "S13_WAIT_CERTIFICATE_VERIFY"},
    {SERVER_13, "WAIT_FINISHED", "S13_WAIT_FINISHED"},
    {SERVER_13, "CONNECTED", "S13_OPEN"},
    {CLIENT_12, "WAIT_SH", "C_WAIT_SERVER_HELLO"},
    {CLIENT_12, "WAIT_CERT", "C12_WAIT_CERTIFICATE"},
    {CLIENT_12, "WAIT_SKE", "C12_WAIT_KEY_EXCHANGE"},
    {CLIENT_12, "WAIT_CR_OR_DONE", "C12_WAIT_REQUEST_OR_DONE"},
    {CLIENT_12, "WAIT_DONE", "C12_WAIT_DONE"},
    {CLIENT_12, "WAIT_TICKET", "C12_WAIT_TICKET"},
    {CLIENT_12, "WAIT_CCS", "C12_WAIT_CCS"},
    {CLIENT_12, "WAIT_FINISHED", "C12_WAIT_FINISHED"},
    {CLIENT_12, "CONNECTED", "C12_OPEN"},
    {SERVER_12, "START", "S_WAIT_CLIENT_HELLO"},
    {SERVER_12, "WAIT_CERT", "S12_WAIT_CERTIFICATE"},
    {SERVER_12, "WAIT_CKE", "S12_WAIT_KEY_EXCHANGE"},
    {SERVER_12, "WAIT_CV", "S12_WAIT_CERTIFICATE_VERIFY"},
    {SERVER_12, "WAIT_CCS", "S12_WAIT_CCS"},
    {SERVER_12, "WAIT_FINISHED", "S12_WAIT_FINISHED"},
    {SERVER_12, "CONNECTED", "S12_OPEN"},
};

static const unsigned walks[] = {
    0,
    WALK_TICKET,
    WALK_RETRY,
    WALK_ASKS | WALK_CERT,
    WALK_ASKS,
    WALK_RETRY | WALK_ASKS | WALK_CERT,
    WALK_PSK,
    WALK_PSK | WALK_TICKET,
    WALK_PSK | WALK_RETRY,
    WALK_PSK | WALK_EARLY,
    WALK_PSK | WALK_EARLY | WALK_TICKET,
    WALK_PSK | WALK_REFUSED,
    WALK_PSK | WALK_REFUSED | WALK_RETRY,
    WALK_12,
    WALK_12 | WALK_TICKET,
    WALK_12 | WALK_ASKS | WALK_CERT,
    WALK_12 | WALK_ASKS | WALK_CERT | WALK_TICKET,
    WALK_12 | WALK_ASKS,
    WALK_12 | WALK_PSK,
    WALK_12 | WALK_PSK | WALK_TICKET,
};

static const char *engine_name(const struct graph *g, const char *state)
{
    for (size_t i = 0; i < TEST_LEN(names); i++) {
        if (&graphs[names[i].graph] == g && strcmp(names[i].state, state) == 0) {
            return names[i].engine;
        }
    }
    fail_msg("%s: no state %s", g->name, state);
    return NULL;
}

static size_t num_edges(const struct graph *g)
{
    size_t num = 0;
    while (num < MAX_EDGES && g->edges[num].from != NULL) {
        num++;
    }
    return num;
}

/* The edge that leaves a state with this input in this walk; num_edges: none. */
static size_t edge_for(const struct graph *g, const char *from, unsigned input, unsigned flags)
{
    size_t i = 0;
    size_t num = num_edges(g);
    while (i < num && (strcmp(g->edges[i].from, from) != 0 || g->edges[i].input != input ||
                       (g->edges[i].with & ~flags) != 0 || (g->edges[i].without & flags) != 0)) {
        i++;
    }
    return i;
}

static bool has_edge(const struct graph *g, const char *from, unsigned input)
{
    for (size_t i = 0; i < num_edges(g); i++) {
        unsigned edge = g->edges[i].input;
        edge = edge == WALK_RETRY_REQUEST ? CL_HT_SERVER_HELLO : edge;
        if (strcmp(g->edges[i].from, from) == 0 && edge == input) {
            return true;
        }
    }
    return false;
}

/* ---- walking ---- */

#define MAX_INPUTS 24

/* A walk as the graph has it: the state before each input, and the last. */
struct path {
    unsigned inputs[MAX_INPUTS];
    const char *states[MAX_INPUTS + 1];
    size_t num;
};

static void walk_graph(const struct graph *g, unsigned flags, struct path *path, bool *used)
{
    path->states[0] = g->start;
    for (size_t i = 0; i < path->num; i++) {
        size_t edge = edge_for(g, path->states[i], path->inputs[i], flags);
        if (edge == num_edges(g)) {
            fail_msg("%s, walk %#x: input %u has no edge in %s", g->name, flags, path->inputs[i],
                     path->states[i]);
        }
        used[edge] = true;
        path->states[i + 1] = g->edges[edge].to;
    }
    assert_string_equal(path->states[path->num], "CONNECTED");
}

static void assert_visited(const struct graph *g, struct walk *w, const struct path *path)
{
    char visited[MAX_INPUTS][WALK_NAME];
    size_t num = walk_states(w, visited, MAX_INPUTS);
    size_t at = 0;
    for (size_t i = 0; i <= path->num; i++) {
        /* messages after the handshake leave the state as it is */
        if (i != 0 && strcmp(path->states[i - 1], "CONNECTED") == 0) {
            break;
        }
        assert_true(at < num);
        assert_string_equal(visited[at], engine_name(g, path->states[i]));
        at++;
    }
    assert_int_equal(at, num);
}

static struct path take_path(const struct graph *g, unsigned flags, bool *used)
{
    struct walk w;
    struct path path = {0};
    walk_whole(&w, flags, g->server);
    path.num = walk_inputs(&w, path.inputs, MAX_INPUTS);
    walk_graph(g, flags, &path, used);
    assert_visited(g, &w, &path);
    walk_drop(&w);
    return path;
}

static void test_every_walk_waits_in_the_graphs_states_and_all_edges_are_walked(void **state)
{
    for (size_t k = 0; k < NUM_GRAPHS; k++) {
        const struct graph *g = &graphs[k];
        bool used[MAX_EDGES] = {0};
        for (size_t i = 0; i < TEST_LEN(walks); i++) {
            if ((walks[i] & WALK_12) == g->version) {
                (void)take_path(g, walks[i], used);
            }
        }
        for (size_t i = 0; i < num_edges(g); i++) {
            if (!used[i]) {
                fail_msg("%s: nobody went from %s to %s", g->name, g->edges[i].from,
                         g->edges[i].to);
            }
        }
    }
}

/* ---- what has no edge ---- */

/* What makes a state another one though the graph gives it the same name: keys, what is skipped. */
#define KINDS (WALK_EARLY | WALK_REFUSED)

/* A place where a walk waits: states are looked at once each, and once more with early data. */
struct place {
    const struct graph *graph;
    unsigned flags;
    size_t hold;
    size_t ccs_at;
    const char *state;
};

static bool seen(const struct place *done, size_t num, const struct place *place)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(done[i].state, place->state) == 0 &&
            (done[i].flags & KINDS) == (place->flags & KINDS)) {
            return true;
        }
    }
    return false;
}

static size_t find_ccs(const struct path *path)
{
    for (size_t i = 0; i < path->num; i++) {
        if (path->inputs[i] == WALK_CCS) {
            return i;
        }
    }
    return WALK_NOTHING;
}

static void each_place(void (*look)(const struct place *place))
{
    for (size_t k = 0; k < NUM_GRAPHS; k++) {
        const struct graph *g = &graphs[k];
        struct place done[3 * MAX_EDGES];
        size_t num = 0;
        bool used[MAX_EDGES];
        for (size_t i = 0; i < TEST_LEN(walks); i++) {
            if ((walks[i] & WALK_12) != g->version) {
                continue;
            }
            struct path path = take_path(g, walks[i], used);
            for (size_t at = 0; at <= path.num; at++) {
                struct place place = {g, walks[i], at, find_ccs(&path), path.states[at]};
                if (!seen(done, num, &place)) {
                    done[num++] = place;
                    look(&place);
                }
            }
        }
    }
}

static void reach(struct walk *w, const struct place *place)
{
    char visited[MAX_INPUTS][WALK_NAME];
    bool open = strcmp(place->state, "CONNECTED") == 0;
    walk_until(w, place->flags, place->graph->server, open ? WALK_NOTHING : place->hold,
               place->ccs_at);
    size_t num = walk_states(w, visited, MAX_INPUTS);
    assert_true(num > 0);
    assert_string_equal(visited[num - 1], engine_name(place->graph, place->state));
}

static void assert_ended(struct walk *w, const struct place *place, const char *what,
                         unsigned number, uint8_t alert)
{
    const struct test_end *e = walk_end(w);
    const struct cleat_error *err = cleat_tls_error(e->tls);
    const struct test_log *log = &e->log;
    bool told = log->num_alerts == 1 && log->alerts[0].sent && log->alerts[0].alert == alert &&
                log->alerts[0].level == CL_ALERT_FATAL;
    if (e->next != CLEAT_TLS_FAILED || err->alert != alert || err->from_peer || !told) {
        fail_msg("%s, state %s, %s %u: next %d, alert %u, %zu alerts told: %s", place->graph->name,
                 place->state, what, number, e->next, err->alert, log->num_alerts, err->text);
    }
}

static void every_type_without_an_edge(const struct place *place)
{
    for (unsigned type = 0; type <= 255; type++) {
        const uint8_t message[] = {(uint8_t)type, 0, 0, 0};
        bool renegotiates = place->graph == &graphs[SERVER_12] && type == CL_HT_CLIENT_HELLO &&
                            strcmp(place->state, "CONNECTED") == 0;
        struct walk w;
        if (renegotiates || has_edge(place->graph, place->state, type)) {
            continue; /* a ClientHello that comes later gets a warning: test_tls12_downgrade.c */
        }
        reach(&w, place);
        walk_inject(&w, CL_CT_HANDSHAKE, message, sizeof(message));
        assert_ended(&w, place, "message", type, 10);
        walk_drop(&w);
    }
}

static void test_messages_without_an_edge_are_unexpected_in_every_state(void **state)
{
    each_place(every_type_without_an_edge);
}

static bool is_open(const struct place *place)
{
    return strcmp(place->state, "CONNECTED") == 0;
}

static void application_data(const struct place *place)
{
    struct walk w;
    reach(&w, place);
    size_t before = walk_end(&w)->data.len;
    size_t early = walk_end(&w)->num_early;
    walk_inject(&w, CL_CT_APPLICATION_DATA, "x", 1);
    if (is_open(place)) {
        assert_int_equal(walk_end(&w)->next, CLEAT_TLS_READY);
        assert_int_equal(walk_end(&w)->data.len, before + 1);
        assert_int_equal(walk_end(&w)->num_early, early);
    } else if (strcmp(place->state, "WAIT_EOED") == 0) {
        assert_int_equal(walk_end(&w)->next, CLEAT_TLS_NEEDS_INPUT);
        assert_int_equal(walk_end(&w)->num_early, early + 1);
    } else if ((place->flags & WALK_REFUSED) != 0 && strcmp(place->state, "START again") == 0) {
        /* RFC 9846 4.3.10: refused early data is skipped up to the second ClientHello */
        assert_int_equal(walk_end(&w)->next, CLEAT_TLS_NEEDS_INPUT);
        assert_int_equal(walk_end(&w)->data.len, 0);
    } else {
        assert_ended(&w, place, "application data", 0, 10);
    }
    walk_drop(&w);
}

static void test_application_data_is_unexpected_before_the_handshakes_end(void **state)
{
    each_place(application_data);
}

/* RFC 9846 5: dropped "after the first ClientHello message has been sent or received and before the
 * peer's Finished message has been received"; in TLS 1.2 it is a step (RFC 5246 7.1). */
static bool may_have_ccs(const struct place *place)
{
    if (place->graph->version == WALK_12) {
        return strcmp(place->state, "WAIT_CCS") == 0;
    }
    return !is_open(place) && strcmp(place->state, "START") != 0;
}

static void change_cipher_spec(const struct place *place)
{
    static const uint8_t other[] = {2};
    struct walk w;
    reach(&w, place);
    bool in_clear = walk_end(&w)->tls->rd.protection == NULL;
    walk_inject_clear(&w, CL_CT_CHANGE_CIPHER_SPEC, "\1", 1);
    if (may_have_ccs(place)) {
        assert_int_equal(walk_end(&w)->next, CLEAT_TLS_NEEDS_INPUT);
    } else if (in_clear || place->graph->version == 0) {
        assert_ended(&w, place, "change_cipher_spec", 1, 10);
    } else {
        assert_int_equal(walk_end(&w)->next, CLEAT_TLS_FAILED); /* not even a valid record */
    }
    walk_drop(&w);
    reach(&w, place);
    walk_inject_clear(&w, CL_CT_CHANGE_CIPHER_SPEC, other, sizeof(other));
    assert_int_equal(walk_end(&w)->next, CLEAT_TLS_FAILED);
    walk_drop(&w);
}

static void test_change_cipher_spec_is_unexpected_but_where_the_graph_has_it(void **state)
{
    each_place(change_cipher_spec);
}

static void other_record_types(const struct place *place)
{
    static const uint8_t heartbeat[] = {1, 0, 0};
    struct walk w;
    if (strcmp(place->state, "START") == 0 || strcmp(place->state, "WAIT_SH") == 0) {
        return; /* the first bytes of a connection are then not TLS at all: tls.delivery */
    }
    reach(&w, place);
    walk_inject(&w, 24, heartbeat, sizeof(heartbeat));
    assert_ended(&w, place, "record of type", 24, 10);
    walk_drop(&w);
}

static void test_records_of_other_types_are_unexpected_in_every_state(void **state)
{
    each_place(other_record_types);
}

static void clear_handshake_record(const struct place *place)
{
    static const uint8_t message[] = {CL_HT_FINISHED, 0, 0, 0};
    struct walk w;
    reach(&w, place);
    if (walk_end(&w)->tls->rd.protection != NULL && place->graph->version == 0) {
        walk_inject_clear(&w, CL_CT_HANDSHAKE, message, sizeof(message));
        assert_ended(&w, place, "message in clear", message[0], 10);
    }
    walk_drop(&w);
}

static void test_messages_in_clear_are_unexpected_once_there_are_keys(void **state)
{
    each_place(clear_handshake_record);
}

static void alerts(const struct place *place)
{
    static const uint8_t fatal[] = {CL_ALERT_FATAL, 40};
    static const uint8_t close[] = {CL_ALERT_WARNING, CL_ALERT_CLOSE_NOTIFY};
    struct walk w;
    reach(&w, place);
    walk_inject(&w, CL_CT_ALERT, fatal, sizeof(fatal));
    const struct cleat_error *err = cleat_tls_error(walk_end(&w)->tls);
    assert_int_equal(walk_end(&w)->next, CLEAT_TLS_FAILED);
    assert_true(err->from_peer);
    assert_int_equal(err->alert, 40);
    assert_int_equal(walk_end(&w)->log.num_alerts, 1); /* that one: none is sent in answer */
    walk_drop(&w);
    reach(&w, place);
    walk_inject(&w, CL_CT_ALERT, close, sizeof(close));
    assert_int_equal(walk_end(&w)->next, is_open(place) ? CLEAT_TLS_CLOSED : CLEAT_TLS_FAILED);
    assert_int_equal(walk_end(&w)->log.num_alerts, 1);
    walk_drop(&w);
}

static void test_alerts_end_the_handshake_in_every_state_and_are_not_answered(void **state)
{
    each_place(alerts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_walk_waits_in_the_graphs_states_and_all_edges_are_walked),
        cmocka_unit_test(test_messages_without_an_edge_are_unexpected_in_every_state),
        cmocka_unit_test(test_application_data_is_unexpected_before_the_handshakes_end),
        cmocka_unit_test(test_change_cipher_spec_is_unexpected_but_where_the_graph_has_it),
        cmocka_unit_test(test_records_of_other_types_are_unexpected_in_every_state),
        cmocka_unit_test(test_messages_in_clear_are_unexpected_once_there_are_keys),
        cmocka_unit_test(test_alerts_end_the_handshake_in_every_state_and_are_not_answered),
    };
    return cmocka_run_group_tests(tests, walk_setup, walk_teardown);
}
