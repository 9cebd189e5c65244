/* order.c - makes the race that a wrong answer mostly wins by luck go wrong every time.
   Preloaded into an answer by the checks of an exercise (see order.bash).
     ANSWER_ORDER=child     after each fork the parent is held: the child goes first
     ANSWER_ORDER=parent    after each fork the child is held, until its parent waits for something
     ANSWER_ORDER=last:N    each child of the first process is held until that process has forked N
                            times; then they go on, the last child first, each when the one after it
                            has ended.
                            If the first process does not come to N forks while a child is held, the
                            file ./alone is made: it waits for one child before it starts the next.
   Nothing is decided by these waits about a right answer: each has a limit, and ends early when it can. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { CHILD_FIRST_MS = 40, PARENT_FIRST_MS = 40, GATHER_MS = 2000, NEXT_MS = 60, MOST = 64 };

static struct shared {
    atomic_int forks;               /* of the first process */
    atomic_int given_up;            /* it does not come to N: hold nobody any more */
    atomic_int pids[MOST];
} *shared;
static int wanted;                  /* N, or 0 */
static int child_first, parent_first;
static pid_t first;

static void rest(long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    while (nanosleep(&time, &time) == -1)
        ;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

__attribute__((constructor))
static void begin(void)
{
    const char *order = getenv("ANSWER_ORDER");
    if (order == NULL)
        return;
    child_first = strcmp(order, "child") == 0;
    parent_first = strcmp(order, "parent") == 0;
    if (sscanf(order, "last:%d", &wanted) == 1 && wanted < MOST) {
        void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        shared = memory == MAP_FAILED ? NULL : memory;
        first = getpid();
    }
}

/* The state letter of PID in /proc, or 0 when it is gone. */
static int state_of(pid_t pid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd == -1 ? -1 : read(fd, text, sizeof text - 1);
    if (fd != -1)
        close(fd);
    if (count <= 0)
        return 0;
    text[count] = '\0';
    const char *bracket = strrchr(text, ')');
    return bracket == NULL ? 0 : bracket[2];
}

/* In child number I (0 is the first) of the first process. */
static void hold(int i)
{
    long end = now_ms() + GATHER_MS;
    while (atomic_load(&shared->forks) < wanted) {
        if (atomic_load(&shared->given_up))
            return;
        if (now_ms() >= end) {
            atomic_store(&shared->given_up, 1);
            close(open("alone", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
            return;
        }
        rest(1);
    }
    end = now_ms() + (wanted - i) * NEXT_MS;
    for (int state; i + 1 < wanted && now_ms() < end; rest(1)) {
        state = state_of(atomic_load(&shared->pids[i + 1]));
        if (state == 0 || state == 'Z')
            return;
    }
}

pid_t fork(void)
{
    static pid_t (*real)(void);
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "fork");
        memcpy(&real, &found, sizeof real);
    }
    int number = shared != NULL && getpid() == first ? atomic_load(&shared->forks) : -1;
    pid_t pid = real();
    if (pid > 0 && child_first)
        rest(CHILD_FIRST_MS);
    if (pid == 0 && parent_first) {
        long end = now_ms() + PARENT_FIRST_MS;
        do
            rest(1);
        while (now_ms() < end && state_of(getppid()) == 'R');
    }
    if (pid >= 0 && number >= 0 && number < wanted) {
        if (pid == 0)
            hold(number);
        else {
            atomic_store(&shared->pids[number], pid);
            atomic_store(&shared->forks, number + 1);
        }
    }
    return pid;
}
