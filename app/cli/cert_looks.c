/* cli/cert_looks.c - see cert_looks.h. A table of beginnings; it decides nothing. */
#include "cli/cert_looks.h"

#include <stdio.h>

#include "base/text.h"
#include "x509/der.h"
#include "x509/kind.h"

#define KNOWN_KINDS                                                                      \
    "certificates, requests, revocation lists, OCSP responses, keys, timestamps (SCTs) " \
    "and PKCS#12 files are read, in PEM or DER"

#define AT(text) text, sizeof(text) - 1

static const struct look {
    const char *bytes;
    size_t len;
    bool anywhere; /* within the first 4 KiB */
    const char *what;
    const char *hint;
} looks[] = {
    {AT("\xfe\xed\xfe\xed"), false, "a Java keystore (JKS)",
     "keytool -importkeystore -srckeystore FILE -destkeystore new.p12 -deststoretype PKCS12"},
    {AT("\xce\xce\xce\xce"), false, "a Java keystore (JCEKS)",
     "keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore new.p12 "
     "-deststoretype PKCS12"},
    {AT("-----BEGIN OPENSSH PRIVATE KEY"), true, "a private key of OpenSSH",
     "if it is RSA or ECDSA: ssh-keygen -p -m PKCS8 -f COPY changes a copy"},
    {AT("-----BEGIN SSH2 PUBLIC KEY"), true, "a public key of SSH", "ssh-keygen -e -m PKCS8"},
    {AT("ssh-"), false, "a public key of OpenSSH", "ssh-keygen -e -m PKCS8 -f FILE"},
    {AT("ecdsa-sha2-"), false, "a public key of OpenSSH", "ssh-keygen -e -m PKCS8 -f FILE"},
    {AT("PuTTY-User-Key-File"), false, "a private key of PuTTY",
     "puttygen FILE -O private-openssh-new"},
    {AT("-----BEGIN PGP"), true, "PGP, which is no X.509", NULL},
    {AT("-----BEGIN PKCS7-----"), true, "a PKCS#7 bundle of certificates (.p7b)",
     "openssl pkcs7 -print_certs -in FILE -out chain.pem"},
    {AT("-----BEGIN CMS-----"), true, "a CMS message", "openssl cms -cmsout -print -in FILE"},
    {AT("-----BEGIN DSA PRIVATE KEY"), true, "a DSA key, which TLS has no use for",
     "make a new key: cleat cert key"},
    {AT("-----BEGIN EC PARAMETERS-----"), true, "parameters of a curve, without a key",
     "the key is in a block of its own: cleat cert key makes one"},
    {AT("-----BEGIN DH PARAMETERS-----"), true, "Diffie-Hellman parameters",
     "they are not needed: groups are those of RFC 7919"},
    {AT("-----BEGIN TRUSTED CERTIFICATE-----"), true, "a certificate with OpenSSL's trust settings",
     "openssl x509 -in FILE -out plain.pem"},
    {AT("-----BEGIN ECHCONFIG"), true, "keys of Encrypted Client Hello", "cleat ech show FILE"},
    {AT("\xef\xbb\xbf"), false, "text with a byte order mark in front", "remove its first 3 bytes"},
    {AT("\xff\xfe"), false, "text in UTF-16, as Windows' editors write it",
     "iconv -f UTF-16 -t UTF-8 FILE"},
    {AT("\x1f\x8b"), false, "compressed (gzip)", "gunzip it"},
    {AT("PK\x03\x04"), false, "a ZIP archive", "unzip it; certificates may be inside"},
    {AT("SQLite format 3"), false, "a database (cert9.db and key4.db are an NSS store)",
     "pk12util -o new.p12 -n NAME -d sql:FOLDER"},
    {AT("<!DOCTYPE"), false, "a web page", "the address may want a login, or be wrong"},
    {AT("<html"), false, "a web page", "the address may want a login, or be wrong"},
    {AT("\x7f"
        "ELF"),
     false, "a program", NULL},
    {AT("-----BEGIN "), true, "PEM, with blocks of other kinds alone", KNOWN_KINDS},
};

/* The OIDs 1.2.840.113549.1.7.2 (signedData) and …1.9.16.1.4 (TSTInfo) right behind a SEQUENCE. */
static const char *look_of_der(struct cl_rd bytes, const char **hint)
{
    static const uint8_t signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
    struct cl_rd rest = bytes;
    struct cl_rd body;
    struct cl_rd first;
    uint8_t tag;
    if (rest.len < 2 || rest.p[0] != CL_DER_SEQUENCE) {
        return NULL;
    }
    if (!cl_der_any(&rest, &tag, &body, NULL)) {
        *hint = "fetch or copy it anew, in binary mode";
        return "DER that is cut off, or not DER to its end";
    }
    if (cl_der_get(&body, CL_DER_OID, &first) &&
        cl_rd_equal(first, cl_rd_of(signed_data, sizeof(signed_data)))) {
        *hint = "openssl pkcs7 -inform DER -print_certs -in FILE -out chain.pem";
        return "a PKCS#7 bundle of certificates (.p7b)";
    }
    *hint = KNOWN_KINDS;
    return "DER of a kind that is not known";
}

/* Base64 without the lines around it; the first bytes tell of what. */
static bool is_bare_base64(struct cl_rd bytes)
{
    uint8_t out[48];
    size_t len;
    const size_t take = bytes.len < 60 ? bytes.len / 4 * 4 : 60;
    return take >= 40 &&
           cl_base64_decode((const char *)bytes.p, take, false, out, sizeof(out), &len);
}

static const struct look *find(struct cl_rd bytes)
{
    const size_t head = bytes.len < 4096 ? bytes.len : 4096;
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        const struct look *l = &looks[i];
        if (l->anywhere ? head != 0 && memmem(bytes.p, head, l->bytes, l->len) != NULL
                        : head >= l->len && memcmp(bytes.p, l->bytes, l->len) == 0) {
            return l;
        }
    }
    return NULL;
}

cl_result cert_looks_explain(struct cl_rd bytes, const char *path, struct cleat_error *err)
{
    const char *hint = KNOWN_KINDS;
    const char *what = NULL;
    const struct look *look = find(bytes);
    if (bytes.len == 0) {
        what = "an empty file";
    } else if (look != NULL) {
        what = look->what;
        hint = look->hint;
    } else if (is_bare_base64(bytes)) {
        what = "base64 without the lines around it";
        hint = "decode it: base64 -d FILE > FILE.der";
    } else {
        what = look_of_der(bytes, &hint);
    }
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE, .hint = hint},
                        "%s: it looks like %s", path,
                        what != NULL ? what : "nothing that is known here: neither PEM nor DER");
}
