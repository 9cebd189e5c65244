/* queue_step1.c - a pipe is a queue: three processes put records into it, one takes them.
   Python: SimpleQueue(), put(), get(), with one reader
   Calls:  pipe(2), write(2) of at most PIPE_BUF bytes, see pipe(7)
   Needs:  01-fork/pipe, 01-fork/many_children
   Try:    In put(), write the record in two halves, with two calls, and let EACH be 10000. Halves of
           two writers get mixed: the reader says "a torn record" and ends, and a writer may get SIGPIPE.
           With 5 that is rare. */
#include "workbook.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { WRITERS = 3, READERS = 1, EACH = 5 };

struct record {
    int writer, number;
    char text[56];                  /* in the record itself: a pointer would mean nothing elsewhere */
};

_Static_assert(sizeof(struct record) <= PIPE_BUF, "a longer record could be torn by another writer");

struct queue {
    int ends[2];
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
    ssize_t count = read_full(queue->ends[0], record, sizeof *record);
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
    int last[WRITERS] = { 0 };      /* the number of the last record from each writer */
    check(end_with_parent(self->queue->parent));
    check(close(self->queue->ends[1])); /* else no end of file: this process could still write */
    while (check(get(self->queue, &record)) == 1) {
        int i = record.writer - 1;
        if (i < 0 || i >= WRITERS || strcmp(record.text, "from my own memory") != 0)
            die("a torn record");
        if (record.number != ++last[i])
            die("writer %d: record %d came in the wrong place", i + 1, record.number);
    }
    for (int i = 0; i < WRITERS; i++)
        say("writer %d: %d whole records, in order", i + 1, last[i]);
    return 0;
}

int main(void)
{
    struct queue queue = { .parent = getpid() };
    struct client clients[WRITERS + READERS];
    pid_t pids[WRITERS + READERS];

    check(pipe(queue.ends));
    for (int i = 0; i < WRITERS + READERS; i++) {
        clients[i] = (struct client){ .queue = &queue, .number = i + 1 };
        pids[i] = check(start_child(i < WRITERS ? write_records : read_records, &clients[i]));
    }
    check(close(queue.ends[0]));
    check(close(queue.ends[1]));
    if (check(wait_children(pids, WRITERS + READERS)) != 0)
        return 1;                   /* one has failed: wait_children has said so, and ended the rest */
}

/* Output:
writer 1: 5 whole records, in order
writer 2: 5 whole records, in order
writer 3: 5 whole records, in order
*/
