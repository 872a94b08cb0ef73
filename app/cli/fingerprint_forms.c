/* cli/fingerprint_forms.c - every form of a ClientHello's fingerprints; see fingerprint.h. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/fingerprint.h"
#include "tls/fingerprint.h"
#include "tls/wire.h"

static const char *const keys[CLEAT_JA4_RO + 1] = {"ja3",   "ja3_full", "ja4",
                                                   "ja4_r", "ja4_o",    "ja4_ro"};

static int form_of(struct cl_rd message, enum cleat_fingerprint form, char **out,
                   struct cleat_error *err)
{
    size_t len = 0;
    int code = cleat_fingerprint(form, CLEAT_HELLO_TCP, message.p, message.len, NULL, &len, err);
    if (code != CLEAT_ERR_LIMIT) {
        return code;
    }
    *out = cl_alloc(len);
    return *out == NULL
               ? CLEAT_ERR_NOMEM
               : cleat_fingerprint(form, CLEAT_HELLO_TCP, message.p, message.len, *out, &len, err);
}

/* RFC 6066 3: the first name of the list. */
static void find_server_name(struct cl_rd message, char *out, size_t cap)
{
    struct cl_hello_print p;
    struct cl_rd block;
    struct cl_rd body;
    struct cl_rd list;
    struct cl_rd name;
    uint16_t type;
    uint8_t kind;
    if (cl_hello_print_parse(message, &p, NULL) != CL_OK) {
        return;
    }
    block = p.extensions;
    while (cl_rd_u16(&block, &type) && cl_rd_vec16(&block, &body)) {
        if (type == CL_ET_SERVER_NAME && cl_rd_vec16(&body, &list) && cl_rd_u8(&list, &kind) &&
            cl_rd_vec16(&list, &name) && name.len < cap) {
            memcpy(out, name.p, name.len);
            out[name.len] = '\0';
            cl_text_make_printable(out);
            return;
        }
    }
}

void fingerprints_of(struct cl_rd message, struct fingerprints *out)
{
    *out = (struct fingerprints){0};
    for (int form = CLEAT_JA3; form <= CLEAT_JA4_RO; form++) {
        struct cleat_error err = {0};
        const int code = form_of(message, (enum cleat_fingerprint)form, &out->text[form], &err);
        if (code != CLEAT_OK && code != CLEAT_ERR_UNSUPPORTED) {
            (void)cl_error_set(&err, (struct cl_why){.code = (cl_result)code}, "%s",
                               cleat_error_sentence(code));
            out->error = err;
            return;
        }
    }
    find_server_name(message, out->server_name, sizeof(out->server_name));
}

void fingerprints_free(struct fingerprints *f)
{
    for (int form = CLEAT_JA3; form <= CLEAT_JA4_RO; form++) {
        cl_free(f->text[form]);
    }
    *f = (struct fingerprints){0};
}

void fingerprints_json(const struct fingerprints *f, json_t *object)
{
    if (f->error.code != CLEAT_OK) {
        (void)json_object_set_new(object, "error", json_string(f->error.text));
        return;
    }
    json_t *name = f->server_name[0] != '\0' ? json_string(f->server_name) : NULL;
    (void)json_object_set_new(object, "server_name", name != NULL ? name : json_null());
    for (int form = CLEAT_JA3; form <= CLEAT_JA4_RO; form++) {
        (void)json_object_set_new(object, keys[form],
                                  f->text[form] != NULL ? json_string(f->text[form]) : json_null());
    }
}
