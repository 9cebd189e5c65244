/* calls.c - the calls of the program under judgement. It stands between the program and the C library
   by having functions of the same names, which call the real ones. Each of them
   - is written down (fork, wait, kill, exit), for the checks that count;
   - can be made to fail on purpose (WORKBOOK_FAIL=CALL:N, the Nth in the whole family of processes);
   - is a step of the schedule, where there is one (WORKBOOK_SEED). A call that could block is then tried
     without blocking, and tried again after others have gone on. Conditions and barriers are played here:
     who is woken is the seed's choice, as the standard leaves it open. */
#include "schedule.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The C library's own function of this name. ISO C has no cast from void * to a function. */
#define REAL(name) __extension__({ static __typeof__(&name) real; \
    if (real == NULL) { void *found = dlsym(RTLD_NEXT, #name); memcpy(&real, &found, sizeof real); } \
    real; })
#define HERE place(__builtin_return_address(0))
#define PLAYED (scheduled && self >= 0)

/* say() and write_full() call write for the lesson: the drawing wants the line that called them. common/ is
   compiled with frame pointers: each frame begins with the address of its caller's frame and the place
   to return to. A frame that does not lie a little above the one before is not one. */
static void note_callers(const uintptr_t *frame)
{
    for (int i = 0; i < 2; i++) {
        const uintptr_t *next = (const uintptr_t *)frame[0];
        if (next <= frame || next > frame + 8192 || (uintptr_t)next % sizeof *next != 0)
            return;
        frame = next;
        outer[i] = place((const void *)frame[1]);
    }
}
#define CALLERS note_callers(__builtin_frame_address(0))

static long long ns_of(const struct timespec *time) { return (long long)time->tv_sec * 1000000000 + time->tv_nsec; }
static struct task *me(void) { return &region->task[self]; }

/* ---- calls made to fail ---- */

static bool shall_fail(const char *call)
{
    static char wanted[32];
    static int number = -1;
    if (region == NULL)
        return false;
    if (number == -1) {
        const char *text = getenv("WORKBOOK_FAIL");
        if (text == NULL || sscanf(text, "%31[a-z_0-9]:%d", wanted, &number) != 2)
            number = 0;
    }
    if (number == 0 || strcmp(call, wanted) != 0 || atomic_fetch_add(&region->failing, 1) + 1 != number)
        return false;
    note("failed %d %s\n", (int)getpid(), call);
    return true;
}

/* ---- noise: what the standards allow, but machines seldom do ----
   Seed 1 always interrupts, seed 2 always shortens; each other seed switches on some of the disturbances:
   a spurious wake-up can heal a lost one, so not all at once. */

enum { YIELDS = 1, DELAYS = 2, SHORTENS = 4, INTERRUPTS = 8, WAKES = 16 };
static unsigned noise, often;   /* which disturbances; one call in how many */
static uint64_t noise_state;
static atomic_int disturbed;    /* how often already: noise has an end, or it would look like a hang */
static bool may_interrupt;      /* the program has a handler without SA_RESTART */

void noise_begin(unsigned long seed)
{
    noise_state = seed * 0x9E3779B97F4A7C15u + 7;
    noise = seed == 1 ? INTERRUPTS : seed == 2 ? SHORTENS : YIELDS | (unsigned)(seed * 0x9E3779B9u >> 27);
    often = seed <= 2 ? 1 : 3;
}

static unsigned noise_draw(unsigned below)
{
    noise_state ^= noise_state << 13, noise_state ^= noise_state >> 7, noise_state ^= noise_state << 17;
    return (unsigned)(noise_state >> 33) % below;
}

static bool disturb(unsigned kind)
{
    if (!(noise & kind) || (often > 1 && noise_draw(often) != 0))
        return false;
    return atomic_fetch_add(&disturbed, 1) < 2000;
}

/* Before a call: others may be faster. */
static void delay(void)
{
    if (disturb(YIELDS))
        syscall(SYS_sched_yield);
    if (disturb(DELAYS)) {
        struct timespec time = { 0, 20000 + noise_draw(200000) };
        syscall(SYS_nanosleep, &time, NULL);
    }
}

/* Would this call be interrupted by a signal now? Not twice in a row: the signal came once. */
static bool interrupt(void)
{
    static __thread bool last;
    last = !last && may_interrupt && disturb(INTERRUPTS);
    if (last)
        errno = EINTR;
    return last;
}

/* ---- processes ---- */

static pid_t reaped[4096];      /* what this process has reaped, and so must not signal */
static atomic_int reaped_count;

