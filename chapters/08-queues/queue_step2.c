/* queue_step2.c - several readers too: a lock around the read, as CPython's Queue has it.
   Python: SimpleQueue(), put(), get(), with several readers
   Calls:  pipe(2), pthread_mutex_lock(3), pthread_mutexattr_setpshared(3)
   Needs:  01-fork/pipe, 06-locks/process_lock, 06-locks/atomic, queue_step1
   Try:    In get(), read the record in two halves, with two calls. All is well, thanks to the lock. Now
           take out both lines of the lock, and let EACH be 10000: "a torn record", of two halves. */
#include "workbook.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WRITERS = 3, READERS = 3, EACH = 5 };

struct record {
    int writer, number;
    char text[56];                  /* in the record itself: a pointer would mean nothing elsewhere */
};

_Static_assert(sizeof(struct record) <= PIPE_BUF, "a longer record could be torn by another writer");

struct queue {                      /* in memory that all share */
    int ends[2];
    pthread_mutex_t reading;        /* one reader at a time */
    atomic_int taken[WRITERS][EACH];    /* how often each record came: each must come once */
    pid_t parent;
};

struct client {                     /* what each child gets */
    struct queue *queue;
    int number;
};

/* One write, of at most PIPE_BUF bytes: the kernel puts it into the pipe in one piece. Waits while
   the pipe is full. Returns 0, or -1. */
static int put(struct queue *queue, const struct record *record)
{
    return write(queue->ends[1], record, sizeof *record) == -1 ? -1 : 0;
}

/* Takes one record; waits while the pipe is empty. Returns 1, or 0 at the end: empty, and no process
   has the write end any more. Or -1. */
static int get(struct queue *queue, struct record *record)
{
    /* A read may bring a part of the record only. The rest must not go to another reader. */
    check_pthread(pthread_mutex_lock(&queue->reading));
    ssize_t count = read_full(queue->ends[0], record, sizeof *record);
    check_pthread(pthread_mutex_unlock(&queue->reading));
    return count <= 0 ? (int)count : 1;
}

static int write_records(void *argument)
{
    const struct client *self = argument;
    check(end_with_parent(self->queue->parent));
    check(close(self->queue->ends[0]));
    for (int i = 1; i <= EACH; i++) {
        struct record record = { .writer = self->number, .number = i, .text = "from my own memory" };
        check(put(self->queue, &record));
    }
    return 0;
}

static int read_records(void *argument)
{
    const struct client *self = argument;
    struct record record;
    check(end_with_parent(self->queue->parent));
    check(close(self->queue->ends[1])); /* else no end of file: this process could still write */
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
    check_pthread(pthread_mutex_init(lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));
}

int main(void)
{
    struct queue *queue = check_ptr(share(sizeof *queue));
    struct client clients[WRITERS + READERS];
    pid_t pids[WRITERS + READERS];

    queue->parent = getpid();
    make_lock(&queue->reading);
    check(pipe(queue->ends));
    for (int i = 0; i < WRITERS + READERS; i++) {
        clients[i] = (struct client){ .queue = queue, .number = i + 1 };
        pids[i] = check(start_child(i < WRITERS ? write_records : read_records, &clients[i]));
    }
    check(close(queue->ends[0]));
    check(close(queue->ends[1]));
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
