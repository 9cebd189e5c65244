/* condition.c - a list of at most 10 items: one thread puts, one takes, and each waits for the other.
   Python: threading.Condition: wait(), notify(), with condition: ...
   Calls:  pthread_cond_init(3), pthread_cond_wait(3), pthread_cond_signal(3)
   Needs:  05-threads/thread, 06-locks/lock, semaphore
   Try:    Take out the line pthread_cond_signal(&list->filled). The consumer now waits for ever, for
           items that are there, and soon the producer waits for room (end it with Ctrl-C). */
#include "workbook.h"

#include <pthread.h>

enum { ITEMS = 30, CAPACITY = 10 };

struct list {
    pthread_mutex_t lock;       /* for all that follows */
    int items[CAPACITY], first, count;
    pthread_cond_t filled;      /* "there may be an item now" */
    pthread_cond_t room;        /* "there may be room now" */
    int waits_for_item, waits_for_room;     /* how often somebody had to wait */
    pthread_cond_t waits;       /* "one of these two numbers has changed": only main waits for it */
};

static void put(struct list *list, int item)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    if (list->count == CAPACITY) {      /* only counts: the while below does the waiting */
        list->waits_for_room++;
        check_pthread(pthread_cond_signal(&list->waits));
    }
    while (list->count == CAPACITY)     /* look again after each wake-up: see stolen_wakeup.c */
        check_pthread(pthread_cond_wait(&list->room, &list->lock));
    list->items[(list->first + list->count) % CAPACITY] = item;
    list->count++;
    check_pthread(pthread_cond_signal(&list->filled));
    check_pthread(pthread_mutex_unlock(&list->lock));
}

static int take(struct list *list)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    if (list->count == 0) {
        list->waits_for_item++;
        check_pthread(pthread_cond_signal(&list->waits));
    }
    while (list->count == 0)
        check_pthread(pthread_cond_wait(&list->filled, &list->lock));
    int item = list->items[list->first];
    list->first = (list->first + 1) % CAPACITY;
    list->count--;
    check_pthread(pthread_cond_signal(&list->room));
    check_pthread(pthread_mutex_unlock(&list->lock));
    return item;
}

static void *produce(void *list)
{
    for (int i = 1; i <= ITEMS; i++)
        put(list, i);
    return NULL;
}

static void *consume(void *list)
{
    for (int i = 1; i <= ITEMS; i++) {
        int item = take(list);
        if (item != i)
            die("item %d came in place of item %d", item, i);
    }
    return NULL;
}

/* Starts FIRST, waits until it has to wait, so until *WAITS is above 0, and only then starts SECOND. */
static void run(struct list *list, void *(*first)(void *), const int *waits, void *(*second)(void *))
{
    pthread_t threads[2];
    check_pthread(pthread_create(&threads[0], NULL, first, list));
    check_pthread(pthread_mutex_lock(&list->lock));
    while (*waits == 0)
        check_pthread(pthread_cond_wait(&list->waits, &list->lock));
    say("it waits; the list holds %d of %d", list->count, CAPACITY);
    check_pthread(pthread_mutex_unlock(&list->lock));
    check_pthread(pthread_create(&threads[1], NULL, second, list));
    for (int i = 0; i < 2; i++)
        check_pthread(pthread_join(threads[i], NULL));
    say("all %d items taken, in order", ITEMS);
}

int main(void)
{
    struct list list = { .count = 0 };
    check_pthread(pthread_mutex_init(&list.lock, NULL));
    pthread_cond_t *const conditions[] = { &list.filled, &list.room, &list.waits };
    for (int i = 0; i < 3; i++)
        check_pthread(pthread_cond_init(conditions[i], NULL));

    say("the consumer is first:");
    run(&list, consume, &list.waits_for_item, produce);
    list.waits_for_item = list.waits_for_room = 0;
    say("the producer is first:");
    run(&list, produce, &list.waits_for_room, consume);
    say("Measured: in the second run %d waits for room, %d for an item",
        list.waits_for_room, list.waits_for_item);

    for (int i = 0; i < 3; i++)
        check_pthread(pthread_cond_destroy(conditions[i]));
    check_pthread(pthread_mutex_destroy(&list.lock));
}

/* Output:
the consumer is first:
it waits; the list holds 0 of 10
all 30 items taken, in order
the producer is first:
it waits; the list holds 10 of 10
all 30 items taken, in order
Measured: in the second run 1 waits for room, 0 for an item
*/