pid_t fork(void)
{
    if (shall_fail("fork")) {
        errno = EAGAIN;
        return -1;
    }
    pid_t parent = getpid();
    int number = -1;
    if (PLAYED) {
        step('c', 0, 0, HERE, "fork");
        number = task_new(self, false);
    }
    delay();
    pid_t pid = REAL(fork)();
    noise_state = noise_state * 31 + (pid == 0) + 1;    /* each process goes its own way */
    if (pid == 0) {
        delay();
        atomic_store(&reaped_count, 0);     /* the parent reaped those, not we */
        if (number >= 0)
            task_begin(number);
        return 0;
    }
    if (number >= 0) {
        region->task[number].pid = region->task[number].tid = pid;
        region->task[number].state = pid == -1 ? ENDED : READY;
    }
    if (pid == -1)
        return -1;
    int count = atomic_load(&reaped_count);
    for (int i = 0; i < count && i < 4096; i++)
        if (reaped[i] == pid)
            reaped[i] = 0;                  /* the number is in use again */
    note("fork %d %d\n", (int)parent, (int)pid);
    return pid;
}

static void note_wait(pid_t pid, int status)
{
    int at = atomic_fetch_add(&reaped_count, 1);
    if (at < 4096)
        reaped[at] = pid;
    note("wait %d %d %d\n", (int)getpid(), (int)pid, status);
    for (int i = 0; PLAYED && i < region->tasks; i++)
        if (region->task[i].pid == pid && !region->task[i].thread) {
            region->task[i].state = ENDED;
            acquire(region->task[i].clock);
        }
}

static bool interrupted(unsigned before)
{
    return me()->handled != before;
}

static pid_t wait_played(pid_t pid, int *status, int options, struct rusage *usage, uintptr_t at)
{
    if (!PLAYED) {
        delay();
        return !(options & WNOHANG) && interrupt() ? -1 : REAL(wait4)(pid, status, options, usage);
    }
    step('c', 0, 0, at, "waitpid");
    unsigned before = me()->handled;
    for (;;) {
        pid_t result = REAL(wait4)(pid, status, options | WNOHANG, usage);
        if (result != 0 || (options & WNOHANG))
            return result;
        blocked(BLOCKED, 0, "waitpid", at);
        if (interrupted(before)) {
            errno = EINTR;
            return -1;
        }
    }
}

static pid_t wait_noted(pid_t pid, int *status, int options, struct rusage *usage, uintptr_t at)
{
    int own = 0;
    pid_t result = wait_played(pid, &own, options, usage, at);
    if (result > 0 && (WIFEXITED(own) || WIFSIGNALED(own)))
        note_wait(result, own);
    if (status != NULL)
        *status = own;
    return result;
}

pid_t waitpid(pid_t pid, int *status, int options) { return wait_noted(pid, status, options, NULL, HERE); }
pid_t wait(int *status) { return wait_noted(-1, status, 0, NULL, HERE); }
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage) { return wait_noted(pid, status, options, usage, HERE); }
pid_t wait3(int *status, int options, struct rusage *usage) { return wait_noted(-1, status, options, usage, HERE); }

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    siginfo_t own;
    int result;
    uintptr_t at = HERE;
    for (step('c', 0, 0, at, "waitid"); ; blocked(BLOCKED, 0, "waitid", at)) {
        memset(&own, 0, sizeof own);
        result = REAL(waitid)(type, id, &own, PLAYED ? options | WNOHANG : options);
        if (!PLAYED || result != 0 || own.si_pid != 0 || (options & WNOHANG))
            break;
    }
    if (result == 0 && own.si_pid != 0 && !(options & WNOWAIT)) {
        if (own.si_code == CLD_EXITED)
            note_wait(own.si_pid, own.si_status << 8);
        else if (own.si_code == CLD_KILLED || own.si_code == CLD_DUMPED)
            note_wait(own.si_pid, own.si_status);
    }
    if (info != NULL)
        *info = own;
    return result;
}

void _exit(int code)
{
    note("exit %d %d\n", (int)getpid(), code & 255);
    step('c', 0, code, HERE, "_exit");
    task_end();
    syscall(SYS_exit_group, code);
    abort();                    /* not reached */
}

static void at_end(void) { task_end(); }

/* exit is reached by a call, or by return from main: the first handler registered runs last. */
__attribute__((constructor(102)))
static void watch_end(void)
{
    if (scheduled)
        atexit(at_end);
}

void exit(int code)
{
    note("exit %d %d\n", (int)getpid(), code & 255);
    REAL(exit)(code);
    abort();                    /* not reached */
}

/* Another program takes this one's place: it is not ours to schedule. */
#define AWAY_DURING(call) __extension__({ int result_; \
    if (PLAYED) { step('c', 0, 0, HERE, "exec"); task_away(); } \
    result_ = (call); \
    if (PLAYED) step('c', 0, 0, HERE, "exec failed"); \
    result_; })

int execve(const char *path, char *const argv[], char *const envp[]) { return AWAY_DURING(REAL(execve)(path, argv, envp)); }
int execv(const char *path, char *const argv[]) { return AWAY_DURING(REAL(execv)(path, argv)); }
int execvp(const char *file, char *const argv[]) { return AWAY_DURING(REAL(execvp)(file, argv)); }

/* ---- signals ---- */

