/* serve/captures.c - see captures.h. Workers write their own files; what they share is two counters
 * and a flag. The counters are set anew by a recount while others add to them: off by what is
 * written just then, which the limits bear.
 */
#include "serve/captures.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "conn/capture_file.h"

#define PATTERN   "cleat-*.pcapng"
/* 128: date, number, the longest address */
#define NAME_SIZE 128

struct cl_captures {
    struct cl_captures_setup setup;
    int dir_fd;
    atomic_uint_least64_t num_files;
    atomic_uint_least64_t num_bytes;
    atomic_uint_least64_t next; /* number of a connection */
    atomic_bool stopped;
};

struct cl_capture_file {
    struct cl_captures *captures;
    struct cl_capture *capture;
    const char *peer;
    int fd; /* -1: nothing has been written */
    char name[NAME_SIZE];
};

/* ---- the folder ---- */

static cl_result refuse(struct cleat_error *err, const char *dir, const char *why, const char *hint)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG, .hint = hint},
                        "--pcap: the folder %s %s", dir, why);
}

static cl_result open_dir(struct cl_captures *c, struct cleat_error *err)
{
    const char *dir = c->setup.dir;
    struct stat st;
    char why[96];
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        (void)snprintf(why, sizeof(why), "cannot be made: %s", strerror(errno));
        return refuse(err, dir, why, NULL);
    }
    c->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->dir_fd < 0 || fstat(c->dir_fd, &st) != 0) {
        (void)snprintf(why, sizeof(why), "cannot be opened: %s", strerror(errno));
        return refuse(err, dir, why, NULL);
    }
    if (st.st_uid != geteuid()) {
        return refuse(err, dir, "belongs to somebody else", "make one of your own, with mode 700");
    }
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void)snprintf(why, sizeof(why), "is open to others (mode %03o), and will hold secrets",
                       (unsigned)st.st_mode & 0777);
        return refuse(err, dir, why, "chmod 700 it");
    }
    if (faccessat(c->dir_fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        (void)snprintf(why, sizeof(why), "cannot be written to: %s", strerror(errno));
        return refuse(err, dir, why, NULL);
    }
    return CL_OK;
}

