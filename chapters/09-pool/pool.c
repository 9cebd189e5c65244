/* pool.c - the parent of the workers: it gives them the items of jobs, takes their answers in, and
   replaces those that have ended. Read worker.c and async.c first. All happens in one function, turn(). */
#include "workbook.h"

#include "async.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { MOST_CHUNKS = 32 };      /* in one order */

struct pool {
    int (*initializer)(void *argument);
    void *argument;
    int stop_fd;
    bool closed;
    int broken;                 /* not 0: no work can be done any more, for this reason */
    const char *reason;
    size_t unfinished;          /* jobs that wait for results, or for their callback */
    struct jobs queue;          /* those with items that no worker has got */
    struct jobs due;            /* those that have all results, and wait for their callback */
    struct pollfd *fds;
    atomic_size_t *open;        /* of the workers, in memory that all share */
    int count;
    struct worker workers[];
};

/* ---- results ---- */

static void put_result(struct pool *pool, struct async *job, size_t item, int error, char *bytes,
                       size_t size)
{
    if (async_put(job, item, error, bytes, size))
        jobs_append(&pool->due, job);
}

static void fail(struct pool *pool, struct async *job, size_t item, int error, const char *text)
{
    put_result(pool, job, item, error, check_ptr(strdup(text)), strlen(text));
}

/* All that no worker has got of the job *LINK, in the queue. */
static void fail_rest(struct pool *pool, struct async **link, int error, const char *text)
{
    struct async *job = *link;
    jobs_take_out(&pool->queue, link);
    while (job->given < job->count)
        fail(pool, job, job->given++, error, text);
}

/* All that no worker has in its hands. */
static void fail_all(struct pool *pool)
{
    for (int i = 0; i < pool->count; i++) {
        struct worker *worker = &pool->workers[i];
        while (!worker->sent && worker->first < worker->end)
            fail(pool, worker->job, worker->first++, pool->broken, pool->reason);
    }
    while (pool->queue.first != NULL)
        fail_rest(pool, &pool->queue.first, pool->broken, pool->reason);
}

static void break_pool(struct pool *pool, int code, const char *reason)
{
    pool->broken = code;
    pool->reason = reason;
}

/* ---- handing out ---- */

static void set_items(struct worker *worker, struct async *job, size_t first, size_t end)
{
    worker->job = job;
    worker->first = first;
    worker->end = end;
    atomic_store(worker->open, end - first);        /* not sent yet: all are free for others */
}

/* The next items for a worker that has none: of the first job; else what another worker has, but has not
   begun. Of a job, several chunks; but towards its end fewer and fewer. False: there are none. */
static bool find_items(struct pool *pool, struct worker *worker)
{
    struct async *job = pool->queue.first;
    if (job != NULL) {
        size_t left = job->count - job->given, first = job->given;
        size_t chunks = left / job->chunk / (4 * (size_t)pool->count) + 1;
        size_t count = (chunks < MOST_CHUNKS ? chunks : MOST_CHUNKS) * job->chunk;
        job->given += count < left ? count : left;
        if (job->given == job->count)
            jobs_take_out(&pool->queue, &pool->queue.first);
        set_items(worker, job, first, job->given);
        return true;
    }
    for (int i = 0; i < pool->count; i++) {
        struct worker *other = &pool->workers[i];
        size_t count = worker_take_back(other);
        if (count > 0) {
            set_items(worker, other->job, other->end, other->end + count);
            return true;
        }
    }
    return false;
}

/* To each worker that has nothing to do, an order. A worker that has ended is replaced, and the new one
   gets what the old one has not begun. */
static void hand_out(struct pool *pool)
{
    int living = 0, error = 0;
    for (int i = 0; i < pool->count && pool->broken == 0; i++) {
        struct worker *worker = &pool->workers[i];
        if (!worker->sent && worker->first == worker->end && !find_items(pool, worker))
            break;                          /* so there is nothing for the others either */
        if (worker->pid == 0 && worker_start(worker, pool->workers, pool->count, pool->initializer,
                                             pool->argument) == -1) {
            error = errno;                  /* the others go on; the next turn tries again */
            continue;
        }
        living++;
        if (!worker->sent) {
            const struct async *job = worker->job;
            struct order order = { job->function, worker->end - worker->first, job->size, job->chunk };
            worker_send(worker, &order, job->items + worker->first * job->size);
        }
    }
    if (living == 0 && error != 0)
        break_pool(pool, error, "no worker can be started");
    if (pool->broken != 0)
        fail_all(pool);
}

/* ---- the parent's turn ---- */

/* A worker has ended, or will at once. If it had an order, its first item was in its hands. */
static void bury(struct pool *pool, struct worker *worker)
{
    char text[100];
    int status = worker_end(worker);
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "the worker was killed by signal %d", WTERMSIG(status));
    else
        snprintf(text, sizeof text, "the worker ended with exit status %d", WEXITSTATUS(status));
    if (worker->sent)
        fail(pool, worker->job, worker->first++, EOWNERDEAD, text);
    worker->sent = false;
    atomic_store(worker->open, worker->end - worker->first);
}

