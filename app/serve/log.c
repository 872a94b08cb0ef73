/* serve/log.c - see log.h. Two buffers: one is filled by the workers while the other is written. */
#include "serve/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

/* 2 s: what a receiver gets to take the last lines before the program ends */
#define LAST_WAIT_MS 2000

struct cl_log {
    int fd;
    bool owned;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    char *filling;
    size_t num_filled;
    char *writing;
    uint64_t num_dropped;
    bool ending;
};

/* Waits for the receiver; at the end of the program not for ever. */
static bool wait_writable(struct cl_log *log)
{
    struct pollfd p = {.fd = log->fd, .events = POLLOUT};
    for (;;) {
        pthread_mutex_lock(&log->mutex);
        bool ending = log->ending;
        pthread_mutex_unlock(&log->mutex);
        int n = poll(&p, 1, ending ? LAST_WAIT_MS : 200);
        if (n > 0) {
            return true;
        }
        if (n < 0 ? errno != EINTR : ending) {
            return false;
        }
    }
}

static void write_all(struct cl_log *log, const char *p, size_t len)
{
    while (len > 0) {
        if (!wait_writable(log)) {
            return;
        }
        /* 4,096: what a pipe that polls as writable takes without blocking (PIPE_BUF) */
        ssize_t n = write(log->fd, p, len < 4096 ? len : 4096);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return; /* there is nowhere left to complain */
        }
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
}

static void *run(void *arg)
{
    struct cl_log *log = arg;
    pthread_mutex_lock(&log->mutex);
    for (;;) {
        while (log->num_filled == 0 && !log->ending) {
            pthread_cond_wait(&log->wake, &log->mutex);
        }
        if (log->num_filled == 0) {
            break;
        }
        char *swap = log->writing;
        log->writing = log->filling;
        log->filling = swap;
        size_t len = log->num_filled;
        log->num_filled = 0;
        uint64_t num_dropped = log->num_dropped;
        log->num_dropped = 0;
        pthread_mutex_unlock(&log->mutex);
        write_all(log, log->writing, len);
        if (num_dropped > 0) {
            char text[80];
            int n = snprintf(text, sizeof(text), "cleat: %llu log lines were lost here\n",
                             (unsigned long long)num_dropped);
            write_all(log, text, (size_t)n);
        }
        pthread_mutex_lock(&log->mutex);
    }
    pthread_mutex_unlock(&log->mutex);
    return NULL;
}

cl_result cl_log_new(int fd, bool owned, struct cl_log **out)
{
    struct cl_log *log = cl_calloc(1, sizeof(*log));
    if (log != NULL) {
        log->filling = cl_alloc(CL_LOG_QUEUE);
        log->writing = cl_alloc(CL_LOG_QUEUE);
    }
    if (log == NULL || log->filling == NULL || log->writing == NULL) {
        goto out;
    }
    log->fd = fd;
    log->owned = owned;
    pthread_mutex_init(&log->mutex, NULL);
    pthread_cond_init(&log->wake, NULL);
    if (pthread_create(&log->thread, NULL, run, log) != 0) {
        goto out;
    }
    *out = log;
    return CL_OK;
out:
    if (log != NULL) {
        cl_free(log->filling);
        cl_free(log->writing);
        cl_free(log);
    }
    return CLEAT_ERR_NOMEM;
}

void cl_log_free(struct cl_log *log)
{
    if (log == NULL) {
        return;
    }
    pthread_mutex_lock(&log->mutex);
    log->ending = true;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->mutex);
    pthread_join(log->thread, NULL);
    pthread_mutex_destroy(&log->mutex);
    pthread_cond_destroy(&log->wake);
    if (log->owned) {
        close(log->fd);
    }
    cl_free(log->filling);
    cl_free(log->writing);
    cl_free(log);
}

void cl_log_bytes(struct cl_log *log, const char *p, size_t len)
{
    if (log == NULL || len == 0) {
        return;
    }
    pthread_mutex_lock(&log->mutex);
    if (CL_LOG_QUEUE - log->num_filled < len) {
        log->num_dropped++;
    } else {
        memcpy(log->filling + log->num_filled, p, len);
        log->num_filled += len;
    }
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->mutex);
}

void cl_log_line(struct cl_log *log, const char *fmt, ...)
{
    char line[CL_LOG_LINE];
    if (log == NULL) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return;
    }
    size_t len = (size_t)n < sizeof(line) - 2 ? (size_t)n : sizeof(line) - 2;
    for (size_t i = 0; i < len; i++) {
        line[i] = cl_ascii_printable(line[i]);
    }
    line[len] = '\n';
    cl_log_bytes(log, line, len + 1);
}
