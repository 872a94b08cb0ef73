/* cli/serve_config.c - see serve_config.h. libConfuse knows the grammar; the schema that it is
 * given is made from the table of options. Each value is noted with its line as it is parsed;
 * nothing is taken from libConfuse's own tree but the blocks. */
#include "cli/serve_config.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/serve_options.h"
#include "net/small_file.h"

/* 160: rows of the schema; more than there are options, in all */
#define MAX_ROWS 160
#define BLOCK    "certificate"
/* Put behind the text: libConfuse takes the end of a file for that of an open block, or comment. */
#define END      "end-of-the-file"

struct cl_serve_config {
    char *path;
    struct cl_serve_key *keys;
    size_t num;
};

struct note {
    struct cl_serve_key key;
    const cfg_t *block; /* NULL: of the file itself */
};

/* The one reading that goes on. */
static struct reading {
    const char *path;
    const struct cl_usage *usage;
    const cfg_t *top;
    struct note *notes;
    size_t num_notes;
    cfg_opt_t rows[MAX_ROWS];
    size_t num_rows;
    cfg_opt_t block_rows[8];
    size_t num_block_rows;
    int num_lines;
    bool complained;
    bool ended; /* END was reached */
} now;

/* ---- complaints ---- */

static int complain(int line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int complain(int line, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    const bool first = !now.complained; /* that is the reason */
    now.complained = true;
    if (first && now.usage != NULL) {
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        /* what is missing at the end is noticed behind it */
        fprintf(stderr, "cleat %s: %s:%d: %s\n", now.usage->command, now.path,
                line < now.num_lines ? line : now.num_lines, text);
        fprintf(stderr, "See CONFIGURATION FILE in cleat-serve(1).\n");
    }
    return CL_EXIT_USAGE;
}

static const char *nearest_key(const char *name, bool in_block)
{
    const char *names[MAX_ROWS];
    const cfg_opt_t *rows = in_block ? now.block_rows : now.rows;
    const size_t num = in_block ? now.num_block_rows : now.num_rows;
    for (size_t i = 0; i < num; i++) {
        names[i] = rows[i].name;
    }
    return cl_nearest(name, names, num);
}

/* libConfuse's own, which name no file here: it was given a text. */
static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    static const char unknown[] = "no such option '";
    char text[256];
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    if (strncmp(text, unknown, sizeof(unknown) - 1) != 0) {
        (void)complain(cfg->line, "%s", text);
        return;
    }
    char *name = text + sizeof(unknown) - 1;
    name[strcspn(name, "'")] = '\0';
    if (strcmp(name, END) == 0) {
        (void)complain(cfg->line - 1, "the block " BLOCK " is not closed");
        return;
    }
    const bool in_block = now.top != NULL && cfg != now.top;
    const char *near = nearest_key(name, in_block);
    (void)complain(cfg->line, "there is no key '%s'%s%s%s%s", name,
                   in_block ? " in a block " BLOCK : "", near != NULL ? "; did you mean '" : "",
                   near != NULL ? near : "", near != NULL ? "'?" : "");
}

/* ---- values ---- */

