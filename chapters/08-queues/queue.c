/* queue.c - how the queue of queue.h works. What queue_step3.c has, and: limits, an end, tasks that
   are done. Read it top to bottom. Four rules make it safe to kill anybody at any moment:

   1. Nothing to repair. Each change becomes valid by one store to one counter: see publish(). Whoever
      is killed before that store has changed nothing; whoever is killed after it has done all.
   2. Ring first, then publish, all under the lock. Whoever is woken must get the lock before it can
      look, so it looks after the store. One that is killed between the two has woken somebody for
      nothing; nobody ever sleeps on after a change.
   3. A waiter leaves nothing that counts. The kernel forgets those who sleep on a futex when they are
      killed. And a bell wakes all, so no wake-up is lost with the one who got it.
   4. Nobody waits for the lock for ever. A mutex wakes ONE of those who wait for it, and that one may
      be killed before it has the lock: see lock(). */
#include "workbook.h"

#include "queue.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* From linux/futex.h, which not every C library brings. Not the _PRIVATE ones: those are for the
   threads of one process. */
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "rule 1 needs counters that change by one instruction");

/* Where some wait until others ring. */
struct bell {
    atomic_uint rings;              /* the futex: one sleeps here "while this number is N" */
    bool awaited;                   /* somebody may wait; stays true when that one is killed */
};

struct queue {
    pthread_mutex_t lock;           /* robust; for all that follows */
    size_t message_size, capacity;  /* never change */
    atomic_ullong put;              /* how many messages were put so far */
    atomic_ullong got;              /* how many of these were taken */
    atomic_ullong done;             /* for how many of these queue_task_done was called */
    atomic_bool closed;
    unsigned deaths;
    struct bell filled, room, all_done;     /* "there may be a message", "... room", "done == put" */
    unsigned char slots[];          /* the ring, as long as queue_create makes it: message number N
                                       lies in slot N % capacity */
};

/* ---- the lock ---- */

/* Asks again each second. Why? A, B and C wait for the lock, and D has it. D unlocks, which wakes A.
   D locks again at once, before A does, and A is killed. D does not know that B and C still wait, so
   its next unlock wakes nobody: without the limit, B and C would sleep on, though the lock is free. */
static void lock(struct queue *queue)
{
    int code = pthread_mutex_trylock(&queue->lock);
    while (code == EBUSY || code == ETIMEDOUT) {
        struct timespec limit;
        check(clock_gettime(CLOCK_REALTIME, &limit));   /* the clock of mutexes */
        limit.tv_sec++;
        code = pthread_mutex_timedlock(&queue->lock, &limit);
    }
    if (code == EOWNERDEAD) {       /* the owner was killed. We have the lock, and rule 1 holds: */
        queue->deaths++;
        code = pthread_mutex_consistent(&queue->lock);  /* nothing to repair */
    }
    check_pthread(code);            /* cannot fail, unless the memory was overwritten */
}

static void unlock(struct queue *queue)
{
    check_pthread(pthread_mutex_unlock(&queue->lock));
}

/* ---- bells: all with the lock ---- */

/* When a wait shall end, in ns on CLOCK_MONOTONIC; or one of these two: */
#define AT_ONCE LLONG_MIN
#define NEVER   LLONG_MAX

static long long now_ns(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));    /* a clock that nobody can set back */
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long end_of(int limit_ms)
{
    return now_ns() + limit_ms * 1000000LL;
}

/* Gives the lock back, sleeps until the bell rings, takes the lock again. May also return for no
   reason: so the caller looks in a loop, as around pthread_cond_wait. Returns 0, or -1 at once, still
   with the lock: EAGAIN, or ETIMEDOUT if END has passed. */
