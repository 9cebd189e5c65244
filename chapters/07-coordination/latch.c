/* latch.c - count down to zero, once: whoever waits for the zero goes on, whoever counts does not wait.
   Python: nothing in the standard library; for processes, a Pipe whose other ends are all closed
   Calls:  pthread_cond_broadcast(3); pipe(2) and the end of file, for processes
   Needs:  01-fork/pipe, 05-threads/thread, 06-locks/lock, condition
   Try:    Write pthread_cond_signal in place of pthread_cond_broadcast. Now it may be that
           one runner is woken and two wait for ever (end it with Ctrl-C). Run it some times. */
#include "workbook.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 3 };

/* ---- between threads ---- */

struct latch {
    pthread_mutex_t lock;
    pthread_cond_t zero;
    int count;                  /* goes down only: so there is no generation, and no second use */
};

static void latch_init(struct latch *latch, int count)
{
    latch->count = count;
    check_pthread(pthread_mutex_init(&latch->lock, NULL));
    check_pthread(pthread_cond_init(&latch->zero, NULL));
}

static void latch_destroy(struct latch *latch)
{
    check_pthread(pthread_cond_destroy(&latch->zero));
    check_pthread(pthread_mutex_destroy(&latch->lock));
}

static void latch_count_down(struct latch *latch)
{
    check_pthread(pthread_mutex_lock(&latch->lock));
    latch->count--;
    if (latch->count == 0)
        check_pthread(pthread_cond_broadcast(&latch->zero));    /* all who wait, not one of them */
    check_pthread(pthread_mutex_unlock(&latch->lock));
}

static void latch_wait(struct latch *latch)
{
    check_pthread(pthread_mutex_lock(&latch->lock));
    while (latch->count > 0)
        check_pthread(pthread_cond_wait(&latch->zero, &latch->lock));
    check_pthread(pthread_mutex_unlock(&latch->lock));
}

struct race {
    struct latch ready, start, done;    /* 3, 1, 3 */
    int laps[WORKERS];
};

struct runner {
    struct race *race;
    int number;
};

static void *run(void *argument)
{
    struct runner *me = argument;
    latch_count_down(&me->race->ready);
    latch_wait(&me->race->start);
    me->race->laps[me->number]++;
    latch_count_down(&me->race->done);
    return NULL;
}

static int sum(const int *laps)
{
    int all = 0;
    for (int i = 0; i < WORKERS; i++)
        all += laps[i];
    return all;
}

static void with_threads(void)
{
    struct race race = { .laps = { 0 } };
    struct runner runners[WORKERS];
    pthread_t threads[WORKERS];
    latch_init(&race.ready, WORKERS);
    latch_init(&race.start, 1);
    latch_init(&race.done, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        runners[i] = (struct runner){ &race, i };
        check_pthread(pthread_create(&threads[i], NULL, run, &runners[i]));
    }
    latch_wait(&race.ready);
    say("all are ready, laps: %d", sum(race.laps));
    latch_count_down(&race.start);
    latch_wait(&race.done);
    say("all are done, laps: %d", sum(race.laps));
    latch_wait(&race.done);
    say("a second wait for zero is over at once");
    for (int i = 0; i < WORKERS; i++)
        check_pthread(pthread_join(threads[i], NULL));
    latch_destroy(&race.ready);
    latch_destroy(&race.start);
    latch_destroy(&race.done);
}

/* ---- between processes: a pipe with WORKERS write ends. To close one is to count down. ---- */

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
    pid_t children[WORKERS];
    char bytes[WORKERS + 1];
    check(pipe(pipes.done));
    check(pipe(pipes.start));
    for (int i = 0; i < WORKERS; i++)
        children[i] = check(start_child(run_child, &pipes));
    check(close(pipes.done[1]));
    check(close(pipes.start[0]));
    check(close(pipes.start[1]));       /* the start: one close frees all */
    ssize_t done = check(read_full(pipes.done[0], bytes, sizeof bytes));    /* until the last end is closed */
    check(close(pipes.done[0]));
    if (check(wait_children(children, WORKERS)) != 0)
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
