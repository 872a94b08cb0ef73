/* conn/credential.c - see credential.h. What was a key on the way is wiped by its buffer. */
#include "conn/credential.h"

#include "base/mem.h"
#include "base/pem.h"
#include "crypto/pkcs12.h"
#include "x509/cert.h"
#include "x509/kind.h"

static cl_result named(cl_result r, const char *what, const struct cleat_error *inner,
                       struct cleat_error *err)
{
    return r == CL_OK
               ? CL_OK
               : cl_error_set(err, (struct cl_why){.code = r, .hint = inner->hint}, "%s: %s", what,
                              inner->text[0] != '\0' ? inner->text : cleat_error_sentence((int)r));
}

static cl_result ask(struct cl_passphrase *word, const char *what, struct cl_rd *out,
                     struct cleat_error *err)
{
    struct cl_passphrase nobody = {0};
    return cl_passphrase_get(word != NULL ? word : &nobody, what, out, err);
}

bool cl_credential_is_pkcs12(struct cl_rd bytes)
{
    return cl_kind_of(bytes) == CL_KIND_PKCS12;
}

/* ---- the certificates' order ---- */

/* The certificates of a file, as they come. */
struct pile {
    struct cleat_cert **certs;
    size_t num;
};

static void pile_deinit(struct pile *pile)
{
    for (size_t i = 0; i < pile->num; i++) {
        cleat_cert_free(pile->certs[i]);
    }
    cl_free(pile->certs);
}

static cl_result pile_up(struct pile *out, const struct cl_pkcs12 *p12, struct cleat_error *err)
{
    out->certs = cl_calloc(p12->num_bags + 1, sizeof(struct cleat_cert *));
    if (out->certs == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < p12->num_bags; i++) {
        if (p12->bags[i].what == CL_PKCS12_CERT) {
            CL_TRY(cl_cert_parse(&out->certs[out->num], cl_buf_view(&p12->bags[i].der), err));
            out->num++;
        }
    }
    return out->num != 0 ? CL_OK
                         : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                                        "it holds no certificate");
}

static size_t place_of_own(const struct pile *pile, const struct cleat_key *key)
{
    for (size_t i = 0; key != NULL && i < pile->num; i++) {
        if (cl_rd_equal(cl_cert_spki(pile->certs[i]), cl_key_spki(key))) {
            return i;
        }
    }
    return 0;
}

static bool is_self_issued(const struct cleat_cert *cert)
{
    return cl_rd_equal(cl_cert_subject_der(cert), cl_cert_issuer_der(cert));
}

/* Takes the issuer of a certificate off the pile; NULL: it is not there, or is the root. */
static struct cleat_cert *take_issuer(struct pile *pile, const struct cleat_cert *cert)
{
    for (size_t i = 0; i < pile->num; i++) {
        struct cleat_cert *other = pile->certs[i];
        if (other != NULL && !is_self_issued(other) &&
            cl_rd_equal(cl_cert_subject_der(other), cl_cert_issuer_der(cert))) {
            pile->certs[i] = NULL;
            return other;
        }
    }
    return NULL;
}

static cl_result write_chain(struct pile *pile, size_t first, struct cl_buf *out)
{
    struct cleat_cert *cert = pile->certs[first];
    cl_result r = CL_OK;
    pile->certs[first] = NULL;
    while (cert != NULL && r == CL_OK) {
        r = cl_pem_encode(cl_kind_label(CL_KIND_CERT), cl_cert_der(cert), out);
        struct cleat_cert *issuer = take_issuer(pile, cert);
        cleat_cert_free(cert);
        cert = issuer;
    }
    cleat_cert_free(cert);
    return r;
}

/* ---- a PKCS#12 file ---- */

static cl_result write_key(const struct cl_pkcs12 *p12, struct cl_buf *out, struct cleat_key **key,
                           struct cleat_error *err)
{
    for (size_t i = 0; i < p12->num_bags; i++) {
        if (p12->bags[i].what == CL_PKCS12_KEY) {
            CL_TRY(
                cl_pem_encode(cl_kind_label(CL_KIND_PKCS8), cl_buf_view(&p12->bags[i].der), out));
            return (cl_result)cleat_key_from_pem((const char *)out->p, out->len, key, err);
        }
    }
    return CL_OK; /* it may be in a file of its own */
}

static cl_result write_pem(const struct cl_pkcs12 *p12, struct cl_buf *out, struct cleat_error *err)
{
    struct pile pile = {0};
    struct cleat_key *key = NULL;
    cl_result r = pile_up(&pile, p12, err);
    if (r == CL_OK) {
        r = write_key(p12, out, &key, err);
    }
    if (r == CL_OK) {
        r = write_chain(&pile, place_of_own(&pile, key), out);
    }
    cleat_key_free(key);
    pile_deinit(&pile);
    return r;
}

static cl_result open_file(struct cl_pkcs12 *out, struct cl_rd file, const char *what,
                           struct cl_passphrase *word, struct cleat_error *err)
{
    struct cleat_error inner = {0};
    struct cl_rd text = cl_rd_str("");
    const cl_result r = cl_pkcs12_look(out, file, &inner);
    if (r != CL_OK) {
        return named(r, what, &inner, err);
    }
    if (out->needs_passphrase) {
        CL_TRY(ask(word, what, &text, err));
    }
    return named(cl_pkcs12_open(out, file, text, false, &inner), what, &inner, err);
}

cl_result cl_credential_unpack(struct cl_buf *file, const char *what, struct cl_passphrase *word,
                               struct cleat_error *err)
{
    struct cl_pkcs12 p12 = {0};
    struct cl_buf pem = {0};
    struct cleat_error inner = {0};
    if (!cl_credential_is_pkcs12(cl_buf_view(file))) {
        return CL_OK;
    }
    cl_result r = open_file(&p12, cl_buf_view(file), what, word, err);
    if (r == CL_OK) {
        r = named(write_pem(&p12, &pem, &inner), what, &inner, err);
    }
    cl_pkcs12_deinit(&p12);
    if (r != CL_OK) {
        cl_buf_deinit(&pem);
        return r;
    }
    cl_buf_deinit(file);
    *file = pem; /* moves */
    return CL_OK;
}

/* ---- a key ---- */

cl_result cl_credential_key(struct cl_rd pem, const char *what, struct cl_passphrase *word,
                            struct cleat_key **out, struct cleat_error *err)
{
    struct cleat_error inner = {0};
    struct cl_rd text;
    cl_result r = (cl_result)cleat_key_from_pem((const char *)pem.p, pem.len, out, &inner);
    if (r == CLEAT_ERR_NEEDS_PASSPHRASE) {
        CL_TRY(ask(word, what, &text, err));
        inner = (struct cleat_error){0};
        r = (cl_result)cleat_key_from_encrypted_pem((const char *)pem.p, pem.len,
                                                    (const char *)text.p, text.len, out, &inner);
    }
    return named(r, what, &inner, err);
}
