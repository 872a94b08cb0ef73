/* dns/hosts.h - names that need no name server: the hosts file, localhost, and overrides that a
 * user gives ("example.com:443:127.0.0.1").
 */
#ifndef CL_DNS_HOSTS_H
#define CL_DNS_HOSTS_H

#include "base/result.h"
#include "dns/addr.h"

/* 1 MiB: block lists that people put into hosts files are large, but not larger */
#define CL_HOSTS_MAX_FILE (1024 * 1024)

/* cl_hosts_find looks a name up in the text of a hosts file (ASCII case ignored) and writes at most
 * cap addresses of that family (AF_INET or AF_INET6), with port 0, to out. Returns how many;
 * *known tells whether the name stands in the file at all, in either family. */
size_t cl_hosts_find(struct cl_rd text, const char *name, int family, struct cl_addr *out,
                     size_t cap, bool *known);

/* cl_hosts_is_localhost: "localhost" or a name below it, with or without a final dot
 * (RFC 6761 6.3). */
CL_RD_MUST bool cl_hosts_is_localhost(const char *name);

/* 8: somebody who gives more addresses for one name wants a name server */
#define CL_OVERRIDE_MAX_ADDRS 8

/* An override, as curl's --resolve gives it. */
struct cl_override {
    char host[256]; /* lower case; "*": every host */
    uint16_t port;
    bool remove; /* "-HOST:PORT": forget what was given before */
    size_t num;
    struct cl_addr addrs[CL_OVERRIDE_MAX_ADDRS];
};

/* cl_override_parse reads "[+]HOST:PORT:ADDR[,ADDR]..." or "-HOST:PORT". Addresses are IP literals,
 * IPv6 in brackets or not. CLEAT_ERR_USAGE with the detail in err. */
CL_MUST cl_result cl_override_parse(const char *text, struct cl_override *out,
                                    struct cleat_error *err);

/* cl_override_find returns the last of num overrides that matches host and port, or NULL; exact
 * hosts win over "*". */
const struct cl_override *cl_override_find(const struct cl_override *list, size_t num,
                                           const char *host, uint16_t port);

#endif
