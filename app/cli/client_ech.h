/* cli/client_ech.h - configurations for Encrypted Client Hello, as the command line gives them. */
#ifndef CL_CLI_CLIENT_ECH_H
#define CL_CLI_CLIENT_ECH_H

#include "base/buf.h"

/* curl's words for --ech, and where a configuration is given, that. */
enum client_ech_mode {
    CLIENT_ECH_GREASE, /* the default: a dummy */
    CLIENT_ECH_OFF,
    CLIENT_ECH_DNS,   /* what the HTTPS record has; a dummy when it has none */
    CLIENT_ECH_HARD,  /* the same, but not without */
    CLIENT_ECH_GIVEN, /* the list is what counts */
};

struct client_ech {
    enum client_ech_mode mode;
    struct cl_buf list; /* ECHConfigList */
};

/* client_ech_parse reads --ech: "false", "grease", "true", "hard", "ecl:BASE64", "@FILE". NULL: the
 * default. False, with the reason in err, for anything else. *out is to be deinited whatever comes
 * back. */
bool client_ech_parse(const char *text, struct client_ech *out, struct cleat_error *err);
void client_ech_deinit(struct client_ech *ech);

/* client_ech_read appends the ECHConfigList of a file ("-": standard input) to out: the ECHCONFIG
 * block of PEM, base64, or the bytes themselves; or, when there is no such file, the list that the
 * text itself is in base64. False, with the reason in err. */
bool client_ech_read(const char *source, struct cl_buf *out, struct cleat_error *err);

#endif
