/* fuzz/fuzz_serve_config.c - a configuration file of `cleat serve`: libConfuse's grammar, and what
 * is made of it. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/serve_config.h"
#include "cli/serve_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_serve_config *config = NULL;
    const struct cl_serve_key *key;
    size_t certs = 0;
    int code =
        cl_serve_config_parse("/etc/cleat/web.conf", (const char *)data, size, NULL, &config);
    require(code == CL_EXIT_OK || code == CL_EXIT_USAGE);
    for (size_t i = 0; code == CL_EXIT_OK && (key = cl_serve_config_at(config, i)) != NULL; i++) {
        require(key->id > 0 && key->id < CL_SERVE_OPT_END && key->line > 0);
        require((cl_serve_option_traits(key->id) & CL_SERVE_NO_KEY) == 0);
        require(i < CL_SERVE_CONFIG_MAX_KEYS);
        certs += strcmp(key->name, "cert") == 0 && key->value[0] == '/';
    }
    require(certs <= CL_SERVE_CONFIG_MAX_KEYS);
    cl_serve_config_free(config);
    return 0;
}
