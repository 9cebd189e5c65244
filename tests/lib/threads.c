/* threads.c - threads and what they wait for. Conditions and barriers are played here: who is woken is the
   seed's choice, as the standard leaves it open. Locks and semaphores stay the C library's own, but are only
   ever tried: so their errors, owners and counts are the real ones. */
#include "calls.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

/* ---- threads ---- */

static struct { pthread_t thread; int number; } threads[TASKS];
static int thread_count;
static pthread_key_t ending;

struct beginning {
    void *(*function)(void *);
    void *argument;
    int number;
};

/* A destructor of thread-specific data. Those of the program may need their turns yet: the end is in the second round. */
static void thread_gone(void *value)
{
    if (value == &ending)
        pthread_setspecific(ending, &thread_count);
    else
        task_end(false);
}

static void *thread_begins(void *argument)
{
    struct beginning beginning = *(struct beginning *)argument;
    free(argument);
    task_begin(beginning.number);
    delay();
    pthread_setspecific(ending, &ending);
    return beginning.function(beginning.argument);
}

static int created(const pthread_t *thread, int code)
{
    if (code == 0)
        note("thread %d %lx\n", (int)getpid(), (unsigned long)*thread);
    return code;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
    if (shall_fail("pthread_create"))
        return EAGAIN;
    if (!PLAYED)
        return created(thread, REAL(pthread_create)(thread, attributes, function, argument));
    static bool made;
    if (!made)
        pthread_key_create(&ending, thread_gone);
    made = true;
    uintptr_t at = HERE;
    int detached;
    step('c', 0, 0, at, "pthread_create");
    struct beginning *beginning = malloc(sizeof *beginning);
    if (beginning == NULL)
        return EAGAIN;
    beginning->function = function;
    beginning->argument = argument;
    beginning->number = task_new(self, true);
    region->task[beginning->number].started_at = at;
    if (attributes != NULL && pthread_attr_getdetachstate(attributes, &detached) == 0)
        region->task[beginning->number].joined = detached == PTHREAD_CREATE_DETACHED;
    region->threads = true;
    int code = REAL(pthread_create)(thread, attributes, thread_begins, beginning);
    region->task[beginning->number].pid = getpid();
    region->task[beginning->number].state = code == 0 ? READY : ENDED;
    if (code == 0 && thread_count < TASKS) {
        threads[thread_count].thread = *thread;
        threads[thread_count++].number = beginning->number;
    }
    return created(thread, code);
}

void report_threads(void)
{
    for (int i = 0; i < region->tasks; i++) {
        const struct task *task = &region->task[i];
        if (task->thread && task->space == me()->space && !task->joined && i != self)
            snprintf(region->remark, sizeof region->remark, "thread P%d, started at @%lx@, is neither joined nor detached\n",
                     i + 1, (unsigned long)task->started_at);
    }
}

/* The task that a thread is, or -1. The last one, since the C library uses ids again. */
static int number_of(pthread_t thread)
{
    int number = -1;
    for (int i = 0; i < thread_count; i++)
        if (pthread_equal(threads[i].thread, thread))
            number = threads[i].number;
    return number;
}

static int joined(pthread_t thread, int code)
{
    if (code == 0)
        note("join %d %lx\n", (int)getpid(), (unsigned long)thread);
    return code;
}

int pthread_join(pthread_t thread, void **value)
{
    if (!PLAYED)
        return joined(thread, REAL(pthread_join)(thread, value));
    uintptr_t at = HERE;
    step('c', 0, 0, at, "pthread_join");
    int number = number_of(thread);
    cancellation_point();
    if (number != -1 && number != self) {
        while (region->task[number].state != ENDED)
            waits(BLOCKED, 0, "pthread_join", at);
        acquire(region->task[number].clock);
        region->task[number].joined = true;
    }
    return joined(thread, REAL(pthread_join)(thread, value));
}

