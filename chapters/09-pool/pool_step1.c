/* pool_step1.c - a worker: a child that stays, and does one task after the other.
   Python: how multiprocessing.Pool(1) is made
   Calls:  pipe(2), fork(2), sigaction(2)
   Needs:  01-fork/pipe, 01-fork/two_workers, 04-signals/sigpipe
   Try:    In serve(), write `if` for `while`. The worker ends after its first task; the parent tells. */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 3 };

struct worker {
    pid_t pid;
    int to, from;                   /* our ends of its two pipes: tasks go in, answers come out */
};

/* What the worker does, until there are no more tasks: end of file. */
static int serve(int tasks, int answers)
{
    int number;
    while (check(read_full(tasks, &number, sizeof number)) == sizeof number) {
        int square = number * number;
        check(write_full(answers, &square, sizeof square));
    }
    return 0;
}

static void start_worker(struct worker *self)
{
    int tasks[2], answers[2];
    check(pipe(tasks));
    check(pipe(answers));
    self->pid = check(fork());
    if (self->pid == 0) {
        check(close(tasks[1]));     /* with a copy here, end of file would never come */
        check(close(answers[0]));
        _exit(serve(tasks[0], answers[1]));
    }
    check(close(tasks[0]));         /* the worker's ends. With a copy of answers[1] here, we would */
    check(close(answers[1]));       /* not see its end */
    self->to = tasks[1];
    self->from = answers[0];
}

/* Closes its task pipe: the worker ends. Returns its wait status. */
static int end_worker(struct worker *self)
{
    check(close(self->to));
    check(close(self->from));
    return check(wait_child(self->pid));
}

int main(void)
{
    struct worker worker;
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigemptyset(&ignore.sa_mask);
    check(sigaction(SIGPIPE, &ignore, NULL));   /* a write to a worker that has ended: EPIPE is enough */

    start_worker(&worker);
    for (int number = 1; number <= TASKS; number++) {
        int square;
        if ((write_full(worker.to, &number, sizeof number) == -1 && errno == EPIPE) ||
            check(read_full(worker.from, &square, sizeof square)) == 0) {
            int status = end_worker(&worker);
            if (WIFSIGNALED(status))
                die("the worker was killed by signal %d", WTERMSIG(status));
            die("the worker ended with exit status %d", WEXITSTATUS(status));
        }
        say("%d * %d = %d", number, number, square);
    }
    if (end_worker(&worker) != 0)
        die("the worker did not end well");
    say("one worker (pid %d) has done %d tasks", worker.pid, TASKS);
}

/* Output:
1 * 1 = 1
2 * 2 = 4
3 * 3 = 9
one worker (pid P1) has done 3 tasks
*/
