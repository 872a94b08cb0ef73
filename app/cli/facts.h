/* cli/facts.h - what is said about a thing, once: as lines for people, or as members of a JSON
 * object. */
#ifndef CL_CLI_FACTS_H
#define CL_CLI_FACTS_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"

struct facts {
    FILE *out; /* for people; NULL: into object */
    json_t *object;
    int64_t now; /* Unix seconds */
};

/* facts_text says a text; empty: no line, and null. What strangers wrote is made printable for
 * people. label NULL: for programs alone; key NULL: for people alone. */
void facts_text(struct facts *f, const char *label, const char *key, const char *text);
void facts_number(struct facts *f, const char *label, const char *key, int64_t number);
/* A line only when it is so. */
void facts_flag(struct facts *f, const char *label, const char *key, bool so);
/* Unix seconds, how far from now beside it; INT64_MIN: absent. */
void facts_time(struct facts *f, const char *label, const char *key, int64_t t);
void facts_hex(struct facts *f, const char *label, const char *key, struct cl_rd bytes);

/* facts_sub begins a new object in the array of this name; for people nothing is to be seen. */
struct facts facts_sub(struct facts *f, const char *key);

#endif