#ifdef __GLIBC__                /* GNU's joins that do not wait, or not for ever */
static int join_in_time(pthread_t thread, void **value, const struct timespec *limit, clockid_t clock, uintptr_t at)
{
    int number = number_of(thread);
    step('c', 0, 0, at, "pthread_join");
    if (limit != NULL)
        limit_at(limit, clock);
    while (number != -1 && number != self && region->task[number].state != ENDED)
        if (limit == NULL)
            return EBUSY;
        else if (!waits(TIMED, 0, "pthread_join", at))
            return ETIMEDOUT;
    return pthread_join(thread, value);
}

int pthread_tryjoin_np(pthread_t thread, void **value)
{
    return PLAYED ? join_in_time(thread, value, NULL, CLOCK_REALTIME, HERE) : joined(thread, REAL(pthread_tryjoin_np)(thread, value));
}

int pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *limit)
{
    return PLAYED && limit != NULL ? join_in_time(thread, value, limit, CLOCK_REALTIME, HERE)
                                   : joined(thread, REAL(pthread_timedjoin_np)(thread, value, limit));
}
#endif

int pthread_detach(pthread_t thread)
{
    int number = PLAYED ? number_of(thread) : -1;
    if (number != -1)
        region->task[number].joined = true;
    return REAL(pthread_detach)(thread);
}

/* main may end while its threads go on. A thread's own end is seen by thread_gone. */
void pthread_exit(void *value)
{
    if (raw_syscall(SYS_gettid) == getpid())
        note("pthread_exit %d\n", (int)getpid());
    if (PLAYED && !me()->thread) {
        step('c', 0, 0, HERE, "pthread_exit");
        task_end(false);
    }
    REAL(pthread_exit)(value);
    abort();                    /* not reached */
}

int pthread_kill(pthread_t thread, int number)
{
    step('c', 0, number, HERE, "pthread_kill");
    int target = PLAYED ? number_of(thread) : -1;
    if (number <= 0 || number > 64 || target == -1 || target == self || region->task[target].state == ENDED ||
        ends_by(&region->task[target], number))
        return REAL(pthread_kill)(thread, number);
    post(target, number, NULL);     /* delivered when that task goes on */
    region->progress++;
    return 0;
}

int pthread_cancel(pthread_t thread)
{
    step('c', 0, 0, HERE, "pthread_cancel");
    int target = PLAYED ? number_of(thread) : -1;
    int code = REAL(pthread_cancel)(thread);
    if (code == 0 && target != -1) {
        region->task[target].cancelled = true;
        region->progress++;
    }
    return code;
}

int pthread_setcancelstate(int state, int *old)
{
    if (PLAYED)
        me()->keeps_on = state == PTHREAD_CANCEL_DISABLE;
    return REAL(pthread_setcancelstate)(state, old);
}

void cancellation_point(void)
{
    if (PLAYED && me()->cancelled && !me()->keeps_on) {
        me()->cancelled = false;            /* its cleanup handlers run to their end */
        REAL(pthread_testcancel)();
    }
}

void pthread_testcancel(void)
{
    step('c', 0, 0, HERE, "pthread_testcancel");
    if (PLAYED)
        cancellation_point();
    else
        REAL(pthread_testcancel)();
}

bool waits(enum state state, uint64_t object, const char *call, uintptr_t at)
{
    bool in_time = blocked(state, object, call, at);
    cancellation_point();
    return in_time;
}

/* ---- locks ---- */

static bool is_taken(int code) { return code == EBUSY; }

