/* cli/cert_items.c - see cert_items.h. Everything that was read is wiped: it may be a key. */
#include "cli/cert_items.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pem.h"
#include "cli/cli.h"
#include "cli/dev_ca.h"
#include "cli/read_file.h"
#include "x509/cert.h"
#include "x509/der.h"

/* ---- read ---- */

static cl_result grow(struct cert_items *list, const char *path, struct cert_item **out,
                      struct cleat_error *err)
{
    if (list->num == CERT_ITEMS_MAX) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "%s: it holds more than %d things", path, CERT_ITEMS_MAX);
    }
    struct cert_item *grown = cl_realloc(list->items, (list->num + 1) * sizeof(*grown));
    if (grown == NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    list->items = grown;
    *out = &list->items[list->num++];
    **out = (struct cert_item){0};
    return CL_OK;
}

/* The label and what is inside must agree: a key in a block for certificates would be published. */
static cl_result check_kind(const struct cert_item *item, struct cl_rd label, const char *path,
                            struct cleat_error *err)
{
    const enum cl_kind real = cl_kind_of(cl_buf_view(&item->der));
    if (real == item->kind) {
        return CL_OK;
    }
    const char *name = cl_kind_name(real);
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_PEM, .section = "RFC 7468 2"},
                        "%s: line %zu: the block %.*s holds %s%s", path, item->line, (int)label.len,
                        (const char *)label.p, name != NULL ? "another thing: " : "something else",
                        name != NULL ? name : "");
}

static cl_result add_block(struct cert_items *list, const char *path, const struct cl_pem *pem,
                           struct cl_pem_block *block, struct cleat_error *err)
{
    struct cert_item *item;
    struct cl_rd headers;
    struct cleat_error inner = {0};
    CL_TRY(grow(list, path, &item, err));
    item->kind = cl_kind_of_label(block->label);
    item->line = block->line;
    if (cl_kind_is_private(item->kind) && cl_pem_take_headers(block, &headers)) {
        return CL_OK; /* sealed in the old way: nothing that can be looked at */
    }
    struct cl_pem walk = *pem;
    walk.err = &inner;
    const cl_result r = cl_pem_decode(&walk, block, &item->der, CERT_ITEMS_MAX_FILE);
    if (r != CL_OK) {
        return cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", path,
                            inner.text[0] != '\0' ? inner.text : cleat_error_sentence((int)r));
    }
    return check_kind(item, block->label, path, err);
}

static cl_result add_pem(struct cert_items *list, const char *path, struct cl_rd text,
                         struct cleat_error *err)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    struct cleat_error inner = {0};
    bool found = true;
    cl_pem_init(&pem, (const char *)text.p, text.len, &inner);
    for (;;) {
        const cl_result r = cl_pem_next(&pem, &block, &found);
        if (r != CL_OK) {
            return cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", path, inner.text);
        }
        if (!found) {
            return CL_OK;
        }
        if (cl_kind_of_label(block.label) != CL_KIND_NONE) {
            CL_TRY(add_block(list, path, &pem, &block, err));
        }
    }
}

static cl_result add_der(struct cert_items *list, const char *path, struct cl_rd bytes,
                         struct cleat_error *err)
{
    while (!cl_rd_done(&bytes)) {
        struct cert_item *item;
        struct cl_rd body;
        struct cl_rd whole;
        uint8_t tag;
        if (!cl_der_any(&bytes, &tag, &body, &whole) || cl_kind_of(whole) == CL_KIND_NONE) {
            return cl_error_set(
                err,
                (struct cl_why){.code = CLEAT_ERR_BAD_CERTIFICATE,
                                .hint = "certificates, requests, revocation lists and keys are "
                                        "known, in PEM or DER"},
                "%s: it is neither PEM nor DER of a kind that is known", path);
        }
        CL_TRY(grow(list, path, &item, err));
        item->kind = cl_kind_of(whole);
        CL_TRY(cl_buf_append(&item->der, whole.p, whole.len, CERT_ITEMS_MAX_FILE));
    }
    return CL_OK;
}

cl_result cert_items_read(struct cert_items *out, const char *path, struct cleat_error *err)
{
    static const char begin[] = "-----BEGIN ";
    struct cl_buf text = {0};
    const char *why = "";
    cl_result r;
    *out = (struct cert_items){0};
    if (!cl_read_file(path, &text, CERT_ITEMS_MAX_FILE, &why)) {
        r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "%s: %s", path, why);
    } else {
        out->is_pem = text.len != 0 && memmem(text.p, text.len, begin, sizeof(begin) - 1) != NULL;
        r = out->is_pem ? add_pem(out, path, cl_buf_view(&text), err)
                        : add_der(out, path, cl_buf_view(&text), err);
    }
    cl_buf_deinit(&text);
    if (r == CL_OK && out->num == 0) {
        r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                         "%s: it holds no certificate, request, revocation list or key", path);
    }
    return r;
}

