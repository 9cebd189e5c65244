/* errors.c - a task fails: its error comes back with its text, and the others finish.
   Python: an exception in a task is raised again by get() in the parent
   Calls:  the part pool.h
   Needs:  map, async_result
   Try:    In divide, write abort() for _exit(3), and #include <stdlib.h>. Now a signal is named. */
#include "workbook.h"

#include "pool.h"

#include <errno.h>
#include <unistd.h>

enum { TASKS = 5 };

struct division {
    int of, by;
};

static int divide(const void *message, size_t size, struct reply *reply)
{
    const struct division *division = message;
    if (size != sizeof *division)
        return reply_error(reply, "a division has %zu bytes, not %zu", sizeof *division, size);
    if (division->by == 0)
        return reply_error(reply, "%d cannot be divided by 0", division->of);
    if (division->by < 0)
        _exit(3);                       /* a bad task: it ends its worker */
    int result = division->of / division->by;
    return reply_bytes(reply, &result, sizeof result);
}

static void show(size_t i, const struct result *result)
{
    if (result->error == 0)
        say("  item %zu: %d", i, *(const int *)result->bytes);
    else
        say("  item %zu: %s: %s", i, result->error == EREMOTEIO ? "its error" : "no answer",
            (const char *)result->bytes);
}

int main(void)
{
    const struct division divisions[TASKS] =
        { { 10, 2 }, { 20, 0 }, { 30, 3 }, { 40, -1 }, { 50, 5 } };
    struct pool *pool = check_ptr(pool_open(2, NULL, NULL));

    struct async *task = check_ptr(pool_apply(pool, divide, &divisions[1], sizeof divisions[1]));
    if (async_get(task, 0) == NULL)
        say("apply: %s", pool_error());
    async_free(task);
    task = check_ptr(pool_apply(pool, divide, "?", 1));
    if (async_get(task, 0) == NULL)
        say("apply: %s", pool_error());
    async_free(task);

    struct async *map = check_ptr(pool_map(pool, divide, divisions, TASKS, sizeof divisions[0], 1));
    if (async_get(map, 0) == NULL)
        say("map: %s", pool_error());
    for (size_t i = 0; i < TASKS; i++)
        show(i, async_result(map, i));
    async_free(map);

    pool_close(pool);
    check(pool_join(pool));
    pool_free(pool);
    if (pool_open(0, NULL, NULL) == NULL)
        say("a pool of 0 workers: %s", pool_error());
}

/* Output:
apply: 20 cannot be divided by 0
apply: a division has 8 bytes, not 1
map: 20 cannot be divided by 0
  item 0: 5
  item 1: its error: 20 cannot be divided by 0
  item 2: 10
  item 3: no answer: the worker ended with exit status 3
  item 4: 10
a pool of 0 workers: number of workers must be at least 1
*/