static int lock_played(pthread_mutex_t *mutex, const struct timespec *limit, clockid_t clock, uintptr_t at, const char *call)
{
    enum state state = limit != NULL ? TIMED : BLOCKED;
    uint64_t key = key_of(mutex);
    struct object *object = object_of(key, MUTEX);
    step('c', key, 0, at, call);
    bool unheard = object->owner >= 0 && region->task[object->owner].space != me()->space && object->private_to_process;
    if (unheard)
        verdict("wrong call", "a mutex that two processes use was made without PTHREAD_PROCESS_SHARED (locked at @%lx@)\n", (unsigned long)at);
    if (object->owner == self && object->count == PTHREAD_MUTEX_ERRORCHECK)
        return EDEADLK;
    int code;
    if (limit != NULL)
        limit_at(limit, clock);
    while (is_taken(code = REAL(pthread_mutex_trylock)(mutex)))
        do
            if (!blocked(state, key, call, at))
                return ETIMEDOUT;
        while (unheard);        /* the unlock of another process does not wake this one */
    unblocked();
    if (code == EOWNERDEAD && object->owner >= 0)
        acquire(region->task[object->owner].clock);     /* what it did before it died is done */
    if (code == 0 || code == EOWNERDEAD) {
        if (me()->waits)
            write_down('c', key, 0, at, "has");
        object->depth++;
        took(object, at);
    }
    region->progress++;
    return code;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    int code = REAL(pthread_mutex_init)(mutex, attributes);
    if (PLAYED && code == 0) {
        struct object *object = object_of(key_of(mutex), MUTEX);
        int shared = PTHREAD_PROCESS_PRIVATE, type = PTHREAD_MUTEX_NORMAL, robust = PTHREAD_MUTEX_STALLED;
        if (attributes != NULL) {
            pthread_mutexattr_getrobust(attributes, &robust);
            pthread_mutexattr_getpshared(attributes, &shared);
            pthread_mutexattr_gettype(attributes, &type);
        }
        object->private_to_process = shared == PTHREAD_PROCESS_PRIVATE;
        object->count = (unsigned)type;
        object->owner = -1;
        object->depth = 0;
        memset(object->holds, 0, sizeof object->holds);
        object->robust = robust == PTHREAD_MUTEX_ROBUST;
    }
    return code;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (PLAYED)
        return lock_played(mutex, NULL, CLOCK_REALTIME, HERE, "pthread_mutex_lock");
    delay();
    return REAL(pthread_mutex_lock)(mutex);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *limit)
{
    return PLAYED ? lock_played(mutex, limit, CLOCK_REALTIME, HERE, "pthread_mutex_timedlock") : REAL(pthread_mutex_timedlock)(mutex, limit);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    if (!PLAYED)
        return REAL(pthread_mutex_trylock)(mutex);
    struct object *object = object_of(key_of(mutex), MUTEX);
    step('c', object->key, 0, HERE, "pthread_mutex_trylock");
    int code = REAL(pthread_mutex_trylock)(mutex);
    if (code == 0 || code == EOWNERDEAD) {
        object->depth++;
        took(object, HERE);
    }
    return code;
}

static int unlock_played(pthread_mutex_t *mutex, uintptr_t at)
{
    struct object *object = object_of(key_of(mutex), MUTEX);
    if (object->owner != self && object->count != PTHREAD_MUTEX_ERRORCHECK && object->count != PTHREAD_MUTEX_RECURSIVE)
        verdict("wrong call", "P%d calls pthread_mutex_unlock on a mutex that %s, at @%lx@\n", self + 1,
                object->owner < 0 ? "is not locked" : "another task holds", (unsigned long)at);
    gave_back(object);
    if (object->owner == self && --object->depth <= 0) {
        object->owner = -1;
        object->depth = 0;
    }
    region->progress++;
    return REAL(pthread_mutex_unlock)(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (!PLAYED)
        return REAL(pthread_mutex_unlock)(mutex);
    uintptr_t at = HERE;
    int code = unlock_played(mutex, at);
    done(key_of(mutex), 0, at, "pthread_mutex_unlock");
    return code;
}

/* Locks, conditions and barriers are for one process, unless they are made for several. */
static struct object *made_for(struct object *object, int shared)
{
    object->private_to_process = shared == PTHREAD_PROCESS_PRIVATE;
    object->user = 0;
    return object;
}

static void used(struct object *object, const char *call, uintptr_t at)
{
    if (object->private_to_process && object->user != 0 && object->user != me()->space + 1)
        verdict("wrong call", "what two processes use was made without PTHREAD_PROCESS_SHARED (%s at @%lx@)\n", call, (unsigned long)at);
    object->user = me()->space + 1;
}

/* ---- conditions: played here, nobody waits in the C library ---- */

/* Remembers the clock that its limits count by: object->total, 0 for CLOCK_REALTIME, as in a static initialiser. */
int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    int code = REAL(pthread_cond_init)(condition, attributes), shared = PTHREAD_PROCESS_PRIVATE;
    clockid_t clock = CLOCK_REALTIME;
    if (attributes != NULL) {
        pthread_condattr_getclock(attributes, &clock);
        pthread_condattr_getpshared(attributes, &shared);
    }
    if (PLAYED && code == 0)
        made_for(object_of(key_of(condition), CONDITION), shared)->total = (unsigned)clock;
    return code;
}

