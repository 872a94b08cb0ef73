/* tests/tls/test_heap.c - what a connection takes of the heap: allocations of a handshake and of a
 * record, libcrypto's included, and bytes that stay while it is idle.
 *
 * malloc and its relatives are defined here, over glibc's own. Sanitizers and valgrind have theirs
 * instead: there every test is skipped.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/batch.h"
#include "tls/support_tls.h"

/* ---- counting ---- */

/* 8: the size field in front of each of glibc's chunks */
#define CHUNK_OVERHEAD 8

struct heap {
    int64_t num;   /* allocations */
    int64_t bytes; /* that live, overhead included */
};

static struct heap heap;
static bool counting;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t num, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static void *count(void *p)
{
    if (p != NULL && counting) {
        heap.num++;
        heap.bytes += (int64_t)malloc_usable_size(p) + CHUNK_OVERHEAD;
    }
    return p;
}

static void discount(void *p)
{
    if (p != NULL && counting) {
        heap.bytes -= (int64_t)malloc_usable_size(p) + CHUNK_OVERHEAD;
    }
}

void *malloc(size_t size)
{
    return count(__libc_malloc(size));
}

void *calloc(size_t num, size_t size)
{
    return count(__libc_calloc(num, size));
}

void *realloc(void *p, size_t size)
{
    discount(p);
    return count(__libc_realloc(p, size));
}

