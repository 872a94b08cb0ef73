/* net/passphrase.c - see passphrase.h. While the terminal does not echo, signals that would end or
 * stop the program are held until it does again. */
#include "net/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/small_file.h"

/* 1,024 bytes, as OpenSSL's prompt takes (crypto/sealed.h has the same limit) */
#define MAX_LEN 1024

static cl_result refuse(struct cleat_error *err, cl_result code, const char *what, const char *why)
{
    return cl_error_set(err, (struct cl_why){.code = code}, "the passphrase of %s: %s", what, why);
}

/* ---- a line ---- */

/* One byte at a time: what follows the line is somebody else's. *end: nothing came. */
static cl_result read_line(int fd, struct cl_buf *out, const char *what, bool *end,
                           struct cleat_error *err)
{
    uint8_t byte;
    *end = true;
    for (;;) {
        const ssize_t n = read(fd, &byte, 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return refuse(err, CLEAT_ERR_BAD_CONFIG, what, strerror(errno));
        }
        *end = *end && n == 0;
        if (n == 0 || byte == '\n') {
            break;
        }
        if (out->len > MAX_LEN) {
            return refuse(err, CLEAT_ERR_BAD_PASSPHRASE, what, "it is longer than 1,024 bytes");
        }
        CL_TRY(cl_buf_append(out, &byte, 1, MAX_LEN + 2));
    }
    if (out->len != 0 && out->p[out->len - 1] == '\r') { /* of an editor on Windows */
        out->len--;
    }
    return CL_OK;
}

static cl_result from_fd(int fd, struct cl_buf *out, const char *what, struct cleat_error *err)
{
    bool end;
    CL_TRY(read_line(fd, out, what, &end, err));
    return end ? refuse(err, CLEAT_ERR_BAD_CONFIG, what, "nothing can be read there") : CL_OK;
}

static cl_result from_file(const char *path, struct cl_buf *out, const char *what,
                           struct cleat_error *err)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "the passphrase of %s cannot be read from %s: %s", what, path,
                            strerror(errno));
    }
    (void)cl_secret_file_is_open("the passphrase in", path, &st, "");
    const cl_result r = from_fd(fd, out, what, err);
    (void)close(fd);
    return r;
}

/* ---- the terminal ---- */

static const int held_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
static volatile sig_atomic_t came;

static void note_signal(int number)
{
    came = number;
}

/* Ctrl-C must end the question, and leave a terminal that echoes. The question comes once the
 * terminal is quiet: what was typed before is thrown away. */
