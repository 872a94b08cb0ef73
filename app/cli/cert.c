/* cli/cert.c - the command `cleat cert`: finds its sub-command. */
#include "cli/cert.h"

#include "cli/cli.h"

static const struct cl_command commands[] = {
    {"show", "print what a file holds: certificates, keys, lists; or a server's chain",
     cert_show_run},
    {"verify", "verify a chain, and tell every check that was made", cert_verify_run},
    {"lint", "look for what standards and browsers mind about certificates", cert_lint_run},
    {"match", "tell whether a key, certificates and requests belong together", cert_match_run},
    {"key", "make a private key", cert_key_run},
    {"csr", "make a certificate request for a CA", cert_csr_run},
    {"sign", "sign what a request asks for: a small CA", cert_sign_run},
    {"tlsa", "print the TLSA record (DANE) that names a certificate", cert_tlsa_run},
    {"convert", "turn PEM, DER and PKCS#12 into each other", cert_convert_run},
    {"watch", "watch files and servers: what is left, what is wrong, and act", cert_watch_run},
    {"dev", "make certificates for development, signed by a local CA", cert_dev_run},
};

static const struct cl_family family = {"cert", commands, sizeof(commands) / sizeof(commands[0])};

int cl_cmd_cert(int argc, char **argv)
{
    return cl_run_family(&family, argc, argv);
}