void *memalign(size_t alignment, size_t size)
{
    return count(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = memalign(alignment, size);
    return *out != NULL ? 0 : ENOMEM;
}

void free(void *p)
{
    discount(p);
    __libc_free(p);
}
#endif

/* Under valgrind the functions above are not called. */
static bool is_counted(void)
{
    heap = (struct heap){0};
    counting = true;
    cl_free(cl_alloc(1));
    counting = false;
    return heap.num == 1 && heap.bytes == 0;
}

static void skip_uncounted(void)
{
    if (!is_counted()) {
        print_message("SKIP: a sanitizer, or valgrind, has its own malloc: nothing is counted\n");
        skip();
    }
}

/* ---- ends that allocate nothing themselves ---- */

/* 32,768: a flight is below 8 KiB */
#define WIRE_MAX  32768
/* 8: as many as a batch runs at once */
#define NUM_PAIRS 8

struct end {
    struct cleat_tls *tls;
    struct heap heap; /* what it took, and holds */
    uint8_t in[WIRE_MAX];
    size_t in_len;
    size_t data_len;
    enum cleat_tls_next next;
};

static struct pair {
    struct end client;
    struct end server;
} pairs[NUM_PAIRS];

static void begin(struct end *e)
{
    heap = e->heap;
    counting = true;
}

static void end(struct end *e)
{
    counting = false;
    e->heap = heap;
}

static void step(struct end *e, struct end *to)
{
    static uint8_t room[WIRE_MAX];
    struct cleat_tls_io io;
    do {
        io = (struct cleat_tls_io){
            .in = e->in, .in_len = e->in_len, .out = room, .out_cap = sizeof(room)};
        begin(e);
        e->next = cleat_tls_step(e->tls, &io);
        end(e);
        assert_true(to->in_len + io.out_len <= WIRE_MAX);
        memcpy(to->in + to->in_len, room, io.out_len);
        to->in_len += io.out_len;
        e->data_len += io.data_len;
        e->in_len -= io.in_used;
        memmove(e->in, e->in + io.in_used, e->in_len);
    } while (io.in_used != 0 && e->next != CLEAT_TLS_NEEDS_JOB);
    assert_int_not_equal(e->next, CLEAT_TLS_FAILED);
}

static struct cleat_batch *batch;

/* One turn of an event loop: all ends step, then the jobs run: as one batch, or alone. */
static bool turn(size_t num, bool of_servers, struct heap *jobs)
{
    bool more = false;
    for (size_t i = 0; i < num; i++) {
        struct pair *p = &pairs[i];
        struct end *e = of_servers ? &p->server : &p->client;
        step(e, of_servers ? &p->client : &p->server);
        if (e->next == CLEAT_TLS_NEEDS_JOB) {
            cleat_batch_add(batch, cleat_tls_job(e->tls));
            more = true;
        }
    }
    heap = *jobs;
    counting = true;
    cleat_batch_run(batch, 1000);
    counting = false;
    *jobs = heap;
    return more;
}

static void make(const struct pair *p, struct end *e, struct cleat_tls_config *config)
{
    e->in_len = e->data_len = 0;
    e->heap = (struct heap){0};
    begin(e);
    int r = e == &p->server ? cleat_tls_server_new(config, NULL, &e->tls)
                            : cleat_tls_client_new(config, "localhost", NULL, NULL, &e->tls);
    end(e);
    assert_int_equal(r, CLEAT_OK);
}

struct scenario {
    uint16_t version;
    struct cleat_tls_config *client;
    struct cleat_tls_config *server;
};

/* What the jobs of all clients and of all servers took. */
struct jobs {
    struct heap clients;
    struct heap servers;
};

/* num pairs shake hands at once. */
static void handshakes(const struct scenario *s, size_t num, struct jobs *jobs)
{
    *jobs = (struct jobs){0};
    for (size_t i = 0; i < num; i++) {
        make(&pairs[i], &pairs[i].client, s->client);
        make(&pairs[i], &pairs[i].server, s->server);
    }
    for (int round = 0; round < 8; round++) {
        while (turn(num, false, &jobs->clients)) {
        }
        while (turn(num, true, &jobs->servers)) {
        }
    }
    for (size_t i = 0; i < num; i++) {
        assert_int_equal(pairs[i].client.next, CLEAT_TLS_READY);
        assert_int_equal(pairs[i].server.next, CLEAT_TLS_READY);
    }
}

static void drop(size_t num)
{
    for (size_t i = 0; i < num; i++) {
        cleat_tls_free(pairs[i].client.tls);
        cleat_tls_free(pairs[i].server.tls);
    }
}

static struct cleat_ticket_keys *keys;

/* What a public server has: tickets, ALPN, names; the client shows no certificate. */
static void configure(struct scenario *s)
{
    static const char *const protocols[] = {"h2", "http/1.1"};
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *v = test_server_builder();
    struct cleat_tls_builder *ends[] = {c, v};
    for (size_t i = 0; i < TEST_LEN(ends); i++) {
        cleat_tls_builder_events(ends[i], NULL, NULL, false);
        assert_int_equal(cleat_tls_builder_versions(ends[i], s->version, s->version), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_groups(ends[i], "X25519:P-256"), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_alpn(ends[i], protocols, TEST_LEN(protocols)), CLEAT_OK);
    }
    assert_int_equal(cleat_tls_builder_tickets(v, keys, 2), CLEAT_OK);
    s->client = test_finish(c);
    s->server = test_finish(v);
}

/* The third time: pools, tables and caches are filled by then. The pairs stay. */
static void warm_handshakes(struct scenario *s, size_t num, struct jobs *jobs)
{
    configure(s);
    for (int i = 0; i < 2; i++) {
        handshakes(s, num, jobs);
        drop(num);
    }
    handshakes(s, num, jobs);
}

static void end_scenario(const struct scenario *s, size_t num)
{
    drop(num);
    cleat_tls_config_free(s->client);
    cleat_tls_config_free(s->server);
}

static const uint16_t versions[] = {CLEAT_TLS_1_3, CLEAT_TLS_1_2};

static const char *name_of(uint16_t version)
{
    return version == CLEAT_TLS_1_3 ? "TLS 1.3" : "TLS 1.2";
}

/* ---- tests ---- */

/* 4: allocations of a full handshake with ECDSA, from making the server's connection to READY: the
 * connection, the handshake's state, the server name, and one more in TLS 1.2; freeing allocates
 * nothing. With a hybrid ClientHello or a long chain there are two more; the bound to keep is 8. */
#define MAX_ENGINE 4

static void test_a_handshake_in_a_batch_allocates_little(void **state)
{
    skip_uncounted();
    for (size_t v = 0; v < TEST_LEN(versions); v++) {
        struct scenario s = {.version = versions[v]};
        struct jobs jobs;
        warm_handshakes(&s, NUM_PAIRS, &jobs);
        print_message("%s, eight at once: %d allocations in the engine, %.1f in jobs\n",
                      name_of(s.version), (int)pairs[0].server.heap.num,
                      (double)jobs.servers.num / NUM_PAIRS);
        for (size_t i = 0; i < NUM_PAIRS; i++) {
            assert_in_range(pairs[i].server.heap.num, 1, MAX_ENGINE);
        }
        /* without crypto_mb all jobs are libcrypto's, which allocates as it likes */
        if (strncmp(cleat_batch_describe(), "eight at a time", 15) == 0) {
            assert_in_range(jobs.servers.num, 0, NUM_PAIRS);
        }
        end_scenario(&s, NUM_PAIRS);
    }
}

/* 14: what libcrypto 3.0 takes to agree on a key with X25519: a key object and a context for each
 * private key (docs/performance.md), and one that TLS 1.2 keeps from its key generation on */
#define MAX_ALONE (14 + 1)

static void test_a_lone_handshake_allocates_what_libcrypto_does_for_its_key_agreement(void **state)
{
    skip_uncounted();
    for (size_t v = 0; v < TEST_LEN(versions); v++) {
        struct scenario s = {.version = versions[v]};
        struct jobs jobs;
        warm_handshakes(&s, 1, &jobs);
        print_message("%s, alone: %d allocations in the engine, %d in jobs\n", name_of(s.version),
                      (int)pairs[0].server.heap.num, (int)jobs.servers.num);
        assert_in_range(pairs[0].server.heap.num, 1, MAX_ENGINE);
        if (strncmp(cleat_batch_describe(), "eight at a time", 15) == 0) {
            assert_in_range(jobs.servers.num, 0, MAX_ALONE);
        }
        end_scenario(&s, 1);
    }
}

static void write_record(struct end *from, struct end *to)
{
    static const uint8_t data[100];
    struct cleat_tls_io io = {.out = to->in + to->in_len, .out_cap = WIRE_MAX - to->in_len};
    size_t written;
    begin(from);
    int r = cleat_tls_write(from->tls, &io, data, sizeof(data), &written);
    end(from);
    assert_int_equal(r, CLEAT_OK);
    assert_int_equal(written, sizeof(data));
    to->in_len += io.out_len;
}

static void test_records_allocate_nothing(void **state)
{
    skip_uncounted();
    for (size_t v = 0; v < TEST_LEN(versions); v++) {
        struct scenario s = {.version = versions[v]};
        struct jobs jobs;
        struct pair *p = &pairs[0];
        warm_handshakes(&s, 1, &jobs);
        int64_t before = p->client.heap.num + p->server.heap.num;
        for (int i = 0; i < 100; i++) {
            write_record(&p->client, &p->server);
            step(&p->server, &p->client);
            write_record(&p->server, &p->client);
            step(&p->client, &p->server);
        }
        assert_int_equal(p->client.data_len, 100 * 100);
        assert_int_equal(p->server.data_len, 100 * 100);
        assert_int_equal(p->client.heap.num + p->server.heap.num, before);
        end_scenario(&s, 1);
    }
}

/* 1,024: bytes of an established connection that waits, malloc's overhead included. */
#define MAX_IDLE 1024

/* What an application does that is not curious: it drops the server's certificates, and takes the
 * sessions, which are its own then. */
static void settle(struct end *e)
{
    struct cleat_tls_session *session;
    begin(e);
    cleat_tls_forget(e->tls);
    while ((session = cleat_tls_take_session(e->tls)) != NULL) {
        cleat_tls_session_free(session);
    }
    end(e);
}

static void test_an_idle_connection_holds_little(void **state)
{
    skip_uncounted();
    for (size_t v = 0; v < TEST_LEN(versions); v++) {
        struct scenario s = {.version = versions[v]};
        struct jobs jobs;
        struct pair *p = &pairs[0];
        warm_handshakes(&s, 1, &jobs);
        write_record(&p->client, &p->server);
        step(&p->server, &p->client);
        settle(&p->client);
        int64_t server = p->server.heap.bytes + jobs.servers.bytes;
        int64_t client = p->client.heap.bytes + jobs.clients.bytes;
        struct cleat_tls_info info = {0};
        assert_int_equal(cleat_tls_info(p->server.tls, &info), CLEAT_OK);
        assert_string_equal(info.server_name, "localhost");
        assert_string_equal(info.alpn, "h2");
        print_message("%s, idle: %d bytes in the server, %d in the client\n", name_of(s.version),
                      (int)server, (int)client);
        assert_in_range(server, 1, MAX_IDLE);
        assert_in_range(client, 1, MAX_IDLE);
        end_scenario(&s, 1);
    }
}

static int setup(void **state)
{
    return test_world_setup(state) == 0 && cleat_ticket_keys_new(0, &keys) == CLEAT_OK &&
                   cleat_batch_new(&batch) == CLEAT_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    cleat_batch_free(batch);
    cleat_ticket_keys_free(keys);
    return test_world_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handshake_in_a_batch_allocates_little),
        cmocka_unit_test(test_a_lone_handshake_allocates_what_libcrypto_does_for_its_key_agreement),
        cmocka_unit_test(test_records_allocate_nothing),
        cmocka_unit_test(test_an_idle_connection_holds_little),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
