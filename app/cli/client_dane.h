/* cli/client_dane.h - --tlsa: the TLSA records by which servers are verified (cleat/dane.h), and a
 * TLS configuration for each server that has some. */
#ifndef CL_CLI_CLIENT_DANE_H
#define CL_CLI_CLIENT_DANE_H

#include "cleat/dane.h"
#include "cli/client_options.h"

/* client_dane_check: 0, or CL_EXIT_USAGE with a message on stderr about a --tlsa that is malformed,
 * or of no use beside other options. */
int client_dane_check(const struct client_options *o, const struct cl_usage *usage);

/* client_dane_open makes the set of the records that are for a server: those of its name and port,
 * and those without a name. host NULL: all of them. *out is NULL when there is none. Returns 0,
 * GET_EXIT_USAGE (malformed, or none of them usable) or GET_EXIT_READ_FILE, with the reason in err.
 */
int client_dane_open(const struct client_options *o, const char *host, uint16_t port,
                     struct cleat_dane **out, struct cleat_error *err);

/* client_dane_allow_keys: every usable record names a key (3 1 x), so that the server may show it
 * without a certificate (RFC 7250). */
bool client_dane_allow_keys(const struct cleat_dane *set);

#endif
