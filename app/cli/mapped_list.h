/* cli/mapped_list.h - long revocation lists, mapped from their files.
 *
 * A file that another process shortens while it is mapped ends whoever looks at it with SIGBUS.
 * While a list is mapped that signal is ours: it is told which file, what to do, and the program
 * ends with GET_EXIT_REVOCATION_FILE, so that nobody is let in. Any other SIGBUS does what it did
 * before. For commands of one thread that load their lists once.
 */
#ifndef CL_CLI_MAPPED_LIST_H
#define CL_CLI_MAPPED_LIST_H

#include "cleat/revocation.h"

/* 16 MiB: what the library copies; the largest lists of the web's CAs are shorter. Longer ones are
 * mapped. */
#define MAPPED_LIST_MIN (16u << 20)

/* mapped_list_add maps len bytes of fd and adds them to the set, as they are (DER) or decoded
 * (PEM); the set unmaps. path is for messages and copied. As cleat_crl_set_add_mapped, or
 * CLEAT_ERR_SYSTEM. */
int mapped_list_add(struct cleat_crl_set *set, int fd, size_t len, const char *path,
                    struct cleat_error *why);

#endif
