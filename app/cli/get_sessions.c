/* cli/get_sessions.c - see get_sessions.h.
 *
 * The file is replaced as a whole by rename, under a lock on the file that is there: runs at the
 * same time lose nothing of each other, and a run that dies leaves the old file. It holds secrets:
 * its mode is 0600.
 */
#include "cli/get_sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/clock.h"
#include "net/save.h"
#include "net/small_file.h"
#include "tls/session.h"

/* 4 MiB: 256 sessions have some 600 KB */
#define MAX_FILE  (4u << 20)
/* 8: times that another run may replace the file while we wait for its lock */
#define MAX_TRIES 8

static void warn(const char *path, const char *why)
{
    (void)fprintf(stderr, "cleat get: warning: sessions in %s: %s\n", path, why);
}

/* ---- the file ---- */

static bool read_fd(int fd, size_t len, uint8_t *out)
{
    size_t at = 0;
    while (at < len) {
        ssize_t n = pread(fd, out + at, len - at, (off_t)at);
        if (n <= 0 && errno != EINTR) {
            return false;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Adds what the file holds; tells what is wrong with it. */
static void load(int fd, const char *path, struct cleat_session_store *store)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size == 0) {
        return;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE) {
        warn(path, "not a file of sessions");
        return;
    }
    if (cl_secret_file_is_open("the sessions", path, &st, ": they are not used")) {
        return;
    }
    size_t len = (size_t)st.st_size;
    uint8_t *bytes = cl_alloc(len);
    if (bytes != NULL && read_fd(fd, len, bytes) &&
        cleat_session_store_import(store, bytes, len, cl_clock_for_tls(NULL)) != CLEAT_OK) {
        warn(path, "not a file of sessions, or of another version: it is begun anew");
    }
    cl_free_secret(bytes, len);
}

/* The lock is of the file that the path names when it is held. */
static int open_locked(const char *path)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        struct stat ours;
        struct stat there;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) {
            return -1;
        }
        if (flock(fd, LOCK_EX) == 0 && fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
            ours.st_ino == there.st_ino && ours.st_dev == there.st_dev) {
            return fd;
        }
        (void)close(fd);
    }
    errno = EBUSY;
    return -1;
}

/* A store's sessions as bytes, to be freed with cl_free_secret; NULL when memory is short. */
static uint8_t *to_bytes(struct cleat_session_store *store, size_t *len)
{
    uint64_t now = cl_clock_for_tls(NULL);
    *len = 0;
    (void)cleat_session_store_export(store, now, NULL, len);
    uint8_t *bytes = cl_alloc(*len);
    if (bytes != NULL && cleat_session_store_export(store, now, bytes, len) != CLEAT_OK) {
        cl_free_secret(bytes, *len);
        bytes = NULL;
    }
    return bytes;
}

static bool merge(struct get_sessions *s, struct cleat_session_store *into)
{
    size_t len;
    uint8_t *bytes = to_bytes(s->made, &len);
    bool ok = bytes != NULL &&
              cleat_session_store_import(into, bytes, len, cl_clock_for_tls(NULL)) == CLEAT_OK;
    cl_free_secret(bytes, len);
    for (size_t i = 0; i < s->num_used; i++) {
        cleat_session_store_drop(into, s->used[i]);
    }
    return ok;
}

static bool save(struct get_sessions *s)
{
    struct cleat_session_store *merged = NULL;
    size_t len = 0;
    uint8_t *bytes = NULL;
    int fd = open_locked(s->path);
    if (fd < 0 || cleat_session_store_new(GET_MAX_SESSIONS, &merged) != CLEAT_OK) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    load(fd, s->path, merged);
    bool ok = merge(s, merged) && (bytes = to_bytes(merged, &len)) != NULL;
    const int failure = ok ? cl_save_path(s->path, cl_rd_of(bytes, len), S_IRUSR | S_IWUSR) : 0;
    cl_free_secret(bytes, len);
    cleat_session_store_free(merged);
    (void)close(fd); /* and with it the lock */
    if (failure != 0) {
        errno = failure;
    }
    return ok && failure == 0;
}

/* ---- */

bool get_sessions_open(struct get_sessions *s, const char *path)
{
    *s = (struct get_sessions){.path = path};
    if (cleat_session_store_new(GET_MAX_SESSIONS, &s->all) != CLEAT_OK ||
        cleat_session_store_new(GET_MAX_SESSIONS, &s->made) != CLEAT_OK) {
        return false;
    }
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        load(fd, path, s->all);
        (void)close(fd);
    } else if (path != NULL && errno != ENOENT) {
        warn(path, strerror(errno));
    }
    return true;
}

void get_sessions_close(struct get_sessions *s)
{
    bool changed = s->num_used != 0 || (s->made != NULL && cleat_session_store_num(s->made) != 0);
    if (s->path != NULL && changed && !save(s)) {
        warn(s->path, strerror(errno));
    }
    for (size_t i = 0; i < s->num_used; i++) {
        cleat_tls_session_free(s->used[i]);
    }
    cl_free(s->used);
    cleat_session_store_free(s->all);
    cleat_session_store_free(s->made);
    *s = (struct get_sessions){0};
}

/* Host, port, and what else a session is bound to: another policy finds nothing, and uses nothing
 * up. */
static void make_name(const char *host, uint16_t port, const struct cleat_tls_config *config,
                      char out[CLIENT_HOST_SIZE + 64])
{
    uint8_t binding[CL_SESSION_BINDING_LEN];
    cl_session_binding(config, host, binding);
    int at = snprintf(out, CLIENT_HOST_SIZE + 64, "%s:%u ", host, (unsigned)port);
    for (size_t i = 0; i < 8; i++) {
        at += snprintf(out + at, 3, "%02x", binding[i]);
    }
}

static void remember_used(struct get_sessions *s, struct cleat_tls_session *session)
{
    struct cleat_tls_session **list = cl_realloc(s->used, (s->num_used + 1) * sizeof(*list));
    if (list != NULL) {
        list[s->num_used++] = cleat_tls_session_ref(session);
        s->used = list;
    }
}

struct cleat_tls_session *get_sessions_take(struct get_sessions *s, const char *host, uint16_t port,
                                            const struct cleat_tls_config *config)
{
    char name[CLIENT_HOST_SIZE + 64];
    make_name(host, port, config, name);
    struct cleat_tls_session *session =
        cleat_session_store_take(s->all, name, cl_clock_for_tls(NULL));
    if (session != NULL && cl_session_once(session)) {
        remember_used(s, session);
    }
    return session;
}

void get_sessions_keep(struct get_sessions *s, const char *host, uint16_t port,
                       const struct cleat_tls_config *config, struct cleat_tls *tls)
{
    struct cleat_tls_session *received[CLEAT_SESSION_STORE_PER_NAME];
    char name[CLIENT_HOST_SIZE + 64];
    size_t num = 0;
    while (num < CLEAT_SESSION_STORE_PER_NAME &&
           (received[num] = cleat_tls_take_session(tls)) != NULL) {
        num++;
    }
    if (num > 0) {
        make_name(host, port, config, name);
    }
    while (num-- > 0) { /* the newest is put last */
        (void)cleat_session_store_put(s->all, name, received[num]);
        (void)cleat_session_store_put(s->made, name, received[num]);
        cleat_tls_session_free(received[num]);
    }
}
