/* cli/get_output.h - where the body goes: standard output or a file, with a progress bar.
 *
 * The file is made when the first byte, or the end, comes: a failure before that leaves nothing
 * behind. Bytes that look binary are not written to a terminal unless "-o -" asks for it.
 */
#ifndef CL_CLI_GET_OUTPUT_H
#define CL_CLI_GET_OUTPUT_H

#include "base/buf.h"

/* 16 MiB: of a page that is looked at instead of written */
#define GET_OUTPUT_MAX_MEMORY (16u << 20)

struct get_output {
    const char *path; /* NULL: standard output */
    int fd;           /* -1: not open yet */
    bool forced;      /* "-o -": binary may go to a terminal */
    bool checked;     /* the first bytes have been looked at */
    bool bar;         /* draw the progress bar: standard error is a terminal */
    bool drawn;
    uint64_t bytes; /* of the body */
    uint64_t total; /* expected; 0: not known */
    uint64_t start_us, drawn_us;
    struct cl_buf *memory; /* where the body goes instead, or NULL */
    uint64_t resume_at;    /* -C: the file is gone on with, behind so many bytes of the whole */
    bool upload_bar;       /* standard error can show one of what is sent */
    struct cleat_error *err;
};

/* get_output_init prepares. path: NULL or "-" for standard output. err gets what goes wrong later.
 */
void get_output_init(struct get_output *out, const char *path, bool bar, struct cleat_error *err);

/* get_output_write writes bytes of the body, get_output_head those of a head (-i, -I), which are no
 * body. false: it failed; out->err says why. */
bool get_output_write(struct get_output *out, const void *p, size_t len);
bool get_output_head(struct get_output *out, const void *p, size_t len);

/* get_output_sent draws how much of a body has been sent; total: of it, or 0. */
void get_output_sent(struct get_output *out, uint64_t bytes, uint64_t total);

/* get_output_again forgets what was written of the body, for another attempt: a file is as it was
 * before. What went to standard output stays there. */
bool get_output_again(struct get_output *out);

/* get_output_end makes the file, should it still be missing (keep), draws the last bar, closes. */
bool get_output_end(struct get_output *out, bool keep);

/* get_output_bar_has_a_place: standard error shows one, and what goes to a file (path; NULL: to
 * standard output) does not tear it apart. */
bool get_output_bar_has_a_place(const char *path);

/* get_output_bar writes the text of a progress bar: less than cap bytes, no line end, and narrower
 * than a terminal of so many columns. total 0: not known. us: since the start. Pure. */
void get_output_bar(char *text, size_t cap, size_t columns, uint64_t bytes, uint64_t total,
                    uint64_t us);

/* get_output_columns gives the width of the terminal that standard error is; 80 when it is none, or
 * does not say. */
size_t get_output_columns(void);

#endif