static ssize_t read_quietly(int tty, const char *question, const char *what, uint8_t *out,
                            size_t cap)
{
    struct sigaction old[sizeof(held_signals) / sizeof(held_signals[0])];
    struct sigaction note = {.sa_handler = note_signal}; /* no SA_RESTART: read() ends */
    struct pollfd ready = {.fd = tty, .events = POLLIN};
    struct termios before, quiet;
    sigset_t held, mask;
    const size_t num = sizeof(held_signals) / sizeof(held_signals[0]);
    if (tcgetattr(tty, &before) != 0) {
        return -1;
    }
    came = 0;
    (void)sigemptyset(&held);
    for (size_t i = 0; i < num; i++) {
        (void)sigaction(held_signals[i], &note, &old[i]);
        (void)sigaddset(&held, held_signals[i]);
    }
    /* Held but for the waiting itself: one that comes just before it would not end it. */
    (void)pthread_sigmask(SIG_BLOCK, &held, &mask);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    quiet.c_lflag |= ICANON | ISIG;
    (void)tcsetattr(tty, TCSAFLUSH, &quiet);
    (void)dprintf(tty, "%s %s: ", question, what);
    const ssize_t n = ppoll(&ready, 1, NULL, &mask) == 1 ? read(tty, out, cap) : -1;
    const int why = errno;
    (void)tcsetattr(tty, TCSAFLUSH, &before);
    for (size_t i = 0; i < num; i++) {
        (void)sigaction(held_signals[i], &old[i], NULL);
    }
    (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (came != 0) {
        (void)kill(getpid(), came);
    }
    errno = why;
    return n;
}

static cl_result ask(int tty, const char *question, const char *what, struct cl_buf *out,
                     struct cleat_error *err)
{
    uint8_t line[MAX_LEN + 2];
    ssize_t n = read_quietly(tty, question, what, line, sizeof(line));
    (void)dprintf(tty, "\n");
    const bool whole = n > 0 && line[n - 1] == '\n';
    cl_result r = CL_OK;
    if (n <= 0) {
        r = refuse(err, CLEAT_ERR_NEEDS_PASSPHRASE, what, "none was given");
    } else if (!whole && n == (ssize_t)sizeof(line)) {
        r = refuse(err, CLEAT_ERR_BAD_PASSPHRASE, what, "it is longer than 1,024 bytes");
    } else {
        r = cl_buf_append(out, line, (size_t)(n - whole), MAX_LEN + 2);
    }
    cl_wipe(line, sizeof(line));
    return r;
}

static cl_result ask_twice(int tty, struct cl_passphrase *p, const char *what,
                           struct cleat_error *err)
{
    struct cl_buf again = {0};
    cl_result r = ask(tty, "New passphrase for", what, &p->text, err);
    if (r == CL_OK && p->text.len == 0) {
        r = refuse(err, CLEAT_ERR_BAD_PASSPHRASE, what, "it is empty");
    }
    if (r == CL_OK) {
        r = ask(tty, "Once more, for", what, &again, err);
    }
    if (r == CL_OK && !cl_rd_equal(cl_buf_view(&p->text), cl_buf_view(&again))) {
        r = refuse(err, CLEAT_ERR_BAD_PASSPHRASE, what, "the two are not the same");
    }
    cl_buf_deinit(&again);
    return r;
}

static cl_result from_terminal(struct cl_passphrase *p, const char *what, struct cleat_error *err)
{
    char hint[128] = "";
    const int tty = p->may_ask ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;
    if (tty < 0) {
        (void)snprintf(hint, sizeof(hint), "say where it is: %s " CL_PASSPHRASE_SOURCES,
                       p->option != NULL ? p->option : "");
        return cl_error_set(err,
                            (struct cl_why){.code = CLEAT_ERR_NEEDS_PASSPHRASE,
                                            .hint = p->option != NULL ? hint : NULL},
                            p->fresh ? "a passphrase for %s is needed%s"
                                     : "%s is encrypted with a passphrase%s",
                            what, p->may_ask ? ", and there is no terminal to ask for it" : "");
    }
    const cl_result r =
        p->fresh ? ask_twice(tty, p, what, err) : ask(tty, "Passphrase of", what, &p->text, err);
    (void)close(tty);
    return r;
}

/* ---- sources ---- */

/* What stands behind the prefix; NULL when the prefix is another. */
static const char *after(const char *from, const char *prefix)
{
    const size_t len = strlen(prefix);
    return strncmp(from, prefix, len) == 0 ? from + len : NULL;
}

static int fd_number(const char *digits)
{
    const size_t len = strlen(digits);
    /* 4 digits: more descriptors than a process has by default */
    return len >= 1 && len <= 4 && strspn(digits, "0123456789") == len
               ? (int)strtol(digits, NULL, 10)
               : -1;
}

bool cl_passphrase_valid(const char *from)
{
    const char *rest;
    if ((rest = after(from, "file:")) != NULL || (rest = after(from, "env:")) != NULL) {
        return rest[0] != '\0';
    }
    return ((rest = after(from, "fd:")) != NULL && fd_number(rest) >= 0) ||
           after(from, "pass:") != NULL || strcmp(from, "stdin") == 0;
}

/* It cannot be taken back: somebody may have looked already. */
static cl_result from_text(const char *text, const char *option, struct cl_buf *out)
{
    const cl_result r = cl_buf_append(out, text, strlen(text), MAX_LEN + 2);
    if (text[0] == '\0') {
        return r;
    }
    (void)fprintf(stderr,
                  "cleat: note: other users may see a passphrase that stands on a command line; "
                  "better: %s%sfile:PATH, env:NAME or fd:N\n",
                  option != NULL ? option : "", option != NULL ? " " : "");
    cl_wipe((char *)(uintptr_t)text, strlen(text));
    return r;
}

static cl_result from_source(struct cl_passphrase *p, const char *what, struct cleat_error *err)
{
    const char *rest;
    if ((rest = after(p->from, "file:")) != NULL) {
        return from_file(rest, &p->text, what, err);
    }
    if ((rest = after(p->from, "env:")) != NULL) {
        const char *value = getenv(rest);
        return value != NULL ? cl_buf_append(&p->text, value, strlen(value), MAX_LEN + 2)
                             : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                                            "the passphrase of %s: there is no variable %s in the "
                                            "environment",
                                            what, rest);
    }
    if ((rest = after(p->from, "fd:")) != NULL) {
        return from_fd(fd_number(rest), &p->text, what, err);
    }
    if ((rest = after(p->from, "pass:")) != NULL) {
        return from_text(rest, p->option, &p->text);
    }
    return from_fd(STDIN_FILENO, &p->text, what, err);
}

cl_result cl_passphrase_get(struct cl_passphrase *p, const char *what, struct cl_rd *out,
                            struct cleat_error *err)
{
    cl_result r = CL_OK;
    if (!p->known) {
        r = p->plain != NULL  ? from_text(p->plain, p->option, &p->text)
            : p->from != NULL ? from_source(p, what, err)
                              : from_terminal(p, what, err);
        if (r == CL_OK && p->text.len > MAX_LEN) {
            r = CLEAT_ERR_LIMIT;
        }
        if (r != CL_OK) {
            cl_buf_deinit(&p->text);
            return r != CLEAT_ERR_LIMIT ? r
                                        : refuse(err, CLEAT_ERR_BAD_PASSPHRASE, what,
                                                 "it is longer than 1,024 bytes");
        }
        p->known = true;
    }
    *out = cl_rd_of(p->text.p != NULL ? p->text.p : (const uint8_t *)"", p->text.len);
    return CL_OK;
}

void cl_passphrase_deinit(struct cl_passphrase *p)
{
    cl_buf_deinit(&p->text);
    p->known = false;
}
