/* config.h - the two configurations of the examples, from PEM files. What fails ends the program
 * with a line on stderr.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <cleat/tls.h>

/* server_config: one certificate chain and its key, and num protocols of ALPN, the preferred one
 * first. client_config: the CAs to trust. To be freed with cleat_tls_config_free. */
struct cleat_tls_config *server_config(const char *cert_file, const char *key_file,
                                       const char *const *alpn, size_t num);
struct cleat_tls_config *client_config(const char *ca_file);

#endif
