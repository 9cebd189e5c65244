/* philosophers.c - five at a round table, five forks, two for a meal: no deadlock, nobody passed over.
   Python: the dining philosophers, with one threading.Condition
   Calls:  pthread_cond_wait(3): a condition that is more than "is it free?"
   Needs:  05-threads/thread, 06-locks/deadlock, condition, stolen_wakeup
   Try:    In main, write fork_is_free in place of fork_is_free_and_my_turn. The check at the end
           fails: 20 is more than 2. */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { SEATS = 5, MEALS = 20, FORCED_MEALS = 21, LIMIT = 2 };

enum state { THINKS, IS_HUNGRY, EATS };

struct table {
    pthread_mutex_t lock;
    pthread_cond_t change;          /* "something below has changed" */
    enum state state[SEATS];
    int last_user[SEATS];           /* fork i lies between seats i and i + 1: who ate with it last */
    int overtaken[SEATS];           /* how often a neighbour began to eat, since this one became hungry */
    int most;                       /* the highest of these, ever */
    bool (*may_use)(const struct table *, int fork, int me, int neighbour);
    int asked;                      /* forced: how many meals the two conspirators have asked for */
};

struct guest {
    void *(*behave)(void *);
    int seat, first_meal;
    struct table *table;
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

/* ---- the forced order: seats 1 and 4 eat in turns, each until the other one has asked ---- */

static void *conspire(void *argument)
{
    struct guest *me = argument;
    struct table *table = me->table;
    check_pthread(pthread_mutex_lock(&table->lock));
    for (int meal = me->first_meal; meal < FORCED_MEALS; meal += 2) {
        while (table->asked != meal || (meal == 1 && table->state[0] != IS_HUNGRY))
            let_others_go(table);
        table->asked++;
        begin_meal(table, me->seat);
        while (table->asked == meal + 1 && meal + 1 < FORCED_MEALS)     /* until the other one has asked */
            let_others_go(table);
        become(table, me->seat, THINKS);
    }
    check_pthread(pthread_mutex_unlock(&table->lock));
    return NULL;
}

static void *eat_once(void *argument)
{
    struct guest *me = argument;
    struct table *table = me->table;
    check_pthread(pthread_mutex_lock(&table->lock));
    while (table->asked == 0)               /* until seat 1 eats */
        let_others_go(table);
    begin_meal(table, me->seat);
    become(table, me->seat, THINKS);
    check_pthread(pthread_mutex_unlock(&table->lock));
    return NULL;
}

/* ---- unforced: everyone eats and thinks as they like ---- */

static void *eat_often(void *argument)
{
    struct guest *me = argument;
    for (int i = 0; i < MEALS; i++) {
        check_pthread(pthread_mutex_lock(&me->table->lock));
        begin_meal(me->table, me->seat);
        check_pthread(pthread_mutex_unlock(&me->table->lock));
        work_ticks(1);                      /* eats, without the lock */
        check_pthread(pthread_mutex_lock(&me->table->lock));
        become(me->table, me->seat, THINKS);
        check_pthread(pthread_mutex_unlock(&me->table->lock));
    }
    return NULL;
}

/* Seats COUNT guests, waits until they have gone, and returns the most that anyone was overtaken. */
static int dinner(struct table *table, struct guest *guests, int count)
{
    pthread_t threads[SEATS];
    *table = (struct table){ .may_use = table->may_use };
    for (int i = 0; i < SEATS - 1; i++)
        table->last_user[i] = i;            /* and of fork 4: seat 0. So the higher seat goes first: no circle */
    check_pthread(pthread_mutex_init(&table->lock, NULL));
    check_pthread(pthread_cond_init(&table->change, NULL));
    for (int i = 0; i < count; i++) {
        guests[i].table = table;
        check_pthread(pthread_create(&threads[i], NULL, guests[i].behave, &guests[i]));
    }
    for (int i = 0; i < count; i++)
        check_pthread(pthread_join(threads[i], NULL));
    check_pthread(pthread_cond_destroy(&table->change));
    check_pthread(pthread_mutex_destroy(&table->lock));
    return table->most;
}

static int forced_dinner(struct table *table)
{
    struct guest guests[] = {
        { eat_once, .seat = 0 },
        { conspire, .seat = 1, .first_meal = 0 },
        { conspire, .seat = 4, .first_meal = 1 },
    };
    return dinner(table, guests, 3);
}

static int plain_dinner(struct table *table)
{
    struct guest guests[SEATS];
    for (int i = 0; i < SEATS; i++)
        guests[i] = (struct guest){ eat_often, .seat = i };
    return dinner(table, guests, SEATS);
}

int main(int argc, char **argv)
{
    const char *how = argc == 2 ? argv[1] : "";
    struct table table = { .may_use = argc == 1 ? fork_is_free_and_my_turn : fork_is_free };
    if (argc != 1 && strcmp(how, "greedy") != 0 && strcmp(how, "plain") != 0)
        usage("philosophers [greedy|plain]");
    if (strcmp(how, "plain") == 0) {
        say("Measured: greedy, and unforced: overtaken %d times at most", plain_dinner(&table));
        return 0;
    }
    int most = forced_dinner(&table);
    say("seats 1 and 4 conspire against seat 0: overtaken %d times", most);
    if (argc == 2) {
        say("WRONG: it would go on like this for as long as the two like");
        return 0;
    }
    int plain = plain_dinner(&table);
    say("all have eaten %d times", MEALS);
    if (most > LIMIT || plain > LIMIT)
        die("somebody was overtaken %d times, more than %d", most > plain ? most : plain, LIMIT);
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
