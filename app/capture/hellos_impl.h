/* capture/hellos_impl.h - what hellos.c, which reads files, and packets.c, which asks libpcap, tell
 * each other. */
#ifndef CL_CAPTURE_HELLOS_IMPL_H
#define CL_CAPTURE_HELLOS_IMPL_H

#include <stdio.h>

#include "capture/hellos.h"

/* cl_hellos_packets reads a capture from a stream, which it closes. */
CL_MUST cl_result cl_hellos_packets(FILE *file, cl_hello_sink sink, void *ctx,
                                    struct cl_hello_counts *counts, struct cleat_error *err);

#endif
