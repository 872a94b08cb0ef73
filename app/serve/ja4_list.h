/* serve/ja4_list.h - JA4 fingerprints that are kept out, or let in alone: --deny-ja4, --allow-ja4.
 *
 * A word of the command line is a file, if there is a '/' or a '.' in it, or fingerprints separated
 * by commas. In a file there is one a line; '#' begins a comment. A '*' in a fingerprint stands for
 * any characters: "t13d1516h2_*". Immutable once loaded.
 */
#ifndef CL_SERVE_JA4_LIST_H
#define CL_SERVE_JA4_LIST_H

#include "base/result.h"

/* 65,536: fingerprints without a '*' in one list; found by halving */
#define CL_JA4_MAX_EXACT    65536
/* 256: those with a '*'; a new connection is compared with all of them */
#define CL_JA4_MAX_PATTERNS 256

struct cl_ja4_list;

/* cl_ja4_list_load reads num words. BAD_CONFIG (a file that cannot be read, what is no fingerprint,
 * too many), NOMEM; err says which and where. */
CL_MUST cl_result cl_ja4_list_load(const char *const *words, size_t num, struct cl_ja4_list **out,
                                   struct cleat_error *err);
void cl_ja4_list_free(struct cl_ja4_list *list);

/* cl_ja4_list_find returns the entry that a fingerprint matches, NULL for none; *out_where: the
 * file's name, or "the command line". Both live as long as the list. */
const char *cl_ja4_list_find(const struct cl_ja4_list *list, const char *ja4,
                             const char **out_where);

/* cl_ja4_list_num returns the number of entries. */
size_t cl_ja4_list_num(const struct cl_ja4_list *list);

#endif
