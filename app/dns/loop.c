/* dns/loop.c - c-ares on libuv: a uv_poll_t per socket, one timer.
 *
 * Handles are freed in their close callbacks; the last one frees the struct.
 */
#include "dns/loop.h"

#include "base/mem.h"
#include "dns/resolve.h"

struct watch {
    uv_poll_t poll;
    struct cl_dns_loop *owner;
    struct watch *next;
    ares_socket_t fd;
};

struct cl_dns_loop {
    uv_loop_t *loop;
    ares_channel channel;
    uv_timer_t timer;
    struct watch *watches;
};

static void on_timer(uv_timer_t *timer)
{
    struct cl_dns_loop *l = timer->data;
    ares_process_fd(l->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    cl_dns_loop_kick(l);
}

void cl_dns_loop_kick(struct cl_dns_loop *l)
{
    struct timeval tv;
    if (ares_timeout(l->channel, NULL, &tv) == NULL) {
        (void)uv_timer_stop(&l->timer);
        return;
    }
    uint64_t ms = (uint64_t)tv.tv_sec * 1000 + ((uint64_t)tv.tv_usec + 999) / 1000;
    (void)uv_timer_start(&l->timer, on_timer, ms, 0);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    struct cl_dns_loop *l = w->owner;
    /* After an error both directions are looked at: c-ares finds out by itself. */
    bool readable = status < 0 || (events & UV_READABLE) != 0;
    bool writable = status < 0 || (events & UV_WRITABLE) != 0;
    ares_process_fd(l->channel, readable ? w->fd : ARES_SOCKET_BAD,
                    writable ? w->fd : ARES_SOCKET_BAD);
    cl_dns_loop_kick(l);
}

static void on_watch_closed(uv_handle_t *handle)
{
    cl_free(handle->data);
}

static struct watch *watch_of(struct cl_dns_loop *l, ares_socket_t fd)
{
    for (struct watch *w = l->watches; w != NULL; w = w->next) {
        if (w->fd == fd) {
            return w;
        }
    }
    struct watch *w = cl_calloc(1, sizeof(*w));
    if (w == NULL) {
        return NULL;
    }
    if (uv_poll_init_socket(l->loop, &w->poll, fd) != 0) {
        cl_free(w);
        return NULL;
    }
    w->poll.data = w;
    w->owner = l;
    w->fd = fd;
    w->next = l->watches;
    l->watches = w;
    return w;
}

static void unwatch(struct cl_dns_loop *l, ares_socket_t fd)
{
    for (struct watch **at = &l->watches; *at != NULL; at = &(*at)->next) {
        struct watch *w = *at;
        if (w->fd == fd) {
            *at = w->next;
            uv_close((uv_handle_t *)&w->poll, on_watch_closed);
            return;
        }
    }
}

/* Without memory for a watch the query ends by its time-out. */
static void on_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct cl_dns_loop *l = data;
    if (!readable && !writable) {
        unwatch(l, fd);
        return;
    }
    struct watch *w = watch_of(l, fd);
    if (w != NULL) {
        int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
        (void)uv_poll_start(&w->poll, events, on_ready);
    }
}

cl_result cl_dns_loop_new(uv_loop_t *loop, struct cl_dns_loop **out, struct cleat_error *err)
{
    static bool initialised;
    const struct cl_why why = {.code = CLEAT_ERR_INTERNAL};
    struct cl_dns_loop *l = cl_calloc(1, sizeof(*l));
    if (l == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    char lookups[] = "b"; /* the hosts file is read by dns/resolve.c */
    struct ares_options options = {
        .sock_state_cb = on_state,
        .sock_state_cb_data = l,
        .lookups = lookups,
        .timeout = CL_DNS_TIMEOUT_MS,
        .tries = CL_DNS_TRIES,
    };
    int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
#ifdef ARES_OPT_QUERY_CACHE
    /* From 1.31 on it keeps answers, and hands them out inside the call that asks. The name servers
     * are asked each time, as before. */
    options.qcache_max_ttl = 0;
    mask |= ARES_OPT_QUERY_CACHE;
#endif
    int status = initialised ? ARES_SUCCESS : ares_library_init(ARES_LIB_INIT_ALL);
    initialised = initialised || status == ARES_SUCCESS;
    if (status == ARES_SUCCESS) {
        status = ares_init_options(&l->channel, &options, mask);
    }
    if (status != ARES_SUCCESS) {
        cl_free(l);
        return cl_error_set(err, why, "the resolver could not be started: %s",
                            ares_strerror(status));
    }
    l->loop = loop;
    (void)uv_timer_init(loop, &l->timer);
    l->timer.data = l;
    *out = l;
    return CL_OK;
}

ares_channel cl_dns_loop_channel(const struct cl_dns_loop *l)
{
    return l->channel;
}

static void on_closed(uv_handle_t *handle)
{
    cl_free(handle->data);
}

void cl_dns_loop_free(struct cl_dns_loop *l)
{
    if (l != NULL) {
        ares_destroy(l->channel);
        uv_close((uv_handle_t *)&l->timer, on_closed);
    }
}
