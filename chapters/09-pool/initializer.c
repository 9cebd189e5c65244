/* initializer.c - what each worker does once, before its first task.
   Python: Pool(3, initializer=fill_table, initargs=(10,))
   Calls:  the part pool.h
   Needs:  01-fork/copy_on_write, map
   Try:    Write pool_open(WORKERS, NULL, NULL) for the first pool. The workers have the table, for it is
           a global, but nobody has filled it: the program says "0 rows" and ends. */
#include "workbook.h"

#include "pool.h"

#include <unistd.h>

enum { WORKERS = 3, ITEMS = 12, ROWS = 10 };

static int table[ROWS], rows, times_filled;     /* each worker has its own */

static int fill_table(void *argument)
{
    const int *count = argument;
    for (int i = 0; i < *count; i++)
        table[rows++] = 100 * i;
    times_filled++;
    return 0;
}

static int cannot_begin(void *argument)
{
    (void)argument;
    return -1;
}

struct answer {
    int value, rows, times_filled;
};

static int look_up(const void *message, size_t size, struct reply *reply)
{
    (void)size;
    struct answer answer = { table[*(const int *)message % ROWS], rows, times_filled };
    return reply_bytes(reply, &answer, sizeof answer);
}

int main(void)
{
    int items[ITEMS], count = ROWS, sum = 0;
    for (int i = 0; i < ITEMS; i++)
        items[i] = i;

    struct pool *pool = check_ptr(pool_open(WORKERS, fill_table, &count));
    struct async *map = check_ptr(pool_map(pool, look_up, items, ITEMS, sizeof items[0], 1));
    const struct result *results = async_get(map, 0);
    if (results == NULL)
        die("map: %s", pool_error());
    for (int i = 0; i < ITEMS; i++) {
        const struct answer *answer = results[i].bytes;
        if (answer->rows != ROWS || answer->times_filled != 1)
            die("item %d: %d rows, filled %d times", i, answer->rows, answer->times_filled);
        sum += answer->value;
    }
    say("%d tasks: each found %d rows, filled once in its worker; the sum is %d", ITEMS, ROWS, sum);
    say("parent: my own table has %d rows", rows);
    async_free(map);
    pool_close(pool);
    check(pool_join(pool));
    pool_free(pool);

    pool = check_ptr(pool_open(WORKERS, cannot_begin, NULL));
    struct async *task = pool_apply(pool, look_up, &items[0], sizeof items[0]);
    if (task == NULL || async_get(task, 0) == NULL)
        say("a task for workers that cannot begin: %s", pool_error());
    async_free(task);
    pool_free(pool);
}

/* Output:
12 tasks: each found 10 rows, filled once in its worker; the sum is 4600
parent: my own table has 0 rows
a task for workers that cannot begin: the initializer has failed
*/
