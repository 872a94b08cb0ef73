/* tls/burst.c - short records at the start of what is written, and after idle times: the receiver
 * cannot decrypt a record before its last byte has come, and while TCP's window is small a long one
 * takes several round trips. */
#include "tls/conn.h"

/* 1,350: with 22 bytes of TLS and 52 of TCP and IP (with time stamps) it fits into 1,500, and into
 * what common tunnels leave of them */
#define SMALL_RECORD 1350
/* 54,000: 40 such records; TCP's first windows (RFC 6928: ten segments) have doubled twice by then
 */
#define BURST_LEN    54000
/* 1,000 ms: after that TCP starts slowly again (RFC 5681 4.1: after a retransmission time-out) */
#define IDLE_MS      1000

void cl_burst_begin(struct cleat_tls *tls)
{
    if (tls->config->small_first_records) {
        uint64_t now = cl_config_now(tls->config);
        if (now < tls->last_write_ms || now - tls->last_write_ms >= IDLE_MS) {
            tls->burst_len = 0;
        }
        tls->last_write_ms = now;
    }
}

size_t cl_burst_take(const struct cleat_tls *tls, size_t len)
{
    bool small = tls->config->small_first_records && tls->burst_len < BURST_LEN;
    return small && len > SMALL_RECORD ? SMALL_RECORD : len;
}

void cl_burst_count(struct cleat_tls *tls, size_t len)
{
    if (tls->burst_len < BURST_LEN) {
        tls->burst_len += (uint32_t)len;
    }
}
