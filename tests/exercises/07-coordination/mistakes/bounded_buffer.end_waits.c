/* deadlock | end_list() waits */
#include "workbook.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_CAPACITY = 16, MAX_WORKERS = 32, MAX_EACH = 99, MAX_ITEMS = 999 };
#define USAGE "bounded_buffer CAPACITY STEP...   (as in: bounded_buffer 2 p5 cc p3p3 end)"

/* ---- the list ---- */

struct list {
    pthread_mutex_t lock;       /* for all that follows */
    pthread_cond_t filled;      /* "there may be an item now, or the end has come": consumers wait here */
    pthread_cond_t room;        /* "there may be room now": producers wait here */
    int items[MAX_CAPACITY], first, count, capacity;
    bool ended;                 /* nobody will put an item any more */
};

static void init_list(struct list *list, int capacity)
{
    check_pthread(pthread_mutex_init(&list->lock, NULL));
    check_pthread(pthread_cond_init(&list->filled, NULL));
    check_pthread(pthread_cond_init(&list->room, NULL));
    list->first = list->count = 0;
    list->capacity = capacity;
    list->ended = false;
}

static void put(struct list *list, int item)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    while (list->count == list->capacity)
        check_pthread(pthread_cond_wait(&list->room, &list->lock));
    list->items[(list->first + list->count) % list->capacity] = item;
    list->count++;
    check_pthread(pthread_cond_signal(&list->filled));      /* one item more: one consumer is enough */
    check_pthread(pthread_mutex_unlock(&list->lock));
}

static bool take(struct list *list, int *item)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    while (list->count == 0 && !list->ended)
        check_pthread(pthread_cond_wait(&list->filled, &list->lock));
    bool found = list->count > 0;       /* the end counts only when nothing is left */
    if (found) {
        *item = list->items[list->first];
        list->first = (list->first + 1) % list->capacity;
        list->count--;
        check_pthread(pthread_cond_signal(&list->room));
    }
    check_pthread(pthread_mutex_unlock(&list->lock));
    return found;
}

static void end_list(struct list *list)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    while (list->count > 0)
        pthread_cond_wait(&list->room, &list->lock);
    list->ended = true;
    check_pthread(pthread_cond_broadcast(&list->filled));   /* this concerns all who wait, not one of them */
    check_pthread(pthread_mutex_unlock(&list->lock));
}

static void destroy_list(struct list *list)
{
    check_pthread(pthread_cond_destroy(&list->room));
    check_pthread(pthread_cond_destroy(&list->filled));
    check_pthread(pthread_mutex_destroy(&list->lock));
}

/* ---- the play: who comes when ---- */

struct worker {                 /* a producer or a consumer */
    struct list *list;
    pthread_t thread;
    int number;                 /* of a producer: the first one is 1. 0: a consumer */
    int items;                  /* how many it puts or takes. A consumer with 0 takes until the end */
    int taken[MAX_ITEMS];       /* what it took, in this order: read by main after the join */
    atomic_int tid, done, ended;    /* main looks at these while the thread runs. Relaxed: they order nothing */
};

struct play {
    struct list list;
    struct worker *worker[MAX_WORKERS];
    int capacity, workers, producers, consumers, items;
    bool ended;
};

/* Item number 3 of producer 2 is 203. */
static void *produce(void *argument)
{
    struct worker *self = argument;
    atomic_store_explicit(&self->tid, gettid(), memory_order_relaxed);
    for (int i = 1; i <= self->items; i++) {
        put(self->list, self->number * 100 + i);
        atomic_fetch_add_explicit(&self->done, 1, memory_order_relaxed);
    }
    atomic_store_explicit(&self->ended, 1, memory_order_relaxed);
    return NULL;
}

static void *consume(void *argument)
{
    struct worker *self = argument;
    int item = 0;
    atomic_store_explicit(&self->tid, gettid(), memory_order_relaxed);
    for (int i = 0; (self->items == 0 || i < self->items) && take(self->list, &item); i++) {
        if (i == MAX_ITEMS)
            die("a consumer took more items than were ever put");
        self->taken[i] = item;
        atomic_fetch_add_explicit(&self->done, 1, memory_order_relaxed);
    }
    atomic_store_explicit(&self->ended, 1, memory_order_relaxed);
    return NULL;
}

/* Waits until each thread has ended, or waits for something, and nothing moves any more, at five looks. Only the
   kernel can say so. For at most 8 s: whoever waits in a busy loop never seems to wait. */
