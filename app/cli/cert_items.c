/* cli/cert_items.c - see cert_items.h. Everything that was read is wiped: it may be a key. */
#include "cli/cert_items.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pem.h"
#include "cli/cert_looks.h"
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
        CL_TRY(cl_buf_append(&item->headers, headers.p, headers.len, CERT_ITEMS_MAX_FILE));
    }
    struct cl_pem walk = *pem;
    walk.err = &inner;
    const cl_result r = cl_pem_decode(&walk, block, &item->der, CERT_ITEMS_MAX_FILE);
    if (r != CL_OK) {
        return cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", path,
                            inner.text[0] != '\0' ? inner.text : cleat_error_sentence((int)r));
    }
    /* sealed in the old way: nothing that can be looked at */
    return item->headers.len != 0 ? CL_OK : check_kind(item, block->label, path, err);
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

/* The next thing: a DER value, or all that is left when it is of a kind that is no DER. */
static enum cl_kind next_thing(struct cl_rd *bytes, struct cl_rd *whole)
{
    struct cl_rd body;
    uint8_t tag;
    enum cl_kind kind = cl_kind_of(*bytes);
    if (kind == CL_KIND_PKCS12 || kind == CL_KIND_SCTS) {
        *whole = *bytes;
        *bytes = (struct cl_rd){0};
        return kind;
    }
    return cl_der_any(bytes, &tag, &body, whole) ? cl_kind_of(*whole) : CL_KIND_NONE;
}

static cl_result add_der(struct cert_items *list, const char *path, struct cl_rd bytes,
                         struct cleat_error *err)
{
    const struct cl_rd all = bytes;
    while (!cl_rd_done(&bytes)) {
        struct cert_item *item;
        struct cl_rd whole;
        const enum cl_kind kind = next_thing(&bytes, &whole);
        if (kind == CL_KIND_NONE) {
            return cert_looks_explain(all, path, err);
        }
        CL_TRY(grow(list, path, &item, err));
        item->kind = kind;
        CL_TRY(cl_buf_append(&item->der, whole.p, whole.len, CERT_ITEMS_MAX_FILE));
    }
    return CL_OK;
}

cl_result cert_items_parse(struct cert_items *out, const char *path, struct cl_rd bytes,
                           struct cleat_error *err)
{
    static const char begin[] = "-----BEGIN ";
    *out = (struct cert_items){0};
    out->is_pem = bytes.len != 0 && memmem(bytes.p, bytes.len, begin, sizeof(begin) - 1) != NULL;
    CL_TRY(out->is_pem ? add_pem(out, path, bytes, err) : add_der(out, path, bytes, err));
    return out->num != 0 ? CL_OK : cert_looks_explain(bytes, path, err);
}

cl_result cert_items_read(struct cert_items *out, const char *path, struct cleat_error *err)
{
    struct cl_buf text = {0};
    const char *why = "";
    *out = (struct cert_items){0};
    cl_result r =
        cl_read_file(path, &text, CERT_ITEMS_MAX_FILE, &why)
            ? cert_items_parse(out, path, cl_buf_view(&text), err)
            : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "%s: %s", path, why);
    cl_buf_deinit(&text);
    return r;
}

static void item_deinit(struct cert_item *item)
{
    cl_buf_deinit(&item->der);
    cl_buf_deinit(&item->headers);
    cl_free(item->name);
}

void cert_items_deinit(struct cert_items *list)
{
    for (size_t i = 0; i < list->num; i++) {
        item_deinit(&list->items[i]);
    }
    cl_free(list->items);
    *list = (struct cert_items){0};
}

/* ---- open ---- */

static cl_result name_path(struct cleat_error *err, cl_result r, const char *path,
                           const struct cleat_error *inner)
{
    return cl_error_set(err, (struct cl_why){.code = r, .hint = inner->hint}, "%s: %s", path,
                        inner->text[0] != '\0' ? inner->text : cleat_error_sentence((int)r));
}

/* A number for the bag's localKeyId: its place among those that have the same. */
static uint32_t id_of(const struct cl_pkcs12 *p12, size_t n)
{
    for (size_t i = 0; i <= n && p12->bags[n].id_len != 0; i++) {
        if (cl_rd_equal(cl_rd_of(p12->bags[i].id, p12->bags[i].id_len),
                        cl_rd_of(p12->bags[n].id, p12->bags[n].id_len))) {
            return (uint32_t)i + 1;
        }
    }
    return 0;
}

