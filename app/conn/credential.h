/* conn/credential.h - our private key and certificates, out of what their files hold: PEM, the key
 * encrypted or not, or PKCS#12. Blocks while a passphrase is asked for.
 *
 * what ("the key server.key") names the file in questions and messages. word: where the passphrase
 * is; NULL: nobody is asked.
 */
#ifndef CL_CONN_CREDENTIAL_H
#define CL_CONN_CREDENTIAL_H

#include "cleat/key.h"
#include "net/passphrase.h"

/* cl_credential_is_pkcs12 tells by the first bytes. */
bool cl_credential_is_pkcs12(struct cl_rd bytes);

/* cl_credential_unpack puts PEM into the place of a PKCS#12 file: its first key, that key's
 * certificate (without one that fits: the first), and those that issued it, in order, without the
 * root. Other bytes stay what they are. As cl_passphrase_get, cl_pkcs12_look and cl_pkcs12_open;
 * NO_CERTIFICATE, BAD_CERTIFICATE, NOMEM; err says it in words. */
CL_MUST cl_result cl_credential_unpack(struct cl_buf *file, const char *what,
                                       struct cl_passphrase *word, struct cleat_error *err);

/* cl_credential_key reads the first private key of a PEM text, and decrypts it when it is
 * encrypted. As cl_passphrase_get and cleat_key_from_encrypted_pem; err says it in words. */
CL_MUST cl_result cl_credential_key(struct cl_rd pem, const char *what, struct cl_passphrase *word,
                                    struct cleat_key **out, struct cleat_error *err);

#endif
