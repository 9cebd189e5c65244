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

enum { CALLS = 3, LIMIT_MS = 200, LONG_LIMIT_MS = 2000 };

/* A bell of one kind or the other: each ring shall let one of the waiters go on. */
struct bell {
    bool is_pipe;
    pthread_mutex_t lock;
    pthread_cond_t rung;
    int rings;                  /* rung, and not yet noticed by anybody */
    int pipe[2];                /* the other kind: a ring is a byte */
    int go[2];                  /* main tells the ringer: now */
    int report[2];              /* to main: 's' I wait; 'w' I was woken; 'k' I have killed the victim;
                                   'r' the call that rings has returned */
    pid_t parent, victim;
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
            report(bell, 's');  /* whoever gets the lock after this knows: it is inside pthread_cond_wait */
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
    char byte;
    check(end_with_parent(bell->parent));
    check_pthread(pthread_mutex_lock(&bell->lock));     /* so the victim has no lock: it only waits */
    check(kill(bell->victim, SIGKILL));
    check_pthread(pthread_mutex_unlock(&bell->lock));
    report(bell, 'k');
    for (int i = 0; i < CALLS; i++) {
        check(read_full(bell->go[0], &byte, 1));
        if (bell->is_pipe) {
            check(write_full(bell->pipe[1], "!", 1));
        } else {
            check_pthread(pthread_mutex_lock(&bell->lock));
            bell->rings++;
            check_pthread(pthread_cond_signal(&bell->rung));    /* this call may never return */
            check_pthread(pthread_mutex_unlock(&bell->lock));
        }
        report(bell, 'r');
    }
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
    pid_t children[3];
    int seen[256] = { 0 };
    check(pipe(bell->pipe));
    check(pipe(bell->go));
    check(pipe(bell->report));
    children[0] = bell->victim = check(start_child(wait_for_rings, bell));
    children[1] = check(start_child(wait_for_rings, bell));
    if (!hear(bell, 2, LONG_LIMIT_MS, seen))            /* with a limit: one may have been killed already */
        die("a waiter has not come within %d ms", LONG_LIMIT_MS);
    children[2] = check(start_child(ring, bell));
    if (!hear(bell, 1, LONG_LIMIT_MS, seen))
        die("the ringer has not come within %d ms", LONG_LIMIT_MS);
    int wait_status = check(wait_child(bell->victim));
    say("one of two waiters was killed by signal %d", WTERMSIG(wait_status));

    bool all = true;
    for (int i = 0; i < CALLS && all; i++) {
        check(write_full(bell->go[1], "g", 1));
        /* r, w, and s: it waits again */
        all = hear(bell, 3, bell->is_pipe ? LONG_LIMIT_MS : LIMIT_MS, seen);
    }
    if (!bell->is_pipe)
        say("Measured: of %d signals, %d calls have returned, %d have woken the other waiter",
            CALLS, seen['r'], seen['w']);
    else if (all)
        say("of %d bytes, all have woken the other waiter", CALLS);
    else
        die("%d of %d bytes have woken the other waiter", seen['w'], CALLS);

    for (int i = 1; i < 3; i++) {       /* one waits for ever, the other one may hang in its call */
        check(kill(children[i], SIGKILL));
        check(wait_child(children[i]));
    }
    int *const ends[] = { bell->pipe, bell->go, bell->report };
    for (int i = 0; i < 3; i++) {
        check(close(ends[i][0]));
        check(close(ends[i][1]));
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
