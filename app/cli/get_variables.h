/* cli/get_variables.h - the variables that --write-out knows, each as text and as JSON. */
#ifndef CL_CLI_GET_VARIABLES_H
#define CL_CLI_GET_VARIABLES_H

#include <stdio.h>

#include "cli/get_facts.h"

/* get_variable_print writes the variable of that name; false: there is none. */
bool get_variable_print(const char *name, size_t len, const struct get_facts *facts, FILE *out);

/* get_variables_json writes an object with all of them, get_headers_json one with the fields of the
 * last response, each a list of its values, get_header_print the first value of one field. */
void get_variables_json(const struct get_facts *facts, FILE *out);
void get_headers_json(const struct get_facts *facts, FILE *out);
void get_header_print(const char *name, size_t len, const struct get_facts *facts, FILE *out);

#endif
