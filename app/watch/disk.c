/* watch/disk.c - the file of a target: its chain (PEM, or one certificate in DER) and its key. */
#include "base/pem.h"
#include "crypto/key.h"
#include "net/small_file.h"
#include "watch/facts.h"

/* 4 MiB: a bundle of all CAs has 220 KB */
#define MAX_FILE (4u << 20)

static cl_result read_chain(struct cl_watch_side *side, struct cl_rd bytes)
{
    if (bytes.len > 0 && bytes.p[0] == 0x30) { /* SEQUENCE: DER */
        return cl_chain_from_der(&side->chain, &bytes, 1, &side->error);
    }
    return (cl_result)cleat_chain_from_pem((const char *)bytes.p, bytes.len, &side->chain,
                                           &side->error);
}

/* Whether a PEM text has a block with such a label. */
static bool has_private_key(struct cl_rd text)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    bool found = true;
    cl_pem_init(&pem, (const char *)text.p, text.len, NULL);
    while (cl_pem_next(&pem, &block, &found) == CL_OK && found) {
        static const char end[] = "PRIVATE KEY";
        const size_t len = sizeof(end) - 1;
        if (block.label.len >= len &&
            memcmp(block.label.p + block.label.len - len, end, len) == 0) {
            return true;
        }
    }
    return false;
}

static void look_at_key(struct cl_watch_facts *f, const char *path, struct cl_rd text)
{
    struct cleat_key *key = NULL;
    struct cleat_error detail = {0};
    int code = cleat_key_from_pem((const char *)text.p, text.len, &key, &detail);
    if (code != CLEAT_OK) {
        f->key = CL_WATCH_KEY_UNREADABLE;
        (void)cl_error_set(&f->key_error,
                           (struct cl_why){.code = (cl_result)code, .hint = detail.hint},
                           "the private key of %s cannot be used: %s", path,
                           detail.text[0] != '\0' ? detail.text : cleat_error_sentence(code));
        return;
    }
    const bool same = cl_rd_equal(cl_cert_spki(cl_chain_at(f->disk.chain, 0)), cl_key_spki(key));
    f->key = same ? CL_WATCH_KEY_SAME : CL_WATCH_KEY_DIFFERS;
    cleat_key_free(key);
}

static cl_result read_key_file(struct cl_watch_facts *f, const char *path)
{
    const struct cl_small_file file = {.what = "the private key", .path = path, .max = MAX_FILE};
    struct cl_buf text = {0};
    cl_result r = cl_small_file_read(&file, &text, &f->key_error);
    if (r == CL_OK) {
        look_at_key(f, path, cl_buf_view(&text));
    } else {
        f->key = CL_WATCH_KEY_UNREADABLE;
    }
    cl_buf_deinit(&text);
    return r == CLEAT_ERR_NOMEM ? r : CL_OK;
}

cl_result cl_watch_read_disk(struct cl_watch_facts *f, const char *key_file,
                             const struct cl_watch_judges *judges)
{
    const struct cl_small_file file = {.what = "the certificate", .path = f->file, .max = MAX_FILE};
    struct cl_buf text = {0};
    f->disk.on_disk = true;
    cl_result r = cl_small_file_read(&file, &text, &f->disk.error);
    r = r == CL_OK ? read_chain(&f->disk, cl_buf_view(&text)) : r;
    f->disk.reach = r == CL_OK ? CL_WATCH_SEEN : CL_WATCH_UNREADABLE;
    if (r == CL_OK && key_file == NULL && has_private_key(cl_buf_view(&text))) {
        look_at_key(f, f->file, cl_buf_view(&text));
    }
    cl_buf_deinit(&text);
    if (f->disk.reach != CL_WATCH_SEEN) {
        return r == CLEAT_ERR_NOMEM ? r : CL_OK;
    }
    CL_TRY(key_file != NULL ? read_key_file(f, key_file) : CL_OK);
    return cl_watch_look_over(f, &f->disk, judges, NULL);
}