void cert_items_deinit(struct cert_items *list)
{
    for (size_t i = 0; i < list->num; i++) {
        cl_buf_deinit(&list->items[i].der);
    }
    cl_free(list->items);
    *list = (struct cert_items){0};
}

/* ---- find ---- */

const struct cert_item *cert_items_first(const struct cert_items *list, enum cl_kind kind)
{
    for (size_t i = 0; i < list->num; i++) {
        if (list->items[i].kind == kind) {
            return &list->items[i];
        }
    }
    return NULL;
}

const struct cert_item *cert_items_private(const struct cert_items *list)
{
    for (size_t i = 0; i < list->num; i++) {
        if (cl_kind_is_private(list->items[i].kind)) {
            return &list->items[i];
        }
    }
    return NULL;
}

cl_result cert_item_key(const struct cert_item *item, const char *path, struct cleat_key **out,
                        struct cleat_error *err)
{
    struct cl_buf pem = {0};
    struct cleat_error inner = {0};
    if (item->der.len == 0 || item->kind == CL_KIND_PKCS8_SEALED) {
        return cl_error_set(
            err,
            (struct cl_why){.code = CLEAT_ERR_NEEDS_PASSPHRASE,
                            .hint = "decrypt it: openssl pkey -in key.pem -out plain.pem"},
            "%s: the private key is encrypted with a passphrase", path);
    }
    cl_result r = cl_pem_encode(cl_kind_label(item->kind), cl_buf_view(&item->der), &pem);
    if (r == CL_OK) {
        r = (cl_result)cleat_key_from_pem((const char *)pem.p, pem.len, out, &inner);
    }
    cl_buf_deinit(&pem);
    return r == CL_OK
               ? CL_OK
               : cl_error_set(err, (struct cl_why){.code = r, .hint = inner.hint}, "%s: %s", path,
                              inner.text[0] != '\0' ? inner.text : cleat_error_sentence((int)r));
}

cl_result cert_key_read(const char *path, struct cleat_key **out, struct cleat_error *err)
{
    struct cert_items list = {0};
    *out = NULL;
    cl_result r = cert_items_read(&list, path, err);
    if (r == CL_OK) {
        const struct cert_item *item = cert_items_private(&list);
        r = item != NULL ? cert_item_key(item, path, out, err)
                         : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_KEY},
                                        "%s: it holds no private key", path);
    }
    cert_items_deinit(&list);
    return r;
}

cl_result cert_read(const char *path, struct cleat_cert **out, struct cleat_error *err)
{
    struct cert_items list = {0};
    struct cleat_error inner = {0};
    *out = NULL;
    cl_result r = cert_items_read(&list, path, err);
    if (r == CL_OK) {
        const struct cert_item *item = cert_items_first(&list, CL_KIND_CERT);
        if (item == NULL) {
            r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                             "%s: it holds no certificate", path);
        } else {
            r = cl_cert_parse(out, cl_buf_view(&item->der), &inner);
            r = r == CL_OK
                    ? CL_OK
                    : cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", path, inner.text);
        }
    }
    cert_items_deinit(&list);
    return r;
}

/* ---- write ---- */

cl_result cert_output(const char *path, struct cl_rd bytes, unsigned mode, bool force,
                      struct cleat_error *err)
{
    if (path == NULL || strcmp(path, "-") == 0) {
        return fwrite(bytes.p, 1, bytes.len, stdout) == bytes.len && fflush(stdout) == 0
                   ? CL_OK
                   : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                                  "cannot write to standard output");
    }
    if (!force && access(path, F_OK) == 0) {
        return cl_error_set(err,
                            (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                            .hint = "choose another name, or say --force"},
                            "%s exists, and is not written over", path);
    }
    return dev_file_write(path, bytes, mode, err);
}

int cert_tool_complain(const char *command, const struct cleat_error *err)
{
    (void)fprintf(stderr, "cleat %s: %s\n", command, err->text);
    if (err->hint[0] != '\0') {
        (void)fprintf(stderr, "  hint: %s\n", err->hint);
    }
    return CL_EXIT_FAILURE;
}

int cert_tool_finish(const char *command, cl_result r, const char *what, struct cleat_error *err)
{
    if (r == CL_OK) {
        return CL_EXIT_OK;
    }
    (void)cl_error_set(err, (struct cl_why){.code = r}, "%s cannot be made: %s", what,
                       cleat_error_sentence((int)r));
    return cert_tool_complain(command, err);
}
