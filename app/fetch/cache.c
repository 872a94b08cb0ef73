/* fetch/cache.c - see cache.h. */
#include "fetch/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "net/clock.h"
#include "net/save.h"

/* "ocsp-", 64 digits and a NUL, with room for a longer kind */
#define NAME_SIZE 80
/* and of one that is being written, to which net/save adds a dot, a process and a time */
#define OUR_SIZE  (NAME_SIZE + 48)
/* 4,096: files that are looked at when room is made; who has put more there keeps them */
#define MAX_LOOK  4096
/* 3,600 s: what is still being written after that, nobody writes any more */
#define STALE     3600

struct cl_fetch_cache {
    int dir; /* -1: nothing is kept */
    char problem[PATH_MAX + 128];
};

static void note(struct cl_fetch_cache *c, const char *what, const char *path, const char *why)
{
    if (c->problem[0] == '\0') {
        (void)snprintf(c->problem, sizeof(c->problem), "%s %s: %s", what, path, why);
    }
}

/* ---- the folder ---- */

static bool user_folder(char out[PATH_MAX])
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    /* XDG Base Directory: a relative path is as if it were not there. */
    const bool given = cache != NULL && cache[0] == '/';
    if (!given && (home == NULL || home[0] != '/')) {
        return false;
    }
    const int len =
        snprintf(out, PATH_MAX, "%s%s", given ? cache : home, given ? "/cleat" : "/.cache/cleat");
    return len > 0 && len < PATH_MAX;
}

static void open_folder(struct cl_fetch_cache *c, const char *path)
{
    struct stat st;
    if (strlen(path) >= PATH_MAX || path[0] == '\0') {
        note(c, "the folder", path, "the name is empty or too long");
        return;
    }
    const int failure = cl_save_folder(path);
    int fd = failure == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        note(c, "cannot use the folder", path, strerror(failure != 0 ? failure : errno));
        return;
    }
    if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
        note(c, "not used: the folder", path, "it is another user's, or others may write to it");
        (void)close(fd);
        return;
    }
    c->dir = fd;
}

struct cl_fetch_cache *cl_fetch_cache_new(const char *dir)
{
    char own[PATH_MAX];
    struct cl_fetch_cache *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return NULL;
    }
    c->dir = -1;
    if (dir != NULL || user_folder(own)) {
        open_folder(c, dir != NULL ? dir : own);
    } else {
        note(c, "no folder", "~/.cache/cleat", "HOME is not set");
    }
    return c;
}

void cl_fetch_cache_free(struct cl_fetch_cache *cache)
{
    if (cache != NULL) {
        if (cache->dir >= 0) {
            (void)close(cache->dir);
        }
        cl_free(cache);
    }
}

const char *cl_fetch_cache_problem(const struct cl_fetch_cache *cache)
{
    return cache->problem[0] != '\0' ? cache->problem : NULL;
}

/* ---- files ---- */

static void name_of(const struct cl_fetch_key *key, char out[NAME_SIZE])
{
    uint8_t digest[CL_HASH_MAX_LEN];
    char hex[2 * 32 + 1]; /* SHA-256 */
    struct cl_hash h;
    cl_hash_init(&h, CL_HASH_SHA256);
    cl_hash_update(&h, key->url, strlen(key->url) + 1);
    cl_hash_update(&h, key->request.p, key->request.len);
    cl_hash_peek(&h, digest);
    cl_hex_encode(digest, cl_hash_len(CL_HASH_SHA256), hex);
    (void)snprintf(out, NAME_SIZE, "%.8s-%s", key->kind, hex);
}

struct cl_mapped *cl_fetch_cache_find(struct cl_fetch_cache *cache, const struct cl_fetch_key *key,
                                      size_t max, int64_t now)
{
    char name[NAME_SIZE];
    struct stat st;
    struct cl_mapped *found = NULL;
    if (cache->dir < 0) {
        return NULL;
    }
    name_of(key, name);
    int fd = openat(cache->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_size > 0 &&
        (uint64_t)st.st_size <= max && st.st_mtim.tv_sec > now &&
        cl_mapped_new(fd, (size_t)st.st_size, &found) != CL_OK) {
        found = NULL;
    }
    (void)close(fd);
    return found;
}

/* ---- room ---- */

struct census {
    size_t num;
    uint64_t bytes;
    char first[OUR_SIZE]; /* the one that expires next */
    int64_t first_expires;
    uint64_t first_bytes;
};

static bool is_ours(const char *name)
{
    const char *dash = strchr(name, '-');
    return dash != NULL && strlen(name) < OUR_SIZE && strlen(dash + 1) >= 64;
}

/* Counts what is there, dropping what has expired. */
static void take_census(const struct cl_fetch_cache *c, int64_t now, struct census *out)
{
    *out = (struct census){.first_expires = INT64_MAX};
    int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    for (size_t i = 0; dir != NULL && i < MAX_LOOK && (entry = readdir(dir)) != NULL; i++) {
        struct stat st;
        if (!is_ours(entry->d_name) ||
            fstatat(c->dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) {
            continue;
        }
        /* one being written, or left behind by who was interrupted at that */
        const int64_t grace = entry->d_name[0] == '.' ? STALE : 0;
        if (st.st_mtim.tv_sec + grace <= now) {
            (void)unlinkat(c->dir, entry->d_name, 0);
            continue;
        }
        out->num++;
        out->bytes += (uint64_t)st.st_size;
        if (st.st_mtim.tv_sec < out->first_expires) {
            out->first_expires = st.st_mtim.tv_sec;
            out->first_bytes = (uint64_t)st.st_size;
            memcpy(out->first, entry->d_name, strlen(entry->d_name) + 1); /* is_ours: it fits */
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    } else if (fd >= 0) {
        (void)close(fd);
    }
}

static void make_room(const struct cl_fetch_cache *c, size_t len)
{
    const int64_t now = (int64_t)(cl_clock_unix_ms() / 1000);
    struct census census;
    for (;;) {
        take_census(c, now, &census);
        const bool full =
            census.num >= CL_FETCH_CACHE_MAX_FILES || census.bytes + len > CL_FETCH_CACHE_MAX_BYTES;
        if (!full || census.num == 0 || unlinkat(c->dir, census.first, 0) != 0) {
            return;
        }
    }
}

/* ---- writing ---- */

void cl_fetch_cache_keep(struct cl_fetch_cache *cache, const struct cl_fetch_key *key,
                         struct cl_rd answer, int64_t expires)
{
    char name[NAME_SIZE];
    if (cache->dir < 0 || answer.len == 0 || answer.len > CL_FETCH_CACHE_MAX_BYTES / 2) {
        return;
    }
    name_of(key, name);
    make_room(cache, answer.len);
    const int failure = cl_save_cached(cache->dir, name, answer, expires);
    if (failure != 0) {
        note(cache, "cannot keep", name, strerror(failure));
    }
}
