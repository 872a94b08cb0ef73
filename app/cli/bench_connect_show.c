/* cli/bench_connect_show.c - what `cleat bench connect` prints, for people and for programs. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "cli/bench_connect.h"
#include "measure/spread.h"

/* 40: characters of the longest bar */
#define BAR_LEN 40

/* ---- which times ---- */

enum which {
    TCP,
    TLS,
    BOTH,
    NUM_WHICH,
};

static const struct {
    const char *title;
    const char *member;
} names[NUM_WHICH] = {
    [TCP] = {"TCP connection", "tcp_ms"},
    [TLS] = {"TLS handshake", "tls_ms"},
    [BOTH] = {"both", "total_ms"},
};

/* The sorted times of all that succeeded; the caller's to free. NULL: none, or no memory. */
static uint32_t *times_of(const struct cl_connects_report *report, enum which which,
                          struct cl_spread *spread)
{
    uint32_t *us = report->num_ok != 0 ? cl_calloc(report->num_ok, sizeof(*us)) : NULL;
    for (size_t i = 0; us != NULL && i < report->num_ok; i++) {
        const struct cl_connects_sample *s = &report->samples[i];
        us[i] = which == TCP ? s->tcp_us : which == TLS ? s->tls_us : s->tcp_us + s->tls_us;
    }
    if (us != NULL) {
        cl_spread_of(us, report->num_ok, spread);
    }
    return us;
}

static double ms(uint32_t us)
{
    return (double)us / 1000;
}

/* ---- for people ---- */

void bench_connect_plan(const struct bench_connect_result *r)
{
    const struct cl_connects_first *f = &r->first;
    char addr[CL_ADDR_TEXT_SIZE], rate[48], num[BENCH_GROUPED_SIZE];
    cl_addr_format_port(&f->peer, addr);
    if (strcmp(addr, r->target->authority) != 0) {
        printf("%s is ", r->target->authority);
    }
    printf("%s: %s, %s", addr, f->version == CLEAT_TLS_1_2 ? "TLS 1.2" : "TLS 1.3", f->cipher);
    printf("%s%s%s%s\n", f->group[0] != '\0' ? ", " : "", f->group,
           f->signature[0] != '\0' ? ", " : "", f->signature);
    if (r->limits.rate > 0) {
        (void)snprintf(rate, sizeof(rate), "at most %g a second", r->limits.rate);
    } else {
        (void)snprintf(rate, sizeof(rate), "as fast as they go (loopback)");
    }
    printf("%s new connections%s, %zu at a time, %s, for %g s at most\n",
           bench_grouped((double)r->limits.num, num), r->options->resume ? " that resume" : "",
           r->limits.concurrency, rate, r->limits.seconds);
    (void)fflush(stdout);
}

static void print_histogram(const uint32_t *us, size_t num, const char *title)
{
    static const char hashes[] = "########################################";
    struct cl_bar bars[CL_MAX_BARS];
    size_t num_bars = cl_histogram(us, num, bars), most = 1;
    for (size_t i = 0; i < num_bars; i++) {
        most = bars[i].num > most ? bars[i].num : most;
    }
    printf("\n%s, ms\n", title);
    for (size_t i = 0; i < num_bars; i++) {
        /* Several empty ones are a gap; the first and the last are not empty. */
        if (bars[i].num == 0 && (bars[i - 1].num == 0 || bars[i + 1].num == 0)) {
            (void)fputs(bars[i - 1].num != 0 ? "         ...\n" : "", stdout);
            continue;
        }
        int len = (int)((bars[i].num * BAR_LEN + most - 1) / most);
        printf("%8g - %-7g %-*.*s %6zu\n", ms(bars[i].from), ms(bars[i].to), BAR_LEN, len, hashes,
               bars[i].num);
    }
}

static void print_times(const struct cl_connects_report *report)
{
    struct cl_spread s;
    printf("\n%-16s %9s %9s %9s %9s %9s %9s\n", "ms", "min", "p50", "p90", "p99", "max", "mean");
    for (size_t which = 0; which < NUM_WHICH; which++) {
        uint32_t *us = times_of(report, (enum which)which, &s);
        if (us != NULL) {
            printf("%-16s %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f\n", names[which].title, ms(s.min),
                   ms(s.p50), ms(s.p90), ms(s.p99), ms(s.max), s.mean / 1000);
        }
        cl_free(us);
    }
    for (size_t which = 0; which < BOTH; which++) {
        uint32_t *us = times_of(report, (enum which)which, &s);
        if (us != NULL) {
            print_histogram(us, report->num_ok, names[which].title);
        }
        cl_free(us);
    }
}

static void print_failures(const struct cl_connects_report *report)
{
    if (report->num_failures != 0) {
        printf("\nfailures\n");
    }
    for (size_t i = 0; i < report->num_failures; i++) {
        const struct cl_connects_failure *f = &report->failures[i];
        printf("%8zu  %s: %s\n", f->num, cl_dial_stage_name(f->stage), f->error.text);
        if (f->error.hint[0] != '\0') {
            printf("          hint: %s\n", f->error.hint);
        }
    }
}

