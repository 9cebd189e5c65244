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
    int waits_for_item, waits_for_room;     /* how often somebody had to wait */
    pthread_cond_t waits;       /* "one of these two numbers has changed" */
    pid_t parent;
};

static void put(struct list *list, int item)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    if (list->count == CAPACITY) {
        list->waits_for_room++;
        check_pthread(pthread_cond_signal(&list->waits));
    }
    while (list->count == CAPACITY)
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

/* Waits until the other child had to wait: so both waits are reached in each run. Called by children
   only: main never waits in shared memory, it waits for its children. */
static void wait_until_it_waits(struct list *list, const int *waits, const char *line)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    while (*waits == 0)
        check_pthread(pthread_cond_wait(&list->waits, &list->lock));
    check_pthread(pthread_mutex_unlock(&list->lock));
    say("%s", line);
}

static int produce(void *argument)
{
    struct list *list = argument;
    check(end_with_parent(list->parent));
    wait_until_it_waits(list, &list->waits_for_item, "the consumer waits: the list is empty");
    for (int i = 1; i <= ITEMS; i++)
        put(list, i);
    return 0;
}

static int consume(void *argument)
{
    struct list *list = argument;
    check(end_with_parent(list->parent));
    int item = take(list);
    wait_until_it_waits(list, &list->waits_for_room, "the producer waits: the list is full");
    for (int i = 1; i < ITEMS; i++) {
        if (item != i)
            die("item %d came in place of item %d", item, i);
        item = take(list);
    }
    say("all %d items taken, in order; the last is %d", ITEMS, item);
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
    check_pthread(pthread_cond_destroy(&list->filled));
    check_pthread(pthread_cond_destroy(&list->room));
    check_pthread(pthread_cond_destroy(&list->waits));
    check_pthread(pthread_mutex_destroy(&list->lock));
    check(munmap(list, sizeof *list));
}

/* Output:
the consumer waits: the list is empty
the producer waits: the list is full
all 30 items taken, in order; the last is 30
*/
