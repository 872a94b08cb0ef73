/* net/save.h - small files that are written whole or not at all. Blocks. */
#ifndef CL_NET_SAVE_H
#define CL_NET_SAVE_H

#include <sys/types.h>

#include "base/bytes.h"

/* cl_save_folder makes a folder, and those above it, with mode 0700 where they are not there. 0 or
 * an errno value. */
int cl_save_folder(const char *path);

/* cl_save_file writes bytes to a file of the folder dir_fd, mode 0600: into another file that takes
 * its place once everything is on the disk. When that fails (0, or an errno value) what was there
 * is still there, and nothing else. Whoever has SIGXFSZ ignored gets EFBIG at the limit. */
int cl_save_file(int dir_fd, const char *name, struct cl_rd bytes);

/* cl_save_cached does so with what can be had again, so that the disk is not waited for: a computer
 * that stops at that moment may leave a file without its contents. The time of modification is the
 * given one (Unix seconds) from the moment that the file is there: it says how long it counts. */
int cl_save_cached(int dir_fd, const char *name, struct cl_rd bytes, int64_t time);

/* cl_save_path does what cl_save_file does with the file at path, and gives it that mode, whatever
 * the umask. */
int cl_save_path(const char *path, struct cl_rd bytes, mode_t mode);

#endif
