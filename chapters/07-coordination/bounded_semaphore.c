/* bounded_semaphore.c - one release too many: a plain semaphore takes it, a bounded one refuses.
   Python: threading.BoundedSemaphore(2); ValueError: Semaphore released too many times
   Calls:  sem_getvalue(3), sem_post(3) and its EOVERFLOW
   Needs:  06-locks/lock, semaphore_limit
   Try:    In release(), write -1 in place of 0 in "out == 0". Nothing is refused any more, and the
           last line says that 3 get in. */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>

struct bounded_semaphore {
    sem_t semaphore;        /* what the waiting is done with */
    pthread_mutex_t lock;   /* makes one step of "is one out?" and "put it back" */
    int out;                /* how many have been acquired, and not released */
};

static int acquire(struct bounded_semaphore *self)
{
    if (wait_semaphore(&self->semaphore) == -1)
        return -1;
    check_pthread(pthread_mutex_lock(&self->lock));     /* only now: nobody waits with the lock held */
    self->out++;
    check_pthread(pthread_mutex_unlock(&self->lock));
    return 0;
}

/* Returns 0, or -1 with EOVERFLOW when nothing is out. */
static int release(struct bounded_semaphore *self)
{
    int result = 0;
    check_pthread(pthread_mutex_lock(&self->lock));
    if (self->out == 0) {
        errno = EOVERFLOW;
        result = -1;
    } else {
        self->out--;
        result = sem_post(&self->semaphore);
    }
    check_pthread(pthread_mutex_unlock(&self->lock));
    return result;
}

/* How many can get in now, one after the other, until the next one would have to wait. */
static int count_places(sem_t *semaphore)
{
    int count = 0;
    while (sem_trywait(semaphore) == 0)
        count++;
    if (errno != EAGAIN)
        die("sem_trywait: %s", errno_name(errno));
    return count;
}

static void tell(const char *when, sem_t *semaphore)
{
    int value;
    check(sem_getvalue(semaphore, &value));     /* only to look: it may change before you use it */
    say("%s: %d free", when, value);
}

int main(void)
{
    sem_t plain;
    check(sem_init(&plain, 0, 2));
    tell("plain: at first", &plain);
    check(wait_semaphore(&plain));
    check(sem_post(&plain));
    check(sem_post(&plain));                    /* the mistake: acquired once, released twice */
    tell("plain: acquired once, released twice", &plain);
    say("WRONG: %d get in, and there are 2 places", count_places(&plain));
    check(sem_destroy(&plain));

    struct bounded_semaphore bounded = { .out = 0 };
    check(sem_init(&bounded.semaphore, 0, 2));
    check_pthread(pthread_mutex_init(&bounded.lock, NULL));
    tell("bounded: at first", &bounded.semaphore);
    check(acquire(&bounded));
    check(release(&bounded));
    if (release(&bounded) == -1 && errno == EOVERFLOW)      /* the same mistake */
        say("bounded: the second release is refused");
    tell("bounded: acquired once, released twice", &bounded.semaphore);
    say("%d get in", count_places(&bounded.semaphore));
    check(sem_destroy(&bounded.semaphore));
    check_pthread(pthread_mutex_destroy(&bounded.lock));
}

/* Output:
plain: at first: 2 free
plain: acquired once, released twice: 3 free
WRONG: 3 get in, and there are 2 places
bounded: at first: 2 free
bounded: the second release is refused
bounded: acquired once, released twice: 2 free
2 get in
*/