static void let_them_run(const struct play *play)
{
    for (int looks = 0, same = 0, before = -1; looks < 8000 && same < 5; looks++) {
        bool all_ended = true, all_wait = true;
        int now = 0;
        for (int i = 0; i < play->workers; i++) {
            struct worker *worker = play->worker[i];
            now += atomic_load_explicit(&worker->done, memory_order_relaxed);
            if (atomic_load_explicit(&worker->ended, memory_order_relaxed))
                continue;
            all_ended = false;
            all_wait = all_wait && state_of(atomic_load_explicit(&worker->tid, memory_order_relaxed)) == 'S';
        }
        if (all_ended)
            return;
        same = all_wait && now == before ? same + 1 : 0;
        before = now;
        check(poll(NULL, 0, 1));        /* 1 ms; then it looks again */
    }
}

static void tell(const struct play *play, const char *step)
{
    int put = 0, taken = 0, ended = 0;
    for (int i = 0; i < play->workers; i++) {
        struct worker *worker = play->worker[i];
        int done = atomic_load_explicit(&worker->done, memory_order_relaxed);
        put += worker->number > 0 ? done : 0;
        taken += worker->number > 0 ? 0 : done;
        ended += worker->number == 0 && atomic_load_explicit(&worker->ended, memory_order_relaxed);
    }
    say("%s: %d put, %d taken, %d of %d consumers have ended", step, put, taken, ended, play->consumers);
}

static void join_all(const struct play *play, bool producers)
{
    for (int i = 0; i < play->workers; i++)
        if ((play->worker[i]->number > 0) == producers)
            check_pthread(pthread_join(play->worker[i]->thread, NULL));
}

/* One step: "end", or threads that come at the same time, as in p3p2c1. */
static void do_step(struct play *play, char *step)
{
    bool end = strcmp(step, "end") == 0;
    if (end && (play->ended || (play->consumers == 0 && play->items > play->capacity)))
        usage(USAGE);           /* a second end; or producers that would wait for ever */
    if (end) {
        join_all(play, true);
        end_list(&play->list);
        play->ended = true;
    }
    for (char *at = step; !end && *at != '\0'; ) {
        bool produces = *at == 'p';
        long items = produces || *at == 'c' ? strtol(at + 1, &at, 10) : -1;
        play->items += produces ? (int)items : 0;
        if (play->workers == MAX_WORKERS || items < produces || items > MAX_EACH || play->items > MAX_ITEMS ||
            (produces && play->ended))
            usage(USAGE);
        struct worker *worker = check_ptr(calloc(1, sizeof *worker));
        worker->list = &play->list;
        worker->items = (int)items;
        worker->number = produces ? ++play->producers : 0;
        play->consumers += !produces;
        play->worker[play->workers++] = worker;
        check_pthread(pthread_create(&worker->thread, NULL, produces ? produce : consume, worker));
    }
    let_them_run(play);
    tell(play, step);
}

/* After all joins: was each item taken once, and those of one producer in the order in which they were put? */
static void tell_items(const struct play *play)
{
    static int times[MAX_WORKERS + 1][MAX_EACH + 1];
    bool in_order = true;
    for (int i = 0; i < play->workers; i++) {
        int last[MAX_WORKERS + 1] = { 0 };
        for (int k = 0; play->worker[i]->number == 0 && k < play->worker[i]->done; k++) {
            int item = play->worker[i]->taken[k], producer = item / 100;
            if (item < 100 || producer > play->producers) {
                say("an item was taken that nobody has put: %d", item);
                return;
            }
            times[producer][item % 100]++;
            in_order = in_order && last[producer] < item;
            last[producer] = item;
        }
    }
    for (int i = 0; i < play->workers; i++)
        for (int k = 1, number = play->worker[i]->number; number > 0 && k <= play->worker[i]->items; k++)
            if (times[number][k] != 1) {
                say("item %d of producer %d was taken %d times", k, number, times[number][k]);
                return;
            }
    say("all %d items were taken, each once, %s", play->items, in_order ? "in order" : "but not in order");
}

int main(int argc, char **argv)
{
    long capacity;
    if (argc < 3 || parse_number(argv[1], 1, MAX_CAPACITY, &capacity) == -1)
        usage(USAGE);
    struct play play = { .capacity = (int)capacity };
    init_list(&play.list, play.capacity);
    for (int i = 2; i < argc; i++)
        do_step(&play, argv[i]);
    if (!play.ended)
        do_step(&play, (char[]){ "end" });
    join_all(&play, false);
    tell_items(&play);
    for (int i = 0; i < play.workers; i++)
        free(play.worker[i]);
    destroy_list(&play.list);
    return 0;
}
