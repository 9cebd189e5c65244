/* active_children.c - who is still running? The question also reaps those who are not.
   Python: multiprocessing.active_children()
   Calls:  waitpid(2) with WNOHANG, waitid(2) with WNOWAIT
   Needs:  01-fork/zombie_and_orphan, 01-fork/states, terminate
   Try:    Take out `tell("then:");` near the end: nobody asks, so nobody reaps. The next line then
           shows the state Z: the process is still a zombie. */
#include "workbook.h"

#include "process.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 3 };

static int wait_for_ever(void *argument)
{
    (void)argument;
    return pause();                 /* waits until a signal ends this process */
}

/* Prints WHEN and the names of all children that run now. */
static void tell(const char *when)
{
    struct process *running[COUNT];
    int count = active_children(running, COUNT);
    char names[100] = "";
    for (int i = 0; i < count; i++) {
        strcat(names, " ");
        strcat(names, running[i]->name);
    }
    say("%s %d running:%s", when, count, names);
}

/* The state of a process as a word for the output. */
static const char *state_text(pid_t pid)
{
    int state = check(state_of(pid));
    return state == 0 ? "none, it is gone" : state == 'Z' ? "Z, a zombie" : "another";
}

int main(void)
{
    struct process children[COUNT] = {
        { .target = wait_for_ever },
        { .target = wait_for_ever },
        { .target = wait_for_ever },
    };
    for (int i = 0; i < COUNT; i++)
        check(process_start(&children[i]));
    tell("started:");

    const int order[COUNT] = { 1, 0, 2 };
    for (int i = 0; i < COUNT; i++) {
        struct process *child = &children[order[i]];
        siginfo_t info;
        process_expect(child, EXITCODE_UNKNOWN);    /* it still runs */
        check(process_terminate(child));
        check(waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT));   /* waits; does not reap */
        say("%s has ended; state: %s", child->name, state_text(child->pid));
        tell("then:");
        const char *state = state_text(child->pid);
        say("state: %s; exit code %d", state, process_exitcode(child));
        process_expect(child, -SIGTERM);
    }
}

/* Output:
started: 3 running: Process-1 Process-2 Process-3
Process-2 has ended; state: Z, a zombie
then: 2 running: Process-1 Process-3
state: none, it is gone; exit code -15
Process-1 has ended; state: Z, a zombie
then: 1 running: Process-3
state: none, it is gone; exit code -15
Process-3 has ended; state: Z, a zombie
then: 0 running:
state: none, it is gone; exit code -15
*/
