/* mask.c - to keep a signal waiting: block, pending, deliver.
   Python: signal.pthread_sigmask(signal.SIG_BLOCK, {SIGUSR1}), signal.sigpending()
   Calls:  sigprocmask(2), sigpending(2), sigaddset(3), sigqueue(3)
   Needs:  01-fork/fork, handler
   Try:    In main, write raise_and_queue(100). Of 100 SIGUSR1 still one arrives; of 100 SIGRTMIN,
           all. */
#include "workbook.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t usr1_came, rtmin_came;

static void on_usr1(int signal)
{
    (void)signal;
    usr1_came = usr1_came + 1;
}

static void on_rtmin(int signal)
{
    (void)signal;
    rtmin_came = rtmin_came + 1;
}

static const char *pending(int number)
{
    sigset_t set;
    check(sigpending(&set));
    return sigismember(&set, number) ? "pending" : "not pending";
}

/* Sends this process COUNT signals of both kinds. sigqueue is a kill that also carries a number. */
static void raise_and_queue(int count)
{
    for (int i = 0; i < count; i++) {
        check(raise(SIGUSR1));
        check(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i }));
    }
    say("sent %d of each; came: %d and %d", count, (int)usr1_came, (int)rtmin_came);
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_usr1 };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGUSR1, &action, NULL));
    action.sa_handler = on_rtmin;
    check(sigaction(SIGRTMIN, &action, NULL));

    sigset_t both, before;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGRTMIN);
    check(sigprocmask(SIG_BLOCK, &both, &before));      /* from here on, both have to wait */
    raise_and_queue(3);
    say("SIGUSR1 is %s", pending(SIGUSR1));

    pid_t child = check(fork());                        /* inherits the mask, but no pending signal */
    if (child == 0) {
        sigset_t now;
        check(sigprocmask(SIG_BLOCK, NULL, &now));      /* NULL: only ask */
        say("child: SIGUSR1 is %s and %s", sigismember(&now, SIGUSR1) ? "blocked" : "not blocked", pending(SIGUSR1));
        _exit(0);
    }
    int status = check(wait_child(child));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (status != 0)
        die("the child ended with exit status %d", WEXITSTATUS(status));

    /* Deliver: the handlers run before sigprocmask returns. */
    sigdelset(&before, SIGUSR1);
    sigdelset(&before, SIGRTMIN);
    check(sigprocmask(SIG_SETMASK, &before, NULL));
    int usr1 = usr1_came, rtmin = rtmin_came;           /* counted before another one may come */
    say("unblocked; came: %d SIGUSR1 and %d SIGRTMIN", usr1, rtmin);
    say("SIGUSR1 is %s", pending(SIGUSR1));
}

/* Output:
sent 3 of each; came: 0 and 0
SIGUSR1 is pending
child: SIGUSR1 is blocked and not pending
unblocked; came: 1 SIGUSR1 and 3 SIGRTMIN
SIGUSR1 is not pending
*/
