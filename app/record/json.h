/* record/json.h - the few forms that values have in a recording: numbers, switches, and bytes in
 * hexadecimal, as packet captures show them.
 *
 * Getters check what they read: a recording is somebody else's file. What is absent is 0, false or
 * empty; what is there and has another form, or is out of bounds, is an error (false).
 */
#ifndef CL_RECORD_JSON_H
#define CL_RECORD_JSON_H

#include <jansson.h>

#include "base/buf.h"

/* cl_rec_hex makes a string of 2 * len digits; NULL when memory is short (jansson's setters pass
 * that on). */
json_t *cl_rec_hex(const void *p, size_t len);

/* cl_rec_text makes a string of what may hold any bytes: those that are not UTF-8 become '?'. */
json_t *cl_rec_text(const char *text);

/* cl_rec_put sets a member that is not empty. */
void cl_rec_put_hex(json_t *o, const char *key, const void *p, size_t len);
void cl_rec_put_number(json_t *o, const char *key, uint64_t n);

CL_RD_MUST bool cl_rec_get_number(const json_t *o, const char *key, uint64_t max, uint64_t *out);
CL_RD_MUST bool cl_rec_get_bool(const json_t *o, const char *key, bool *out);
/* cl_rec_get_hex appends to out, at most max bytes. */
CL_RD_MUST bool cl_rec_get_hex(const json_t *o, const char *key, size_t max, struct cl_buf *out);
/* cl_rec_take_hex is the same for a value of its own. */
CL_RD_MUST bool cl_rec_take_hex(const json_t *value, size_t max, struct cl_buf *out);
/* cl_rec_get_list gives an array of at most max items, or NULL when it is absent. */
CL_RD_MUST bool cl_rec_get_list(const json_t *o, const char *key, size_t max, const json_t **out);
/* cl_rec_get_text gives a string, or NULL when it is absent. */
CL_RD_MUST bool cl_rec_get_text(const json_t *o, const char *key, const char **out);

/* cl_rec_index returns where a name stands in a list of num names; num when it does not. */
size_t cl_rec_index(const char *const *names, size_t num, const char *name);

#endif
