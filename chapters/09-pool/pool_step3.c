/* pool_step3.c - a worker is killed in mid-task: each has its own pipes, so we know which task it had.
   Python: none. When a worker of its Pool is killed, get() waits for ever
   Calls:  poll(2), waitpid(2), fork(2)
   Needs:  03-exec/communicate, pool_step1, pool_step2
   Try:    In start_worker, take out the loop with the two close calls. All tasks are done, but the
           program does not end: worker 0 waits for an end of file, and its siblings have copies of
           that pipe's write end. End it with Ctrl-C. */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3, TASKS = 8, UNLUCKY = 5, NOTHING = -1 };

struct worker {
    pid_t pid;
    int to, from;
    int task;                       /* the index of the task that it has, or NOTHING */
};

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
    int tasks[2], answers[2];
    check(pipe(tasks));
    check(pipe(answers));
    pid_t parent = getpid(), pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(parent));
        check(close(tasks[1]));
        check(close(answers[0]));
        for (int i = 0; i < WORKERS; i++)
            if (workers[i].pid != 0) {          /* our ends of its siblings' pipes: with copies */
                check(close(workers[i].to));    /* here, a sibling would not see the end of file */
                check(close(workers[i].from));  /* that tells it to end */
            }
        _exit(serve(tasks[0], answers[1]));
    }
    check(close(tasks[0]));
    check(close(answers[1]));
    workers[which] = (struct worker){ pid, tasks[1], answers[0], NOTHING };
}

/* Closes its pipes, so that it ends, and reaps it. Returns the signal that has killed it, or 0. */
static int end_worker(struct worker *self)
{
    check(close(self->to));
    check(close(self->from));
    int status = check(wait_child(self->pid));
    self->pid = 0;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void give(struct worker *self, int task)
{
    int number = task + 1;
    self->task = task;
    if (write_full(self->to, &number, sizeof number) == -1 && errno != EPIPE)
        check(-1);                  /* EPIPE: it has ended. Its answer pipe tells us so next */
}

/* Worker WHICH has answered, or its pipe has ended because it has. Returns how many tasks that ends. */
static int hear(struct worker workers[], int which, int results[])
{
    int result, task = workers[which].task;
    workers[which].task = NOTHING;
    if (check(read_full(workers[which].from, &result, sizeof result)) < (ssize_t)sizeof result) {
        result = -end_worker(&workers[which]);
        if (result == 0)
            die("worker %d has ended, and not by a signal", which);
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
    check(sigaction(SIGPIPE, &ignore, NULL));
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
