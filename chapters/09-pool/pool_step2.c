/* pool_step2.c - several workers take from one task pipe: whoever is free takes the next one.
   Python: multiprocessing.Pool(3), which has one queue for tasks and one for results
   Calls:  pipe(2), read(2), write(2)
   Needs:  01-fork/many_children, pool_step1
   Try:    In start_worker, take out close(tasks[1]). Now each worker keeps the task pipe open for the
           others, and all wait for an end of file that cannot come. End it with Ctrl-C. */
#include "workbook.h"

#include <unistd.h>

enum { WORKERS = 3, TASKS = 8 };

/* A pipe gives a read of a few bytes all of them or none, as long as each read and each write has the
   same small size. So no worker gets half a task. */
struct task {
    int index;                      /* the answers come in any order: whose is it? */
    int number;                     /* in an answer: the result */
};

/* What a worker does. */
static int serve(int tasks, int answers)
{
    struct task task;
    while (check(read_full(tasks, &task, sizeof task)) == sizeof task) {
        task.number *= task.number;
        check(write_full(answers, &task, sizeof task));
    }
    return 0;
}

static pid_t start_worker(const int tasks[2], const int answers[2])
{
    pid_t pid = check(fork());
    if (pid == 0) {
        check(close(tasks[1]));
        check(close(answers[0]));
        _exit(serve(tasks[0], answers[1]));
    }
    return pid;
}

int main(void)
{
    int tasks[2], answers[2], results[TASKS] = { 0 }, count = 0;
    pid_t workers[WORKERS];
    struct task task;
    check(pipe(tasks));
    check(pipe(answers));
    for (int i = 0; i < TASKS; i++) {
        task = (struct task){ .index = i, .number = i + 1 };
        check(write_full(tasks[1], &task, sizeof task));    /* they all fit into the pipe */
    }
    for (int i = 0; i < WORKERS; i++)
        workers[i] = start_worker(tasks, answers);
    check(close(tasks[0]));
    check(close(tasks[1]));         /* when the pipe is empty, the workers end */
    check(close(answers[1]));       /* when they all have ended, we see end of file */

    while (check(read_full(answers[0], &task, sizeof task)) == sizeof task) {
        results[task.index] = task.number;
        count++;
    }
    check(close(answers[0]));
    if (check(wait_children(workers, WORKERS)) != 0)
        die("%d of %d tasks are done; nobody knows which task the ended worker had", count, TASKS);
    for (int i = 0; i < TASKS; i++)
        say("task %d: %d", i, results[i]);
}

/* Output:
task 0: 1
task 1: 4
task 2: 9
task 3: 16
task 4: 25
task 5: 36
task 6: 49
task 7: 64
*/
