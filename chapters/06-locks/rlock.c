/* rlock.c - a lock that its owner may take again: a box whose add and remove call execute.
   Python: threading.RLock()
   Calls:  pthread_mutexattr_settype(3) with PTHREAD_MUTEX_RECURSIVE
   Needs:  01-fork/pipe, 05-threads/thread, lock_errors
   Try:    Write PTHREAD_MUTEX_ERRORCHECK for PTHREAD_MUTEX_RECURSIVE. The first add ends the program:
           it has the lock, and calls execute, which wants it too. The line says where. */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

struct box {
    pthread_mutex_t lock;           /* recursive: it has an owner, and counts how often it is locked */
    int depth, deepest;             /* the same count, for our output; the mutex does not show its own */
    int items, lowest;
};

static void enter(struct box *box)
{
    check_pthread(pthread_mutex_lock(&box->lock));
    if (++box->depth > box->deepest)
        box->deepest = box->depth;
}

/* Others can come in only after the last leave: as many as there were enters. */
static void leave(struct box *box)
{
    box->depth--;
    check_pthread(pthread_mutex_unlock(&box->lock));
}

/* Changes the number of items by N, or returns false where it would fall below zero. */
static bool execute(struct box *box, int n)
{
    enter(box);                     /* its callers have the lock already; others may call it without */
    bool possible = box->items + n >= 0;
    if (possible)
        box->items += n;
    if (box->items < box->lowest)
        box->lowest = box->items;
    leave(box);
    return possible;
}

static bool add_item(struct box *box)
{
    enter(box);
    bool done = execute(box, 1);
    leave(box);
    return done;
}

static bool remove_item(struct box *box)
{
    enter(box);
    bool done = execute(box, -1);
    leave(box);
    return done;
}

struct worker {
    struct box *box;
    int count, done;
    int pipe_end;                   /* a byte for each item in the box */
};

static void *adder(void *argument)
{
    struct worker *self = argument;
    for (int i = 0; i < self->count; i++) {
        self->done += add_item(self->box);
        check(write_full(self->pipe_end, "i", 1));
    }
    return NULL;
}

static void *remover(void *argument)
{
    struct worker *self = argument;
    for (int i = 0; i < self->count; i++) {
        char byte;
        check(read_full(self->pipe_end, &byte, 1));     /* waits until there is one */
        self->done += remove_item(self->box);
    }
    return NULL;
}

static void *stranger(void *argument)
{
    struct box *box = argument;
    say("WRONG: unlock by another thread: %s", errno_name(pthread_mutex_unlock(&box->lock)));
    return NULL;
}

int main(int argc, char **argv)
{
    long count;
    bool misuse = argc == 3 && strcmp(argv[2], "misuse") == 0;
    if (argc < 2 || (argc > 2 && !misuse) || parse_number(argv[1], 1, 1000, &count) == -1)
        usage("rlock COUNT [misuse]  (items, 1 to 1000)");

    struct box box = { .items = 0 };
    pthread_mutexattr_t attributes;
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE));
    check_pthread(pthread_mutex_init(&box.lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));

    int ends[2];
    check(pipe(ends));
    struct worker adding = { .box = &box, .count = (int)count, .pipe_end = ends[1] };
    struct worker removing = { .box = &box, .count = (int)count, .pipe_end = ends[0] };
    pthread_t threads[2], other;
    check_pthread(pthread_create(&threads[0], NULL, adder, &adding));
    check_pthread(pthread_create(&threads[1], NULL, remover, &removing));
    for (int i = 0; i < 2; i++)
        check_pthread(pthread_join(threads[i], NULL));
    check(close(ends[0]));
    check(close(ends[1]));
    say("added %d, removed %d; left: %d", adding.done, removing.done, box.items);
    say("depth of the lock in execute: %d", box.deepest);
    bool removed = remove_item(&box);
    say("remove from the empty box: %s; the lowest count was %d", removed ? "done" : "refused",
        box.lowest);

    if (misuse) {
        enter(&box);
        check_pthread(pthread_create(&other, NULL, stranger, &box));
        check_pthread(pthread_join(other, NULL));
        leave(&box);
        say("WRONG: unlock once too often: %s", errno_name(pthread_mutex_unlock(&box.lock)));
    }
    check_pthread(pthread_mutex_destroy(&box.lock));
}

/* Output of ./rlock 3:
added 3, removed 3; left: 0
depth of the lock in execute: 2
remove from the empty box: refused; the lowest count was 0
*/

/* Output of ./rlock 3 misuse:
added 3, removed 3; left: 0
depth of the lock in execute: 2
remove from the empty box: refused; the lowest count was 0
WRONG: unlock by another thread: EPERM
WRONG: unlock once too often: EPERM
*/
