/* killed_waiter.c - one of two waiting processes is killed: what a shared condition does then, and a pipe.
   Python: multiprocessing.Condition beside a Pipe, when a waiting Process is killed
   Calls:  pthread_cond_signal(3) after the end of a waiter; read(2), poll(2) with a limit
   Needs:  01-fork/pipe, 02-process/terminate, 06-locks/process_lock, process_condition
   Try:    If you have musl-gcc: make clean, then CC=musl-gcc make run-killed_waiter. With that C
           library all 3 signals arrive. POSIX promises neither the one nor the other. */
#include "workbook.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RINGS = 3, LIMIT_MS = 150, LONG_LIMIT_MS = 2000 };

/* A bell of one kind or the other: each ring shall let one of the waiters go on. */
struct bell {
    bool is_pipe;
    pthread_mutex_t lock;
    pthread_cond_t rung;
    int rings;                  /* rung, and not yet noticed by anybody */
    int pipe[2];                /* the other kind: a ring is a byte */
    int report[2];              /* to main: 's' I wait; 'w' I was woken; 'r' the call that rings has returned */
    pid_t parent;
};

static void report(struct bell *bell, char what)
{
    check(write_full(bell->report[1], &what, 1));
}

/* Never ends by itself: main ends it. */
static int wait_for_rings(void *argument)
{
    struct bell *bell = argument;
    char byte;
    check(end_with_parent(bell->parent));
    for (;;) {
        if (bell->is_pipe) {
            report(bell, 's');
            check(read_full(bell->pipe[0], &byte, 1));
        } else {
            check_pthread(pthread_mutex_lock(&bell->lock));
            report(bell, 's');
            while (bell->rings == 0)
                check_pthread(pthread_cond_wait(&bell->rung, &bell->lock));
            bell->rings--;
            check_pthread(pthread_mutex_unlock(&bell->lock));
        }
        report(bell, 'w');
    }
}

static int ring(void *argument)
{
    struct bell *bell = argument;
    check(end_with_parent(bell->parent));
    if (bell->is_pipe) {
        check(write_full(bell->pipe[1], "!", 1));
    } else {
        check_pthread(pthread_mutex_lock(&bell->lock));
        bell->rings++;
        check_pthread(pthread_cond_signal(&bell->rung));        /* this call may never return */
        check_pthread(pthread_mutex_unlock(&bell->lock));
    }
    report(bell, 'r');
    return 0;
}

/* Takes COUNT reports, in any order, each within the limit. Counts the letters in SEEN.
   False: the limit has passed. */
static bool hear(struct bell *bell, int count, int limit_ms, int seen[256])
{
    struct pollfd readable = { .fd = bell->report[0], .events = POLLIN };
    for (int i = 0; i < count; i++) {
        unsigned char what;
        if (check(poll(&readable, 1, limit_ms)) == 0)
            return false;
        check(read_full(bell->report[0], &what, 1));
        seen[what]++;
    }
    return true;
}

static void play(struct bell *bell)
{
    pid_t victim, waiter;
    int seen[256] = { 0 };
    check(pipe(bell->pipe));
    check(pipe(bell->report));
    victim = check(start_child(wait_for_rings, bell));
    waiter = check(start_child(wait_for_rings, bell));
    if (!hear(bell, 2, LONG_LIMIT_MS, seen))            /* with a limit: one may have been killed already */
        die("a waiter has not come within %d ms", LONG_LIMIT_MS);
    check(wait_for_state(victim, 'S', LONG_LIMIT_MS));  /* it has no lock: it only waits */
    check(kill(victim, SIGKILL));
    int wait_status = check(wait_child(victim));
    say("one of two waiters was killed by signal %d", WTERMSIG(wait_status));

    bool heard = true;
    for (int i = 0; i < RINGS && (heard || !bell->is_pipe); i++) {
        pid_t ringer = check(start_child(ring, bell));
        /* r, w, and s: the waiter waits again */
        heard = hear(bell, 3, bell->is_pipe ? LONG_LIMIT_MS : LIMIT_MS, seen);
        if (!heard)
            check(kill(ringer, SIGKILL));               /* its call may hang for ever */
        check(wait_child(ringer));
    }
    if (!bell->is_pipe)
        say("Measured: of %d signals, %d calls have returned, %d have woken the other waiter",
            RINGS, seen['r'], seen['w']);
    else if (seen['w'] == RINGS)
        say("of %d bytes, all have woken the other waiter", RINGS);
    else
        die("%d of %d bytes have woken the other waiter", seen['w'], RINGS);

    check(kill(waiter, SIGKILL));                       /* it waits for ever */
    check(wait_child(waiter));
    for (int i = 0; i < 2; i++) {
        check(close(bell->pipe[i]));
        check(close(bell->report[i]));
    }
}

/* A bell in new memory: the first one is not used again after a waiter was killed. */
static void play_with(bool is_pipe)
{
    struct bell *bell = check_ptr(share(sizeof *bell));
    pthread_mutexattr_t mutex_attributes;
    pthread_condattr_t attributes;
    bell->is_pipe = is_pipe;
    bell->parent = getpid();
    check_pthread(pthread_mutexattr_init(&mutex_attributes));
    check_pthread(pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_mutex_init(&bell->lock, &mutex_attributes));
    check_pthread(pthread_mutexattr_destroy(&mutex_attributes));
    check_pthread(pthread_condattr_init(&attributes));
    check_pthread(pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_cond_init(&bell->rung, &attributes));
    check_pthread(pthread_condattr_destroy(&attributes));
    play(bell);
    /* No pthread_cond_destroy: it may wait for the dead waiter for ever. */
    check(munmap(bell, sizeof *bell));
}

int main(void)
{
    say("a condition:");
    play_with(false);
    say("a pipe:");
    play_with(true);
}

/* Output:
a condition:
one of two waiters was killed by signal 9
Measured: of 3 signals, 2 calls have returned, 1 have woken the other waiter
a pipe:
one of two waiters was killed by signal 9
of 3 bytes, all have woken the other waiter
*/
