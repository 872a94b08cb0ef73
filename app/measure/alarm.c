/* measure/alarm.c - see alarm.h: a timerfd in the loop. */
#include "measure/alarm.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

struct cl_alarm {
    uv_poll_t poll;
    int fd;
    void (*fire)(void *ctx);
    void *ctx;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct cl_alarm *alarm = poll->data;
    uint64_t times;
    if (read(alarm->fd, &times, sizeof(times)) == (ssize_t)sizeof(times)) {
        alarm->fire(alarm->ctx);
    }
}

cl_result cl_alarm_new(uv_loop_t *loop, void (*fire)(void *ctx), void *ctx, struct cl_alarm **out)
{
    struct cl_alarm *alarm = cl_calloc(1, sizeof(*alarm));
    if (alarm == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    alarm->fire = fire;
    alarm->ctx = ctx;
    alarm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (alarm->fd < 0 || uv_poll_init(loop, &alarm->poll, alarm->fd) != 0) {
        if (alarm->fd >= 0) {
            (void)close(alarm->fd);
        }
        cl_free(alarm);
        return CLEAT_ERR_SYSTEM;
    }
    alarm->poll.data = alarm;
    (void)uv_poll_start(&alarm->poll, UV_READABLE, on_poll);
    *out = alarm;
    return CL_OK;
}

void cl_alarm_at(struct cl_alarm *alarm, uint64_t at_us)
{
    /* 1 us: a time of 0 would switch it off */
    const uint64_t us = at_us != 0 ? at_us : 1;
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000}};
    (void)timerfd_settime(alarm->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void on_closed(uv_handle_t *handle)
{
    struct cl_alarm *alarm = handle->data;
    (void)close(alarm->fd);
    cl_free(alarm);
}

void cl_alarm_free(struct cl_alarm *alarm)
{
    if (alarm != NULL) {
        uv_close((uv_handle_t *)&alarm->poll, on_closed);
    }
}
