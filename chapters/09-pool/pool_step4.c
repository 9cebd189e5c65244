/* pool_step4.c - several tasks in one order; what the worker has not begun, the parent can take back.
   Python: Pool.map with chunksize=8: eight tasks in one message; but none can be taken back
   Calls:  atomic_exchange, atomic_compare_exchange_weak of C11
   Needs:  06-locks/atomic, pool_step1
   Try:    In main, write 0 for atomic_exchange(open, 0). The worker does all, and the parent nothing: four
           quick tasks wait behind a slow one. */
#include "workbook.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 8, SLOW = 3 };

struct worker {
    pid_t pid;
    int to, from;                   /* our ends of its two pipes: orders go in, answers come out */
};

static int gate[2];                 /* the slow task waits here */

/* The worker's next task, if it is still there. It looks and takes in one step: a kill leaves nothing half
   done. A killed worker could leave a lock locked. */
static bool take_one(atomic_int *open)
{
    int left = atomic_load(open);
    while (left > 0 && !atomic_compare_exchange_weak(open, &left, left - 1))
        ;                           /* somebody was faster: LEFT is new */
    return left > 0;
}

/* An order says the first task. The next ones belong to whoever takes them first: OPEN counts them. */
static int serve(int orders, int answers, atomic_int *open)
{
    int task;
    while (check(read_full(orders, &task, sizeof task)) == sizeof task)
        for (bool more = true; more; task++) {
            char byte;
            if (task == SLOW)
                check(read_full(gate[0], &byte, 1));
            int square = task * task;
            more = take_one(open);  /* before the answer: when all is answered, a new order may come, */
            check(write_full(answers, &square, sizeof square));         /* and OPEN would count its tasks */
        }
    return 0;
}

static void start_worker(struct worker *self, atomic_int *open)
{
    int orders[2], answers[2];
    check(pipe(orders));
    check(pipe(answers));
    pid_t parent = getpid();
    self->pid = check(fork());
    if (self->pid == 0) {
        check(end_with_parent(parent));         /* at the gate it sees no end of file: it has both ends */
        check(close(orders[1]));    /* with a copy here, end of file would never come */
        check(close(answers[0]));
        _exit(serve(orders[0], answers[1], open));
    }
    check(close(orders[0]));        /* the worker's ends. With a copy of answers[1] here, we would */
    check(close(answers[1]));       /* not see its end */
    self->to = orders[1];
    self->from = answers[0];
}

/* Closes its order pipe: the worker ends. Unless it ends well, we end, too. */
static void end_worker(struct worker *self)
{
    check(close(self->to));
    check(close(self->from));
    int status = check(wait_child(self->pid));
    if (WIFSIGNALED(status))
        die("the worker was killed by signal %d", WTERMSIG(status));
    if (status != 0)
        die("the worker did not end well");
}

static void hear(struct worker *self, int task)
{
    int square;
    if (check(read_full(self->from, &square, sizeof square)) == 0)
        end_worker(self);
    say("worker: task %d: %d", task, square);
}

int main(void)
{
    struct worker worker;
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigemptyset(&ignore.sa_mask);
    check(sigaction(SIGPIPE, &ignore, NULL));   /* a write to a worker that has ended: EPIPE is enough */

    atomic_int *open = check_ptr(share(sizeof *open));
    check(pipe(gate));
    start_worker(&worker, open);

    int task = 0;
    atomic_store(open, TASKS - 1);              /* the first one is surely the worker's */
    if (write_full(worker.to, &task, sizeof task) == -1)
        end_worker(&worker);                    /* EPIPE: it was killed */
    for (; task < SLOW; task++)
        hear(&worker, task);
    int back = atomic_exchange(open, 0);
    say("task %d is slow. Taken back: %d tasks", SLOW, back);
    for (int i = TASKS - back; i < TASKS; i++)
        say("parent: task %d: %d", i, i * i);
    check(write_full(gate[1], "!", 1));         /* now the slow one can go on */
    for (; task < TASKS - back; task++)
        hear(&worker, task);

    end_worker(&worker);
    check(close(gate[0]));
    check(close(gate[1]));
    check(munmap(open, sizeof *open));
}

/* Output:
worker: task 0: 0
worker: task 1: 1
worker: task 2: 4
task 3 is slow. Taken back: 4 tasks
parent: task 4: 16
parent: task 5: 25
parent: task 6: 36
parent: task 7: 49
worker: task 3: 9
*/
