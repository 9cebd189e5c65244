/* sigchld.c - a child's end as a signal: signals merge, so reap in a loop, until nobody is left to reap.
   Python: signal.signal(signal.SIGCHLD, ...), os.waitpid(-1, os.WNOHANG)
   Calls:  sigaction(2) for SIGCHLD, waitpid(2) with -1 and WNOHANG, sigsuspend(2)
   Needs:  01-fork/many_children, 01-fork/zombie_and_orphan, mask, sigsuspend
   Try:    build/sigchld wrong   One waitpid for one signal. */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 5 };

struct family {
    pid_t parent, pids[COUNT];
    int gate[2];                    /* end of file, when main opens the gate: the children may end */
    int running;
};

static volatile sig_atomic_t signals;       /* how often on_chld has run */

static void on_chld(int signal)
{
    (void)signal;
    signals = signals + 1;
}

static int wait_at_gate(void *argument)
{
    const struct family *family = argument;
    char byte;
    check(end_with_parent(family->parent));
    check(close(family->gate[1]));
    check(read_full(family->gate[0], &byte, 1));
    return 0;
}

/* Reaps one child, if one has ended. Returns whether it did. */
static bool reap_one(struct family *family)
{
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0 || (pid == -1 && errno == ECHILD))
        return false;               /* 0: all the others still run. ECHILD: there are no others */
    check(pid);
    if (WIFSIGNALED(status))
        die("pid %d was killed by signal %d", pid, WTERMSIG(status));
    if (status != 0)
        die("pid %d ended with exit status %d", pid, WEXITSTATUS(status));
    for (int i = 0; i < COUNT; i++)
        if (family->pids[i] == pid)
            family->running--;
    return true;
}

/* What every program does that has children and other work: a signal may stand for several ends. */
static int reap_all(struct family *family)
{
    int reaped = 0;
    while (reap_one(family))
        reaped++;
    return reaped;
}

/* Starts the children, and opens the gate. All end, while SIGCHLD is blocked. */
static void let_all_end(struct family *family)
{
    check(pipe(family->gate));
    family->parent = getpid();
    family->running = COUNT;
    for (int i = 0; i < COUNT; i++)
        family->pids[i] = check(start_child(wait_at_gate, family));
    check(close(family->gate[0]));
    check(close(family->gate[1]));
    for (int i = 0; i < COUNT; i++)
        check(wait_for_state(family->pids[i], 'Z', 5000));
}

int main(int argc, char **argv)
{
    bool wrong = argc == 2 && strcmp(argv[1], "wrong") == 0;
    if (argc > 1 && !wrong)
        usage("sigchld [wrong]");

    /* Before the first fork: block it, so that it comes in sigsuspend only, then set the handler. */
    sigset_t set, waiting;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    check(sigprocmask(SIG_BLOCK, &set, &waiting));
    sigdelset(&waiting, SIGCHLD);
    struct sigaction action = { .sa_handler = on_chld };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGCHLD, &action, NULL));

    struct family family;
    let_all_end(&family);
    say("%d children have ended", COUNT);
    while (family.running > 0) {            /* what counts is who still runs, not the signals */
        sigsuspend(&waiting);               /* always -1 with EINTR */
        int reaped = wrong ? reap_one(&family) : reap_all(&family);
        say("on_chld has run %d time; reaped %d, still to reap: %d", (int)signals, reaped, family.running);
        if (wrong && reaped > 0) {
            say("WRONG: no more signal will come, and %d zombies stay", family.running);
            reap_all(&family);              /* so that you can run it again and again */
        }
    }
}

/* Output of ./sigchld wrong:
5 children have ended
on_chld has run 1 time; reaped 1, still to reap: 4
WRONG: no more signal will come, and 4 zombies stay
*/

/* Output:
5 children have ended
on_chld has run 1 time; reaped 5, still to reap: 0
*/
