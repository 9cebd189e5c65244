/* daemon.c - a daemon child ends with its parent, whatever ends that; it may have no children.
   Python: Process(..., daemon=True)
   Calls:  prctl(2) with PR_SET_PDEATHSIG, getppid(2), atexit(3)
   Needs:  01-fork/pipe, 01-fork/zombie_and_orphan, 01-fork/states, start, terminate
   Try:    Take out `.daemon = true` in small_program(). It now waits at its end for a child that
           never ends: the program hangs. End it with Ctrl-C. */
#include "workbook.h"

#include "process.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int start_a_child(void *argument)
{
    (void)argument;
    struct process child = { .target = NULL };      /* it would do nothing, but it never starts */
    if (process_start(&child) == -1)
        say("a daemon starts a child: refused: %s", process_error());
    return 0;
}

/* What the processes of the small program below share. */
struct ends {
    int report[2];      /* the daemon writes its pid: "I am here" */
    int go[2];          /* end of file: the small program returns */
};

static int serve_for_ever(void *argument)
{
    const struct ends *ends = argument;
    pid_t pid = getpid();
    check(write_full(ends->report[1], &pid, sizeof pid));
    return pause();                 /* no end of file ends this one, only a signal */
}

/* A small program: starts a daemon and returns without a join. */
static int small_program(struct ends *ends)
{
    struct process server = { .target = serve_for_ever, .argument = ends, .daemon = true };
    char byte;
    check(close(ends->go[1]));
    check(process_start(&server));
    check(close(ends->report[1]));
    check(read_full(ends->go[0], &byte, 1));
    return 0;
}

/* Runs the small program in a process of its own, ends it, and looks where the daemon is. */
static void run_and_end(bool by_sigkill)
{
    struct ends ends;
    check(pipe(ends.report));
    check(pipe(ends.go));
    pid_t me = getpid();            /* before the fork: see end_with_parent() in workbook.h */
    pid_t program = check(fork());
    if (program == 0) {
        check(end_with_parent(me));
        exit(small_program(&ends)); /* what happens when main returns */
    }
    check(close(ends.report[1]));
    check(close(ends.go[0]));
    pid_t server;
    int status;
    if (check(read_full(ends.report[0], &server, sizeof server)) < (ssize_t)sizeof server)
        die("no report: the daemon has ended too early");

    if (by_sigkill)
        check(kill(program, SIGKILL));
    else
        check(close(ends.go[1]));
    check(waitpid(program, &status, 0));
    if (WIFSIGNALED(status) != by_sigkill)
        die("the small program has ended in another way: wait status %d", status);

    if (by_sigkill) {
        check(waitpid(server, &status, 0));     /* the orphan is ours: see prctl in main */
        if (!WIFSIGNALED(status))
            die("the daemon has ended in another way: wait status %d", status);
        say("the program was killed by SIGKILL: its daemon was killed by signal %d", WTERMSIG(status));
        check(close(ends.go[1]));
    } else {
        if (check(state_of(server)) != 0)
            die("the daemon has outlived its program");
        say("the program has returned: its daemon is gone");
    }
    check(close(ends.report[0]));
}

int main(void)
{
    struct process daemon = { .target = start_a_child, .daemon = true };
    check(process_start(&daemon));
    check(process_join(&daemon));
    process_expect(&daemon, 0);

    check(prctl(PR_SET_CHILD_SUBREAPER, 1));    /* orphans below us become our children */
    run_and_end(false);
    run_and_end(true);
}

/* Output:
a daemon starts a child: refused: daemonic processes are not allowed to have children
the program has returned: its daemon is gone
the program was killed by SIGKILL: its daemon was killed by signal 9
*/
