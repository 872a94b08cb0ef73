/* cli/get_form.c - put a form together.
 *
 * Names are written as browsers do (HTML, "multipart/form-data encoding algorithm"): '"', CR and LF
 * as %22, %0D and %0A. Several files of one field are several parts of one name (RFC 7578 4.3).
 */
#include "cli/get_form.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/get_codes.h"

/* 128 KiB: one word of a command line (MAX_ARG_STRLEN); 4 KiB: a name, a type or a header */
#define MAX_CONTENT 131072
#define MAX_WORD    4096

/* One value of a field: a content or a file, and what stands behind it. */
struct value {
    char text[MAX_CONTENT]; /* content or path */
    char type[MAX_WORD];
    char filename[MAX_WORD];
    char headers[MAX_WORD];
    bool has_type, has_filename;
};

static int refuse(struct cleat_error *err, const char *hint, const char *fmt, const char *what)
{
    char text[300];
    (void)snprintf(text, sizeof(text), fmt, what);
    (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_USAGE, .hint = hint}, "%s", text);
    return GET_EXIT_USAGE;
}

/* ---- the words of a field ---- */

static bool put(char *out, size_t cap, size_t *len, char c)
{
    if (*len + 1 >= cap) {
        return false;
    }
    out[(*len)++] = c;
    out[*len] = '\0';
    return true;
}

/* Takes a word up to ';' or `end`, or in quotes with \" and \\ inside; false: too long, or a quote
 * without its like. */
static bool take_word(const char **p, char end, char *out, size_t cap)
{
    const char *s = *p;
    size_t len = 0;
    out[0] = '\0';
    bool quoted = *s == '"';
    s += quoted ? 1 : 0;
    while (*s != '\0' && (quoted ? *s != '"' : *s != ';' && *s != end)) {
        if (quoted && *s == '\\' && (s[1] == '\\' || s[1] == '"')) {
            s++;
        }
        if (!put(out, cap, &len, *s++)) {
            return false;
        }
    }
    if (quoted && *s++ != '"') {
        return false;
    }
    *p = s;
    return *s == '\0' || *s == ';' || *s == end;
}

static bool has_word(const char **p, const char *word)
{
    size_t len = strlen(word);
    bool is_it = strncasecmp(*p, word, len) == 0;
    *p += is_it ? len : 0;
    return is_it;
}

/* ";type=...", ";filename=...", ";headers=..."; a media type may have parameters of its own. */
static int take_attributes(const char **p, char end, struct value *v, struct cleat_error *err)
{
    static const char hint[] = "put a value that holds ';' in double quotes, or use --form-string";
    while (**p == ';') {
        const char *at = ++*p;
        char more[MAX_WORD];
        bool ok = true;
        while (**p == ' ') {
            ++*p;
        }
        if (has_word(p, "type=")) {
            ok = take_word(p, end, v->type, sizeof(v->type));
            v->has_type = true;
        } else if (has_word(p, "filename=")) {
            ok = take_word(p, end, v->filename, sizeof(v->filename));
            v->has_filename = true;
        } else if (has_word(p, "headers=")) {
            ok = take_word(p, end, v->headers, sizeof(v->headers));
        } else if (v->has_type && take_word(p, end, more, sizeof(more)) && more[0] != '\0') {
            size_t len = strlen(v->type);
            (void)snprintf(v->type + len, sizeof(v->type) - len, "; %s", more);
        } else {
            return refuse(err, hint, "-F: \";%s\" is not ;type=, ;filename= or ;headers=", at);
        }
        if (!ok) {
            return refuse(err, hint, "-F: \"%s\" is too long, or its quotes do not end", at);
        }
    }
    return 0;
}

/* ---- a part ---- */

static cl_result put_escaped(struct cl_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *escaped = *text == '"'    ? "%22"
                              : *text == '\r' ? "%0D"
                              : *text == '\n' ? "%0A"
                                              : NULL;
        CL_TRY(escaped != NULL ? cl_buf_append(out, escaped, 3, GET_MAX_BODY)
                               : cl_buf_append(out, text, 1, GET_MAX_BODY));
    }
    return CL_OK;
}

static bool is_line(const char *text)
{
    for (; *text != '\0'; text++) {
        if (((uint8_t)*text < 0x20 && *text != '\t') || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

static const char *type_of(const char *path)
{
    static const char *const rows[][2] = {
        {".gif", "image/gif"},       {".jpg", "image/jpeg"},    {".jpeg", "image/jpeg"},
        {".png", "image/png"},       {".svg", "image/svg+xml"}, {".txt", "text/plain"},
        {".htm", "text/html"},       {".html", "text/html"},    {".pdf", "application/pdf"},
        {".xml", "application/xml"},
    };
    size_t len = strlen(path);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i][0]);
        if (len >= n && strcasecmp(path + len - n, rows[i][0]) == 0) {
            return rows[i][1];
        }
    }
    return "application/octet-stream";
}

static bool make_boundary(char out[GET_BOUNDARY_LEN + 1])
{
    uint8_t chance[8];
    if (getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance)) {
        return false;
    }
    memset(out, '-', GET_BOUNDARY_LEN - 16);
    cl_hex_encode(chance, sizeof(chance), out + GET_BOUNDARY_LEN - 16);
    return true;
}

