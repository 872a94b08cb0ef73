/* conn/roots.c - see roots.h. */
#include "conn/roots.h"

#include <stddef.h>
#include <unistd.h>

/* Where systems keep the bundle: Debian and Ubuntu, Fedora, Alpine and BSD, openSUSE. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
};

const char *cl_roots_bundle(void)
{
    for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++) {
        if (access(bundles[i], R_OK) == 0) {
            return bundles[i];
        }
    }
    return NULL;
}
