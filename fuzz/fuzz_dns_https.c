/* fuzz/fuzz_dns_https.c - DNS messages with HTTPS records; what comes out lies within what went in.
 */
#include <stdlib.h>

#include "dns/https.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_https_records r;
    bool ok = cl_https_parse(cl_rd_of(data, size), "example.test", 443, &r);
    bool within = r.ech.len == 0 || (r.ech.p >= data && r.ech.p + r.ech.len <= data + size);
    if (!within || r.num_usable > r.num || (!ok && size == 0 && r.num != 0)) {
        abort();
    }
    return 0;
}
