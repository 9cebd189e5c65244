/* queue_many.c - many producers and consumers, processes or threads: each message exactly once, and
   those of each producer in order.
   ./queue_many PRODUCERS CONSUMERS MESSAGES CAPACITY processes|threads
   MESSAGES are put in all; a multiple of PRODUCERS. Prints one line; exit 1 if anything is wrong. */
#include "workbook.h"

#include "queue.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 200 };

struct message {
    int producer;
    long number;
    unsigned char filling[40];      /* all the same: a torn message is seen */
};

struct all {                        /* in memory that all see */
    struct queue *queue;
    long producers, consumers, each;
    atomic_long left;               /* producers that have not ended; the last one closes the queue */
    pid_t parent;
    atomic_uchar seen[];            /* seen[producer * each + number]: how often */
};

struct client {
    struct all *all;
    int number;
};

static void produce(const struct client *client)
{
    struct all *all = client->all;
    for (long i = 0; i < all->each; i++) {
        struct message message = { .producer = client->number, .number = i };
        memset(message.filling, (int)(i % 251), sizeof message.filling);
        check(queue_put(all->queue, &message));
    }
    if (atomic_fetch_sub(&all->left, 1) == 1)
        queue_close(all->queue);
}

static void consume(const struct client *client)
{
    struct all *all = client->all;
    struct message message;
    long last[MOST];
    for (int i = 0; i < MOST; i++)
        last[i] = -1;
    while (check(queue_get(all->queue, &message)) == 1) {
        if (message.number <= last[message.producer])
            die("producer %d: %ld came after %ld", message.producer, message.number, last[message.producer]);
        last[message.producer] = message.number;
        for (size_t i = 0; i < sizeof message.filling; i++)
            if (message.filling[i] != (unsigned char)(message.number % 251))
                die("a message is torn");
        atomic_fetch_add(&all->seen[message.producer * all->each + message.number], 1);
    }
}

static void run(const struct client *client)
{
    if (client->number < client->all->producers)
        produce(client);
    else
        consume(client);
}

static void *run_thread(void *argument)
{
    run(argument);
    return NULL;
}

static int run_process(void *argument)
{
    const struct client *client = argument;
    check(end_with_parent(client->all->parent));
    run(client);
    return 0;
}

int main(int argc, char **argv)
{
    long producers, consumers, messages, capacity;
    if (argc != 6 || parse_number(argv[1], 1, MOST, &producers) == -1 ||
        parse_number(argv[2], 1, MOST, &consumers) == -1 ||
        parse_number(argv[3], 1, 100000000, &messages) == -1 || messages % producers != 0 ||
        parse_number(argv[4], 1, 1000000, &capacity) == -1)
        usage("queue_many PRODUCERS CONSUMERS MESSAGES CAPACITY processes|threads");
    struct all *all = check_ptr(share(sizeof *all + (size_t)messages));
    all->queue = check_ptr(queue_create(sizeof(struct message), (size_t)capacity));
    all->producers = producers;
    all->consumers = consumers;
    all->each = messages / producers;
    all->left = producers;
    all->parent = getpid();

    static struct client clients[2 * MOST];
    int count = (int)(producers + consumers);
    for (int i = 0; i < count; i++)
        clients[i] = (struct client){ all, i };
    if (strcmp(argv[5], "threads") == 0) {
        static pthread_t threads[2 * MOST];
        for (int i = 0; i < count; i++)
            check_pthread(pthread_create(&threads[i], NULL, run_thread, &clients[i]));
        for (int i = 0; i < count; i++)
            check_pthread(pthread_join(threads[i], NULL));
    } else {
        static pid_t pids[2 * MOST];
        for (int i = 0; i < count; i++)
            pids[i] = check(start_child(run_process, &clients[i]));
        if (check(wait_children(pids, count)) != 0)
            return 1;
    }
    for (long i = 0; i < messages; i++)
        if (all->seen[i] != 1)
            die("message %ld of producer %ld came %d times", i % all->each, i / all->each, all->seen[i]);
    say("%ld producers, %ld consumers, %ld messages: each came once", producers, consumers, messages);
}