int kill(pid_t pid, int number)
{
    const char *result = "ok";
    int count = atomic_load(&reaped_count);
    for (int i = 0; pid > 0 && i < count && i < 4096; i++)
        if (reaped[i] == pid)
            result = "reaped";
    /* written down first: the signal may end ourselves */
    note("kill %d %d %d %s\n", (int)getpid(), (int)pid, number, result);
    if (!PLAYED || number <= 0 || number > 64)
        return REAL(kill)(pid, number);
    step('c', 0, number, HERE, "kill");
    int known = -1;
    for (int i = 0; i < region->tasks; i++)
        if (region->task[i].pid == pid && !region->task[i].thread && region->task[i].state != ENDED)
            known = i;
    bool stops = number == SIGKILL || number == SIGSTOP || number == SIGCONT;
    if (pid <= 0 || known == -1 || stops || region->task[known].state == AWAY) {
        int answer = REAL(kill)(pid, number);
        if (number == SIGKILL && known != -1 && answer == 0) {
            wait_until_gone(pid);
            release_pipes(known);
            for (int i = 0; i < region->tasks; i++)
                if (region->task[i].space == region->task[known].space)
                    region->task[i].state = ENDED;
        }
        if (pid <= 0)
            task_look_again();
        region->progress++;
        return answer;
    }
    region->task[known].pending |= 1ull << (number - 1);   /* delivered when that task goes on */
    region->progress++;
    step('c', 0, number, HERE, "kill");
    return 0;
}

int killpg(pid_t group, int number) { return kill(-group, number); }

int raise(int number)
{
    return (int)syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
}

/* Waiting for a signal that is blocked: asked without waiting, again and again. */
static int sigwait_played(const sigset_t *set, siginfo_t *info, const struct timespec *limit, uintptr_t at)
{
    siginfo_t own;
    const struct timespec zero = { 0, 0 };
    step('c', 0, 0, at, "sigtimedwait");
    if (limit != NULL)
        limit_in(ns_of(limit));
    for (;;) {
        unsigned before = me()->handled;
        int number = REAL(sigtimedwait)(set, &own, &zero);
        if (number > 0 && info != NULL)
            *info = own;
        if (number > 0 || errno != EAGAIN)
            return number;
        if (!blocked(limit != NULL ? TIMED : BLOCKED, 0, "sigtimedwait", at))
            return -1;          /* errno is EAGAIN: the time is over */
        if (interrupted(before)) {
            errno = EINTR;
            return -1;
        }
    }
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *limit)
{
    return PLAYED ? sigwait_played(set, info, limit, HERE) : REAL(sigtimedwait)(set, info, limit);
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    return PLAYED ? sigwait_played(set, info, NULL, HERE) : REAL(sigwaitinfo)(set, info);
}

int sigwait(const sigset_t *set, int *number)
{
    if (!PLAYED)
        return REAL(sigwait)(set, number);
    *number = sigwait_played(set, NULL, NULL, HERE);
    return *number > 0 ? 0 : errno;
}

static void (*handlers[65])(int);
static void (*long_handlers[65])(int, siginfo_t *, void *);

static void handler_called(int number, siginfo_t *info, void *context)
{
    if (PLAYED)
        me()->handled++;
    if (long_handlers[number] != NULL)
        long_handlers[number](number, info, context);
    else if (handlers[number] != NULL)
        handlers[number](number);
}

int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    struct sigaction own, before;
    bool handles = action != NULL && action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
    if (handles && !(action->sa_flags & SA_RESTART))
        may_interrupt = true;
    if (!scheduled || number < 1 || number > 64 || !handles)
        return REAL(sigaction)(number, action, old);
    own = *action;
    long_handlers[number] = action->sa_flags & SA_SIGINFO ? action->sa_sigaction : NULL;
    handlers[number] = action->sa_flags & SA_SIGINFO ? NULL : action->sa_handler;
    own.sa_sigaction = handler_called;
    own.sa_flags |= SA_SIGINFO;
    int result = REAL(sigaction)(number, &own, &before);
    if (old != NULL)
        *old = before;
    return result;
}

int pause(void)
{
    if (!PLAYED)
        return REAL(pause)();
    uintptr_t at = HERE;
    step('c', 0, 0, at, "pause");
    for (unsigned before = me()->handled; !interrupted(before); )
        blocked(BLOCKED, 0, "pause", at);
    errno = EINTR;
    return -1;
}

int sigsuspend(const sigset_t *mask)
{
    if (!PLAYED)
        return REAL(sigsuspend)(mask);
    uintptr_t at = HERE;
    sigset_t old;
    step('c', 0, 0, at, "sigsuspend");
    unsigned before = me()->handled;
    sigprocmask(SIG_SETMASK, mask, &old);
    while (!interrupted(before))
        blocked(BLOCKED, 0, "sigsuspend", at);
    sigprocmask(SIG_SETMASK, &old, NULL);
    errno = EINTR;
    return -1;
}

/* ---- time: under a schedule nobody really waits, and the clock is the run's own ---- */

static long long clock_of(clockid_t clock)
{
    return region->now + (clock == CLOCK_REALTIME ? region->date : 0);
}

