/* lock_errors.c - wrong uses of a lock, and who tells.
   Python: RuntimeError: release unlocked lock
   Calls:  pthread_mutexattr_init(3), pthread_mutexattr_settype(3) with PTHREAD_MUTEX_ERRORCHECK,
           pthread_mutex_init(3), sem_getvalue(3)
   Needs:  try_and_timeout
   Try:    In new_mutex, write PTHREAD_MUTEX_NORMAL for the type, whatever is asked for. Now the program
           hangs at its first line: the thread waits for a lock that it has itself. (End it with Ctrl-C.) */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* A mutex as an attribute object describes it: its type, and for whom it is. */
static void new_mutex(pthread_mutex_t *mutex, int type, int for_whom)
{
    pthread_mutexattr_t attributes;
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_settype(&attributes, type));
    check_pthread(pthread_mutexattr_setpshared(&attributes, for_whom));
    check_pthread(pthread_mutex_init(mutex, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));
}

static const char *result(int code)
{
    return code == 0 ? "ok" : errno_name(code);
}

/* ---- a lock with the rules of Python's Lock: one unit of a semaphore, and a check of our own ---- */

/* Gives LOCK back, whoever took it. Returns 0, or EPERM when it is not taken. */
static int python_release(sem_t *lock)
{
    int value;
    check(sem_getvalue(lock, &value));
    if (value > 0)
        return EPERM;               /* without this check it would count to 2, and let two in */
    /* Two who release at the same moment can both come here. CPython's multiprocessing has that gap, too. */
    check(sem_post(lock));
    return 0;
}

/* ---- a stranger: one that has not taken the lock ---- */

struct locks {
    pthread_mutex_t *checked;
    sem_t *python;
};

static void *thread_stranger(void *argument)
{
    const struct locks *locks = argument;
    say("unlocked by another thread: %s", result(pthread_mutex_unlock(locks->checked)));
    say("Python's way, released by another thread: %s", result(python_release(locks->python)));
    return NULL;
}

static int process_stranger(void *argument)
{
    const struct locks *locks = argument;
    say("unlocked by another process: %s", result(pthread_mutex_unlock(locks->checked)));
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

int main(int argc, char **argv)
{
    no_arguments(argc, argv);

    /* A mutex that knows its owner. In shared memory, so that a child can try it as well. */
    pthread_mutex_t *checked = check_ptr(share(sizeof *checked));
    new_mutex(checked, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PROCESS_SHARED);
    sem_t python;
    check(sem_init(&python, 0, 1)); /* 0: for the threads of this process */
    struct locks locks = { checked, &python };

    check_pthread(pthread_mutex_lock(checked));
    say("locked twice by its owner: %s", result(pthread_mutex_lock(checked)));
    pid_t pid = check(start_child(process_stranger, &locks));
    if (check(wait_children(&pid, 1)) != 0)
        _exit(1);                   /* it has been told */
    check(wait_semaphore(&python));
    pthread_t thread;
    check_pthread(pthread_create(&thread, NULL, thread_stranger, &locks));
    check_pthread(pthread_join(thread, NULL));
    say("unlocked by its owner: %s", result(pthread_mutex_unlock(checked)));
    say("unlocked once more: %s", result(pthread_mutex_unlock(checked)));
    say("Python's way, released once more: %s", result(python_release(&python)));
    check(sem_destroy(&python));
    check_pthread(pthread_mutex_destroy(checked));
    check(munmap(checked, sizeof *checked));

    /* A normal mutex tells nothing. Locked twice, it waits for ever; here, for 50 ms. */
    pthread_mutex_t normal;
    new_mutex(&normal, PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_PRIVATE);
    check_pthread(pthread_mutex_lock(&normal));
    struct timespec limit = moment_in(50);
    int code = pthread_mutex_timedlock(&normal, &limit);
    say("WRONG: a normal mutex, locked twice, waits for its own owner: %s", result(code));
    check_pthread(pthread_mutex_unlock(&normal));
    check_pthread(pthread_mutex_destroy(&normal));
}

/* Output:
locked twice by its owner: EDEADLK
unlocked by another process: EPERM
unlocked by another thread: EPERM
Python's way, released by another thread: ok
unlocked by its owner: ok
unlocked once more: EPERM
Python's way, released once more: EPERM
WRONG: a normal mutex, locked twice, waits for its own owner: ETIMEDOUT
*/
