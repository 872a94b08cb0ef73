/* fuzz/fuzz_hosts.c - a hosts file, and overrides as --resolve gives them: the first line is the
 * name that is looked up, or the override; the rest is the file. */
#include <stdlib.h>
#include <string.h>

#include "dns/hosts.h"

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void check_found(struct cl_rd file, const char *name, int family)
{
    struct cl_addr found[4];
    bool known;
    size_t num = cl_hosts_find(file, name, family, found, 4, &known);
    require(num <= 4 && (num == 0 || known));
    for (size_t i = 0; i < num; i++) {
        char text[CL_ADDR_TEXT_SIZE];
        struct cl_addr again;
        require(found[i].sa.sa_family == family);
        cl_addr_format(&found[i], text);
        require(cl_addr_parse(text, 0, &again) && cl_addr_equal(&found[i], &again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[512];
    struct cl_override o;
    struct cleat_error err = {0};
    const uint8_t *newline = size != 0 ? memchr(data, '\n', size) : NULL;
    size_t len = newline != NULL ? (size_t)(newline - data) : size;
    struct cl_rd file = cl_rd_of(data + len, size - len);
    if (len >= sizeof(line)) {
        return 0;
    }
    memcpy(line, data, len);
    line[len] = '\0';
    check_found(file, line, AF_INET);
    check_found(file, line, AF_INET6);
    require(!cl_hosts_is_localhost(line) || line[0] != 0);
    if (cl_override_parse(line, &o, &err) == CL_OK) {
        require(o.port != 0 && o.host[0] != '\0' && o.num <= CL_OVERRIDE_MAX_ADDRS);
        require(o.remove ? o.num == 0 : cl_override_find(&o, 1, o.host, o.port) == &o);
    } else {
        require(err.code == CLEAT_ERR_USAGE);
    }
    return 0;
}
