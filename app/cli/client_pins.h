/* cli/client_pins.h - --pinnedpubkey, as curl has it: which public keys a server may have. */
#ifndef CL_CLI_CLIENT_PINS_H
#define CL_CLI_CLIENT_PINS_H

#include "cleat/tls_rawkey.h"
#include "cli/client_options.h"

/* 64: as many as the library takes */
#define CLIENT_PINS_MAX 64

struct client_pins {
    char items[CLIENT_PINS_MAX][CLEAT_RAW_PIN_LEN + 1]; /* "sha256//BASE64" */
    size_t num;
};

/* client_pins_read takes "sha256//BASE64[;sha256//BASE64]...", or reads the public key of a file
 * (PEM or DER). Returns 0; GET_EXIT_USAGE for what is no pin; GET_EXIT_PIN, as curl, for a file
 * that cannot be read or is no public key; err has the reason. */
int client_pins_read(const char *value, struct client_pins *out, struct cleat_error *err);

/* client_pins_check: 0, or CL_EXIT_USAGE with a message on stderr about --pinnedpubkey. Files are
 * not looked at. */
int client_pins_check(const struct client_options *o, const struct cl_usage *usage);

/* client_pins_add gives the pins of o to a configuration. As client_pins_read. */
int client_pins_add(const struct client_options *o, struct cleat_tls_builder *b,
                    struct cleat_error *err);

/* client_pins_judge: CLEAT_OK when the certificate's key is one of the pins; else
 * CLEAT_ERR_PIN_MISMATCH, and err says which it is. out: its own pin. */
int client_pins_judge(const struct client_pins *pins, const struct cleat_cert *cert,
                      char out[CLEAT_RAW_PIN_LEN + 1], struct cleat_error *err);

#endif
