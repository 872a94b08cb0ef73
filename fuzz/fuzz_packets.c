/* fuzz/fuzz_packets.c - captured packets: a byte chooses the link layer, then each packet with its
 * length in 16 bits. What is told is a ClientHello of the length it says. */
#include <stdlib.h>

#include <pcap/dlt.h>

#include "capture/flows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static bool look(void *ctx, const struct cl_hello *hello)
{
    struct cl_rd r = hello->message;
    struct cl_rd body;
    uint8_t type;
    char text[CL_ADDR_TEXT_SIZE];
    require(cl_rd_u8(&r, &type) && type == 1 && cl_rd_vec24(&r, &body) && cl_rd_done(&r));
    cl_addr_format_port(&hello->from, text);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int links[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_RAW};
    struct cl_rd r = cl_rd_of(data, size);
    struct cl_hello_counts counts = {0};
    struct cl_rd packet;
    uint8_t link;
    bool more = true;
    if (!cl_rd_u8(&r, &link)) {
        return 0;
    }
    struct cl_flows *flows = cl_flows_new(look, NULL, &counts);
    require(flows != NULL);
    while (cl_rd_vec16(&r, &packet)) {
        struct cl_segment s;
        if (cl_packet_parse(links[link % 5], packet, &s) == CL_PACKET_TCP) {
            require(s.data.len <= packet.len);
            require(cl_flows_take(flows, &s, 0, &more) == CL_OK && more);
        }
    }
    cl_flows_free(flows);
    return 0;
}
