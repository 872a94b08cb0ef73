/* The wheel of deadlines: when entries fire, moving and stopping them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "net/wheel.h"

#define NUM 300

struct item {
    struct cl_wheel_entry entry;
    uint64_t set_for; /* the loop's time */
    unsigned fired;
    uint64_t fired_at;
};

static uv_loop_t loop;
static struct cl_wheel *wheel;
static struct item items[NUM];

static struct item *of(struct cl_wheel_entry *entry)
{
    return (struct item *)((char *)entry - offsetof(struct item, entry));
}

static void on_fire(struct cl_wheel_entry *entry)
{
    of(entry)->fired++;
    of(entry)->fired_at = uv_now(&loop);
}

static int setup(void **state)
{
    memset(items, 0, sizeof(items));
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cl_wheel_new(&loop, on_fire, &wheel), CL_OK);
    return 0;
}

static int teardown(void **state)
{
    cl_wheel_free(wheel);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

static void set(struct item *item, uint64_t ms)
{
    item->set_for = uv_now(&loop) + ms;
    cl_wheel_set(wheel, &item->entry, ms);
}

/* The wheel does not keep a loop alive: something else does, for as long as the test lasts. */
static void stop(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

static void run_for(uint64_t ms)
{
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, stop, ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void test_entries_fire_once_not_before_their_time_and_within_a_second_of_it(void **state)
{
    for (size_t i = 0; i < NUM; i++) {
        set(&items[i], i * 7);
    }
    run_for(NUM * 7 + 1500);
    for (size_t i = 0; i < NUM; i++) {
        assert_int_equal(items[i].fired, 1);
        assert_true(items[i].fired_at >= items[i].set_for);
        /* a machine that is busy with other tests gets a second more */
        assert_true(items[i].fired_at <= items[i].set_for + 2000);
    }
}

static void test_an_entry_that_is_moved_fires_at_its_new_time(void **state)
{
    set(&items[0], 100);
    set(&items[0], 1500);
    set(&items[1], 60000);
    set(&items[1], 100);
    run_for(1200);
    assert_int_equal(items[0].fired, 0);
    assert_int_equal(items[1].fired, 1);
    run_for(1800);
    assert_int_equal(items[0].fired, 1);
}

static void test_an_entry_that_is_stopped_does_not_fire(void **state)
{
    set(&items[0], 100);
    set(&items[1], 100);
    cl_wheel_stop(wheel, &items[0].entry);
    cl_wheel_stop(wheel, &items[0].entry);
    cl_wheel_stop(wheel, &items[2].entry);
    run_for(1200);
    assert_int_equal(items[0].fired, 0);
    assert_int_equal(items[1].fired, 1);
}

static void test_a_deadline_beyond_one_round_waits(void **state)
{
    set(&items[0], 10000000);
    set(&items[1], 100);
    run_for(1200);
    assert_int_equal(items[0].fired, 0);
    assert_int_equal(items[1].fired, 1);
    cl_wheel_stop(wheel, &items[0].entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_entries_fire_once_not_before_their_time_and_within_a_second_of_it, setup,
            teardown),
        cmocka_unit_test_setup_teardown(test_an_entry_that_is_moved_fires_at_its_new_time, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_entry_that_is_stopped_does_not_fire, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_deadline_beyond_one_round_waits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