static int sleep_played(long long ns, uintptr_t at)
{
    step('c', 0, 0, at, "sleep");
    /* half the seeds: it lasts while anyone else can go on; the others: it is over at once, for a
       sleep orders nothing. Time leaps only when nobody else could use it. */
    if (region->mode % 2 == 0) {
        limit_in(ns);
        unsigned before = me()->handled;
        while (blocked(TIMED, 0, "sleep", at))
            if (me()->handled != before) {
                errno = EINTR;
                return -1;
            }
    } else if (!others_can_run())
        region->now += ns;
    return 0;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    if (!PLAYED)
        return REAL(nanosleep)(time, left);
    long long end = region->now + ns_of(time);
    int result = sleep_played(ns_of(time), HERE);
    if (result == -1 && left != NULL) {
        long long rest = end > region->now ? end - region->now : 0;
        left->tv_sec = rest / 1000000000;
        left->tv_nsec = rest % 1000000000;
    }
    return result;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    if (!PLAYED)
        return REAL(clock_nanosleep)(clock, flags, time, left);
    return sleep_played(flags & TIMER_ABSTIME ? ns_of(time) - clock_of(clock) : ns_of(time), HERE) == 0 ? 0 : EINTR;
}

int usleep(useconds_t time) { return PLAYED ? sleep_played(time * 1000ll, HERE) : REAL(usleep)(time); }
unsigned sleep(unsigned time) { return PLAYED ? (unsigned)-sleep_played(time * 1000000000ll, HERE) : REAL(sleep)(time); }

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (!PLAYED || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
        return REAL(clock_gettime)(clock, time);
    step('c', 0, 0, HERE, "clock_gettime");
    time->tv_sec = clock_of(clock) / 1000000000;
    time->tv_nsec = clock_of(clock) % 1000000000;
    return 0;
}

/* How long until an absolute time, for calls with a limit. */
static void limit_at(const struct timespec *time, clockid_t clock)
{
    limit_in(ns_of(time) - clock_of(clock));
}

unsigned alarm(unsigned seconds)
{
    if (!PLAYED)
        return REAL(alarm)(seconds);
    step('c', 0, seconds, HERE, "alarm");
    long long left = me()->alarm > region->now ? (me()->alarm - region->now + 999999999) / 1000000000 : 0;
    me()->alarm = seconds != 0 ? region->now + seconds * 1000000000ll : 0;
    return (unsigned)left;
}

int sched_yield(void)
{
    step('c', 0, 0, HERE, "sched_yield");
    return PLAYED ? 0 : (int)syscall(SYS_sched_yield);
}

/* ---- reading, writing, waiting for descriptors ---- */

uint64_t stream_key(int fd)
{
    struct stat info;
    if (fstat(fd, &info) == -1)
        return 0;
    /* the two ends of a socket have two numbers: one object stands for all sockets, and for files */
    return S_ISFIFO(info.st_mode) ? (uint64_t)info.st_ino << 8 | 2 : S_ISREG(info.st_mode) || S_ISSOCK(info.st_mode) ? 3 : 0;
}

static struct object *stream_of(int fd)
{
    uint64_t key = stream_key(fd);
    return object_of(key != 0 ? key : 1, PIPE);
}

static bool ready(int fd, short events)
{
    struct pollfd one = { fd, events, 0 };
    return REAL(poll)(&one, 1, 0) != 0;
}

static bool waits_forever(int fd)
{
    int flags = REAL(fcntl)(fd, F_GETFL);
    struct stat info;
    return flags != -1 && !(flags & O_NONBLOCK) && fstat(fd, &info) == 0 &&
           (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode) || S_ISCHR(info.st_mode));
}

/* False when a signal handler ended the wait. */
static bool wait_ready(int fd, short events, const char *call, uintptr_t at)
{
    char text[40];
    unsigned before = me()->handled;
    snprintf(text, sizeof text, "%s, descriptor %d", call, fd);
    while (!ready(fd, events)) {
        blocked(BLOCKED, stream_of(fd)->key, text, at);
        if (interrupted(before)) {
            errno = EINTR;
            return false;
        }
    }
    return true;
}

static bool is_stream(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
}

ssize_t read(int fd, void *buffer, size_t size)
{
    if (!PLAYED) {
        delay();
        if (noise != 0 && is_stream(fd)) {
            if (!ready(fd, POLLIN) && interrupt())
                return -1;
            if (size > 1 && disturb(SHORTENS))
                size = 1 + noise_draw((unsigned)(size < 64 ? size - 1 : 63));
        }
        return REAL(read)(fd, buffer, size);
    }
    CALLERS;
    step('c', 0, fd, HERE, "read");
    if (waits_forever(fd) && !wait_ready(fd, POLLIN, "read", HERE))
        return -1;
    ssize_t count = REAL(read)(fd, buffer, size);
    acquire(stream_of(fd)->clock);
    if (count > 0)
        access_memory(buffer, (size_t)count, true, HERE);
    region->progress++;
    return count;
}

