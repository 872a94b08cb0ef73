/* cli/get_body.c - gather the request body in memory. */
#include "cli/get_body.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/get_codes.h"
#include "cli/read_file.h"

/* curl's -d @FILE leaves out CR, LF and NUL. */
static void strip_line_ends(struct cl_buf *b, size_t from)
{
    size_t to = from;
    for (size_t i = from; i < b->len; i++) {
        uint8_t c = b->p[i];
        if (c != '\r' && c != '\n' && c != '\0') {
            b->p[to++] = c;
        }
    }
    b->len = to;
}

static int add(struct get_options *o, const struct cl_options *from, bool files, bool strip)
{
    const char *value = from->value, *why = "";
    bool joined = o->has_body && !o->json;
    if (joined && cl_buf_append(&o->body, "&", 1, GET_MAX_BODY) != CL_OK) {
        return cl_options_complain(&get_usage, "%s: the body is too large", from->spelled);
    }
    o->has_body = true;
    if (files && value[0] == '@') {
        size_t start = o->body.len;
        if (!cl_read_file(value + 1, &o->body, GET_MAX_BODY, &why)) {
            (void)cl_options_complain(&get_usage, "%s: cannot read %s: %s", from->spelled,
                                      value + 1, why);
            return GET_EXIT_READ_FILE;
        }
        if (strip) {
            strip_line_ends(&o->body, start);
        }
        return 0;
    }
    if (cl_buf_append(&o->body, value, strlen(value), GET_MAX_BODY) != CL_OK) {
        return cl_options_complain(&get_usage, "%s: the body is too large", from->spelled);
    }
    return 0;
}

static int add_form(struct get_options *o, const struct cl_options *from, bool files, bool strip)
{
    if (o->json) {
        return cl_options_complain(&get_usage, "%s cannot be combined with --json", from->spelled);
    }
    return add(o, from, files, strip);
}

int get_body_data(void *options, const struct cl_options *from)
{
    return add_form(options, from, true, true);
}

int get_body_raw(void *options, const struct cl_options *from)
{
    return add_form(options, from, false, false);
}

int get_body_binary(void *options, const struct cl_options *from)
{
    return add_form(options, from, true, false);
}

int get_body_json(void *options, const struct cl_options *from)
{
    struct get_options *o = options;
    if (o->has_body && !o->json) {
        return cl_options_complain(&get_usage, "--json cannot be combined with -d");
    }
    o->json = true;
    return add(o, from, true, false);
}
