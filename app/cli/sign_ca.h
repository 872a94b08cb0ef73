/* cli/sign_ca.h - the CA of `cleat cert sign`, and the revocation lists that it makes. */
#ifndef CL_CLI_SIGN_CA_H
#define CL_CLI_SIGN_CA_H

#include "base/buf.h"
#include "cleat/x509.h"
#include "cli/cert_items.h"
#include "crypto/key.h"

struct sign_ca {
    const char *cert_path;
    const char *key_path;
    struct cert_opening how; /* of the key */
    struct cleat_cert *cert;
    struct cleat_key *key;
};

/* sign_ca_open reads a CA and its key from their paths and checks that they belong together, that
 * it is a CA, now, and that its key usage, if it has one, has this bit ("cRLSign"). {0} with paths
 * is safe to deinit. */
CL_MUST cl_result sign_ca_open(struct sign_ca *ca, unsigned usage, const char *usage_name,
                               int64_t now, struct cleat_error *err);
void sign_ca_deinit(struct sign_ca *ca);

/* sign_refuse says why not: path, what is wrong with it, what to do (or NULL). */
cl_result sign_refuse(struct cleat_error *err, const char *section, const char *path,
                      const char *why, const char *hint);

/* sign_output writes a certificate ("CERTIFICATE") or list as PEM or DER. */
CL_MUST cl_result sign_output(const char *label, struct cl_rd der, const char *path, bool as_der,
                              bool force, struct cleat_error *err);

/* 1,024: changes on one command line; more are made in several steps */
#define SIGN_MAX_CHANGES 1024
/* 30 days: as openssl ca; the Baseline Requirements (4.9.7) want ten for servers on the web */
#define SIGN_CRL_DAYS    30

/* One certificate to be put onto the list, or to be taken off. */
struct sign_change {
    const char *what; /* FILE or SERIAL, perhaps :reason */
    int64_t since;    /* invalidityDate; INT64_MIN: none */
    bool release;     /* off the list: it was on hold */
};

struct sign_crl {
    const char *ca, *ca_key, *passin;
    const char *from;   /* the list before this one, or NULL */
    const char *url;    /* of the distribution point that it is for, or NULL */
    const char *output; /* or NULL */
    bool only_user, only_ca, as_der, force;
    long days; /* 0: SIGN_CRL_DAYS */
    struct sign_change changes[SIGN_MAX_CHANGES];
    size_t num_changes;
};

/* sign_crl_run makes a list, writes it, and tells on standard error what is new on it. */
CL_MUST cl_result sign_crl_run(const struct sign_crl *wish, int64_t now, struct cleat_error *err);

#endif
