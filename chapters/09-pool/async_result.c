/* async_result.c - the handle of a task: wait with a limit, ask, get; and callbacks.
   Python: r.get(timeout=0.05), r.ready(), r.successful(); apply_async(..., callback=f)
   Calls:  the part pool.h
   Needs:  02-process/join_timeout, apply_async
   Try:    In main, write -1 for the 50. The get waits for a gate that is opened only after it: the
           program waits for ever. End it with Ctrl-C: the worker ends, too. */
#include "workbook.h"

#include "pool.h"

#include <errno.h>
#include <unistd.h>

static int gate[2];

/* A task that waits until somebody writes to the gate. */
static int wait_at_gate(const void *message, size_t size, struct reply *reply)
{
    char byte;
    check(read_full(gate[0], &byte, 1));
    return reply_bytes(reply, message, size);
}

static int fail(const void *message, size_t size, struct reply *reply)
{
    return reply_error(reply, "%.*s is not possible", (int)size, (const char *)message);
}

static void open_gate(void)
{
    check(write_full(gate[1], "!", 1));
}

static void ask(const char *when, struct async *task)
{
    bool ready = async_ready(task);
    int successful = async_successful(task);
    say("%s: ready: %s, successful: %s", when, ready ? "yes" : "no",
        successful == -1 ? "refused: not ready" : successful ? "yes" : "no");
}

static void get(struct async *task, int limit_ms)
{
    const struct result *result = async_get(task, limit_ms);
    if (result == NULL && errno != ETIMEDOUT && errno != EREMOTEIO)
        die("get: %s", pool_error());
    say("get: %s", result != NULL ? (const char *)result->bytes : pool_error());
}

static void on_result(struct async *task, void *argument)
{
    const char *name = argument;
    say("%s: the callback begins: %s", name, (const char *)async_get(task, 0)->bytes);
    if (name[0] == 'A') {
        open_gate();                /* task B ends meanwhile; its callback must wait */
        work_ticks(20);
    }
    say("%s: the callback ends", name);
}

static void on_error(struct async *task, void *argument)
{
    if (async_get(task, 0) == NULL && errno != EREMOTEIO)
        die("%s: %s", (const char *)argument, pool_error());
    say("%s: the error callback: %s", (const char *)argument, pool_error());
}

int main(void)
{
    check(pipe(gate));
    struct pool *pool = check_ptr(pool_open(1, NULL, NULL));

    struct async *task = check_ptr(pool_apply_async(pool, wait_at_gate, "bread", 5));
    get(task, 50);
    ask("before", task);
    open_gate();
    get(task, -1);
    ask("after", task);
    get(task, -1);                  /* again: the result stays until async_free */
    async_free(task);

    struct async *a = check_ptr(pool_apply_async(pool, wait_at_gate, "milk", 4));
    struct async *b = check_ptr(pool_apply_async(pool, wait_at_gate, "eggs", 4));
    struct async *c = check_ptr(pool_apply_async(pool, fail, "magic", 5));
    async_callbacks(a, on_result, on_error, "A");
    async_callbacks(b, on_result, on_error, "B");
    async_callbacks(c, on_result, on_error, "C");
    open_gate();                    /* for A */
    get(c, -1);                     /* the callbacks run in here */
    ask("C", c);

    async_free(a);
    async_free(b);
    async_free(c);
    pool_close(pool);
    check(pool_join(pool));
    pool_free(pool);
    check(close(gate[0]));
    check(close(gate[1]));
}

/* Output:
get: the limit has passed
before: ready: no, successful: refused: not ready
get: bread
after: ready: yes, successful: yes
get: bread
A: the callback begins: milk
A: the callback ends
B: the callback begins: eggs
B: the callback ends
C: the error callback: magic is not possible
get: magic is not possible
C: ready: yes, successful: no
*/
