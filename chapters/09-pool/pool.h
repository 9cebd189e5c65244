/* pool.h - workers that stay, like Python's multiprocessing.Pool. pool_step1.c to 4 lead to it. What is
   behind it: worker.c, async.c, pool.c, to be read in this order.

       struct pool *pool = check_ptr(pool_open(4, NULL, NULL));
       struct async *task = check_ptr(pool_apply_async(pool, square, &number, sizeof number));
       const struct result *result = async_get(task, -1);
       ... result->bytes and result->size; or result is NULL, and pool_error() tells why
       async_free(task);
       pool_free(pool);

   The parent has no helper threads. It takes results in, calls callbacks, replaces workers and hands
   out what is left only in calls that wait or ask: those with a limit, async_ready, async_successful,
   pool_apply, pool_map, pool_join. Use a pool only in the process and the thread that opened it.

   A function that can fail returns -1 or NULL and sets errno; pool_error() says the reason in words.
   When memory runs out, the process ends with one line, as by check(). A limit is in ms; 0: only look;
   -1: for ever. A wait may fail with ETIMEDOUT, EINTR (see pool_stop_on), or errno of poll(2). */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;                    /* the workers, and what they have to do */
struct async;                   /* a handle: a task or a map that was given to a pool */
struct reply;                   /* in a worker: what the task answers */

/* ---- tasks ---- */

/* A task is a function and a message of SIZE bytes. The function runs in a worker. Workers are forked,
   so they have the same functions, and the globals as they were then. It returns reply_bytes(...) or
   reply_error(...), or just 0. It must not leave a child behind: as long as that one has copies of the
   worker's pipes, nobody sees the worker's end. */
typedef int pool_function(const void *message, size_t size, struct reply *reply);

/* The result of this task: a copy of SIZE bytes. The last call counts. Returns 0. */
int reply_bytes(struct reply *reply, const void *bytes, size_t size);

/* This task fails with an error text, made as printf does, at most 1023 bytes. Returns -1.
   Python: raise ValueError(text) */
int reply_error(struct reply *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct result {
    size_t index;               /* which item of a map; 0 for a single task */
    int error;                  /* 0: it succeeded. EREMOTEIO: reply_error. EOWNERDEAD: its worker has
                                   ended. ECANCELED: dropped. ECHILD or another: no worker can start */
    size_t size;                /* of the result, or of the error text */
    void *bytes;                /* a 0 comes after them, so a text is a C string */
};

/* ---- a pool ---- */

/* Starts WORKERS processes. Each first calls INITIALIZER(ARGUMENT), unless it is NULL; when that does
   not return 0, the pool is broken: what it still has to do fails, and it takes no more. This process
   ignores SIGPIPE from now on, as Python does; the workers ignore SIGINT, and end with this thread.
   NULL with EINVAL (WORKERS below 1) or errno of fork(2), pipe(2), mmap(2).
   Python: Pool(workers, initializer, (argument,)) */
struct pool *pool_open(int workers, int (*initializer)(void *argument), void *argument);

/* No more tasks; those that it has are done. Python: close() */
void pool_close(struct pool *pool);

/* Waits until all is done, ends the workers and reaps them. Returns 0, or -1 with EINVAL (not closed)
   or as a wait. Python: join() */
int pool_join(struct pool *pool);

/* Ends the workers by SIGKILL and reaps them. What is not ready fails with ECANCELED.
   Python: terminate() */
void pool_terminate(struct pool *pool);

/* The same, and gives the pool back. Each struct async stays yours. Not in a callback.
   Python: the end of "with Pool() as pool:" */
void pool_free(struct pool *pool);

/* ---- giving it tasks: each call returns a handle, or NULL: the pool is closed or broken ---- */

/* One task; its message is copied. pool_apply waits until it is ready. Python: apply, apply_async */
struct async *pool_apply(struct pool *pool, pool_function *function, const void *message, size_t size);
struct async *pool_apply_async(struct pool *pool, pool_function *function, const void *message,
                               size_t size);

/* FUNCTION for each of COUNT items of SIZE bytes. One worker does CHUNK of them, one after the other (0:
   about 4 chunks a worker); no chunk waits for another one while a worker has nothing to do. pool_map
   waits until all are ready. With the other one, leave the items where they are until then.
   Python: map, imap_unordered */
struct async *pool_map(struct pool *pool, pool_function *function, const void *items, size_t count,
                       size_t size, size_t chunk);
struct async *pool_imap_unordered(struct pool *pool, pool_function *function, const void *items,
                                  size_t count, size_t size, size_t chunk);

/* ---- a handle ---- */

/* When it is ready, the parent calls ON_RESULT(self, argument), or ON_ERROR if something has failed.
   Either may be NULL. Python: callback=, error_callback= */
typedef void async_callback(struct async *self, void *argument);
void async_callbacks(struct async *self, async_callback *on_result, async_callback *on_error,
                     void *argument);

/* Waits until it is ready; or, of imap_unordered, until one more result is there. Returns 0, or -1.
   Python: wait(seconds) */
int async_wait(struct async *self, int limit_ms);

bool async_ready(struct async *self);           /* the same, but only looks */
int async_successful(struct async *self);       /* 1: nothing failed; 0; or -1: EINVAL, not ready */

/* Waits, and returns the results in the order of the items; you may get them again, until async_free.
   NULL: as async_wait, or the error of the first item that failed. Python: get(seconds) */
const struct result *async_get(struct async *self, int limit_ms);

/* The result of one item, even if others failed; NULL until all are ready. Does not wait. */
const struct result *async_result(struct async *self, size_t index);

/* Of imap_unordered, instead of the two above: waits for one more result, and returns it; it stays until
   the next call. NULL: ENODATA (there are no more), or as async_wait. Python: next(iterator) */
const struct result *async_next(struct async *self, int limit_ms);

/* Drops what no worker has got yet: it fails with ECANCELED. Returns whether that was all of it.
   Python: Future.cancel() */
bool async_cancel(struct async *self);

/* Gives the handle back. If it is not ready, it will still be done, and its callback called. */
void async_free(struct async *self);

/* ---- for special cases ---- */

/* Waits until something has come of any task. If all is ready, does not wait. Returns 0, or -1. */
int pool_wait(struct pool *pool, int limit_ms);

/* From now on each wait fails with EINTR once FD is readable: the self-pipe of a handler. */
void pool_stop_on(struct pool *pool, int fd);

/* Why the last of these calls failed: Python's words for a wrong use, the error text of the task, or
   strerror(3). */
const char *pool_error(void);

#endif
