/* bench/table.c - the results as tables that are readable as they are and are Markdown too. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/scenario.h"
#include "cleat/batch.h"

#define MAX_COLUMNS 9
/* 60: the longest heading or cell */
#define MAX_CELL    60

/* A table being printed: widths are those of the headings, cells beyond them push. */
struct table {
    size_t num;
    size_t width[MAX_COLUMNS];
};

/* 1,234,567 */
static void group_digits(char out[MAX_CELL], double value)
{
    char digits[MAX_CELL];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, (uint64_t)(value + 0.5));
    size_t at = 0;
    for (size_t i = 0; i < len && at + 2 < MAX_CELL; i++) {
        if (i != 0 && (len - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

static void cell(const struct table *t, size_t column, const char *text)
{
    int width = (int)t->width[column];
    if (column == 0) {
        printf("| %-*s |", width, text);
    } else {
        printf(" %*s |", width, text);
    }
    if (column + 1 == t->num) {
        putchar('\n');
    }
}

static void head(struct table *t, const char *const *headings, size_t num, size_t first_width)
{
    t->num = num;
    putchar('\n');
    for (size_t i = 0; i < num; i++) {
        t->width[i] = strlen(headings[i]);
        t->width[i] = t->width[i] < 8 ? 8 : t->width[i];
        t->width[i] = i == 0 ? first_width : t->width[i];
        cell(t, i, headings[i]);
    }
    for (size_t i = 0; i < num; i++) {
        char rule[MAX_CELL];
        memset(rule, '-', sizeof(rule));
        rule[t->width[i]] = '\0';
        if (i != 0) {
            rule[t->width[i] - 1] = ':';
        }
        cell(t, i, rule);
    }
}

static void number(const struct table *t, size_t column, const char *format, double value)
{
    char text[MAX_CELL];
    (void)snprintf(text, sizeof(text), format, value);
    cell(t, column, text);
}

static void count(const struct table *t, size_t column, double value)
{
    char text[MAX_CELL];
    group_digits(text, value);
    cell(t, column, text);
}

static void allocs(const struct table *t, size_t column, double value)
{
    if (bench_heap_counted()) {
        count(t, column, value);
    } else {
        cell(t, column, "-");
    }
}

static void ratio(const struct table *t, size_t column, double ours, double theirs)
{
    char text[MAX_CELL];
    (void)snprintf(text, sizeof(text), "%.2f x", ours > 0 ? theirs / ours : 0);
    cell(t, column, text);
}

static bool any(const struct bench_row *rows, size_t num, const struct bench_plan *plan,
                bool (*is)(const struct bench_row *))
{
    for (size_t i = 0; i < num; i++) {
        if (is(&rows[i]) && bench_wanted(plan, &rows[i])) {
            return true;
        }
    }
    return false;
}

static bool is_handshake_13(const struct bench_row *row)
{
    return row->kind == BENCH_HANDSHAKE && !bench_setups[row->setup].tls12;
}

static bool is_handshake_12(const struct bench_row *row)
{
    return row->kind == BENCH_HANDSHAKE && bench_setups[row->setup].tls12;
}

static bool is_record(const struct bench_row *row)
{
    return row->kind == BENCH_SEAL || row->kind == BENCH_OPEN;
}

static bool is_idle(const struct bench_row *row)
{
    return row->kind == BENCH_IDLE;
}

static void print_handshake(const struct table *t, const struct bench_row *row)
{
    double ours = bench_best(&row->of[BENCH_CLEAT]);
    double theirs = bench_best(&row->of[BENCH_LIBSSL]);
    cell(t, 0, row->title);
    number(t, 1, "%.0f", row->in_flight);
    number(t, 2, "%.1f", ours / 1e3);
    number(t, 3, "%.1f", theirs / 1e3);
    count(t, 4, 1e9 / ours);
    count(t, 5, 1e9 / theirs);
    ratio(t, 6, ours, theirs);
    allocs(t, 7, row->of[BENCH_CLEAT].num_allocs);
    allocs(t, 8, row->of[BENCH_LIBSSL].num_allocs);
}

static void print_record(const struct table *t, const struct bench_row *row)
{
    double ours = bench_best(&row->of[BENCH_CLEAT]);
    double theirs = bench_best(&row->of[BENCH_LIBSSL]);
    cell(t, 0, row->title);
    number(t, 1, "%.0f", ours);
    number(t, 2, "%.0f", theirs);
    number(t, 3, "%.2f", (double)row->len / ours);
    number(t, 4, "%.2f", (double)row->len / theirs);
    ratio(t, 5, ours, theirs);
    allocs(t, 6, row->of[BENCH_CLEAT].num_allocs);
    allocs(t, 7, row->of[BENCH_LIBSSL].num_allocs);
}

static void print_idle(const struct table *t, const struct bench_row *row)
{
    cell(t, 0, row->title);
    count(t, 1, row->of[BENCH_CLEAT].bytes);
    count(t, 2, row->of[BENCH_LIBSSL].bytes);
    ratio(t, 3, row->of[BENCH_CLEAT].bytes, row->of[BENCH_LIBSSL].bytes);
}

static const struct {
    bool (*is)(const struct bench_row *row);
    void (*print)(const struct table *t, const struct bench_row *row);
    size_t first_width;
    size_t num;
    const char *headings[MAX_COLUMNS];
} tables[] = {
    {is_handshake_13,
     print_handshake,
     20,
     9,
     {"TLS 1.3 handshake", "in flight", "cleat us", "libssl us", "cleat /s", "libssl /s", "ratio",
      "cleat allocs", "libssl allocs"}},
    {is_handshake_12,
     print_handshake,
     20,
     9,
     {"TLS 1.2 handshake", "in flight", "cleat us", "libssl us", "cleat /s", "libssl /s", "ratio",
      "cleat allocs", "libssl allocs"}},
    {is_record,
     print_record,
     20,
     8,
     {"AES-128-GCM record", "cleat ns", "libssl ns", "cleat GB/s", "libssl GB/s", "ratio",
      "cleat allocs", "libssl allocs"}},
    {is_idle,
     print_idle,
     36,
     4,
     {"heap of an idle connection", "cleat bytes", "libssl bytes", "ratio"}},
};

void bench_print_table(const struct bench_row *rows, size_t num, const struct bench_plan *plan)
{
    printf("Server CPU, one thread, X25519, AES-128-GCM; best of %u passes.\n"
           "cleat %s (%s) against libssl of %s.\n",
           plan->num_passes, bench_cleat.version(), cleat_batch_describe(), bench_libssl.version());
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        struct table t;
        if (!any(rows, num, plan, tables[i].is) ||
            (tables[i].is == is_idle && !bench_heap_counted())) {
            continue;
        }
        head(&t, tables[i].headings, tables[i].num, tables[i].first_width);
        for (size_t k = 0; k < num; k++) {
            if (tables[i].is(&rows[k]) && bench_wanted(plan, &rows[k])) {
                tables[i].print(&t, &rows[k]);
            }
        }
    }
}
