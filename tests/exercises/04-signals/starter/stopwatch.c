/* stopwatch.c - an exercise: count signals, and lose none.
   Task:  stopwatch LAPS
          1. main starts one child, the runner. For each of the LAPS laps the runner presses the
             button: it sends SIGUSR1 to main, with kill(2). After the last lap it sends SIGTERM to
             main, and ends with _exit(0).
          2. main counts. For each SIGUSR1 it prints one line:  lap K  (K is 1, 2, 3 ...)
          3. At SIGTERM main prints one line:  total K  . It waits for the runner, closes what
             it has opened, and ends with exit status 0. (stopwatch 0 prints only  total 0  .)
          4. No press may be lost. Two SIGUSR1 that are pending at the same time become ONE. So the
             runner sends its next signal, SIGTERM too, only when it knows that main has counted
             the one before. How main tells it, you choose: a byte in a pipe is one way.
          5. A signal may come at any moment, so:
             - In a handler call only what signal-safety(7) allows. printf and say are not allowed.
             - A variable that both a handler and the rest of the program use is a
               volatile sig_atomic_t (or an atomic).
             - main waits without asking again and again, and a signal that comes just before the
               wait still ends it.
   Calls: fork(2), sigaction(2), kill(2), sigprocmask(2), sigsuspend(2), pipe(2), waitpid(2);
          print with say(). Instead of sigsuspend: a pipe to itself and poll(2), or signalfd(2), or
          sigwaitinfo(2) */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_LAPS = 1000 };

/* TODO 1: what the handlers share with the rest, and the handlers. */

/* The child: presses the button LAPS times, then stops the watch. */
static void runner(pid_t watch, int laps)
{
    /* TODO 2: SIGUSR1 for each lap; the next one only when main has counted the last one. */
    (void)laps;

    check(kill(watch, SIGTERM));
}

static void stopwatch(int laps)
{
    /* TODO 3: be ready for the signals before the runner can send the first one. */

    pid_t watch = getpid();
    pid_t pid = check(fork());
    if (pid == 0) {
        runner(watch, laps);
        _exit(0);
    }

    /* TODO 4: wait for the signals, count, print, tell the runner; until SIGTERM has come. */
    int total = 0;

    say("total %d", total);
    check(waitpid(pid, NULL, 0));
}

int main(int argc, char **argv)
{
    long laps;
    if (argc != 2 || parse_number(argv[1], 0, MAX_LAPS, &laps) == -1)
        usage("stopwatch LAPS   (LAPS: 0 to 1000)");

    stopwatch((int)laps);
    return 0;
}

/* Output of ./stopwatch 3:
lap 1
lap 2
lap 3
total 3
*/
