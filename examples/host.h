/* host.h - what a program asks of its host and the library never does: sockets, files, the clock.
 */
#ifndef HOST_H
#define HOST_H

#include <cleat/error.h>

/* now_ms is the clock for cleat_tls_builder_clock: milliseconds since 1970. */
uint64_t now_ms(void *ctx);

/* What fails here ends the program with a line on stderr.
 * tcp_connect tries the addresses of host in turn; tcp_listen listens on loopback (port 0: the
 * system chooses) and prints the port; read_file gives a whole file, to be freed; must looks at
 * what a function of the library returned. */
int tcp_connect(const char *host, const char *port);
int tcp_listen(uint16_t port);
char *read_file(const char *path, size_t *len);
void must(int code, const struct cleat_error *error);

#endif
