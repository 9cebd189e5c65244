/* queue_step1.c - a pipe is a queue: three processes put records into it, one takes them.
   Python: SimpleQueue(), put(), get(), with one reader
   Calls:  pipe(2), write(2) of at most PIPE_BUF bytes, see pipe(7)
   Needs:  01-fork/pipe, 01-fork/many_children
   Try:    In put(), write the record in two halves, with two calls, and let EACH be 10000. Halves of
           two writers get mixed, and main ends the program: "a torn record". With 5, that is rare. */
#include "workbook.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { WRITERS = 3, EACH = 5 };

struct record {
    int writer, number;
    char text[56];                  /* in the record itself: a pointer would mean nothing elsewhere */
};

_Static_assert(sizeof(struct record) <= PIPE_BUF, "a longer record could be torn by another writer");

struct writer {
    int number;
    const int *queue;               /* the two ends of the pipe */
    pid_t parent;
};

/* One write, of at most PIPE_BUF bytes: the kernel puts it into the pipe in one piece. Waits while
   the pipe is full. Returns 0, or -1. */
static int put(const int *queue, const struct record *record)
{
    return write(queue[1], record, sizeof *record) == -1 ? -1 : 0;
}

/* Takes one record; waits while the pipe is empty. Returns 1, or 0 at the end: empty, and no process
   has the write end any more. Or -1. */
static int get(const int *queue, struct record *record)
{
    ssize_t count = read_full(queue[0], record, sizeof *record);
    return count <= 0 ? (int)count : 1;
}

static int write_records(void *argument)
{
    const struct writer *self = argument;
    check(end_with_parent(self->parent));
    check(close(self->queue[0]));
    for (int i = 1; i <= EACH; i++) {
        struct record record = { .writer = self->number, .number = i, .text = "from my own memory" };
        check(put(self->queue, &record));
    }
    return 0;
}

int main(void)
{
    int queue[2];
    struct writer writers[WRITERS];
    pid_t pids[WRITERS];
    int next[WRITERS];              /* the number that must come next from each writer */

    check(pipe(queue));
    for (int i = 0; i < WRITERS; i++) {
        next[i] = 1;
        writers[i] = (struct writer){ .number = i + 1, .queue = queue, .parent = getpid() };
        pids[i] = check(start_child(write_records, &writers[i]));
    }
    check(close(queue[1]));         /* else the end of file would never come: main could still write */

    struct record record;
    while (check(get(queue, &record)) == 1) {
        int i = record.writer - 1;
        if (i < 0 || i >= WRITERS || strcmp(record.text, "from my own memory") != 0)
            die("a torn record");
        if (record.number != next[i]++)
            die("writer %d: record %d came in the wrong place", i + 1, record.number);
    }
    check(close(queue[0]));
    if (check(wait_children(pids, WRITERS)) != 0)
        return 1;                   /* it has been told */
    for (int i = 0; i < WRITERS; i++)
        say("writer %d: %d whole records, in order", i + 1, next[i] - 1);
}

/* Output:
writer 1: 5 whole records, in order
writer 2: 5 whole records, in order
writer 3: 5 whole records, in order
*/