static int wait_for(struct queue *queue, struct bell *bell, long long end)
{
    struct timespec left;
    if (end == AT_ONCE) {
        errno = EAGAIN;
        return -1;
    }
    if (end != NEVER) {
        long long ns = end - now_ns();
        if (ns <= 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        left = (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
    }
    unsigned seen = atomic_load(&bell->rings);
    bell->awaited = true;
    unlock(queue);
    /* If the bell rings between the unlock and here, the number is not SEEN any more, and the kernel
       does not let us sleep. Whatever syscall returns: the caller looks again. */
    syscall(SYS_futex, &bell->rings, FUTEX_WAIT, seen, end == NEVER ? NULL : &left, NULL, 0);
    lock(queue);
    return 0;
}

/* Wakes all who wait at the bell. The system call is made only if somebody may wait there. */
static void ring(struct bell *bell)
{
    if (!bell->awaited)
        return;
    atomic_fetch_add(&bell->rings, 1);
    syscall(SYS_futex, &bell->rings, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    bell->awaited = false;          /* last: one that is killed above leaves it true, for the next */
}

/* Adds 1 to a counter: the one store that makes a change valid. "Release": what was written before it,
   such as the message in its slot, is there for all who see the new number. */
static void publish(atomic_ullong *counter)
{
    atomic_store_explicit(counter, *counter + 1, memory_order_release);
}

/* ---- making one ---- */

/* Returns 0, or an error number. */
static int make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    int code = pthread_mutexattr_init(&attributes);
    if (code != 0)
        return code;
    code = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (code == 0)
        code = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (code == 0)
        code = pthread_mutex_init(lock, &attributes);
    check_pthread(pthread_mutexattr_destroy(&attributes));
    return code;
}

struct queue *queue_create(size_t message_size, size_t capacity)
{
    if (message_size == 0 || capacity == 0) {
        errno = EINVAL;
        return NULL;
    }
    if (capacity > (SIZE_MAX - sizeof(struct queue)) / message_size) {
        errno = ENOMEM;             /* the number of bytes would not fit into a size_t */
        return NULL;
    }
    struct queue *queue = share(sizeof *queue + message_size * capacity);   /* zeroed */
    if (queue == NULL)
        return NULL;
    queue->message_size = message_size;
    queue->capacity = capacity;
    int code = make_lock(&queue->lock);
    if (code != 0) {
        queue_destroy(queue);
        errno = code;
        return NULL;
    }
    return queue;
}

int queue_destroy(struct queue *queue)
{
    /* No pthread_mutex_destroy: other processes may still use it. */
    return munmap(queue, sizeof *queue + queue->message_size * queue->capacity);
}

/* ---- put and get ---- */

static size_t size_of(const struct queue *queue)
{
    return (size_t)(queue->put - queue->got);
}

static void *slot_of(struct queue *queue, unsigned long long number)
{
    return queue->slots + number % queue->capacity * queue->message_size;
}

static int put(struct queue *queue, const void *message, long long end)
{
    int result = 0;
    lock(queue);
    while (result == 0 && !queue->closed && size_of(queue) == queue->capacity)
        result = wait_for(queue, &queue->room, end);
    if (result == 0 && queue->closed) {
        errno = EPIPE;
        result = -1;
    }
    if (result == 0) {
        memcpy(slot_of(queue, queue->put), message, queue->message_size);
        ring(&queue->filled);
        publish(&queue->put);
    }
    unlock(queue);
    return result;
}

static int get(struct queue *queue, void *message, long long end)
{
    int result = 0;
    lock(queue);
    while (result == 0 && !queue->closed && size_of(queue) == 0)
        result = wait_for(queue, &queue->filled, end);
    if (result == 0 && size_of(queue) > 0) {        /* else it is closed and empty: the end */
        memcpy(message, slot_of(queue, queue->got), queue->message_size);
        ring(&queue->room);
        publish(&queue->got);
        result = 1;
    }
    unlock(queue);
    return result;
}

int queue_put(struct queue *queue, const void *message)
{
    return put(queue, message, NEVER);
}

int queue_try_put(struct queue *queue, const void *message)
{
    return put(queue, message, AT_ONCE);
}

int queue_put_for(struct queue *queue, const void *message, int limit_ms)
{
    return put(queue, message, end_of(limit_ms));
}

int queue_get(struct queue *queue, void *message)
{
    return get(queue, message, NEVER);
}

int queue_try_get(struct queue *queue, void *message)
{
    return get(queue, message, AT_ONCE);
}

int queue_get_for(struct queue *queue, void *message, int limit_ms)
{
    return get(queue, message, end_of(limit_ms));
}

void queue_close(struct queue *queue)
{
    lock(queue);
    ring(&queue->filled);
    ring(&queue->room);
    queue->closed = true;
    unlock(queue);
}

/* ---- questions ---- */

size_t queue_size(struct queue *queue)
{
    lock(queue);
    size_t size = size_of(queue);
    unlock(queue);
    return size;
}

bool queue_empty(struct queue *queue)
{
    return queue_size(queue) == 0;
}

bool queue_full(struct queue *queue)
{
    return queue_size(queue) == queue->capacity;
}

unsigned queue_deaths(struct queue *queue)
{
    lock(queue);
    unsigned deaths = queue->deaths;
    unlock(queue);
    return deaths;
}

/* ---- tasks ---- */

int queue_task_done(struct queue *queue)
{
    int result = 0;
    lock(queue);
    if (queue->done == queue->got) {
        errno = EINVAL;
        result = -1;
    } else {
        if (queue->done + 1 == queue->put)
            ring(&queue->all_done);
        publish(&queue->done);
    }
    unlock(queue);
    return result;
}

static int join(struct queue *queue, long long end)
{
    int result = 0;
    lock(queue);
    while (result == 0 && queue->done != queue->put)
        result = wait_for(queue, &queue->all_done, end);
    unlock(queue);
    return result;
}

int queue_join(struct queue *queue)
{
    return join(queue, NEVER);
}

int queue_join_for(struct queue *queue, int limit_ms)
{
    return join(queue, end_of(limit_ms));
}
