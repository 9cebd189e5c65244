/* moments.c - lets signals come at the moment at which a wrong answer is hurt, every time.
   Preloaded into an answer by the checks (see signals.bash). ANSWER_MOMENT is a list of:
     late         The first process is held after each fork, so that the child is faster; and before each pause,
                  poll, select and read that would block, until a signal handler has run. So a signal comes
                  after the last look at a flag, and before the wait. What blocks its signals is not held.
                  A child is held a little before it sends a signal, so that main comes to its wait.
     errno        When a signal has ended a read or poll of the first process (EINTR), SIGCHLD comes once more,
                  before the program can look at errno.
     together:N   The first N children that were told something go on only when all N were told (or the file
                  ./alone is made) and the first process waits. The first process takes no SIGCHLD before all N have ended: they merge.
   The file ./asked is made when the first process asks again and again instead of waiting.
   All this may happen on any machine. Each hold has a limit, and ends early when it can. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FORK_MS = 40, LATE_MS = 200, TOGETHER_MS = 700, MOST = 64, MOST_QUESTIONS = 150, MOST_SLEEPS = 2, PRESS_MS = 3 };

#define REAL(name) __extension__({ static __typeof__(&name) real; \
    if (real == NULL) { void *found = dlsym(RTLD_NEXT, #name); memcpy(&real, &found, sizeof real); } \
    real; })

static struct { atomic_int told, given_up; } *shared;
static bool late, clobber;
static int together;
static pid_t first, children[MOST];
static int forks, questions, sleeps;
static volatile sig_atomic_t handled;       /* how many handlers have run */

static bool in_first(void)
{
    return first != 0 && (pid_t)syscall(SYS_getpid) == first;
}

/* False when a signal ended it. */
static bool rest(long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    return syscall(SYS_nanosleep, &time, NULL) == 0;
}

static long now_ms(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

__attribute__((constructor))
static void begin(void)
{
    const char *moment = getenv("ANSWER_MOMENT"), *found;
    if (moment == NULL)
        return;
    first = (pid_t)syscall(SYS_getpid);
    late = strstr(moment, "late") != NULL;
    clobber = strstr(moment, "errno") != NULL;
    found = strstr(moment, "together:");
    if (found != NULL)
        together = atoi(found + 9);
    void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared = memory == MAP_FAILED ? NULL : memory;
    if (shared == NULL)
        first = 0;
}

static void make_file(const char *name)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd != -1)
        syscall(SYS_close, fd);
}

/* The state letter of PID in /proc; Z when it is gone. */
static char state_of(pid_t pid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd == -1 ? -1 : syscall(SYS_read, fd, text, sizeof text - 1);
    if (fd != -1)
        syscall(SYS_close, fd);
    if (count <= 0)
        return 'Z';
    text[count] = '\0';
    const char *bracket = strrchr(text, ')');
    return bracket == NULL ? 'Z' : bracket[2];
}

/* ---- all ends are one SIGCHLD ---- */

static void wait_for_the_others(void)
{
    int error = errno;
    if (together > 0 && in_first() && atomic_load(&shared->told) >= together) {
        long end = now_ms() + TOGETHER_MS;
        int ended;
        do {
            ended = 0;
            for (int i = 0; i < forks; i++)
                ended += state_of(children[i]) == 'Z';
        } while (ended < together && now_ms() < end && (rest(1) || 1));
        together = 0;
    }
    errno = error;
}

/* In a child that was told something, or has seen the end of file. */
static void go_on_together(void)
{
    long end = now_ms() + TOGETHER_MS;
    if (together == 0 || atomic_fetch_add(&shared->told, 1) >= together)
        return;
    while (atomic_load(&shared->told) < together && !atomic_load(&shared->given_up)) {
        if (now_ms() >= end) {
            atomic_store(&shared->given_up, 1);
            make_file("alone");
        }
        rest(1);
    }
    /* and only when the first process waits for something */
    for (int waits = 0; waits < 3 && now_ms() < end; rest(1))
        waits = state_of(first) == 'S' ? waits + 1 : 0;
}

static struct sigaction actions[65];

static void handle(int number, siginfo_t *info, void *context)
{
    handled++;
    if (number == SIGCHLD)
        wait_for_the_others();
    if (actions[number].sa_flags & SA_SIGINFO)
        actions[number].sa_sigaction(number, info, context);
    else
        actions[number].sa_handler(number);
}

int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    if (first == 0 || number < 1 || number > 64 || action == NULL
        || action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN)
        return REAL(sigaction)(number, action, old);
    struct sigaction own = *action, before = actions[number];
    actions[number] = *action;
    own.sa_sigaction = handle;
    own.sa_flags |= SA_SIGINFO;
    int result = REAL(sigaction)(number, &own, old);
    if (result == 0 && old != NULL && old->sa_sigaction == handle)
        *old = before;
    return result;
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    int number = REAL(sigwaitinfo)(set, info);
    if (number == SIGCHLD)
        wait_for_the_others();
    return number;
}

