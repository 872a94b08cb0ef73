/* serve/captures.h - --pcap DIR: a file for every connection, with its secrets, for Wireshark
 * (conn/capture.h).
 *
 * The folder holds no more than so many files and bytes, what was there before included: when it is
 * full, or the disk, capturing stops with one line in the log, and the server goes on. SIGHUP looks
 * again. A file is made when the first bytes of its connection have come, readable by its owner
 * alone; it is complete after each write. Usable from every thread.
 */
#ifndef CL_SERVE_CAPTURES_H
#define CL_SERVE_CAPTURES_H

#include "conn/capture.h"
#include "serve/log.h"

/* 1,000, 1 GiB: an hour of a test machine, and a share of its disk that can be spared */
#define CL_CAPTURES_MAX_FILES 1000
#define CL_CAPTURES_MAX_BYTES (1ull << 30)

struct cl_captures;
struct cl_capture_file;

struct cl_captures_setup {
    const char *dir; /* made with mode 0700 when it is missing */
    uint64_t max_files;
    uint64_t max_bytes;
    struct cl_log *log; /* outlives the captures */
    bool verbose;       /* a line for each file */
};

/* cl_captures_new opens the folder, counts what is in it, and warns in the log. BAD_CONFIG (it
 * cannot be written to, others may look into it, it is full), NOMEM; err says why.
 * cl_captures_free: when all files are closed. */
CL_MUST cl_result cl_captures_new(const struct cl_captures_setup *setup, struct cl_captures **out,
                                  struct cleat_error *err);
void cl_captures_free(struct cl_captures *captures);

/* cl_captures_recount counts the folder's files again, and goes on capturing when there is room. */
void cl_captures_recount(struct cl_captures *captures);

/* cl_captures_begin prepares the file of a connection with that peer ("192.0.2.7:50123"; stays the
 * caller's, who keeps it until the end). NULL: nothing is captured now; also for captures NULL. */
struct cl_capture_file *cl_captures_begin(struct cl_captures *captures, const char *peer);
void cl_capture_file_end(struct cl_capture_file *file);

/* cl_capture_file_capture returns what streams and sinks take; NULL for NULL. */
struct cl_capture *cl_capture_file_capture(const struct cl_capture_file *file);

#endif
