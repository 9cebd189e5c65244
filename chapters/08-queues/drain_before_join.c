/* drain_before_join.c - take what a child has sent before you join it, or both wait.
   Python: Queue(), p.join() before q.get(): "Joining processes that use queues" in the manual
   Calls:  write(2) to a full pipe, see pipe(7); queue_put, queue_get_for of queue.h
   Needs:  01-fork/pipe, 02-process/join_timeout, 03-exec/deadlock, timeouts
   Try:    Write 1000 for AMOUNT. It fits into the pipe: the first join succeeds, and the program says
           so and ends. The mistake is still there, but a test with small data does not find it. */
#include "workbook.h"

#include "queue.h"
#include "../02-process/process.h"

#include <unistd.h>

enum { AMOUNT = 200000, MESSAGES = 10, CAPACITY = 4, LIMIT_MS = 50, LONG_LIMIT_MS = 2000 };

static int write_much(void *argument)
{
    const int *ends = argument;
    static char bytes[AMOUNT];
    check(close(ends[0]));
    check(write_full(ends[1], bytes, sizeof bytes));    /* a pipe has room for 65536 bytes */
    return 0;
}

static int put_much(void *argument)
{
    struct queue *queue = argument;
    for (int i = 1; i <= MESSAGES; i++)
        check(queue_put(queue, &i));                    /* the queue has room for 4 messages */
    return 0;
}

/* The wrong order: join first. The limit is there so that you see it; without, it is for ever. */
static void join_too_early(struct process *child)
{
    if (check(process_join_for(child, LIMIT_MS)) == 0) {
        process_expect(child, 0);
        die("%s has ended before anything was taken", child->name);
    }
    say("%s: joined with a limit: it still runs, it waits for room", child->name);
}

static void join_now(struct process *child)
{
    check(process_join(child));
    process_expect(child, 0);
    say("%s: joined after that: it has ended", child->name);
}

static void with_a_pipe(void)
{
    int ends[2];
    char bytes[4096];
    long taken = 0;
    ssize_t count;
    check(pipe(ends));
    struct process writer = { .target = write_much, .argument = ends, .name = "pipe" };
    check(process_start(&writer));
    check(close(ends[1]));
    join_too_early(&writer);
    while ((count = check(read_full(ends[0], bytes, sizeof bytes))) > 0)
        taken += count;                                 /* until end of file */
    if (taken < AMOUNT)
        say("pipe: end of file came early");            /* killed: join_now tells */
    else
        say("pipe: %ld bytes taken", taken);
    check(close(ends[0]));
    join_now(&writer);
}

static void with_the_queue(void)
{
    struct queue *queue = check_ptr(queue_create(sizeof(int), CAPACITY));
    struct process putter = { .target = put_much, .argument = queue, .name = "queue" };
    check(process_start(&putter));
    join_too_early(&putter);
    int number = 0, taken = 0;
    while (taken < MESSAGES && queue_get_for(queue, &number, LONG_LIMIT_MS) == 1)
        taken++;                                        /* the limit: if it is killed, no more will come */
    say("queue: %d messages taken, the last is %d", taken, number);
    join_now(&putter);
    check(queue_destroy(queue));
}

int main(void)
{
    with_a_pipe();
    with_the_queue();
}

/* Output:
pipe: joined with a limit: it still runs, it waits for room
pipe: 200000 bytes taken
pipe: joined after that: it has ended
queue: joined with a limit: it still runs, it waits for room
queue: 10 messages taken, the last is 10
queue: joined after that: it has ended
*/
