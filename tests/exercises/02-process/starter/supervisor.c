/* supervisor.c - an exercise: start workers, and start again those that fail.
   Task:  supervisor WORKER...   has one argument for each worker:
            0 to 9     the worker fails that many times, then it succeeds
            0k to 9k   the same, but a failing one is killed by SIGKILL
            w          the worker does not fail, but it waits until all the others are at their
                       last start (the one that succeeds, or the 4th)
          1. Start all workers. They run at the same time. Each is a child that calls worker(), see
             below, and ends with the exit status that worker() returns. Exit status 0 is success;
             every other exit status is a failure, and being killed by a signal is a failure too.
          2. A worker that failed is started again AT ONCE, also while others still run. It is started
             again at most 3 times, so a worker has at most 4 starts. Then the supervisor gives up
             on this worker. A worker that succeeded is not started again.
          3. When no worker runs any more, print one line for each worker, in the order of the arguments:
               worker 1: done, starts 3
               worker 2: gave up, starts 4, exit status 24
               worker 3: gave up, starts 4, killed by signal 9
             The exit status or signal is that of the last start.
          4. End with exit status 0 if all workers are done, else with 1. Leave no child behind.
   Calls: fork(2), waitpid(2), WIFEXITED and the other W-macros, _exit(2); print with say() */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define USAGE "supervisor WORKER...   (1 to 20 workers; each is 0 to 9, 0k to 9k, or w)"

enum { MAX_WORKERS = 20, MAX_STARTS = 4 };      /* the first start, and at most 3 more */

/* ---- Given: the workers. Do not change this part. ---- */

static struct {
    long failures;              /* this many starts fail */
    bool killed;                /* a failing start is killed by SIGKILL, not ended by an exit status */
    bool waits;                 /* "w": does not fail, but waits for all the others */
} jobs[MAX_WORKERS];

static int gate[2];             /* a pipe: a byte comes when all the others are at their last start */
static atomic_int *others;      /* how many of the others are not yet that far */

/* The work of one worker: NUMBER is 1 for the first worker, ATTEMPT is 1 for its first start, 2 for
   its second ... Call it in the child. It returns the exit status that the child must end with:
   0 for success, 10 * NUMBER + ATTEMPT for a failure. Or it does not return: killed by SIGKILL. */
static int worker(int number, int attempt)
{
    if (jobs[number - 1].waits) {
        struct pollfd end = { .fd = gate[0], .events = POLLIN };
        check(close(gate[1]));  /* so that we see end of file when the supervisor is gone */
        while (poll(&end, 1, -1) == -1)
            if (errno != EINTR)
                die("worker %d: poll failed: %s", number, errno_name(errno));
        return end.revents & POLLIN ? 0 : 10 * number + attempt;
    }
    bool fails = attempt <= jobs[number - 1].failures;
    bool last = !fails || attempt == MAX_STARTS;
    if (last && atomic_fetch_sub(others, 1) == 1)
        check(write_full(gate[1], "", 1));
    if (fails && jobs[number - 1].killed)
        check(kill(getpid(), SIGKILL));
    return fails ? 10 * number + attempt : 0;
}

static void read_arguments(int count, char **words)
{
    if (count < 1 || count > MAX_WORKERS)
        usage(USAGE);
    others = check_ptr(share(sizeof *others));
    for (int i = 0; i < count; i++) {
        const char *word = words[i];
        jobs[i].waits = strcmp(word, "w") == 0;
        if (jobs[i].waits)
            continue;
        jobs[i].killed = word[0] != '\0' && strcmp(word + 1, "k") == 0;
        char digit[2] = { word[0], '\0' };
        if (parse_number(jobs[i].killed ? digit : word, 0, 9, &jobs[i].failures) == -1)
            usage(USAGE);
        atomic_fetch_add(others, 1);
    }
    check(pipe(gate));
    if (*others == 0)
        check(write_full(gate[1], "", 1));
}

/* ---- Yours: the supervisor ---- */

/* Runs COUNT workers as the task says. Returns 0 if all are done, 1 if it gave up on one. */
static int supervise(int count)
{
    /* TODO 1: start all workers. Note for each its pid and its number of starts.
               In the child:  _exit(worker(number, attempt)); */

    /* TODO 2: wait for whichever worker ends, as long as one runs. Find out which one it was.
               Did it fail? Start it again, or give up. */

    /* TODO 3: print the lines. */
    say("%d workers, none of them started", count);
    (void)worker;               /* TODO: remove this line when you call worker */
    return 1;
}

int main(int argc, char **argv)
{
    read_arguments(argc - 1, argv + 1);
    int status = supervise(argc - 1);
    check(close(gate[0]));
    check(close(gate[1]));
    return status;
}

/* Output of ./supervisor w 0 2 9 1k:
worker 1: done, starts 1
worker 2: done, starts 1
worker 3: done, starts 3
worker 4: gave up, starts 4, exit status 44
worker 5: done, starts 2
exit 1
*/
