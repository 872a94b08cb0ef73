/* cli/client_capture.h - --pcap FILE: the connections of one run in a file for Wireshark, with
 * their secrets (conn/capture.h).
 *
 * The file is made anew, readable by its owner alone; what stood there under that name before is
 * replaced, and the warning says so. A capture that breaks off is told on standard error, and
 * nothing else comes of it.
 */
#ifndef CL_CLI_CLIENT_CAPTURE_H
#define CL_CLI_CLIENT_CAPTURE_H

#include "conn/capture.h"

struct client_capture {
    const char *path;
    int fd; /* -1: none */
    struct cl_capture *capture;
};

/* client_capture_open opens the file ("-": standard output, which must be no terminal) and warns on
 * standard error. NULL as a path: there is no capture. CLEAT_ERR_SYSTEM or NOMEM, err says why; *c
 * is to be closed whatever comes back, and stays where it is until then. */
CL_MUST cl_result client_capture_open(struct client_capture *c, const char *path,
                                      struct cleat_error *err);
void client_capture_close(struct client_capture *c);

#endif
