/* process_lock.c - a lock between processes, and two ways to get it wrong.
   Python: multiprocessing.Lock()
   Calls:  pthread_mutexattr_setpshared(3) with PTHREAD_PROCESS_SHARED; mmap(2) by share
   Needs:  01-fork/share, 01-fork/copy_on_write, try_and_timeout, lock_errors
   Try:    Run `build/process_lock plain` twenty times: each child locks a lock of its own, as in
           "copied", but nothing else is arranged. What is lost is another number each time. */
#include "workbook.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 3, PLAIN_ROUNDS = 1000000 };
enum { RIGHT, COPIED, PRIVATE, PLAIN };             /* modes */

struct shared {                     /* in memory that all processes see */
    pthread_mutex_t lock;
    atomic_int x;
};

struct child {                      /* in ordinary memory: after fork each process has its own */
    struct shared *shared;
    int mode;
    pthread_mutex_t own_lock;       /* for COPIED: each process has another one */
    int tell, hear;                 /* pipe ends: to the other one, and from it */
    pid_t parent;
};

/* Returns when the other one has called it, too. */
static void meet(const struct child *self)
{
    char byte = 'm';
    check(write_full(self->tell, &byte, 1));
    check(read_full(self->hear, &byte, 1));
}

static int add(void *argument)
{
    struct child *self = argument;
    check(end_with_parent(self->parent));   /* main may be killed while we wait for the lock */
    bool copied = self->mode == COPIED || self->mode == PLAIN;
    pthread_mutex_t *lock = copied ? &self->own_lock : &self->shared->lock;
    for (int i = 0; i < (self->mode == PLAIN ? PLAIN_ROUNDS : ROUNDS); i++) {
        check_pthread(pthread_mutex_lock(lock));
        int seen = atomic_load_explicit(&self->shared->x, memory_order_relaxed);
        if (self->mode == COPIED)
            meet(self);             /* both are inside. With one lock this would wait for ever */
        atomic_store_explicit(&self->shared->x, seen + 1, memory_order_relaxed);
        check_pthread(pthread_mutex_unlock(lock));
        if (self->mode != PLAIN)
            meet(self);
    }
    return 0;
}

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

/* Main has the lock. Waits for it with a limit, and tells how that went. */
static int wait_for_lock(void *argument)
{
    struct child *self = argument;
    pthread_mutex_t *lock = &self->shared->lock;
    char byte = 'w';
    check(end_with_parent(self->parent));
    check(write_full(self->tell, &byte, 1));
    struct timespec limit = moment_in(self->mode == PRIVATE ? 600 : 10000);
    int code = pthread_mutex_timedlock(lock, &limit);
    check(read_full(self->hear, &byte, 1));         /* main has unlocked, for sure */
    if (code == 0)
        say("unlocked by main: the child was woken, and has the lock");
    else if (code == ETIMEDOUT && pthread_mutex_trylock(lock) == 0)
        say("WRONG: unlocked by main, but the child slept on until its limit. Then the lock was free");
    else
        die("pthread_mutex_timedlock: %s", errno_name(code));
    check_pthread(pthread_mutex_unlock(lock));
    return 0;
}

/* Two children add, with the lock. Returns false when one of them failed; that has been told. */
static bool add_together(struct child children[2])
{
    pid_t pids[2];
    for (int i = 0; i < 2; i++)
        pids[i] = check(start_child(add, &children[i]));
    if (check(wait_children(pids, 2)) != 0)         /* waits for both, so it hears of any end */
        return false;
    int added = 2 * (children[0].mode == PLAIN ? PLAIN_ROUNDS : ROUNDS);
    int x = children[0].shared->x;
    say("2 processes added 1, together %d times", added);
    say("%sx = %d, lost: %d", x == added ? "" : "WRONG: ", x, added - x);
    return true;
}

/* A child waits for the lock that main has; then main unlocks it. */
static bool wake_a_child(struct child *child, const struct child *main_side)
{
    char byte = 'u';
    check_pthread(pthread_mutex_lock(&child->shared->lock));
    pid_t pid = check(start_child(wait_for_lock, child));
    check(close(child->tell));                      /* now end of file means: the child has ended */
    int told = (int)check(read_full(main_side->hear, &byte, 1));
    if (told == 1 && wait_for_state(pid, 'S', 500) == 0)
        say("the child waits for the lock of main");
    check_pthread(pthread_mutex_unlock(&child->shared->lock));
    check(write_full(main_side->tell, &byte, 1));
    return check(wait_children(&pid, 1)) == 0;
}

int main(int argc, char **argv)
{
    const char *const modes[] = { "", "copied", "private", "plain" };
    int mode = argc == 1 ? RIGHT : -1;
    for (int i = COPIED; argc == 2 && i <= PLAIN; i++)
        if (strcmp(argv[1], modes[i]) == 0)
            mode = i;
    if (mode == -1)
        usage("process_lock [copied|private|plain]");

    struct shared *shared = check_ptr(share(sizeof *shared));
    pthread_mutexattr_t attributes;
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_setpshared(&attributes,
        mode == PRIVATE ? PTHREAD_PROCESS_PRIVATE : PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_mutex_init(&shared->lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));

    int there[2], back[2];
    check(pipe(there));
    check(pipe(back));
    struct child children[2] = {
        { shared, mode, PTHREAD_MUTEX_INITIALIZER, there[1], back[0], getpid() },
        { shared, mode, PTHREAD_MUTEX_INITIALIZER, back[1], there[0], getpid() },
    };
    bool good = true;
    if (mode != PRIVATE)
        good = add_together(children);
    if (good && (mode == RIGHT || mode == PRIVATE))
        good = wake_a_child(&children[0], &children[1]);
    if (!good)
        return 1;
    check(close(there[0]));
    check(close(back[0]));
    check(close(back[1]));
    if (mode == COPIED || mode == PLAIN)
        check(close(there[1]));
    check_pthread(pthread_mutex_destroy(&shared->lock));
    check(munmap(shared, sizeof *shared));
}

/* Output:
2 processes added 1, together 6 times
x = 6, lost: 0
the child waits for the lock of main
unlocked by main: the child was woken, and has the lock
*/

/* Output of ./process_lock copied:
2 processes added 1, together 6 times
WRONG: x = 3, lost: 3
*/

/* Output of ./process_lock private:
the child waits for the lock of main
WRONG: unlocked by main, but the child slept on until its limit. Then the lock was free
*/
