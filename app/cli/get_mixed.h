/* cli/get_mixed.h - --mixed-content: what a page that was fetched loads over plain HTTP. */
#ifndef CL_CLI_GET_MIXED_H
#define CL_CLI_GET_MIXED_H

#include <stdio.h>

#include "cli/get_facts.h"

/* get_mixed_report looks at facts->page, fetched from facts->url_effective, and writes what was
 * found, a line each, or one JSON object. Returns an exit code: 0; GET_EXIT_MISSED: browsers would
 * block some of it, or warn about it; GET_EXIT_WEIRD_REPLY, with a message on stderr: it is no
 * page, and none of its style sheets. */
int get_mixed_report(const struct get_facts *facts, bool json, FILE *out);

#endif
