/* kind_of_thread.c - a kind of thread with its own run(), like a Python class made from Thread.
   Python: class Countdown(Thread): def run(self): ...
   Calls:  pthread_create(3) with a struct that holds its own function
   Needs:  thread, thread_local, 02-process/run_override
   Try:    In main, start `two` before `one` is joined. Now both run at the same time, and their
           lines come in a new order now and then. The last line stays: each has its own from. */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

/* The object: what each kind of thread has. */
struct thread {
    const char *name;
    void (*run)(struct thread *self);   /* each kind sets its own */
    bool started;
    pthread_t id;
};

static struct thread main_thread = { .name = "MainThread" };
static _Thread_local struct thread *current = &main_thread;     /* in each thread its own object */

static void *begin(void *argument)
{
    current = argument;
    current->run(current);
    return NULL;
}

static void thread_start(struct thread *self)
{
    if (self->started)
        die("threads can only be started once");
    check_pthread(pthread_create(&self->id, NULL, begin, self));
    self->started = true;
}

static void thread_join(struct thread *self)
{
    if (!self->started)
        die("cannot join thread before it is started");
    check_pthread(pthread_join(self->id, NULL));
}

/* A kind: "inherits" from struct thread, which must be the first member. Then a pointer to the
   whole and a pointer to its thread are the same address, and one can be turned into the other. */
struct countdown {
    struct thread thread;
    int from;
};

static void countdown_run(struct thread *self)
{
    struct countdown *countdown = (struct countdown *)self;
    say("run in %s (pid %d): from %d", current->name, getpid(), countdown->from);
    while (countdown->from > 0) {
        say("%d", countdown->from);
        countdown->from--;
    }
}

int main(void)
{
    struct countdown one = { .thread = { .name = "one", .run = countdown_run }, .from = 2 };
    struct countdown two = { .thread = { .name = "two", .run = countdown_run }, .from = 1 };

    say("start: a new thread of pid %d runs it", getpid());
    thread_start(&one.thread);
    thread_join(&one.thread);
    say("main has from = %d: the thread counted down the same struct", one.from);

    thread_start(&two.thread);
    thread_join(&two.thread);

    say("a plain call of run: nobody new, this thread runs it");
    one.from = 1;
    one.thread.run(&one.thread);
    say("main has from = %d and %d", one.from, two.from);
}

/* Output:
start: a new thread of pid P1 runs it
run in one (pid P1): from 2
2
1
main has from = 0: the thread counted down the same struct
run in two (pid P1): from 1
1
a plain call of run: nobody new, this thread runs it
run in MainThread (pid P1): from 1
1
main has from = 0 and 0
*/
