/* lock.c - the same two threads with a lock: nothing is lost.
   Python: threading.Lock(), acquire(), release()
   Calls:  pthread_mutex_lock(3), pthread_mutex_unlock(3), pthread_mutex_destroy(3)
   Needs:  race
   Try:    In add, put `meet(self);` between the read and the write, as it stands in race.c. The
           program hangs: one thread is inside and waits for the other, which cannot come in. So
           the order that lost additions is impossible now. (End it with Ctrl-C.) */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 3, PLAIN_ROUNDS = 5000000 };

struct counter {
    pthread_mutex_t lock;           /* whoever uses x must have it */
    int x;                          /* an ordinary int: the lock is enough */
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
    for (int i = 0; i < PLAIN_ROUNDS; i++) {
        check_pthread(pthread_mutex_lock(&self->counter->lock));
        self->counter->x++;
        check_pthread(pthread_mutex_unlock(&self->counter->lock));
    }
    return NULL;
}

/* x++ in its steps, with the lock around them. */
static void *add(void *argument)
{
    const struct adder *self = argument;
    for (int i = 0; i < ROUNDS; i++) {
        check_pthread(pthread_mutex_lock(&self->counter->lock));    /* waits while the other has it */
        int seen = self->counter->x;
        self->counter->x = seen + 1;
        check_pthread(pthread_mutex_unlock(&self->counter->lock));
        meet(self);                 /* both have added */
    }
    return NULL;
}

int main(int argc, char **argv)
{
    bool plain = argc == 2 && strcmp(argv[1], "plain") == 0;
    if (argc > 1 && !plain)
        usage("lock [plain]");

    struct counter counter = { .lock = PTHREAD_MUTEX_INITIALIZER };
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
    say("2 threads added 1, together %d times", added);
    say("%sx = %d, lost: %d", counter.x == added ? "" : "WRONG: ", counter.x, added - counter.x);
    check_pthread(pthread_mutex_destroy(&counter.lock));
}

/* Output:
2 threads added 1, together 6 times
x = 6, lost: 0
*/
