/* threads.c - preloaded into an answer's plain runs by threads.bash: shows mistakes that mostly stay hidden.
     ./joined_detached   is made when a thread is joined that was detached. (Such a join may return at
                         once, fail or crash: here it always fails with EINVAL.)
     ./joined_twice      is made when a thread is joined again. (Such a join fails, or crashes, or joins
                         another thread that got the same id: here it always fails with ESRCH.)
     ./built_by_main     is made when the first thread says that it builds the table (exercise once).
     ./private_in_shared is made when a read-write lock, a condition variable or a barrier is made for one
                         process, but in memory that several processes share. It seldom does harm.
     ./strtok_shared     is made when a thread goes on with the text that another thread gave to strtok.
                         A thread's first strtok waits a moment for one of another thread, so that
                         the two really meet. Nothing is decided by this wait about a right answer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MEET_MS = 60, MOST = 1024 };

#define REAL(name) __extension__({ static __typeof__(&name) real; \
    if (real == NULL) { void *found = dlsym(RTLD_NEXT, #name); memcpy(&real, &found, sizeof real); } \
    real; })

static void mark(const char *name)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    if (fd != -1)
        close(fd);
}

/* ---- threads that cannot be joined: the detached ones, and those that were joined ---- */

enum why { DETACHED, JOINED };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { pthread_t thread; enum why why; } gone[MOST];
static int count;

static int find(pthread_t thread)
{
    for (int i = 0; i < count; i++)
        if (pthread_equal(gone[i].thread, thread))
            return i;
    return -1;
}

static void add(pthread_t thread, enum why why)
{
    pthread_mutex_lock(&lock);
    if (count < MOST) {
        gone[count].thread = thread;
        gone[count++].why = why;
    }
    pthread_mutex_unlock(&lock);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
    int state = PTHREAD_CREATE_JOINABLE;
    if (attributes != NULL)
        pthread_attr_getdetachstate(attributes, &state);
    int code = REAL(pthread_create)(thread, attributes, function, argument);
    if (code != 0)
        return code;
    pthread_mutex_lock(&lock);
    int at = find(*thread);             /* the C library uses ids again */
    if (at != -1)
        gone[at] = gone[--count];
    pthread_mutex_unlock(&lock);
    if (state == PTHREAD_CREATE_DETACHED)
        add(*thread, DETACHED);
    return 0;
}

int pthread_detach(pthread_t thread)
{
    add(thread, DETACHED);
    return REAL(pthread_detach)(thread);
}

int pthread_join(pthread_t thread, void **value)
{
    pthread_mutex_lock(&lock);
    int at = find(thread);
    int joined = at != -1 && gone[at].why == JOINED;
    pthread_mutex_unlock(&lock);
    if (at == -1) {
        add(thread, JOINED);            /* before the join: after it, the id may be another thread's */
        return REAL(pthread_join)(thread, value);
    }
    mark(joined ? "joined_twice" : "joined_detached");
    return joined ? ESRCH : EINVAL;
}

/* ---- who builds the table? ---- */

ssize_t write(int fd, const void *buffer, size_t size)
{
    static const char words[] = "building the table";
    if (size >= sizeof words - 1 && memcmp(buffer, words, sizeof words - 1) == 0 && syscall(SYS_gettid) == getpid())
        mark("built_by_main");
    return REAL(write)(fd, buffer, size);
}

/* ---- private, but in shared memory ---- */

static int is_shared(const void *object)
{
    unsigned long from, to, at = (unsigned long)object;
    char line[512], access[5];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && !found && fgets(line, sizeof line, maps) != NULL)
        found = sscanf(line, "%lx-%lx %4s", &from, &to, access) == 3 && at >= from && at < to && access[3] == 's';
    if (maps != NULL)
        fclose(maps);
    return found;
}

static void made(const void *object, int for_whom)
{
    if (for_whom == PTHREAD_PROCESS_PRIVATE && is_shared(object))
        mark("private_in_shared");
}

int pthread_rwlock_init(pthread_rwlock_t *object, const pthread_rwlockattr_t *attributes)
{
    int for_whom = PTHREAD_PROCESS_PRIVATE;
    if (attributes != NULL)
        pthread_rwlockattr_getpshared(attributes, &for_whom);
    made(object, for_whom);
    return REAL(pthread_rwlock_init)(object, attributes);
}

int pthread_cond_init(pthread_cond_t *object, const pthread_condattr_t *attributes)
{
    int for_whom = PTHREAD_PROCESS_PRIVATE;
    if (attributes != NULL)
        pthread_condattr_getpshared(attributes, &for_whom);
    made(object, for_whom);
    return REAL(pthread_cond_init)(object, attributes);
}

int pthread_barrier_init(pthread_barrier_t *object, const pthread_barrierattr_t *attributes, unsigned int parties)
{
    int for_whom = PTHREAD_PROCESS_PRIVATE;
    if (attributes != NULL)
        pthread_barrierattr_getpshared(attributes, &for_whom);
    made(object, for_whom);
    return REAL(pthread_barrier_init)(object, attributes, parties);
}

/* ---- strtok ---- */

static atomic_int users, owner;
static __thread int called;

char *strtok(char *text, const char *separators)
{
    int me = (int)syscall(SYS_gettid);
    if (text != NULL)
        atomic_store(&owner, me);
    else if (atomic_load(&owner) != me)
        mark("strtok_shared");
    if (!called) {
        called = 1;
        int before = atomic_fetch_add(&users, 1);
        for (int i = 0; i < MEET_MS && before == 0 && atomic_load(&users) == 1; i++) {
            struct timespec moment = { 0, 1000000 };
            nanosleep(&moment, NULL);
        }
    }
    return REAL(strtok)(text, separators);
}