static clockid_t clock_of(const pthread_cond_t *condition)
{
    return (clockid_t)object_of(key_of(condition), CONDITION)->total;
}

static int wait_condition(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *limit, clockid_t clock,
                          uintptr_t at, const char *call)
{
    enum state state = limit != NULL ? TIMED : BLOCKED;
    uint64_t key = key_of(condition);
    struct object *object = object_of(key, CONDITION);
    step('c', key, 0, at, call);
    used(object, call, at);
    if (me()->looks == 0 && region->hint[0] == '\0')
        snprintf(region->hint, sizeof region->hint, "at @%lx@ P%d waits without having looked, under the lock, whether there is something to wait "
                 "for: a wake-up that came before is lost\n", (unsigned long)at, self + 1);
    bool in_time = true;
    me()->signalled = false;
    me()->condition = key;
    int code = unlock_played(mutex, at);
    if (code != 0)
        return code;
    bool for_nothing = region->mode == 3 && draw(8) == 0;   /* a spurious wake-up: allowed at any time */
    if (limit != NULL)
        limit_at(limit, clock);
    while (!me()->signalled && in_time && !for_nothing && !(me()->cancelled && !me()->keeps_on))
        in_time = blocked(state, key, call, at);
    me()->condition = 0;
    if (me()->signalled)
        acquire(object->clock);
    int looks = me()->looks;
    code = lock_played(mutex, NULL, CLOCK_REALTIME, at, "lock again");
    me()->looks = looks;
    me()->woken = at;
    if (!me()->signalled)
        cancellation_point();   /* with the mutex locked, as its cleanup handlers expect it */
    return code != 0 ? code : in_time || me()->signalled ? 0 : ETIMEDOUT;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    if (PLAYED)
        return wait_condition(condition, mutex, NULL, CLOCK_REALTIME, HERE, "pthread_cond_wait");
    if (disturb(WAKES)) {       /* woken for nothing */
        REAL(pthread_mutex_unlock)(mutex);
        raw_syscall(SYS_sched_yield);
        return REAL(pthread_mutex_lock)(mutex);
    }
    return REAL(pthread_cond_wait)(condition, mutex);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *limit)
{
    if (!PLAYED)
        return REAL(pthread_cond_timedwait)(condition, mutex, limit);
    return wait_condition(condition, mutex, limit, clock_of(condition), HERE, "pthread_cond_timedwait");
}

static int wake(pthread_cond_t *condition, bool all, uintptr_t at, const char *call)
{
    uint64_t key = key_of(condition);
    int waiting[TASKS], count = 0;
    step('c', key, 0, at, call);
    struct object *object = object_of(key, CONDITION);
    used(object, call, at);
    release(object->clock);
    for (int i = 0; i < region->tasks; i++)
        if (region->task[i].condition == key && !region->task[i].signalled && region->task[i].state != ENDED)
            waiting[count++] = i;
    object->owner = self;
    object->at = at;
    memcpy(object->outer, me()->outer, sizeof object->outer);
    object->woken = count == 0 ? -1 : all ? -2 : waiting[draw((unsigned)count)];
    for (int i = 0; i < count; i++)
        if (all || waiting[i] == object->woken)
            region->task[waiting[i]].signalled = true;
    if (region->steps < STEPS)  /* for the drawing: whom it woke */
        region->step[region->steps - 1].value = object->woken;
    region->progress++;
    return 0;
}

