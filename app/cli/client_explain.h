/* cli/client_explain.h - what a failure of TLS means to somebody who wanted a page. */
#ifndef CL_CLI_CLIENT_EXPLAIN_H
#define CL_CLI_CLIENT_EXPLAIN_H

#include "cli/client_options.h"
#include "cleat/error.h"

/* client_explain completes err: it says what the server did instead of what our state machine saw,
 * and adds a hint where there is none. Code, alert and section stay. ready: the handshake was over.
 */
void client_explain(struct cleat_error *err, const struct client_options *o, bool ready);

/* client_tell_detail writes, on stderr and below the text of a failure, what it is called and where
 * the standard has it, and what to do about it. of_verification: the server's certificate was not
 * accepted. */
void client_tell_detail(const struct cleat_error *err, bool of_verification);

#endif
