/* queue_every_step.c - a client of the queue is killed after 1, 2, 3 ... machine instructions of a call,
   while another one waits for just that call: it sleeps in the queue since before the call, or it has
   come while the victim stood still, and may wait for the lock. That one must go on.
   ./queue_every_step       Prints a line for each call; exit 1 and a line on stderr if anything is wrong.
   Link it with -Wl,-z,now: else the first call of each function is the dynamic linker's work. */
#include "workbook.h"

#include "queue.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 2000, THE_END = 3 };

/* What one kind of trial does. The waiter's value is its exit status. */
struct trial {
    const char *name;
    void (*prepare)(struct queue *queue);
    int (*wait)(struct queue *queue);       /* sleeps in the queue until the victim's call */
    int (*call)(struct queue *queue);       /* in this the victim is killed */
    /* Looks whether the call has happened, without waking the waiter if it has; if it has not, does what
       lets the waiter go on. Returns the values that the waiter may have, as bits. */
    unsigned (*look)(struct queue *queue);
    bool late;                              /* also with a waiter that has come late */
};

/* ---- put: the waiter sleeps in get ---- */

static void leave_empty(struct queue *queue)
{
    (void)queue;
}

static int get_one(struct queue *queue)
{
    int value, result = check(queue_get(queue, &value));
    return result == 0 ? THE_END : value;
}

static int put_1(struct queue *queue)
{
    return queue_put(queue, &(int){ 1 });
}

static unsigned look_for_1(struct queue *queue)
{
    if (queue_size(queue) == 1)
        return 1u << 1;             /* it is there: the waiter must come and take it */
    check(queue_put_for(queue, &(int){ 2 }, LIMIT_MS));
    return 1u << 1 | 1u << 2;       /* it was taken, or never put; then the waiter gets 2 */
}

/* ---- get: the waiter sleeps in put ---- */

static void fill(struct queue *queue)
{
    check(queue_put(queue, &(int){ 7 }));
}

static int put_8(struct queue *queue)
{
    return queue_put(queue, &(int){ 8 });
}

static int get_any(struct queue *queue)
{
    int value;
    return queue_get(queue, &value);
}

static unsigned look_for_8(struct queue *queue)
{
    int value;
    if (queue_size(queue) == 0)
        return 1u << 0;             /* there is room: the waiter must come and use it */
    if (queue_get_for(queue, &value, LIMIT_MS) != 1 || (value != 7 && value != 8))
        die("a wrong value after a killed get");
    return 1u << 0;
}

/* ---- task_done: the waiter sleeps in join ---- */

static void get_the_task(struct queue *queue)
{
    int value;
    fill(queue);
    check(queue_get(queue, &value));
}

static int join_all(struct queue *queue)
{
    return queue_join(queue);
}

static int say_done(struct queue *queue)
{
    return queue_task_done(queue);
}

static unsigned look_if_done(struct queue *queue)
{
    if (queue_task_done(queue) == -1 && errno != EINVAL)
        die("task_done after a killed one");
    return 1u << 0;
}

/* ---- close: the waiter sleeps in get ---- */

static int close_it(struct queue *queue)
{
    queue_close(queue);
    return 0;
}

static unsigned look_if_closed(struct queue *queue)
{
    if (queue_try_put(queue, &(int){ 2 }) == 0)
        return 1u << 2;
    return 1u << THE_END;
}

/* ---- a get that must wait: it ends asleep. The waiter sleeps in get, too ---- */

static unsigned look_for_0(struct queue *queue)
{
    check(queue_put_for(queue, &(int){ 0 }, LIMIT_MS));
    return 1u << 0;                 /* the victim is dead: who else should get it? */
}

static const struct trial trials[] = {
    { "put", leave_empty, get_one, put_1, look_for_1, true },
    { "get", fill, put_8, get_any, look_for_8, true },
    { "task_done", get_the_task, join_all, say_done, look_if_done, false },
    { "close", leave_empty, get_one, close_it, look_if_closed, false },
    { "get from an empty queue", leave_empty, get_one, get_any, look_for_0, false },
};

struct client {
    const struct trial *trial;
    struct queue *queue;
    pid_t parent;
};

static int be_waiter(void *argument)
{
    const struct client *self = argument;
    check(end_with_parent(self->parent));
    return self->trial->wait(self->queue);
}

static int be_victim(void *argument)
{
    const struct client *self = argument;
    check(end_with_parent(self->parent));
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
        return 77;
    raise(SIGSTOP);
    return self->trial->call(self->queue);
}

/* Lets the victim take STEPS instructions. False: it has ended, or fallen asleep, before that. */
static bool walk(pid_t victim, long steps)
{
    int status = check(wait_child(victim));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        say("ptrace is not allowed here");
        _exit(77);
    }
    for (long i = 0; i < steps && WIFSTOPPED(status); i++) {
        if (ptrace(PTRACE_SINGLESTEP, victim, NULL, NULL) == -1)
            die("cannot let the victim step");
        pid_t pid;
        while ((pid = check(waitpid(victim, &status, WNOHANG))) == 0)
            if (state_of(victim) == 'S')
                return false;
    }
    return WIFSTOPPED(status);
}

static bool play(const struct trial *trial, long steps, bool late)
{
    struct client client = { trial, check_ptr(queue_create(sizeof(int), 1)), getpid() };
    trial->prepare(client.queue);
    pid_t waiter = 0;
    if (!late) {
        waiter = check(start_child(be_waiter, &client));
        check(wait_for_state(waiter, 'S', LIMIT_MS));
    }
    pid_t victim = check(start_child(be_victim, &client));
    bool stopped = walk(victim, steps);
    if (late) {
        waiter = check(start_child(be_waiter, &client));
        while (state_of(waiter) != 'S' && state_of(waiter) != 'Z')
            ;                       /* it waits for the lock or in the queue, or it has ended */
    }
    if (state_of(victim) != 0) {
        check(kill(victim, SIGKILL));
        if (waitpid(victim, NULL, 0) == -1 && errno != ECHILD)
            die("the victim cannot be reaped");
    }
    unsigned allowed = trial->look(client.queue);
    if (wait_for_state(waiter, 'Z', LIMIT_MS) == -1)
        die("%s killed after %ld instructions: the waiter sleeps on", trial->name, steps);
    int status = check(wait_child(waiter));
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 31 || !(allowed >> WEXITSTATUS(status) & 1))
        die("%s killed after %ld instructions: the waiter ended with %d", trial->name, steps, status);
    check(queue_destroy(client.queue));
    return stopped;
}

int main(void)
{
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++)
        for (int late = 0; late <= trials[i].late; late++) {
            long steps = 1;
            while (play(&trials[i], steps, late))
                steps++;
            say("%s: killed after each of its %ld instructions: the waiter, %s, went on", trials[i].name,
                steps - 1, late ? "come late" : "asleep before");
        }
}
