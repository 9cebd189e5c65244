/* lock_order.c - two locks, always taken in the same order: no deadlock.
   Python: with a: with b: in both Threads
   Calls:  none that is new: the fix is an order of the locks
   Needs:  deadlock
   Try:    Run `build/lock_order plain`: 200000 books are moved. Then take out the `if` with first->name
           and the line below it, and run it a few times: it finds the deadlock of deadlock.c. */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct shelf {
    pthread_mutex_t lock;
    char name;
    int books;
};

struct mover {
    pthread_t thread;
    int number;
    struct shelf *from, *to;
    int limit_ms;                   /* how long it waits for its second lock */
    int tell, hear;                 /* pipe ends: to the other mover, and from it */
    bool plain;
};

/* Returns when the other mover has called it, too. */
static void meet(const struct mover *self)
{
    char byte = 'm';
    check(write_full(self->tell, &byte, 1));
    check(read_full(self->hear, &byte, 1));
}

/* The moment that is MS ms after now, by the clock of the mutexes: see try_and_timeout.c. */
static struct timespec moment_in(int ms)
{
    struct timespec moment;
    check(clock_gettime(CLOCK_REALTIME, &moment));
    long ns = moment.tv_nsec + ms % 1000 * 1000000L;
    moment.tv_sec += ms / 1000 + ns / 1000000000;
    moment.tv_nsec = ns % 1000000000;
    return moment;
}

/* Moves a book. Needs both locks. Returns false, and has none, if it did not get the second. */
static bool move_book(const struct mover *self, bool first_time)
{
    struct shelf *first = self->from, *second = self->to;
    if (first->name > second->name)     /* one order for all locks of the program: by their names */
        first = self->to, second = self->from;
    if (first_time && !self->plain)
        meet(self);                     /* between the two locks it would wait for ever */
    check_pthread(pthread_mutex_lock(&first->lock));
    struct timespec limit = moment_in(self->limit_ms);
    int code = pthread_mutex_timedlock(&second->lock, &limit);
    if (code == ETIMEDOUT) {
        say("WRONG: thread %d has %c, and waits for %c in vain: a deadlock", self->number,
            first->name, second->name);
        check_pthread(pthread_mutex_unlock(&first->lock));  /* one must give up */
        return false;
    }
    check_pthread(code);
    self->from->books--;
    self->to->books++;
    if (!self->plain)
        say("thread %d has %c and %c, and moves a book", self->number, first->name, second->name);
    check_pthread(pthread_mutex_unlock(&second->lock));
    check_pthread(pthread_mutex_unlock(&first->lock));
    return true;
}

static void *move_one(void *argument)
{
    const struct mover *self = argument;
    bool moved = move_book(self, true);
    meet(self);                     /* the one that gave up waits here: the other one goes first */
    if (!moved && !move_book(self, false))
        die("thread %d: no second lock", self->number);
    return NULL;
}

/* The same without a meeting at the locks, many times: does it happen by itself? */
static void *move_many(void *argument)
{
    const struct mover *self = argument;
    meet(self);                     /* so that they begin together */
    for (int i = 0; i < 100000; i++)
        if (!move_book(self, false))
            break;
    return NULL;
}

int main(int argc, char **argv)
{
    bool plain = argc == 2 && strcmp(argv[1], "plain") == 0;
    if (argc > 1 && !plain)
        usage("deadlock [plain]");

    struct shelf left = { PTHREAD_MUTEX_INITIALIZER, 'L', 10 };
    struct shelf right = { PTHREAD_MUTEX_INITIALIZER, 'R', 10 };
    int there[2], back[2];
    check(pipe(there));
    check(pipe(back));
    struct mover movers[2] = {
        { .number = 1, .from = &left, .to = &right, .limit_ms = 100, .tell = there[1], .hear = back[0] },
        { .number = 2, .from = &right, .to = &left, .limit_ms = 10000, .tell = back[1], .hear = there[0] },
    };
    for (int i = 0; i < 2; i++) {
        movers[i].plain = plain;
        check_pthread(pthread_create(&movers[i].thread, NULL, plain ? move_many : move_one, &movers[i]));
    }
    for (int i = 0; i < 2; i++)
        check_pthread(pthread_join(movers[i].thread, NULL));
    say("books on both shelves: %d", left.books + right.books);
    for (int i = 0; i < 2; i++) {
        check(close(there[i]));
        check(close(back[i]));
    }
    check_pthread(pthread_mutex_destroy(&left.lock));
    check_pthread(pthread_mutex_destroy(&right.lock));
}

/* Unordered output: either thread may be the first
thread 1 has L and R, and moves a book
thread 2 has L and R, and moves a book
books on both shelves: 20
*/