/* Takes in one answer, or the worker's end. */
static void take_in(struct pool *pool, struct worker *worker)
{
    struct answer answer;
    char *bytes = worker_hear(worker, &answer);
    if (bytes == NULL) {
        bury(pool, worker);
    } else if (answer.error == CANNOT_START) {
        free(bytes);
        worker->sent = false;               /* what it has got fails with the rest */
        break_pool(pool, ECHILD, "the initializer has failed");
    } else {
        put_result(pool, worker->job, worker->first++, (int)answer.error, bytes, answer.size);
        worker->sent = worker->first < worker->end;
    }
}

/* Only when the pool is in order: a callback may give it tasks, wait for others, free its own job. */
static void call_callbacks(struct pool *pool)
{
    while (pool->due.first != NULL) {
        struct async *job = pool->due.first;
        jobs_take_out(&pool->due, &pool->due.first);
        pool->unfinished--;
        async_finish(job);
    }
}

/* All that the parent does: waits for an event, at most LIMIT_MS ms, takes answers in, hands out work,
   calls callbacks. Returns 0, or -1: EINTR (told to stop), errno of poll(2). */
static int turn(struct pool *pool, int limit_ms)
{
    for (int i = 0; i < pool->count; i++) {
        const struct worker *worker = &pool->workers[i];
        pool->fds[i] = (struct pollfd){ .fd = worker->pid != 0 ? worker->from : -1, .events = POLLIN };
    }
    pool->fds[pool->count] = (struct pollfd){ .fd = pool->stop_fd, .events = POLLIN };
    if (pool->due.first != NULL)
        limit_ms = 0;                       /* a callback is due: only look */
    if (poll(pool->fds, (nfds_t)pool->count + 1, limit_ms) == -1 && errno != EINTR)
        return -1;
    bool stop = pool->fds[pool->count].revents != 0;
    for (int i = 0; i < pool->count; i++)
        if (pool->fds[i].revents != 0)
            take_in(pool, &pool->workers[i]);
    hand_out(pool);
    call_callbacks(pool);
    return stop ? refuse(EINTR, "told to stop") : 0;
}

/* ---- the calls of pool.h. From here on there is nothing new ---- */

struct pool *pool_open(int workers, int (*initializer)(void *argument), void *argument)
{
    if (workers < 1) {
        refuse(EINVAL, "number of workers must be at least 1");
        return NULL;
    }
    size_t count = (size_t)workers;
    atomic_size_t *open = share(count * sizeof *open);
    if (open == NULL)
        return NULL;
    struct pool *pool = check_ptr(calloc(1, sizeof *pool + count * sizeof pool->workers[0]));
    *pool = (struct pool){ .initializer = initializer, .argument = argument, .stop_fd = -1,
                           .open = open, .count = workers };
    pool->queue.end = &pool->queue.first;
    pool->due.end = &pool->due.first;
    pool->fds = check_ptr(calloc(count + 1, sizeof *pool->fds));
    for (int i = 0; i < workers; i++) {
        pool->workers[i].open = &open[i];
        if (worker_start(&pool->workers[i], pool->workers, i, initializer, argument) == -1) {
            int error = errno;
            pool_free(pool);
            errno = error;
            return NULL;
        }
    }
    return pool;
}

int pool_wait(struct pool *pool, int limit_ms)
{
    return pool->unfinished == 0 ? 0 : turn(pool, limit_ms);
}

void pool_stop_on(struct pool *pool, int fd)
{
    pool->stop_fd = fd;
}

void pool_close(struct pool *pool)
{
    pool->closed = true;
}

int pool_join(struct pool *pool)
{
    const struct order end = { .function = NULL };
    if (!pool->closed)
        return refuse(EINVAL, "Pool is still running");
    while (pool->unfinished > 0)
        if (turn(pool, -1) == -1)
            return -1;
    for (int i = 0; i < pool->count; i++)
        if (pool->workers[i].pid != 0) {
            worker_send(&pool->workers[i], &end, NULL);
            worker_end(&pool->workers[i]);
        }
    return 0;
}

void pool_terminate(struct pool *pool)
{
    pool->closed = true;
    break_pool(pool, ECANCELED, "the pool was terminated");
    for (int i = 0; i < pool->count; i++)
        if (pool->workers[i].pid != 0) {
            check(kill(pool->workers[i].pid, SIGKILL));     /* not reaped yet: the pid is still ours */
            worker_end(&pool->workers[i]);
            pool->workers[i].sent = false;
        }
    fail_all(pool);
    call_callbacks(pool);
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    pool_terminate(pool);
    check(munmap(pool->open, (size_t)pool->count * sizeof *pool->open));
    free(pool->fds);
    free(pool);
}

struct async *pool_give(struct pool *pool, struct async *job, const void *message)
{
    if (pool->closed || pool->broken != 0) {
        refuse(pool->closed ? EINVAL : pool->broken, pool->closed ? "Pool not running" : pool->reason);
        return NULL;
    }
    job->pool = pool;
    if (job->chunk == 0)
        job->chunk = job->count / (4 * (size_t)pool->count) + 1;
    struct async *self = async_new(job, message);
    if (self->ready)
        return self;
    pool->unfinished++;
    jobs_append(&pool->queue, self);
    hand_out(pool);
    return self;
}

bool async_cancel(struct async *self)
{
    if (self->ready)
        return false;
    size_t before = self->done;
    struct async **link = &self->pool->queue.first;
    while (*link != NULL && *link != self)
        link = &(*link)->next;
    if (*link == self)
        fail_rest(self->pool, link, ECANCELED, "the task was cancelled");
    return self->done - before == self->count;
}
