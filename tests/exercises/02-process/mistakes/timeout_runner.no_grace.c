/* wrong output | clean */
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

static void rest_1_ms(void)
{
    struct timespec ms = { 0, 1000000 };
    nanosleep(&ms, NULL);
}

static void tell(const struct target *target, const char *when, int status)
{
    if (WIFSIGNALED(status))
        say("%s: %s, killed by signal %d", target->name, when, WTERMSIG(status));
    else
        say("%s: %s, exit status %d", target->name, when, WEXITSTATUS(status));
}

static void run_with_limit(const struct target *target, int argument, long t_ms, long g_ms)
{
    int status = 0;
    bool ended = false, late = false;
    pid_t pid = check(fork());
    if (pid == 0) {
        setpgid(0, 0);
        _exit(target->run(argument));
    }
    setpgid(pid, pid);
    for (long ms = 0; ms < t_ms && !ended; ms++) {
        ended = check(waitpid(pid, &status, WNOHANG)) == pid;
        if (!ended)
            rest_1_ms();
    }
    if (!ended) {
        late = true;
        check(kill(-pid, SIGTERM));
        (void)g_ms;
    }
    if (!ended) {
        check(kill(-pid, SIGKILL));
        check(waitpid(pid, &status, 0));
    }
    tell(target, late ? "out of time" : "in time", status);
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
