/* cli/show_items.c - keys, certificate requests and PKCS#12 files, shown; of private keys only what
 * they publish. */
#include "cli/show_items.h"

#include <string.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "x509/csr.h"

/* 8,192: a text that is longer is cut; nobody reads that far */
#define TEXT_SIZE 8192

/* ---- keys ---- */

static void spki(struct facts *f, struct cl_rd der)
{
    uint8_t digest[32];
    char pin[CL_BASE64_LEN(sizeof(digest)) + 16] = "sha256//";
    struct cl_pubkey *key = NULL;
    const enum cl_key_type type = cl_spki_type(der);
    facts_text(f, "Key", "key", type != CL_KEY_NONE ? cl_key_type_name(type) : "of another kind");
    if (cl_pubkey_parse(&key, der) == CL_OK) {
        facts_number(f, "Bits", "key_bits", cl_pubkey_bits(key));
    }
    cl_pubkey_free(key);
    cl_hash_once(CL_HASH_SHA256, der.p, der.len, digest);
    cl_base64_encode(digest, sizeof(digest), pin + strlen(pin));
    facts_text(f, "SPKI pin", "spki_pin_sha256", f->out != NULL ? pin : pin + strlen("sha256//"));
    facts_hex(f, "SPKI SHA-256", "spki_sha256", cl_rd_of(digest, sizeof(digest)));
}

static cl_result show_public(struct facts *f, const struct cert_item *item,
                             const struct show_wish *w, struct cleat_error *err)
{
    (void)w;
    (void)err;
    spki(f, cl_buf_view(&item->der));
    return CL_OK;
}

static const char *form_of(const struct cert_item *item)
{
    return item->headers.len != 0               ? "encrypted in PEM's old way (RFC 1421)"
           : item->kind == CL_KIND_PKCS8_SEALED ? "PKCS#8, encrypted"
           : item->kind == CL_KIND_PKCS8        ? "PKCS#8"
           : item->kind == CL_KIND_SEC1         ? "SEC1"
                                                : "PKCS#1";
}

/* Without a passphrase at hand an encrypted key is shown from outside, as that is no failure. */
static cl_result show_private(struct facts *f, const struct cert_item *item,
                              const struct show_wish *w, struct cleat_error *err)
{
    char sealed[CL_SEALED_TEXT] = "";
    struct cleat_key *key = NULL;
    struct cleat_error inner = {0};
    facts_text(f, "Form", "form", form_of(item));
    facts_flag(f, NULL, "encrypted", cert_item_is_sealed(item));
    if (item->kind == CL_KIND_PKCS8_SEALED) {
        CL_TRY(cl_sealed_describe(sealed, cl_buf_view(&item->der)));
    }
    facts_text(f, "Encryption", "encryption", sealed);
    if (cert_item_is_sealed(item) && w->how->passphrase.from == NULL) {
        facts_text(f, "Key", NULL, "(not known without its passphrase: --passin)");
        return CL_OK;
    }
    const cl_result r = cert_item_key(item, w->path, w->how, &key, &inner);
    if (r == CL_OK) {
        spki(f, cl_key_spki(key));
    } else if (r == CLEAT_ERR_BAD_PASSPHRASE || r == CLEAT_ERR_NEEDS_PASSPHRASE ||
               r == CLEAT_ERR_BAD_CONFIG) {
        return cl_error_set(err, (struct cl_why){.code = r, .hint = inner.hint}, "%s", inner.text);
    } else {
        facts_text(f, "Unusable", "unusable", inner.text);
    }
    cleat_key_free(key);
    return CL_OK;
}

/* ---- certificate requests ---- */

static cl_result show_csr(struct facts *f, const struct cert_item *item, const struct show_wish *w,
                          struct cleat_error *err)
{
    struct cl_csr *csr = NULL;
    struct cleat_error why = {0};
    struct cleat_ext_info ext;
    char text[TEXT_SIZE];
    enum cleat_san_kind kind;
    (void)w;
    CL_TRY(cl_csr_parse(&csr, cl_buf_view(&item->der), err));
    const struct cleat_cert *wanted = &csr->wanted;
    (void)cleat_cert_subject(wanted, text, sizeof(text));
    facts_text(f, "Subject", "subject", text);
    for (size_t i = 0; cleat_cert_san(wanted, i, &kind, text, sizeof(text)); i++) {
        struct facts sub = facts_sub(f, "names");
        facts_text(&sub, "Name", "value", text);
        facts_text(&sub, NULL, "kind", f->out == NULL ? cleat_san_kind_name(kind) : "");
    }
    spki(f, wanted->spki);
    for (size_t i = 0; cleat_cert_ext(wanted, i, &ext); i++) {
        struct facts sub = facts_sub(f, "extensions");
        (void)snprintf(text, sizeof(text), "%s: %s", ext.name, ext.text);
        facts_text(&sub, "Asks for", NULL, text);
        facts_text(&sub, NULL, "name", f->out == NULL ? ext.name : "");
        facts_text(&sub, NULL, "text", f->out == NULL ? ext.text : "");
    }
    const bool good = cl_csr_check(csr, &why) == CL_OK;
    const char *alg = cl_alg_name(csr->sig_oid);
    (void)snprintf(text, sizeof(text), "%s, %s", alg != NULL ? alg : "unknown",
                   good ? "good" : why.text);
    facts_text(f, "Signature", "signature", f->out != NULL ? text : alg != NULL ? alg : "");
    facts_flag(f, NULL, "signature_good", good);
    facts_flag(f, "Has password", "has_challenge_password", csr->has_challenge);
    cl_csr_free(csr);
    return CL_OK;
}

