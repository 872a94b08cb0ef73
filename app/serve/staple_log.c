/* serve/staple_log.c - what is said about OCSP responses in the server's log. */
#include <inttypes.h>
#include <stdio.h>

#include "serve/staple_item.h"
#include "x509/der.h"

#define MANDATORY \
    "the certificate demands a staple (must-staple): clients that ask for one refuse it"

/* "in 12 s", "in 34 min", "in 5 h", "in 4 days" */
static const char *in_words(int64_t ms, char *out, size_t cap)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "days"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
    size_t i = 0;
    while (i < 3 && ms < 2 * units[i].ms) {
        i++;
    }
    (void)snprintf(out, cap, "in %" PRId64 " %s", (ms + units[i].ms / 2) / units[i].ms,
                   units[i].unit);
    return out;
}

static bool is_held(const struct cl_staple_item *it)
{
    return it->response.len != 0;
}

static const char *until(const struct cl_staple_item *it, char out[CL_TIME_TEXT])
{
    if (it->life.endless) {
        return "a newer one is there";
    }
    cl_time_text(it->held.next_update, out);
    return out;
}

void cl_staple_log_held(const struct cl_staple_log *log, const struct cl_staple_item *it,
                        const char *whence, bool is_first, int64_t now)
{
    char end[CL_TIME_TEXT], again[32];
    (void)in_words(it->due - now, again, sizeof(again));
    if (it->held.word == CL_STAPLE_REVOKED) {
        cl_log_line(log->to,
                    "cleat: warning: OCSP: %s HAS BEEN REVOKED, says %s: %s; that is what clients "
                    "are told (stapled until %s); hint: have a new certificate issued, for a new "
                    "key, then SIGHUP",
                    it->file, whence, it->held.what.text, until(it, end));
        return;
    }
    if (log->quiet || !(is_first || log->verbose)) {
        return;
    }
    cl_log_line(log->to, "cleat: OCSP: %s is good until %s, says %s: %s; asked again %s", it->file,
                until(it, end), whence, is_first ? "stapled from now on" : "refreshed", again);
}

void cl_staple_log_failed(const struct cl_staple_log *log, const struct cl_staple_item *it,
                          const struct cleat_error *why, int64_t now)
{
    char end[CL_TIME_TEXT], again[32];
    const char *consequence = is_held(it)    ? "the last response stays until "
                              : it->demanded ? MANDATORY
                                             : "nothing is stapled";
    cl_log_line(log->to, "cleat: warning: OCSP: %s: %s; %s%s; asked again %s%s%s", it->file,
                why->text, consequence, is_held(it) ? until(it, end) : "",
                in_words(it->due - now, again, sizeof(again)),
                why->hint[0] != '\0' ? "; hint: " : "", why->hint);
}

void cl_staple_log_expired(const struct cl_staple_log *log, const struct cl_staple_item *it)
{
    char end[CL_TIME_TEXT];
    cl_time_text(it->life.endless ? it->life.until / 1000 : it->held.next_update, end);
    cl_log_line(log->to,
                "cleat: warning: OCSP: %s: the last response has expired (%s) and is no longer "
                "stapled; %s",
                it->file, end,
                it->demanded ? MANDATORY : "clients without a source of their own know nothing");
}

void cl_staple_log_ignored(const struct cl_staple_log *log, const struct cl_staple_item *it,
                           const struct cleat_error *why)
{
    if (!log->quiet) {
        cl_log_line(log->to,
                    "cleat: OCSP: %s: the response that was kept from earlier is not used: %s",
                    it->file, why->text);
    }
}

void cl_staple_log_store(const struct cl_staple_log *log, const struct cleat_error *why)
{
    cl_log_line(log->to,
                "cleat: warning: OCSP: %s; it is stapled all the same, but a restart will be "
                "without it%s%s",
                why->text, why->hint[0] != '\0' ? "; hint: " : "", why->hint);
}

void cl_staple_log_no_store(const struct cl_staple_log *log)
{
    if (!log->quiet) {
        cl_log_line(log->to, "cleat: OCSP: there is no folder to keep responses for the next "
                             "start; hint: --staple-dir DIR, or systemd's StateDirectory=cleat");
    }
}

void cl_staple_log_no_issuer(const struct cl_staple_log *log, const char *file)
{
    cl_log_line(log->to,
                "cleat: warning: OCSP: %s names a responder, but its issuer's certificate is "
                "neither in that file nor among the system's roots: nothing is stapled; hint: "
                "append the issuer's certificate to the file, then SIGHUP",
                file);
}

void cl_staple_log_demanded(const struct cl_staple_log *log, const char *file, const char *why,
                            const char *hint)
{
    cl_log_line(log->to, "cleat: warning: OCSP: %s: " MANDATORY ", and %s; hint: %s", file, why,
                hint);
}
