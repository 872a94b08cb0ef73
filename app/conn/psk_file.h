/* conn/psk_file.h - pre-shared keys from a file, in the form that GnuTLS and others use:
 * IDENTITY:HEXKEY, one a line; lines that are empty or begin with '#' are passed over. */
#ifndef CL_CONN_PSK_FILE_H
#define CL_CONN_PSK_FILE_H

#include "base/result.h"
#include "cleat/tls.h"

/* cl_psk_file_add adds the PSKs of a file to a configuration, raw, with SHA-256. BAD_CONFIG, NOMEM;
 * err names the file and the line, never the key. A file that others can read is warned about on
 * stderr. */
CL_MUST cl_result cl_psk_file_add(struct cleat_tls_builder *b, const char *path,
                                  struct cleat_error *err);

#endif
