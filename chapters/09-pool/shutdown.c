/* shutdown.c - three ends of a pool: close and join finish the work, terminate drops it.
   Python: pool.close(), pool.join(), pool.terminate()
   Calls:  the part pool.h; waitpid(2)
   Needs:  02-process/terminate, async_result
   Try:    Take out the first pool_close(pool). The second join is refused, too: check names it and ends
           the program. Does a worker stay? */
#include "workbook.h"

#include "pool.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 6 };

static int number_back(const void *message, size_t size, struct reply *reply)
{
    work_ticks(2);
    return reply_bytes(reply, message, size);
}

static int wait_for_ever(const void *message, size_t size, struct reply *reply)
{
    (void)message;
    (void)size;
    (void)reply;
    return pause();
}

static void say_children(void)
{
    if (waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD)
        say("no child is left");
    else
        die("a child is left");
}

int main(void)
{
    struct async *tasks[TASKS];
    int sum = 0;
    struct pool *pool = check_ptr(pool_open(2, NULL, NULL));
    for (int i = 0; i < TASKS; i++)
        tasks[i] = check_ptr(pool_apply_async(pool, number_back, &i, sizeof i));
    if (pool_join(pool) == -1)
        say("join before close: refused: %s", pool_error());
    pool_close(pool);
    if (pool_apply_async(pool, number_back, "", 0) == NULL)
        say("a task after close: refused: %s", pool_error());
    check(pool_join(pool));
    say_children();
    for (int i = 0; i < TASKS; i++) {
        const struct result *result = async_get(tasks[i], 0);
        if (result == NULL)
            die("task %d: %s", i, pool_error());
        sum += *(const int *)result->bytes;
        async_free(tasks[i]);
    }
    say("close and join: all %d tasks are done, the sum is %d", TASKS, sum);
    pool_free(pool);

    pool = check_ptr(pool_open(2, NULL, NULL));
    for (int i = 0; i < TASKS; i++)
        tasks[i] = check_ptr(pool_apply_async(pool, wait_for_ever, "", 0));
    pool_terminate(pool);
    say_children();
    for (int i = 0; i < TASKS; i++) {
        if (async_get(tasks[i], 0) != NULL || errno != ECANCELED)
            die("task %d was not dropped", i);
        async_free(tasks[i]);
    }
    say("terminate: all %d tasks have failed: %s", TASKS, "the pool was terminated");
    if (pool_apply_async(pool, number_back, "", 0) == NULL)
        say("a task after terminate: refused: %s", pool_error());
    pool_free(pool);
}

/* Output:
join before close: refused: Pool is still running
a task after close: refused: Pool not running
no child is left
close and join: all 6 tasks are done, the sum is 15
no child is left
terminate: all 6 tasks have failed: the pool was terminated
a task after terminate: refused: Pool not running
*/
