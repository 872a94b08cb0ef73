/* cli/run_tool.c - see run_tool.h. */
#include "cli/run_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

extern char **environ;

static void read_all(int fd, struct cl_buf *out)
{
    char part[4096];
    for (;;) {
        const ssize_t n = read(fd, part, sizeof(part));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        if (out != NULL && cl_buf_append(out, part, (size_t)n, RUN_TOOL_MAX_OUTPUT) != CL_OK) {
            out = NULL; /* enough; the rest is read so that it does not wait */
        }
    }
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return 127;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int spawn(pid_t *pid, const char *const *argv, int to)
{
    posix_spawn_file_actions_t actions;
    /* The interface has no const, and leaves the words alone. */
    char *const *words = (char *const *)(uintptr_t)argv;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return -1;
    }
    int r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    r = r != 0 ? r : posix_spawn_file_actions_adddup2(&actions, to, 1);
    r = r != 0 ? r : posix_spawn_file_actions_adddup2(&actions, to, 2);
    r = r != 0 ? r : posix_spawnp(pid, argv[0], &actions, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return r;
}

int run_tool(const char *const *argv, struct cl_buf *out)
{
    int ends[2];
    pid_t pid;
    (void)fflush(NULL); /* what was told so far comes first */
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return 127;
    }
    const int r = spawn(&pid, argv, ends[1]);
    (void)close(ends[1]);
    if (r == 0) {
        read_all(ends[0], out);
    }
    (void)close(ends[0]);
    return r == 0 ? wait_for(pid) : 127;
}

bool run_tool_find(const char *name)
{
    char path[4096];
    const char *rest = getenv("PATH");
    if (strchr(name, '/') != NULL) {
        return access(name, X_OK) == 0;
    }
    while (rest != NULL && *rest != '\0') {
        const size_t len = strcspn(rest, ":");
        const int n = snprintf(path, sizeof(path), "%.*s/%s", (int)len, rest, name);
        if (len != 0 && n > 0 && (size_t)n < sizeof(path) && access(path, X_OK) == 0) {
            return true;
        }
        rest += len + (rest[len] == ':');
    }
    return false;
}

void run_tool_last_line(const struct cl_buf *out, char *line, size_t cap)
{
    size_t end = out->len;
    line[0] = '\0';
    if (end == 0) {
        return;
    }
    while (end > 0 && (out->p[end - 1] == '\n' || out->p[end - 1] == ' ')) {
        end--;
    }
    size_t start = end;
    while (start > 0 && out->p[start - 1] != '\n') {
        start--;
    }
    (void)snprintf(line, cap, "%.*s", (int)(end - start), (const char *)out->p + start);
    cl_text_make_printable(line);
}
