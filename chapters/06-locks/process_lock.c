/* process_lock.c - a lock between processes: shared, or copied by fork.
   Python: multiprocessing.Lock()
   Calls:  pthread_mutexattr_setpshared(3) with PTHREAD_PROCESS_SHARED; mmap(2) by share
   Needs:  01-fork/share, 01-fork/copy_on_write, lock, lock_errors
   Try:    Run `build/process_lock plain` twenty times: each child locks a lock of its own, as in
           "copied", but nothing else is arranged. What is lost is another number each time. */
#include "workbook.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROUNDS = 3, PLAIN_ROUNDS = 1000000 };
enum { RIGHT, COPIED, PLAIN };      /* modes */

struct counter {                    /* in memory that all processes see */
    pthread_mutex_t lock;
    atomic_int x;                   /* atomic for the wrong versions only: see race.c */
};

/* An ordinary variable: after fork, each process has its own. */
static pthread_mutex_t copied_lock = PTHREAD_MUTEX_INITIALIZER;

struct adder {
    struct counter *counter;
    int mode;
    int tell, hear;                 /* pipe ends: to the other adder, and from it */
    pid_t parent;
};

/* Returns when the other adder has called it, too. */
static void meet(const struct adder *self)
{
    char byte = 'm';
    check(write_full(self->tell, &byte, 1));
    check(read_full(self->hear, &byte, 1));
}

static int add(void *argument)
{
    const struct adder *self = argument;
    pthread_mutex_t *lock = self->mode == RIGHT ? &self->counter->lock : &copied_lock;
    check(end_with_parent(self->parent));   /* main may be killed while we wait for the lock */
    for (int i = 0; i < (self->mode == PLAIN ? PLAIN_ROUNDS : ROUNDS); i++) {
        check_pthread(pthread_mutex_lock(lock));
        int seen = atomic_load_explicit(&self->counter->x, memory_order_relaxed);
        if (self->mode == COPIED)
            meet(self);             /* both are inside. With one lock this would wait for ever */
        atomic_store_explicit(&self->counter->x, seen + 1, memory_order_relaxed);
        check_pthread(pthread_mutex_unlock(lock));
        if (self->mode != PLAIN)
            meet(self);             /* both have added */
    }
    return 0;
}

int main(int argc, char **argv)
{
    int mode = RIGHT;
    if (argc == 2 && strcmp(argv[1], "copied") == 0)
        mode = COPIED;
    else if (argc == 2 && strcmp(argv[1], "plain") == 0)
        mode = PLAIN;
    else if (argc > 1)
        usage("process_lock [copied|plain]");

    struct counter *counter = check_ptr(share(sizeof *counter));
    pthread_mutexattr_t attributes;
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_mutex_init(&counter->lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));

    int there[2], back[2];
    check(pipe(there));
    check(pipe(back));
    struct adder adders[2] = {
        { counter, mode, there[1], back[0], getpid() },
        { counter, mode, back[1], there[0], getpid() },
    };
    pid_t pids[2];
    for (int i = 0; i < 2; i++)
        pids[i] = check(start_child(add, &adders[i]));
    /* A child that is killed keeps the lock for ever. So wait for ANY child: when one is killed, the
       other one is ended, too. */
    if (check(wait_children(pids, 2)) != 0)
        return 1;                   /* it has been told */
    for (int i = 0; i < 2; i++) {
        check(close(there[i]));
        check(close(back[i]));
    }

    int added = 2 * (mode == PLAIN ? PLAIN_ROUNDS : ROUNDS);
    int x = counter->x;
    say("2 processes added 1, together %d times", added);
    say("%sx = %d, lost: %d", x == added ? "" : "WRONG: ", x, added - x);
    check_pthread(pthread_mutex_destroy(&counter->lock));
    check(munmap(counter, sizeof *counter));
}

/* Output:
2 processes added 1, together 6 times
x = 6, lost: 0
*/

/* Output of ./process_lock copied:
2 processes added 1, together 6 times
WRONG: x = 3, lost: 3
*/
