/* process_condition.c - condition.c between processes: the same list, in memory that they share.
   Python: multiprocessing.Condition(), multiprocessing.Array
   Calls:  pthread_condattr_setpshared(3p), pthread_mutexattr_setpshared(3p)
   Needs:  01-fork/share, 06-locks/process_lock, condition
   Try:    diff condition.c process_condition.c. Then take out the line with pthread_condattr_setpshared:
           on glibc a waiter is then never woken. The program hangs (end it with Ctrl-C). */
#include "workbook.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ITEMS = 30, CAPACITY = 10 };

struct list {
    pthread_mutex_t lock;       /* for all that follows */
    int items[CAPACITY], first, count;
    pthread_cond_t filled;      /* "there may be an item now" */
    pthread_cond_t room;        /* "there may be room now" */
    int item_waits, room_waits; /* how often somebody has had to wait for an item, for room */
    pthread_cond_t waits;       /* "one of these two numbers has changed" */
    pid_t parent;
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

static int produce(void *argument)
{
    struct list *list = argument;
    check(end_with_parent(list->parent));
    let_it_wait(list, &list->item_waits, 0, "the consumer");
    for (int i = 1; i <= ITEMS; i++)
        put(list, i);
    return 0;
}

static int consume(void *argument)
{
    struct list *list = argument;
    check(end_with_parent(list->parent));
    for (int i = 1; i <= ITEMS; i++) {
        int item = take(list);
        if (item != i)
            die("item %d came in place of item %d", item, i);
        if (i == 1)
            let_it_wait(list, &list->room_waits, CAPACITY, "the producer");
    }
    say("all %d items taken, in order", ITEMS);
    return 0;
}

static void list_init(struct list *list)
{
    pthread_mutexattr_t mutex_attributes;
    pthread_condattr_t attributes;
    check_pthread(pthread_mutexattr_init(&mutex_attributes));
    check_pthread(pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_mutex_init(&list->lock, &mutex_attributes));
    check_pthread(pthread_mutexattr_destroy(&mutex_attributes));
    check_pthread(pthread_condattr_init(&attributes));
    check_pthread(pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_cond_init(&list->filled, &attributes));
    check_pthread(pthread_cond_init(&list->room, &attributes));
    check_pthread(pthread_cond_init(&list->waits, &attributes));
    check_pthread(pthread_condattr_destroy(&attributes));
}

int main(void)
{
    struct list *list = check_ptr(share(sizeof *list));     /* zeros: count, first, the waits */
    pid_t children[2];
    list->parent = getpid();
    list_init(list);
    children[0] = check(start_child(consume, list));
    children[1] = check(start_child(produce, list));
    if (check(wait_children(children, 2)) != 0)
        return 1;       /* without pthread_cond_destroy: it may wait for a waiter that was killed */
    say("Measured: in all %d waits for an item, %d for room", list->item_waits, list->room_waits);
    check_pthread(pthread_cond_destroy(&list->filled));
    check_pthread(pthread_cond_destroy(&list->room));
    check_pthread(pthread_cond_destroy(&list->waits));
    check_pthread(pthread_mutex_destroy(&list->lock));
    check(munmap(list, sizeof *list));
}

/* Output:
the consumer has had to wait; the list holds 0 of 10
the producer has had to wait; the list holds 10 of 10
all 30 items taken, in order
Measured: in all 1 waits for an item, 1 for room
*/
