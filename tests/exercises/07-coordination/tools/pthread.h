/* pthread.h - limits that are reached at once, and read-write locks that keep the order that was asked for, made of a mutex and a condition.
   The judge's scheduler only tries the C library's read-write locks. A writer that only tries is not seen to wait, and
   so no reader would wait for it, whatever the lock's kind is. coordination.bash puts this header where the compiler
   finds it first, for all builds but the plain one. */
#ifndef ANSWER_PTHREAD_H
#define ANSWER_PTHREAD_H
#include_next <pthread.h>
#include <errno.h>

/* A thread's first wait with a limit reaches it at once, as on a machine that was busy for so long. */
static inline int answer_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock, const struct timespec *limit)
{
    static _Thread_local int reached;
    if (reached)
        return pthread_cond_timedwait(condition, lock, limit);
    reached = 1;
    pthread_mutex_unlock(lock);
    pthread_mutex_lock(lock);
    return ETIMEDOUT;
}
#define pthread_cond_timedwait answer_cond_timedwait

struct answer_rwlock { pthread_mutex_t lock; pthread_cond_t changed; int kind, readers, writer, writers_wait; };
#undef PTHREAD_RWLOCK_INITIALIZER
#undef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#define PTHREAD_RWLOCK_INITIALIZER { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0 }
#define PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 2, 0, 0, 0 }

static inline int answer_rwlock_init(struct answer_rwlock *self, const pthread_rwlockattr_t *attributes)
{
    self->kind = self->readers = self->writer = self->writers_wait = 0;
#ifdef __GLIBC__
    if (attributes != NULL)
        pthread_rwlockattr_getkind_np(attributes, &self->kind);
#else
    (void)attributes;
#endif
    pthread_mutex_init(&self->lock, NULL);
    return pthread_cond_init(&self->changed, NULL);
}
static inline int answer_rwlock_destroy(struct answer_rwlock *self)
{
    pthread_mutex_destroy(&self->lock);
    return pthread_cond_destroy(&self->changed);
}
static inline int answer_rwlock_rdlock(struct answer_rwlock *self)
{
    pthread_mutex_lock(&self->lock);
    while (self->writer || (self->kind == 2 && self->writers_wait > 0))     /* 2: PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP */
        pthread_cond_wait(&self->changed, &self->lock);
    self->readers++;
    return pthread_mutex_unlock(&self->lock);
}
static inline int answer_rwlock_wrlock(struct answer_rwlock *self)
{
    pthread_mutex_lock(&self->lock);
    self->writers_wait++;
    while (self->writer || self->readers > 0)
        pthread_cond_wait(&self->changed, &self->lock);
    self->writers_wait--;
    self->writer = 1;
    return pthread_mutex_unlock(&self->lock);
}
static inline int answer_rwlock_tryrdlock(struct answer_rwlock *self)
{
    pthread_mutex_lock(&self->lock);
    int free_now = !self->writer && !(self->kind == 2 && self->writers_wait > 0);
    self->readers += free_now;
    pthread_mutex_unlock(&self->lock);
    return free_now ? 0 : EBUSY;
}
static inline int answer_rwlock_trywrlock(struct answer_rwlock *self)
{
    pthread_mutex_lock(&self->lock);
    int free_now = !self->writer && self->readers == 0;
    self->writer |= free_now;
    pthread_mutex_unlock(&self->lock);
    return free_now ? 0 : EBUSY;
}
static inline int answer_rwlock_unlock(struct answer_rwlock *self)
{
    pthread_mutex_lock(&self->lock);
    if (self->writer)
        self->writer = 0;
    else
        self->readers--;
    pthread_cond_broadcast(&self->changed);
    return pthread_mutex_unlock(&self->lock);
}
#define pthread_rwlock_t struct answer_rwlock
#define pthread_rwlock_init answer_rwlock_init
#define pthread_rwlock_destroy answer_rwlock_destroy
#define pthread_rwlock_rdlock answer_rwlock_rdlock
#define pthread_rwlock_wrlock answer_rwlock_wrlock
#define pthread_rwlock_tryrdlock answer_rwlock_tryrdlock
#define pthread_rwlock_trywrlock answer_rwlock_trywrlock
#define pthread_rwlock_unlock answer_rwlock_unlock
#endif
