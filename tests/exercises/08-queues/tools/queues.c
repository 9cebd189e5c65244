/* queues.c - what pipes and processes may do, but seldom do. Preloaded into an answer by queues.bash.
     QUEUES_FILL=1       a read from a pipe waits until no more comes in: it is full, or its writers are at work elsewhere.
     QUEUES_HOLD=1       the first sem_post or write of a child takes HOLD_MS. All must wait for it, and use no time: a first process whose
                         children have used BUSY_MS of processor time ends itself by SIGXCPU.
     QUEUES_GATHER=N     the children of the first process are held until it has forked N times; and a pipe holds one page
                         only: so writers do write at the same time. For at most GATHER_MS: who waits in between, goes on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { GATHER_MS = 400, STILL_MS = 10, FILLS = 8, HOLD_MS = 500, BUSY_MS = 100 };

#define REAL(name) __extension__({ static __typeof__(&name) real; \
    if (real == NULL) { void *found = dlsym(RTLD_NEXT, #name); memcpy(&real, &found, sizeof real); } \
    real; })

static struct shared {
    atomic_int forks, given_up, held;
} *shared;
static int wanted;              /* N, or 0 */
static bool fill, hold;
static pid_t first;

__attribute__((constructor))
static void begin(void)
{
    const char *gather = getenv("QUEUES_GATHER");
    fill = getenv("QUEUES_FILL") != NULL;
    hold = getenv("QUEUES_HOLD") != NULL;
    first = getpid();
    if (gather != NULL || hold) {
        void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        shared = memory == MAP_FAILED ? NULL : memory;
        hold = hold && shared != NULL;
        wanted = gather != NULL && shared != NULL ? atoi(gather) : 0;
    }
}

static void hold_once(void)
{
    if (hold && getpid() != first && atomic_fetch_add(&shared->held, 1) == 0)
        nanosleep(&(struct timespec){ 0, HOLD_MS * 1000000 }, NULL);
}

int sem_post(sem_t *semaphore)
{
    hold_once();
    return REAL(sem_post)(semaphore);
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    hold_once();
    return REAL(write)(fd, buffer, size);
}

__attribute__((destructor))
static void end(void)
{
    struct rusage children, own;
    if (!hold || getpid() != first || getrusage(RUSAGE_CHILDREN, &children) == -1 || getrusage(RUSAGE_SELF, &own) == -1)
        return;
    long ms = (children.ru_utime.tv_sec + children.ru_stime.tv_sec + own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1000 +
        (children.ru_utime.tv_usec + children.ru_stime.tv_usec + own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1000;
    if (ms >= BUSY_MS)
        raise(SIGXCPU);
}

pid_t fork(void)
{
    bool counts = wanted > 0 && getpid() == first;
    pid_t pid = REAL(fork)();
    if (pid > 0 && counts)
        atomic_fetch_add(&shared->forks, 1);
    for (int ms = 0; pid == 0 && counts && atomic_load(&shared->forks) < wanted && !atomic_load(&shared->given_up); ms++) {
        if (ms == GATHER_MS)
            atomic_store(&shared->given_up, 1);
        nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    }
    return pid;
}

/* For at most FILLS times in each process, so that it does not last. */
static void wait_until_full(int fd)
{
    static int fills;
    int before = -1, now = 0;
    for (int still = 0; fills < FILLS && still < STILL_MS && ioctl(fd, FIONREAD, &now) == 0; still++) {
        if (now != before)
            still = 0;
        before = now;
        nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    }
    fills++;
}

ssize_t read(int fd, void *buffer, size_t size)
{
    struct stat info;
    if (fill && size > 1 && fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode))
        wait_until_full(fd);
    return REAL(read)(fd, buffer, size);
}

static int made(int result, const int ends[2])
{
    if (result == 0 && wanted > 0)
        fcntl(ends[1], F_SETPIPE_SZ, 4096);
    return result;
}

int pipe(int ends[2]) { return made(REAL(pipe)(ends), ends); }
int pipe2(int ends[2], int flags) { return made(REAL(pipe2)(ends, flags), ends); }
