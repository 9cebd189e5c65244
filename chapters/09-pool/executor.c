/* executor.c - futures, made from a pool and its callbacks: submit, result, as_completed, cancel.
   Python: concurrent.futures.ProcessPoolExecutor
   Calls:  the part pool.h
   Needs:  async_result, errors
   Try:    In main, open gate 'a' first, then 'b'. The futures complete in that order. */
#include "workbook.h"

#include "pool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 16, WORKERS = 2 };

/* A future is a struct async whose callback puts it here, in the order in which they become ready. */
struct executor {
    struct pool *pool;
    struct async *completed[MOST];
    int ready, taken;
};

static void on_completed(struct async *future, void *argument)
{
    struct executor *self = argument;
    self->completed[self->ready++] = future;
}

static struct async *submit(struct executor *self, pool_function *function, const void *message,
                            size_t size)
{
    struct async *future = check_ptr(pool_apply_async(self->pool, function, message, size));
    async_callbacks(future, on_completed, on_completed, self);  /* a result or an error: both */
    return future;
}

/* The next future that is ready. Waits for it. */
static struct async *as_completed(struct executor *self)
{
    while (self->taken == self->ready)
        check(pool_wait(self->pool, -1));
    return self->completed[self->taken++];
}

static int gates[2][2];             /* tasks "a" and "b" wait, each at its own gate */

static int wait_at_gate(const void *message, size_t size, struct reply *reply)
{
    char byte;
    const char *name = message;
    check(read_full(gates[name[0] - 'a'][0], &byte, 1));
    return reply_bytes(reply, message, size);
}

static void open_gate(char name)
{
    check(write_full(gates[name - 'a'][1], "!", 1));
}

static void say_result(const char *what, struct async *future)
{
    const struct result *result = async_get(future, -1);
    if (result == NULL && errno != ECANCELED)
        die("%s: %s", what, pool_error());
    say("%s: %s", what, result != NULL ? (const char *)result->bytes : pool_error());
}

int main(void)
{
    check(pipe(gates[0]));
    check(pipe(gates[1]));
    struct executor executor = { .pool = check_ptr(pool_open(WORKERS, NULL, NULL)) };

    struct async *a = submit(&executor, wait_at_gate, "a", 1);
    struct async *b = submit(&executor, wait_at_gate, "b", 1);
    struct async *third = submit(&executor, wait_at_gate, "a", 1);
    say("third: cancelled: %s", async_cancel(third) ? "yes, both workers are busy" : "too late");
    say_result("as_completed", as_completed(&executor));
    open_gate('b');
    say_result("as_completed", as_completed(&executor));
    open_gate('a');
    say_result("as_completed", as_completed(&executor));
    say_result("result of a", a);
    say("a: cancelled: %s", async_cancel(a) ? "yes" : "too late");

    async_free(a);
    async_free(b);
    async_free(third);
    pool_close(executor.pool);
    check(pool_join(executor.pool));
    pool_free(executor.pool);
    for (int i = 0; i < 4; i++)
        check(close(gates[i / 2][i % 2]));
}

/* Output:
third: cancelled: yes, both workers are busy
as_completed: the task was cancelled
as_completed: b
as_completed: a
result of a: a
a: cancelled: too late
*/
