/* cli/get_form.h - -F and --form-string: forms with files (multipart/form-data, RFC 7578). */
#ifndef CL_CLI_GET_FORM_H
#define CL_CLI_GET_FORM_H

#include "cli/get_parts.h"

/* 40: 24 hyphens, 16 digits of chance, as curl's: nothing that is sent holds it but by 1 in 2^64 */
#define GET_BOUNDARY_LEN 40

struct get_form {
    struct get_parts parts;
    char boundary[GET_BOUNDARY_LEN + 1]; /* "": no field yet */
};

/* get_form_add adds a field as -F writes it: "name=content", "name=@FILE[,FILE...]", "name=<FILE",
 * each followed by ";type=...", ";filename=..." or ";headers=...", quoted where they hold ';' or
 * ','. raw (--form-string): all behind "=" is the content. Returns 0, or the exit code, with what
 * is wrong in err: 2, 26 (a file cannot be read). */
int get_form_add(struct get_form *f, const char *field, bool raw, struct cleat_error *err);

/* get_form_end adds what stands behind the last field. NOMEM, LIMIT. */
CL_MUST cl_result get_form_end(struct get_form *f);

void get_form_deinit(struct get_form *f);

#endif