int pthread_cond_signal(pthread_cond_t *condition)
{
    return PLAYED ? wake(condition, false, HERE, "pthread_cond_signal") : REAL(pthread_cond_signal)(condition);
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
    return PLAYED ? wake(condition, true, HERE, "pthread_cond_broadcast") : REAL(pthread_cond_broadcast)(condition);
}

/* ---- semaphores, barriers, read-write locks, once ---- */

static void semaphore_used(sem_t *semaphore, uintptr_t at)
{
    struct object *object = object_of(key_of(semaphore), SEMAPHORE);
    if (object->private_to_process && object->owner >= 0 && region->task[object->owner].space != me()->space)
        verdict("wrong call", "a semaphore that two processes use was made by sem_init with pshared 0 (sem_wait, sem_post at @%lx@)\n",
                (unsigned long)at);
    object->owner = self;
}

int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    int result = REAL(sem_init)(semaphore, shared, value);
    if (PLAYED && result == 0) {
        struct object *object = object_of(key_of(semaphore), SEMAPHORE);
        object->private_to_process = shared == 0;
        object->owner = -1;
        object->count = 0;
        memset(object->holds, 0, sizeof object->holds);
    }
    return result;
}

/* A named semaphore is the same one in all processes, wherever each of them has it. */
sem_t *sem_open(const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    unsigned value = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    sem_t *semaphore = REAL(sem_open)(name, flags, mode, value);
    if (PLAYED && semaphore != SEM_FAILED) {
        uint64_t identity = 1469598103934665603u;
        for (const char *c = name; *c != '\0'; c++)
            identity = (identity ^ (unsigned char)*c) * 1099511628211u;
        mapping_add(semaphore, sizeof *semaphore, identity >> 8);
    }
    if (semaphore != SEM_FAILED && (flags & O_CREAT))
        note("made sem.%s %lx\n", name[0] == '/' ? name + 1 : name, (unsigned long)HERE);
    return semaphore;
}

static int wait_semaphore_played(sem_t *semaphore, const struct timespec *limit, clockid_t clock, uintptr_t at)
{
    enum state state = limit != NULL ? TIMED : BLOCKED;
    uint64_t key = key_of(semaphore);
    step('c', key, 0, at, "sem_wait");
    semaphore_used(semaphore, at);
    cancellation_point();
    unsigned before = me()->interrupts;
    if (limit != NULL)
        limit_at(limit, clock);
    while (REAL(sem_trywait)(semaphore) == -1) {
        if (errno != EAGAIN)
            return -1;
        if (!waits(state, key, "sem_wait", at)) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (interrupted(before)) {
            errno = EINTR;
            return -1;
        }
    }
    took(object_of(key, SEMAPHORE), at);
    region->progress++;
    return 0;
}

int sem_wait(sem_t *semaphore)
{
    if (PLAYED)
        return wait_semaphore_played(semaphore, NULL, CLOCK_REALTIME, HERE);
    delay();
    int result = interrupt() ? -1 : REAL(sem_wait)(semaphore);
    if (result == -1 && errno == EINTR)
        seen_interrupted("sem_wait", HERE);
    return result;
}

int sem_timedwait(sem_t *semaphore, const struct timespec *limit)
{
    return PLAYED ? wait_semaphore_played(semaphore, limit, CLOCK_REALTIME, HERE) : REAL(sem_timedwait)(semaphore, limit);
}

int sem_trywait(sem_t *semaphore)
{
    step('c', 0, 0, HERE, "sem_trywait");
    int result = REAL(sem_trywait)(semaphore);
    if (PLAYED && result == 0)
        took(object_of(key_of(semaphore), SEMAPHORE), HERE);
    return result;
}

