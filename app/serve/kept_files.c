/* serve/kept_files.c - see kept_files.h.
 *
 * Two places for each name, by its hash; the one that was filled longer ago gives way. Who makes
 * names collide gains that files are opened, as they would be without the store.
 */
#include "serve/kept_files.h"

#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "net/file.h"

struct place {
    char *name; /* NULL: free */
    int root_fd;
    int64_t since; /* Unix seconds */
    uint8_t *bytes;
    struct cl_kept_file file;
};

struct cl_kept_files {
    struct place places[CL_KEPT_MAX_FILES];
};

cl_result cl_kept_files_new(struct cl_kept_files **out)
{
    *out = cl_calloc(1, sizeof(**out));
    return *out != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

static void clear(struct place *p)
{
    cl_free(p->name);
    cl_free(p->bytes);
    *p = (struct place){0};
}

void cl_kept_files_free(struct cl_kept_files *k)
{
    if (k != NULL) {
        for (size_t i = 0; i < CL_KEPT_MAX_FILES; i++) {
            clear(&k->places[i]);
        }
        cl_free(k);
    }
}

/* FNV-1a */
static size_t first_place(const char *name)
{
    uint32_t h = 2166136261U;
    for (; *name != '\0'; name++) {
        h = (h ^ (uint8_t)*name) * 16777619U;
    }
    return (h ^ (h >> 15)) % CL_KEPT_MAX_FILES;
}

static struct place *find(struct cl_kept_files *k, int root_fd, const char *name)
{
    const size_t first = first_place(name);
    for (size_t i = 0; i < 2; i++) {
        struct place *p = &k->places[first ^ i];
        if (p->name != NULL && p->root_fd == root_fd && strcmp(p->name, name) == 0) {
            return p;
        }
    }
    return NULL;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* A change of content, owner or mode, or another name, changes st_ctim. */
bool cl_kept_file_is(const struct cl_kept_file *file, const struct stat *b)
{
    const struct stat *a = &file->st;
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
           a->st_size == b->st_size && is_same_time(a->st_mtim, b->st_mtim) &&
           is_same_time(a->st_ctim, b->st_ctim);
}

const struct cl_kept_file *cl_kept_files_find(struct cl_kept_files *k, int root_fd,
                                              const char *name, int64_t now)
{
    struct place *p = find(k, root_fd, name);
    struct stat st;
    if (p == NULL) {
        return NULL;
    }
    /* Links are followed: where they lead out of the root the file is another one. */
    if (p->since != now || (p->bytes != NULL && (fstatat(root_fd, name, &st, 0) != 0 ||
                                                 !cl_kept_file_is(&p->file, &st)))) {
        clear(p);
        return NULL;
    }
    return &p->file;
}

static bool is_settled(const struct stat *st, int64_t now)
{
    return st->st_ctim.tv_sec < now - CL_KEPT_MIN_AGE && st->st_mtim.tv_sec < now - CL_KEPT_MIN_AGE;
}

void cl_kept_files_put(struct cl_kept_files *k, int root_fd, const char *name, int fd,
                       const struct stat *st, int64_t now)
{
    const size_t first = first_place(name);
    struct place *p = find(k, root_fd, name);
    if (!is_settled(st, now)) {
        return;
    }
    if (p == NULL) {
        p = &k->places[first];
        p = k->places[first ^ 1].since < p->since ? &k->places[first ^ 1] : p;
    }
    clear(p);
    p->name = cl_strndup(name, strlen(name));
    if (p->name == NULL) {
        return;
    }
    p->root_fd = root_fd;
    p->since = now;
    p->file.st = *st;
    const size_t len = st->st_size <= CL_KEPT_MAX_FILE ? (size_t)st->st_size : 0;
    p->bytes = len > 0 ? cl_alloc(len) : NULL;
    if (p->bytes != NULL && cl_file_read_cached(fd, p->bytes, len)) {
        p->file.bytes = p->bytes;
    } else {
        cl_free(p->bytes);
        p->bytes = NULL;
    }
}
