/* cli/client_capture.c - see client_capture.h. */
#include "cli/client_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conn/capture_file.h"

static void tell_end(const struct client_capture *c, const char *why)
{
    (void)fprintf(stderr, "cleat: warning: the capture %s ends too early: %s\n",
                  c->fd == STDOUT_FILENO ? "on standard output" : c->path, why);
}

static bool write_blocks(void *ctx, const uint8_t *p, size_t len)
{
    const struct client_capture *c = ctx;
    int why = cl_capture_file_write(c->fd, p, len);
    if (why != 0) {
        tell_end(c, strerror(why));
    }
    return why == 0;
}

static void broken(void *ctx)
{
    tell_end(ctx, "out of memory");
}

static cl_result cannot(struct cleat_error *err, const char *path, const char *why,
                        const char *hint)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM, .hint = hint},
                        "--pcap: cannot write to %s: %s", path, why);
}

static int create(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/* Something has that name already. A file of ours gives way to a new one: who has opened the old
 * one, or may read it, does not see the secrets. */
static cl_result open_existing(struct client_capture *c, bool *replaced, struct cleat_error *err)
{
    struct stat st;
    if (lstat(c->path, &st) != 0) {
        return cannot(err, c->path, strerror(errno), NULL);
    }
    if (S_ISLNK(st.st_mode)) {
        return cannot(err, c->path, "it is a symbolic link", "name the file itself");
    }
    if (S_ISREG(st.st_mode) && st.st_uid != geteuid()) {
        return cannot(err, c->path, "it exists and is somebody else's", "choose another name");
    }
    if (S_ISREG(st.st_mode)) {
        *replaced = unlink(c->path) == 0;
        c->fd = *replaced ? create(c->path) : -1;
    } else {
        c->fd = open(c->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY); /* a pipe, say */
    }
    return c->fd >= 0 ? CL_OK : cannot(err, c->path, strerror(errno), NULL);
}

static cl_result open_path(struct client_capture *c, bool *replaced, struct cleat_error *err)
{
    if (strcmp(c->path, "-") == 0) {
        c->fd = STDOUT_FILENO;
        return isatty(c->fd) ? cannot(err, "standard output", "it is a terminal",
                                      "send it on, as in: … --pcap - | tshark -r -")
                             : CL_OK;
    }
    c->fd = create(c->path);
    if (c->fd < 0 && errno == EEXIST) {
        return open_existing(c, replaced, err);
    }
    return c->fd >= 0 ? CL_OK : cannot(err, c->path, strerror(errno), NULL);
}

cl_result client_capture_open(struct client_capture *c, const char *path, struct cleat_error *err)
{
    bool replaced = false;
    *c = (struct client_capture){.path = path, .fd = -1};
    if (path == NULL) {
        return CL_OK;
    }
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
    CL_TRY(open_path(c, &replaced, err));
    const struct cl_capture_target target = {.write = write_blocks, .broken = broken, .ctx = c};
    CL_TRY(cl_capture_new(&target, &c->capture));
    (void)fprintf(stderr,
                  "cleat: warning: %s%s holds the secrets of its TLS connections: whoever has it "
                  "can read them\n",
                  c->fd == STDOUT_FILENO ? "the capture" : path,
                  replaced ? ", which replaces an older file," : "");
    cl_capture_begin(c->capture);
    return CL_OK;
}

void client_capture_close(struct client_capture *c)
{
    cl_capture_free(c->capture);
    if (c->fd >= 0 && c->fd != STDOUT_FILENO && close(c->fd) != 0) {
        tell_end(c, strerror(errno));
    }
    *c = (struct client_capture){.fd = -1};
}
