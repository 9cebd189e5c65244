/* condition.c - a list of at most 10 items: one thread puts, one takes, and each has to wait for the other.
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
    int item_waits, room_waits; /* how often somebody has had to wait for an item, for room */
    pthread_cond_t waits;       /* "one of these two numbers has changed" */
};

static void put(struct list *list, int item)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    if (list->count == CAPACITY) {      /* only counts: the while below does the waiting */
        list->room_waits++;
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
        list->item_waits++;
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

/* Holds one side back until the other one has had to wait, with COUNT items in the list. */
static void let_it_wait(struct list *list, const int *waits, int count, const char *who)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    while (*waits == 0 || list->count != count)
        check_pthread(pthread_cond_wait(&list->waits, &list->lock));
    say("%s has had to wait; the list holds %d of %d", who, list->count, CAPACITY);
    check_pthread(pthread_mutex_unlock(&list->lock));
}

static void *produce(void *argument)
{
    struct list *list = argument;
    let_it_wait(list, &list->item_waits, 0, "the consumer");
    for (int i = 1; i <= ITEMS; i++)
        put(list, i);
    return NULL;
}

static void *consume(void *argument)
{
    struct list *list = argument;
    for (int i = 1; i <= ITEMS; i++) {
        int item = take(list);
        if (item != i)
            die("item %d came in place of item %d", item, i);
        if (i == 1)
            let_it_wait(list, &list->room_waits, CAPACITY, "the producer");
    }
    say("all %d items taken, in order", ITEMS);
    return NULL;
}

int main(void)
{
    struct list list = { .count = 0 };
    pthread_t consumer, producer;
    check_pthread(pthread_mutex_init(&list.lock, NULL));
    check_pthread(pthread_cond_init(&list.filled, NULL));
    check_pthread(pthread_cond_init(&list.room, NULL));
    check_pthread(pthread_cond_init(&list.waits, NULL));
    check_pthread(pthread_create(&consumer, NULL, consume, &list));
    check_pthread(pthread_create(&producer, NULL, produce, &list));
    check_pthread(pthread_join(consumer, NULL));
    check_pthread(pthread_join(producer, NULL));
    say("Measured: in all %d waits for an item, %d for room", list.item_waits, list.room_waits);
    check_pthread(pthread_cond_destroy(&list.filled));
    check_pthread(pthread_cond_destroy(&list.room));
    check_pthread(pthread_cond_destroy(&list.waits));
    check_pthread(pthread_mutex_destroy(&list.lock));
}

/* Output:
the consumer has had to wait; the list holds 0 of 10
the producer has had to wait; the list holds 10 of 10
all 30 items taken, in order
Measured: in all 1 waits for an item, 1 for room
*/
