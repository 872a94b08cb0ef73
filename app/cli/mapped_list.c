/* cli/mapped_list.c - see mapped_list.h. */
#include "cli/mapped_list.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/get_codes.h"
#include "net/mapped.h"

/* SEQUENCE: what begins with it is DER, not PEM */
#define DER_SEQUENCE 0x30

/* 4,096: a path, and what is told about it */
#define MAX_MESSAGE 4096

struct mapping {
    struct cl_mapped *file;
    struct mapping *next;
    size_t message_len;
    char message[MAX_MESSAGE]; /* made ahead: in the handler nothing can be formatted */
};

/* What the handler may look at; changed with SIGBUS blocked. */
static struct mapping *mappings;
static struct sigaction before;

static void on_bus_error(int signal, siginfo_t *info, void *context)
{
    const uint8_t *at = info->si_addr;
    (void)context;
    for (const struct mapping *m = mappings; m != NULL; m = m->next) {
        const struct cl_rd bytes = cl_mapped_view(m->file);
        if (at >= bytes.p && (size_t)(at - bytes.p) < bytes.len) {
            (void)!write(STDERR_FILENO, m->message, m->message_len);
            _exit(GET_EXIT_REVOCATION_FILE);
        }
    }
    /* not ours: what happens again happens to whoever was asked before */
    (void)sigaction(signal, &before, NULL);
}

/* ours: one more is mapped, or the last one is not any more. */
static void handle(bool ours)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    (void)sigemptyset(&action.sa_mask);
    if (ours && mappings == NULL) {
        (void)sigaction(SIGBUS, &action, &before);
    } else if (!ours && mappings == NULL) {
        (void)sigaction(SIGBUS, &before, NULL);
    }
}

static void unmap(void *ctx)
{
    struct mapping *m = ctx;
    struct mapping **link = &mappings;
    while (*link != m) {
        link = &(*link)->next;
    }
    *link = m->next;
    handle(false);
    cl_mapped_free(m->file);
    cl_free(m);
}

/* The signal is ours before anybody looks at a byte of it. */
static void watch(struct mapping *m, const char *path)
{
    const int n = snprintf(m->message, sizeof(m->message),
                           "cleat: the revocation list %s became shorter while it was in use: "
                           "replace it by renaming another over it\n",
                           path);
    m->message_len = (size_t)n < sizeof(m->message) ? (size_t)n : sizeof(m->message) - 1;
    handle(true);
    m->next = mappings;
    mappings = m;
}

int mapped_list_add(struct cleat_crl_set *set, int fd, size_t len, const char *path,
                    struct cleat_error *why)
{
    struct mapping *m = cl_calloc(1, sizeof(*m));
    int r = m != NULL ? (int)cl_mapped_new(fd, len, &m->file) : CLEAT_ERR_NOMEM;
    if (r != CLEAT_OK) {
        (void)cl_error_set(why, (struct cl_why){.code = (cl_result)r}, "%s", strerror(errno));
        cl_free(m);
        return r;
    }
    watch(m, path);
    const struct cl_rd bytes = cl_mapped_view(m->file);
    if (bytes.p[0] == DER_SEQUENCE) {
        return cleat_crl_set_add_mapped(set, bytes.p, len, unmap, m, why);
    }
    r = cleat_crl_set_add_pem(set, (const char *)bytes.p, len, why);
    unmap(m);
    return r;
}
