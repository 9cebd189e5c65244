/* wrong output | main built the table */
#include "workbook.h"

#include <pthread.h>
#include <stdlib.h>

enum { MAX_THREADS = 16, MAX_NUMBER = 100 };

struct user {
    long number;
    long value;                 /* only its thread writes it, and main reads it after the join */
};

/* Builds the table: at n it holds 1 + 2 + ... + n. This costs a lot of time, let us say; so nobody
   should do it twice, and nobody should do it for nothing. */
static long *build_table(void)
{
    say("building the table");
    long *table = check_ptr(malloc((MAX_NUMBER + 1) * sizeof *table));
    table[0] = 0;
    for (int n = 1; n <= MAX_NUMBER; n++)
        table[n] = table[n - 1] + n;
    return table;
}

static long *the_table;

static const long *get_table(void)
{
    return the_table;
}

static void *look_up(void *argument)
{
    struct user *user = argument;
    if (user->number > 0)
        user->value = get_table()[user->number];
    return NULL;
}

int main(int argc, char **argv)
{
    long numbers[MAX_THREADS];
    int count = argc - 1;
    for (int i = 0; i < count && count <= MAX_THREADS; i++)
        if (parse_number(argv[i + 1], 0, MAX_NUMBER, &numbers[i]) == -1)
            count = 0;
    if (count < 1 || count > MAX_THREADS)
        usage("once NUMBER...   (1 to 16 numbers from 0 to 100)");

    the_table = build_table();
    pthread_t threads[MAX_THREADS];
    struct user users[MAX_THREADS];
    for (int i = 0; i < count; i++) {
        users[i] = (struct user){ numbers[i], 0 };
        check_pthread(pthread_create(&threads[i], NULL, look_up, &users[i]));
    }
    for (int i = 0; i < count; i++)
        check_pthread(pthread_join(threads[i], NULL));
    for (int i = 0; i < count; i++) {
        if (users[i].number > 0)
            say("thread %d: %ld", i + 1, users[i].value);
        else
            say("thread %d: no need", i + 1);
    }
    free(the_table);            /* the threads have been joined: nobody else uses it */
    return 0;
}
