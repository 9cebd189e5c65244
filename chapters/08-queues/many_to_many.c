/* many_to_many.c - three producers and three consumers: each item comes exactly once, and all end.
   Python: Queue() with several producers and consumers; one sentinel for each consumer
   Calls:  queue_put, queue_get, queue_close of queue.h
   Needs:  06-locks/atomic, queue_step2, write_read
   Try:    Take out the if with queue_close, both lines. The producers end, and the consumers wait for
           ever: nobody has told them the end. (End it with Ctrl-C.) */
#include "workbook.h"

#include "queue.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 20, CAPACITY = 5 };

struct item {
    int producer, number;
};

struct shared {                     /* in memory that all share */
    atomic_int producing;           /* producers that have not ended */
    atomic_int came[PRODUCERS][EACH];
};

struct client {
    struct queue *queue;
    struct shared *shared;
    int number;
    pid_t parent;
};

static int produce(void *argument)
{
    const struct client *self = argument;
    check(end_with_parent(self->parent));
    for (int i = 0; i < EACH; i++) {
        struct item item = { .producer = self->number, .number = i };
        check(queue_put(self->queue, &item));
    }
    if (atomic_fetch_sub(&self->shared->producing, 1) == 1)     /* the last one: */
        queue_close(self->queue);   /* no more will come; what is in the queue can still be got */
    return 0;
}

static int consume(void *argument)
{
    const struct client *self = argument;
    struct item item;
    int last[PRODUCERS] = { -1, -1, -1 };
    check(end_with_parent(self->parent));
    while (check(queue_get(self->queue, &item)) == 1) {         /* 0: the end */
        if (item.number <= last[item.producer])
            die("producer %d: item %d came too late", item.producer, item.number);
        last[item.producer] = item.number;
        atomic_fetch_add(&self->shared->came[item.producer][item.number], 1);
    }
    return 0;
}

int main(void)
{
    struct queue *queue = check_ptr(queue_create(sizeof(struct item), CAPACITY));
    struct shared *shared = check_ptr(share(sizeof *shared));
    struct client clients[PRODUCERS + CONSUMERS];
    pid_t pids[PRODUCERS + CONSUMERS];

    shared->producing = PRODUCERS;
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        clients[i] = (struct client){ .queue = queue, .shared = shared, .number = i, .parent = getpid() };
        pids[i] = check(start_child(i < PRODUCERS ? produce : consume, &clients[i]));
    }
    if (check(wait_children(pids, PRODUCERS + CONSUMERS)) != 0)
        return 1;                   /* a killed producer would never close: the others were ended */

    for (int p = 0; p < PRODUCERS; p++)
        for (int i = 0; i < EACH; i++)
            if (shared->came[p][i] != 1)
                die("producer %d: item %d came %d times", p, i, shared->came[p][i]);
    say("%d producers put %d items each", PRODUCERS, EACH);
    say("%d consumers got %d items: each came once", CONSUMERS, PRODUCERS * EACH);
    say("in the queue: %zu", queue_size(queue));
    check(munmap(shared, sizeof *shared));
    check(queue_destroy(queue));
}

/* Output:
3 producers put 20 items each
3 consumers got 60 items: each came once
in the queue: 0
*/
