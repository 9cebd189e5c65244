/* threads.h - the threads of C11, made of those of POSIX. Answers may use them, but ThreadSanitizer sees POSIX calls only:
   threads.bash puts this header where the compiler finds it before the C library's own. */
#ifndef ANSWER_THREADS_H
#define ANSWER_THREADS_H
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { thrd_success, thrd_busy, thrd_error, thrd_nomem, thrd_timedout };
enum { mtx_plain, mtx_recursive, mtx_timed };
typedef pthread_t thrd_t;
typedef pthread_mutex_t mtx_t;
typedef pthread_cond_t cnd_t;
typedef int (*thrd_start_t)(void *);
#define once_flag pthread_once_t
#define ONCE_FLAG_INIT PTHREAD_ONCE_INIT
#define call_once(flag, function) ((void)pthread_once((flag), (function)))
#ifndef thread_local
#define thread_local _Thread_local
#endif

struct thrd_begin { thrd_start_t function; void *argument; };
static inline void *thrd_begins(void *given)
{
    struct thrd_begin begin = *(struct thrd_begin *)given;
    free(given);
    return (void *)(intptr_t)begin.function(begin.argument);
}
static inline int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct thrd_begin *begin = malloc(sizeof *begin);
    if (begin == NULL)
        return thrd_nomem;
    *begin = (struct thrd_begin){ function, argument };
    return pthread_create(thread, NULL, thrd_begins, begin) == 0 ? thrd_success : thrd_error;
}
static inline int thrd_join(thrd_t thread, int *result)
{
    void *value;
    if (pthread_join(thread, &value) != 0)
        return thrd_error;
    if (result != NULL)
        *result = (int)(intptr_t)value;
    return thrd_success;
}
static inline int thrd_word(int code) { return code == 0 ? thrd_success : code == EBUSY ? thrd_busy : code == ETIMEDOUT ? thrd_timedout : thrd_error; }
static inline int thrd_detach(thrd_t thread) { return thrd_word(pthread_detach(thread)); }
static inline void thrd_yield(void) { sched_yield(); }
static inline thrd_t thrd_current(void) { return pthread_self(); }
static inline int thrd_equal(thrd_t a, thrd_t b) { return pthread_equal(a, b); }
static inline int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    return thrd_word(pthread_mutex_init(mutex, &attributes));
}
static inline int mtx_lock(mtx_t *mutex) { return thrd_word(pthread_mutex_lock(mutex)); }
static inline int mtx_trylock(mtx_t *mutex) { return thrd_word(pthread_mutex_trylock(mutex)); }
static inline int mtx_timedlock(mtx_t *mutex, const struct timespec *limit) { return thrd_word(pthread_mutex_timedlock(mutex, limit)); }
static inline int mtx_unlock(mtx_t *mutex) { return thrd_word(pthread_mutex_unlock(mutex)); }
static inline void mtx_destroy(mtx_t *mutex) { pthread_mutex_destroy(mutex); }
static inline int cnd_init(cnd_t *condition) { return thrd_word(pthread_cond_init(condition, NULL)); }
static inline int cnd_wait(cnd_t *condition, mtx_t *mutex) { return thrd_word(pthread_cond_wait(condition, mutex)); }
static inline int cnd_signal(cnd_t *condition) { return thrd_word(pthread_cond_signal(condition)); }
static inline int cnd_broadcast(cnd_t *condition) { return thrd_word(pthread_cond_broadcast(condition)); }
static inline void cnd_destroy(cnd_t *condition) { pthread_cond_destroy(condition); }
#endif