static ssize_t write_played(int fd, const void *buffer, size_t size, uintptr_t at)
{
    step('c', 0, fd, at, "write");
    access_memory(buffer, size, false, at);
    release(stream_of(fd)->clock);
    if (!waits_forever(fd)) {
        ssize_t count = REAL(write)(fd, buffer, size);
        region->progress++;
        return count;
    }
    size_t done = 0;
    do {                        /* a ready pipe takes a page without blocking */
        if (!wait_ready(fd, POLLOUT, "write", at))
            return done > 0 ? (ssize_t)done : -1;
        size_t piece = size - done < 4096 ? size - done : 4096;
        ssize_t count = REAL(write)(fd, (const char *)buffer + done, piece);
        region->progress++;
        if (count == -1)
            return done > 0 ? (ssize_t)done : -1;
        done += (size_t)count;
    } while (done < size);
    return (ssize_t)done;
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    if (PLAYED) {
        CALLERS;
        return write_played(fd, buffer, size, HERE);
    }
    delay();
    /* up to PIPE_BUF a pipe takes all or nothing; beyond that, and in a socket, any part */
    if (noise != 0 && size > 4096 && is_stream(fd) && disturb(SHORTENS))
        size = 1 + noise_draw((unsigned)(size < 60000 ? size - 1 : 60000));
    return REAL(write)(fd, buffer, size);
}

int close(int fd)
{
    if (PLAYED) {
        step('c', 0, fd, HERE, "close");
        release(stream_of(fd)->clock);      /* who then sees end of file knows what we have done */
    }
    int result = REAL(close)(fd);
    if (PLAYED)
        region->progress++;
    return result;
}

/* What a poll on one descriptor waits for; of several, none is named. */
static uint64_t stream_waited(const struct pollfd *fds, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++)
        if (fds[i].fd >= 0 && stream_key(fds[i].fd) == region->outside)
            return region->outside;
    return 0;
}

static int poll_played(struct pollfd *fds, nfds_t count, long long limit_ns, uintptr_t at)
{
    bool forever = limit_ns < 0, at_once = limit_ns == 0;
    step('c', 0, 0, at, "poll");
    limit_in(limit_ns);
    unsigned before = me()->handled;
    for (;;) {
        int result = REAL(poll)(fds, count, 0);
        for (nfds_t i = 0; result > 0 && i < count; i++)
            if (fds[i].fd >= 0)
                acquire(stream_of(fds[i].fd)->clock);
        if (result != 0 || at_once || !blocked(forever ? BLOCKED : TIMED, stream_waited(fds, count), "poll", at))
            return result;
        if (interrupted(before)) {
            errno = EINTR;
            return -1;
        }
    }
}

int poll(struct pollfd *fds, nfds_t count, int limit_ms)
{
    if (PLAYED)
        return poll_played(fds, count, limit_ms * 1000000ll, HERE);
    delay();
    return limit_ms != 0 && interrupt() ? -1 : REAL(poll)(fds, count, limit_ms);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask)
{
    if (!PLAYED)
        return REAL(ppoll)(fds, count, limit, mask);
    sigset_t old;
    if (mask != NULL)
        sigprocmask(SIG_SETMASK, mask, &old);
    int result = poll_played(fds, count, limit != NULL ? ns_of(limit) : -1, HERE);
    if (mask != NULL)
        sigprocmask(SIG_SETMASK, &old, NULL);
    return result;
}

int select(int count, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *limit)
{
    if (!PLAYED)
        return REAL(select)(count, reads, writes, errors, limit);
    fd_set sets[3], none;
    uintptr_t at = HERE;
    FD_ZERO(&none);
    step('c', 0, 0, at, "select");
    if (limit != NULL)
        limit_in(limit->tv_sec * 1000000000ll + limit->tv_usec * 1000ll);
    sets[0] = reads ? *reads : none, sets[1] = writes ? *writes : none, sets[2] = errors ? *errors : none;
    for (;;) {
        fd_set now[3] = { sets[0], sets[1], sets[2] };
        struct timeval zero = { 0, 0 };
        int result = REAL(select)(count, &now[0], &now[1], &now[2], &zero);
        bool at_once = limit != NULL && limit->tv_sec == 0 && limit->tv_usec == 0;
        if (result != 0 || at_once || !blocked(limit == NULL ? BLOCKED : TIMED, 0, "select", at)) {
            if (reads) *reads = now[0];
            if (writes) *writes = now[1];
            if (errors) *errors = now[2];
            acquire(object_of(3, PIPE)->clock);
            for (int fd = 0; fd < count; fd++)
                if (FD_ISSET((unsigned)fd, &now[0]))
                    acquire(stream_of(fd)->clock);
            return result;
        }
    }
}

