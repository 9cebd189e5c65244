/* atomic.c - one variable without a lock: a change in one step that nothing can cut in two.
   Python: nothing like it in the standard library; x += 1 needs a Lock
   Calls:  stdatomic.h of C11: atomic_fetch_add, atomic_load, atomic_compare_exchange_weak
   Needs:  01-fork/share, 05-threads/thread, race, process_lock
   Try:    Run `build/atomic volatile` twenty times: two threads do x++ on a volatile int. It loses as
           much as without that word: volatile orders nothing between threads. */
#include "workbook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROUNDS = 500, VOLATILE_ROUNDS = 5000000 };

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

/* ---- volatile, by hand: two threads do x++, and nothing is arranged ---- */

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
    if (argc == 2 && strcmp(argv[1], "volatile") == 0) {
        count_volatile();
        return 0;
    }
    if (argc > 1)
        usage("atomic [volatile]");

    struct score *score = check_ptr(share(sizeof *score));
    struct player players[2] = { { score, 1, getpid() }, { score, 2, getpid() } };
    pid_t pids[2];
    for (int i = 0; i < 2; i++)
        pids[i] = check(start_child(play, &players[i]));
    if (check(wait_children(pids, 2)) != 0)
        return 1;                   /* it has been told */
    say("2 processes added %d times: total %d, highest %d", 2 * ROUNDS, score->total, score->highest);
    check(munmap(score, sizeof *score));
}

/* Output:
2 processes added 1000 times: total 1000, highest 1000
*/
