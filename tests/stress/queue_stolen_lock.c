/* queue_stolen_lock.c - B and C wait for the queue's lock. It is given back, which wakes B; it is taken
   again before B can look; and B is killed. Nobody is told to wake C. C must go on all the same.
   ./queue_stolen_lock      Prints one line; exit 1 if C sleeps on, 77 if this process may not be first on
                            its core (SCHED_FIFO). It looks inside: build it without queue.c. */
#include "workbook.h"

#include "queue.c"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

struct client {
    struct queue *queue;
    pid_t parent;
};

static int get_one(void *argument)
{
    const struct client *self = argument;
    int value;
    check(end_with_parent(self->parent));
    return check(queue_get(self->queue, &value)) == 1 && value == 5 ? 0 : 1;
}

int main(void)
{
    struct client client = { check_ptr(queue_create(sizeof(int), 4)), getpid() };
    struct sched_param first = { .sched_priority = 1 }, as_others = { 0 };
    cpu_set_t one_core;
    pid_t pids[2];
    CPU_ZERO(&one_core);
    CPU_SET(sched_getcpu(), &one_core);
    check(sched_setaffinity(0, sizeof one_core, &one_core));    /* the children inherit it */

    lock(client.queue);
    for (int i = 0; i < 2; i++) {
        pids[i] = check(start_child(get_one, &client));
        check(wait_for_state(pids[i], 'S', 2000));              /* it waits for the lock */
    }
    if (sched_setscheduler(0, SCHED_FIFO, &first) == -1) {
        say("SCHED_FIFO is not allowed here");
        return 77;
    }
    unlock(client.queue);           /* B is awake, but cannot run: this process is first on its core */
    lock(client.queue);
    check(kill(pids[0], SIGKILL));
    check(wait_child(pids[0]));     /* its end comes while the lock is held by another one */
    unlock(client.queue);
    check(sched_setscheduler(0, SCHED_OTHER, &as_others));

    check(queue_put(client.queue, &(int){ 5 }));
    if (wait_for_state(pids[1], 'Z', 5000) == -1)
        die("the lock is free, and C waits for it");
    if (check(wait_child(pids[1])) != 0)
        die("C has ended badly");
    say("B was killed with the wake-up in its hands, and C went on");
    check(queue_destroy(client.queue));
}