/* Keys first, then what has the same id, then the rest: as other programs want the PEM. */
static cl_result add_bags(struct cert_items *list, const char *path, struct cl_pkcs12 *p12,
                          enum cl_pkcs12_what what, bool with_id, struct cleat_error *err)
{
    static const enum cl_kind kinds[] = {[CL_PKCS12_CERT] = CL_KIND_CERT,
                                         [CL_PKCS12_KEY] = CL_KIND_PKCS8,
                                         [CL_PKCS12_CRL] = CL_KIND_CRL};
    for (size_t i = 0; i < p12->num_bags; i++) {
        struct cl_pkcs12_bag *bag = &p12->bags[i];
        struct cert_item *item;
        if (bag->what != what || (bag->id_len != 0) != with_id) {
            continue;
        }
        CL_TRY(grow(list, path, &item, err));
        item->kind = kinds[what];
        item->id = id_of(p12, i);
        item->name = bag->name[0] != '\0' ? cl_strndup(bag->name, sizeof(bag->name)) : NULL;
        item->der = bag->der; /* moves */
        bag->der = (struct cl_buf){0};
    }
    return CL_OK;
}

cl_result cert_pkcs12_open(struct cl_pkcs12 *out, struct cl_rd file, const char *path,
                           struct cert_opening *how, struct cleat_error *err)
{
    struct cleat_error inner = {0};
    struct cl_rd word = cl_rd_str("");
    struct cert_opening none = {.passphrase = {0}};
    how = how != NULL ? how : &none;
    *out = (struct cl_pkcs12){0};
    cl_result r = cl_pkcs12_look(out, file, &inner);
    if (r == CL_OK && out->needs_passphrase) {
        CL_TRY(cl_passphrase_get(&how->passphrase, path, &word, err));
    }
    r = r == CL_OK ? cl_pkcs12_open(out, file, word, how->without_mac, &inner) : r;
    return r == CL_OK ? CL_OK : name_path(err, r, path, &inner);
}

static cl_result unpack(struct cert_items *list, const struct cert_item *item, const char *path,
                        struct cert_opening *how, struct cleat_error *err)
{
    static const enum cl_pkcs12_what order[] = {CL_PKCS12_KEY, CL_PKCS12_CERT, CL_PKCS12_CRL};
    struct cl_pkcs12 p12;
    cl_result r = cert_pkcs12_open(&p12, cl_buf_view(&item->der), path, how, err);
    for (size_t i = 0; i < 2 * sizeof(order) / sizeof(order[0]) && r == CL_OK; i++) {
        r = add_bags(list, path, &p12, order[i / 2], i % 2 == 0, err);
    }
    cl_pkcs12_deinit(&p12);
    return r;
}

cl_result cert_items_open(struct cert_items *list, const char *path, struct cert_opening *how,
                          struct cleat_error *err)
{
    const struct cert_item *packed = cert_items_first(list, CL_KIND_PKCS12);
    if (packed == NULL) {
        return CL_OK;
    }
    struct cert_items old = *list;
    *list = (struct cert_items){.is_pem = old.is_pem, .is_pkcs12 = true};
    cl_result r = CL_OK;
    for (size_t i = 0; i < old.num && r == CL_OK; i++) {
        struct cert_item *item = &old.items[i];
        if (item->kind == CL_KIND_PKCS12) {
            r = unpack(list, item, path, how, err);
        } else {
            struct cert_item *moved;
            r = grow(list, path, &moved, err);
            if (r == CL_OK) {
                *moved = *item;
                *item = (struct cert_item){0};
            }
        }
    }
    cert_items_deinit(&old);
    return r;
}

cl_result cert_items_load(struct cert_items *out, const char *path, struct cert_opening *how,
                          struct cleat_error *err)
{
    CL_TRY(cert_items_read(out, path, err));
    return cert_items_open(out, path, how, err);
}

int cert_pass_set(const char **from, const struct cl_options *o)
{
    *from = o->value;
    return cl_passphrase_valid(o->value)
               ? 0
               : cl_options_complain(o->usage, "%s takes " CL_PASSPHRASE_SOURCES ", not '%s'",
                                     o->spelled, o->value);
}

