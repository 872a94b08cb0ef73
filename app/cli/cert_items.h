/* cli/cert_items.h - what a file of certificates, keys, requests and lists holds, PEM or DER. */
#ifndef CL_CLI_CERT_ITEMS_H
#define CL_CLI_CERT_ITEMS_H

#include "base/buf.h"
#include "cleat/x509.h"
#include "cli/options.h"
#include "crypto/pkcs12.h"
#include "net/passphrase.h"
#include "x509/kind.h"

/* 16 MiB: large revocation lists have ten */
#define CERT_ITEMS_MAX_FILE (16u << 20)
/* 4,096: a bundle of all CAs has 150 */
#define CERT_ITEMS_MAX      4096

struct cert_item {
    enum cl_kind kind;
    struct cl_buf der;
    struct cl_buf headers; /* not empty: der is encrypted in the old way of PEM (RFC 1421) */
    size_t line;           /* of its BEGIN; 0: DER */
    char *name;            /* of a thing out of a PKCS#12 file: its friendly name; or NULL */
    uint32_t id;           /* likewise: a key and its certificate have the same; 0: none */
};

/* How what is encrypted is opened; NULL in its place, or {0}, opens nothing. */
struct cert_opening {
    struct cl_passphrase passphrase;
    bool without_mac; /* take PKCS#12 files that have none */
};

/* {0} is safe to deinit, which wipes. */
struct cert_items {
    struct cert_item *items;
    size_t num;
    bool is_pem;
    bool is_pkcs12; /* the file was one, and is open */
};

/* cert_items_read reads a file ("-": standard input): PEM blocks of the kinds that are known,
 * others left out; or DER values one after another. A PKCS#12 file is one item. cert_items_parse
 * does so with what was read. err names the file: unreadable, nothing in it,
 * a block that is not what its label says. */
CL_MUST cl_result cert_items_read(struct cert_items *out, const char *path,
                                  struct cleat_error *err);
CL_MUST cl_result cert_items_parse(struct cert_items *out, const char *path, struct cl_rd bytes,
                                   struct cleat_error *err);
void cert_items_deinit(struct cert_items *items);

/* cert_items_open puts into the place of each PKCS#12 file what it holds; cert_items_load reads and
 * opens. err names path. */
CL_MUST cl_result cert_items_open(struct cert_items *items, const char *path,
                                  struct cert_opening *how, struct cleat_error *err);
CL_MUST cl_result cert_items_load(struct cert_items *out, const char *path,
                                  struct cert_opening *how, struct cleat_error *err);

/* cert_pkcs12_open opens a PKCS#12 file; the passphrase is asked for when it needs one. err names
 * path. */
CL_MUST cl_result cert_pkcs12_open(struct cl_pkcs12 *out, struct cl_rd file, const char *path,
                                   struct cert_opening *how, struct cleat_error *err);

/* cert_items_first finds the first item of a kind; NULL. cert_items_private: the first private key.
 */
const struct cert_item *cert_items_first(const struct cert_items *items, enum cl_kind kind);
const struct cert_item *cert_items_private(const struct cert_items *items);

/* cert_item_is_sealed says whether a private key is encrypted. */
static inline bool cert_item_is_sealed(const struct cert_item *item)
{
    return item->kind == CL_KIND_PKCS8_SEALED || item->headers.len != 0;
}

/* cert_item_key makes a key of a private one, decrypted when it is encrypted: then
 * NEEDS_PASSPHRASE, BAD_PASSPHRASE. err names path. */
CL_MUST cl_result cert_item_key(const struct cert_item *item, const char *path,
                                struct cert_opening *how, struct cleat_key **out,
                                struct cleat_error *err);

/* cert_key_read reads the one private key of a file, cert_read its first certificate. */
CL_MUST cl_result cert_key_read(const char *path, struct cert_opening *how, struct cleat_key **out,
                                struct cleat_error *err);
CL_MUST cl_result cert_read(const char *path, struct cert_opening *how, struct cleat_cert **out,
                            struct cleat_error *err);

/* The option of every command that reads keys: its row, and what it does. Returns 0 or the exit
 * code, with a message on stderr. */
#define CERT_PASSIN_ROW(id)                                                         \
    {                                                                               \
        (id), 0, "passin", "SOURCE",                                                \
            "where the passphrase of what is encrypted is:\n" CL_PASSPHRASE_SOURCES \
            "\n(default: it is asked for on the terminal)"                          \
    }
#define CERT_PASSOUT_ROW(id)                                                              \
    {                                                                                     \
        (id), 0, "passout", "SOURCE",                                                     \
            "where the new passphrase is, to encrypt a key with:\n" CL_PASSPHRASE_SOURCES \
            "\n(default: it is asked for on the terminal, twice)"                         \
    }
int cert_pass_set(const char **from, const struct cl_options *o);

/* cert_opening_init is for commands that may ask on the terminal. */
void cert_opening_init(struct cert_opening *how, const char *passin);

/* cert_new_passphrase is one for something that is written. cert_seal appends a private key
 * (PKCS#8), encrypted with it, as PEM; cert_seal_der as DER. what names it in questions. */
struct cl_passphrase cert_new_passphrase(const char *passout);
CL_MUST cl_result cert_seal(struct cl_rd pkcs8, const char *what, struct cl_passphrase *word,
                            struct cl_buf *out, struct cleat_error *err);
CL_MUST cl_result cert_seal_der(struct cl_rd pkcs8, const char *what, struct cl_passphrase *word,
                                struct cl_buf *out, struct cleat_error *err);

/* cert_output writes to a new file, or to standard output when path is NULL or "-". An existing
 * file is written over only when force is set. err names the path. */
CL_MUST cl_result cert_output(const char *path, struct cl_rd bytes, unsigned mode, bool force,
                              struct cleat_error *err);

/* cert_tool_complain prints what went wrong on standard error, and returns CL_EXIT_FAILURE.
 * cert_tool_finish does so unless r is CL_OK; what ("the key") is for failures without words. */
int cert_tool_complain(const char *command, const struct cleat_error *err);
int cert_tool_finish(const char *command, cl_result r, const char *what, struct cleat_error *err);

#endif
