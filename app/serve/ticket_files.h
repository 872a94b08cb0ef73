/* serve/ticket_files.h - ticket keys from files, as nginx's ssl_session_ticket_key: 48 or 80 random
 * bytes each. Machines that are given the same files resume each other's sessions. */
#ifndef CL_SERVE_TICKET_FILES_H
#define CL_SERVE_TICKET_FILES_H

#include "base/result.h"
#include "cleat/session.h"

/* cl_ticket_files_load sets the keys of num files, the first one to seal with; nothing when num is
 * 0. A file that others may read is worth a warning on stderr. BAD_CONFIG, with the file in err. */
CL_MUST cl_result cl_ticket_files_load(struct cleat_ticket_keys *keys, const char *const *paths,
                                       size_t num, struct cleat_error *err);

#endif
