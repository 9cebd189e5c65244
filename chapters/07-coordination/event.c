/* event.c - a flag to wait for: set, clear, wait, and wait with a limit.
   Python: threading.Event: set(), clear(), is_set(), wait(timeout)
   Calls:  pthread_cond_timedwait(3), pthread_condattr_setclock(3), pthread_cond_broadcast(3)
   Needs:  05-threads/thread, 06-locks/try_and_timeout, 06-locks/with, condition, stolen_wakeup
   Try:    In event_wait(), take out "&& event->generation == generation". Now set-then-clear may
           free none of the three: the program hangs (end it with Ctrl-C). */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

enum { FOR_EVER = -1, WAITERS = 3, ITEMS = 10 };

struct event {
    pthread_mutex_t lock;
    pthread_cond_t change;      /* "something below has changed" */
    bool is_set;
    unsigned generation;        /* how often it has been set: a waiter sees that, even after a clear */
    int waiting;                /* how many wait now */
};

static void event_init(struct event *event)
{
    pthread_condattr_t attributes;
    *event = (struct event){ .is_set = false };
    check_pthread(pthread_mutex_init(&event->lock, NULL));
    check_pthread(pthread_condattr_init(&attributes));
    /* Limits by the clock that nobody can set: else a change of the date makes a limit wrong. */
    check_pthread(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    check_pthread(pthread_cond_init(&event->change, &attributes));
    check_pthread(pthread_condattr_destroy(&attributes));
}

static void event_destroy(struct event *event)
{
    check_pthread(pthread_cond_destroy(&event->change));
    check_pthread(pthread_mutex_destroy(&event->lock));
}

static void event_set(struct event *event)
{
    with_lock(&event->lock) {
        event->is_set = true;
        event->generation++;
        check_pthread(pthread_cond_broadcast(&event->change));      /* all who wait, not one of them */
    }
}

static void event_clear(struct event *event)
{
    with_lock(&event->lock)
        event->is_set = false;
}

/* Waits until the event is set, for LIMIT_MS ms at most. False: the limit has passed. */
static bool event_wait(struct event *event, int limit_ms)
{
    struct timespec limit;
    check(clock_gettime(CLOCK_MONOTONIC, &limit));      /* the time when it is over, not how long */
    limit.tv_nsec += limit_ms * 1000000l;
    limit.tv_sec += limit.tv_nsec / 1000000000;
    limit.tv_nsec %= 1000000000;

    bool was_set = false;
    with_lock(&event->lock) {
        unsigned generation = event->generation;
        int code = 0;
        event->waiting++;
        check_pthread(pthread_cond_broadcast(&event->change));
        while (!event->is_set && event->generation == generation && code == 0)
            code = limit_ms == FOR_EVER ? pthread_cond_wait(&event->change, &event->lock)
                                        : pthread_cond_timedwait(&event->change, &event->lock, &limit);
        if (code != ETIMEDOUT)
            check_pthread(code);
        was_set = event->is_set || event->generation != generation;
        event->waiting--;
    }
    return was_set;
}

static void *wait_for_start(void *start)
{
    event_wait(start, FOR_EVER);
    return NULL;
}

/* Three threads wait. Set and, at once, clear: all three must come back. */
static void set_then_clear(struct event *start)
{
    pthread_t threads[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        check_pthread(pthread_create(&threads[i], NULL, wait_for_start, start));
    with_lock(&start->lock)
        while (start->waiting < WAITERS)
            check_pthread(pthread_cond_wait(&start->change, &start->lock));
    say("%d threads wait", WAITERS);
    event_set(start);
    event_clear(start);
    for (int i = 0; i < WAITERS; i++)
        check_pthread(pthread_join(threads[i], NULL));
    say("set, then cleared: all %d have come back", WAITERS);
}

struct desk {
    struct event filled, empty;     /* "an item lies there", "it has been taken" */
    int item, taken, sum;
};

static void *consume(void *argument)
{
    struct desk *desk = argument;
    for (int i = 0; i < ITEMS; i++) {
        event_wait(&desk->filled, FOR_EVER);
        event_clear(&desk->filled);     /* by the one who waited, before anybody can set it again */
        desk->taken++;
        desk->sum += desk->item;
        event_set(&desk->empty);
    }
    return NULL;
}

static void ten_items(void)
{
    struct desk desk = { .sum = 0 };
    pthread_t consumer;
    event_init(&desk.filled);
    event_init(&desk.empty);
    check_pthread(pthread_create(&consumer, NULL, consume, &desk));
    for (int i = 1; i <= ITEMS; i++) {
        desk.item = i;
        event_set(&desk.filled);
        event_wait(&desk.empty, FOR_EVER);
        event_clear(&desk.empty);
    }
    check_pthread(pthread_join(consumer, NULL));
    say("%d items put, %d taken, their sum: %d", ITEMS, desk.taken, desk.sum);
    event_destroy(&desk.filled);
    event_destroy(&desk.empty);
}

int main(void)
{
    struct event start;
    event_init(&start);
    say("wait for 20 ms: %s", event_wait(&start, 20) ? "it is set" : "the limit has passed");
    event_set(&start);
    say("set; wait for 20 ms: %s", event_wait(&start, 20) ? "it is set" : "the limit has passed");
    event_clear(&start);
    set_then_clear(&start);
    event_destroy(&start);
    ten_items();
}

/* Output:
wait for 20 ms: the limit has passed
set; wait for 20 ms: it is set
3 threads wait
set, then cleared: all 3 have come back
10 items put, 10 taken, their sum: 55
*/