int flock(int fd, int operation)
{
    if (!PLAYED)
        return REAL(flock)(fd, operation);
    struct stat info = { 0 };
    uintptr_t at = HERE;
    fstat(fd, &info);
    struct object *object = object_of((uint64_t)info.st_ino << 8 | 5, OTHER);
    step('c', 0, fd, at, "flock");
    if (operation & LOCK_UN)
        release(object->clock);
    int result;
    while ((result = REAL(flock)(fd, operation | LOCK_NB)) == -1 && errno == EWOULDBLOCK && !(operation & LOCK_NB))
        blocked(BLOCKED, 0, "flock", at);
    if (result == 0 && !(operation & LOCK_UN))
        acquire(object->clock);
    region->progress++;
    return result;
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!PLAYED || (command != F_SETLKW && command != F_SETLK))
        return REAL(fcntl)(fd, command, argument);
    struct stat info = { 0 };
    uintptr_t at = HERE;
    fstat(fd, &info);
    struct object *object = object_of((uint64_t)info.st_ino << 8 | 6, OTHER);
    bool unlock = ((struct flock *)argument)->l_type == F_UNLCK;
    step('c', 0, fd, at, "fcntl lock");
    if (unlock)
        release(object->clock);
    int result;
    while ((result = REAL(fcntl)(fd, F_SETLK, argument)) == -1 && (errno == EAGAIN || errno == EACCES) && command == F_SETLKW)
        blocked(BLOCKED, 0, "fcntl lock", at);
    if (result == 0 && !unlock)
        acquire(object->clock);
    region->progress++;
    return result;
}

#define WHEN_READY(fd, events, name, call) \
    if (PLAYED) { \
        uintptr_t at_ = HERE; \
        step('c', 0, fd, at_, name); \
        if (waits_forever(fd) && !wait_ready(fd, events, name, at_)) \
            return -1; \
        if ((events) == POLLIN) acquire(stream_of(fd)->clock); else release(stream_of(fd)->clock); \
        region->progress++; \
    } \
    return call

/* glibc declares these with a union of all kinds of addresses, musl does not */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
int accept(int fd, struct sockaddr *address, socklen_t *size) { WHEN_READY(fd, POLLIN, "accept", REAL(accept)(fd, address, size)); }
int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) { WHEN_READY(fd, POLLIN, "accept", REAL(accept4)(fd, address, size, flags)); }
ssize_t recv(int fd, void *buffer, size_t size, int flags) { WHEN_READY(fd, POLLIN, "recv", REAL(recv)(fd, buffer, size, flags)); }
ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address, socklen_t *length)
{ WHEN_READY(fd, POLLIN, "recvfrom", REAL(recvfrom)(fd, buffer, size, flags, address, length)); }
ssize_t recvmsg(int fd, struct msghdr *message, int flags) { WHEN_READY(fd, POLLIN, "recvmsg", REAL(recvmsg)(fd, message, flags)); }
ssize_t send(int fd, const void *buffer, size_t size, int flags) { WHEN_READY(fd, POLLOUT, "send", REAL(send)(fd, buffer, size, flags)); }
ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address, socklen_t length)
{ WHEN_READY(fd, POLLOUT, "sendto", REAL(sendto)(fd, buffer, size, flags, address, length)); }
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) { WHEN_READY(fd, POLLOUT, "sendmsg", REAL(sendmsg)(fd, message, flags)); }

#pragma GCC diagnostic pop

/* ---- opening and mapping ---- */

int pipe(int ends[2])
{
    if (shall_fail("pipe")) {
        errno = EMFILE;
        return -1;
    }
    return REAL(pipe)(ends);
}

int pipe2(int ends[2], int flags)
{
    if (shall_fail("pipe")) {
        errno = EMFILE;
        return -1;
    }
    return REAL(pipe2)(ends, flags);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (shall_fail("open")) {
        errno = EMFILE;
        return -1;
    }
    return REAL(open)(path, flags, mode);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (shall_fail("mmap")) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *memory = REAL(mmap)(address, size, protection, flags, fd, offset);
    if (scheduled && memory != MAP_FAILED && (flags & MAP_SHARED)) {
        struct stat info;
        /* a file's memory is the same at whatever address; nameless memory only reaches children, at its address */
        bool file = !(flags & MAP_ANONYMOUS) && fstat(fd, &info) == 0;
        mapping_add(memory, size, file ? (uint64_t)info.st_ino << 32 | (1ull << 62) | (uint64_t)offset : (uint64_t)(uintptr_t)memory);
    }
    return memory;
}

/* ---- threads ---- */

static struct { pthread_t thread; int number; } threads[TASKS];
static int thread_count;
static pthread_key_t ending;

struct beginning {
    void *(*function)(void *);
    void *argument;
    int number;
};

static void thread_gone(void *value)
{
    (void)value;
    task_end();
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

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
    if (shall_fail("pthread_create"))
        return EAGAIN;
    if (!PLAYED)
        return REAL(pthread_create)(thread, attributes, function, argument);
    static bool made;
    if (!made)
        pthread_key_create(&ending, thread_gone);
    made = true;
    step('c', 0, 0, HERE, "pthread_create");
    struct beginning *beginning = malloc(sizeof *beginning);
    if (beginning == NULL)
        return EAGAIN;
    beginning->function = function;
    beginning->argument = argument;
    beginning->number = task_new(self, true);
    region->threads = true;
    int code = REAL(pthread_create)(thread, attributes, thread_begins, beginning);
    region->task[beginning->number].pid = getpid();
    region->task[beginning->number].state = code == 0 ? READY : ENDED;
    if (code == 0 && thread_count < TASKS) {
        threads[thread_count].thread = *thread;
        threads[thread_count++].number = beginning->number;
    }
    return code;
}

