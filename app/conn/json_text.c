/* conn/json_text.c - see json_text.h. */
#include "conn/json_text.h"

#include "base/mem.h"

/* jansson refuses what is not UTF-8. */
json_t *cl_json_text(const char *p, size_t len)
{
    json_t *value = json_stringn(p, len);
    if (value != NULL) {
        return value;
    }
    char *copy = cl_strndup(p, len);
    if (copy == NULL) {
        return json_null();
    }
    for (size_t i = 0; copy[i] != '\0'; i++) {
        copy[i] = (unsigned char)copy[i] < 0x80 ? copy[i] : '?';
    }
    value = json_string(copy);
    cl_free(copy);
    return value != NULL ? value : json_null();
}
