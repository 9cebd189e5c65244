/* handler.c - a signal interrupts a process: what the process can choose, and what a handler may do.
   Python: signal.signal(signal.SIGUSR1, on_usr1), signal.SIG_DFL, signal.SIG_IGN
   Calls:  sigaction(2), sigemptyset(3), raise(3), kill(2), write(2), signal-safety(7)
   Needs:  01-fork/exit_status, 01-fork/many_children
   Try:    Take out the line with sigaction() in main. SIGUSR1 then does what it does by default: it
           ends the process in the first raise(), and no other line comes. */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* The one kind of variable that C lets a handler share with the rest of the program. volatile: read it
   from memory each time. sig_atomic_t: a small number, read or written in one piece. */
static volatile sig_atomic_t came;

static void on_usr1(int signal)
{
    (void)signal;                   /* its number: one handler may serve several signals */
    static const char text[] = "on_usr1: runs in the middle of main\n";
    int saved = errno;              /* main may be between a failed call and its look at errno */
    if (write_full(STDOUT_FILENO, text, sizeof text - 1) == -1)     /* say() may not be called here */
        _exit(1);
    errno = saved;
    came = 1;
}

/* Sets what this process does when SIGUSR1 comes. */
static void choose(void (*what)(int))
{
    struct sigaction action = { .sa_handler = what };
    sigemptyset(&action.sa_mask);   /* other signals may still come while the handler runs */
    check(sigaction(SIGUSR1, &action, NULL));
}

/* A child makes its choice, then sends itself SIGUSR1. */
static pid_t start_child_with(void (*what)(int))
{
    pid_t parent = getpid();
    pid_t pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(parent));
        choose(what);
        check(kill(getpid(), SIGUSR1));
        _exit(0);
    }
    return pid;
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_usr1 };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGUSR1, &action, NULL));

    say("main: raises SIGUSR1");
    check(raise(SIGUSR1));          /* the handler runs before raise returns */
    say("main: goes on where it was; came = %d", (int)came);

    int status = check(wait_child(start_child_with(SIG_IGN)));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("the child that ignores SIGUSR1 did not end by itself: wait status %d", status);
    say("a child that ignores it: exit 0");

    status = check(wait_child(start_child_with(SIG_DFL)));
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGUSR1)
        die("the child was not ended by SIGUSR1: wait status %d", status);
    say("a child with the default: ended by SIGUSR1");
}

/* Output:
main: raises SIGUSR1
on_usr1: runs in the middle of main
main: goes on where it was; came = 1
a child that ignores it: exit 0
a child with the default: ended by SIGUSR1
*/
