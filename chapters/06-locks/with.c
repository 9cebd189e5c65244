/* with.c - a lock that is given back on every way out of a block.
   Python: with lock:
   Calls:  the attribute cleanup of gcc and clang; with_lock of workbook.h, which is made of it
   Needs:  rlock
   Try:    Take out the attribute of `inner`. The recursive mutex is now "still locked" on every way: it
           was locked twice and unlocked once. And its destroy fails at the end, with EBUSY in glibc. */
#include "workbook.h"

#include <pthread.h>

enum way { AT_THE_END, BY_BREAK, BY_CONTINUE, BY_GOTO, BY_RETURN, WAYS };
static const char *const names[WAYS] = { "end", "break", "continue", "goto", "return" };

/* Without help: whoever writes a return must think of the lock. This one did not. */
static void leave_and_forget(enum way way, pthread_mutex_t *mutex)
{
    check_pthread(pthread_mutex_lock(mutex));
    if (way == BY_RETURN)
        return;
    check_pthread(pthread_mutex_unlock(mutex));
}

/* The compiler calls this with the ADDRESS of the variable that goes out of scope. */
static void unlock_mutex(pthread_mutex_t **mutex)
{
    check_pthread(pthread_mutex_unlock(*mutex));
}

static void post_semaphore(sem_t **semaphore)
{
    check(sem_post(*semaphore));
}

/* Takes three locks. No line of its own gives them back. */
static void leave_by(enum way way, pthread_mutex_t *mutex, pthread_mutex_t *recursive, sem_t *semaphore)
{
    for (int i = 0; i < 1; i++) {
        check_pthread(pthread_mutex_lock(mutex));
        pthread_mutex_t *held __attribute__((cleanup(unlock_mutex), unused)) = mutex;
        check(wait_semaphore(semaphore));
        sem_t *unit __attribute__((cleanup(post_semaphore), unused)) = semaphore;
        check_pthread(pthread_mutex_lock(recursive));
        pthread_mutex_t *outer __attribute__((cleanup(unlock_mutex), unused)) = recursive;
        check_pthread(pthread_mutex_lock(recursive));
        pthread_mutex_t *inner __attribute__((cleanup(unlock_mutex), unused)) = recursive;
        if (way == BY_BREAK)
            break;
        if (way == BY_CONTINUE)
            continue;
        if (way == BY_GOTO)
            goto out;
        if (way == BY_RETURN)
            return;
    }                               /* inner, outer, unit, held: the last one first */
out:
    return;
}

/* The same for one mutex, with the macro. */
static void leave_with_lock(enum way way, pthread_mutex_t *mutex)
{
    for (int i = 0; i < 1; i++) {
        with_lock(mutex) {
            if (way == BY_BREAK)
                break;              /* leaves the block of with_lock, not the loop around it */
            if (way == BY_CONTINUE)
                continue;           /* so does this */
            if (way == BY_GOTO)
                goto out;
            if (way == BY_RETURN)
                return;
        }
    }
out:
    return;
}

/* Can another thread have it? (The owner of a recursive mutex can take it at any time.) */
static void *try_it(void *mutex)
{
    if (pthread_mutex_trylock(mutex) != 0)
        return NULL;
    check_pthread(pthread_mutex_unlock(mutex));
    return mutex;
}

static const char *state(pthread_mutex_t *mutex)
{
    pthread_t thread;
    void *free_one;
    check_pthread(pthread_create(&thread, NULL, try_it, mutex));
    check_pthread(pthread_join(thread, &free_one));
    return free_one != NULL ? "free" : "still locked";
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, recursive;
    pthread_mutexattr_t attributes;
    sem_t semaphore;
    check(sem_init(&semaphore, 0, 1));
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE));
    check_pthread(pthread_mutex_init(&recursive, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));

    leave_and_forget(AT_THE_END, &mutex);
    say("no cleanup, left by end: %s", state(&mutex));
    leave_and_forget(BY_RETURN, &mutex);
    say("WRONG: no cleanup, left by return: %s", state(&mutex));
    check_pthread(pthread_mutex_unlock(&mutex));

    for (int way = 0; way < WAYS; way++) {
        int value;
        leave_by((enum way)way, &mutex, &recursive, &semaphore);
        check(sem_getvalue(&semaphore, &value));
        say("cleanup, left by %s: mutex %s, recursive mutex %s, semaphore %s", names[way],
            state(&mutex), state(&recursive), value == 1 ? "free" : "still taken");
    }
    for (int way = 0; way < WAYS; way++) {
        leave_with_lock((enum way)way, &mutex);
        say("with_lock, left by %s: mutex %s", names[way], state(&mutex));
    }
    check(sem_destroy(&semaphore));
    check_pthread(pthread_mutex_destroy(&recursive));
    check_pthread(pthread_mutex_destroy(&mutex));
}

/* Output:
no cleanup, left by end: free
WRONG: no cleanup, left by return: still locked
cleanup, left by end: mutex free, recursive mutex free, semaphore free
cleanup, left by break: mutex free, recursive mutex free, semaphore free
cleanup, left by continue: mutex free, recursive mutex free, semaphore free
cleanup, left by goto: mutex free, recursive mutex free, semaphore free
cleanup, left by return: mutex free, recursive mutex free, semaphore free
with_lock, left by end: mutex free
with_lock, left by break: mutex free
with_lock, left by continue: mutex free
with_lock, left by goto: mutex free
with_lock, left by return: mutex free
*/
