/* sigsuspend.c - to wait for a signal without losing it: pause loses it, sigsuspend and sigwait do not.
   Python: signal.pause() loses it too; signal.sigwait({signal.SIGUSR1}) does not
   Calls:  sigsuspend(2), pause(2), sigwait(3), sigprocmask(2)
   Needs:  01-fork/pipe, handler, mask
   Try:    build/sigsuspend natural   Nothing is forced there: a child sends SIGUSR1 5000 times, and
           main waits with pause each time. How often does the signal come too early for pause? */
#include "workbook.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t came, rescued;

static void on_usr1(int signal)
{
    (void)signal;
    came = 1;
}

static void on_alrm(int signal)
{
    (void)signal;
    rescued = rescued + 1;
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler };
    sigset_t set;
    sigemptyset(&action.sa_mask);
    check(sigaction(number, &action, NULL));
    sigemptyset(&set);
    sigaddset(&set, number);
    check(sigprocmask(SIG_UNBLOCK, &set, NULL));    /* whoever started us may have blocked it */
}

/* A SIGALRM each 10 ms, or none: it ends a pause that would wait for ever. */
static void rescue(int ms)
{
    handle(SIGALRM, on_alrm);
    struct itimerval often = { .it_interval = { .tv_usec = ms * 1000 }, .it_value = { .tv_usec = ms * 1000 } };
    check(setitimer(ITIMER_REAL, &often, NULL));
}

/* Stands for a kill by another process, which may come at this point, or not. */
static void accident(void)
{
    check(raise(SIGUSR1));
}

static void with_pause(void)
{
    rescue(10);
    came = 0;
    if (!came) {                /* 1. not yet */
        accident();             /* 2. now it comes */
        pause();                /* 3. waits for the next one */
        say("WRONG: SIGUSR1 came before pause, which waited on, until a timer ended it");
    }
    rescue(0);
}

/* Blocks SIGUSR1. Gives in *WAITING the mask to wait with: the one before, without SIGUSR1. */
static void block_usr1(sigset_t *usr1, sigset_t *waiting)
{
    sigemptyset(usr1);
    sigaddset(usr1, SIGUSR1);
    check(sigprocmask(SIG_BLOCK, usr1, waiting));
    sigdelset(waiting, SIGUSR1);
}

static void with_sigsuspend(const sigset_t *waiting)
{
    came = 0;
    while (!came) {
        accident();             /* blocked: it stays pending */
        sigsuspend(waiting);    /* unblocks and waits, in one step; always -1 with EINTR */
    }
    say("sigsuspend: SIGUSR1 has come");
}

static void with_sigwait(const sigset_t *usr1)
{
    int number;
    came = 0;
    accident();
    check_pthread(sigwait(usr1, &number));  /* takes a pending signal out: the handler does not run */
    say("sigwait: took SIGUSR1; the handler ran: %s", came ? "yes" : "no");
}

static void natural(void)
{
    enum { ROUNDS = 5000 };
    pid_t parent = getpid();
    int go[2], lost = 0;
    check(pipe(go));
    pid_t child = check(fork());
    if (child == 0) {
        char byte;
        check(end_with_parent(parent));
        check(close(go[1]));
        while (check(read_full(go[0], &byte, 1)) == 1)
            check(kill(parent, SIGUSR1));
        _exit(0);
    }
    rescue(10);
    for (int round = 0; round < ROUNDS; round++) {
        came = rescued = 0;
        check(write_full(go[1], "!", 1));
        while (!came) {
            pause();
            if (rescued > 200)
                die("the child sends nothing");
        }
        lost += rescued != 0;
    }
    rescue(0);
    check(close(go[0]));
    check(close(go[1]));
    int status = check(wait_child(child));
    if (status != 0)
        die("the child did not end by itself: wait status %d", status);
    say("WRONG: in %d of %d rounds pause waited until the timer", lost, ROUNDS);
}

int main(int argc, char **argv)
{
    handle(SIGUSR1, on_usr1);
    if (argc == 1) {
        sigset_t usr1, waiting;
        block_usr1(&usr1, &waiting);
        with_sigsuspend(&waiting);
        with_sigwait(&usr1);
    } else if (argc == 2 && strcmp(argv[1], "wrong") == 0)
        with_pause();
    else if (argc == 2 && strcmp(argv[1], "natural") == 0)
        natural();
    else
        usage("sigsuspend [wrong | natural]");
}

/* Output of ./sigsuspend wrong:
WRONG: SIGUSR1 came before pause, which waited on, until a timer ended it
*/

/* Output:
sigsuspend: SIGUSR1 has come
sigwait: took SIGUSR1; the handler ran: no
*/
