/* cli/cert_proof.h - the verdict on a chain, with its proof, as `cleat cert verify` prints it. */
#ifndef CL_CLI_CERT_PROOF_H
#define CL_CLI_CERT_PROOF_H

#include <stdio.h>

#include "cli/client_options.h"
#include "cli/client_pins.h"
#include "fetch/gather.h"

/* What was asked and what came of it. */
struct cert_proof {
    const char *source; /* as the user gave it */
    const char *host;   /* or NULL */
    const char *policy;
    const char *purpose;
    int64_t at; /* Unix seconds */
    const struct cleat_verdict *verdict;
    const struct cleat_chain *chain;      /* as given; NULL when a certificate of it is malformed */
    const struct client_options *options; /* which files were given */
    bool has_staple;                      /* the server sent one */
    const struct cl_gathered *gathered;   /* what was looked for elsewhere, or NULL */
    const struct cleat_chain_note *notes;
    size_t num_notes;
    const struct client_pins *pins;      /* NULL: none are asked for */
    const char *pin;                     /* of the first certificate's key; or NULL */
    const struct cleat_error *pin_error; /* code 0: it is one of the pins */
};

/* cert_proof_text writes the verdict, its reason and what to do; with every path and every check
 * when explain. cert_proof_json writes all of it. */
void cert_proof_text(const struct cert_proof *proof, bool explain, FILE *out);
void cert_proof_json(const struct cert_proof *proof, FILE *out);

#endif
