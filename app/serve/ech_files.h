/* serve/ech_files.h - the ECH keys of --ech-key: files, and folders of them. May block. */
#ifndef CL_SERVE_ECH_FILES_H
#define CL_SERVE_ECH_FILES_H

#include "base/result.h"
#include "cleat/ech.h"

/* cl_ech_files_add gives a builder the keys of num paths. Of a folder, the files that end in ".pem"
 * count, by name. Clients whose ECH is rejected are given the first path's configurations, of a
 * folder those of its last file; the others only decrypt. BAD_CONFIG, NOMEM, or what the library
 * found wrong; err names the file. */
CL_MUST cl_result cl_ech_files_add(struct cleat_tls_builder *b, const char *const *paths,
                                   size_t num, struct cleat_error *err);

#endif
