/* crypto/pkcs12.h - PKCS#12 files (RFC 7292): a key and its certificates, under a passphrase.
 *
 * The cryptography and the ASN.1 (which is BER in such files) are libcrypto's; here are the bounds:
 * of size, of numbers, of the work that a file may ask for, all looked at before any of it is done;
 * and that the MAC is checked before anything inside counts. Passphrases are UTF-8 without a NUL.
 */
#ifndef CL_CRYPTO_PKCS12_H
#define CL_CRYPTO_PKCS12_H

#include "crypto/key.h"
#include "crypto/sealed.h"

/* 4 MiB: a trust store with all CAs of the web has 220 KB */
#define CL_PKCS12_MAX_LEN    (4u << 20)
/* 1,024: that trust store has 150 */
#define CL_PKCS12_MAX_BAGS   1024
/* 16: OpenSSL writes two, Windows two or three */
#define CL_PKCS12_MAX_SAFES  16
/* 4: bags inside bags; nobody writes any */
#define CL_PKCS12_MAX_DEPTH  4
/* 100,000 for each of three derivations, 0.07 s in all. Windows' .NET reads no file that asks for
 * more than 600,000 in all (KB5025823); OpenSSL writes 2,048 */
#define CL_PKCS12_ITERATIONS 100000
/* 255: names of keys in stores are short */
#define CL_PKCS12_NAME_MAX   255
/* 64: OpenSSL's have 20 bytes (SHA-1), Windows' four */
#define CL_PKCS12_ID_MAX     64

/* ---- write ---- */

struct cl_pkcs12_content {
    const struct cleat_key *key; /* or NULL */
    const struct cl_rd *certs;   /* DER: the key's own first */
    size_t num_certs;
    const char *name;        /* friendlyName, UTF-8; NULL: none */
    struct cl_rd passphrase; /* may be empty */
    bool old_readers; /* 3DES, SHA-1 and 2,048 iterations: for Windows Server 2016, macOS 10.14,
                         Java 8 before 8u301; else AES-256, HMAC-SHA-256 */
};

/* cl_pkcs12_build appends a PKCS#12 file. KEY_MISMATCH when the key does not belong to the first
 * certificate, BAD_CERTIFICATE, BAD_PASSPHRASE (too long, or a NUL in it), BAD_CONFIG (nothing to
 * write, or a name that is too long), UNSUPPORTED (the key is elsewhere), NOMEM, CRYPTO; err says
 * it in words. The caller wipes out. */
CL_MUST cl_result cl_pkcs12_build(struct cl_buf *out, const struct cl_pkcs12_content *content,
                                  struct cleat_error *err);

/* ---- read ---- */

enum cl_pkcs12_what {
    CL_PKCS12_OTHER = 0, /* a secret, or a kind that is not known */
    CL_PKCS12_CERT,
    CL_PKCS12_KEY,
    CL_PKCS12_CRL,
};

struct cl_pkcs12_bag {
    enum cl_pkcs12_what what;
    struct cl_buf der;                 /* certificate, list, or PKCS#8 PrivateKeyInfo; or empty */
    char name[CL_PKCS12_NAME_MAX + 1]; /* friendlyName, UTF-8; empty when absent, or too long */
    uint8_t id[CL_PKCS12_ID_MAX];      /* localKeyId: a key and its certificate have the same */
    size_t id_len;
    char sealed[CL_SEALED_TEXT]; /* how the bag itself was encrypted; empty: not */
};

/* {0} is safe to deinit, which wipes. */
struct cl_pkcs12 {
    char mac[CL_SEALED_TEXT]; /* "sha256, 2048 iterations"; empty: none */
    struct {
        char text[CL_SEALED_TEXT]; /* how it was encrypted; empty: not */
        size_t num_bags;           /* once it is open */
    } safes[CL_PKCS12_MAX_SAFES];
    size_t num_safes;
    bool needs_passphrase; /* it has a MAC, or something of it is encrypted */
    bool old_reading;      /* the passphrase was right when read as ISO 8859-1 */
    struct cl_pkcs12_bag *bags;
    size_t num_bags;
};

/* cl_pkcs12_look fills in what can be told without a passphrase: everything above bags.
 * BAD_PKCS12: it is none; LIMIT. */
CL_MUST cl_result cl_pkcs12_look(struct cl_pkcs12 *out, struct cl_rd file, struct cleat_error *err);

/* cl_pkcs12_open reads all of it. The passphrase may be empty, which programs write in two ways:
 * both are tried. Without a MAC nothing tells whether the file was changed: BAD_PKCS12, unless
 * without_mac. BAD_PASSPHRASE, UNSUPPORTED, LIMIT, NOMEM; err says it in words. */
CL_MUST cl_result cl_pkcs12_open(struct cl_pkcs12 *out, struct cl_rd file, struct cl_rd passphrase,
                                 bool without_mac, struct cleat_error *err);
void cl_pkcs12_deinit(struct cl_pkcs12 *p12);

#endif