int sem_post(sem_t *semaphore)
{
    if (!PLAYED)
        return REAL(sem_post)(semaphore);
    uintptr_t at = HERE;
    semaphore_used(semaphore, at);
    gave_back(object_of(key_of(semaphore), SEMAPHORE));
    object_of(key_of(semaphore), SEMAPHORE)->count++;
    int result = REAL(sem_post)(semaphore);
    region->progress++;
    done(key_of(semaphore), 0, at, "sem_post");
    return result;
}

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes, unsigned count)
{
    int code = REAL(pthread_barrier_init)(barrier, attributes, count), shared = PTHREAD_PROCESS_PRIVATE;
    if (attributes != NULL)
        pthread_barrierattr_getpshared(attributes, &shared);
    if (PLAYED && code == 0) {
        struct object *object = made_for(object_of(key_of(barrier), BARRIER), shared);
        object->total = count;
        object->count = 0;
    }
    return code;
}

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    if (!PLAYED)
        return REAL(pthread_barrier_wait)(barrier);
    uintptr_t at = HERE;
    uint64_t key = key_of(barrier);
    struct object *object = object_of(key, BARRIER);
    step('c', key, 0, at, "pthread_barrier_wait");
    used(object, "pthread_barrier_wait", at);
    unsigned generation = object->generation;
    release(object->clock);
    bool last = ++object->count == object->total;
    if (last) {
        object->count = 0;
        object->generation++;
        region->progress++;
    }
    while (object->generation == generation)
        blocked(BLOCKED, key, "pthread_barrier_wait", at);
    acquire(object->clock);
    return last ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

#define RWLOCK(name, try, state, limit_it) \
    if (!PLAYED) \
        return name; \
    uintptr_t at_ = HERE; \
    struct object *object_ = object_of(key_of(lock), RWLOCK); \
    int code_; \
    step('c', object_->key, 0, at_, __func__); \
    used(object_, __func__, at_); \
    limit_it; \
    while ((code_ = REAL(try)(lock)) == EBUSY) \
        if (!blocked(state, object_->key, __func__, at_)) \
            return ETIMEDOUT; \
    if (code_ == 0) \
        took(object_, at_); \
    region->progress++; \
    return code_

int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes)
{
    int code = REAL(pthread_rwlock_init)(lock, attributes), shared = PTHREAD_PROCESS_PRIVATE;
    if (attributes != NULL)
        pthread_rwlockattr_getpshared(attributes, &shared);
    if (PLAYED && code == 0)
        made_for(object_of(key_of(lock), RWLOCK), shared);
    return code;
}

/* A try that does not wait. */
#define TRY(lock, kind, call) \
    if (!PLAYED) \
        return call; \
    uintptr_t at_ = HERE; \
    struct object *object_ = object_of(key_of((const void *)(uintptr_t)(lock)), kind); \
    step('c', object_->key, 0, at_, __func__); \
    int code_ = call; \
    if (code_ == 0) \
        took(object_, at_); \
    return code_

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock) { TRY(lock, RWLOCK, REAL(pthread_rwlock_tryrdlock)(lock)); }
int pthread_rwlock_trywrlock(pthread_rwlock_t *lock) { TRY(lock, RWLOCK, REAL(pthread_rwlock_trywrlock)(lock)); }
int pthread_spin_trylock(pthread_spinlock_t *lock) { TRY(lock, MUTEX, REAL(pthread_spin_trylock)(lock)); }

int pthread_rwlock_rdlock(pthread_rwlock_t *lock) { RWLOCK(REAL(pthread_rwlock_rdlock)(lock), pthread_rwlock_tryrdlock, BLOCKED, (void)0); }
int pthread_rwlock_wrlock(pthread_rwlock_t *lock) { RWLOCK(REAL(pthread_rwlock_wrlock)(lock), pthread_rwlock_trywrlock, BLOCKED, (void)0); }
int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *limit) { RWLOCK(REAL(pthread_rwlock_timedrdlock)(lock, limit), pthread_rwlock_tryrdlock, TIMED, limit_at(limit, CLOCK_REALTIME)); }
int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *limit) { RWLOCK(REAL(pthread_rwlock_timedwrlock)(lock, limit), pthread_rwlock_trywrlock, TIMED, limit_at(limit, CLOCK_REALTIME)); }

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    if (!PLAYED)
        return REAL(pthread_rwlock_unlock)(lock);
    struct object *object = object_of(key_of(lock), RWLOCK);
    gave_back(object);
    object->owner = -1;
    int code = REAL(pthread_rwlock_unlock)(lock);
    region->progress++;
    done(object->key, 0, HERE, "pthread_rwlock_unlock");
    return code;
}

