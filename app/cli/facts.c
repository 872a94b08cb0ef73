/* cli/facts.c - see facts.h. */
#include "cli/facts.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "x509/der.h"

#define DAY     86400
/* 256 bytes: of longer ones the beginning is shown; numbers and identifiers have 32 at most */
#define MAX_HEX 256

static void line(const struct facts *f, const char *label, const char *text)
{
    if (f->out != NULL && label != NULL) {
        (void)fprintf(f->out, "  %-12s %s\n", label, text);
    }
}

static void set(struct facts *f, const char *key, json_t *value)
{
    if (f->out == NULL && key != NULL) {
        (void)json_object_set_new(f->object, key, value);
    } else {
        json_decref(value);
    }
}

void facts_text(struct facts *f, const char *label, const char *key, const char *text)
{
    if (f->out == NULL) {
        json_t *value = text[0] != '\0' ? json_string(text) : json_null();
        set(f, key, value != NULL ? value : json_string("(not UTF-8)"));
        return;
    }
    char *copy = cl_strndup(text, strlen(text));
    if (copy != NULL && text[0] != '\0') {
        cl_text_make_printable(copy);
        line(f, label, copy);
    }
    cl_free(copy);
}

void facts_number(struct facts *f, const char *label, const char *key, int64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    line(f, label, text);
    set(f, key, json_integer(number));
}

void facts_flag(struct facts *f, const char *label, const char *key, bool so)
{
    if (so) {
        line(f, label, "yes");
    }
    set(f, key, json_boolean(so));
}

void facts_time(struct facts *f, const char *label, const char *key, int64_t t)
{
    char iso[CL_TIME_TEXT];
    char text[CL_TIME_TEXT + 40];
    if (t == INT64_MIN) {
        set(f, key, json_null());
        return;
    }
    cl_time_text(t, iso);
    const int64_t away = t > f->now ? t - f->now : f->now - t;
    const bool hours = away < 2 * DAY;
    (void)snprintf(text, sizeof(text), "%s (%s%" PRId64 " %s%s)", iso, t > f->now ? "in " : "",
                   away / (hours ? 3600 : DAY), hours ? "hours" : "days", t > f->now ? "" : " ago");
    line(f, label, text);
    set(f, key, json_string(iso));
}

void facts_hex(struct facts *f, const char *label, const char *key, struct cl_rd bytes)
{
    char text[2 * MAX_HEX + 1];
    cl_hex_encode(bytes.p, bytes.len < MAX_HEX ? bytes.len : MAX_HEX, text);
    facts_text(f, label, key, text);
}

struct facts facts_sub(struct facts *f, const char *key)
{
    struct facts sub = *f;
    if (f->out == NULL) {
        json_t *list = json_object_get(f->object, key);
        if (list == NULL) {
            list = json_array();
            (void)json_object_set_new(f->object, key, list);
        }
        sub.object = json_object();
        (void)json_array_append_new(list, sub.object);
    }
    return sub;
}
