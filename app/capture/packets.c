/* capture/packets.c - packets out of libpcap: a capture file, or an interface. */
#include <pcap/pcap.h>
#include <poll.h>
#include <time.h>

#include "capture/flows.h"
#include "capture/hellos_impl.h"

/* 262,144: as tcpdump; longer than any packet that a network card puts together */
#define SNAPSHOT  262144
/* 100 ms: how long packets may wait in the kernel before they are told */
#define BUFFER_MS 100

/* A capture being read. */
struct source {
    pcap_t *pcap;
    struct cl_flows *flows;
    struct cl_hello_counts *counts;
    int link_type;
    bool more;
};

static cl_result take_packet(struct source *s, const struct pcap_pkthdr *head, const uint8_t *bytes)
{
    struct cl_segment segment;
    const int64_t time = (int64_t)head->ts.tv_sec * 1000000 + (int64_t)head->ts.tv_usec;
    s->counts->packets++;
    switch (cl_packet_parse(s->link_type, cl_rd_of(bytes, head->caplen), &segment)) {
    case CL_PACKET_FRAGMENT:
        s->counts->fragments++;
        return CL_OK;
    case CL_PACKET_TCP:
        s->counts->cut += segment.cut ? 1 : 0;
        return cl_flows_take(s->flows, &segment, time, &s->more);
    default:
        return CL_OK;
    }
}

static cl_result source_init(struct source *s, cl_hello_sink sink, void *ctx,
                             struct cl_hello_counts *counts, struct cleat_error *err)
{
    s->counts = counts;
    s->more = true;
    s->link_type = pcap_datalink(s->pcap);
    if (!cl_packet_knows(s->link_type)) {
        const char *name = pcap_datalink_val_to_name(s->link_type);
        return cl_error_set(err,
                            (struct cl_why){CLEAT_ERR_UNSUPPORTED, 0, NULL,
                                            "Ethernet, Linux cooked, raw IP and loopback are read"},
                            "packets of link type %d (%s) cannot be read", s->link_type,
                            name != NULL ? name : "unknown");
    }
    s->flows = cl_flows_new(sink, ctx, counts);
    return s->flows != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

static void source_deinit(struct source *s)
{
    cl_flows_free(s->flows);
    if (s->pcap != NULL) {
        pcap_close(s->pcap);
    }
}

cl_result cl_hellos_packets(FILE *file, cl_hello_sink sink, void *ctx,
                            struct cl_hello_counts *counts, struct cleat_error *err)
{
    struct source s = {0};
    char why[PCAP_ERRBUF_SIZE] = "";
    struct pcap_pkthdr *head;
    const uint8_t *bytes;
    int got = 1;
    s.pcap = pcap_fopen_offline(file, why);
    if (s.pcap == NULL) {
        (void)fclose(file);
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_DECODE}, "%s", why);
    }
    cl_result r = source_init(&s, sink, ctx, counts, err);
    while (r == CL_OK && s.more && (got = pcap_next_ex(s.pcap, &head, &bytes)) == 1) {
        r = take_packet(&s, head, bytes);
    }
    if (r == CL_OK && got == PCAP_ERROR) {
        r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_DECODE}, "after %llu packets: %s",
                         (unsigned long long)counts->packets, pcap_geterr(s.pcap));
    }
    source_deinit(&s);
    return r;
}

/* ---- an interface ---- */

static cl_result refused(const struct cl_hello_watch *watch, int code, const char *why,
                         struct cleat_error *err)
{
    const bool rights = code == PCAP_ERROR_PERM_DENIED || code == PCAP_ERROR_PROMISC_PERM_DENIED;
    const bool unknown = code == PCAP_ERROR_NO_SUCH_DEVICE;
    const struct cl_why reason = {
        .code = CLEAT_ERR_SYSTEM,
        .hint = rights    ? "capturing takes CAP_NET_RAW: run it as root, or give the program that "
                            "capability"
                : unknown ? "`ip link` lists the interfaces; \"any\" is all of them"
                          : NULL,
    };
    /* libpcap's own words say more, where it has any */
    return cl_error_set(err, reason, "%s", why[0] != '\0' ? why : pcap_statustostr(code));
}

static cl_result set_filter(pcap_t *pcap, const struct cl_hello_watch *watch,
                            struct cleat_error *err)
{
    struct bpf_program program;
    const char *filter = watch->filter != NULL ? watch->filter : "tcp or vlan or pppoes";
    if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "the filter '%s': %s", filter, pcap_geterr(pcap));
    }
    const int code = pcap_setfilter(pcap, &program);
    pcap_freecode(&program);
    return code == 0 ? CL_OK : refused(watch, code, pcap_geterr(pcap), err);
}

static cl_result open_interface(const struct cl_hello_watch *watch, pcap_t **out,
                                struct cleat_error *err)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(watch->interface, why);
    *out = pcap;
    if (pcap == NULL) {
        return refused(watch, PCAP_ERROR, why, err);
    }
    (void)pcap_set_snaplen(pcap, SNAPSHOT);
    (void)pcap_set_timeout(pcap, BUFFER_MS);
    const int code = pcap_activate(pcap);
    if (code < 0) {
        return refused(watch, code, pcap_geterr(pcap), err);
    }
    CL_TRY(set_filter(pcap, watch, err));
    return pcap_setnonblock(pcap, 1, why) == 0 ? CL_OK : refused(watch, PCAP_ERROR, why, err);
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Everything that has come; false at the end of it all. */
static cl_result drain(struct source *s, const struct cl_hello_watch *watch,
                       struct cleat_error *err)
{
    struct pcap_pkthdr *head;
    const uint8_t *bytes;
    int got;
    while (s->more && (got = pcap_next_ex(s->pcap, &head, &bytes)) != 0) {
        if (got < 0) {
            return refused(watch, got, pcap_geterr(s->pcap), err);
        }
        CL_TRY(take_packet(s, head, bytes));
    }
    return CL_OK;
}

static cl_result listen_on(struct source *s, const struct cl_hello_watch *watch,
                           struct cleat_error *err)
{
    const int64_t end = now_ms() + 1000 * (int64_t)watch->seconds;
    struct pollfd fd = {.fd = pcap_get_selectable_fd(s->pcap), .events = POLLIN};
    cl_result r = CL_OK;
    while (r == CL_OK && s->more && (watch->stop == NULL || !*watch->stop) &&
           (watch->seconds == 0 || now_ms() < end)) {
        (void)poll(&fd, 1, BUFFER_MS);
        r = drain(s, watch, err);
    }
    return r;
}

cl_result cl_hellos_watch(const struct cl_hello_watch *watch, cl_hello_sink sink, void *ctx,
                          struct cl_hello_counts *counts, struct cleat_error *err)
{
    struct source s = {0};
    cl_result r = open_interface(watch, &s.pcap, err);
    if (r == CL_OK) {
        r = source_init(&s, sink, ctx, counts, err);
    }
    if (r == CL_OK) {
        r = listen_on(&s, watch, err);
    }
    source_deinit(&s);
    return r;
}
