/* conn/keylog.c - see keylog.h. */
#include "conn/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

cl_result cl_keylog_open(struct cl_keylog *log, const char *path, struct cleat_error *err)
{
    log->fd = -1;
    if (path == NULL || path[0] == '\0') {
        return CL_OK;
    }
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return cl_error_set(err,
                            (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                            .hint = "unset SSLKEYLOGFILE, or name a "
                                                    "file that can be written"},
                            "the key log %s cannot be opened: %s", path, strerror(errno));
    }
    log->fd = fd;
    return CL_OK;
}

void cl_keylog_close(struct cl_keylog *log)
{
    if (log->fd >= 0) {
        close(log->fd);
    }
    log->fd = -1;
}

size_t cl_keylog_line(const struct cleat_event *event, char out[CL_KEYLOG_LINE])
{
    const char *label = event->secret.label;
    size_t label_len = strlen(label);
    /* RFC 9850 2: label, space, client random, space, secret, each in hexadecimal digits */
    if (label_len + 2 * 32 + 2 * event->secret.secret_len + 4 > CL_KEYLOG_LINE) {
        return 0;
    }
    char *p = out;
    memcpy(p, label, label_len);
    p += label_len;
    *p++ = ' ';
    cl_hex_encode(event->secret.client_random, 32, p);
    p += 64;
    *p++ = ' ';
    cl_hex_encode(event->secret.secret, event->secret.secret_len, p);
    p += 2 * event->secret.secret_len;
    *p++ = '\n';
    *p = '\0';
    return (size_t)(p - out);
}

void cl_keylog_event(const struct cl_keylog *log, const struct cleat_event *event)
{
    if (log->fd < 0 || event->kind != CLEAT_EVENT_SECRET) {
        return;
    }
    char line[CL_KEYLOG_LINE];
    size_t len = cl_keylog_line(event, line);
    /* One write: O_APPEND keeps lines of several writers whole. A full disk loses the line, as a
     * debugging aid may. */
    if (len > 0 && write(log->fd, line, len) < 0) {
        cl_wipe(line, sizeof(line));
        return;
    }
    cl_wipe(line, sizeof(line));
}
