/* tests/tls/support_place.h - what a byte of a recorded handshake is: the name of its place. */
#ifndef TEST_SUPPORT_PLACE_H
#define TEST_SUPPORT_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_PLACE_MAX 96

/* How far one direction of a connection has been read. Starts as {0}. */
struct test_place_reader {
    bool is_12;
    bool protected_12; /* change_cipher_spec has gone by */
};

/* test_place names the byte at p[at] of a run of whole records: "clear record: version minor",
 * "ClientHello: random", "ClientHello: extension 43 type", "protected record: body". The reader is
 * where the run begins, and is not moved. */
void test_place(const struct test_place_reader *reader, const uint8_t *p, size_t len, size_t at,
                char name[TEST_PLACE_MAX]);

/* test_place_advance moves the reader over a run of whole records. */
void test_place_advance(struct test_place_reader *reader, const uint8_t *p, size_t len);

#endif