void bench_connect_print(const struct bench_connect_result *r)
{
    const struct cl_connects_report *report = &r->report;
    char ok[BENCH_GROUPED_SIZE], all[BENCH_GROUPED_SIZE];
    const size_t num = report->num_ok + report->num_failed;
    printf("\n%s of %s succeeded in %.2f s", bench_grouped((double)report->num_ok, ok),
           bench_grouped((double)num, all), report->seconds);
    if (report->num_ok != 0) {
        printf(": %s a second, ", bench_grouped((double)report->num_ok / report->seconds, ok));
        printf("%s resumed; this client used %.0f us of CPU for each",
               bench_grouped((double)report->num_resumed, all),
               report->cpu_seconds * 1e6 / (double)report->num_ok);
    }
    printf("\n");
    if (report->num_unfinished != 0) {
        printf("%zu were not finished when the time was over\n", report->num_unfinished);
    }
    if (report->gave_up) {
        printf("stopped: %d failed in a row\n", CL_CONNECTS_GIVE_UP);
    }
    if (report->num_ok != 0) {
        print_times(report);
    }
    print_failures(report);
}

/* ---- for programs ---- */

static json_t *times_json(const struct cl_connects_report *report, enum which which)
{
    struct cl_spread s;
    struct cl_bar bars[CL_MAX_BARS];
    uint32_t *us = times_of(report, which, &s);
    if (us == NULL) {
        return json_null();
    }
    json_t *histogram = json_array();
    size_t num_bars = cl_histogram(us, report->num_ok, bars);
    for (size_t i = 0; i < num_bars; i++) {
        (void)json_array_append_new(histogram,
                                    json_pack("{s:f, s:f, s:I}", "from", ms(bars[i].from), "to",
                                              ms(bars[i].to), "num", (json_int_t)bars[i].num));
    }
    cl_free(us);
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "min", ms(s.min), "p50", ms(s.p50),
                     "p90", ms(s.p90), "p99", ms(s.p99), "max", ms(s.max), "mean", s.mean / 1000,
                     "histogram", histogram);
}

static json_t *error_json(enum cl_dial_stage stage, bool timed_out, const struct cleat_error *err)
{
    return json_pack("{s:s, s:b, s:s, s:s, s:s}", "stage", cl_dial_stage_name(stage), "timed_out",
                     timed_out, "code", cleat_error_name(err->code), "text", err->text, "hint",
                     err->hint);
}

static json_t *failures_json(const struct cl_connects_report *report)
{
    json_t *all = json_array();
    for (size_t i = 0; i < report->num_failures; i++) {
        const struct cl_connects_failure *f = &report->failures[i];
        json_t *row = error_json(f->stage, f->timed_out, &f->error);
        (void)json_object_set_new(row, "num", json_integer((json_int_t)f->num));
        (void)json_array_append_new(all, row);
    }
    return all;
}

static json_t *first_json(const struct cl_connects_first *f)
{
    char addr[CL_ADDR_TEXT_SIZE];
    if (f->stage != CL_DIAL_DONE) {
        return error_json(f->stage, f->timed_out, &f->error);
    }
    cl_addr_format_port(&f->peer, addr);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "stage", cl_dial_stage_name(f->stage),
                     "address", addr, "version",
                     f->version == CLEAT_TLS_1_2 ? "TLSv1.2" : "TLSv1.3", "cipher", f->cipher,
                     "group", f->group, "signature", f->signature);
}

void bench_connect_json(json_t *json, const struct bench_connect_result *r)
{
    const struct cl_connects_report *report = &r->report;
    if (json == NULL) {
        return;
    }
    (void)json_object_set_new(json, "target", json_string(r->target->authority));
    (void)json_object_set_new(json, "first", first_json(&r->first));
    if (r->first.stage != CL_DIAL_DONE || r->limits.num == 0) {
        return;
    }
    json_t *more =
        json_pack("{s:I, s:I, s:f, s:f, s:b, s:I, s:I, s:I, s:I, s:b, s:f, s:f}", "number",
                  (json_int_t)r->limits.num, "concurrency", (json_int_t)r->limits.concurrency,
                  "rate", r->limits.rate, "max_seconds", r->limits.seconds, "resume",
                  r->options->resume, "succeeded", (json_int_t)report->num_ok, "failed",
                  (json_int_t)report->num_failed, "resumed", (json_int_t)report->num_resumed,
                  "unfinished", (json_int_t)report->num_unfinished, "gave_up", report->gave_up,
                  "seconds", report->seconds, "client_cpu_seconds", report->cpu_seconds);
    if (more != NULL) {
        (void)json_object_update(json, more);
    }
    json_decref(more);
    for (size_t which = 0; which < NUM_WHICH; which++) {
        (void)json_object_set_new(json, names[which].member, times_json(report, (enum which)which));
    }
    (void)json_object_set_new(json, "failures", failures_json(report));
}
