/* atomic.c - one variable without a lock; and a value that is published by a flag.
   Python: nothing like it; the interpreter's own lock hides the question
   Calls:  stdatomic.h of C11: atomic_fetch_add, atomic_compare_exchange_weak, atomic_store_explicit,
           atomic_load_explicit
   Needs:  01-fork/share, 05-threads/thread, race, process_lock
   Try:    Run `build/atomic volatile` twenty times: two threads do x++ on a volatile int. It loses as
           much as without that word: volatile orders nothing between threads. */
#include "workbook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROUNDS = 500, VOLATILE_ROUNDS = 5000000 };

/* ---- counting, by two processes ---- */

struct score {                      /* in memory that both see */
    atomic_int total, highest;
};

struct player {
    struct score *score;
    int first;                      /* plays the numbers first, first + 2, ... */
    pid_t parent;
};

static int play(void *argument)
{
    const struct player *self = argument;
    check(end_with_parent(self->parent));
    for (int i = 0; i < ROUNDS; i++) {
        int mine = self->first + 2 * i;
        atomic_fetch_add(&self->score->total, 1);   /* read, add and write in one step */
        /* No single step raises a maximum. So: write MINE only if it is still as we have read it. */
        int seen = atomic_load(&self->score->highest);
        while (seen < mine && !atomic_compare_exchange_weak(&self->score->highest, &seen, mine))
            ;                       /* somebody was faster: SEEN is now what he wrote */
    }
    return 0;
}

static bool count_together(void)
{
    struct score *score = check_ptr(share(sizeof *score));
    struct player players[2] = { { score, 1, getpid() }, { score, 2, getpid() } };
    pid_t pids[2];
    for (int i = 0; i < 2; i++)
        pids[i] = check(start_child(play, &players[i]));
    bool good = check(wait_children(pids, 2)) == 0;
    if (good)
        say("2 processes added %d times: total %d, highest %d", 2 * ROUNDS, score->total,
            score->highest);
    check(munmap(score, sizeof *score));
    return good;
}

/* ---- publishing, from one thread to another ---- */

struct letter {
    int text;                       /* an ordinary variable: written before, read after */
    atomic_int early_text;          /* for the wrong order: two threads use it at once */
    atomic_int ready;
    int step[2], done[2];           /* pipes, for the wrong order */
};

static void *publish(void *argument)
{
    struct letter *letter = argument;
    letter->text = 42;
    /* release: all that this thread did before is seen by whoever reads this 1 with acquire */
    atomic_store_explicit(&letter->ready, 1, memory_order_release);
    return NULL;
}

/* What a compiler or a processor may make of two relaxed, or two volatile, writes: the flag first. */
static void *publish_too_early(void *argument)
{
    struct letter *letter = argument;
    char byte = 's';
    atomic_store_explicit(&letter->ready, 1, memory_order_relaxed);
    check(write_full(letter->step[1], &byte, 1));
    check(read_full(letter->done[0], &byte, 1));    /* until main has looked */
    atomic_store_explicit(&letter->early_text, 42, memory_order_relaxed);
    return NULL;
}

static void publish_both_ways(void)
{
    struct letter letter = { .text = 0 };
    pthread_t thread;
    check_pthread(pthread_create(&thread, NULL, publish, &letter));
    while (atomic_load_explicit(&letter.ready, memory_order_acquire) == 0)
        ;                           /* asks again and again: good only for a very short time */
    say("flag 1, text %d", letter.text);
    check_pthread(pthread_join(thread, NULL));

    char byte;
    letter.ready = 0;
    check(pipe(letter.step));
    check(pipe(letter.done));
    check_pthread(pthread_create(&thread, NULL, publish_too_early, &letter));
    check(read_full(letter.step[0], &byte, 1));
    int ready = atomic_load_explicit(&letter.ready, memory_order_relaxed);
    int text = atomic_load_explicit(&letter.early_text, memory_order_relaxed);
    say("WRONG: flag %d, text %d", ready, text);
    check(write_full(letter.done[1], &byte, 1));
    check_pthread(pthread_join(thread, NULL));
    for (int i = 0; i < 2; i++) {
        check(close(letter.step[i]));
        check(close(letter.done[i]));
    }
}

/* ---- volatile: by hand only ---- */

static void *add_volatile(void *argument)
{
    volatile int *x = argument;
    for (int i = 0; i < VOLATILE_ROUNDS; i++)
        ++*x;                       /* really read and written each time, but in two steps as ever */
    return NULL;
}

static void count_volatile(void)
{
    pthread_t threads[2];
    int x = 0;
    for (int i = 0; i < 2; i++)
        check_pthread(pthread_create(&threads[i], NULL, add_volatile, &x));
    for (int i = 0; i < 2; i++)
        check_pthread(pthread_join(threads[i], NULL));
    say("%svolatile: %d of %d", x == 2 * VOLATILE_ROUNDS ? "" : "WRONG: ", x, 2 * VOLATILE_ROUNDS);
}

int main(int argc, char **argv)
{
    bool only_volatile = argc == 2 && strcmp(argv[1], "volatile") == 0;
    if (argc > 1 && !only_volatile)
        usage("atomic [volatile]");
    if (only_volatile) {
        count_volatile();
        return 0;
    }
    if (!count_together())          /* fork first, threads later */
        return 1;
    publish_both_ways();
}

/* Output:
2 processes added 1000 times: total 1000, highest 1000
flag 1, text 42
WRONG: flag 1, text 0
*/
