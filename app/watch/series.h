/* watch/series.h - facts as Prometheus text (exposition format 0.0.4), with the names and labels of
 * the common exporters: blackbox_exporter (probe_*), ssl_exporter (ssl_*),
 * x509-certificate-exporter (x509_*); and our own (cleat_watch_*).
 *
 * Every series has a label `target` besides theirs, as one text is about many; with every address
 * asked, `address` too. Certificates that have expired or are not trusted are told like others.
 */
#ifndef CL_WATCH_SERIES_H
#define CL_WATCH_SERIES_H

#include "watch/findings.h"

/* One target, judged. */
struct cl_watch_report {
    const struct cl_watch_facts *facts;
    const struct cl_watch_findings *findings;
};

/* 64 MiB: a thousand targets with chains of five have four */
#define CL_WATCH_MAX_SERIES (64u << 20)

/* cl_watch_series appends the text of all reports. LIMIT, NOMEM. */
CL_MUST cl_result cl_watch_series(struct cl_buf *out, const struct cl_watch_report *reports,
                                  size_t num);

/* cl_watch_label appends a label's value, escaped, without its quotes; what is not UTF-8 becomes
 * U+FFFD, as the format knows nothing else. */
CL_MUST cl_result cl_watch_label(struct cl_buf *out, const char *text);

/* cl_watch_serial_text writes a serial number (big-endian bytes) in decimal, as those exporters do;
 * a negative one with its sign. Of more than 64 bytes the last 64 count. */
#define CL_WATCH_SERIAL_SIZE 200
void cl_watch_serial_text(struct cl_rd bytes, char out[CL_WATCH_SERIAL_SIZE]);

#endif
