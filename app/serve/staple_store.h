/* serve/staple_store.h - OCSP responses on disk, so that a server has its staples again from the
 * first connection on: a folder, and in it a file for each certificate, named by its SHA-256, with
 * the response as it came (DER). Blocks.
 *
 * Files are as trustworthy as what comes over the network: whoever reads one verifies it.
 */
#ifndef CL_SERVE_STAPLE_STORE_H
#define CL_SERVE_STAPLE_STORE_H

#include "base/buf.h"
#include "cleat/x509.h"

/* 32 KiB: real ones have 500 bytes to 3 KB; half of the 64 KiB that a response and the timestamps
 * beside it may have in a handshake */
#define CL_STAPLE_MAX_LEN 32768

struct cl_staple_store {
    char *folder; /* NULL: none, nothing is kept */
};

/* cl_staple_store_open: folder NULL is the default, staples/ below $STATE_DIRECTORY, or else
 * cleat/staples below $XDG_STATE_HOME (~/.local/state); when there is none of them, nothing is
 * kept. The folder is made when something is saved. NOMEM. */
CL_MUST cl_result cl_staple_store_open(struct cl_staple_store *store, const char *folder);
void cl_staple_store_close(struct cl_staple_store *store);

/* cl_staple_store_load appends the response that was saved for a certificate; nothing when there is
 * none. BAD_CONFIG: it is there, and cannot be read (err has file and reason), NOMEM. */
CL_MUST cl_result cl_staple_store_load(const struct cl_staple_store *store,
                                       const struct cleat_cert *cert, struct cl_buf *out,
                                       struct cleat_error *err);

/* cl_staple_store_save puts it in the place of the one before, which stays when that fails:
 * BAD_CONFIG, err says why. */
CL_MUST cl_result cl_staple_store_save(const struct cl_staple_store *store,
                                       const struct cleat_cert *cert, struct cl_rd response,
                                       struct cleat_error *err);

/* cl_staple_store_drop removes the file of a certificate, when there is one. */
void cl_staple_store_drop(const struct cl_staple_store *store, const struct cleat_cert *cert);

/* cl_staple_store_sweep removes what nobody needs any more: responses that have been out of date
 * for CL_STAPLE_KEEP_S, of certificates that were replaced, and files of a write that never ended.
 * Other files stay. now: Unix seconds. */
#define CL_STAPLE_KEEP_S 86400
void cl_staple_store_sweep(const struct cl_staple_store *store, int64_t now);

#endif
