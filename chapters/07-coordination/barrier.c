/* barrier.c - nobody goes on until all are here: the system's barrier, and one that can break.
   Python: threading.Barrier(3): wait(), its index, BrokenBarrierError, reset()
   Calls:  pthread_barrier_init(3p), pthread_barrier_wait(3p), pthread_cond_timedwait(3)
   Needs:  05-threads/thread, 06-locks/atomic, 06-locks/with, condition, event
   Try:    In work_in_phases(), take out the line with pthread_barrier_wait(), and write
           "int code = 0;". Now somebody may find a neighbour that is behind, and the program says so. */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

enum { PARTIES = 3, PHASES = 4 };

/* ---- 1. the system's barrier: phases ---- */

struct field {
    pthread_barrier_t barrier;
    int done[PHASES][PARTIES];  /* each writes its own place, and reads all of the phase after the barrier */
    atomic_int next_number, serials;
};

static void *work_in_phases(void *argument)
{
    struct field *field = argument;
    int me = atomic_fetch_add(&field->next_number, 1);
    for (int phase = 0; phase < PHASES; phase++) {
        field->done[phase][me] = 1;                     /* the work of this phase */
        int code = pthread_barrier_wait(&field->barrier);
        if (code == PTHREAD_BARRIER_SERIAL_THREAD)      /* exactly one of them gets this; no error */
            atomic_fetch_add(&field->serials, 1);
        else
            check_pthread(code);
        for (int i = 0; i < PARTIES; i++)
            if (field->done[phase][i] == 0)
                die("phase %d: somebody is behind", phase);
    }
    return NULL;
}

/* ---- 2. a barrier that gives each its index, has a limit, and can break ---- */

struct barrier {
    pthread_mutex_t lock;
    pthread_cond_t change;
    int arrived;                /* in this generation */
    unsigned generation;        /* how often all have met: so that the barrier can be used again */
    bool broken;                /* somebody gave up: whoever waits, or comes, must know */
};

static void barrier_init(struct barrier *barrier)
{
    pthread_condattr_t attributes;
    *barrier = (struct barrier){ .arrived = 0 };
    check_pthread(pthread_mutex_init(&barrier->lock, NULL));
    check_pthread(pthread_condattr_init(&attributes));
    check_pthread(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    check_pthread(pthread_cond_init(&barrier->change, &attributes));
    check_pthread(pthread_condattr_destroy(&attributes));
}

/* Waits for the others, for LIMIT_MS ms at most. Returns the index of its arrival, 0 for the first, or
   -1: the barrier is broken, because one of those who waited has reached its limit. */
static int barrier_wait(struct barrier *barrier, int limit_ms)
{
    struct timespec limit;
    int index = -1, code = 0;
    check(clock_gettime(CLOCK_MONOTONIC, &limit));
    limit.tv_nsec += limit_ms * 1000000l;
    limit.tv_sec += limit.tv_nsec / 1000000000;
    limit.tv_nsec %= 1000000000;

    with_lock(&barrier->lock) {
        unsigned generation = barrier->generation;
        index = barrier->arrived++;
        if (barrier->arrived == PARTIES && !barrier->broken) {
            barrier->arrived = 0;
            barrier->generation++;          /* frees the others, however late they look */
            check_pthread(pthread_cond_broadcast(&barrier->change));
        }
        while (barrier->generation == generation && !barrier->broken && code == 0)
            code = pthread_cond_timedwait(&barrier->change, &barrier->lock, &limit);
        if (code != ETIMEDOUT)
            check_pthread(code);
        if (barrier->generation == generation) {    /* the limit, or broken by another one's limit */
            barrier->broken = true;
            check_pthread(pthread_cond_broadcast(&barrier->change));
            index = -1;
        }
    }
    return index;
}

struct meeting {
    struct barrier barrier;
    int limit_ms;
    atomic_int times[PARTIES], broken;      /* how many got each index, or found it broken */
};

static void *meet(void *argument)
{
    struct meeting *meeting = argument;
    int index = barrier_wait(&meeting->barrier, meeting->limit_ms);
    atomic_fetch_add(index == -1 ? &meeting->broken : &meeting->times[index], 1);
    return NULL;
}

/* COUNT threads come to the barrier. */
static void meet_at(struct meeting *meeting, int count, int limit_ms)
{
    pthread_t threads[PARTIES];
    atomic_int *times = meeting->times;
    meeting->limit_ms = limit_ms;
    times[0] = times[1] = times[2] = meeting->broken = 0;
    for (int i = 0; i < count; i++)
        check_pthread(pthread_create(&threads[i], NULL, meet, meeting));
    for (int i = 0; i < count; i++)
        check_pthread(pthread_join(threads[i], NULL));
    say("%d came: index 0: %d, index 1: %d, index 2: %d, broken: %d",
        count, times[0], times[1], times[2], meeting->broken);
}

int main(void)
{
    pthread_t threads[PARTIES];
    struct field field = { .serials = 0 };
    check_pthread(pthread_barrier_init(&field.barrier, NULL, PARTIES));
    for (int i = 0; i < PARTIES; i++)
        check_pthread(pthread_create(&threads[i], NULL, work_in_phases, &field));
    for (int i = 0; i < PARTIES; i++)
        check_pthread(pthread_join(threads[i], NULL));
    check_pthread(pthread_barrier_destroy(&field.barrier));
    say("%d threads, %d phases: nobody was behind; chosen as the one: %d times",
        PARTIES, PHASES, field.serials);

    struct meeting meeting;
    barrier_init(&meeting.barrier);
    meet_at(&meeting, PARTIES, 10000);
    meet_at(&meeting, PARTIES, 10000);      /* again: the generation makes that right */
    meet_at(&meeting, PARTIES - 1, 20);     /* one does not come */
    meet_at(&meeting, 1, 10000);            /* it comes too late: told at once, not after 10 s */
    check_pthread(pthread_cond_destroy(&meeting.barrier.change));
    check_pthread(pthread_mutex_destroy(&meeting.barrier.lock));
}

/* Output:
3 threads, 4 phases: nobody was behind; chosen as the one: 4 times
3 came: index 0: 1, index 1: 1, index 2: 1, broken: 0
3 came: index 0: 1, index 1: 1, index 2: 1, broken: 0
2 came: index 0: 0, index 1: 0, index 2: 0, broken: 2
1 came: index 0: 0, index 1: 0, index 2: 0, broken: 1
*/
