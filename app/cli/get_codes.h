/* cli/get_codes.h - the exit codes of `cleat get`: curl's numbers. */
#ifndef CL_CLI_GET_CODES_H
#define CL_CLI_GET_CODES_H

#include "conn/dial.h"

enum get_exit {
    GET_EXIT_OK = 0,
    GET_EXIT_PROTOCOL = 1, /* a scheme other than https */
    GET_EXIT_USAGE = 2,
    GET_EXIT_BAD_URL = 3,
    GET_EXIT_MISSED = 4, /* --slo; curl: "a feature is not built in" */
    GET_EXIT_PROXY = 5,  /* the proxy's URL or name */
    GET_EXIT_DNS = 6,
    GET_EXIT_CONNECT = 7,
    GET_EXIT_WEIRD_REPLY = 8, /* not HTTP, or HTTP that we refuse */
    GET_EXIT_HTTP2 = 16,      /* the connection breaks HTTP/2 */
    GET_EXIT_PARTIAL = 18,
    GET_EXIT_HTTP_ERROR = 22, /* -f and a status of 400 or more */
    GET_EXIT_WRITE = 23,
    GET_EXIT_READ_FILE = 26,
    GET_EXIT_NO_MEMORY = 27,
    GET_EXIT_TIMEOUT = 28,
    GET_EXIT_RANGE = 33, /* -C: the server does not go on where it was told to */
    GET_EXIT_HANDSHAKE = 35,
    GET_EXIT_BAD_RESUME = 36, /* -C: the file that is sent is not as long */
    GET_EXIT_REDIRECTS = 47,
    GET_EXIT_EMPTY = 52,
    GET_EXIT_SEND = 55,
    GET_EXIT_RECEIVE = 56,
    GET_EXIT_OUR_CERT = 58,
    GET_EXIT_CIPHERS = 59,
    GET_EXIT_VERIFY = 60,
    GET_EXIT_BAD_CODING = 61, /* --compressed: an unknown content coding, or broken data */
    GET_EXIT_REWIND = 65,     /* the body cannot be sent a second time */
    GET_EXIT_CA_FILE = 77,
    GET_EXIT_REVOCATION_FILE = 82,
    GET_EXIT_PIN = 90,          /* --pinnedpubkey */
    GET_EXIT_CERT_STATUS = 91,  /* --cert-status */
    GET_EXIT_HTTP2_STREAM = 92, /* a stream was reset */
    GET_EXIT_SOCKS = 97,
    GET_EXIT_ECH = 101, /* Encrypted Client Hello was rejected */
};

/* get_exit_of_handshake maps why a handshake failed to 60 (we did not accept the peer's
 * certificate), 90 (its key is not pinned), 101 (ECH) or 35. */
int get_exit_of_handshake(const struct cleat_error *error);

/* get_exit_of_dial maps how a dial has failed. */
int get_exit_of_dial(const struct cl_dial_result *r);

/* get_exit_of_stage is the same for one without a proxy. */
int get_exit_of_stage(enum cl_dial_stage stage, bool timed_out, const struct cleat_error *error);

/* get_verify_result maps a verdict to the number that OpenSSL has for it (X509_V_ERR_*), which is
 * what curl's ssl_verify_result shows: 0 accepted, 1 unspecified. */
long get_verify_result(int code);

#endif
