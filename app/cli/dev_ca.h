/* cli/dev_ca.h - a local certification authority for development, and the leaves that it signs.
 *
 * The CA is a folder (0700) with ca.pem and ca-key.pem (0600). It is made when it is first used,
 * under a lock, so that two programs at once make one CA. Keys are written to a new file that is
 * then renamed: nobody ever sees half of one, nor one with wider permissions.
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
    struct cleat_key *key;
    bool created; /* just now */
    char cert_path[DEV_PATH_SIZE];
    char key_path[DEV_PATH_SIZE];
};

/* dev_ca_default_folder writes $CLEAT_CA_DIR, or else cleat/ca below $XDG_DATA_HOME or
 * ~/.local/share. false: none of them is known. */
bool dev_ca_default_folder(char *out, size_t cap);

/* dev_ca_open loads the CA of a folder, or makes both. now in Unix seconds. Failures have their
 * detail in err: files that cannot be made or read, a CA that has expired, a key that is not the
 * CA's. */
CL_MUST cl_result dev_ca_open(struct dev_ca *ca, const char *folder, int64_t now,
                              struct cleat_error *err);
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

/* dev_leaf_make appends a new leaf and its key as PEM; *out_not_after gets its end. The caller
 * wipes key_pem. CLEAT_ERR_BAD_CONFIG for a name that is none. */
CL_MUST cl_result dev_leaf_make(const struct dev_ca *ca, const struct dev_leaf *leaf, int64_t now,
                                struct cl_buf *cert_pem, struct cl_buf *key_pem,
                                int64_t *out_not_after, struct cleat_error *err);

/* dev_file_write replaces a file as a whole, with these permissions. */
CL_MUST cl_result dev_file_write(const char *path, struct cl_rd text, unsigned mode,
                                 struct cleat_error *err);

#endif
