/* worker_death.c - kill -9 in the middle of a task: it fails, a new worker comes, the others go on.
   Python: Pool waits for ever here; concurrent.futures ends the whole pool: BrokenProcessPool
   Calls:  the part pool.h; kill(2)
   Needs:  pool_step3, errors
   Try:    build/worker_death slow    It says the pids of its workers, for half a minute. In another
           terminal, kill some: kill -9 PID. */
#include "workbook.h"

#include "pool.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { TASKS = 100, EACH = 10, SLOW_TASKS = 60 };

/* Every tenth task kills its worker. */
static int square(const void *message, size_t size, struct reply *reply)
{
    int number = *(const int *)message;
    int result = number * number;
    if (size == sizeof number && number % EACH == EACH - 1)
        check(kill(getpid(), SIGKILL));
    return reply_bytes(reply, &result, sizeof result);
}

static int take_a_second(const void *message, size_t size, struct reply *reply)
{
    say("task %d begins in pid %d", *(const int *)message, getpid());
    work_ticks(1000);
    return reply_bytes(reply, message, size);
}

/* FUNCTION for so many tasks. Counts those that are done, and those that lost their worker; if TELL, says
   each of the lost ones, else only the first. */
static void run(struct pool *pool, pool_function *function, int tasks, bool tell)
{
    int numbers[TASKS], good = 0, killed = 0;
    for (int i = 0; i < tasks; i++)
        numbers[i] = i;
    struct async *map =
        check_ptr(pool_map(pool, function, numbers, (size_t)tasks, sizeof numbers[0], 1));
    for (int i = 0; i < tasks; i++) {
        const struct result *result = async_result(map, (size_t)i);
        if (result->error == 0)
            good++;
        else if (result->error == EOWNERDEAD)
            killed++;
        else
            die("task %d: %s", i, (const char *)result->bytes);
        if (result->error != 0 && (tell || i == EACH - 1))
            say("task %d: %s", i, (const char *)result->bytes);
    }
    say("%d tasks: %d done, %d have lost their worker", tasks, good, killed);
    async_free(map);
}

int main(int argc, char **argv)
{
    bool slow = argc == 2 && strcmp(argv[1], "slow") == 0;
    if (argc > 1 && !slow)
        usage("worker_death [slow]");
    struct pool *pool = check_ptr(pool_open(2, NULL, NULL));
    if (slow)
        run(pool, take_a_second, SLOW_TASKS, true);
    else
        run(pool, square, TASKS, false);
    pool_close(pool);
    check(pool_join(pool));
    pool_free(pool);
}

/* Output:
task 9: the worker was killed by signal 9
100 tasks: 90 done, 10 have lost their worker
*/
