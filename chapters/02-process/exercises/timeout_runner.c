/* timeout_runner.c - an exercise: run a target, but not for ever.
   Task:  timeout_runner T_MS G_MS TARGET [STATUS]
          1. Start the target in a child, in a process group of its own. The child calls
             target->run(status), and ends with the exit status that this returns.
          2. If the child ends within T_MS milliseconds, go on AT ONCE with point 5.
          3. If not, send SIGTERM to the whole group: the target may have children.
          4. If the child has not ended G_MS milliseconds after that, send SIGKILL to the whole group.
             If it ends earlier, go on AT ONCE.
          5. Print one line, how it ended:
               NAME: in time, exit status S          NAME: in time, killed by signal N
               NAME: out of time, exit status S      NAME: out of time, killed by signal N
             "out of time" means: you had to send SIGTERM. Then end with exit status 0.
          A child that you have waited for is gone, and its pid may already be the pid of another
          process. So never signal a pid (or its group) after waitpid() has returned it.
   Targets: quick ends at once with 0; fails ends at once with STATUS (3 if you leave it out); killed
          kills itself; slow blocks, and SIGTERM ends it; polite blocks, cleans up at SIGTERM, then ends
          with STATUS; stubborn blocks, and ignores SIGTERM; family: two processes, both block.
   Calls: fork(2), setpgid(2), kill(2), waitpid(2), _exit(2); print with say(). For the limit: a
          pidfd and poll(2), as in process_step3.c, or waitpid with WNOHANG in a loop, with a nanosleep(2)
          of 1 ms between two questions */
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

/* ---- Yours: the runner ---- */

static void run_with_limit(const struct target *target, int status, long t_ms, long g_ms)
{
    /* TODO 1: fork. In the child: a group of its own, then  _exit(target->run(status)); */

    /* TODO 2: wait for it, for at most t_ms. Note whether it has ended: then it is reaped. */

    /* TODO 3: SIGTERM, wait for at most g_ms, SIGKILL; each only if it is still needed. */

    /* TODO 4: print how it ended. */
    say("%s: not started (%d, %ld, %ld)", target->name, status, t_ms, g_ms);
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