/* The lines in front of a part. filename, type: NULL for none. */
static cl_result put_head(struct get_form *f, const char *name, const char *filename,
                          const char *type, const char *headers)
{
    struct cl_buf head = {0};
    cl_result r =
        cl_buf_printf(&head, GET_MAX_BODY, "%s--%s\r\nContent-Disposition: form-data; name=\"",
                      f->parts.num > 0 ? "\r\n" : "", f->boundary);
    r = r == CL_OK ? put_escaped(&head, name) : r;
    if (r == CL_OK && filename != NULL) {
        r = cl_buf_printf(&head, GET_MAX_BODY, "\"; filename=\"");
        r = r == CL_OK ? put_escaped(&head, filename) : r;
    }
    r = r == CL_OK ? cl_buf_printf(&head, GET_MAX_BODY, "\"\r\n") : r;
    if (r == CL_OK && type != NULL) {
        r = cl_buf_printf(&head, GET_MAX_BODY, "Content-Type: %s\r\n", type);
    }
    if (r == CL_OK && headers[0] != '\0') {
        r = cl_buf_printf(&head, GET_MAX_BODY, "%s\r\n", headers);
    }
    r = r == CL_OK ? cl_buf_printf(&head, GET_MAX_BODY, "\r\n") : r;
    r = r == CL_OK ? get_parts_bytes(&f->parts, head.p, head.len) : r;
    cl_buf_deinit(&head);
    return r;
}

static int no_memory(struct cleat_error *err)
{
    (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                       "-F: what is given on the command line is too large");
    return GET_EXIT_NO_MEMORY;
}

static int add_content(struct get_form *f, const char *name, const struct value *v,
                       struct cleat_error *err)
{
    return put_head(f, name, v->has_filename ? v->filename : NULL, v->has_type ? v->type : NULL,
                    v->headers) == CL_OK &&
                   get_parts_bytes(&f->parts, v->text, strlen(v->text)) == CL_OK
               ? 0
               : no_memory(err);
}

/* as_file: '@'; else '<', whose part has no file name. */
static int add_file(struct get_form *f, const char *name, const struct value *v, bool as_file,
                    struct cleat_error *err)
{
    const char *why = "";
    const char *slash = strrchr(v->text, '/');
    const char *filename = v->has_filename ? v->filename
                           : as_file       ? (slash != NULL ? slash + 1 : v->text)
                                           : NULL;
    /* As curl: what is on standard input has no name to guess from. */
    as_file = as_file && strcmp(v->text, "-") != 0;
    const char *type = v->has_type ? v->type
                       : as_file   ? type_of(filename != NULL ? filename : v->text)
                                   : NULL;
    if (put_head(f, name, filename, type, v->headers) != CL_OK) {
        return no_memory(err);
    }
    if (!get_parts_file(&f->parts, v->text, 0, false, &why)) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "-F: cannot read %s: %s",
                           v->text, why);
        return GET_EXIT_READ_FILE;
    }
    return 0;
}

/* ---- a field ---- */

static int check_value(const struct value *v, struct cleat_error *err)
{
    if (!is_line(v->type) || !is_line(v->headers)) {
        return refuse(err, NULL, "-F: ;type= or ;headers= holds a line end%s", "");
    }
    return 0;
}

static int add_values(struct get_form *f, const char *name, const char *p, struct cleat_error *err)
{
    const char mark = *p == '@' || *p == '<' ? *p++ : '\0';
    const char end = mark == '@' ? ',' : '\0';
    struct value *v = cl_alloc(sizeof(*v));
    int code = v != NULL ? 0 : no_memory(err);
    bool more = true;
    while (code == 0 && more) {
        v->type[0] = v->filename[0] = v->headers[0] = '\0';
        v->has_type = v->has_filename = false;
        if (!take_word(&p, end, v->text, sizeof(v->text))) {
            code = refuse(err, "end quotes, and quote what stands behind them as well",
                          "-F: the quotes of \"%.80s\" do not end", p);
            break;
        }
        code = take_attributes(&p, end, v, err);
        code = code != 0 ? code : check_value(v, err);
        if (code == 0) {
            code = mark != '\0' ? add_file(f, name, v, mark == '@', err)
                                : add_content(f, name, v, err);
        }
        more = end != '\0' && *p == end;
        p += more ? 1 : 0;
    }
    cl_free(v);
    return code;
}

int get_form_add(struct get_form *f, const char *field, bool raw, struct cleat_error *err)
{
    char name[MAX_WORD];
    const char *equals = strchr(field, '=');
    if (equals == NULL || (size_t)(equals - field) >= sizeof(name)) {
        return refuse(err, "write -F NAME=CONTENT or -F NAME=@FILE", "-F \"%.80s\" is no field",
                      field);
    }
    (void)snprintf(name, sizeof(name), "%.*s", (int)(equals - field), field);
    if (f->boundary[0] == '\0' && !make_boundary(f->boundary)) {
        return no_memory(err);
    }
    if (raw) {
        return put_head(f, name, NULL, NULL, "") == CL_OK &&
                       get_parts_bytes(&f->parts, equals + 1, strlen(equals + 1)) == CL_OK
                   ? 0
                   : no_memory(err);
    }
    if (equals[1] == '(' || (equals[1] == ')' && equals[2] == '\0')) {
        return refuse(err, "use --form-string when the content begins so",
                      "-F \"%.80s\": parts within parts are not supported", field);
    }
    return add_values(f, name, equals + 1, err);
}

cl_result get_form_end(struct get_form *f)
{
    char end[GET_BOUNDARY_LEN + 16];
    int n = snprintf(end, sizeof(end), "\r\n--%s--\r\n", f->boundary);
    return get_parts_bytes(&f->parts, end, (size_t)n);
}

void get_form_deinit(struct get_form *f)
{
    get_parts_deinit(&f->parts);
    *f = (struct get_form){0};
}
