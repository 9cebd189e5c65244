/* philosophers.c - five at a round table, five forks, two for a meal: no deadlock, nobody starves.
   Python: the dining philosophers, with one threading.Condition
   Calls:  pthread_cond_wait(3): a condition that is more than "is it free?"
   Needs:  05-threads/thread, 06-locks/deadlock, 06-locks/with, condition, stolen_wakeup
   Try:    In main, write fork_is_free in place of fork_is_free_and_my_turn. The check at the end
           fails: somebody was overtaken 20 times, or more often. */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { SEATS = 5, MEALS = 20, LIMIT = 2 };

enum state { THINKS, IS_HUNGRY, EATS };

struct table {
    pthread_mutex_t lock;
    pthread_cond_t change;          /* "something below has changed" */
    enum state state[SEATS];
    int last_user[SEATS];           /* fork i lies between seats i and i + 1: who ate with it last */
    int overtaken[SEATS];           /* how often a neighbour began to eat, since this one became hungry */
    int most;                       /* the highest of these, ever */
    bool (*may_use)(const struct table *, int fork, int me, int neighbour);
    bool forced;
    int asked, asks;                /* forced: how many have asked for a meal, and will have in the end */
};

struct guest {
    struct table *table;
    int seat, meals;
};

/* ---- two rules: may ME use this fork, which only NEIGHBOUR uses too? ---- */

static bool fork_is_free(const struct table *table, int fork, int me, int neighbour)
{
    (void)fork, (void)me;
    return table->state[neighbour] != EATS;
}

static bool fork_is_free_and_my_turn(const struct table *table, int fork, int me, int neighbour)
{
    bool its_turn = table->state[neighbour] == IS_HUNGRY && table->last_user[fork] == me;
    return table->state[neighbour] != EATS && !its_turn;
}

/* ---- a meal. The callers have the lock. ---- */

static void let_others_go(struct table *table)
{
    check_pthread(pthread_cond_wait(&table->change, &table->lock));
}

static void become(struct table *table, int me, enum state state)
{
    table->state[me] = state;
    check_pthread(pthread_cond_broadcast(&table->change));
}

static void begin_meal(struct table *table, int me)
{
    const int right = (me + 1) % SEATS, left = (me + SEATS - 1) % SEATS;     /* fork ME, fork LEFT */
    const int neighbours[] = { left, right };
    table->overtaken[me] = 0;
    become(table, me, IS_HUNGRY);
    while (!table->may_use(table, me, me, right) || !table->may_use(table, left, me, left))
        let_others_go(table);
    /* Both forks in one step: nobody holds one and waits for the other. */
    table->last_user[me] = table->last_user[left] = me;
    become(table, me, EATS);
    for (int i = 0; i < 2; i++) {
        int other = neighbours[i];
        if (table->state[other] == IS_HUNGRY && ++table->overtaken[other] > table->most)
            table->most = table->overtaken[other];
    }
}

/* The forced order in which they ask: seat 1, seat 0, then 4, 1, 4, 1 ... */
static int who_asks(int number)
{
    return number == 1 ? 0 : number > 0 && number % 2 == 0 ? 4 : 1;
}

static void *dine(void *argument)
{
    struct guest *me = argument;
    struct table *table = me->table;
    for (int i = 0; i < me->meals; i++) {
        with_lock(&table->lock) {
            while (table->forced && who_asks(table->asked) != me->seat)
                let_others_go(table);
            int number = table->asked++;
            begin_meal(table, me->seat);
            /* Seats 1 and 4 conspire: each eats until the other one has asked, and so eats too. */
            while (table->forced && table->asked < table->asks && table->asked < (number == 0 ? 3 : number + 2))
                let_others_go(table);
        }
        if (!table->forced)
            work_ticks(1);              /* eats, without the lock */
        with_lock(&table->lock)
            become(table, me->seat, THINKS);
    }
    return NULL;
}

/* Serves so many MEALS to each seat. Returns the most that anyone was overtaken. */
static int dinner(struct table *table, bool forced, const int meals[SEATS])
{
    pthread_t threads[SEATS];
    struct guest guests[SEATS];
    *table = (struct table){ .may_use = table->may_use, .forced = forced };
    check_pthread(pthread_mutex_init(&table->lock, NULL));
    check_pthread(pthread_cond_init(&table->change, NULL));
    for (int i = 0; i < SEATS; i++) {
        table->last_user[i] = i < SEATS - 1 ? i : 0;    /* the higher seat goes first: no circle */
        table->asks += meals[i];
    }
    for (int i = 0; i < SEATS; i++) {
        guests[i] = (struct guest){ table, i, meals[i] };
        check_pthread(pthread_create(&threads[i], NULL, dine, &guests[i]));
    }
    for (int i = 0; i < SEATS; i++)
        check_pthread(pthread_join(threads[i], NULL));
    check_pthread(pthread_cond_destroy(&table->change));
    check_pthread(pthread_mutex_destroy(&table->lock));
    return table->most;
}

int main(int argc, char **argv)
{
    const int conspiracy[SEATS] = { 1, 11, 0, 0, 10 }, as_they_like[SEATS] = { MEALS, MEALS, MEALS, MEALS, MEALS };
    struct table table = { .may_use = argc == 1 ? fork_is_free_and_my_turn : fork_is_free };
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "greedy") != 0 && strcmp(argv[1], "plain") != 0))
        usage("philosophers [greedy|plain]");
    if (argc == 2 && strcmp(argv[1], "plain") == 0) {
        say("Measured: greedy, and unforced: overtaken %d times at most", dinner(&table, false, as_they_like));
        return 0;
    }
    int most = dinner(&table, true, conspiracy);
    say("seats 1 and 4 conspire against seat 0: overtaken %d times", most);
    if (argc == 2) {
        say("WRONG: it would go on like this for as long as the two like");
        return 0;
    }
    int unforced = dinner(&table, false, as_they_like);
    say("all have eaten %d times", MEALS);
    if (most > LIMIT || unforced > LIMIT)
        die("somebody was overtaken %d times, more than %d", most > unforced ? most : unforced, LIMIT);
    say("nobody was overtaken more than %d times", LIMIT);
}

/* Output:
seats 1 and 4 conspire against seat 0: overtaken 1 times
all have eaten 20 times
nobody was overtaken more than 2 times
*/
/* Output of ./philosophers greedy:
seats 1 and 4 conspire against seat 0: overtaken 20 times
WRONG: it would go on like this for as long as the two like
*/
