/* race.c - two threads add to one number, and additions get lost.
   Python: x += 1 in two Threads
   Calls:  no call at all: x++ is three steps, a read, an addition and a write
   Needs:  01-fork/pipe, 05-threads/thread
   Try:    Run `build/race plain` twenty times. Nothing is arranged there: it is plain x++. How much
           is lost is another number each time, and now and then it may even be nothing. */
#include "workbook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 3, PLAIN_ROUNDS = 5000000 };

struct counter {
    int plain;                      /* for `race plain` */
    atomic_int x;                   /* an int that two threads may use at once: see atomic.c */
};

struct adder {
    pthread_t thread;
    struct counter *counter;
    int tell, hear;                 /* pipe ends: to the other adder, and from it */
};

/* Returns when the other adder has called it, too. */
static void meet(const struct adder *self)
{
    char byte = 'm';
    check(write_full(self->tell, &byte, 1));
    check(read_full(self->hear, &byte, 1));
}

static void *add_plainly(void *argument)
{
    const struct adder *self = argument;
    meet(self);                     /* so that they begin together */
    for (int i = 0; i < PLAIN_ROUNDS; i++)
        self->counter->plain++;     /* two threads, nothing orders them: C promises nothing here */
    return NULL;
}

/* x++ again, but in an order that we arrange: first both read, then both write. */
static void *add(void *argument)
{
    const struct adder *self = argument;
    for (int i = 0; i < ROUNDS; i++) {
        int seen = atomic_load_explicit(&self->counter->x, memory_order_relaxed);
        meet(self);                 /* both have read the same number */
        atomic_store_explicit(&self->counter->x, seen + 1, memory_order_relaxed);
        meet(self);                 /* both have written the same number */
    }
    return NULL;
}

int main(int argc, char **argv)
{
    bool plain = argc == 2 && strcmp(argv[1], "plain") == 0;
    if (argc > 1 && !plain)
        usage("race [plain]");

    struct counter counter = { 0 };
    int there[2], back[2];
    check(pipe(there));
    check(pipe(back));
    struct adder adders[2] = {
        { .counter = &counter, .tell = there[1], .hear = back[0] },
        { .counter = &counter, .tell = back[1], .hear = there[0] },
    };
    for (int i = 0; i < 2; i++)
        check_pthread(pthread_create(&adders[i].thread, NULL, plain ? add_plainly : add, &adders[i]));
    for (int i = 0; i < 2; i++)
        check_pthread(pthread_join(adders[i].thread, NULL));
    for (int i = 0; i < 2; i++) {
        check(close(there[i]));
        check(close(back[i]));
    }

    int added = 2 * (plain ? PLAIN_ROUNDS : ROUNDS);
    int x = plain ? counter.plain : counter.x;
    say("2 threads added 1, together %d times", added);
    say("%sx = %d, lost: %d", x == added ? "" : "WRONG: ", x, added - x);
}

/* Output:
2 threads added 1, together 6 times
WRONG: x = 3, lost: 3
*/
