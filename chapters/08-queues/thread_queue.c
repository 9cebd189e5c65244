/* thread_queue.c - the same queue between threads: one producer, three consumers, ten items.
   Python: queue.Queue, with Thread
   Calls:  queue_put, queue_get, queue_close of queue.h, pthread_create(3)
   Needs:  05-threads/thread, 07-coordination/condition, many_to_many
   Try:    Give the queue room for 1 item, then for 10. The output stays the same, but for Measured.
           With 1, the producer waits until each item is taken; with 10, it never waits for room. */
#include "workbook.h"

#include "queue.h"

enum { CONSUMERS = 3, ITEMS = 10, CAPACITY = 4 };

static void *produce(void *argument)
{
    struct queue *queue = argument;
    for (int item = 1; item <= ITEMS; item++)
        check(queue_put(queue, &item));
    queue_close(queue);             /* one close ends three consumers; three sentinels would, too */
    return NULL;
}

struct consumer {
    struct queue *queue;
    int count, items[ITEMS];        /* what it got: only this thread writes here, until it is joined */
};

static void *consume(void *argument)
{
    struct consumer *self = argument;
    int item;
    while (check(queue_get(self->queue, &item)) == 1)
        self->items[self->count++] = item;
    return NULL;
}

int main(void)
{
    struct queue *queue = check_ptr(queue_create(sizeof(int), CAPACITY));
    pthread_t producer, threads[CONSUMERS];
    struct consumer consumers[CONSUMERS] = { 0 };

    for (int i = 0; i < CONSUMERS; i++) {
        consumers[i].queue = queue;
        check_pthread(pthread_create(&threads[i], NULL, consume, &consumers[i]));
    }
    check_pthread(pthread_create(&producer, NULL, produce, queue));

    check_pthread(pthread_join(producer, NULL));
    int owner[ITEMS + 1] = { 0 };   /* who got item N, by the number 1 to 3 */
    for (int i = 0; i < CONSUMERS; i++) {
        check_pthread(pthread_join(threads[i], NULL));
        for (int n = 0; n < consumers[i].count; n++) {
            int item = consumers[i].items[n];
            if (owner[item] != 0)
                die("item %d was got twice", item);
            owner[item] = i + 1;
        }
    }
    for (int item = 1; item <= ITEMS; item++)
        if (owner[item] == 0)
            die("item %d was lost", item);
    say("the producer and %d consumers have ended", CONSUMERS);
    say("%d items: each was got by one of them", ITEMS);
    say("Measured: they got %d, %d and %d", consumers[0].count, consumers[1].count, consumers[2].count);
    check(queue_destroy(queue));
}

/* Output:
the producer and 3 consumers have ended
10 items: each was got by one of them
Measured: they got 4, 4 and 2
*/
