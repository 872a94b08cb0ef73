/* serve/ja4_list.c - see ja4_list.h. */
#include "serve/ja4_list.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cleat/fingerprint.h"
#include "net/small_file.h"

/* 4 MiB: CL_JA4_MAX_EXACT lines and as much in comments */
#define MAX_FILE (4U << 20)

static const char here[] = "the command line";

struct entry {
    char text[CLEAT_JA4_LEN + 1];
    const char *where;
};

struct entries {
    struct entry *v;
    size_t num;
    size_t room;
};

struct cl_ja4_list {
    struct entries exact; /* in order */
    struct entries patterns;
    char **files; /* names, for where */
    size_t num_files;
};

static bool is_file(const char *word)
{
    return strpbrk(word, "/.") != NULL;
}

/* ---- entries ---- */

/* Twelve digits; the text has no NUL behind it. */
static bool is_hex(const char *p)
{
    for (size_t i = 0; i < 12; i++) {
        if (memchr("0123456789abcdef", p[i], 16) == NULL) {
            return false;
        }
    }
    return true;
}

/* "t13d1516h2_8daaf6152771_e5627efa2ab1" */
static bool is_whole(struct cl_rd text)
{
    const char *p = (const char *)text.p;
    return text.len == CLEAT_JA4_LEN && p[10] == '_' && p[23] == '_' && is_hex(p + 11) &&
           is_hex(p + 24);
}

/* A pattern that matches everything is a slip. */
static bool is_pattern(struct cl_rd text)
{
    size_t stars = 0;
    for (size_t i = 0; i < text.len; i++) {
        stars += text.p[i] == '*' ? 1 : 0;
    }
    return stars > 0 && stars < text.len && text.len <= CLEAT_JA4_LEN;
}

static bool is_written_so(struct cl_rd text)
{
    static const char allowed[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_*";
    for (size_t i = 0; i < text.len; i++) {
        if (memchr(allowed, text.p[i], sizeof(allowed) - 1) == NULL) {
            return false;
        }
    }
    return true;
}

static cl_result add(struct entries *e, size_t max, struct cl_rd text, const char *where)
{
    if (e->num == max) {
        return CLEAT_ERR_LIMIT;
    }
    if (e->num == e->room) {
        const size_t room = e->room == 0 ? 16 : 2 * e->room;
        struct entry *v = cl_realloc(e->v, room * sizeof(*v));
        if (v == NULL) {
            return CLEAT_ERR_NOMEM;
        }
        e->v = v;
        e->room = room;
    }
    struct entry *new = &e->v[e->num++];
    *new = (struct entry){.where = where};
    memcpy(new->text, text.p, text.len);
    return CL_OK;
}

static cl_result refuse(struct cl_rd text, const char *where, unsigned line,
                        struct cleat_error *err)
{
    char at[16] = "";
    if (line != 0) {
        (void)snprintf(at, sizeof(at), ":%u", line);
    }
    const struct cl_why why = {
        .code = CLEAT_ERR_BAD_CONFIG,
        .hint = line != 0 ? "one has 36 characters, as t13d1516h2_8daaf6152771_e5627efa2ab1, or a "
                            "'*' for some of them"
                          : "one has 36 characters, as t13d1516h2_8daaf6152771_e5627efa2ab1, or a "
                            "'*' for some of them; a file of that name is written ./FILE",
    };
    return cl_error_set(err, why, "%s%s: '%.*s' is not a JA4 fingerprint", where, at,
                        text.len < 80 ? (int)text.len : 80, (const char *)text.p);
}

static cl_result add_text(struct cl_ja4_list *list, struct cl_rd text, const char *where,
                          unsigned line, struct cleat_error *err)
{
    const bool whole = is_whole(text) && memchr(text.p, '*', text.len) == NULL;
    if (!is_written_so(text) || (!whole && !is_pattern(text))) {
        return refuse(text, where, line, err);
    }
    const cl_result r = whole ? add(&list->exact, CL_JA4_MAX_EXACT, text, where)
                              : add(&list->patterns, CL_JA4_MAX_PATTERNS, text, where);
    if (r == CLEAT_ERR_LIMIT) {
        return cl_error_set(
            err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG}, "%s: more than %d fingerprints%s",
            where, whole ? CL_JA4_MAX_EXACT : CL_JA4_MAX_PATTERNS, whole ? "" : " with a '*'");
    }
    return r;
}

