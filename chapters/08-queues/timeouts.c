/* timeouts.c - a queue that is empty, or full: do not wait, wait with a limit, or wait.
   Python: get_nowait(), get(timeout=0.05), put_nowait(), put(timeout=0.05); queue.Empty, queue.Full
   Calls:  queue_try_get, queue_get_for, queue_try_put, queue_put_for of queue.h
   Needs:  01-fork/states, 06-locks/try_and_timeout, write_read
   Try:    Let the child put only when main is in state 'R' instead of 'S'. Main sleeps, so that never
           comes: the child gives up after 1 s, and main after 2 s. */
#include "workbook.h"

#include "queue.h"

#include <errno.h>
#include <unistd.h>

enum { CAPACITY = 2, LIMIT_MS = 50, LONG_LIMIT_MS = 2000 };

/* RESULT is what put or get has returned, and errno says why it is -1. */
static void tell(const char *what, int result)
{
    say("%s: %s", what, result == -1 ? errno_name(errno) : result == 0 ? "put" : "got one");
}

static void tell_size(struct queue *queue)
{
    say("  it holds %zu of %d%s%s", queue_size(queue), CAPACITY,
        queue_empty(queue) ? ", is empty" : "", queue_full(queue) ? ", is full" : "");
}

struct client {
    struct queue *queue;
    pid_t parent;
};

static int put_when_main_waits(void *argument)
{
    const struct client *self = argument;
    int number = 3;
    check(end_with_parent(self->parent));
    check(wait_for_state(self->parent, 'S', 1000));     /* main is in queue_get_for, or nearly */
    check(queue_put(self->queue, &number));
    return 0;
}

int main(void)
{
    struct queue *queue = check_ptr(queue_create(sizeof(int), CAPACITY));
    int number = 0;

    tell_size(queue);
    tell("try to get", queue_try_get(queue, &number));
    tell("get within 50 ms", queue_get_for(queue, &number, LIMIT_MS));

    tell("try to put", queue_try_put(queue, &(int){ 1 }));
    tell("put within 50 ms", queue_put_for(queue, &(int){ 2 }, LIMIT_MS));
    tell_size(queue);
    tell("try to put", queue_try_put(queue, &(int){ 3 }));
    tell("put within 50 ms", queue_put_for(queue, &(int){ 3 }, LIMIT_MS));

    while (queue_try_get(queue, &number) == 1)
        say("got %d", number);
    tell_size(queue);

    struct client client = { .queue = queue, .parent = getpid() };
    pid_t child = check(start_child(put_when_main_waits, &client));
    tell("get within 2 s, and a child puts", queue_get_for(queue, &number, LONG_LIMIT_MS));
    if (check(wait_children(&child, 1)) != 0)
        return 1;                   /* killed, or it has failed: main has waited until its limit */
    say("got %d", number);
    check(queue_destroy(queue));
}

/* Output:
  it holds 0 of 2, is empty
try to get: EAGAIN
get within 50 ms: ETIMEDOUT
try to put: put
put within 50 ms: put
  it holds 2 of 2, is full
try to put: EAGAIN
put within 50 ms: ETIMEDOUT
got 1
got 2
  it holds 0 of 2, is empty
get within 2 s, and a child puts: got one
got 3
*/
