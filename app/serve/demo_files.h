/* serve/demo_files.h - the files of web/, as cmake/Embed.cmake has put them into the program. */
#ifndef CL_SERVE_DEMO_FILES_H
#define CL_SERVE_DEMO_FILES_H

#include <stddef.h>
#include <stdint.h>

struct cl_demo_file {
    const char *name; /* "style.css" */
    const char *etag; /* a part of the content's SHA-256, quoted */
    const uint8_t *p;
    size_t len;
};

/* Sorted by name. */
extern const struct cl_demo_file cl_demo_files[];
extern const size_t cl_demo_num_files;

#endif
