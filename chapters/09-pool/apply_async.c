/* apply_async.c - tasks for four workers: one by one with apply, all at once with apply_async.
   Python: pool.apply(square, (n,)); [pool.apply_async(square, (n,)) for n in ...], then r.get()
   Calls:  the part pool.h
   Needs:  pool_step3
   Try:    Write 1 for the 4 in pool_open: the same lines. What a program prints should not depend on
           how many workers it has. */
#include "workbook.h"

#include "pool.h"

enum { TASKS = 5 };

/* A task. It runs in a worker. */
static int square(const void *message, size_t size, struct reply *reply)
{
    const int *number = message;
    int result = *number * *number;
    if (size != sizeof *number)
        return reply_error(reply, "a message of %zu bytes", size);
    work_ticks(5);
    return reply_bytes(reply, &result, sizeof result);
}

/* Waits for the answer, says it, and gives the handle back. */
static void say_answer(int number, struct async *answer)
{
    const struct result *result = async_get(answer, -1);
    if (result == NULL)
        die("the square of %d: %s", number, pool_error());
    say("%d * %d = %d", number, number, *(const int *)result->bytes);
    async_free(answer);
}

int main(void)
{
    struct pool *pool = check_ptr(pool_open(4, NULL, NULL));

    say("apply: the next task is given when the one before is answered");
    for (int number = 0; number < TASKS; number++)
        say_answer(number, check_ptr(pool_apply(pool, square, &number, sizeof number)));

    say("apply_async: all are given, then we wait for each answer");
    struct async *answers[TASKS];
    for (int number = 0; number < TASKS; number++)
        answers[number] = check_ptr(pool_apply_async(pool, square, &number, sizeof number));
    for (int number = 0; number < TASKS; number++)
        say_answer(number, answers[number]);

    pool_close(pool);
    check(pool_join(pool));
    pool_free(pool);
}

/* Output:
apply: the next task is given when the one before is answered
0 * 0 = 0
1 * 1 = 1
2 * 2 = 4
3 * 3 = 9
4 * 4 = 16
apply_async: all are given, then we wait for each answer
0 * 0 = 0
1 * 1 = 1
2 * 2 = 4
3 * 3 = 9
4 * 4 = 16
*/
