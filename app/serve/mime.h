/* serve/mime.h - the media type of a file, from the extension of its name. */
#ifndef CL_SERVE_MIME_H
#define CL_SERVE_MIME_H

#include "base/bytes.h"

/* cl_mime_type returns the value of Content-Type for a file name or path: text types with
 * "; charset=utf-8"; "application/octet-stream" when the extension (any case) is not known. Static
 * storage. */
const char *cl_mime_type(struct cl_rd name);

/* How much sense it makes to compress what has this type. */
enum cl_mime_packing {
    CL_MIME_PLAIN,  /* nobody knows */
    CL_MIME_TEXT,   /* it shrinks by half and more */
    CL_MIME_PACKED, /* it is compressed in itself */
};

/* cl_mime_packing tells that of a type that cl_mime_type has returned. */
enum cl_mime_packing cl_mime_packing(const char *type);

#endif