int pthread_join(pthread_t thread, void **value)
{
    if (!PLAYED)
        return REAL(pthread_join)(thread, value);
    uintptr_t at = HERE;
    int number = -1;
    step('c', 0, 0, at, "pthread_join");
    for (int i = 0; i < thread_count; i++)
        if (pthread_equal(threads[i].thread, thread))
            number = threads[i].number;     /* the last: ids may be used again */
    if (number != -1) {
        while (region->task[number].state != ENDED)
            blocked(BLOCKED, 0, "pthread_join", at);
        acquire(region->task[number].clock);
    }
    return REAL(pthread_join)(thread, value);
}

/* ---- locks ---- */

static bool is_taken(int code) { return code == EBUSY; }

static int lock_played(pthread_mutex_t *mutex, const struct timespec *limit, uintptr_t at, const char *call)
{
    enum state state = limit != NULL ? TIMED : BLOCKED;
    uint64_t key = key_of(mutex);
    struct object *object = object_of(key, MUTEX);
    step('c', key, 0, at, call);
    if (object->owner >= 0 && region->task[object->owner].space != me()->space && object->private_to_process)
        verdict("wrong call", "a mutex that two processes use was made without PTHREAD_PROCESS_SHARED (locked at @%lx@)\n", (unsigned long)at);
    if (object->owner == self && object->count == PTHREAD_MUTEX_ERRORCHECK)
        return EDEADLK;
    int code;
    if (limit != NULL)
        limit_at(limit, CLOCK_REALTIME);
    while (is_taken(code = REAL(pthread_mutex_trylock)(mutex)))
        if (!blocked(state, key, call, at))
            return ETIMEDOUT;
    unblocked();
    if (code == EOWNERDEAD && object->owner >= 0)
        acquire(region->task[object->owner].clock);     /* what it did before it died is done */
    if (code == 0 || code == EOWNERDEAD) {
        object->owner = self;
        object->depth++;
        object->at = at;
        acquire(object->clock);
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
        object->robust = robust == PTHREAD_MUTEX_ROBUST;
    }
    return code;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (PLAYED)
        return lock_played(mutex, NULL, HERE, "pthread_mutex_lock");
    delay();
    return REAL(pthread_mutex_lock)(mutex);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *limit)
{
    return PLAYED ? lock_played(mutex, limit, HERE, "pthread_mutex_timedlock") : REAL(pthread_mutex_timedlock)(mutex, limit);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    if (!PLAYED)
        return REAL(pthread_mutex_trylock)(mutex);
    struct object *object = object_of(key_of(mutex), MUTEX);
    step('c', object->key, 0, HERE, "pthread_mutex_trylock");
    int code = REAL(pthread_mutex_trylock)(mutex);
    if (code == 0 || code == EOWNERDEAD) {
        object->owner = self;
        object->depth++;
        object->at = HERE;
        acquire(object->clock);
    }
    return code;
}

static int unlock_played(pthread_mutex_t *mutex, uintptr_t at)
{
    struct object *object = object_of(key_of(mutex), MUTEX);
    if (object->owner != self && object->count != PTHREAD_MUTEX_ERRORCHECK && object->count != PTHREAD_MUTEX_RECURSIVE)
        verdict("wrong call", "P%d unlocks a mutex that %s, at @%lx@\n", self + 1,
                object->owner < 0 ? "is not locked" : "another task holds", (unsigned long)at);
    release(object->clock);
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
    step('c', key_of(mutex), 0, at, "pthread_mutex_unlock");
    return code;
}

/* ---- conditions: played here, nobody waits in the C library ---- */

static int wait_condition(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *limit, uintptr_t at, const char *call)
{
    enum state state = limit != NULL ? TIMED : BLOCKED;
    uint64_t key = key_of(condition);
    struct object *object = object_of(key, CONDITION);
    step('c', key, 0, at, call);
    bool in_time = true;
    me()->signalled = false;
    me()->condition = key;
    int code = unlock_played(mutex, at);
    if (code != 0)
        return code;
    bool for_nothing = region->mode == 3 && draw(8) == 0;   /* a spurious wake-up: allowed at any time */
    if (limit != NULL)
        limit_at(limit, CLOCK_REALTIME);
    while (!me()->signalled && in_time && !for_nothing)
        in_time = blocked(state, key, call, at);
    me()->condition = 0;
    if (me()->signalled)
        acquire(object->clock);
    code = lock_played(mutex, NULL, at, "the mutex, after a condition wait");
    return code != 0 ? code : in_time || me()->signalled ? 0 : ETIMEDOUT;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    if (PLAYED)
        return wait_condition(condition, mutex, NULL, HERE, "pthread_cond_wait");
    if (disturb(WAKES)) {       /* woken for nothing */
        REAL(pthread_mutex_unlock)(mutex);
        syscall(SYS_sched_yield);
        return REAL(pthread_mutex_lock)(mutex);
    }
    return REAL(pthread_cond_wait)(condition, mutex);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *limit)
{
    return PLAYED ? wait_condition(condition, mutex, limit, HERE, "pthread_cond_timedwait") : REAL(pthread_cond_timedwait)(condition, mutex, limit);
}

