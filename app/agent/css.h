/* agent/css.h - the URLs of a style sheet, as its tokens say (CSS Syntax 3): url(...), and the
 * string behind @import. Comments and other strings are passed over; nothing is allocated but for
 * the URLs' buffer. */
#ifndef CL_AGENT_CSS_H
#define CL_AGENT_CSS_H

#include "base/buf.h"

enum cl_css_use {
    CL_CSS_IMAGE,  /* or whatever else a property loads */
    CL_CSS_IMPORT, /* another style sheet */
    CL_CSS_FONT,   /* within @font-face */
};

struct cl_css {
    struct cl_rd rest;
    unsigned long line;
    bool import_next;           /* behind @import */
    bool font_next;             /* behind @font-face, in front of its block */
    unsigned depth, font_depth; /* of braces; of the block of @font-face, or 0 */
};

/* cl_css_next finds the next URL, and writes it to *url (which is emptied before), escapes
 * replaced. False: there is none, or memory is short. */
bool cl_css_next(struct cl_css *c, struct cl_buf *url, enum cl_css_use *use, unsigned long *line);

#endif
