/* serve/kept_files.h - small files that were sent a moment ago, for whoever asks next.
 *
 * A worker keeps what it found out about a file that is sent to everybody in the same way: that
 * nothing stands for it compressed, and its bytes when they are few. Each time, one look at the
 * path (fstatat) shows whether that is still the file it was; a second later it is opened anew. No
 * descriptor is kept. One thread.
 */
#ifndef CL_SERVE_KEPT_FILES_H
#define CL_SERVE_KEPT_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/result.h"

/* 16 KiB: reading a longer one costs less than sending it */
#define CL_KEPT_MAX_FILE  16384
/* 128: the files of some pages; at most 2 MiB for each worker */
#define CL_KEPT_MAX_FILES 128
/* 2 s: the coarsest time stamps of a file system (FAT). A file that has changed more recently might
 * change once more without a change of its time */
#define CL_KEPT_MIN_AGE   2

struct cl_kept_files;

struct cl_kept_file {
    struct stat st;
    const uint8_t *bytes; /* st_size of them; NULL: they are not kept */
};

/* cl_kept_files_new makes an empty store. NOMEM. */
CL_MUST cl_result cl_kept_files_new(struct cl_kept_files **out);
/* cl_kept_files_free: NULL is fine. */
void cl_kept_files_free(struct cl_kept_files *k);

/* cl_kept_files_find returns what is known of the file, or NULL; it is valid until the store is
 * used next. name: below root_fd, as cl_static_open has it; now: Unix seconds. Where there are
 * bytes the file is still the one that lies there; else who opens it asks cl_kept_file_is. */
const struct cl_kept_file *cl_kept_files_find(struct cl_kept_files *k, int root_fd,
                                              const char *name, int64_t now);

/* cl_kept_file_is tells whether st is of the very same file, unchanged. */
bool cl_kept_file_is(const struct cl_kept_file *file, const struct stat *st);

/* cl_kept_files_put keeps a file that was opened as fd (fstat: st), if it may be kept: the bytes
 * only if they are in memory already. What fails is not kept. */
void cl_kept_files_put(struct cl_kept_files *k, int root_fd, const char *name, int fd,
                       const struct stat *st, int64_t now);

#endif
