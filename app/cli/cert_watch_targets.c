/* cli/cert_watch_targets.c - from the words of the command line to targets. */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/cert_watch.h"
#include "cli/client.h"

struct cert_watch_texts {
    char *file;
    char *key;
    char host[CLIENT_HOST_SIZE];
    char connect[CLIENT_HOST_SIZE];
};

/* A word under way. */
struct reading {
    const struct cert_watch_ask *ask;
    const char *word;
    struct cl_watch_target *target;
    struct cert_watch_texts *texts;
};

static int complain(const struct reading *r, const char *why)
{
    (void)fprintf(stderr, "cleat cert watch: %s: %s\nTry 'cleat cert watch --help'.\n", r->word,
                  why);
    return CERT_WATCH_USAGE;
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* A name that only a file can have, so that one that is missing is not looked for in DNS. */
static bool looks_like_file(const char *word)
{
    static const char *const ends[] = {".pem", ".crt", ".cer", ".der", ".cert"};
    const size_t len = strlen(word);
    if (strchr(word, '/') != NULL || strchr(word, ',') != NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const size_t n = strlen(ends[i]);
        if (len > n && strcasecmp(word + len - n, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "FILE" or "FILE,KEY". */
static int set_file(struct reading *r, const char *text, size_t len)
{
    struct cert_watch_texts *t = r->texts;
    t->file = cl_strndup(text, len);
    char *comma = t->file != NULL && !is_file(t->file) ? strrchr(t->file, ',') : NULL;
    if (comma != NULL) {
        *comma = '\0';
        t->key = cl_strndup(comma + 1, strlen(comma + 1));
    }
    if (t->file == NULL || (comma != NULL && t->key == NULL)) {
        return complain(r, "out of memory");
    }
    if (t->file[0] == '\0' || (t->key != NULL && t->key[0] == '\0')) {
        return complain(r, "the name of a file is empty");
    }
    r->target->facts.file = t->file;
    r->target->key_file = t->key;
    return 0;
}

static int set_host(struct reading *r, const char *text)
{
    const struct cert_watch_ask *ask = r->ask;
    struct cl_watch_target *target = r->target;
    struct cert_watch_texts *t = r->texts;
    struct cleat_error err = {0};
    struct client_target *url = cl_calloc(1, sizeof(*url));
    if (url == NULL) {
        return complain(r, "out of memory");
    }
    int code = client_target_parse(url, text, strlen(text), &err);
    if (code == 0 && !client_connect_to(&ask->client.connect_tos, url->host, url->port, t->connect,
                                        &target->connect_port, &err)) {
        code = CERT_WATCH_USAGE;
    }
    if (code == 0) {
        const char *name = ask->server_name != NULL ? ask->server_name : url->host;
        (void)snprintf(t->host, sizeof(t->host), "%s", name);
        target->facts.host = t->host;
        target->connect_host = t->connect;
    }
    cl_free(url);
    return code == 0 ? 0 : complain(r, err.text);
}

static int read_word(struct reading *r)
{
    const char *equals = strrchr(r->word, '=');
    if (is_file(r->word)) {
        return set_file(r, r->word, strlen(r->word));
    }
    if (equals != NULL && strncmp(r->word, "https://", 8) != 0) {
        const int code = set_file(r, r->word, (size_t)(equals - r->word));
        return code == 0 ? set_host(r, equals + 1) : code;
    }
    if (strstr(r->word, "://") == NULL && looks_like_file(r->word)) {
        return set_file(r, r->word, strlen(r->word));
    }
    return set_host(r, r->word);
}

int cert_watch_targets_new(struct cert_watch_targets *out, const struct cert_watch_ask *ask)
{
    const size_t num = ask->words.num;
    int code = 0;
    *out = (struct cert_watch_targets){.items = cl_calloc(num, sizeof(*out->items)),
                                       .texts = cl_calloc(num, sizeof(*out->texts))};
    if (out->items == NULL || out->texts == NULL) {
        (void)fputs("cleat cert watch: out of memory\n", stderr);
        return CERT_WATCH_UNCHECKED;
    }
    if (ask->server_name != NULL && strlen(ask->server_name) >= CLIENT_HOST_SIZE) {
        (void)fputs("cleat cert watch: --servername: the name is too long\n", stderr);
        return CERT_WATCH_USAGE;
    }
    for (; code == 0 && out->num < num; out->num++) {
        struct cl_watch_target *target = &out->items[out->num];
        struct reading r = {.ask = ask,
                            .word = ask->words.items[out->num],
                            .target = target,
                            .texts = &out->texts[out->num]};
        target->facts.name = r.word;
        target->facts.expect_staple = ask->expect_staple;
        code = read_word(&r);
    }
    return code;
}

void cert_watch_targets_deinit(struct cert_watch_targets *targets)
{
    for (size_t i = 0; i < targets->num; i++) {
        cl_watch_facts_reset(&targets->items[i].facts);
        cl_free(targets->texts[i].file);
        cl_free(targets->texts[i].key);
    }
    cl_free(targets->items);
    cl_free(targets->texts);
    *targets = (struct cert_watch_targets){0};
}
