/* cli/options.c - see options.h. */
#include "cli/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* 30: where the help texts begin; longer option names push theirs to the next line */
#define HELP_COLUMN 30

void cl_options_init(struct cl_options *o, const struct cl_usage *usage, int argc, char **argv)
{
    *o = (struct cl_options){.usage = usage, .argc = argc, .argv = argv, .at = 1};
}

int cl_options_complain(const struct cl_usage *usage, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "cleat %s: ", usage->command);
    if (usage->where != NULL) {
        fprintf(stderr, "%s: ", usage->where);
    }
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nTry 'cleat %s --help'.\n", usage->command);
    va_end(ap);
    return CL_EXIT_USAGE;
}

static const struct cl_option *find_letter(const struct cl_usage *usage, char letter)
{
    for (size_t i = 0; i < usage->num_options; i++) {
        if (usage->options[i].id > 0 && usage->options[i].letter == letter) {
            return &usage->options[i];
        }
    }
    return NULL;
}

static const struct cl_option *find_name(const struct cl_usage *usage, const char *name, size_t len)
{
    for (size_t i = 0; i < usage->num_options; i++) {
        const struct cl_option *row = &usage->options[i];
        if (row->id > 0 && row->name != NULL && strlen(row->name) == len &&
            memcmp(row->name, name, len) == 0) {
            return row;
        }
    }
    return NULL;
}

/* The argument that follows in the next word. */
static int take_next_word(struct cl_options *o, const struct cl_option *row)
{
    if (o->at >= o->argc) {
        cl_options_complain(o->usage, "option %s needs an argument (%s)", o->spelled, row->arg);
        return CL_OPTIONS_ERROR;
    }
    o->value = o->argv[o->at++];
    return row->id;
}

static int next_letter(struct cl_options *o)
{
    char letter = *o->bundle++;
    o->spelled_letter[0] = '-';
    o->spelled_letter[1] = letter;
    o->spelled_letter[2] = '\0';
    o->spelled = o->spelled_letter;
    const char *rest = o->bundle;
    if (*rest == '\0') {
        o->bundle = NULL;
    }
    const struct cl_option *row = find_letter(o->usage, letter);
    if (row == NULL) {
        cl_options_complain(o->usage, "unknown option -%c", letter);
        return CL_OPTIONS_ERROR;
    }
    if (row->arg == NULL) {
        return row->id;
    }
    o->bundle = NULL;
    if (*rest != '\0') {
        o->value = rest;
        return row->id;
    }
    return take_next_word(o, row);
}

static int unknown_name(struct cl_options *o, const char *word)
{
    const char *names[128];
    size_t num = 0;
    for (size_t i = 0; i < o->usage->num_options && num < 128; i++) {
        if (o->usage->options[i].id > 0) {
            names[num++] = o->usage->options[i].name;
        }
    }
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = cl_nearest(name, names, num);
    if (near != NULL) {
        cl_options_complain(o->usage, "unknown option --%s; did you mean --%s?", name, near);
    } else {
        cl_options_complain(o->usage, "unknown option --%s", name);
    }
    return CL_OPTIONS_ERROR;
}

static int next_name(struct cl_options *o, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const struct cl_option *row = find_name(o->usage, name, len);
    if (row == NULL) {
        return unknown_name(o, word);
    }
    o->spelled = word;
    if (row->arg == NULL) {
        if (name[len] == '=') {
            cl_options_complain(o->usage, "option --%s takes no argument", row->name);
            return CL_OPTIONS_ERROR;
        }
        return row->id;
    }
    if (name[len] == '=') {
        o->value = name + len + 1;
        return row->id;
    }
    return take_next_word(o, row);
}

int cl_options_next(struct cl_options *o)
{
    o->value = NULL;
    if (o->bundle != NULL) {
        return next_letter(o);
    }
    if (o->at >= o->argc) {
        return CL_OPTIONS_END;
    }
    char *word = o->argv[o->at++];
    if (o->only_operands || word[0] != '-' || word[1] == '\0') {
        o->value = word;
        return CL_OPTIONS_OPERAND;
    }
    if (strcmp(word, "--") == 0) {
        o->only_operands = true;
        return cl_options_next(o);
    }
    if (word[1] == '-') {
        return next_name(o, word);
    }
    o->bundle = word + 1;
    return next_letter(o);
}

