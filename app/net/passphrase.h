/* net/passphrase.h - a passphrase from where the user keeps it, in the words of OpenSSL:
 *
 *     file:PATH   the first line of a file; who else can read it is told
 *     env:NAME    a variable of the environment
 *     fd:N        a line from an open file descriptor
 *     stdin       a line of standard input
 *     pass:TEXT   the text itself: other users can see it, which is told, and it is overwritten
 *
 * and otherwise it is asked for on the terminal, without echo. Read when it is first needed, once;
 * kept until deinit, which wipes it. Blocks.
 */
#ifndef CL_NET_PASSPHRASE_H
#define CL_NET_PASSPHRASE_H

#include "base/buf.h"

/* What --help and manuals call it. */
#define CL_PASSPHRASE_SOURCES "file:PATH, env:NAME, fd:N, stdin, or pass:TEXT"

/* {0} asks nobody, and is safe to deinit. */
struct cl_passphrase {
    const char *from;   /* as above; NULL: ask, if may_ask */
    const char *plain;  /* instead of it, the text itself, as behind pass: */
    const char *option; /* what the user can say instead: "--passin"; NULL: no option */
    bool may_ask;
    bool fresh; /* for something new: asked for twice, and not empty */
    bool known;
    struct cl_buf text;
};

/* cl_passphrase_valid says whether a text is a source as above; nothing is read. */
bool cl_passphrase_valid(const char *from);

/* cl_passphrase_get gives the passphrase, which stays p's: UTF-8 without the end of its line.
 * what ("the key server.pem") is for the question and for messages. NEEDS_PASSPHRASE: there is
 * nobody to ask; BAD_PASSPHRASE: too long, or the two differ; BAD_CONFIG: the source cannot be
 * read. */
CL_MUST cl_result cl_passphrase_get(struct cl_passphrase *p, const char *what, struct cl_rd *out,
                                    struct cleat_error *err);
void cl_passphrase_deinit(struct cl_passphrase *p);

#endif
