/* lost_wakeup.c - set-then-clear loses items: an event tells only those who wait now. Data stays.
   Python: the tutorials' event.wait(); items.pop() beside items.append(); event.set(); event.clear()
   Calls:  pthread_cond_wait(3): what the loop around it must look at
   Needs:  05-threads/thread, 06-locks/with, condition, event
   Try:    Run build/lost_wakeup plain ten times: nothing is forced, and another number of items is
           lost in each run. Then write wait_for_data for wait_for_event in main: always 0. */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { ITEMS = 10 };
enum state { STARTS, WAITS, IS_BUSY };

struct shop {
    pthread_mutex_t lock;
    pthread_cond_t change;      /* "something below has changed" */
    int items, put;             /* how many lie there now, have been put in all */
    unsigned generation;        /* the event: how often it was set, as in event.c */
    bool closed;                /* the producer has gone: without this the consumer would never end */
    bool (*wait)(struct shop *);
    bool forced;                /* the two keep to an order that loses items */
    enum state consumer;
};

static void let_others_go(struct shop *shop)
{
    check_pthread(pthread_cond_wait(&shop->change, &shop->lock));
}

/* event.wait(). The event is always cleared at once, so its flag says nothing; its generation does. */
static bool wait_for_event(struct shop *shop)
{
    unsigned generation = shop->generation;
    while (shop->generation == generation && !shop->closed)
        let_others_go(shop);
    return shop->generation != generation;
}

static bool wait_for_data(struct shop *shop)
{
    while (shop->items == 0 && !shop->closed)
        let_others_go(shop);
    return shop->items != 0;
}

static void tell_state(struct shop *shop, enum state state)
{
    shop->consumer = state;
    check_pthread(pthread_cond_broadcast(&shop->change));
}

static void *consume(void *argument)
{
    struct shop *shop = argument;
    const bool forced = shop->forced;
    for (;;) {
        with_lock(&shop->lock) {
            tell_state(shop, WAITS);
            if (!shop->wait(shop))
                return NULL;
            shop->items--;
            tell_state(shop, IS_BUSY);
            while (forced && shop->put % 2 == 1)        /* busy until the next item has been put */
                let_others_go(shop);
        }
        if (!forced)
            work_ticks(1);
    }
}

/* Forced: of two items, the first is put while the consumer waits, the second while it is busy. */
static void produce(struct shop *shop)
{
    const bool forced = shop->forced;
    for (int i = 0; i < ITEMS; i++) {
        with_lock(&shop->lock) {
            while (forced && shop->consumer != (i % 2 == 0 ? WAITS : IS_BUSY))
                let_others_go(shop);
            shop->items++;              /* items.append(); event.set(); event.clear() */
            shop->put++;
            shop->generation++;         /* set frees all who wait now; clear: nobody who comes later */
            check_pthread(pthread_cond_broadcast(&shop->change));
        }
        if (!forced)
            work_ticks(1);
    }
    with_lock(&shop->lock) {
        while (forced && shop->consumer != WAITS)           /* it has taken all that it could */
            let_others_go(shop);
        shop->closed = true;
        check_pthread(pthread_cond_broadcast(&shop->change));
    }
}

int main(int argc, char **argv)
{
    const char *how = argc == 2 ? argv[1] : "";
    struct shop shop = { .wait = wait_for_event, .forced = strcmp(how, "plain") != 0 };
    if (strcmp(how, "data") == 0)
        shop.wait = wait_for_data;
    else if (strcmp(how, "event") != 0 && strcmp(how, "plain") != 0)
        usage("lost_wakeup event|data|plain");

    pthread_t consumer;
    check_pthread(pthread_mutex_init(&shop.lock, NULL));
    check_pthread(pthread_cond_init(&shop.change, NULL));
    check_pthread(pthread_create(&consumer, NULL, consume, &shop));
    produce(&shop);
    check_pthread(pthread_join(consumer, NULL));
    say("%d items put, %d taken", shop.put, shop.put - shop.items);
    if (shop.items > 0)
        say("WRONG: %d items lie there, and the consumer waited for the next event", shop.items);
    check_pthread(pthread_cond_destroy(&shop.change));
    check_pthread(pthread_mutex_destroy(&shop.lock));
}

/* Output of ./lost_wakeup event:
10 items put, 5 taken
WRONG: 5 items lie there, and the consumer waited for the next event
*/
/* Output of ./lost_wakeup data:
10 items put, 10 taken
*/
