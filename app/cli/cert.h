/* cli/cert.h - the sub-commands of `cleat cert`. */
#ifndef CL_CLI_CERT_H
#define CL_CLI_CERT_H

#include <stdio.h>

#include "cleat/x509.h"

/* argv[0] is the name: "show", "verify", … */
int cert_show_run(int argc, char **argv);
int cert_verify_run(int argc, char **argv);
int cert_lint_run(int argc, char **argv);
int cert_match_run(int argc, char **argv);
int cert_key_run(int argc, char **argv);
int cert_csr_run(int argc, char **argv);
int cert_tlsa_run(int argc, char **argv);
int cert_sign_run(int argc, char **argv);
int cert_convert_run(int argc, char **argv);
int cert_dev_run(int argc, char **argv);
int cert_watch_run(int argc, char **argv);

/* Where a chain came from, and what the verifier thinks of it. */
struct cert_report {
    const char *source; /* as the user gave it */
    const struct cleat_cert *const *certs;
    size_t num;
    const struct cleat_verdict *verdict; /* NULL: not verified */
    int64_t now;                         /* Unix seconds */
    struct json_t *items;                /* other things, for JSON; or NULL */
    const struct cleat_ct_logs *logs;    /* those with names; or NULL */
};

/* cert_print_text and cert_print_json write everything about the chain's certificates. */
void cert_print_text(const struct cert_report *report, FILE *out);
void cert_print_json(const struct cert_report *report, FILE *out);

#endif
