/* agent/html.h - the tags of an HTML document, one after the other, as the HTML standard's
 * tokenizer finds them (WHATWG HTML 13.2.5), with their lines.
 *
 * Tags and raw text only: no tree, nothing is corrected, comments and text are passed over. Bytes
 * are taken for ASCII or a superset of it. Nothing is allocated; results are views.
 */
#ifndef CL_AGENT_HTML_H
#define CL_AGENT_HTML_H

#include "base/bytes.h"

/* 64 attributes of a tag: no page has as many; further ones are passed over */
#define CL_HTML_MAX_ATTRIBUTES 64

struct cl_html {
    struct cl_rd rest;
    unsigned long line; /* of rest; from 1 on */
};

struct cl_html_attribute {
    struct cl_rd name;
    struct cl_rd value; /* with its character references */
    unsigned long line; /* of the value */
};

struct cl_html_tag {
    struct cl_rd name;
    bool is_end;
    unsigned long line;
    struct cl_rd raw;       /* what stands between <style> or <script> and its end */
    unsigned long raw_line; /* of raw */
    size_t num;
    struct cl_html_attribute attributes[CL_HTML_MAX_ATTRIBUTES];
};

/* cl_html_next finds the next tag; false: there is none. */
bool cl_html_next(struct cl_html *h, struct cl_html_tag *out);

/* cl_html_find gives the attribute of that name (the first one; any case), or NULL. */
const struct cl_html_attribute *cl_html_find(const struct cl_html_tag *tag, const char *name);

/* cl_html_decode takes the next byte of a value, its character references replaced: numbers, and
 * the names of ASCII characters. What is beyond ASCII becomes UTF-8. Returns how many bytes were
 * written to out; 0: the value has ended. */
#define CL_HTML_DECODED_MAX 4
size_t cl_html_decode(struct cl_rd *value, uint8_t out[CL_HTML_DECODED_MAX]);

#endif
