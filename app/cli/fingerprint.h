/* cli/fingerprint.h - `cleat fingerprint`: what its files share. */
#ifndef CL_CLI_FINGERPRINT_H
#define CL_CLI_FINGERPRINT_H

#include <jansson.h>

#include "base/buf.h"
#include "cleat/fingerprint.h"

/* The version of the JSON's form: it changes when a member changes its meaning. */
#define FINGERPRINT_SCHEMA 1

/* All forms of one ClientHello. */
struct fingerprints {
    char *text[CLEAT_JA4_RO + 1]; /* NULL: JA3 without MD5 */
    char server_name[256];        /* printable; empty: none that can be read */
    struct cleat_error error;     /* code 0: none */
};

/* fingerprints_of computes them; on failure error says why. fingerprints_free for each of them. */
void fingerprints_of(struct cl_rd message, struct fingerprints *out);
void fingerprints_free(struct fingerprints *f);

/* fingerprints_json adds them to an object: "server_name", "ja3", …, "ja4_ro"; or "error". */
void fingerprints_json(const struct fingerprints *f, json_t *object);

/* fingerprint_diff tells how the first ClientHellos of two files differ. Returns the exit code: as
 * diff(1), 0 for none, 1 for some, 2 for a file that cannot be read. */
int fingerprint_diff(const char *const paths[2], bool json);

#endif
