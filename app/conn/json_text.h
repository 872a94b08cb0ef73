/* conn/json_text.h - JSON strings of what peers say. */
#ifndef CL_CONN_JSON_TEXT_H
#define CL_CONN_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* cl_json_text makes a JSON string of bytes that may not be UTF-8: then each that is not ASCII
 * becomes '?'. null when memory is short. */
json_t *cl_json_text(const char *p, size_t len);

#endif