static int wake(pthread_cond_t *condition, bool all, uintptr_t at, const char *call)
{
    uint64_t key = key_of(condition);
    int waiting[TASKS], count = 0;
    step('c', key, 0, at, call);
    release(object_of(key, CONDITION)->clock);
    for (int i = 0; i < region->tasks; i++)
        if (region->task[i].condition == key && !region->task[i].signalled && region->task[i].state != ENDED)
            waiting[count++] = i;
    if (!all && count > 0)
        region->task[waiting[draw((unsigned)count)]].signalled = true;
    for (int i = 0; all && i < count; i++)
        region->task[waiting[i]].signalled = true;
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
    return semaphore;
}

static int wait_semaphore_played(sem_t *semaphore, const struct timespec *limit, uintptr_t at)
{
    enum state state = limit != NULL ? TIMED : BLOCKED;
    uint64_t key = key_of(semaphore);
    step('c', key, 0, at, "sem_wait");
    semaphore_used(semaphore, at);
    unsigned before = me()->handled;
    if (limit != NULL)
        limit_at(limit, CLOCK_REALTIME);
    while (REAL(sem_trywait)(semaphore) == -1) {
        if (errno != EAGAIN)
            return -1;
        if (!blocked(state, key, "sem_wait", at)) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (interrupted(before)) {
            errno = EINTR;
            return -1;
        }
    }
    acquire(object_of(key, SEMAPHORE)->clock);
    region->progress++;
    return 0;
}

int sem_wait(sem_t *semaphore)
{
    if (PLAYED)
        return wait_semaphore_played(semaphore, NULL, HERE);
    delay();
    return interrupt() ? -1 : REAL(sem_wait)(semaphore);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *limit)
{
    return PLAYED ? wait_semaphore_played(semaphore, limit, HERE) : REAL(sem_timedwait)(semaphore, limit);
}

int sem_trywait(sem_t *semaphore)
{
    step('c', 0, 0, HERE, "sem_trywait");
    int result = REAL(sem_trywait)(semaphore);
    if (PLAYED && result == 0)
        acquire(object_of(key_of(semaphore), SEMAPHORE)->clock);
    return result;
}

int sem_post(sem_t *semaphore)
{
    if (!PLAYED)
        return REAL(sem_post)(semaphore);
    uintptr_t at = HERE;
    semaphore_used(semaphore, at);
    release(object_of(key_of(semaphore), SEMAPHORE)->clock);
    int result = REAL(sem_post)(semaphore);
    region->progress++;
    step('c', key_of(semaphore), 0, at, "sem_post");
    return result;
}

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes, unsigned count)
{
    int code = REAL(pthread_barrier_init)(barrier, attributes, count);
    if (PLAYED && code == 0) {
        struct object *object = object_of(key_of(barrier), BARRIER);
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
    step('c', object_->key, 0, at_, #try); \
    limit_it; \
    while ((code_ = REAL(try)(lock)) == EBUSY) \
        if (!blocked(state, object_->key, #try, at_)) \
            return ETIMEDOUT; \
    acquire(object_->clock); \
    region->progress++; \
    return code_

int pthread_rwlock_rdlock(pthread_rwlock_t *lock) { RWLOCK(REAL(pthread_rwlock_rdlock)(lock), pthread_rwlock_tryrdlock, BLOCKED, (void)0); }
int pthread_rwlock_wrlock(pthread_rwlock_t *lock) { RWLOCK(REAL(pthread_rwlock_wrlock)(lock), pthread_rwlock_trywrlock, BLOCKED, (void)0); }
int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *limit) { RWLOCK(REAL(pthread_rwlock_timedrdlock)(lock, limit), pthread_rwlock_tryrdlock, TIMED, limit_at(limit, CLOCK_REALTIME)); }
int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *limit) { RWLOCK(REAL(pthread_rwlock_timedwrlock)(lock, limit), pthread_rwlock_trywrlock, TIMED, limit_at(limit, CLOCK_REALTIME)); }

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    if (!PLAYED)
        return REAL(pthread_rwlock_unlock)(lock);
    struct object *object = object_of(key_of(lock), RWLOCK);
    release(object->clock);
    int code = REAL(pthread_rwlock_unlock)(lock);
    region->progress++;
    step('c', object->key, 0, HERE, "pthread_rwlock_unlock");
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
    object->owner = self;
    object->at = at;
    acquire(object->clock);
    return 0;
}

int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    if (!PLAYED)
        return REAL(pthread_spin_unlock)(lock);
    const void *where = (const void *)(uintptr_t)lock;
    struct object *object = object_of(key_of(where), MUTEX);
    release(object->clock);
    object->owner = -1;
    int code = REAL(pthread_spin_unlock)(lock);
    region->progress++;
    step('c', object->key, 0, HERE, "pthread_spin_unlock");
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