int sigwait(const sigset_t *set, int *number)
{
    int result = REAL(sigwait)(set, number);
    if (result == 0 && *number == SIGCHLD)
        wait_for_the_others();
    return result;
}

/* ---- a signal just before the wait ---- */

/* Is there a signal that has a handler and is not blocked? */
static bool can_be_interrupted(void)
{
    sigset_t blocked;
    if (sigprocmask(SIG_SETMASK, NULL, &blocked) == -1)
        return false;
    for (int number = 1; number <= 31; number++)
        if (actions[number].sa_handler != NULL && !sigismember(&blocked, number))
            return true;
    return false;
}

static void hold(struct pollfd *fds, nfds_t count)
{
    if (!late || !in_first() || !can_be_interrupted())
        return;
    int error = errno;
    long end = now_ms() + LATE_MS;
    sig_atomic_t before = handled;
    while (now_ms() < end && handled == before) {
        const struct timespec zero = { 0, 0 };
        if (count > 0 && syscall(SYS_ppoll, fds, count, &zero, NULL, 8L) != 0)
            break;              /* it would not block */
        rest(1);
    }
    errno = error;
}

static void once_more(void)
{
    if (clobber && in_first() && actions[SIGCHLD].sa_handler != NULL) {
        errno = EINTR;
        raise(SIGCHLD);         /* what its handler does with errno, stays */
    }
}

int pause(void)
{
    hold(NULL, 0);
    return REAL(pause)();
}

ssize_t read(int fd, void *buffer, size_t size)
{
    struct pollfd one = { fd, POLLIN, 0 };
    if (!in_first()) {
        ssize_t count = REAL(read)(fd, buffer, size);
        if (first != 0 && count >= 0)
            go_on_together();
        return count;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags != -1 && !(flags & O_NONBLOCK))
        hold(&one, 1);
    ssize_t count = REAL(read)(fd, buffer, size);
    if (count == 128)
        wait_for_the_others();  /* a struct signalfd_siginfo */
    if (count == -1 && errno == EINTR)
        once_more();
    return count;
}

static void asked(int *how_often, int most)
{
    if (in_first() && ++*how_often == most)
        make_file("asked");
}

int poll(struct pollfd *fds, nfds_t count, int limit)
{
    if (limit != 0)
        hold(fds, count);
    int result = REAL(poll)(fds, count, limit);
    if (result == -1 && errno == EINTR)
        once_more();
    if (result == 0)
        asked(limit > 0 ? &sleeps : &questions, limit > 0 ? MOST_SLEEPS : MOST_QUESTIONS);
    return result;
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask)
{
    int result = REAL(ppoll)(fds, count, limit, mask);
    if (result == -1 && errno == EINTR)
        once_more();
    if (result == 0)
        asked(&sleeps, MOST_SLEEPS);
    return result;
}

int select(int count, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *limit)
{
    struct pollfd fds[FD_SETSIZE];
    nfds_t used = 0;
    for (int fd = 0; reads != NULL && fd < count; fd++)
        if (FD_ISSET(fd, reads))
            fds[used++] = (struct pollfd){ fd, POLLIN, 0 };
    hold(fds, used);
    int result = REAL(select)(count, reads, writes, errors, limit);
    if (result == -1 && errno == EINTR)
        once_more();
    if (result == 0)
        asked(&sleeps, MOST_SLEEPS);
    return result;
}

/* ---- asking again and again ---- */

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    pid_t result = REAL(wait4)(pid, status, options, usage);
    if (result == 0)
        asked(&questions, MOST_QUESTIONS);
    return result;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    hold(NULL, 0);
    asked(&sleeps, MOST_SLEEPS);
    return REAL(nanosleep)(time, left);
}

int usleep(useconds_t time)
{
    struct timespec own = { time / 1000000, time % 1000000 * 1000 };
    return nanosleep(&own, NULL);
}

unsigned sleep(unsigned time)
{
    struct timespec own = { time, 0 }, left = { 0, 0 };
    nanosleep(&own, &left);
    return (unsigned)left.tv_sec;
}

/* ---- children ---- */

int kill(pid_t pid, int number)
{
    if (late && !in_first())
        rest(PRESS_MS);
    return REAL(kill)(pid, number);
}

pid_t fork(void)
{
    bool ours = in_first();
    pid_t pid = REAL(fork)();
    if (pid > 0 && ours) {
        if (forks < MOST)
            children[forks++] = pid;
        sig_atomic_t before = handled;
        for (long end = now_ms() + FORK_MS; late && together == 0 && handled == before && now_ms() < end; )
            rest(1);
    }
    return pid;
}
