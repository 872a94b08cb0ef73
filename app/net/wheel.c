/* net/wheel.c - see wheel.h. An entry lies in the slot of the tick in which it is looked at; when
 * it has been moved later meanwhile, or is further away than the wheel reaches, it goes on into
 * another slot. The timer runs while there is an entry. */
#include "net/wheel.h"

#include "base/mem.h"

#define TICK_MS   500
/* 128 slots, 64 s: more than the usual intervals between pings */
#define NUM_SLOTS 128

LIST_HEAD(entry_list, cl_wheel_entry);

struct cl_wheel {
    uv_timer_t timer;
    void (*fire)(struct cl_wheel_entry *entry);
    struct entry_list slots[NUM_SLOTS];
    uint64_t tick; /* of the loop's time: the last one that was worked off */
    size_t num;
};

static uint64_t ticks(uint64_t ms)
{
    return ms / TICK_MS;
}

cl_result cl_wheel_new(uv_loop_t *loop, void (*fire)(struct cl_wheel_entry *entry),
                       struct cl_wheel **out)
{
    struct cl_wheel *wheel = cl_calloc(1, sizeof(*wheel));
    if (wheel == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    uv_timer_init(loop, &wheel->timer);
    uv_unref((uv_handle_t *)&wheel->timer);
    wheel->timer.data = wheel;
    wheel->fire = fire;
    *out = wheel;
    return CL_OK;
}

/* Into the slot behind its deadline, at most one round away. */
static void insert(struct cl_wheel *wheel, struct cl_wheel_entry *entry)
{
    uint64_t tick = ticks(entry->due) + 1;
    tick = tick > wheel->tick ? tick : wheel->tick + 1;
    tick = tick < wheel->tick + NUM_SLOTS ? tick : wheel->tick + NUM_SLOTS - 1;
    entry->at = tick * TICK_MS;
    LIST_INSERT_HEAD(&wheel->slots[tick % NUM_SLOTS], entry, link);
}

static void take_out(struct cl_wheel_entry *entry)
{
    LIST_REMOVE(entry, link);
    entry->at = 0;
}

static void work_off(struct cl_wheel *wheel)
{
    struct entry_list *slot = &wheel->slots[wheel->tick % NUM_SLOTS];
    struct cl_wheel_entry *entry;
    while ((entry = LIST_FIRST(slot)) != NULL) {
        take_out(entry);
        if (entry->due > wheel->tick * TICK_MS) {
            insert(wheel, entry);
            continue;
        }
        entry->due = 0;
        wheel->num--;
        wheel->fire(entry);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct cl_wheel *wheel = timer->data;
    uint64_t now = ticks(uv_now(timer->loop));
    while (wheel->tick < now && wheel->num > 0) {
        wheel->tick++;
        work_off(wheel);
    }
    if (wheel->num == 0) {
        uv_timer_stop(timer);
    }
}

void cl_wheel_set(struct cl_wheel *wheel, struct cl_wheel_entry *entry, uint64_t ms)
{
    if (wheel->num == 0) {
        wheel->tick = ticks(uv_now(wheel->timer.loop));
        uv_timer_start(&wheel->timer, on_timer, TICK_MS, TICK_MS);
    }
    wheel->num += entry->due == 0;
    entry->due = uv_now(wheel->timer.loop) + ms;
    entry->due += entry->due == 0;
    if (entry->at != 0 && entry->at > entry->due) {
        take_out(entry);
    }
    if (entry->at == 0) {
        insert(wheel, entry);
    }
}

void cl_wheel_stop(struct cl_wheel *wheel, struct cl_wheel_entry *entry)
{
    if (entry->due == 0) {
        return;
    }
    take_out(entry);
    entry->due = 0;
    wheel->num--;
}

static void on_closed(uv_handle_t *handle)
{
    cl_free(handle->data);
}

void cl_wheel_free(struct cl_wheel *wheel)
{
    if (wheel != NULL) {
        uv_close((uv_handle_t *)&wheel->timer, on_closed);
    }
}
