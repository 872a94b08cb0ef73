/* record/json.c - see json.h. */
#include "record/json.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

json_t *cl_rec_hex(const void *p, size_t len)
{
    char *text = cl_alloc(2 * len + 1);
    if (text == NULL) {
        return NULL;
    }
    cl_hex_encode(p, len, text);
    json_t *value = json_stringn_nocheck(text, 2 * len);
    cl_free_secret(text, 2 * len + 1);
    return value;
}

json_t *cl_rec_text(const char *text)
{
    json_t *value = json_string(text);
    char *copy = value == NULL ? cl_strndup(text, strlen(text)) : NULL;
    for (char *c = copy; c != NULL && *c != '\0'; c++) {
        *c = (uint8_t)*c >= 0x80 ? '?' : *c;
    }
    if (copy != NULL) {
        value = json_string(copy);
    }
    cl_free(copy);
    return value;
}

void cl_rec_put_hex(json_t *o, const char *key, const void *p, size_t len)
{
    if (len != 0) {
        (void)json_object_set_new(o, key, cl_rec_hex(p, len));
    }
}

void cl_rec_put_number(json_t *o, const char *key, uint64_t n)
{
    if (n != 0) {
        (void)json_object_set_new(o, key, json_integer((json_int_t)n));
    }
}

bool cl_rec_get_number(const json_t *o, const char *key, uint64_t max, uint64_t *out)
{
    const json_t *value = json_object_get(o, key);
    *out = 0;
    if (value == NULL) {
        return true;
    }
    json_int_t n = json_integer_value(value);
    *out = (uint64_t)n;
    return json_is_integer(value) && n >= 0 && (uint64_t)n <= max;
}

bool cl_rec_get_bool(const json_t *o, const char *key, bool *out)
{
    const json_t *value = json_object_get(o, key);
    *out = json_is_true(value);
    return value == NULL || json_is_boolean(value);
}

bool cl_rec_take_hex(const json_t *value, size_t max, struct cl_buf *out)
{
    const size_t digits = json_string_length(value);
    size_t len = 0;
    if (!json_is_string(value) || digits / 2 > max ||
        cl_buf_reserve(out, digits / 2 + 1, out->len + max + 1) != CL_OK ||
        !cl_hex_decode(json_string_value(value), digits, out->p + out->len, digits / 2, &len)) {
        return false;
    }
    out->len += len;
    return true;
}

bool cl_rec_get_hex(const json_t *o, const char *key, size_t max, struct cl_buf *out)
{
    const json_t *value = json_object_get(o, key);
    return value == NULL || cl_rec_take_hex(value, max, out);
}

bool cl_rec_get_list(const json_t *o, const char *key, size_t max, const json_t **out)
{
    *out = json_object_get(o, key);
    return *out == NULL || (json_is_array(*out) && json_array_size(*out) <= max);
}

bool cl_rec_get_text(const json_t *o, const char *key, const char **out)
{
    const json_t *value = json_object_get(o, key);
    *out = json_string_value(value);
    return value == NULL || *out != NULL;
}

size_t cl_rec_index(const char *const *names, size_t num, const char *name)
{
    size_t i = 0;
    while (i < num && (name == NULL || strcmp(names[i], name) != 0)) {
        i++;
    }
    return i;
}