void cert_opening_init(struct cert_opening *how, const char *passin)
{
    *how = (struct cert_opening){
        .passphrase = {.from = passin, .option = "--passin", .may_ask = true}};
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

static cl_result plain_key(const struct cert_item *item, const char *path, struct cert_opening *how,
                           struct cl_buf *out, struct cleat_error *err)
{
    struct cleat_error inner = {0};
    struct cl_rd word;
    const struct cl_rd der = cl_buf_view(&item->der);
    struct cert_opening none = {.passphrase = {0}};
    how = how != NULL ? how : &none;
    CL_TRY(cl_passphrase_get(&how->passphrase, path, &word, err));
    const cl_result r =
        item->headers.len != 0
            ? cl_sealed_open_pem(out, cl_buf_view(&item->headers), der, word, &inner)
            : cl_sealed_open(out, der, word, &inner);
    return r == CL_OK ? CL_OK : name_path(err, r, path, &inner);
}

cl_result cert_item_key(const struct cert_item *item, const char *path, struct cert_opening *how,
                        struct cleat_key **out, struct cleat_error *err)
{
    struct cl_buf plain = {0};
    struct cl_buf pem = {0};
    struct cleat_error inner = {0};
    const bool sealed = cert_item_is_sealed(item);
    const enum cl_kind kind = item->kind == CL_KIND_PKCS8_SEALED ? CL_KIND_PKCS8 : item->kind;
    cl_result r = sealed ? plain_key(item, path, how, &plain, err) : CL_OK;
    if (r == CL_OK) {
        r = cl_pem_encode(cl_kind_label(kind), cl_buf_view(sealed ? &plain : &item->der), &pem);
    }
    if (r == CL_OK) {
        r = (cl_result)cleat_key_from_pem((const char *)pem.p, pem.len, out, &inner);
    }
    cl_buf_deinit(&plain);
    cl_buf_deinit(&pem);
    return r == CL_OK ? CL_OK : name_path(err, r, path, &inner);
}

cl_result cert_key_read(const char *path, struct cert_opening *how, struct cleat_key **out,
                        struct cleat_error *err)
{
    struct cert_items list = {0};
    *out = NULL;
    cl_result r = cert_items_load(&list, path, how, err);
    if (r == CL_OK) {
        const struct cert_item *item = cert_items_private(&list);
        r = item != NULL ? cert_item_key(item, path, how, out, err)
                         : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_KEY},
                                        "%s: it holds no private key", path);
    }
    cert_items_deinit(&list);
    return r;
}

cl_result cert_read(const char *path, struct cert_opening *how, struct cleat_cert **out,
                    struct cleat_error *err)
{
    struct cert_items list = {0};
    struct cleat_error inner = {0};
    *out = NULL;
    cl_result r = cert_items_load(&list, path, how, err);
    if (r == CL_OK) {
        const struct cert_item *item = cert_items_first(&list, CL_KIND_CERT);
        if (item == NULL) {
            r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                             "%s: it holds no certificate", path);
        } else {
            r = cl_cert_parse(out, cl_buf_view(&item->der), &inner);
            r = r == CL_OK ? CL_OK : name_path(err, r, path, &inner);
        }
    }
    cert_items_deinit(&list);
    return r;
}

/* ---- write ---- */

struct cl_passphrase cert_new_passphrase(const char *passout)
{
    return (struct cl_passphrase){
        .from = passout, .option = "--passout", .may_ask = true, .fresh = true};
}

cl_result cert_seal_der(struct cl_rd pkcs8, const char *what, struct cl_passphrase *word,
                        struct cl_buf *out, struct cleat_error *err)
{
    struct cl_rd text;
    CL_TRY(cl_passphrase_get(word, what, &text, err));
    return cl_sealed_make(out, pkcs8, text, err);
}

cl_result cert_seal(struct cl_rd pkcs8, const char *what, struct cl_passphrase *word,
                    struct cl_buf *out, struct cleat_error *err)
{
    struct cl_buf der = {0};
    cl_result r = cert_seal_der(pkcs8, what, word, &der, err);
    if (r == CL_OK) {
        r = cl_pem_encode(cl_kind_label(CL_KIND_PKCS8_SEALED), cl_buf_view(&der), out);
    }
    cl_buf_deinit(&der);
    return r;
}

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
