/* fuzz/fuzz_dns_message.c - answers of DNS: what they are judged to be, and the addresses in them.
 * A first byte that is odd asks for AAAA. A name that was read can be asked for, and is read again
 * as itself. */
#include <stdlib.h>
#include <string.h>

#include "dns/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void ask_again(const struct cl_dns_name *name)
{
    struct cl_buf out = {0};
    struct cl_dns_head head;
    if (!name->odd && cl_dns_query_build(name->text, CL_DNS_TYPE_A, &out) == CL_OK) {
        struct cl_rd r = cl_buf_view(&out);
        require(out.len % 128 == 0 && cl_dns_take_head(r, &r, &head));
        require(strcmp(head.name.text, name->text) == 0 && !head.name.odd);
    }
    cl_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char name[] = "www.example.test";
    const bool six = size != 0 && data[0] % 2 != 0;
    const uint16_t type = six ? CL_DNS_TYPE_AAAA : CL_DNS_TYPE_A;
    const struct cl_rd message = cl_rd_of(data, size);
    struct cl_rd r = message;
    struct cl_dns_head head;
    struct cl_addr addrs[4];
    size_t num = 0;
    const bool has_head = cl_dns_take_head(message, &r, &head);
    require(has_head || cl_dns_judge(message, name, type) == CL_DNS_MALFORMED);
    const bool ok = cl_dns_addresses(message, name, type, addrs, 4, &num);
    require(num <= 4 && (ok || num == 0) && (has_head || !ok));
    for (size_t i = 0; i < num; i++) {
        require(addrs[i].sa.sa_family == (six ? AF_INET6 : AF_INET) &&
                cl_addr_port(&addrs[i]) == 0);
    }
    if (has_head && head.num_questions != 0) {
        ask_again(&head.name);
    }
    return 0;
}
