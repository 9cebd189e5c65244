/* queue_step3.c - a ring in shared memory instead of the pipe: faster, and now killing matters.
   Python: nothing like it; its queues are pipes
   Calls:  futex(2) by syscall(2), pthread_mutexattr_setrobust(3), pthread_mutex_consistent(3)
   Needs:  06-locks/robust_lock, 06-locks/publish, 07-coordination/process_condition,
           07-coordination/killed_waiter, queue_step2
   Try:    In put(), move the line with ring() below the line with publish(). The output is the same. But
           a writer killed between the two leaves a record, and a reader that sleeps on. */
#include "workbook.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WRITERS = 3, READERS = 3, EACH = 5, CAPACITY = 4 };
enum { THE_END = 0 };               /* the number of a record that says: this writer has ended */
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };    /* from linux/futex.h, which not every C library brings */

struct record {
    int writer, number;
    char text[56];                  /* in the record itself: a pointer would mean nothing elsewhere */
};

struct bell {                       /* where some wait until others ring */
    atomic_uint rings;              /* one sleeps here "while this number is N" */
    bool awaited;                   /* somebody may wait; stays true when that one is killed */
};

struct queue {                      /* in memory that all share */
    pthread_mutex_t lock;           /* robust; for all that follows */
    atomic_ullong put, got;         /* how many records were put so far, and how many taken */
    struct bell filled, room;       /* "there may be a record", "there may be room" */
    struct record slots[CAPACITY];  /* the ring: record number N lies in slots[N % CAPACITY] */
    atomic_int taken[WRITERS][EACH];    /* how often each record came: each must come once */
    pid_t parent;
};

struct client {                     /* what each child gets */
    struct queue *queue;
    int number;
};

static void lock(struct queue *queue)
{
    int code = pthread_mutex_lock(&queue->lock);
    if (code == EOWNERDEAD)         /* the owner was killed, and there is nothing to repair: see publish */
        code = pthread_mutex_consistent(&queue->lock);
    check_pthread(code);
}

static void unlock(struct queue *queue)
{
    check_pthread(pthread_mutex_unlock(&queue->lock));
}

/* Gives the lock back, sleeps until the bell rings, takes the lock again. May also return for no
   reason: so the caller looks in a loop, as around pthread_cond_wait. */
static void wait_for(struct queue *queue, struct bell *bell)
{
    unsigned seen = atomic_load(&bell->rings);
    bell->awaited = true;
    unlock(queue);
    /* If the bell rings between the unlock and here, the number is not SEEN any more, and the kernel
       does not let us sleep. */
    syscall(SYS_futex, &bell->rings, FUTEX_WAIT, seen, NULL, NULL, 0);
    lock(queue);
}

/* Wakes all who wait at the bell. The system call is made only if somebody may wait there. */
static void ring(struct bell *bell)
{
    if (!bell->awaited)
        return;
    atomic_fetch_add(&bell->rings, 1);
    syscall(SYS_futex, &bell->rings, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    bell->awaited = false;          /* last: one that is killed above leaves it true, for the next */
}

/* Adds 1 to a counter: the one store that makes a put or a get valid. Whoever is killed before it
   has changed nothing. "Release": the record in its slot is there for all who see the new number. */
static void publish(atomic_ullong *counter)
{
    atomic_store_explicit(counter, *counter + 1, memory_order_release);
}

/* Waits while the ring is full. Returns 0. */
static int put(struct queue *queue, const struct record *record)
{
    lock(queue);
    while (queue->put - queue->got == CAPACITY)
        wait_for(queue, &queue->room);
    queue->slots[queue->put % CAPACITY] = *record;
    ring(&queue->filled);           /* before publish: whoever is woken must get the lock first */
    publish(&queue->put);
    unlock(queue);
    return 0;
}

/* Takes one record; waits while the ring is empty. Returns 1, or 0 at the end of one writer. */
static int get(struct queue *queue, struct record *record)
{
    lock(queue);
    while (queue->put == queue->got)
        wait_for(queue, &queue->filled);
    *record = queue->slots[queue->got % CAPACITY];
    ring(&queue->room);
    publish(&queue->got);
    unlock(queue);
    return record->number != THE_END;
}

static int write_records(void *argument)
{
    const struct client *self = argument;
    check(end_with_parent(self->queue->parent));
    for (int i = 1; i <= EACH; i++) {
        struct record record = { .writer = self->number, .number = i, .text = "from my own memory" };
        check(put(self->queue, &record));
    }
    /* A ring has no end of file. One record tells one reader; there are as many readers as writers. */
    struct record end = { .writer = self->number, .number = THE_END };
    check(put(self->queue, &end));
    return 0;
}

static int read_records(void *argument)
{
    const struct client *self = argument;
    struct record record;
    check(end_with_parent(self->queue->parent));
    while (check(get(self->queue, &record)) == 1) {
        int i = record.writer - 1;
        if (i < 0 || i >= WRITERS || strcmp(record.text, "from my own memory") != 0)
            die("a torn record");
        atomic_fetch_add(&self->queue->taken[i][record.number - 1], 1);
    }
    return 0;
}

static void make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    check_pthread(pthread_mutex_init(lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));
}

int main(void)
{
    struct queue *queue = check_ptr(share(sizeof *queue));
    struct client clients[WRITERS + READERS];
    pid_t pids[WRITERS + READERS];

    queue->parent = getpid();
    make_lock(&queue->lock);
    for (int i = 0; i < WRITERS + READERS; i++) {
        clients[i] = (struct client){ .queue = queue, .number = i + 1 };
        pids[i] = check(start_child(i < WRITERS ? write_records : read_records, &clients[i]));
    }
    if (check(wait_children(pids, WRITERS + READERS)) != 0)
        return 1;                   /* one has failed: wait_children has said so, and ended the rest */

    for (int i = 0; i < WRITERS; i++)
        for (int n = 0; n < EACH; n++)
            if (queue->taken[i][n] != 1)
                die("writer %d: record %d came %d times", i + 1, n + 1, queue->taken[i][n]);
    say("%d writers, %d readers, %d records: each came once", WRITERS, READERS, WRITERS * EACH);
    check(munmap(queue, sizeof *queue));
}

/* Output:
3 writers, 3 readers, 15 records: each came once
*/