/* ---- words and files ---- */

/* The next piece, without what is around it; false at the end. */
static bool next_piece(struct cl_rd *rest, char separator, struct cl_rd *out)
{
    struct cl_rd piece = *rest;
    if (rest->len == 0) {
        return false;
    }
    const uint8_t *end = memchr(rest->p, separator, rest->len);
    piece.len = end != NULL ? (size_t)(end - rest->p) : rest->len;
    (void)!cl_rd_skip(rest, end != NULL ? piece.len + 1 : piece.len);
    const uint8_t *comment = separator == '\n' ? memchr(piece.p, '#', piece.len) : NULL;
    piece.len = comment != NULL ? (size_t)(comment - piece.p) : piece.len;
    while (piece.len > 0 && memchr(" \t\r", piece.p[0], 3) != NULL) {
        (void)!cl_rd_skip(&piece, 1);
    }
    while (piece.len > 0 && memchr(" \t\r", piece.p[piece.len - 1], 3) != NULL) {
        piece.len--;
    }
    *out = piece;
    return true;
}

static cl_result add_pieces(struct cl_ja4_list *list, struct cl_rd rest, const char *where,
                            struct cleat_error *err)
{
    const bool lines = where != here;
    struct cl_rd piece;
    for (unsigned line = 1; next_piece(&rest, lines ? '\n' : ',', &piece); line++) {
        if (piece.len > 0 || !lines) {
            CL_TRY(add_text(list, piece, where, lines ? line : 0, err));
        }
    }
    return CL_OK;
}

static cl_result add_file(struct cl_ja4_list *list, const char *path, struct cleat_error *err)
{
    const struct cl_small_file file = {"the list of JA4 fingerprints", path, MAX_FILE, false};
    struct cl_buf text = {0};
    char *name = cl_strndup(path, strlen(path));
    if (name == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    list->files[list->num_files++] = name;
    cl_result r = cl_small_file_read(&file, &text, err);
    if (r == CL_OK) {
        r = add_pieces(list, cl_buf_view(&text), name, err);
    }
    cl_buf_deinit(&text);
    return r;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->text, ((const struct entry *)b)->text);
}

static cl_result fill(struct cl_ja4_list *list, const char *const *words, size_t num,
                      struct cleat_error *err)
{
    list->files = cl_calloc(num, sizeof(*list->files));
    if (list->files == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < num; i++) {
        CL_TRY(is_file(words[i]) ? add_file(list, words[i], err)
                                 : add_pieces(list, cl_rd_str(words[i]), here, err));
    }
    if (list->exact.num > 0) {
        qsort(list->exact.v, list->exact.num, sizeof(list->exact.v[0]), compare);
    }
    return CL_OK;
}

cl_result cl_ja4_list_load(const char *const *words, size_t num, struct cl_ja4_list **out,
                           struct cleat_error *err)
{
    struct cl_ja4_list *list = cl_calloc(1, sizeof(*list));
    if (list == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    const cl_result r = fill(list, words, num, err);
    if (r != CL_OK) {
        cl_ja4_list_free(list);
        return r;
    }
    *out = list;
    return CL_OK;
}

void cl_ja4_list_free(struct cl_ja4_list *list)
{
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < list->num_files; i++) {
        cl_free(list->files[i]);
    }
    cl_free(list->files);
    cl_free(list->exact.v);
    cl_free(list->patterns.v);
    cl_free(list);
}

const char *cl_ja4_list_find(const struct cl_ja4_list *list, const char *ja4,
                             const char **out_where)
{
    struct entry wanted = {0};
    const struct entry *found = NULL;
    (void)snprintf(wanted.text, sizeof(wanted.text), "%s", ja4);
    if (list->exact.num > 0) {
        found = bsearch(&wanted, list->exact.v, list->exact.num, sizeof(wanted), compare);
    }
    for (size_t i = 0; found == NULL && i < list->patterns.num; i++) {
        if (fnmatch(list->patterns.v[i].text, ja4, 0) == 0) {
            found = &list->patterns.v[i];
        }
    }
    *out_where = found != NULL ? found->where : NULL;
    return found != NULL ? found->text : NULL;
}

size_t cl_ja4_list_num(const struct cl_ja4_list *list)
{
    return list->exact.num + list->patterns.num;
}
