/* cli/get_body.c - gather what the request body is made of. */
#include "cli/get_body.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/get_codes.h"

static int complain_size(const struct cl_options *from)
{
    return cl_options_complain(&get_usage, "%s: the body is too large", from->spelled);
}

static int add(struct get_options *o, const struct cl_options *from, bool files, bool strip)
{
    const char *value = from->value, *why = "";
    bool joined = o->has_body && !o->json;
    if (joined && get_parts_bytes(&o->body, "&", 1) != CL_OK) {
        return complain_size(from);
    }
    o->has_body = true;
    if (files && value[0] == '@') {
        if (!get_parts_file(&o->body, value + 1, 0, strip, &why)) {
            (void)cl_options_complain(&get_usage, "%s: cannot read %s: %s", from->spelled,
                                      value + 1, why);
            return GET_EXIT_READ_FILE;
        }
        return 0;
    }
    return get_parts_bytes(&o->body, value, strlen(value)) == CL_OK ? 0 : complain_size(from);
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

static int add_field(void *options, const struct cl_options *from, bool raw)
{
    struct cleat_error err = {0};
    int code = get_form_add(&((struct get_options *)options)->form, from->value, raw, &err);
    if (code != 0) {
        (void)cl_options_complain(&get_usage, "%s%s%s", err.text, err.hint[0] != '\0' ? "; " : "",
                                  err.hint);
    }
    return code;
}

int get_body_form(void *options, const struct cl_options *from)
{
    return add_field(options, from, false);
}

int get_body_form_string(void *options, const struct cl_options *from)
{
    return add_field(options, from, true);
}