int pthread_spin_lock(pthread_spinlock_t *lock)
{
    if (!PLAYED)
        return REAL(pthread_spin_lock)(lock);
    uintptr_t at = HERE;
    const void *where = (const void *)(uintptr_t)lock;
    struct object *object = object_of(key_of(where), MUTEX);
    step('c', object->key, 0, at, "pthread_spin_lock");
    while (REAL(pthread_spin_trylock)(lock) == EBUSY)
        blocked(BLOCKED, object->key, "pthread_spin_lock", at);
    took(object, at);
    return 0;
}

int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    if (!PLAYED)
        return REAL(pthread_spin_unlock)(lock);
    const void *where = (const void *)(uintptr_t)lock;
    struct object *object = object_of(key_of(where), MUTEX);
    gave_back(object);
    object->owner = -1;
    int code = REAL(pthread_spin_unlock)(lock);
    region->progress++;
    done(object->key, 0, HERE, "pthread_spin_unlock");
    return code;
}

int pthread_once(pthread_once_t *once, void (*function)(void))
{
    if (!PLAYED)
        return REAL(pthread_once)(once, function);
    uintptr_t at = HERE;
    struct object *object = object_of(key_of(once), ONCE);
    step('c', object->key, 0, at, "pthread_once");
    if (object->count == 0) {
        object->count = 1;
        function();
        object->count = 2;
        region->progress++;
        release(object->clock);
    }
    while (object->count != 2)
        blocked(BLOCKED, object->key, "pthread_once", at);
    acquire(object->clock);
    return 0;
}

/* ---- futexes: what locks are made of; a program calls them by syscall(2) ---- */

static long futex_played(unsigned *word, int operation, unsigned value, const struct timespec *limit, uintptr_t at)
{
    bool wakes = (operation & 127) == 1, absolute = (operation & 127) == 9;
    uint64_t key = key_of(word);
    int waiting[TASKS], count = 0;
    long woken = 0;
    step('c', key, 0, at, wakes ? "futex_wake" : "futex_wait");
    if (wakes) {
        for (int i = 0; i < region->tasks; i++)
            if (region->task[i].condition == key && !region->task[i].signalled && region->task[i].state != ENDED)
                waiting[count++] = i;
        for (; woken < (long)value && count > 0; woken++) {
            int chosen = (int)draw((unsigned)count);
            region->task[waiting[chosen]].signalled = true;
            waiting[chosen] = waiting[--count];
        }
        region->progress++;
        return woken;
    }
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) {
        errno = EAGAIN;
        return -1;
    }
    unsigned before = me()->interrupts;
    if (limit != NULL && absolute)
        limit_at(limit, operation & 256 ? CLOCK_REALTIME : CLOCK_MONOTONIC);
    else if (limit != NULL)
        limit_in(ns_of(limit));
    me()->signalled = false;
    me()->condition = key;
    bool in_time = true, stopped = false;
    while (!me()->signalled && in_time && !stopped) {
        in_time = blocked(limit != NULL ? TIMED : BLOCKED, key, "futex_wait", at);
        stopped = interrupted(before);
    }
    me()->condition = 0;
    if (me()->signalled)
        return 0;
    errno = stopped ? EINTR : ETIMEDOUT;
    return -1;
}

