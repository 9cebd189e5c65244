/* pool_step3.c - a worker is killed in mid-task: each has its own pipes, so we know which task it had.
   Python: none. When a worker of its Pool is killed, get() waits for ever
   Calls:  poll(2), waitpid(2), fork(2)
   Needs:  03-exec/communicate, pool_step1, pool_step2
   Try:    In start_worker, take out the loop with the two close calls. All tasks are done, but the
           program prints nothing and does not end: worker 0 waits for an end of file, and its siblings
           have copies of that pipe's write end. End it with Ctrl-C. */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3, TASKS = 8, UNLUCKY = 5, NOTHING = -1 };

struct worker {
    pid_t pid;
    int to, from;                   /* our ends of its two pipes: tasks go in, answers come out */
    int task;                       /* the index of the task that it has, or NOTHING */
};

/* What the worker does, until there are no more tasks: end of file. */
static int serve(int tasks, int answers)
{
    int number;
    while (check(read_full(tasks, &number, sizeof number)) == sizeof number) {
        if (number == UNLUCKY)
            check(kill(getpid(), SIGKILL));     /* as if somebody had typed kill -9 */
        int square = number * number;
        check(write_full(answers, &square, sizeof square));
    }
    return 0;
}

static void start_worker(struct worker workers[], int which)
{
    struct worker *self = &workers[which];
    int tasks[2], answers[2];
    check(pipe(tasks));
    check(pipe(answers));
    pid_t parent = getpid();
    self->pid = check(fork());
    if (self->pid == 0) {
        check(end_with_parent(parent));         /* also in mid-task, when it reads nothing */
        check(close(tasks[1]));     /* with a copy here, end of file would never come */
        check(close(answers[0]));
        for (int i = 0; i < WORKERS; i++)
            if (workers[i].pid != 0) {          /* nor with copies of our ends of a sibling's pipes: it */
                check(close(workers[i].to));    /* would not see the end of file that tells it to end */
                check(close(workers[i].from));
            }
        _exit(serve(tasks[0], answers[1]));
    }
    check(close(tasks[0]));         /* the worker's ends. With a copy of answers[1] here, we would */
    check(close(answers[1]));       /* not see its end */
    self->to = tasks[1];
    self->from = answers[0];
    self->task = NOTHING;
}

/* Closes its task pipe: the worker ends. Returns its wait status. */
static int end_worker(struct worker *self)
{
    check(close(self->to));
    check(close(self->from));
    return check(wait_child(self->pid));
}

static void give(struct worker *self, int task)
{
    int number = task + 1;
    self->task = task;
    if (write_full(self->to, &number, sizeof number) == -1 && errno != EPIPE)
        check(-1);                  /* names errno, ends us. EPIPE: it has ended; hear() will see that */
}

/* Worker WHICH has answered, or has ended. Returns how many tasks are done now: 1, or 0 if it had none. */
static int hear(struct worker workers[], int which, int results[])
{
    int result, task = workers[which].task;
    workers[which].task = NOTHING;
    if (check(read_full(workers[which].from, &result, sizeof result)) < (ssize_t)sizeof result) {
        int status = end_worker(&workers[which]);
        if (!WIFSIGNALED(status))
            die("worker %d has ended, and not by a signal", which);
        result = -WTERMSIG(status);
        start_worker(workers, which);       /* a new one in its place */
    }
    if (task == NOTHING)
        return 0;
    results[task] = result;         /* or minus the signal that has killed its worker */
    return 1;
}

int main(void)
{
    struct worker workers[WORKERS] = { { .pid = 0 } };
    struct pollfd fds[WORKERS];
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigemptyset(&ignore.sa_mask);
    check(sigaction(SIGPIPE, &ignore, NULL));   /* a write to a worker that has ended: EPIPE is enough */

    for (int i = 0; i < WORKERS; i++)
        start_worker(workers, i);

    int results[TASKS], next = 0, done = 0;
    while (done < TASKS) {
        for (int i = 0; i < WORKERS; i++) {
            if (workers[i].task == NOTHING && next < TASKS)
                give(&workers[i], next++);
            fds[i] = (struct pollfd){ .fd = workers[i].from, .events = POLLIN };
        }
        check(poll(fds, WORKERS, -1));
        for (int i = 0; i < WORKERS; i++)
            if (fds[i].revents != 0)
                done += hear(workers, i, results);
    }
    for (int i = 0; i < WORKERS; i++)
        end_worker(&workers[i]);
    for (int i = 0; i < TASKS; i++)
        if (results[i] < 0)
            say("task %d: failed, its worker was killed by signal %d", i, -results[i]);
        else
            say("task %d: %d", i, results[i]);
}

/* Output:
task 0: 1
task 1: 4
task 2: 9
task 3: 16
task 4: failed, its worker was killed by signal 9
task 5: 36
task 6: 49
task 7: 64
*/