bool cl_options_each(const struct cl_usage *usage, int argc, char **argv, int help_id,
                     cl_options_take *take, void *ctx, int *code)
{
    struct cl_options o;
    int id;
    *code = 0;
    cl_options_init(&o, usage, argc, argv);
    while (*code == 0 && (id = cl_options_next(&o)) != CL_OPTIONS_END) {
        if (id == help_id) {
            cl_options_help(usage, stdout);
            return false;
        }
        *code = take(ctx, id, &o);
    }
    return *code == 0;
}

bool cl_options_number(const struct cl_options *o, long low, long high, long *out)
{
    char *end = NULL;
    errno = 0;
    long v = strtol(o->value, &end, 10);
    if (errno != 0 || end == o->value || *end != '\0' || v < low || v > high) {
        cl_options_complain(o->usage, "%s takes a number from %ld to %ld, not '%s'", o->spelled,
                            low, high, o->value);
        return false;
    }
    *out = v;
    return true;
}

/* Every line of text on its own, the first at the column given, later ones below it. */
static void print_lines(FILE *out, const char *text, int indent)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        fprintf(out, "%.*s\n", (int)len, text);
        text += len;
        if (*text == '\n') {
            text++;
            fprintf(out, "%*s", *text != '\0' ? indent : 0, "");
        }
    }
}

static void print_option(FILE *out, const struct cl_option *row)
{
    char left[128];
    int n = 0;
    if (row->letter != 0 && row->name != NULL) {
        n = snprintf(left, sizeof(left), "  -%c, --%s", row->letter, row->name);
    } else if (row->letter != 0) {
        n = snprintf(left, sizeof(left), "  -%c", row->letter);
    } else {
        n = snprintf(left, sizeof(left), "      --%s", row->name);
    }
    if (row->arg != NULL && n > 0 && (size_t)n < sizeof(left)) {
        n += snprintf(left + n, sizeof(left) - (size_t)n, " %s", row->arg);
    }
    if (n >= HELP_COLUMN - 1) {
        fprintf(out, "%s\n%*s", left, HELP_COLUMN, "");
    } else {
        fprintf(out, "%-*s", HELP_COLUMN, left);
    }
    print_lines(out, row->help, HELP_COLUMN);
}

void cl_options_help(const struct cl_usage *usage, FILE *out)
{
    const char *line = usage->synopsis;
    const char *lead = "Usage:";
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        fprintf(out, "%-6s cleat %s %.*s\n", lead, usage->command, (int)len, line);
        lead = "";
        line += len + (line[len] == '\n');
    }
    fprintf(out, "\n%s\n", usage->about);
    for (size_t i = 0; i < usage->num_options; i++) {
        const struct cl_option *row = &usage->options[i];
        if (row->id == 0) {
            fprintf(out, "\n%s:\n", row->name);
        } else if (row->help != NULL) {
            print_option(out, row);
        }
    }
    if (usage->examples != NULL) {
        fprintf(out, "\nExamples:\n%s\n", usage->examples);
    }
}

/* Levenshtein distance, both words cut at 31 letters. */
static size_t distance(const char *a, const char *b)
{
    size_t a_len = strnlen(a, 31);
    size_t b_len = strnlen(b, 31);
    size_t row[32];
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[b_len];
}

const char *cl_nearest(const char *word, const char *const *names, size_t num)
{
    const char *best = NULL;
    /* A third of the letters may be wrong; with more the suggestion would be a riddle. */
    size_t best_distance = strnlen(word, 31) / 3 + 1;
    for (size_t i = 0; i < num; i++) {
        if (names[i] == NULL) {
            continue;
        }
        if (strlen(word) >= 3 && strncmp(word, names[i], strlen(word)) == 0) {
            return names[i];
        }
        size_t d = distance(word, names[i]);
        if (d <= best_distance) {
            best = d < best_distance || best == NULL ? names[i] : best;
            best_distance = d;
        }
    }
    return best;
}
