/* private_lock.c - a lock in shared memory, but made for one process: its unlock wakes nobody elsewhere.
   Python: cannot happen: a multiprocessing.Lock is always made for several processes
   Calls:  pthread_mutexattr_setpshared(3) with PTHREAD_PROCESS_PRIVATE, which is what a mutex is by default
   Needs:  01-fork/states, try_and_timeout, process_lock
   Try:    Run `build/private_lock plain`: two children use such a lock many times, and nothing is
           arranged. Sooner or later one of them sleeps, and nobody wakes it. */
#include "workbook.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PLAIN_ROUNDS = 1000000 };

struct waiter {
    pthread_mutex_t *lock;          /* in shared memory */
    int tell, hear;                 /* pipe ends: to main, and from main */
    int limit_ms;
    pid_t parent;
};

/* The moment that is MS ms after now, by the clock of the mutexes: see try_and_timeout.c. */
static struct timespec moment_in(int ms)
{
    struct timespec moment;
    check(clock_gettime(CLOCK_REALTIME, &moment));
    long ns = moment.tv_nsec + ms % 1000 * 1000000L;
    moment.tv_sec += ms / 1000 + ns / 1000000000;
    moment.tv_nsec = ns % 1000000000;
    return moment;
}

/* A child. Main has the lock: waits for it, with a limit, and tells how that went. */
static int wait_for_lock(void *argument)
{
    const struct waiter *self = argument;
    char byte = 'w';
    check(end_with_parent(self->parent));
    check(write_full(self->tell, &byte, 1));
    struct timespec limit = moment_in(self->limit_ms);
    int code = pthread_mutex_timedlock(self->lock, &limit);
    if (check(read_full(self->hear, &byte, 1)) == 0)
        die("main has not unlocked");
    if (code == ETIMEDOUT && pthread_mutex_trylock(self->lock) == 0)
        say("WRONG: unlocked by main, but the child slept on until its limit. Then the lock was free");
    else if (code == 0)
        say("unlocked by main: the child was woken, and has the lock");
    else
        die("pthread_mutex_timedlock: %s", errno_name(code));
    check_pthread(pthread_mutex_unlock(self->lock));
    return 0;
}

/* For `plain`: a child that only locks and unlocks. */
static int lock_often(void *argument)
{
    const struct waiter *self = argument;
    check(end_with_parent(self->parent));
    for (int i = 0; i < PLAIN_ROUNDS; i++) {
        struct timespec limit = moment_in(self->limit_ms);
        if (pthread_mutex_timedlock(self->lock, &limit) == ETIMEDOUT) {
            say("WRONG: a child slept before the lock until its limit; nobody woke it");
            return 0;
        }
        check_pthread(pthread_mutex_unlock(self->lock));
    }
    say("a child has had the lock %d times", PLAIN_ROUNDS);
    return 0;
}

int main(int argc, char **argv)
{
    bool shared = argc == 2 && strcmp(argv[1], "shared") == 0;
    bool plain = argc == 2 && strcmp(argv[1], "plain") == 0;
    if (argc > 1 && !shared && !plain)
        usage("private_lock [shared|plain]");

    pthread_mutex_t *lock = check_ptr(share(sizeof *lock));
    pthread_mutexattr_t attributes;
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_setpshared(&attributes,
        shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE));
    check_pthread(pthread_mutex_init(lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));

    int there[2], back[2];
    check(pipe(there));
    check(pipe(back));
    struct waiter waiter = { lock, there[1], back[0], shared ? 10000 : 600, getpid() };
    pid_t pids[2];
    int children = 0;
    if (plain) {
        while (children < 2)
            pids[children++] = check(start_child(lock_often, &waiter));
        check(close(there[1]));
    } else {
        char byte = 'u';
        check_pthread(pthread_mutex_lock(lock));
        pids[children++] = check(start_child(wait_for_lock, &waiter));
        check(close(there[1]));     /* now end of file there means: the child has ended */
        if (check(read_full(there[0], &byte, 1)) == 1 && wait_for_state(pids[0], 'S', 500) == 0)
            say("the child waits for the lock of main");
        check_pthread(pthread_mutex_unlock(lock));
        check(write_full(back[1], &byte, 1));
    }
    if (check(wait_children(pids, children)) != 0)
        return 1;                   /* it has been told */
    check(close(there[0]));
    check(close(back[0]));
    check(close(back[1]));
    check_pthread(pthread_mutex_destroy(lock));
    check(munmap(lock, sizeof *lock));
}

/* Output:
the child waits for the lock of main
WRONG: unlocked by main, but the child slept on until its limit. Then the lock was free
*/

/* Output of ./private_lock shared:
the child waits for the lock of main
unlocked by main: the child was woken, and has the lock
*/
