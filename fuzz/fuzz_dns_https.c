/* fuzz/fuzz_dns_https.c - DNS messages with HTTPS records; what comes out lies within what went in,
 * in order, and can be asked for again.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/https.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static bool is_name(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    return strlen(text) < CL_DNS_NAME_SIZE && text[strspn(text, allowed)] == '\0';
}

/* A first byte that is odd asks for a port, whose question has labels in front. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_https_records r;
    char name[CL_DNS_NAME_SIZE];
    const struct cl_https_origin origin = {
        .host = "example.test",
        .port = size != 0 && data[0] % 2 != 0 ? 8443 : 443,
        .alpn = "h2,http/1.1",
    };
    require(cl_https_name(origin.host, origin.port, name));
    const bool ok = cl_https_parse(cl_rd_of(data, size), name, &origin, &r);
    require(ok || (r.num == 0 && r.num_usable == 0 && r.alias[0] == '\0'));
    require(r.num_usable <= r.num && r.num_usable <= CL_HTTPS_MAX);
    require(is_name(r.alias));
    for (size_t i = 0; i < r.num_usable; i++) {
        const struct cl_https_endpoint *e = &r.usable[i];
        require(e->ech.len == 0 || (e->ech.p >= data && e->ech.p + e->ech.len <= data + size));
        require(is_name(e->target) && e->target[0] != '\0' && e->port != 0);
        require(i == 0 || r.usable[i - 1].priority <= e->priority);
    }
    return 0;
}
