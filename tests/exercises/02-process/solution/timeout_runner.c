/* timeout_runner.c - runs a target with a time limit: SIGTERM first, SIGKILL if that is not enough.
   Python: Process.join(timeout), then terminate(), then kill(); for the whole process group
   Calls:  setpgid(2), kill(2) with -pid, waitpid(2) with WNOHANG, sigtimedwait(2), clock_gettime(2)
   Needs:  join_timeout.c, terminate.c
   Try:    Send SIGTERM to pid instead of -pid, and run 100 1000 family: its child never hears of it,
           and is still there (for a minute) when the program has ended. See it with ps. */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- Given: the targets. Do not change this part. ---- */

static sigset_t only(int number)
{
    sigset_t set;
    check(sigemptyset(&set));
    check(sigaddset(&set, number));
    return set;
}

static void set_action(int number, void (*action)(int))
{
    if (signal(number, action) == SIG_ERR)
        die("signal failed: %s", errno_name(errno));
}

/* Blocks for ever: nothing but a signal ends it. (After a minute an alarm does, so that nothing
   stays on your machine when an answer forgets it.) */
static _Noreturn void block_for_ever(void)
{
    sigset_t alarm_only = only(SIGALRM);
    set_action(SIGALRM, SIG_DFL);
    check(sigprocmask(SIG_UNBLOCK, &alarm_only, NULL));
    alarm(60);
    for (;;)
        pause();
}

static int quick(int status)
{
    (void)status;
    return 0;
}

static int fails(int status)
{
    return status;
}

static int killed(int status)
{
    check(kill(getpid(), SIGKILL));
    return status;
}

static int slow(int status)
{
    (void)status;
    block_for_ever();
}

/* Waits for SIGTERM, needs a little time to clean up, then ends with STATUS. */
static int polite(int status)
{
    sigset_t term = only(SIGTERM);
    int number;
    check(sigprocmask(SIG_BLOCK, &term, NULL));
    check_pthread(sigwait(&term, &number));
    work_ticks(50);
    return status;
}

static int stubborn(int status)
{
    set_action(SIGTERM, SIG_IGN);
    return slow(status);
}

/* Has a child of its own, and waits for it. SIGTERM ends that child, then this process. */
static int family(int status)
{
    sigset_t term = only(SIGTERM), pending;
    check(sigprocmask(SIG_BLOCK, &term, NULL));
    check(sigpending(&pending));
    if (!sigismember(&pending, SIGTERM)) {      /* else it came early: no child any more */
        pid_t pid = check(fork());
        if (pid == 0) {
            check(sigprocmask(SIG_UNBLOCK, &term, NULL));
            block_for_ever();
        }
        check(waitpid(pid, NULL, 0));
    }
    check(sigprocmask(SIG_UNBLOCK, &term, NULL));
    return slow(status);
}

static const struct target {
    const char *name;
    int (*run)(int status);     /* call it in the child; the child ends with the value it returns */
    bool blocks, ignores;       /* what it does with SIGTERM from its first moment */
} targets[] = {
    { "quick", quick, false, false },
    { "fails", fails, false, false },
    { "killed", killed, false, false },
    { "slow", slow, false, false },
    { "polite", polite, true, false },
    { "stubborn", stubborn, false, true },
    { "family", family, true, false },
};

/* The target called NAME. So that SIGTERM can never come too early for it, this process blocks or
   ignores it already: a child inherits that. */
static const struct target *find_target(const char *name)
{
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        if (strcmp(targets[i].name, name) != 0)
            continue;
        sigset_t term = only(SIGTERM);
        if (targets[i].blocks)
            check(sigprocmask(SIG_BLOCK, &term, NULL));
        if (targets[i].ignores)
            set_action(SIGTERM, SIG_IGN);
        return &targets[i];
    }
    return NULL;
}

/* ---- The runner ---- */

static long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));    /* never set back, unlike the time of day */
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for the child PID, for at most MS ms. Returns true, and its wait status, if it ended: then
   it is reaped, and must not be signalled any more. SIGCHLD must be blocked: so one that comes
   before sigtimedwait stays pending, and sigtimedwait returns at once. */
static bool wait_at_most(pid_t pid, long ms, int *status)
{
    sigset_t child_ended = only(SIGCHLD);
    long end = now_ms() + ms;
    for (;;) {
        if (check(waitpid(pid, status, WNOHANG)) == pid)
            return true;
        long left = end - now_ms();
        if (left <= 0)
            return false;
        struct timespec limit = { left / 1000, left % 1000 * 1000000 };
        /* SIGCHLD, the limit (EAGAIN) or another signal (EINTR): in each case look again */
        if (sigtimedwait(&child_ended, NULL, &limit) == -1 && errno != EAGAIN && errno != EINTR)
            die("sigtimedwait failed: %s", errno_name(errno));
    }
}

static void run_with_limit(const struct target *target, int status_of_target, long t_ms, long g_ms)
{
    sigset_t child_ended = only(SIGCHLD), before;
    check(sigprocmask(SIG_BLOCK, &child_ended, &before));   /* before fork: none can be missed */

    pid_t runner = getpid();
    pid_t pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(runner));     /* nobody would hold the limit any more */
        check(setpgid(0, 0));   /* before the target starts children: they are in this group too */
        check(sigprocmask(SIG_SETMASK, &before, NULL));
        _exit(target->run(status_of_target));
    }
    check(setpgid(pid, pid));   /* here too: the child may not have come so far when we signal it */

    int status;
    const char *when = "in time";
    if (!wait_at_most(pid, t_ms, &status)) {
        when = "out of time";
        check(kill(-pid, SIGTERM));         /* -pid: every process of the group */
        if (!wait_at_most(pid, g_ms, &status)) {
            check(kill(-pid, SIGKILL));     /* this one can be neither caught nor ignored */
            check(waitpid(pid, &status, 0));
        }
    }
    if (WIFSIGNALED(status))
        say("%s: %s, killed by signal %d", target->name, when, WTERMSIG(status));
    else
        say("%s: %s, exit status %d", target->name, when, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    long t_ms, g_ms, status = 3;
    const struct target *target;
    if (argc < 4 || argc > 5 || parse_number(argv[1], 1, 600000, &t_ms) == -1
        || parse_number(argv[2], 1, 600000, &g_ms) == -1 || (target = find_target(argv[3])) == NULL
        || (argc == 5 && parse_number(argv[4], 0, 255, &status) == -1))
        usage("timeout_runner T_MS G_MS TARGET [STATUS]   (times: 1 to 600000; TARGET: quick, fails, "
              "killed, slow, polite, stubborn or family; STATUS: 0 to 255)");

    run_with_limit(target, (int)status, t_ms, g_ms);
    return 0;
}

/* Output of ./timeout_runner 60000 60000 fails 5:
fails: in time, exit status 5
*/

/* Output of ./timeout_runner 100 60000 slow:
slow: out of time, killed by signal 15
*/

/* Output of ./timeout_runner 100 100 stubborn:
stubborn: out of time, killed by signal 9
*/
