/* wrong output | once for each lap */
#include "workbook.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_LAPS = 1000 };

static volatile sig_atomic_t pressed, stop_asked;

static void on_usr1(int number)
{
    (void)number;
    pressed = 1;                /* a flag is enough: the runner never presses twice without an answer */
}

static void on_term(int number)
{
    (void)number;
    stop_asked = 1;
}

static void on_chld(int number)
{
    (void)number;               /* it only has to end sigsuspend */
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler };
    sigemptyset(&action.sa_mask);
    check(sigaction(number, &action, NULL));
}

/* The child. Ends early when the watch counts no more: its end of the pipe is closed then. */
static _Noreturn void runner(pid_t watch, int laps, int answers)
{
    char byte;
    for (int i = 0; i < laps; i++) {
        check(kill(watch, SIGUSR1));
        check(kill(watch, SIGUSR1));
        if (check(read_full(answers, &byte, 1)) == 0)
            _exit(0);
    }
    check(kill(watch, SIGTERM));
    _exit(0);
}

static void stopwatch(int laps)
{
    sigset_t ours, waiting;
    int answers[2], total = 0, status;
    sigemptyset(&ours);
    sigaddset(&ours, SIGUSR1);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGCHLD);
    check(sigprocmask(SIG_BLOCK, &ours, &waiting)); /* now they stay pending until sigsuspend */
    sigdelset(&waiting, SIGUSR1);                   /* whoever started us may have blocked them, too */
    sigdelset(&waiting, SIGTERM);
    sigdelset(&waiting, SIGCHLD);
    handle(SIGUSR1, on_usr1);                       /* before fork: the runner may be fast */
    handle(SIGTERM, on_term);
    handle(SIGCHLD, on_chld);
    check(pipe(answers));

    pid_t watch = getpid();
    pid_t pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(watch));
        check(close(answers[1]));
        runner(watch, laps, answers[0]);
    }
    check(close(answers[0]));

    /* SIGCHLD may come from a stranger: so ask whether the runner has really ended. */
    pid_t ended = 0;
    while (!stop_asked && (ended = check(waitpid(pid, &status, WNOHANG))) == 0) {
        sigsuspend(&waiting);   /* unblocks, waits, blocks again, in one step; always returns -1 */
        if (pressed) {
            pressed = 0;        /* before the answer: after it the next press may come */
            say("lap %d", ++total);
            if (write(answers[1], "x", 1) == -1)
                break;          /* the runner was killed: its status below says so */
        }
    }

    check(close(answers[1]));   /* before the wait: SIGTERM may have come from a stranger, in the middle */
    if (ended == 0)
        status = check(wait_child(pid));
    if (WIFSIGNALED(status))
        die("the runner was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the runner ended with exit status %d", WEXITSTATUS(status));
    say("total %d", total);
}

int main(int argc, char **argv)
{
    long laps;
    if (argc != 2 || parse_number(argv[1], 0, MAX_LAPS, &laps) == -1)
        usage("stopwatch LAPS   (LAPS: 0 to 1000)");

    handle(SIGPIPE, SIG_IGN);   /* so that a write to a dead runner is an error, not our end */
    stopwatch((int)laps);
    return 0;
}
