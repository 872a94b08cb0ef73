/* cli/cert_items.h - what a file of certificates, keys, requests and lists holds, PEM or DER. */
#ifndef CL_CLI_CERT_ITEMS_H
#define CL_CLI_CERT_ITEMS_H

#include "base/buf.h"
#include "cleat/x509.h"
#include "crypto/key.h"
#include "x509/kind.h"

/* 16 MiB: large revocation lists have ten */
#define CERT_ITEMS_MAX_FILE (16u << 20)
/* 4,096: a bundle of all CAs has 150 */
#define CERT_ITEMS_MAX      4096

struct cert_item {
    enum cl_kind kind;
    struct cl_buf der; /* empty when it is sealed in the old way of PEM (RFC 1421) */
    size_t line;       /* of its BEGIN; 0: DER */
};

/* {0} is safe to deinit, which wipes. */
struct cert_items {
    struct cert_item *items;
    size_t num;
    bool is_pem;
};

/* cert_items_read reads a file ("-": standard input): PEM blocks of the kinds that are known,
 * others left out; or DER values one after another. err names the file: unreadable, nothing in it,
 * a block that is not what its label says. */
CL_MUST cl_result cert_items_read(struct cert_items *out, const char *path,
                                  struct cleat_error *err);
void cert_items_deinit(struct cert_items *items);

/* cert_items_first finds the first item of a kind; NULL. cert_items_private: the first private key.
 */
const struct cert_item *cert_items_first(const struct cert_items *items, enum cl_kind kind);
const struct cert_item *cert_items_private(const struct cert_items *items);

/* cert_item_key makes a key of a private one; NEEDS_PASSPHRASE for one that is encrypted. err names
 * path. */
CL_MUST cl_result cert_item_key(const struct cert_item *item, const char *path,
                                struct cleat_key **out, struct cleat_error *err);

/* cert_key_read reads the one private key of a file, cert_read its first certificate. */
CL_MUST cl_result cert_key_read(const char *path, struct cleat_key **out, struct cleat_error *err);
CL_MUST cl_result cert_read(const char *path, struct cleat_cert **out, struct cleat_error *err);

/* cert_output writes to a new file, or to standard output when path is NULL or "-". An existing
 * file is written over only when force is set. err names the path. */
CL_MUST cl_result cert_output(const char *path, struct cl_rd bytes, unsigned mode, bool force,
                              struct cleat_error *err);

/* cert_tool_complain prints what went wrong on standard error, and returns CL_EXIT_FAILURE.
 * cert_tool_finish does so unless r is CL_OK; what ("the key") is for failures without words. */
int cert_tool_complain(const char *command, const struct cleat_error *err);
int cert_tool_finish(const char *command, cl_result r, const char *what, struct cleat_error *err);

#endif
