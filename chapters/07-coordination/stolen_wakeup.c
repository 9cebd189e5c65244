/* stolen_wakeup.c - a waiter is woken, but another one takes the item first: with if, and with while.
   Python: threading.Condition: "if not items: condition.wait()"; wait_for() is the cure
   Calls:  pthread_cond_wait(3): it may also wake up for nothing; pthread_cond_broadcast(3)
   Needs:  05-threads/thread, 06-locks/lock, condition
   Try:    Run build/stolen_wakeup plain ten times: nothing is forced, and "if" goes wrong another
           number of times in each run. Then let plain() use take_with_while: always 0. */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { CAPACITY = 2, PLAIN_ITEMS = 20000 };

struct list {
    pthread_mutex_t lock;
    int items[CAPACITY], count;
    pthread_cond_t filled;      /* "there may be an item now" */
    pthread_cond_t room;        /* "there may be room now": only for plain() */
    int (*take)(struct list *);
    bool waits, woken;          /* what the waiter has done, so that main knows */
    pthread_cond_t news;        /* "one of these two has changed" */
    int got;                    /* what it came back with */
    bool finished;              /* only for plain(): no more items will come */
    int found_nothing;
};

static void push(struct list *list, int item)
{
    list->items[list->count] = item;
    list->count++;
    check_pthread(pthread_cond_signal(&list->filled));
}

/* Returns 0 when there is none; in Python that is IndexError: pop from empty list. */
static int pop(struct list *list)
{
    if (list->count == 0)
        return 0;
    list->count--;
    return list->items[list->count];
}

static void wait_for_item(struct list *list)
{
    list->waits = true;
    check_pthread(pthread_cond_signal(&list->news));
    check_pthread(pthread_cond_wait(&list->filled, &list->lock));
    list->woken = true;
    check_pthread(pthread_cond_signal(&list->news));
}

static int take_with_if(struct list *list)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    if (list->count == 0 && !list->finished)
        wait_for_item(list);
    int item = pop(list);
    check_pthread(pthread_mutex_unlock(&list->lock));
    return item;
}

static int take_with_while(struct list *list)
{
    check_pthread(pthread_mutex_lock(&list->lock));
    while (list->count == 0 && !list->finished)
        wait_for_item(list);
    int item = pop(list);
    check_pthread(pthread_mutex_unlock(&list->lock));
    return item;
}

static void *consume_one(void *argument)
{
    struct list *list = argument;
    list->got = list->take(list);
    return NULL;
}

/* Main is the producer, and then also the other consumer. It keeps the lock between the two: so it is
   sure to be there before the waiter, who must get the lock to come back from pthread_cond_wait. */
static void forced(struct list *list)
{
    pthread_t waiter;
    check_pthread(pthread_create(&waiter, NULL, consume_one, list));
    check_pthread(pthread_mutex_lock(&list->lock));
    while (!list->waits)
        check_pthread(pthread_cond_wait(&list->news, &list->lock));
    push(list, 1);                      /* the producer: wakes the waiter */
    int stolen = pop(list);             /* the other consumer: takes the item */
    while (!list->woken)                /* now the waiter may look */
        check_pthread(pthread_cond_wait(&list->news, &list->lock));
    push(list, 2);
    check_pthread(pthread_mutex_unlock(&list->lock));
    check_pthread(pthread_join(waiter, NULL));

    say("the other consumer took item %d", stolen);
    if (list->got == 0)
        say("WRONG: the waiter was woken, and the list was empty");
    else
        say("the waiter took item %d", list->got);
    say("left in the list: %d", list->count);
}

/* Takes until the end. An unforced theft is seen when take comes back with nothing before that. */
static void *consume_all(void *argument)
{
    struct list *list = argument;
    for (bool finished = false; !finished; ) {
        int item = list->take(list);
        check_pthread(pthread_mutex_lock(&list->lock));
        finished = item == 0 && list->finished;
        list->found_nothing += item == 0 && !list->finished;
        check_pthread(pthread_cond_signal(&list->room));
        check_pthread(pthread_mutex_unlock(&list->lock));
    }
    return NULL;
}

static void plain(struct list *list)
{
    pthread_t consumers[3];
    list->take = take_with_if;
    for (int i = 0; i < 3; i++)
        check_pthread(pthread_create(&consumers[i], NULL, consume_all, list));
    check_pthread(pthread_mutex_lock(&list->lock));
    for (int i = 1; i <= PLAIN_ITEMS; i++) {
        while (list->count == CAPACITY)
            check_pthread(pthread_cond_wait(&list->room, &list->lock));
        push(list, i);
    }
    list->finished = true;
    check_pthread(pthread_cond_broadcast(&list->filled));       /* all who wait, not one of them */
    check_pthread(pthread_mutex_unlock(&list->lock));
    for (int i = 0; i < 3; i++)
        check_pthread(pthread_join(consumers[i], NULL));
    say("%d items; a consumer was woken and found nothing: %d times", PLAIN_ITEMS, list->found_nothing);
}

int main(int argc, char **argv)
{
    struct list list = { .count = 0 };
    pthread_cond_t *const conditions[] = { &list.filled, &list.room, &list.news };
    check_pthread(pthread_mutex_init(&list.lock, NULL));
    for (int i = 0; i < 3; i++)
        check_pthread(pthread_cond_init(conditions[i], NULL));

    const char *how = argc == 2 ? argv[1] : "";
    if (strcmp(how, "plain") == 0) {
        plain(&list);
    } else if (strcmp(how, "if") == 0 || strcmp(how, "while") == 0) {
        list.take = strcmp(how, "if") == 0 ? take_with_if : take_with_while;
        forced(&list);
    } else {
        usage("stolen_wakeup if|while|plain");
    }

    for (int i = 0; i < 3; i++)
        check_pthread(pthread_cond_destroy(conditions[i]));
    check_pthread(pthread_mutex_destroy(&list.lock));
}

/* Output of ./stolen_wakeup if:
the other consumer took item 1
WRONG: the waiter was woken, and the list was empty
left in the list: 1
*/
/* Output of ./stolen_wakeup while:
the other consumer took item 1
the waiter took item 2
left in the list: 0
*/
