/* try_and_timeout.c - a lock that is taken: do not wait, or wait with a limit.
   Python: lock.acquire(blocking=False), lock.acquire(timeout=0.05)
   Calls:  pthread_mutex_trylock(3), pthread_mutex_timedlock(3), sem_init(3), sem_wait(3), sem_post(3),
           sem_trywait(3), sem_timedwait(3), clock_gettime(2)
   Needs:  01-fork/share, 05-threads/thread, lock
   Try:    In moment_in, take out the `if` and its block, and run it some fifty times. In some of them
           the nanoseconds pass 999999999. That is no valid time, and the call fails with EINVAL. */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The moment that is MS ms after now, as CLOCK shows it. */
static struct timespec moment_in(int ms, clockid_t clock)
{
    struct timespec moment;
    check(clock_gettime(clock, &moment));
    moment.tv_sec += ms / 1000;
    moment.tv_nsec += ms % 1000 * 1000000L;
    if (moment.tv_nsec >= 1000000000) {     /* a second has 999999999 ns at most */
        moment.tv_sec++;
        moment.tv_nsec -= 1000000000;
    }
    return moment;
}

struct holder {
    pthread_mutex_t lock;
    int report[2];                  /* the holder says: I have it */
    int gate[2];                    /* main says: give it back */
};

/* A thread that holds the lock until main lets it go on. */
static void *hold(void *argument)
{
    struct holder *self = argument;
    char byte = 'h';
    check_pthread(pthread_mutex_lock(&self->lock));
    check(write_full(self->report[1], &byte, 1));
    check(read_full(self->gate[0], &byte, 1));
    check_pthread(pthread_mutex_unlock(&self->lock));
    return NULL;
}

static const char *result(int code)
{
    return code == 0 ? "ok, I have it" : errno_name(code);
}

static void with_a_thread(void)
{
    struct holder holder = { .lock = PTHREAD_MUTEX_INITIALIZER };
    pthread_t thread;
    char byte = 'g';
    check(pipe(holder.report));
    check(pipe(holder.gate));
    check_pthread(pthread_create(&thread, NULL, hold, &holder));
    check(read_full(holder.report[0], &byte, 1));   /* from here on the lock is taken */

    say("mutex, held by another thread:");
    say("  try: %s", result(pthread_mutex_trylock(&holder.lock)));
    struct timespec limit = moment_in(50, CLOCK_REALTIME);
    say("  wait 50 ms: %s", result(pthread_mutex_timedlock(&holder.lock, &limit)));

    /* The limit is a moment of CLOCK_REALTIME, the date. Any other clock shows another number. */
    struct timespec start = moment_in(0, CLOCK_MONOTONIC);
    limit = moment_in(10000, CLOCK_MONOTONIC);      /* the time since the machine was started */
    int code = pthread_mutex_timedlock(&holder.lock, &limit);
    struct timespec end = moment_in(0, CLOCK_MONOTONIC);
    if (end.tv_sec - start.tv_sec < 9)
        say("  WRONG: wait 10 s, by the wrong clock: %s at once", result(code));

    check(write_full(holder.gate[1], &byte, 1));
    limit = moment_in(10000, CLOCK_REALTIME);
    say("  wait 10 s, and it is given back: %s", result(pthread_mutex_timedlock(&holder.lock, &limit)));
    check_pthread(pthread_mutex_unlock(&holder.lock));
    check_pthread(pthread_join(thread, NULL));
    check_pthread(pthread_mutex_destroy(&holder.lock));
    for (int i = 0; i < 2; i++) {
        check(close(holder.report[i]));
        check(close(holder.gate[i]));
    }
}

/* sem_wait and its relatives return -1 and set errno, like system calls. */
static const char *result_of(int value)
{
    return result(value == -1 ? errno : 0);
}

/* A child that takes the semaphore and ends: nobody gives it back for the child. */
static int take_and_end(void *argument)
{
    check(wait_semaphore(argument));
    return 0;
}

static void with_a_process(void)
{
    sem_t *lock = check_ptr(share(sizeof *lock));
    check(sem_init(lock, 1, 1));    /* for several processes; it begins at 1, so it is a lock */
    pid_t pid = check(start_child(take_and_end, lock));
    if (check(wait_children(&pid, 1)) != 0)
        _exit(1);                   /* it has been told */

    say("semaphore, taken by a process that has ended:");
    say("  try: %s", result_of(sem_trywait(lock)));
    struct timespec limit = moment_in(50, CLOCK_REALTIME);
    say("  wait 50 ms: %s", result_of(sem_timedwait(lock, &limit)));
    check(sem_post(lock));          /* main gives it back: a semaphore lets anybody do that */
    limit = moment_in(-10000, CLOCK_REALTIME);
    say("  limit in the past, but it is free: %s", result_of(sem_timedwait(lock, &limit)));
    check(sem_destroy(lock));
    check(munmap(lock, sizeof *lock));
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    with_a_process();               /* fork first, threads later */
    with_a_thread();
}

/* Output:
semaphore, taken by a process that has ended:
  try: EAGAIN
  wait 50 ms: ETIMEDOUT
  limit in the past, but it is free: ok, I have it
mutex, held by another thread:
  try: EBUSY
  wait 50 ms: ETIMEDOUT
  WRONG: wait 10 s, by the wrong clock: ETIMEDOUT at once
  wait 10 s, and it is given back: ok, I have it
*/
