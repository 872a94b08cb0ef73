/* tests/tls/support_early.h - connections that offer early data, for test_early.c and
 * test_early_wrong.c. */
#ifndef TEST_SUPPORT_EARLY_H
#define TEST_SUPPORT_EARLY_H

#include "cleat/tls_early.h"
#include "tls/support_tls.h"

extern struct cleat_ticket_keys *test_early_keys;
extern struct cleat_strike_register *test_early_register; /* warm */

int test_early_setup(void **state);
int test_early_teardown(void **state);
/* Each test: the same moment, an empty register. */
int test_early_fresh(void **state);

/* A server that issues a ticket and takes early data of at most max bytes (0: the default). */
struct cleat_tls_builder *test_early_server(uint32_t max);
/* The same without early data. */
struct cleat_tls_builder *test_late_server(void);

/* A session whose ticket allows early data. */
struct cleat_tls_session *test_early_session(void);
struct cleat_tls_session *test_early_session_with(struct cleat_tls_builder *c,
                                                  struct cleat_tls_builder *s);

/* A pair whose client has offered early data and written it: the server has its first flight as
 * input, nothing has been stepped there. text may be NULL: none is written. */
void test_early_begin(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s,
                      struct cleat_tls_session *session, const void *data, size_t len);
/* The same, and run to the end. */
void test_early_run(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s,
                    struct cleat_tls_session *session, const char *text);
void test_assert_early(const struct test_pair *p, enum cleat_early_data want, size_t len);

#endif
