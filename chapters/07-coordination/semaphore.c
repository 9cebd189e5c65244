/* semaphore.c - one makes, one takes, in turns: the order comes from two semaphores alone.
   Python: threading.Semaphore and multiprocessing.Semaphore, acquire() and release()
   Calls:  sem_init(3), sem_wait(3), sem_post(3), sem_destroy(3)
   Needs:  01-fork/share, 05-threads/thread, 06-locks/process_lock
   Try:    Let room begin with 2 in place of 1. Now the producer may be two items ahead,
           and overwrite one that is not taken yet: the table has room for one only. */
#include "workbook.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ITEMS = 5 };

struct table {
    sem_t room;             /* how many items may still be put: 1, then 0 or 1 */
    sem_t filled;           /* how many items may be taken: 0, then 0 or 1 */
    int item;               /* whoever has got one of the two semaphores may use this */
    pid_t parent;
};

static void produce(struct table *table)
{
    for (int i = 1; i <= ITEMS; i++) {
        check(wait_semaphore(&table->room));        /* sem_wait: takes 1 away; waits while it is 0 */
        table->item = i;
        say("produced %d", i);
        check(sem_post(&table->filled));            /* adds 1; if somebody waits, lets one go on */
    }
}

static void consume(struct table *table)
{
    for (int i = 1; i <= ITEMS; i++) {
        check(wait_semaphore(&table->filled));
        say("consumed %d", table->item);
        check(sem_post(&table->room));
    }
}

static void *producer_thread(void *table) { produce(table); return NULL; }
static void *consumer_thread(void *table) { consume(table); return NULL; }

static void with_threads(void)
{
    struct table table;     /* threads see all memory of their process */
    check(sem_init(&table.room, 0, 1));             /* 0: for the threads of this process */
    check(sem_init(&table.filled, 0, 0));
    pthread_t producer, consumer;
    check_pthread(pthread_create(&consumer, NULL, consumer_thread, &table));
    check_pthread(pthread_create(&producer, NULL, producer_thread, &table));
    check_pthread(pthread_join(producer, NULL));
    check_pthread(pthread_join(consumer, NULL));
    check(sem_destroy(&table.room));
    check(sem_destroy(&table.filled));
}

static int producer_child(void *argument)
{
    struct table *table = argument;
    check(end_with_parent(table->parent));
    produce(table);
    return 0;
}

static int consumer_child(void *argument)
{
    struct table *table = argument;
    check(end_with_parent(table->parent));
    consume(table);
    return 0;
}

static int with_processes(void)
{
    struct table *table = check_ptr(share(sizeof *table));  /* processes see only what they share */
    table->parent = getpid();
    check(sem_init(&table->room, 1, 1));            /* 1: for all processes that see this memory */
    check(sem_init(&table->filled, 1, 0));
    pid_t children[2];
    children[0] = check(start_child(consumer_child, table));
    children[1] = check(start_child(producer_child, table));
    /* When one is killed, this ends the other one, which would wait for ever. */
    int failed = check(wait_children(children, 2));
    check(sem_destroy(&table->room));
    check(sem_destroy(&table->filled));
    check(munmap(table, sizeof *table));
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "processes") == 0)
        return with_processes();
    if (argc != 1)
        usage("semaphore [processes]");
    with_threads();
}

/* Output:
produced 1
consumed 1
produced 2
consumed 2
produced 3
consumed 3
produced 4
consumed 4
produced 5
consumed 5
*/
/* Output of ./semaphore processes:
produced 1
consumed 1
produced 2
consumed 2
produced 3
consumed 3
produced 4
consumed 4
produced 5
consumed 5
*/