/* ---- PKCS#12 ---- */

void show_cert_line(struct facts *f, const char *key, struct cl_rd der)
{
    struct cleat_cert *cert = NULL;
    char text[TEXT_SIZE] = "(malformed)";
    uint8_t digest[32];
    struct facts sub = facts_sub(f, key);
    if (cleat_cert_from_der(der.p, der.len, &cert, NULL) == CLEAT_OK) {
        (void)cleat_cert_subject(cert, text, sizeof(text));
        facts_text(&sub, "Certificate", "subject", text);
        (void)cleat_cert_issuer(cert, text, sizeof(text));
        facts_text(&sub, "  Issuer", "issuer", text);
        facts_time(&sub, "  Until", "not_after", cleat_cert_not_after(cert));
        cleat_cert_fingerprint(cert, digest);
        facts_hex(&sub, "  SHA-256", "sha256", cl_rd_of(digest, sizeof(digest)));
    } else {
        facts_text(&sub, "Certificate", "subject", text);
    }
    cleat_cert_free(cert);
}

static void show_bag(struct facts *f, const struct cl_pkcs12_bag *bag, const struct show_wish *w)
{
    static const char *const kinds[] = {[CL_PKCS12_OTHER] = "other",
                                        [CL_PKCS12_CERT] = "certificate",
                                        [CL_PKCS12_KEY] = "private key",
                                        [CL_PKCS12_CRL] = "revocation list"};
    struct facts sub = facts_sub(f, "bags");
    facts_text(&sub, bag->what == CL_PKCS12_CERT ? NULL : "Bag", "kind", kinds[bag->what]);
    if (bag->what == CL_PKCS12_CERT) {
        show_cert_line(&sub, "certificates", cl_buf_view(&bag->der));
    } else if (bag->what == CL_PKCS12_KEY) {
        const struct cert_item item = {.kind = CL_KIND_PKCS8, .der = bag->der};
        facts_text(&sub, "Encryption", "encryption", bag->sealed);
        struct cleat_key *key = NULL;
        struct cleat_error inner = {0};
        const cl_result r = cert_item_key(&item, w->path, w->how, &key, &inner);
        if (r == CL_OK) {
            spki(&sub, cl_key_spki(key));
        } else {
            facts_text(&sub, "Unusable", "unusable", inner.text);
        }
        cleat_key_free(key);
    }
    facts_text(&sub, "  Name", "friendly_name", bag->name);
    facts_hex(&sub, "  Key id", "local_key_id", cl_rd_of(bag->id, bag->id_len));
}

static cl_result show_pkcs12(struct facts *f, const struct cert_item *item,
                             const struct show_wish *w, struct cleat_error *err)
{
    struct cl_pkcs12 p12;
    const struct cl_rd file = cl_buf_view(&item->der);
    CL_TRY(cl_pkcs12_look(&p12, file, err));
    facts_text(f, "MAC", "mac",
               p12.mac[0] != '\0' || f->out == NULL ? p12.mac
                                                    : "none: anybody may have changed this file");
    for (size_t i = 0; i < p12.num_safes; i++) {
        struct facts sub = facts_sub(f, "safes");
        facts_text(&sub, "Part", "encryption",
                   p12.safes[i].text[0] != '\0' || f->out == NULL ? p12.safes[i].text
                                                                  : "not encrypted");
    }
    if (p12.needs_passphrase && w->how->passphrase.from == NULL && !w->how->passphrase.may_ask) {
        facts_text(f, "Contents", NULL, "(not known without the passphrase: --passin)");
        return CL_OK;
    }
    struct cl_rd word = cl_rd_str("");
    if (p12.needs_passphrase) {
        CL_TRY(cl_passphrase_get(&w->how->passphrase, w->path, &word, err));
    }
    /* without_mac: it is only looked at, and told */
    CL_TRY(cl_pkcs12_open(&p12, file, word, true, err));
    for (size_t i = 0; i < p12.num_bags; i++) {
        show_bag(f, &p12.bags[i], w);
    }
    cl_pkcs12_deinit(&p12);
    return CL_OK;
}

/* ---- all ---- */

cl_result show_item(struct facts *f, const struct cert_item *item, const struct show_wish *w,
                    struct cleat_error *err)
{
    static cl_result (*const rows[CL_KIND_COUNT])(struct facts *, const struct cert_item *,
                                                  const struct show_wish *,
                                                  struct cleat_error *) = {
        [CL_KIND_CSR] = show_csr,       [CL_KIND_CRL] = show_crl,
        [CL_KIND_PKCS8] = show_private, [CL_KIND_PKCS8_SEALED] = show_private,
        [CL_KIND_SEC1] = show_private,  [CL_KIND_PKCS1] = show_private,
        [CL_KIND_PUBLIC] = show_public, [CL_KIND_OCSP] = show_ocsp,
        [CL_KIND_SCTS] = show_scts,     [CL_KIND_PKCS12] = show_pkcs12,
    };
    if (rows[item->kind] == NULL) {
        return CL_OK;
    }
    facts_text(f, NULL, "kind", f->out == NULL ? cl_kind_name(item->kind) : "");
    return rows[item->kind](f, item, w, err);
}
