/* latch.c - count down to zero, once: whoever waits for the zero goes on, whoever counts does not wait.
   Python: nothing in the standard library; for processes, a Pipe whose other ends are all closed
   Calls:  pthread_cond_broadcast(3); pipe(2) and the end of file, for processes
   Needs:  01-fork/pipe, 05-threads/thread, 06-locks/atomic, 06-locks/with, condition
   Try:    Write pthread_cond_signal in place of pthread_cond_broadcast. Now it may be that
           one runner is woken and two wait for ever (end it with Ctrl-C). Run it some times. */
#include "workbook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { RUNNERS = 3 };

/* ---- between threads ---- */

struct latch {
    pthread_mutex_t lock;
    pthread_cond_t zero;
    int count;                  /* goes down only: so there is no generation, and no second use */
};
#define LATCH(count) { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, count }

static void latch_count_down(struct latch *latch)
{
    with_lock(&latch->lock) {
        latch->count--;
        if (latch->count == 0)
            check_pthread(pthread_cond_broadcast(&latch->zero));    /* all who wait, not one of them */
    }
}

static void latch_wait(struct latch *latch)
{
    with_lock(&latch->lock)
        while (latch->count > 0)
            check_pthread(pthread_cond_wait(&latch->zero, &latch->lock));
}

struct race {
    struct latch ready, start, done;
    atomic_int laps;
};

static void *run(void *argument)
{
    struct race *race = argument;
    latch_count_down(&race->ready);
    latch_wait(&race->start);
    atomic_fetch_add(&race->laps, 1);
    latch_count_down(&race->done);
    return NULL;
}

static void with_threads(void)
{
    struct race race = { .ready = LATCH(RUNNERS), .start = LATCH(1), .done = LATCH(RUNNERS) };
    struct latch *const latches[] = { &race.ready, &race.start, &race.done };
    pthread_t threads[RUNNERS];
    for (int i = 0; i < RUNNERS; i++)
        check_pthread(pthread_create(&threads[i], NULL, run, &race));
    latch_wait(&race.ready);
    say("all are ready, laps: %d", race.laps);
    latch_count_down(&race.start);
    latch_wait(&race.done);
    say("all are done, laps: %d", race.laps);
    latch_wait(&race.done);
    say("a second wait for zero is over at once");
    for (int i = 0; i < RUNNERS; i++)
        check_pthread(pthread_join(threads[i], NULL));
    for (int i = 0; i < 3; i++) {
        check_pthread(pthread_cond_destroy(&latches[i]->zero));
        check_pthread(pthread_mutex_destroy(&latches[i]->lock));
    }
}

/* ---- between processes: a pipe with a write end for each runner. To close one is to count down. ---- */

struct pipes {
    int done[2], start[2];
    pid_t parent;
};

static int run_child(void *argument)
{
    struct pipes *pipes = argument;
    char byte;
    check(end_with_parent(pipes->parent));
    check(close(pipes->start[1]));      /* main's end alone keeps the start closed */
    check(close(pipes->done[0]));
    check(read_full(pipes->start[0], &byte, 1));        /* end of file: the start is open */
    check(write_full(pipes->done[1], "d", 1));
    check(close(pipes->done[1]));       /* counts down; the kernel does this for one who is killed */
    check(close(pipes->start[0]));
    return 0;
}

static int with_processes(void)
{
    struct pipes pipes = { .parent = getpid() };
    pid_t children[RUNNERS];
    char bytes[RUNNERS + 1];
    check(pipe(pipes.done));
    check(pipe(pipes.start));
    for (int i = 0; i < RUNNERS; i++)
        children[i] = check(start_child(run_child, &pipes));
    check(close(pipes.done[1]));
    check(close(pipes.start[0]));
    check(close(pipes.start[1]));       /* the start: one close frees all */
    ssize_t done = check(read_full(pipes.done[0], bytes, sizeof bytes));    /* until the last end is closed */
    check(close(pipes.done[0]));
    if (check(wait_children(children, RUNNERS)) != 0)
        return 1;                       /* the latch did open: but not all of them had done their part */
    say("end of file: all ends are closed, laps: %zd", done);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "processes") == 0)
        return with_processes();
    if (argc != 1)
        usage("latch [processes]");
    with_threads();
}

/* Output:
all are ready, laps: 0
all are done, laps: 3
a second wait for zero is over at once
*/
/* Output of ./latch processes:
end of file: all ends are closed, laps: 3
*/
