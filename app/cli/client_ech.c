/* cli/client_ech.c - see client_ech.h. */
#include "cli/client_ech.h"

#include <string.h>
#include <unistd.h>

#include "base/pem.h"
#include "base/text.h"
#include "cleat/ech.h"
#include "cli/read_file.h"

/* 128 KiB: the longest list in base64, and a key beside it */
#define MAX_FILE 131072

static bool bad(struct cleat_error *err, const char *source, const char *why)
{
    const struct cl_why reason = {.code = CLEAT_ERR_BAD_ECH_CONFIG, .section = "RFC 9849 4"};
    (void)cl_error_set(err, reason, "%.80s: %s", source, why);
    err->alert = 0; /* there is nobody to be told */
    return false;
}

static bool is_list(const struct cl_buf *b)
{
    struct cleat_ech_config c;
    return b->len != 0 && cleat_ech_list_get(b->p, b->len, 0, &c) == CLEAT_OK;
}

static bool decode_base64(const char *text, size_t len, struct cl_buf *out)
{
    size_t got = 0;
    if (cl_buf_reserve(out, len, MAX_FILE) != CL_OK ||
        !cl_base64_decode(text, len, true, out->p, out->cap, &got)) {
        return false;
    }
    out->len = got;
    return true;
}

static bool decode_pem(const struct cl_buf *text, struct cl_buf *out)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    bool found = false;
    cl_pem_init(&pem, (const char *)text->p, text->len, NULL);
    while (cl_pem_next(&pem, &block, &found) == CL_OK && found) {
        if (cl_rd_equal_str(block.label, "ECHCONFIG")) {
            out->len = 0;
            return cl_pem_decode(&pem, &block, out, MAX_FILE) == CL_OK;
        }
    }
    return false;
}

static bool decode(const struct cl_buf *text, struct cl_buf *out)
{
    if (is_list(text)) {
        return cl_buf_append(out, text->p, text->len, MAX_FILE) == CL_OK;
    }
    return decode_pem(text, out) || decode_base64((const char *)text->p, text->len, out);
}

bool client_ech_read(const char *source, struct cl_buf *out, struct cleat_error *err)
{
    struct cl_buf text = {0};
    const char *why = "";
    bool ok = true;
    if (strcmp(source, "-") != 0 && access(source, F_OK) != 0) {
        ok = decode_base64(source, strlen(source), out) ||
             bad(err, source, "there is no such file, and it is not base64");
    } else if (!cl_read_file(source, &text, MAX_FILE, &why)) {
        ok = bad(err, source, why);
    } else {
        ok = decode(&text, out) ||
             bad(err, source, "it holds no ECHCONFIG block, no base64, and no ECHConfigList");
    }
    cl_buf_deinit(&text);
    return ok && (is_list(out) || bad(err, source, "it is not an ECHConfigList"));
}

bool client_ech_parse(const char *text, struct client_ech *out, struct cleat_error *err)
{
    *out = (struct client_ech){.mode = CLIENT_ECH_GREASE};
    static const struct {
        const char *word;
        enum client_ech_mode mode;
    } words[] = {
        {"grease", CLIENT_ECH_GREASE},
        {"false", CLIENT_ECH_OFF},
        {"true", CLIENT_ECH_DNS},
        {"hard", CLIENT_ECH_HARD},
    };
    if (text == NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i].word) == 0) {
            out->mode = words[i].mode;
            return true;
        }
    }
    out->mode = CLIENT_ECH_GIVEN;
    if (text[0] == '@') {
        return client_ech_read(text + 1, &out->list, err);
    }
    if (strncmp(text, "ecl:", 4) == 0) {
        return (decode_base64(text + 4, strlen(text + 4), &out->list) && is_list(&out->list)) ||
               bad(err, text, "it is not an ECHConfigList in base64");
    }
    return bad(err, text, "--ech takes grease, true, hard, false, ecl:BASE64 or @FILE");
}

void client_ech_deinit(struct client_ech *ech)
{
    cl_buf_deinit(&ech->list);
}
