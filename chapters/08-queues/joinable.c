/* joinable.c - wait until all tasks of a queue are done, not only taken.
   Python: JoinableQueue(), task_done(), join(); ValueError: task_done() called too many times
   Calls:  queue_task_done, queue_join, queue_close of queue.h
   Needs:  06-locks/atomic, many_to_many
   Try:    In work(), put the line with queue_task_done above work_ticks. Now "all are done" can be a
           lie: join returns when the last task is taken, and about 4 of 6 are done. */
#include "workbook.h"

#include "queue.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORKERS = 2, TASKS = 6 };

struct client {
    struct queue *queue;
    atomic_int *finished;           /* in memory that all share */
    pid_t parent;
};

static int work(void *argument)
{
    const struct client *self = argument;
    int task;
    check(end_with_parent(self->parent));
    while (check(queue_get(self->queue, &task)) == 1) {
        work_ticks(task);
        atomic_fetch_add(self->finished, 1);
        check(queue_task_done(self->queue));    /* last: only now it is done */
    }
    return 0;
}

/* The one who gives out the tasks is a child, too. So main only waits for its children. When a worker
   is killed before its task is done, main ends the one who waits in queue_join. */
static int give_tasks(void *argument)
{
    const struct client *self = argument;
    check(end_with_parent(self->parent));
    for (int task = 1; task <= TASKS; task++)
        check(queue_put(self->queue, &task));
    check(queue_join(self->queue));
    say("%d tasks: all are done", *self->finished);
    if (queue_task_done(self->queue) == -1)
        say("one task_done too many: %s", errno_name(errno));

    check(queue_join(self->queue));             /* nothing is open: it returns at once */
    for (int task = 1; task <= 2; task++)       /* the queue goes on */
        check(queue_put(self->queue, &task));
    check(queue_join(self->queue));
    say("%d tasks: all are done", *self->finished);
    queue_close(self->queue);                   /* the workers' queue_get says: the end */
    return 0;
}

int main(void)
{
    struct queue *queue = check_ptr(queue_create(sizeof(int), TASKS));
    atomic_int *finished = check_ptr(share(sizeof *finished));
    struct client client = { .queue = queue, .finished = finished, .parent = getpid() };
    pid_t pids[WORKERS + 1];
    for (int i = 0; i < WORKERS; i++)
        pids[i] = check(start_child(work, &client));
    pids[WORKERS] = check(start_child(give_tasks, &client));
    if (check(wait_children(pids, WORKERS + 1)) != 0)
        return 1;
    say("workers and giver have ended");
    check(munmap(finished, sizeof *finished));
    check(queue_destroy(queue));
}

/* Output:
6 tasks: all are done
one task_done too many: EINVAL
8 tasks: all are done
workers and giver have ended
*/
