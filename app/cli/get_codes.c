/* cli/get_codes.c - from the library's codes to curl's and OpenSSL's numbers. */
#include "cli/get_codes.h"

/* Codes between these are about certificates (cleat/error.h). */
#define FIRST_CERT_CODE (-200)
#define LAST_CERT_CODE  (-299)

int get_exit_of_handshake(const struct cleat_error *error)
{
    if (error->code == CLEAT_ERR_ECH_REJECTED && !error->from_peer) {
        return GET_EXIT_ECH;
    }
    if (error->code == CLEAT_ERR_PIN_MISMATCH) {
        return GET_EXIT_PIN;
    }
    bool about_cert = error->code <= FIRST_CERT_CODE && error->code >= LAST_CERT_CODE;
    return about_cert && !error->from_peer ? GET_EXIT_VERIFY : GET_EXIT_HANDSHAKE;
}

int get_exit_of_dial(const struct cl_dial_result *r)
{
    if (r->proxy == NULL || r->timed_out) {
        return get_exit_of_stage(r->stage, r->timed_out, &r->error);
    }
    switch (r->stage) {
    case CL_DIAL_DNS:
        return GET_EXIT_PROXY;
    case CL_DIAL_PROXY_TLS:
        return get_exit_of_handshake(&r->error);
    case CL_DIAL_PROXY:
        return r->proxy->kind == CL_PROXY_SOCKS5 || r->proxy->kind == CL_PROXY_SOCKS5H
                   ? GET_EXIT_SOCKS
                   : GET_EXIT_RECEIVE;
    default:
        return get_exit_of_stage(r->stage, false, &r->error);
    }
}

int get_exit_of_stage(enum cl_dial_stage stage, bool timed_out, const struct cleat_error *error)
{
    if (timed_out) {
        return GET_EXIT_TIMEOUT;
    }
    return stage == CL_DIAL_DNS   ? GET_EXIT_DNS
           : stage == CL_DIAL_TCP ? GET_EXIT_CONNECT
                                  : get_exit_of_handshake(error);
}

long get_verify_result(int code)
{
    static const struct {
        int code;
        long number;
    } rows[] = {
        {CLEAT_OK, 0},
        {CLEAT_ERR_BAD_SIGNATURE, 7},
        {CLEAT_ERR_CERT_NOT_YET_VALID, 9},
        {CLEAT_ERR_CERT_EXPIRED, 10},
        {CLEAT_ERR_SELF_SIGNED, 18},
        {CLEAT_ERR_UNKNOWN_ISSUER, 20},
        {CLEAT_ERR_REVOKED, 23},
        {CLEAT_ERR_PATH_TOO_LONG, 25},
        {CLEAT_ERR_BAD_KEY_USAGE, 26},
        {CLEAT_ERR_UNKNOWN_CRITICAL, 34},
        {CLEAT_ERR_NAME_CONSTRAINT, 47},
        {CLEAT_ERR_NAME_MISMATCH, 62},
        {CLEAT_ERR_DANE_NO_MATCH, 65},
        {CLEAT_ERR_WEAK_KEY, 66},
        {CLEAT_ERR_NOT_A_CA, 79},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].code == code) {
            return rows[i].number;
        }
    }
    return 1;
}
