/* cli/dev_ca.h - a local certification authority for development, and the leaves that it signs.
 *
 * The CA is a folder (0700) with ca.pem and ca-key.pem (0600), or one of mkcert's with rootCA.pem
 * and rootCA-key.pem. It is made when it is first used, under a lock, so that two programs at once
 * make one CA. Keys are written to a new file that is then renamed: nobody ever sees half of one,
 * nor one with wider permissions. A key that others can read, and a folder in which others can
 * write, are refused.
 */
#ifndef CL_CLI_DEV_CA_H
#define CL_CLI_DEV_CA_H

#include "base/buf.h"
#include "cleat/x509.h"
#include "crypto/key.h"

/* 10 years: as mkcert; a CA that expires sooner is one more thing that breaks at a bad time */
#define DEV_CA_DAYS   3650
/* 397 days: browsers refuse leaves that are valid for 398 days or more */
#define DEV_LEAF_DAYS 397
/* 1 hour: the clocks of phones and virtual machines that try the certificate may be behind */
#define DEV_BACKDATE  3600
/* 4,096: PATH_MAX */
#define DEV_PATH_SIZE 4096

struct dev_ca {
    struct cleat_cert *cert;
    struct cleat_key *key; /* NULL when it is not there, and need not be */
    bool created;          /* just now */
    char cert_path[DEV_PATH_SIZE];
    char key_path[DEV_PATH_SIZE];
};

/* dev_ca_default_folder writes $CLEAT_CA_DIR or mkcert's $CAROOT, or else cleat/ca below
 * $XDG_DATA_HOME or ~/.local/share. false: none of them is known. */
bool dev_ca_default_folder(char *out, size_t cap);

enum dev_ca_use {
    DEV_CA_SIGN,   /* certificate and key, made when there are none */
    DEV_CA_TRUST,  /* likewise, but a certificate without its key will do */
    DEV_CA_FORGET, /* the certificate, also an expired one; cert is NULL when there is none */
};

/* dev_ca_open loads the CA of a folder, or makes both. now in Unix seconds. Failures have their
 * detail in err: files that cannot be made or read, or that others can; a CA that has expired, a
 * key that is not the CA's. */
CL_MUST cl_result dev_ca_open(struct dev_ca *ca, const char *folder, enum dev_ca_use use,
                              int64_t now, struct cleat_error *err);
void dev_ca_deinit(struct dev_ca *ca);

struct dev_leaf {
    const char *const
        *names; /* DNS names (also "*.…", also international), IP addresses, mailboxes */
    size_t num_names;
    enum cl_key_type key_type;
    unsigned rsa_bits; /* 0 for other keys */
    int days;          /* 1 to DEV_LEAF_DAYS */
    bool client;       /* for clients (EKU clientAuth), not servers */
};

/* What was made; {0} is safe to deinit, which wipes. */
struct dev_made {
    struct cl_buf der; /* the certificate */
    struct cleat_key *key;
    int64_t not_after;
};

/* dev_leaf_make makes a new leaf and its key. CLEAT_ERR_BAD_CONFIG for a name that is none. */
CL_MUST cl_result dev_leaf_make(const struct dev_ca *ca, const struct dev_leaf *leaf, int64_t now,
                                struct dev_made *out, struct cleat_error *err);
void dev_made_deinit(struct dev_made *made);

/* dev_made_files writes certificate and key as PEM; dev_made_p12 both, with the CA's certificate,
 * as PKCS#12 under mkcert's password, for its owner alone. */
#define DEV_P12_PASSWORD "changeit"
CL_MUST cl_result dev_made_files(const struct dev_made *made, const char *cert_path,
                                 const char *key_path, struct cleat_error *err);
CL_MUST cl_result dev_made_p12(const struct dev_made *made, const struct dev_ca *ca,
                               const char *name, const char *path, struct cleat_error *err);

/* dev_file_write replaces a file as a whole, with these permissions. */
CL_MUST cl_result dev_file_write(const char *path, struct cl_rd text, unsigned mode,
                                 struct cleat_error *err);

#endif