long syscall(long number, ...)
{
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    int operation = (int)a[1] & 127;    /* 0 and 9: FUTEX_WAIT and FUTEX_WAIT_BITSET; 1: FUTEX_WAKE */
    if (PLAYED && number == SYS_futex && (operation == 0 || operation == 1 || operation == 9))
        return futex_played((unsigned *)(uintptr_t)a[0], (int)a[1], (unsigned)a[2], (const struct timespec *)(uintptr_t)a[3], HERE);
    return raw_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#ifdef __GLIBC__                /* limits by a clock of one's choice; musl has none of these */
int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *limit)
{
    if (!PLAYED)
        return REAL(pthread_cond_clockwait)(condition, mutex, clock, limit);
    return wait_condition(condition, mutex, limit, clock, HERE, "pthread_cond_clockwait");
}

int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *limit)
{
    if (!PLAYED)
        return REAL(pthread_mutex_clocklock)(mutex, clock, limit);
    return lock_played(mutex, limit, clock, HERE, "pthread_mutex_clocklock");
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *limit)
{
    if (!PLAYED)
        return REAL(sem_clockwait)(semaphore, clock, limit);
    return wait_semaphore_played(semaphore, limit, clock, HERE);
}
#endif

/* ---- the threads of C11: in glibc and musl they are the ones above, under other names ---- */

struct c11_beginning { thrd_start_t function; void *argument; };

static void *c11_begins(void *argument)
{
    struct c11_beginning beginning = *(struct c11_beginning *)argument;
    free(argument);
    return (void *)(intptr_t)beginning.function(beginning.argument);
}

static int c11_code(int code)
{
    return code == 0 ? thrd_success : code == EBUSY ? thrd_busy : code == ETIMEDOUT ? thrd_timedout : code == ENOMEM ? thrd_nomem : thrd_error;
}

static pthread_mutex_t *mutex_of(mtx_t *mutex) { return (pthread_mutex_t *)(void *)mutex; }
static pthread_cond_t *condition_of(cnd_t *condition) { return (pthread_cond_t *)(void *)condition; }

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct c11_beginning *beginning = malloc(sizeof *beginning);
    if (beginning == NULL)
        return thrd_nomem;
    *beginning = (struct c11_beginning){ function, argument };
    pthread_t made;
    int code = pthread_create(&made, NULL, c11_begins, beginning);
    if (code == 0)
        memcpy(thread, &made, sizeof made);
    else
        free(beginning);
    return c11_code(code);
}

int thrd_join(thrd_t thread, int *result)
{
    pthread_t made;
    void *value = NULL;
    memcpy(&made, &thread, sizeof made);
    int code = pthread_join(made, &value);
    if (code == 0 && result != NULL)
        *result = (int)(intptr_t)value;
    return c11_code(code);
}

int thrd_detach(thrd_t thread)
{
    pthread_t made;
    memcpy(&made, &thread, sizeof made);
    return c11_code(pthread_detach(made));
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    return c11_code(pthread_mutex_init(mutex_of(mutex), &attributes));
}

int mtx_lock(mtx_t *mutex) { return c11_code(pthread_mutex_lock(mutex_of(mutex))); }
int mtx_trylock(mtx_t *mutex) { return c11_code(pthread_mutex_trylock(mutex_of(mutex))); }
int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict limit) { return c11_code(pthread_mutex_timedlock(mutex_of(mutex), limit)); }
int mtx_unlock(mtx_t *mutex) { return c11_code(pthread_mutex_unlock(mutex_of(mutex))); }
int cnd_wait(cnd_t *condition, mtx_t *mutex) { return c11_code(pthread_cond_wait(condition_of(condition), mutex_of(mutex))); }
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict limit)
{ return c11_code(pthread_cond_timedwait(condition_of(condition), mutex_of(mutex), limit)); }
int cnd_signal(cnd_t *condition) { return c11_code(pthread_cond_signal(condition_of(condition))); }
int cnd_broadcast(cnd_t *condition) { return c11_code(pthread_cond_broadcast(condition_of(condition))); }
void call_once(once_flag *flag, void (*function)(void)) { pthread_once((pthread_once_t *)(void *)flag, function); }
