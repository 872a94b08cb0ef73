/* serve/clients.h - which clients may come in, of those whose certificates verify, and how a client
 * is written into logs.
 *
 * A rule names what must be in the client's certificate: "DNS:client.test" (or "*.test" for one
 * label more), "email:a@b.test", "URI:spiffe://x/y", "IP:192.0.2.1", "CN:name" (the subject's
 * common name, only when asked for by this prefix), "sha256:HEX" (of the certificate). Without a
 * prefix a rule is what it looks like. One that fits is enough. Immutable, shared by threads.
 */
#ifndef CL_SERVE_CLIENTS_H
#define CL_SERVE_CLIENTS_H

#include "base/buf.h"
#include "cleat/x509.h"

struct cl_clients;

/* cl_clients_new parses rules. BAD_CONFIG (err names the rule), NOMEM. */
CL_MUST cl_result cl_clients_new(const char *const *rules, size_t num, struct cl_clients **out,
                                 struct cleat_error *err);
void cl_clients_free(struct cl_clients *clients);

/* 600: a rule or a reason */
#define CL_CLIENT_WHY 600

/* cl_clients_allow: may the holder of this certificate (NULL: no certificate) come in? clients
 * NULL: everybody. why gets the rule that fits, or the reason, as text. */
bool cl_clients_allow(const struct cl_clients *clients, const struct cleat_cert *leaf, char *why,
                      size_t cap);

/* cl_clients_binding writes a text that differs for other rules, for the binding of tickets. */
void cl_clients_binding(const struct cl_clients *clients, char *out, size_t cap);

/* Who a client is, as logs write it: escaped (serve/access.h), so that columns stay columns. {0} is
 * a client without a certificate. */
struct cl_client_id {
    struct cl_buf user;    /* the first alternative name, else the common name, without spaces */
    struct cl_buf columns; /* "subject" "names" sha256 "issuer" */
};

/* cl_client_id_fill describes a certificate. NOMEM leaves it empty. */
CL_MUST cl_result cl_client_id_fill(struct cl_client_id *id, const struct cleat_cert *leaf);
/* cl_client_id_fill_raw describes a raw public key (RFC 7250): its pin is the user. NOMEM leaves it
 * empty. */
CL_MUST cl_result cl_client_id_fill_raw(struct cl_client_id *id, const uint8_t *spki, size_t len);
void cl_client_id_deinit(struct cl_client_id *id);

#endif
