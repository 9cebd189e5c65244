/* processes.c - processes, signals and time. */
#include "calls.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

/* ---- processes ---- */

static pid_t reaped[4096];      /* what this process has reaped, and so must not signal */
static atomic_int reaped_count;

/* The number of the child that this thread is making, or -1. */
static __thread int forking = -1;

/* After the program's own handlers of pthread_atfork. What the thread that forks has locked, is locked in the child's copy
   of the memory too, and the child may unlock it. */
static void copy_locks(void)
{
    for (int i = 0; forking >= 0 && i < region->objects; i++) {
        const struct object *held = &region->object[i];
        if ((held->kind != MUTEX && held->kind != RWLOCK) || held->owner != self || held->key >> 63 != 0)
            continue;
        uint64_t key = (held->key & ((1ull << 48) - 1)) | (uint64_t)(forking + 1) << 48;
        struct object *copy = object_of(key, held->kind);
        *copy = *held;
        copy->key = key;
        copy->owner = forking;
        memset(copy->holds, 0, sizeof copy->holds);
        copy->holds[forking] = held->holds[self];
    }
}

/* Before the program's own handlers: they are steps of the child already. */
static void begin_child(void)
{
    if (forking >= 0)
        task_begin(forking);
}

void fork_begin(void)
{
    if (scheduled)
        pthread_atfork(copy_locks, NULL, begin_child);
}

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
    forking = number;
    pid_t pid = REAL(fork)();
    forking = -1;
    noise_fork(pid == 0);
    if (pid == 0) {
        delay();
        atomic_store(&reaped_count, 0);     /* the parent reaped those, not we */
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
    note("fork %d %d %lx\n", (int)parent, (int)pid, (unsigned long)HERE);
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

/* Is there a child that we know of? If not, the one that is waited for was made behind our back. */
static uint64_t who_is_waited_for(void)
{
    for (int i = 0; i < region->tasks; i++)
        if (region->task[i].parent == self && !region->task[i].thread && region->task[i].state != ENDED)
            return 0;
    return OUTSIDE;
}

static pid_t wait_played(pid_t pid, int *status, int options, struct rusage *usage, uintptr_t at)
{
    if (!PLAYED) {
        delay();
        pid_t result = !(options & WNOHANG) && interrupt() ? -1 : REAL(wait4)(pid, status, options, usage);
        if (result == -1 && errno == EINTR)
            seen_interrupted("waitpid", at);
        return result;
    }
    step('c', 0, 0, at, "waitpid");
    cancellation_point();
    unsigned before = me()->interrupts;
    for (;;) {
        pid_t result = REAL(wait4)(pid, status, options | WNOHANG, usage);
        if (result != 0 || (options & WNOHANG))
            return result;
        waits(BLOCKED, who_is_waited_for(), "waitpid", at);
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
    for (step('c', 0, 0, at, "waitid"); ; blocked(BLOCKED, who_is_waited_for(), "waitid", at)) {
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
    if (region != NULL && region->hint[0] == '\0' && __fpending(stdout) > 0)
        snprintf(region->hint, sizeof region->hint, "at @%lx@ it calls _exit with text in the buffer of stdout, and that is lost: fflush comes first\n",
                 (unsigned long)HERE);
    step('c', 0, code, HERE, "_exit");
    task_end(true);
    raw_syscall(SYS_exit_group, code);
    abort();                    /* not reached */
}

static void at_end(void)
{
    if (PLAYED && me()->parent == -1) {
        report_descriptors();
        report_threads();
    }
    task_end(true);
}

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
pid_t vfork(void) { return fork(); }

/* The new process is another program from its beginning: it goes on outside our sight. */
static int spawned(int code, pid_t pid)
{
    if (PLAYED && code == 0) {
        int number = task_new(self, false);
        region->task[number].pid = region->task[number].tid = pid;
        region->task[number].state = AWAY;
        region->programs = true;
        note("fork %d %d\n", (int)getpid(), (int)pid);
    }
    return code;
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    pid_t own = 0;
    int code = spawned(REAL(posix_spawn)(&own, path, actions, attributes, argv, envp), own);
    if (pid != NULL)
        *pid = own;
    return code;
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    pid_t own = 0;
    int code = spawned(REAL(posix_spawnp)(&own, file, actions, attributes, argv, envp), own);
    if (pid != NULL)
        *pid = own;
    return code;
}

int execv(const char *path, char *const argv[]) { return AWAY_DURING(REAL(execv)(path, argv)); }
int execvp(const char *file, char *const argv[]) { return AWAY_DURING(REAL(execvp)(file, argv)); }

/* ---- signals ---- */

/* The first task of process PID, or -1. */
static int process_of(pid_t pid)
{
    for (int i = 0; i < region->tasks; i++)
        if (region->task[i].pid == pid && !region->task[i].thread && region->task[i].state != ENDED)
            return i;
    return -1;
}

/* SIGSTOP and SIGCONT have an effect at once. */
static void stop_or_go(int known, int number)
{
    if (number != SIGSTOP && number != SIGCONT)
        return;
    for (int i = 0; i < region->tasks; i++)
        if (region->task[i].space == region->task[known].space && i != self)
            region->task[i].stopped = number == SIGSTOP;
    if (known != self)
        wait_until_stopped(region->task[known].pid, number == SIGSTOP);
}

/* Sends it really. The process, task number KNOWN or -1, may end by that; then it is gone when this returns. */
static int kill_now(pid_t pid, int known, int number)
{
    bool ends = known != -1 && region->task[known].state != AWAY && ends_by(&region->task[known], number);
    if (ends && pid == getpid())
        end_by(number);
    int answer = REAL(kill)(pid, number);
    if (known != -1 && answer == 0)
        stop_or_go(known, number);
    if (ends && answer == 0) {
        wait_until_gone(pid);
        release_pipes(known);
        task_killed(known);
    }
    return answer;
}

/* A whole group, or (PID -1) all: there may be processes among them that we do not know. */
static int kill_group(pid_t pid, int number)
{
    pid_t group = pid == 0 ? getpgrp() : -pid;
    bool members[TASKS] = { false }, ending[TASKS] = { false }, own = pid == -1 || group == getpgrp();
    if (own && ends_by(me(), number))
        task_end(true);         /* nothing can be done after it */
    for (int i = 0; PLAYED && i < region->tasks; i++) {
        struct task *task = &region->task[i];
        if (i == self || task->thread || task->state == ENDED || task->state == UNUSED || task->state == AWAY ||
            (pid != -1 && getpgid(task->pid) != group))
            continue;
        members[i] = true;
        ending[i] = ends_by(task, number);
        if (!ending[i] && number != SIGSTOP && number != SIGCONT)      /* its handler is called when it goes on */
            post(i, number, NULL);
    }
    int answer = REAL(kill)(pid, number);
    for (int i = 0; PLAYED && answer == 0 && i < region->tasks; i++)
        if (members[i])
            stop_or_go(i, number);
    for (int i = 0; PLAYED && answer == 0 && i < region->tasks; i++)
        if (ending[i]) {
            wait_until_gone(region->task[i].pid);
            release_pipes(i);
            task_killed(i);
        }
    if (PLAYED) {
        task_look_again();
        region->progress++;
    }
    return answer;
}

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
    if (result[0] == 'r')
        verdict("wrong call", "P%d sends signal %d to a child that it has waited for already, at @%lx@: the pid may belong to another process by now\n",
                self + 1, number, (unsigned long)HERE);
    step('c', 0, number, HERE, "kill");
    if (pid <= 0) {
        busy = true;
        int answer = kill_group(pid, number);
        busy = false;
        let_others_go_on();
        return answer;
    }
    int known = process_of(pid);
    bool stops = number == SIGSTOP || number == SIGCONT;
    if (known == -1 || stops || region->task[known].state == AWAY || ends_by(&region->task[known], number)) {
        busy = true;
        int answer = kill_now(pid, known, number);
        busy = false;
        region->progress++;
        let_others_go_on();
        return answer;
    }
    post(known, number, NULL);  /* delivered when that task goes on */
    region->progress++;
    let_others_go_on();
    return 0;
}

int sigqueue(pid_t pid, int number, const union sigval value)
{
    step('c', 0, number, HERE, "sigqueue");
    int known = PLAYED ? process_of(pid) : -1;
    if (known == -1 || known == self || number <= 0 || number > 64 || region->task[known].state == AWAY ||
        ends_by(&region->task[known], number))
        return REAL(sigqueue)(pid, number, value);
    post(known, number, value.sival_ptr);
    region->progress++;
    return 0;
}

int killpg(pid_t group, int number) { return kill(-group, number); }

int raise(int number)
{
    step('c', 0, number, HERE, "raise");
    if (PLAYED && number > 0 && number <= 64 && ends_by(me(), number))
        end_by(number);
    return (int)raw_syscall(SYS_tgkill, getpid(), raw_syscall(SYS_gettid), number);
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
        if (!waits(limit != NULL ? TIMED : BLOCKED, 0, "sigtimedwait", at))
            return -1;          /* errno is EAGAIN: the time is over */
        if (me()->handled != before) {
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
static bool restarts[65];
__thread int handler_depth;     /* is a handler running? */
static void (*long_handlers[65])(int, siginfo_t *, void *);

static void handler_called(int number, siginfo_t *info, void *context)
{
    /* The kernel's own signals (SIGCHLD), and those to a group, come at any time; here they wait for this task's turn. */
    if (PLAYED && (busy || atomic_load(&region->running) != self || (number < 32 && (me()->pending >> (number - 1) & 1) != 0))) {
        post(self, number, info->si_value.sival_ptr);
        return;
    }
    if (PLAYED) {
        me()->handled++;
        me()->interrupts += !restarts[number];
    }
    handler_depth++;
    if (long_handlers[number] != NULL)
        long_handlers[number](number, info, context);
    else if (handlers[number] != NULL)
        handlers[number](number);
    handler_depth--;
    /* it may have given the signal its default action and raised it again: that ends us when we return */
    sigset_t waiting;
    struct sigaction now;
    if (PLAYED && !stays_alive(number) && sigpending(&waiting) == 0 && sigismember(&waiting, number) == 1 &&
        REAL(sigaction)(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        task_end(true);
}

int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    struct sigaction own, before;
    bool handles = action != NULL && action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
    if (action != NULL && number >= 1 && number <= 64) {
        unsigned long long bit = 1ull << (number - 1);
        may_interrupt = handles && !(action->sa_flags & SA_RESTART) ? may_interrupt | bit : may_interrupt & ~bit;
    }
    if (!scheduled || number < 1 || number > 64 || !handles)
        return REAL(sigaction)(number, action, old);
    own = *action;
    restarts[number] = (action->sa_flags & SA_RESTART) != 0;
    long_handlers[number] = action->sa_flags & SA_SIGINFO ? action->sa_sigaction : NULL;
    handlers[number] = action->sa_flags & SA_SIGINFO ? NULL : action->sa_handler;
    own.sa_sigaction = handler_called;
    own.sa_flags |= SA_SIGINFO;
    int result = REAL(sigaction)(number, &own, &before);
    if (old != NULL)
        *old = before;
    return result;
}

/* signal is sigaction with SA_RESTART, in glibc and musl alike. */
void (*signal(int number, void (*handler)(int)))(int)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;
    return sigaction(number, &action, &old) == -1 ? SIG_ERR : old.sa_handler;
}

/* A signal that has come while it was blocked may end the process when it is let in: the others must know. */
static void before_unblocking(int how, const sigset_t *set)
{
    sigset_t waiting, mask;
    if (!PLAYED || set == NULL || how == SIG_BLOCK || sigpending(&waiting) == -1 || REAL(sigprocmask)(SIG_SETMASK, NULL, &mask) == -1)
        return;
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        bool let_in = sigismember(&mask, number) == 1 && sigismember(set, number) == (how == SIG_UNBLOCK);
        if (let_in && sigismember(&waiting, number) == 1 && !stays_alive(number) &&
            REAL(sigaction)(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
            task_end(true);
            return;
        }
    }
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    before_unblocking(how, set);
    return REAL(sigprocmask)(how, set, old);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    before_unblocking(how, set);
    return REAL(pthread_sigmask)(how, set, old);
}

int pause(void)
{
    if (!PLAYED)
        return REAL(pause)();
    uintptr_t at = HERE;
    step('c', 0, 0, at, "pause");
    for (unsigned before = me()->handled; me()->handled == before; )
        waits(BLOCKED, 0, "pause", at);
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
    while (me()->handled == before)
        waits(BLOCKED, 0, "sigsuspend", at);
    sigprocmask(SIG_SETMASK, &old, NULL);
    errno = EINTR;
    return -1;
}

int prctl(int option, ...)
{
    unsigned long a[4];
    va_list list;
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(list, unsigned long);
    va_end(list);
    if (PLAYED && option == PR_SET_PDEATHSIG)
        me()->death_signal = (int)a[0];
    return REAL(prctl)(option, a[0], a[1], a[2], a[3]);
}

/* ---- time: under a schedule nobody really waits, and the clock is the run's own ---- */

static long long clock_of(clockid_t clock)
{
    return region->now + (clock == CLOCK_REALTIME ? region->date : 0);
}

static int sleep_played(long long ns, uintptr_t at)
{
    step('c', 0, 0, at, "sleep");
    cancellation_point();
    /* half the seeds: it lasts while anyone else can go on; the others: it is over at once, for a
       sleep orders nothing. Time leaps only when nobody else could use it. */
    if (region->mode % 2 == 0) {
        limit_in(ns);
        unsigned before = me()->handled;
        while (waits(TIMED, 0, "sleep", at))
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
void limit_at(const struct timespec *time, clockid_t clock)
{
    limit_in(ns_of(time) - clock_of(clock));
}

/* The timer of this process that sends SIGALRM: alarm and setitimer share it. Its task is the process's first. */
static struct task *timer(void) { return &region->task[me()->space]; }

static long long left_of(const struct task *task)
{
    return task->alarm > region->now ? task->alarm - region->now : 0;
}

static struct timeval timeval_of(long long ns)
{
    return (struct timeval){ ns / 1000000000, ns % 1000000000 / 1000 };
}

#ifdef __GLIBC__                /* it gives this parameter a type of its own */
int setitimer(__itimer_which_t which, const struct itimerval *value, struct itimerval *old)
#else
int setitimer(int which, const struct itimerval *value, struct itimerval *old)
#endif
{
    if (!PLAYED || which != ITIMER_REAL)
        return REAL(setitimer)(which, value, old);
    step('c', 0, 0, HERE, "setitimer");
    struct itimerval before = { timeval_of(timer()->again), timeval_of(left_of(timer())) };
    long long first = value->it_value.tv_sec * 1000000000ll + value->it_value.tv_usec * 1000ll;
    timer()->alarm = first != 0 ? region->now + first : 0;
    timer()->again = first != 0 ? value->it_interval.tv_sec * 1000000000ll + value->it_interval.tv_usec * 1000ll : 0;
    if (old != NULL)
        *old = before;
    return 0;
}

static struct timer *timer_of(int fd, const void *id)
{
    for (int i = 0; i < TIMERS; i++) {
        struct timer *timer = &region->timer[i];
        if (timer->used && timer->space == me()->space && timer->fd == fd && timer->id == id)
            return timer;
    }
    return NULL;
}

static void timer_new(int fd, const void *id, int number)
{
    struct timer *timer = timer_of(fd, id);     /* that descriptor was closed, and is in use again */
    for (int i = 0; timer == NULL && i < TIMERS; i++)
        if (!region->timer[i].used)
            timer = &region->timer[i];
    if (timer != NULL)
        *timer = (struct timer){ .space = me()->space, .used = true, .fd = fd, .id = id, .number = number };
}

static struct timespec timespec_of(long long ns)
{
    return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

static void timer_ask(const struct timer *timer, struct itimerspec *value)
{
    value->it_interval = timespec_of(timer->again);
    value->it_value = timespec_of(timer->at > region->now ? timer->at - region->now : timer->at != 0);
}

static int timer_set(struct timer *timer, int flags, clockid_t clock, const struct itimerspec *value, struct itimerspec *old)
{
    long long first = ns_of(&value->it_value);
    if (old != NULL)
        timer_ask(timer, old);
    timer->at = first == 0 ? 0 : flags & TFD_TIMER_ABSTIME ? first - clock_of(clock) + region->now : region->now + first;
    timer->again = ns_of(&value->it_interval);
    timer->times = 0;
    return 0;
}

/* The clocks of timers are not asked for: all are taken for monotonic, but for absolute times beyond it. */
static clockid_t clock_meant(const struct itimerspec *value)
{
    return ns_of(&value->it_value) > region->date / 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

int timerfd_create(int clock, int flags)
{
    int fd = REAL(timerfd_create)(clock, flags);
    if (PLAYED && fd != -1)
        timer_new(fd, NULL, 0);
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    struct timer *timer = PLAYED ? timer_of(fd, NULL) : NULL;
    if (timer == NULL)
        return REAL(timerfd_settime)(fd, flags, value, old);
    step('c', 0, fd, HERE, "timerfd_settime");
    REAL(timerfd_settime)(fd, 0, &(struct itimerspec){ .it_interval = { 0, 0 } }, NULL);
    return timer_set(timer, flags, clock_meant(value), value, old);
}

int timerfd_gettime(int fd, struct itimerspec *value)
{
    struct timer *timer = PLAYED ? timer_of(fd, NULL) : NULL;
    if (timer == NULL)
        return REAL(timerfd_gettime)(fd, value);
    timer_ask(timer, value);
    return 0;
}

/* Makes FD readable if it is a timer's that is over by the run's clock. */
void timers_fire(void)
{
    for (int i = 0; i < TIMERS; i++) {
        struct timer *timer = &region->timer[i];
        if (!timer->used || timer->space != me()->space || timer->fd == -1)
            continue;
        while (timer->at != 0 && timer->at <= region->now) {
            timer->times++;
            timer->at = timer->again != 0 ? timer->at + timer->again : 0;
        }
        struct pollfd one = { timer->fd, POLLIN, 0 };
        if (timer->times > 0 && REAL(poll)(&one, 1, 0) == 0) {
            REAL(timerfd_settime)(timer->fd, 0, &(struct itimerspec){ .it_value = { 0, 1 } }, NULL);
            REAL(poll)(&one, 1, 1000);
        }
    }
}

/* What a read of that descriptor got is the number of times, by the run's clock. */
void timer_was_read(int fd, void *buffer)
{
    struct timer *timer = timer_of(fd, NULL);
    if (timer != NULL) {
        memcpy(buffer, &timer->times, sizeof timer->times);
        timer->times = 0;
    }
}

int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict id)
{
    struct sigevent silent = { .sigev_notify = SIGEV_NONE };
    bool signals = event == NULL || event->sigev_notify == SIGEV_SIGNAL;
    int result = REAL(timer_create)(clock, PLAYED && signals ? &silent : event, id);
    if (PLAYED && signals && result == 0)
        timer_new(-1, *id, event != NULL ? event->sigev_signo : SIGALRM);
    return result;
}

int timer_settime(timer_t id, int flags, const struct itimerspec *restrict value, struct itimerspec *restrict old)
{
    struct timer *timer = PLAYED ? timer_of(-1, id) : NULL;
    if (timer == NULL)
        return REAL(timer_settime)(id, flags, value, old);
    step('c', 0, 0, HERE, "timer_settime");
    return timer_set(timer, flags, clock_meant(value), value, old);
}

int timer_gettime(timer_t id, struct itimerspec *value)
{
    struct timer *timer = PLAYED ? timer_of(-1, id) : NULL;
    if (timer == NULL)
        return REAL(timer_gettime)(id, value);
    timer_ask(timer, value);
    return 0;
}

int timer_delete(timer_t id)
{
    struct timer *timer = PLAYED ? timer_of(-1, id) : NULL;
    if (timer != NULL)
        timer->used = false;
    return REAL(timer_delete)(id);
}

unsigned alarm(unsigned seconds)
{
    if (!PLAYED)
        return REAL(alarm)(seconds);
    step('c', 0, seconds, HERE, "alarm");
    long long left = (left_of(timer()) + 999999999) / 1000000000;
    timer()->alarm = seconds != 0 ? region->now + seconds * 1000000000ll : 0;
    timer()->again = 0;
    return (unsigned)left;
}

int sched_yield(void)
{
    step('c', 0, 0, HERE, "sched_yield");
    return PLAYED ? 0 : (int)raw_syscall(SYS_sched_yield);
}
