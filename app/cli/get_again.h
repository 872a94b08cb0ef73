/* cli/get_again.h - a transfer's whole attempt, and whether there is another one (--retry). Part of
 * get_transfer.c, which alone calls it. */
#ifndef CL_CLI_GET_AGAIN_H
#define CL_CLI_GET_AGAIN_H

#include "cli/get_transfer.h"

/* get_again_wanted: the attempt that is over is followed by another one, which begins when the
 * timer that was set has fired (t->retry_due). Says so on stderr. */
bool get_again_wanted(struct get_transfer *t);

/* get_again_reset makes the transfer look as before its first hop. */
void get_again_reset(struct get_transfer *t);

#endif
