/* bench/table.c - the results as tables that are readable as they are and are Markdown too. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/scenario.h"
#include "cleat/batch.h"

#define MAX_COLUMNS 14
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

static bool is_server(const struct bench_row *row)
{
    return row->kind == BENCH_HANDSHAKE && bench_setups[row->setup].role == CLEAT_SERVER;
}

static bool is_handshake_13(const struct bench_row *row)
{
    return is_server(row) && !bench_setups[row->setup].tls12;
}

static bool is_handshake_12(const struct bench_row *row)
{
    return is_server(row) && bench_setups[row->setup].tls12;
}

static bool is_client(const struct bench_row *row)
{
    return row->kind == BENCH_HANDSHAKE && !is_server(row);
}

static bool is_record(const struct bench_row *row)
{
    return row->kind == BENCH_SEAL || row->kind == BENCH_OPEN;
}

static bool is_idle(const struct bench_row *row)
{
    return row->kind == BENCH_IDLE;
}

/* ---- columns ---- */

enum column {
    IN_FLIGHT,
    COST,  /* of each contender: us, ns or bytes */
    RATIO, /* of each but Cleat */
    JOBS,  /* us of Cleat's that are asymmetric operations */
    RATE,  /* a second, of Cleat and libssl */
    GB,    /* likewise */
    ALLOCS,
    NUM_KINDS,
};

struct column_of {
    enum column kind;
    enum bench_contender of;
};

/* Which contenders a kind of column is for. */
static const struct {
    size_t first, last;
    const char *heading; /* behind the contender's name */
} kinds[NUM_KINDS] = {
    [IN_FLIGHT] = {BENCH_CLEAT, BENCH_CLEAT, "in flight"},
    [COST] = {BENCH_CLEAT, BENCH_WOLFSSL, ""},
    [RATIO] = {BENCH_LIBSSL, BENCH_WOLFSSL, " : cleat"},
    [JOBS] = {BENCH_CLEAT, BENCH_CLEAT, "jobs us"},
    [RATE] = {BENCH_CLEAT, BENCH_LIBSSL, " /s"},
    [GB] = {BENCH_CLEAT, BENCH_LIBSSL, " GB/s"},
    [ALLOCS] = {BENCH_CLEAT, BENCH_LIBSSL, " allocs"},
};

static double cost_of(const struct bench_row *row, enum bench_contender which)
{
    const struct bench_samples *s = &row->of[which];
    return row->kind == BENCH_IDLE ? s->bytes : bench_best(s);
}

static void print_cell(const struct table *t, size_t column, const struct column_of *c,
                       const struct bench_row *row)
{
    double cost = cost_of(row, c->of);
    if (cost == 0) {
        cell(t, column, "-");
        return;
    }
    switch (c->kind) {
    case IN_FLIGHT:
        count(t, column, row->in_flight);
        break;
    case COST:
        if (row->kind == BENCH_HANDSHAKE) {
            number(t, column, "%.1f", cost / 1e3);
        } else {
            count(t, column, cost);
        }
        break;
    case RATIO:
        ratio(t, column, cost_of(row, BENCH_CLEAT), cost);
        break;
    case JOBS:
        number(t, column, "%.1f", row->of[BENCH_CLEAT].jobs_ns / 1e3);
        break;
    case RATE:
        count(t, column, 1e9 / cost);
        break;
    case GB:
        number(t, column, "%.2f", (double)row->len / cost);
        break;
    default:
        allocs(t, column, row->of[c->of].num_allocs);
        break;
    }
}

/* The columns of a table: of contenders that are there, and that did any of its rows. */
static size_t find_columns(struct column_of *out, const enum column *order, size_t num_kinds,
                           const bool *did)
{
    size_t num = 0;
    for (size_t k = 0; k < num_kinds; k++) {
        for (size_t of = kinds[order[k]].first; of <= kinds[order[k]].last; of++) {
            if (did[of] && num + 1 < MAX_COLUMNS) {
                out[num++] = (struct column_of){order[k], (enum bench_contender)of};
            }
        }
    }
    return num;
}

static const struct table_of {
    bool (*is)(const struct bench_row *row);
    const char *title;
    const char *unit; /* of the cost */
    int first_width;
    size_t num_kinds;
    enum column kinds[6];
} tables[] = {
    {is_handshake_13, "TLS 1.3 server", " us", 20, 6, {IN_FLIGHT, COST, RATIO, JOBS, RATE, ALLOCS}},
    {is_handshake_12, "TLS 1.2 server", " us", 20, 6, {IN_FLIGHT, COST, RATIO, JOBS, RATE, ALLOCS}},
    {is_client, "client", " us", 28, 6, {IN_FLIGHT, COST, RATIO, JOBS, RATE, ALLOCS}},
    {is_record, "AES-128-GCM record", " ns", 20, 4, {COST, RATIO, GB, ALLOCS}},
    {is_idle, "heap of an idle connection", " bytes", 36, 2, {COST, RATIO}},
};

static void name_columns(char names[MAX_COLUMNS][MAX_CELL], const struct table_of *of,
                         const struct column_of *columns, size_t num)
{
    (void)snprintf(names[0], MAX_CELL, "%s", of->title);
    for (size_t i = 0; i < num; i++) {
        enum column kind = columns[i].kind;
        bool one = kinds[kind].first == kinds[kind].last;
        (void)snprintf(names[i + 1], MAX_CELL, "%s%s",
                       one ? "" : bench_contenders[columns[i].of]->name,
                       kind == COST ? of->unit : kinds[kind].heading);
    }
}

static void print_table(const struct table_of *of, const struct bench_row *rows, size_t num,
                        const struct bench_plan *plan)
{
    bool did[BENCH_NUM_CONTENDERS] = {false};
    struct column_of columns[MAX_COLUMNS];
    char names[MAX_COLUMNS][MAX_CELL];
    const char *headings[MAX_COLUMNS];
    struct table t;
    for (size_t k = 0; k < num; k++) {
        for (size_t i = 0; i < BENCH_NUM_CONTENDERS && of->is(&rows[k]); i++) {
            did[i] = did[i] || cost_of(&rows[k], (enum bench_contender)i) > 0;
        }
    }
    size_t num_columns = find_columns(columns, of->kinds, of->num_kinds, did);
    name_columns(names, of, columns, num_columns);
    for (size_t i = 0; i <= num_columns; i++) {
        headings[i] = names[i];
    }
    head(&t, headings, num_columns + 1, (size_t)of->first_width);
    for (size_t k = 0; k < num; k++) {
        if (!of->is(&rows[k]) || !bench_wanted(plan, &rows[k]) ||
            cost_of(&rows[k], BENCH_CLEAT) == 0) {
            continue;
        }
        cell(&t, 0, rows[k].title);
        for (size_t i = 0; i < num_columns; i++) {
            print_cell(&t, i + 1, &columns[i], &rows[k]);
        }
    }
}

void bench_print_table(const struct bench_row *rows, size_t num, const struct bench_plan *plan)
{
    printf("CPU of one thread, X25519, AES-128-GCM; best of %u passes.\ncleat %s (%s)",
           plan->num_passes, bench_cleat.version(), cleat_batch_describe());
    for (size_t i = BENCH_LIBSSL; i < BENCH_NUM_CONTENDERS; i++) {
        if (bench_contenders[i] != NULL) {
            printf("; %s", bench_contenders[i]->version());
        }
    }
    printf(".\n");
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (any(rows, num, plan, tables[i].is) &&
            (tables[i].is != is_idle || bench_heap_counted())) {
            print_table(&tables[i], rows, num, plan);
        }
    }
}
