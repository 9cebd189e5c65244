/* stolen_wakeup.c - a waiter is woken, but another one takes the item first: with if, and with while.
   Python: threading.Condition: "if not items: condition.wait()"; wait_for() is the cure
   Calls:  pthread_cond_wait(3): it may also wake up for nothing; pthread_cond_broadcast(3)
   Needs:  05-threads/thread, 06-locks/lock, 06-locks/with, condition
   Try:    Run build/stolen_wakeup plain ten times: nothing is forced, and "if" goes wrong another
           number of times in each run. Then let plain() use take_with_while: always 0. */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { CAPACITY = 2, PLAIN_ITEMS = 20000, PLAIN_CONSUMERS = 3 };

struct list {
    pthread_mutex_t lock;
    int items;                  /* how many lie there. What they are does not matter here */
    pthread_cond_t filled;      /* "there may be an item now" */
    pthread_cond_t news;        /* only main waits here: "somebody waits", "... was woken", "... took an item" */
    bool waits, woken, finished;
    bool (*take)(struct list *);
    int taken, came_back_with_nothing;
};

static void push(struct list *list)
{
    list->items++;
    check_pthread(pthread_cond_signal(&list->filled));
}

/* False: there is none. In Python that is IndexError: pop from empty list. */
static bool pop(struct list *list)
{
    if (list->items == 0)
        return false;
    list->items--;
    check_pthread(pthread_cond_signal(&list->news));
    return true;
}

static void wait_for_item(struct list *list)
{
    list->waits = true;
    check_pthread(pthread_cond_signal(&list->news));
    check_pthread(pthread_cond_wait(&list->filled, &list->lock));
    list->woken = true;
    check_pthread(pthread_cond_signal(&list->news));
}

static bool take_with_if(struct list *list)
{
    if (list->items == 0 && !list->finished)
        wait_for_item(list);
    return pop(list);
}

static bool take_with_while(struct list *list)
{
    while (list->items == 0 && !list->finished)
        wait_for_item(list);
    return pop(list);
}

static void *consume(void *argument)
{
    struct list *list = argument;
    for (bool end = false; !end; )
        with_lock(&list->lock) {
            bool found = list->take(list);
            end = list->items == 0 && list->finished;
            list->taken += found;
            list->came_back_with_nothing += !found && !list->finished;
        }
    return NULL;
}

/* Main is the producer, and also the other consumer. It keeps the lock between the two: so it is sure to
   be there before the waiter, who must get the lock to come back from pthread_cond_wait. */
static void forced(struct list *list)
{
    pthread_t waiter;
    check_pthread(pthread_create(&waiter, NULL, consume, list));
    with_lock(&list->lock) {
        while (!list->waits)
            check_pthread(pthread_cond_wait(&list->news, &list->lock));
        push(list);                     /* the producer: wakes the waiter */
        pop(list);                      /* the other consumer: takes the item */
        say("item 1 was put, and the waiter woken; another consumer took the item");
        while (!list->woken)            /* now the waiter may look */
            check_pthread(pthread_cond_wait(&list->news, &list->lock));
        if (list->came_back_with_nothing > 0)
            say("WRONG: the waiter took from an empty list: %d wake-up stolen", list->came_back_with_nothing);
        else
            say("the waiter looked again, and waits on");
        list->finished = true;
        push(list);
    }
    check_pthread(pthread_join(waiter, NULL));
    say("item 2 was put, and the waiter took %d", list->taken);
}

static void plain(struct list *list)
{
    pthread_t consumers[PLAIN_CONSUMERS];
    list->take = take_with_if;
    for (int i = 0; i < PLAIN_CONSUMERS; i++)
        check_pthread(pthread_create(&consumers[i], NULL, consume, list));
    for (int i = 0; i < PLAIN_ITEMS; i++)
        with_lock(&list->lock) {
            while (list->items == CAPACITY)
                check_pthread(pthread_cond_wait(&list->news, &list->lock));
            push(list);
        }
    with_lock(&list->lock) {
        list->finished = true;
        check_pthread(pthread_cond_broadcast(&list->filled));       /* all who wait, not one of them */
    }
    for (int i = 0; i < PLAIN_CONSUMERS; i++)
        check_pthread(pthread_join(consumers[i], NULL));
    say("%d items taken; a consumer was woken, and found nothing: %d times",
        list->taken, list->came_back_with_nothing);
}

int main(int argc, char **argv)
{
    const char *how = argc == 2 ? argv[1] : "";
    struct list list = { .take = strcmp(how, "if") == 0 ? take_with_if : take_with_while };
    if (strcmp(how, "if") != 0 && strcmp(how, "while") != 0 && strcmp(how, "plain") != 0)
        usage("stolen_wakeup if|while|plain");
    check_pthread(pthread_mutex_init(&list.lock, NULL));
    check_pthread(pthread_cond_init(&list.filled, NULL));
    check_pthread(pthread_cond_init(&list.news, NULL));
    if (strcmp(how, "plain") == 0)
        plain(&list);
    else
        forced(&list);
    check_pthread(pthread_cond_destroy(&list.filled));
    check_pthread(pthread_cond_destroy(&list.news));
    check_pthread(pthread_mutex_destroy(&list.lock));
}

/* Output of ./stolen_wakeup if:
item 1 was put, and the waiter woken; another consumer took the item
WRONG: the waiter took from an empty list: 1 wake-up stolen
item 2 was put, and the waiter took 1
*/
/* Output of ./stolen_wakeup while:
item 1 was put, and the waiter woken; another consumer took the item
the waiter looked again, and waits on
item 2 was put, and the waiter took 1
*/