/* Our files in the folder, of earlier runs too. */
static void count(struct cl_captures *c)
{
    uint64_t num_files = 0, num_bytes = 0;
    int fd = openat(c->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct stat st;
        if (fnmatch(PATTERN, entry->d_name, 0) == 0 &&
            fstatat(c->dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            num_files++;
            num_bytes += (uint64_t)st.st_size;
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    } else if (fd >= 0) {
        (void)close(fd);
    }
    atomic_store(&c->num_files, num_files);
    atomic_store(&c->num_bytes, num_bytes);
}

static bool is_full(const struct cl_captures *c)
{
    return atomic_load(&c->num_files) >= c->setup.max_files ||
           atomic_load(&c->num_bytes) >= c->setup.max_bytes;
}

static void describe(const struct cl_captures *c, char *out, size_t cap)
{
    (void)snprintf(out, cap,
                   "%s holds %llu files of %llu (--pcap-max-files), %llu bytes of %llu "
                   "(--pcap-max-bytes)",
                   c->setup.dir, (unsigned long long)atomic_load(&c->num_files),
                   (unsigned long long)c->setup.max_files,
                   (unsigned long long)atomic_load(&c->num_bytes),
                   (unsigned long long)c->setup.max_bytes);
}

cl_result cl_captures_new(const struct cl_captures_setup *setup, struct cl_captures **out,
                          struct cleat_error *err)
{
    char text[512];
    struct cl_captures *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->setup = *setup;
    c->dir_fd = -1;
    cl_result result = open_dir(c, err);
    if (result == CL_OK) {
        count(c);
        describe(c, text, sizeof(text));
    }
    if (result == CL_OK && is_full(c)) {
        result = cl_error_set(err,
                              (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                              .hint = "move its files away, or raise the limit"},
                              "--pcap: %s", text);
    }
    if (result != CL_OK) {
        cl_captures_free(c);
        return result;
    }
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
    cl_log_line(setup->log,
                "cleat: warning: --pcap: every connection is written down with its secrets: "
                "whoever has the files can read it; %s",
                text);
    *out = c;
    return CL_OK;
}

void cl_captures_free(struct cl_captures *captures)
{
    if (captures != NULL && captures->dir_fd >= 0) {
        (void)close(captures->dir_fd);
    }
    cl_free(captures);
}

void cl_captures_recount(struct cl_captures *captures)
{
    char text[512];
    count(captures);
    describe(captures, text, sizeof(text));
    bool full = is_full(captures);
    atomic_store(&captures->stopped, full);
    cl_log_line(captures->setup.log, "cleat: --pcap: %s: capturing %s", text,
                full ? "stays stopped" : "goes on, with new connections");
}

/* One line, however many connections notice it. */
static void stop(struct cl_captures *c, const char *why)
{
    if (!atomic_exchange(&c->stopped, true)) {
        cl_log_line(c->setup.log,
                    "cleat: --pcap: capturing stops: %s; make room and send SIGHUP to go on", why);
    }
}

/* ---- files ---- */

/* "cleat-20261122T001631Z-000042-192.0.2.7-50123.pcapng"; colons of IPv6 become "_", as many
 * programs take them for a host's name. */
static void make_name(struct cl_capture_file *f)
{
    char peer[NAME_SIZE / 2];
    size_t len = 0;
    struct tm tm = {0};
    char when[24];
    time_t now = time(NULL);
    const char *port = strrchr(f->peer, ':');
    for (const char *p = f->peer; *p != '\0' && len + 1 < sizeof(peer); p++) {
        if (*p != '[' && *p != ']') {
            peer[len++] = p == port ? '-' : *p == ':' || *p == '%' ? '_' : *p;
        }
    }
    peer[len] = '\0';
    (void)gmtime_r(&now, &tm);
    (void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
    (void)snprintf(f->name, sizeof(f->name), "cleat-%s-%06llu-%s.pcapng", when,
                   (unsigned long long)atomic_fetch_add(&f->captures->next, 1) + 1, peer);
}

static bool fail(const struct cl_capture_file *f, const char *doing, int code)
{
    char why[NAME_SIZE + 128];
    (void)snprintf(why, sizeof(why), "%s %s: %s", f->name, doing, strerror(code));
    stop(f->captures, why);
    return false;
}

static bool stop_if_full(struct cl_captures *c)
{
    char text[512];
    if (is_full(c)) {
        describe(c, text, sizeof(text));
        stop(c, text);
        return true;
    }
    return false;
}

static bool open_file(struct cl_capture_file *f)
{
    struct cl_captures *c = f->captures;
    if (stop_if_full(c)) {
        return false;
    }
    make_name(f);
    f->fd = openat(c->dir_fd, f->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (f->fd < 0) {
        return fail(f, "cannot be made", errno);
    }
    atomic_fetch_add(&c->num_files, 1);
    if (c->setup.verbose) {
        cl_log_line(c->setup.log, "cleat: %s: captured in %s", f->peer, f->name);
    }
    return true;
}

/* What does not fit in the folder's share is not written at all. */
static bool grant(struct cl_captures *c, size_t len)
{
    if (atomic_fetch_add(&c->num_bytes, len) + len <= c->setup.max_bytes) {
        return true;
    }
    char text[512];
    atomic_fetch_sub(&c->num_bytes, len);
    describe(c, text, sizeof(text));
    stop(c, text);
    return false;
}

static bool write_blocks(void *ctx, const uint8_t *p, size_t len)
{
    struct cl_capture_file *f = ctx;
    struct cl_captures *c = f->captures;
    if (atomic_load(&c->stopped) || (f->fd < 0 && !open_file(f)) || !grant(c, len)) {
        return false;
    }
    int why = cl_capture_file_write(f->fd, p, len);
    if (why != 0) {
        atomic_fetch_sub(&c->num_bytes, len);
        return fail(f, "cannot be written to", why);
    }
    return true;
}

static void broken(void *ctx)
{
    const struct cl_capture_file *f = ctx;
    cl_log_line(f->captures->setup.log,
                "cleat: --pcap: the capture of %s breaks off: out of memory", f->peer);
}

struct cl_capture_file *cl_captures_begin(struct cl_captures *captures, const char *peer)
{
    if (captures == NULL || atomic_load(&captures->stopped)) {
        return NULL;
    }
    struct cl_capture_file *f = cl_calloc(1, sizeof(*f));
    const struct cl_capture_target target = {.write = write_blocks, .broken = broken, .ctx = f};
    if (f == NULL || cl_capture_new(&target, &f->capture) != CL_OK) {
        cl_free(f);
        return NULL;
    }
    f->captures = captures;
    f->peer = peer;
    f->fd = -1;
    return f;
}

void cl_capture_file_end(struct cl_capture_file *file)
{
    if (file == NULL) {
        return;
    }
    cl_capture_free(file->capture);
    if (file->fd >= 0 && close(file->fd) != 0) {
        (void)fail(file, "cannot be written to", errno); /* a full disk may show only here */
    }
    cl_free(file);
}

struct cl_capture *cl_capture_file_capture(const struct cl_capture_file *file)
{
    return file != NULL ? file->capture : NULL;
}