static const struct cl_option *option_of(const char *name)
{
    size_t num;
    const struct cl_option *rows = cl_serve_option_rows(&num);
    for (size_t i = 0; i < num; i++) {
        if (rows[i].id > 0 && strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool is_given(const cfg_t *block, int id)
{
    for (size_t i = 0; i < now.num_notes; i++) {
        if (now.notes[i].block == block && now.notes[i].key.id == id) {
            return true;
        }
    }
    return false;
}

/* Relative paths begin where the file is; "-" and "off" are no paths (--access-log), and of the
 * places of a passphrase one is. */
static char *value_of(const struct cl_option *option, const char *value)
{
    const char *slash = strrchr(now.path, '/');
    const size_t dir_len = slash != NULL ? (size_t)(slash - now.path) + 1 : 0;
    const size_t len = strlen(value);
    const unsigned traits = cl_serve_option_traits(option->id);
    const bool words = (traits & CL_SERVE_OR_WORDS) != 0 && strpbrk(value, "/.") == NULL;
    const bool source = (traits & CL_SERVE_SOURCE) != 0 && strncmp(value, "file:", 5) == 0;
    const size_t skip = source ? 5 : 0;
    if (((traits & CL_SERVE_PATH) == 0 && !source) || words || dir_len == 0 || len == skip ||
        value[skip] == '/' || strcmp(value, "-") == 0 || strcmp(value, "off") == 0) {
        return cl_strndup(value, len);
    }
    char *path = cl_alloc(dir_len + len + 1);
    if (path != NULL) {
        memcpy(path, value, skip);
        memcpy(path + skip, now.path, dir_len);
        memcpy(path + skip + dir_len, value + skip, len - skip + 1);
    }
    return path;
}

/* Returns -1 with a complaint, which ends the parse, else 0. */
static int note(const cfg_t *cfg, const struct cl_option *option, const char *value)
{
    const cfg_t *block = cfg != now.top ? cfg : NULL;
    const bool once = block != NULL || (cl_serve_option_traits(option->id) & CL_SERVE_REPEATS) == 0;
    if (once && is_given(block, option->id)) {
        (void)complain(cfg->line, "'%s' is given twice", option->name);
        return -1;
    }
    if (now.num_notes == CL_SERVE_CONFIG_MAX_KEYS) {
        (void)complain(cfg->line, "more than %d values", CL_SERVE_CONFIG_MAX_KEYS);
        return -1;
    }
    char *copy = value != NULL ? value_of(option, value) : NULL;
    if (value != NULL && copy == NULL) {
        (void)complain(cfg->line, "out of memory");
        return -1;
    }
    now.notes[now.num_notes++] =
        (struct note){.key = {option->id, option->name, copy, cfg->line}, .block = block};
    return 0;
}

static int on_text(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    *(const char **)result = value;
    return note(cfg, option_of(opt->name), value);
}

static int on_switch(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    const int on = cfg_parse_boolean(value);
    if (on < 0) {
        (void)complain(cfg->line, "'%s' is true or false, not '%s'", opt->name, value);
        return -1;
    }
    *(cfg_bool_t *)result = on != 0 ? cfg_true : cfg_false;
    return on != 0 ? note(cfg, option_of(opt->name), NULL) : 0;
}

static int on_end(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    now.ended = true;
    return 0;
}

/* ---- the schema ---- */

static cfg_opt_t row_of(const struct cl_option *option, bool in_block)
{
    const bool repeats = (cl_serve_option_traits(option->id) & CL_SERVE_REPEATS) != 0;
    return (cfg_opt_t){
        .name = option->name,
        .type = option->arg != NULL ? CFGT_STR : CFGT_BOOL,
        .flags = repeats && !in_block ? CFGF_LIST : CFGF_NONE,
        .parsecb = option->arg != NULL ? on_text : on_switch,
    };
}

static void make_schema(void)
{
    size_t num;
    const struct cl_option *options = cl_serve_option_rows(&num);
    const int cert = option_of("cert")->id;
    const size_t block_room = sizeof(now.block_rows) / sizeof(now.block_rows[0]) - 1;
    for (size_t i = 0; i < num && now.num_rows < MAX_ROWS - 3; i++) {
        const struct cl_option *o = &options[i];
        if (o->id <= 0 || (cl_serve_option_traits(o->id) & CL_SERVE_NO_KEY) != 0) {
            continue;
        }
        now.rows[now.num_rows++] = row_of(o, false);
        if (cl_serve_option_group(o->id) == cert && now.num_block_rows < block_room) {
            now.block_rows[now.num_block_rows++] = row_of(o, true);
        }
    }
    now.rows[now.num_rows++] = (cfg_opt_t){
        .name = BLOCK, .type = CFGT_SEC, .flags = CFGF_MULTI, .subopts = now.block_rows};
    now.rows[now.num_rows] = (cfg_opt_t){.name = END, .type = CFGT_BOOL, .parsecb = on_end};
}

static int count_lines(const char *text, size_t len)
{
    int num = 1;
    for (size_t i = 0; i + 1 < len; i++) {
        num += text[i] == '\n';
    }
    return num;
}

/* ---- from notes to keys ---- */

static void take_notes(struct cl_serve_config *config, const cfg_t *block, const char *name)
{
    for (size_t i = 0; i < now.num_notes; i++) {
        struct note *n = &now.notes[i];
        if (n->block == block && n->key.name != NULL &&
            (name == NULL || strcmp(n->key.name, name) == 0)) {
            config->keys[config->num++] = n->key;
            n->key = (struct cl_serve_key){0};
        }
    }
}

/* What belongs to a certificate comes behind it, whatever the block's order. */
static int take_blocks(struct cl_serve_config *config, cfg_t *top)
{
    for (unsigned i = 0; i < cfg_size(top, BLOCK); i++) {
        const cfg_t *block = cfg_getnsec(top, BLOCK, i);
        static const char *const needed[] = {"cert", "key"};
        for (size_t k = 0; k < 2; k++) {
            if (!is_given(block, option_of(needed[k])->id)) {
                return complain(block->line, "the block " BLOCK " that ends here has no '%s'",
                                needed[k]);
            }
        }
        take_notes(config, block, "cert");
        take_notes(config, block, NULL);
    }
    return CL_EXIT_OK;
}

static int parse(struct cl_serve_config *config, const char *text)
{
    cfg_t *top = cfg_init(now.rows, CFGF_NONE);
    int code = CL_EXIT_USAGE;
    if (top == NULL) {
        return complain(0, "out of memory");
    }
    now.top = top;
    (void)cfg_set_error_function(top, on_error);
    if (cfg_parse_buf(top, text) != CFG_SUCCESS || now.complained || !now.ended) {
        (void)complain(top->line, "a comment is not closed"); /* unless something was said */
    } else {
        take_notes(config, NULL, NULL);
        code = take_blocks(config, top);
    }
    (void)cfg_free(top);
    return code;
}

int cl_serve_config_parse(const char *path, const char *text, size_t len,
                          const struct cl_usage *usage, struct cl_serve_config **out)
{
    struct cl_serve_config *config = cl_calloc(1, sizeof(*config));
    char *copy = cl_alloc(len + sizeof("\n" END " = true\n"));
    int code = CL_EXIT_USAGE;
    now = (struct reading){.path = path, .usage = usage};
    now.num_lines = count_lines(text, len);
    now.notes = cl_calloc(CL_SERVE_CONFIG_MAX_KEYS, sizeof(*now.notes));
    *out = config;
    if (config != NULL) {
        config->keys = cl_calloc(CL_SERVE_CONFIG_MAX_KEYS, sizeof(*config->keys));
        config->path = cl_strndup(path, strlen(path));
    }
    if (copy == NULL || now.notes == NULL || config == NULL || config->keys == NULL ||
        config->path == NULL) {
        (void)complain(0, "out of memory");
    } else if (memchr(text, 0, len) != NULL) {
        (void)complain(1, "this is no text: there is a byte 0 in it");
    } else {
        memcpy(copy, text, len);
        memcpy(copy + len, "\n" END " = true\n", sizeof("\n" END " = true\n"));
        make_schema();
        code = parse(config, copy);
    }
    for (size_t i = 0; i < now.num_notes; i++) { /* those that were not taken */
        cl_free((char *)now.notes[i].key.value);
    }
    cl_free(now.notes);
    cl_free(copy);
    now = (struct reading){0};
    return code;
}

/* Who can write it decides what the server runs and shows. */
static void warn_if_writable(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH) != 0) {
        fprintf(stderr,
                "cleat: warning: the configuration %s can be written by others (mode %03o); "
                "chmod o-w it\n",
                path, (unsigned)st.st_mode & 0777);
    }
}

int cl_serve_config_read(const char *path, const struct cl_usage *usage,
                         struct cl_serve_config **out)
{
    const struct cl_small_file file = {"the configuration", path, CL_SERVE_CONFIG_MAX_FILE, false};
    struct cl_buf text = {0};
    struct cleat_error err = {0};
    int code = CL_EXIT_FAILURE;
    if (strlen(path) >= CL_SERVE_CONFIG_MAX_PATH) {
        return cl_options_complain(usage, "the path of the configuration is too long");
    }
    if (cl_small_file_read(&file, &text, &err) == CL_OK) {
        warn_if_writable(path);
        code = cl_serve_config_parse(path, (const char *)text.p, text.len, usage, out);
    } else {
        fprintf(stderr, "cleat %s: %s\n", usage->command, err.text);
    }
    cl_buf_deinit(&text);
    return code;
}

void cl_serve_config_free(struct cl_serve_config *config)
{
    for (size_t i = 0; config != NULL && i < config->num; i++) {
        cl_free((char *)config->keys[i].value);
    }
    if (config != NULL) {
        cl_free(config->keys);
        cl_free(config->path);
    }
    cl_free(config);
}

const struct cl_serve_key *cl_serve_config_at(const struct cl_serve_config *config, size_t i)
{
    return i < config->num ? &config->keys[i] : NULL;
}

const char *cl_serve_config_path(const struct cl_serve_config *config)
{
    return config->path;
}
